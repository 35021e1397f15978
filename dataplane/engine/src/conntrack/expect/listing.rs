//! What is expected, slot by slot, for those who ask; and how it is forgotten by hand. Its master finds it taken.

use packet::Family;

use super::{Expectation, Expectations, SlotId};
use crate::conntrack::slots::Slots;

impl<F: Family> Expectations<F> {
    /// Places in the table.
    pub(crate) fn slots(&self) -> u32 {
        self.slots.places() as u32
    }

    /// What is in a slot, and its name. One that changes meanwhile counts as empty.
    pub(crate) fn at(&self, slot: u32) -> Option<(SlotId, Expectation<F>)> {
        let (state, found) = self.slots.read(slot as usize)?;
        Some((Slots::<Expectation<F>, { super::WORDS }>::id(slot as usize, state), found))
    }

    /// Forgets what is in a slot, whoever expects it.
    pub(crate) fn empty(&self, slot: u32) -> Option<Expectation<F>> {
        self.slots.empty(slot as usize)
    }

    /// Forgets the named one.
    pub(crate) fn end(&self, id: SlotId) -> Option<Expectation<F>> {
        self.slots.remove(id)
    }
}
