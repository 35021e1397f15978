//! `TEE`: whither a copy of the packet goes.

use packet::Family;
use serde::{Deserialize, Serialize};

use crate::id::{InterfaceId, PatternId};
use crate::table::Table;

/// `-j TEE`: index is a place in [`Table::tees`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Tee<F: Family> {
    /// `--gateway`: who gets the copy on its link.
    pub gateway: F::Addr,
    /// `--oif`: the interface of this name. Where there is none, routing chooses, as without it.
    pub by: Option<PatternId>,
}

impl<F: Family> Table<F> {
    /// A copy's gateway, and by which interface of this box it must leave.
    #[inline]
    pub fn tee(&self, index: u32) -> (F::Addr, Option<InterfaceId>) {
        let Tee { gateway, by } = self.tees[index as usize];
        let named = by.and_then(|pattern| self.bound.get(pattern.index())).filter(|set| **set != 0);
        (gateway, named.map(|set| InterfaceId(set.trailing_zeros() as u16)))
    }
}
