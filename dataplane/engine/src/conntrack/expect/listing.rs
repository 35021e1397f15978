//! What one worker's flows expect, slot by slot, for those who ask; and how all of it is forgotten.

use packet::Family;

use super::{Expectation, Expectations};

impl<F: Family> Expectations<F> {
    /// Places in the table.
    pub(crate) fn slots(&self) -> u32 {
        self.slots.places() as u32
    }

    /// What is in a slot. One that changes meanwhile counts as empty.
    pub(crate) fn at(&self, slot: u32) -> Option<Expectation<F>> {
        self.slots.read(slot as usize).map(|(_, found)| found)
    }

    /// Forgets what is in a slot, whoever expects it: its master finds it taken.
    pub(crate) fn empty(&self, slot: u32) {
        self.slots.empty(slot as usize);
    }
}
