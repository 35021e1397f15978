//! `TCPOPTSTRIP` (`xt_TCPOPTSTRIP.c`).

use packet::{Family, Fragment, Header, L4, set};
use program::ByteSet;

use super::Changed;

/// Puts no-operations in the place of the options whose kinds are in the set. A later fragment has none.
pub(crate) fn apply<F: Family>(head: &mut [u8], header: &mut Header<F>, kinds: &ByteSet) -> Changed {
    if matches!(header.fragment, Fragment::Later(_)) {
        return Changed::Done;
    }
    match header.transport {
        L4::Tcp { .. } if header.l4_fault().is_none() => set::strip_options(head, header, |kind| kinds.contains(kind)).into(),
        _ => Changed::Refused,
    }
}
