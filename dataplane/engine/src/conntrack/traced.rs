//! Which traces flows have, one for each direction: a column beside the slab, as long as it.
//!
//! One writer: the worker that owns the table.

use packet::Family;

use super::entry::{Dir, FlowId};
use super::table::FlowTable;
use crate::trace;

/// The column; without room where nothing is remembered.
#[derive(Default)]
pub(crate) struct Traced {
    kept: bool,
    numbers: Vec<[u32; 2]>,
}

impl Traced {
    /// With all the memory that it will ever have.
    pub(crate) fn new(capacity: u32) -> Self {
        Self { kept: true, numbers: Vec::with_capacity(capacity as usize) }
    }

    /// Bytes of a column of this capacity.
    pub(crate) fn bytes(capacity: u32) -> usize {
        capacity as usize * size_of::<[u32; 2]>()
    }

    /// Has the kernel back it now.
    pub(crate) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(self.numbers.spare_capacity_mut())
    }

    /// There is one more slot.
    pub(crate) fn add(&mut self) {
        if self.kept {
            self.numbers.push([trace::NONE; 2]);
        }
    }

    /// The slot's flow begins: what its last tenant had is not its own.
    pub(crate) fn clear(&mut self, slot: u32) {
        if let Some(numbers) = self.numbers.get_mut(slot as usize) {
            *numbers = [trace::NONE; 2];
        }
    }

    /// Brings a slot's near.
    pub(crate) fn prefetch(&self, slot: u32) {
        if let Some(numbers) = self.numbers.get(slot as usize) {
            memory::prefetch(numbers);
        }
    }
}

impl<F: Family> FlowTable<F> {
    /// Remembers the traces of its flows. To be called once, while the table is made.
    pub(crate) fn traced(mut self, traced: bool) -> Self {
        if traced {
            self.traced = Traced::new(self.capacity() as u32);
        }
        self
    }

    /// The number of a flow's trace, for whoever knows that the flow is alive.
    #[inline]
    pub(crate) fn trace(&self, id: FlowId, dir: Dir) -> u32 {
        self.traced.numbers.get(id.slot as usize).map_or(trace::NONE, |numbers| numbers[dir.index()])
    }

    /// The flow has a trace.
    pub(crate) fn set_trace(&mut self, id: FlowId, dir: Dir, number: u32) {
        if self.get(id).is_some()
            && let Some(numbers) = self.traced.numbers.get_mut(id.slot as usize)
        {
            numbers[dir.index()] = number;
        }
    }

    /// Has `most` flows, from slot `from` on, forget their traces; says which slot is next.
    pub(crate) fn forget_traces(&mut self, from: u32, most: usize) -> Option<u32> {
        let rest = self.traced.numbers.get_mut(from as usize..)?;
        let done = most.min(rest.len());
        let ended = done == rest.len();
        rest[..done].fill([trace::NONE; 2]);
        (!ended).then_some(from + done as u32)
    }
}
