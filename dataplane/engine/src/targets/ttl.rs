//! `TTL`, `HL` (`xt_HL.c`).

use packet::{Family, Header, set};

/// Sets TTL or hop limit; false when the head could not be written to.
pub(crate) fn apply<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u8) -> bool {
    new == header.ttl || set::ttl(head, header, new).is_ok()
}
