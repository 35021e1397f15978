//! Labels of connections: 128 bits that rules and operators put on a flow (`nf_conntrack_labels.c`).
//!
//! Few flows have any, so they stand among the rare attributes ([`super::extra`]).

use packet::Family;

use super::entry::FlowId;
use super::extra::ExtrasFull;
use super::table::FlowTable;
use crate::events::Changes;

/// A set of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Labels([u64; 2]);

impl Labels {
    /// None.
    pub const NONE: Self = Self([0; 2]);

    /// Those whose bits are set.
    pub const fn of_bits(bits: u128) -> Self {
        Self([bits as u64, (bits >> 64) as u64])
    }

    /// One of [`program::LABELS`].
    pub const fn one(label: u8) -> Self {
        Self::of_bits(1 << (label % program::LABELS))
    }

    /// Likewise, the lower half and the upper half.
    pub const fn of_halves(halves: [u64; 2]) -> Self {
        Self(halves)
    }

    /// As bits.
    pub fn bits(self) -> u128 {
        u128::from(self.0[1]) << 64 | u128::from(self.0[0])
    }

    /// Every one of `other` is among them.
    pub fn has(self, other: Self) -> bool {
        self.bits() & other.bits() == other.bits()
    }

    /// Both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self::of_bits(self.bits() | other.bits())
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self::of_bits(self.bits() & !other.bits())
    }
}

impl<F: Family> FlowTable<F> {
    /// The labels of a flow.
    pub fn labels(&self, id: FlowId) -> Labels {
        self.extra(id).labels
    }

    /// Writes the labels of a flow.
    pub(crate) fn set_labels(&mut self, id: FlowId, labels: Labels) -> Result<(), ExtrasFull> {
        if self.labels(id) != labels {
            if let Some(extra) = self.extra_mut(id)? {
                extra.labels = labels;
            }
            if let Some(flow) = self.get_mut(id) {
                flow.note(Changes::LABELS);
            }
        }
        Ok(())
    }
}
