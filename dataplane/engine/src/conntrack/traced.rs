//! Which traces flows have, one for each direction.
//!
//! One writer: the worker that owns the table.

use packet::Family;

use super::entry::{Dir, FlowId};
use super::table::FlowTable;
use crate::trace;

impl<F: Family> FlowTable<F> {
    /// Remembers the traces of its flows. To be called once, while the table is made.
    pub(crate) fn traced(mut self, traced: bool) -> Self {
        self.traced = traced;
        self
    }

    /// The number of a flow's trace, for whoever knows that the flow is alive.
    #[inline]
    pub(crate) fn trace(&self, id: FlowId, dir: Dir) -> u32 {
        self.slots.get(id.slot as usize).map_or(trace::NONE, |slot| slot.traces[dir.index()])
    }

    /// The flow has a trace.
    pub(crate) fn set_trace(&mut self, id: FlowId, dir: Dir, number: u32) {
        if let Some(slot) = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation() == id.generation) {
            slot.traces[dir.index()] = number;
        }
    }

    /// Has `most` flows, from slot `from` on, forget the traces that are `old`; says which slot is next.
    pub(crate) fn forget_traces(&mut self, from: u32, most: usize, old: impl Fn(u32) -> bool) -> Option<u32> {
        let rest = self.slots.get_mut(from as usize..)?;
        let done = most.min(rest.len());
        let ended = done == rest.len();
        for number in rest[..done].iter_mut().flat_map(|slot| &mut slot.traces).filter(|number| **number != trace::NONE) {
            if old(*number) {
                *number = trace::NONE;
            }
        }
        (!ended).then_some(from + done as u32)
    }
}
