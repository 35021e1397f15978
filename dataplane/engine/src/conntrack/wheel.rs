//! A hierarchical timer wheel: when to look at which slot.
//!
//! Five levels of 256 buckets; a tick is 2^27 ns (134 ms), so every [`Time`] lies on the wheel. An entry stands at the level where its tick first
//! differs from the clock, and comes down a level whenever the clock reaches its bucket. Links are an array beside the slots, so that the
//! wheel costs the packet path nothing: a packet only stores a later expiry in its flow; the wheel finds out when it looks, and is told
//! again. All work is counted against a budget, moves between levels included.
//!
//! One writer: the worker that owns the table.

use crate::time::Time;

const LEVELS: usize = 5;
const BUCKETS: usize = 256;
const TICK_SHIFT: u32 = 27;
const NIL: u32 = u32::MAX;
const UNLINKED: u16 = u16::MAX;

#[derive(Clone, Copy)]
struct Link {
    at: u64,
    prev: u32,
    next: u32,
    bucket: u16,
}

/// The wheel.
pub(crate) struct Wheel {
    /// Everything before this tick was looked at.
    clock: u64,
    armed: usize,
    heads: Box<[u32; LEVELS * BUCKETS]>,
    links: Vec<Link>,
}

/// The first tick that is not before `time`.
pub(crate) fn tick_after(time: Time) -> u64 {
    (time.0 >> TICK_SHIFT) + 1
}

/// The tick that `time` is in.
fn tick_of(time: Time) -> u64 {
    time.0 >> TICK_SHIFT
}

impl Wheel {
    /// A wheel for slots below `capacity`.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { clock: 0, armed: 0, heads: Box::new([NIL; LEVELS * BUCKETS]), links: Vec::with_capacity(capacity) }
    }

    /// Makes room for one more slot: the next number.
    pub(crate) fn add_slot(&mut self) {
        debug_assert!(self.links.len() < self.links.capacity(), "slots are counted by the table");
        self.links.push(Link { at: 0, prev: NIL, next: NIL, bucket: UNLINKED });
    }

    /// Looks at `slot` at tick `at` (at once if that is past), and at no other time.
    pub(crate) fn arm(&mut self, slot: u32, at: u64, now: Time) {
        self.disarm(slot);
        if self.armed == 0 {
            self.clock = self.clock.max(tick_of(now));
        }
        self.link(slot, at, self.clock);
        self.armed += 1;
    }

    /// Does not look at `slot` any more.
    pub(crate) fn disarm(&mut self, slot: u32) {
        if self.links[slot as usize].bucket != UNLINKED {
            self.unlink(slot);
            self.armed -= 1;
        }
    }

    /// The next slot whose tick has come, now disarmed. `None` when there is none, or when `budget` is used up.
    pub(crate) fn next_due(&mut self, now: Time, budget: &mut usize) -> Option<u32> {
        let until = tick_of(now);
        loop {
            if self.armed == 0 {
                self.clock = self.clock.max(until);
                return None;
            }
            if *budget == 0 {
                return None;
            }
            let due = self.heads[self.clock as usize % BUCKETS];
            if due != NIL {
                *budget -= 1;
                self.disarm(due);
                return Some(due);
            }
            if self.clock >= until {
                return None;
            }
            if !self.bring_down(self.clock + 1, budget) {
                return None;
            }
            self.clock += 1;
        }
    }

    /// Moves what begins at tick `next` to lower levels, the highest first. `false` when the budget ended before that was done: the rest stays
    /// where it was, and the clock must not move.
    fn bring_down(&mut self, next: u64, budget: &mut usize) -> bool {
        for level in (1..LEVELS).rev() {
            let shift = 8 * level as u32;
            if next & ((1 << shift) - 1) != 0 {
                continue;
            }
            let bucket = level * BUCKETS + (next >> shift) as usize % BUCKETS;
            while self.heads[bucket] != NIL {
                if *budget == 0 {
                    return false;
                }
                *budget -= 1;
                let slot = self.heads[bucket];
                let at = self.links[slot as usize].at;
                self.unlink(slot);
                self.link(slot, at, next);
            }
        }
        true
    }

    fn link(&mut self, slot: u32, at: u64, clock: u64) {
        let at = at.max(clock);
        let highest_difference = 63 - ((at ^ clock) | 1).leading_zeros() as usize;
        let level = highest_difference / 8;
        let bucket = level * BUCKETS + (at >> (8 * level as u32)) as usize % BUCKETS;
        let next = self.heads[bucket];
        self.links[slot as usize] = Link { at, prev: NIL, next, bucket: bucket as u16 };
        if next != NIL {
            self.links[next as usize].prev = slot;
        }
        self.heads[bucket] = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Link { prev, next, bucket, .. } = self.links[slot as usize];
        match prev {
            NIL => self.heads[bucket as usize] = next,
            _ => self.links[prev as usize].next = next,
        }
        if next != NIL {
            self.links[next as usize].prev = prev;
        }
        self.links[slot as usize].bucket = UNLINKED;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at_tick(tick: u64) -> Time {
        Time(tick << TICK_SHIFT)
    }

    fn drain(wheel: &mut Wheel, tick: u64) -> Vec<u32> {
        let mut due = Vec::new();
        loop {
            let mut budget = 3;
            match wheel.next_due(at_tick(tick), &mut budget) {
                Some(slot) => due.push(slot),
                None if budget > 0 => break,
                None => {}
            }
        }
        due.sort_unstable();
        due
    }

    #[test]
    fn a_budget_of_nothing_does_nothing() {
        let mut wheel = Wheel::new(1);
        wheel.add_slot();
        wheel.arm(0, 1, at_tick(0));
        assert_eq!(wheel.next_due(at_tick(9), &mut 0), None);
        assert_eq!(drain(&mut wheel, 9), [0]);
    }

    #[test]
    fn an_empty_wheel_does_not_walk_through_idle_time() {
        let mut wheel = Wheel::new(1);
        wheel.add_slot();
        let mut budget = 1;
        assert_eq!(wheel.next_due(at_tick(1 << 34), &mut budget), None);
        assert_eq!(budget, 1);
        wheel.arm(0, (1 << 34) + 5, at_tick(1 << 34));
        assert_eq!(drain(&mut wheel, (1 << 34) + 4), []);
        assert_eq!(drain(&mut wheel, (1 << 34) + 5), [0]);
    }

    proptest! {
        /// Every slot comes up at its tick, never before and never twice, however it was armed and moved.
        #[test]
        fn slots_come_up_at_their_tick(
            start in 0u64..1 << 33,
            arms in proptest::collection::vec((0u32..40, 0u64..200_000, 0u64..700), 1..120),
        ) {
            let mut wheel = Wheel::new(40);
            (0..40).for_each(|_| wheel.add_slot());
            let mut model = std::collections::BTreeMap::new();
            let mut now = start;
            wheel.next_due(at_tick(now), &mut 1000);
            for (slot, delay, step) in arms {
                wheel.arm(slot, now + delay, at_tick(now));
                model.insert(slot, now + delay);
                if delay % 7 == 0 {
                    wheel.disarm(slot);
                    model.remove(&slot);
                }
                now += step;
                let due = drain(&mut wheel, now);
                let expected: Vec<u32> = model.iter().filter(|(_, at)| **at <= now).map(|(slot, _)| *slot).collect();
                prop_assert_eq!(&due, &expected);
                model.retain(|_, at| *at > now);
            }
            let due = drain(&mut wheel, now + 300_000);
            prop_assert_eq!(due, model.keys().copied().collect::<Vec<_>>());
        }
    }
}
