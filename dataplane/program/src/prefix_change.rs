//! SNPT and DNPT: one network's prefix for another's.

use packet::npt::{Prefixes, Side};
use serde::{Deserialize, Serialize};

/// Whose prefix changes, and how: index is a place in [`crate::Table::prefix_changes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PrefixChange {
    /// Of which address.
    pub side: Side,
    /// From which to which.
    pub prefixes: Prefixes,
}

impl PrefixChange {
    /// Is each of both a network's prefix of at most 64 bits?
    pub(crate) fn has_networks(&self) -> bool {
        use packet::family::Addr;
        let Prefixes { from, from_len, to, to_len } = self.prefixes;
        [(from, from_len), (to, to_len)].into_iter().all(|(prefix, len)| len <= 64 && prefix & !u128::prefix_mask(len) == 0)
    }
}
