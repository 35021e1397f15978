//! `-m tcp --tcp-option` (`tcp_find_option` of `xt_tcpudp.c`).

use packet::options::tcp;
use packet::{Family, FamilyId, Fragment, Header, L4};
use program::header_test::Answer;

/// Does the packet carry an option of this kind?
pub(crate) fn ask<F: Family>(head: &[u8], header: &Header<F>, kind: u8, not: bool) -> Answer {
    match header.transport {
        L4::Tcp { header_len: 0..20, .. } | L4::Truncated { .. } => Answer::HotDrop,
        L4::Tcp { .. } => match tcp::bytes(head, header) {
            Some(options) => (tcp::contains(options, kind) != not).into(),
            None => Answer::HotDrop,
        },
        L4::Absent if F::ID == FamilyId::Ipv4 && header.fragment == Fragment::Later(8) => Answer::HotDrop,
        _ => Answer::No,
    }
}
