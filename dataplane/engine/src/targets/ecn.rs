//! `ECN` (`ipt_ECN.c`).

use packet::{Family, Header, set, tcp};

use super::{Changed, tos};

/// Sets the codepoint of the IP header, then the flags of the TCP header. A packet that ends within the TCP header goes no further.
pub(crate) fn apply<F: Family>(
    head: &mut [u8],
    header: &mut Header<F>,
    ect: Option<u8>,
    (ece, cwr): (Option<bool>, Option<bool>),
) -> Changed {
    if let Some(ect) = ect
        && !tos::apply(head, header, ect, 3)
    {
        return Changed::OutOfReach;
    }
    match tcp::flags_at(head, header) {
        Some(_) => set::tcp_ecn(head, header, ece, cwr).into(),
        None => Changed::Refused,
    }
}
