//! `TOS` (`xt_DSCP.c`).

use packet::{Family, Header, set};

/// `tos = (tos & !mask) ^ value`; false when the head could not be written to.
pub(crate) fn apply<F: Family>(head: &mut [u8], header: &mut Header<F>, value: u8, mask: u8) -> bool {
    let new = (header.tos & !mask) ^ value;
    new == header.tos || set::tos(head, header, new).is_ok()
}
