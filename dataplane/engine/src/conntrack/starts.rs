//! When flows began, where that is kept (`nf_conntrack_timestamp`).
//!
//! A column beside the slab: no flow is larger for it, and a packet of a flow does not come near it. It is written when a flow is confirmed,
//! and read when one is shown. One writer: the worker that owns the table.

use packet::Family;

use super::entry::FlowId;
use super::table::FlowTable;
use crate::time::Time;

/// The column; without room where nothing is kept.
#[derive(Default)]
pub(crate) struct Starts {
    kept: bool,
    times: Vec<Time>,
}

impl Starts {
    /// With all the memory that it will ever have.
    pub(crate) fn new(capacity: u32) -> Self {
        Self { kept: true, times: Vec::with_capacity(capacity as usize) }
    }

    /// Bytes of a column of this capacity.
    pub(crate) fn bytes(capacity: u32) -> usize {
        capacity as usize * size_of::<Time>()
    }

    /// Has the kernel back it now.
    pub(crate) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(self.times.spare_capacity_mut())
    }

    /// There is one more slot.
    pub(crate) fn add(&mut self) {
        if self.kept {
            self.times.push(Time(0));
        }
    }

    /// The slot's flow begins.
    pub(crate) fn note(&mut self, slot: u32, now: Time) {
        if let Some(time) = self.times.get_mut(slot as usize) {
            *time = now;
        }
    }

    /// When the slot's confirmed flow began.
    pub(crate) fn get(&self, slot: u32) -> Option<Time> {
        self.times.get(slot as usize).copied()
    }
}

impl<F: Family> FlowTable<F> {
    /// Remembers when its flows begin. To be called once, while the table is made.
    pub(crate) fn timed(mut self, timed: bool) -> Self {
        if timed {
            self.starts = Starts::new(self.capacity() as u32);
        }
        self
    }

    /// When a confirmed flow began, where that is remembered.
    pub(crate) fn started(&self, id: FlowId) -> Option<Time> {
        self.get(id).and_then(|_| self.starts.get(id.slot))
    }
}
