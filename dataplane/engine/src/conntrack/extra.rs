//! What only few flows have: attributes that would make every flow larger stand in a slab of their own, reached from the flow by a number.
//!
//! A flow gets its [`Extra`] when the first such attribute is written, and gives it back when it ends. The slab is set aside at the start; when
//! it is used up the writer is refused ([`ExtrasFull`]) and the packet is dropped by that name, so that no attribute is ever lost silently.
//!
//! To add an attribute: a field here with its neutral value in `Default`, and nothing else; a flow without an [`Extra`] has the neutral value.
//!
//! One writer: the worker that owns the table.

use program::LabelId;
use thiserror::Error;

use super::labels::Labels;
use crate::synproxy::Proxied;

/// A flow's number for "has none".
pub(crate) const NONE: u32 = u32::MAX;

/// No room for another flow's rare attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no room for the rare attributes of another flow")]
pub struct ExtrasFull;

/// The rare attributes of one flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// Security label. Written by CONNSECMARK; 0 is none.
    pub label: LabelId,
    /// What `connlabel` put on it.
    pub labels: Labels,
    /// Number of its [`super::Assist`], if a helper reads it or announced it; 0 is none.
    pub(super) assist: u32,
    /// Number of the first of its entries on lists of `connlimit`; 0 is none.
    pub(super) counted: u32,
    /// What SYNPROXY remembers, of a flow that began with a cookie.
    pub(crate) proxied: Option<Proxied>,
}

/// What a flow without rare attributes has.
pub(crate) static NEUTRAL: Extra = Extra { label: LabelId(0), labels: Labels::NONE, assist: 0, counted: 0, proxied: None };

#[derive(Clone, Copy)]
struct Cell {
    extra: Extra,
    /// Next in the list of free cells.
    next: u32,
}

/// The slab.
pub(crate) struct Extras {
    cells: Vec<Cell>,
    capacity: u32,
    free: u32,
    live: u32,
}

impl Extras {
    /// A slab with all the memory that it will ever have.
    pub(crate) fn new(capacity: u32) -> Self {
        Self { cells: Vec::with_capacity(capacity as usize), capacity, free: NONE, live: 0 }
    }

    /// Bytes of a slab of this capacity.
    pub(crate) fn bytes(capacity: u32) -> usize {
        capacity as usize * size_of::<Cell>()
    }

    /// Has the kernel back it now.
    pub(crate) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(self.cells.spare_capacity_mut())
    }

    /// Flows that have one.
    pub(crate) fn len(&self) -> usize {
        self.live as usize
    }

    /// Of this number; neutral for [`NONE`].
    #[inline]
    pub(crate) fn get(&self, number: u32) -> &Extra {
        self.cells.get(number as usize).map_or(&NEUTRAL, |cell| &cell.extra)
    }

    /// Of this number, to write; `None` for [`NONE`].
    #[inline]
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Extra> {
        self.cells.get_mut(number as usize).map(|cell| &mut cell.extra)
    }

    /// A neutral one for a flow that has none.
    pub(crate) fn take(&mut self) -> Result<u32, ExtrasFull> {
        let number = if self.free != NONE {
            let number = self.free;
            self.free = self.cells[number as usize].next;
            self.cells[number as usize].extra = NEUTRAL;
            number
        } else if self.cells.len() < self.capacity as usize {
            self.cells.push(Cell { extra: NEUTRAL, next: NONE });
            self.cells.len() as u32 - 1
        } else {
            return Err(ExtrasFull);
        };
        self.live += 1;
        Ok(number)
    }

    /// Gives one back; nothing for [`NONE`].
    pub(crate) fn give_back(&mut self, number: u32) {
        if let Some(cell) = self.cells.get_mut(number as usize) {
            cell.next = self.free;
            self.free = number;
            self.live -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slab_refuses_when_full_and_gives_clean_ones_again() {
        assert_eq!(NEUTRAL, Extra::default());
        let mut extras = Extras::new(2);
        let (a, b) = (extras.take().unwrap(), extras.take().unwrap());
        extras.get_mut(a).unwrap().label = LabelId(7);
        assert_eq!((extras.get(a).label, extras.get(b).label, extras.get(NONE).label), (LabelId(7), LabelId(0), LabelId(0)));
        assert_eq!(extras.take(), Err(ExtrasFull));
        extras.give_back(a);
        extras.give_back(NONE);
        assert_eq!(extras.len(), 1);
        let again = extras.take().unwrap();
        assert_eq!((again, *extras.get(again)), (a, NEUTRAL));
        assert!(extras.get_mut(NONE).is_none());
    }
}
