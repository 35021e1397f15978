//! `-m ecn --ecn-tcp-ece`, `--ecn-tcp-cwr` (`xt_ecn.c`).

use packet::tcp::{self, flags};
use packet::{Family, Header};

/// Are the flags set, or not set, as each that is asked for must be?
pub(crate) fn ask<F: Family>(head: &[u8], header: &Header<F>, ece: Option<bool>, cwr: Option<bool>) -> bool {
    let asked = [(flags::ECE, ece), (flags::CWR, cwr)];
    tcp::flags_at(head, header)
        .is_some_and(|set| asked.into_iter().all(|(flag, wanted)| wanted.is_none_or(|wanted| (set & flag != 0) == wanted)))
}
