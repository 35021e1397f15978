//! When flows end by themselves: the table's side of the wheel.
//!
//! One writer: the worker that owns the table.

use arrayvec::ArrayVec;
use packet::Family;

use super::aside::Aside;
use super::entry::{Dir, Status};
use super::table::{FlowTable, Slot};
use super::wheel::{self, tick_after};
use crate::time::Time;

/// Flows that are ended in one go.
const TOGETHER: usize = 16;

/// Where the wheel finds its links, and the times of flows.
struct Timed<'a, F: Family> {
    slots: &'a mut [Slot<F>],
    asides: &'a mut [Aside],
}

impl<F: Family> wheel::Links for Timed<'_, F> {
    fn link(&mut self, slot: u32) -> &mut wheel::Link {
        &mut self.asides[slot as usize].timer
    }

    fn bucket(&mut self, slot: u32) -> &mut wheel::Bucket {
        &mut self.slots[slot as usize].bucket
    }

    fn due(&self, slot: u32) -> u64 {
        tick_after(self.slots[slot as usize].flow.expires())
    }
}

impl<F: Family> FlowTable<F> {
    /// Ends flows whose time has come and frees the slots of killed ones; at most `budget` steps. Returns how many slots became free. Not to be
    /// called while a packet of a killed flow is on its way.
    pub fn expire(&mut self, now: Time, budget: usize) -> usize {
        self.now = now;
        let mut freed = 0;
        let mut left = budget;
        while left > 0 && self.bury() {
            freed += 1;
            left -= 1;
        }
        loop {
            // Some at a time, so that they wait for memory together.
            let mut due = ArrayVec::<u32, TOGETHER>::new();
            while !due.is_full()
                && let Some(slot) = self.next_due(now, &mut left)
            {
                memory::prefetch(&self.slots[slot as usize]);
                due.push(slot);
            }
            if due.is_empty() {
                break;
            }
            for slot in &due {
                self.bring_places_near(*slot, now);
            }
            for slot in due {
                freed += usize::from(self.is_freed_when_due(slot, now));
            }
        }
        self.go_on_sweeping(now, &mut left);
        self.sweep_expected(now);
        freed
    }

    /// Brings near where a flow whose time has come stands in the index.
    fn bring_places_near(&self, slot: u32, now: Time) {
        let flow = &self.slots[slot as usize].flow;
        if flow.expires() <= now {
            for dir in [Dir::Original, Dir::Reply] {
                let hash = self.hash.tuple(&flow.tuple(dir), flow.zone_of(dir));
                self.index.prefetch(hash);
                self.index.prefetch_other(hash);
            }
            if flow.status.has(Status::SRC_NAT_DONE) {
                self.sources.prefetch_slot(slot);
            }
        }
    }

    /// The wheel has come to a flow: if its time has come too it ends. Says whether its slot is free.
    fn is_freed_when_due(&mut self, slot: u32, now: Time) -> bool {
        let flow = &self.slots[slot as usize].flow;
        if flow.expires() > now {
            self.arm(slot, now);
            return false;
        }
        let claimed = flow.status.has(Status::CLAIMED);
        self.unlist(slot);
        if claimed {
            self.await_return(slot);
        } else {
            self.free_slot(slot);
        }
        !claimed
    }

    /// The flow ends earlier than it was to. A later end is no news to the wheel, which looks at the flow no later than its time was up.
    pub(super) fn come_sooner(&mut self, slot: u32, now: Time) {
        let entry = &self.slots[slot as usize];
        if self.wheel.is_later(entry.bucket, tick_after(entry.flow.expires())) {
            self.arm(slot, now);
        }
    }

    /// Has the wheel look at a flow when its time is up.
    pub(super) fn arm(&mut self, slot: u32, now: Time) {
        self.wheel.arm(&mut Timed { slots: &mut self.slots, asides: &mut self.asides }, slot, now);
    }

    fn next_due(&mut self, now: Time, budget: &mut usize) -> Option<u32> {
        self.wheel.next_due(&mut Timed { slots: &mut self.slots, asides: &mut self.asides }, now, budget)
    }

    /// Has the wheel look at it no more.
    pub(super) fn disarm(&mut self, slot: u32) {
        self.wheel.disarm(&mut Timed { slots: &mut self.slots, asides: &mut self.asides }, slot);
    }
}
