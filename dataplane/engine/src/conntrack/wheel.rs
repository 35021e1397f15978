//! A hierarchical timer wheel: when to look at which slot.
//!
//! Five levels of 256 buckets; a tick is 2^27 ns (134 ms), so every [`Time`] lies on the wheel. An entry stands at the level where its tick first
//! differs from the clock, and comes down a level whenever the clock reaches its bucket. Links stand beside the slots, where only arming and
//! disarming touches them: a packet only stores a later expiry in its flow; the wheel finds out when it looks, and asks the slot when it is due now. All work is
//! counted against a budget, moves between levels included, but for looks at the buckets, of the lowest level in use, that the clock passed since the last call.
//!
//! One writer: the worker that owns the table.

use crate::time::Time;

const LEVELS: usize = 5;
const BUCKETS: usize = 256;
const TICK_SHIFT: u32 = 27;
const NIL: u32 = u32::MAX;

/// In which bucket of the wheel a slot is: all that has to be known when a flow is to end earlier. When it is due is the slot's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket(u16);

impl Bucket {
    /// In none.
    pub(crate) const NONE: Self = Self(u16::MAX);
}

/// A slot's neighbours in its bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    prev: u32,
    next: u32,
}

impl Link {
    /// Of a slot that is in no bucket.
    pub(crate) const UNLINKED: Self = Self { prev: NIL, next: NIL };

    /// A slot that is in no bucket can be in another list: its next.
    pub(crate) fn other(&self) -> u32 {
        self.next
    }

    /// See [`Link::other`].
    pub(crate) fn set_other(&mut self, next: u32) {
        self.next = next;
    }
}

/// Where the links of all slots are.
pub(crate) trait Links {
    /// The link of a slot.
    fn link(&mut self, slot: u32) -> &mut Link;
    /// The bucket of a slot.
    fn bucket(&mut self, slot: u32) -> &mut Bucket;
    /// The tick at which to look at a slot. It may become later at any time; when it becomes earlier, [`Wheel::is_later`] is asked.
    fn due(&self, slot: u32) -> u64;
}

/// The wheel.
pub(crate) struct Wheel {
    /// Everything before this tick was looked at.
    clock: u64,
    /// What begins at the next tick is being moved to lower levels, which the budget has interrupted.
    descending: bool,
    armed: usize,
    /// Slots of each level.
    levels: [u32; LEVELS],
    heads: Box<[u32; LEVELS * BUCKETS]>,
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
    pub(crate) fn new() -> Self {
        Self { clock: 0, descending: false, armed: 0, levels: [0; LEVELS], heads: Box::new([NIL; LEVELS * BUCKETS]) }
    }

    /// What was moved down stands as it will when the clock has moved on.
    fn reference(&self) -> u64 {
        self.clock + u64::from(self.descending)
    }

    /// Would the wheel ask an armed slot after tick `at` only?
    pub(crate) fn is_later(&self, bucket: Bucket, at: u64) -> bool {
        if bucket == Bucket::NONE {
            return false;
        }
        let (level, place) = (usize::from(bucket.0) / BUCKETS, u64::from(bucket.0) % BUCKETS as u64);
        let shift = 8 * level as u32;
        at < (self.reference() >> shift & !(BUCKETS as u64 - 1) | place) << shift
    }

    /// Looks at `slot` when it is due; at once if that is past.
    pub(crate) fn arm(&mut self, links: &mut impl Links, slot: u32, now: Time) {
        self.disarm(links, slot);
        if self.armed == 0 {
            self.clock = self.clock.max(tick_of(now));
            self.descending = false;
        }
        self.link(links, slot, self.reference());
        self.armed += 1;
    }

    /// Does not look at `slot` any more.
    pub(crate) fn disarm(&mut self, links: &mut impl Links, slot: u32) {
        if *links.bucket(slot) != Bucket::NONE {
            self.unlink(links, slot);
            self.armed -= 1;
        }
    }

    /// The next slot whose tick has come, now disarmed. `None` when there is none, or when `budget` is used up.
    pub(crate) fn next_due(&mut self, links: &mut impl Links, now: Time, budget: &mut usize) -> Option<u32> {
        let until = tick_of(now);
        loop {
            if self.armed == 0 {
                self.clock = self.clock.max(until);
                self.descending = false;
                return None;
            }
            if *budget == 0 {
                return None;
            }
            if self.descending {
                if !self.bring_down(links, self.clock + 1, budget) {
                    return None;
                }
                self.descending = false;
                self.clock += 1;
            }
            let due = self.heads[self.clock as usize % BUCKETS];
            if due != NIL {
                if *budget == 0 {
                    return None;
                }
                *budget -= 1;
                self.disarm(links, due);
                return Some(due);
            }
            if self.clock >= until {
                return None;
            }
            // Levels below the first that is in use are empty: nothing happens before that one's next bucket begins.
            let shift = 8 * self.levels.iter().position(|slots| *slots != 0).unwrap_or(0) as u32;
            let next = ((self.clock >> shift) + 1) << shift;
            if next > until {
                self.clock = until;
                return None;
            }
            self.clock = next - 1;
            self.descending = true;
        }
    }

    /// Moves what begins at tick `next` to lower levels, the highest first. `false` when the budget ended before that was done: the rest stays
    /// where it was, and the clock must not move.
    fn bring_down(&mut self, links: &mut impl Links, next: u64, budget: &mut usize) -> bool {
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
                self.unlink(links, slot);
                self.link(links, slot, next);
            }
        }
        true
    }

    fn link(&mut self, links: &mut impl Links, slot: u32, clock: u64) {
        let at = links.due(slot).max(clock);
        let highest_difference = 63 - ((at ^ clock) | 1).leading_zeros() as usize;
        let level = highest_difference / 8;
        let bucket = level * BUCKETS + (at >> (8 * level as u32)) as usize % BUCKETS;
        let next = self.heads[bucket];
        *links.link(slot) = Link { prev: NIL, next };
        *links.bucket(slot) = Bucket(bucket as u16);
        if next != NIL {
            links.link(next).prev = slot;
        }
        self.heads[bucket] = slot;
        self.levels[level] += 1;
    }

    fn unlink(&mut self, links: &mut impl Links, slot: u32) {
        let Link { prev, next } = *links.link(slot);
        let bucket = usize::from(core::mem::replace(links.bucket(slot), Bucket::NONE).0);
        match prev {
            NIL => self.heads[bucket] = next,
            _ => links.link(prev).next = next,
        }
        if next != NIL {
            links.link(next).prev = prev;
        }
        self.levels[bucket / BUCKETS] -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at_tick(tick: u64) -> Time {
        Time(tick << TICK_SHIFT)
    }

    /// Slots and their ticks.
    type Slots = Vec<(Link, u64, Bucket)>;
    const UNLINKED: (Link, u64, Bucket) = (Link::UNLINKED, 0, Bucket::NONE);

    impl Links for Slots {
        fn link(&mut self, slot: u32) -> &mut Link {
            &mut self[slot as usize].0
        }

        fn bucket(&mut self, slot: u32) -> &mut Bucket {
            &mut self[slot as usize].2
        }

        fn due(&self, slot: u32) -> u64 {
            self[slot as usize].1
        }
    }

    fn arm(wheel: &mut Wheel, links: &mut Slots, slot: u32, at: u64, now: Time) {
        links[slot as usize].1 = at;
        wheel.arm(links, slot, now);
    }

    fn drain(wheel: &mut Wheel, links: &mut Slots, tick: u64) -> Vec<u32> {
        let mut due = Vec::new();
        loop {
            let mut budget = 3;
            match wheel.next_due(links, at_tick(tick), &mut budget) {
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
        let (mut wheel, mut links) = (Wheel::new(), vec![UNLINKED]);
        arm(&mut wheel, &mut links, 0, 1, at_tick(0));
        assert_eq!(wheel.next_due(&mut links, at_tick(9), &mut 0), None);
        assert_eq!(drain(&mut wheel, &mut links, 9), [0]);
    }

    #[test]
    fn an_empty_wheel_does_not_walk_through_idle_time() {
        let (mut wheel, mut links) = (Wheel::new(), vec![UNLINKED]);
        let mut budget = 1;
        assert_eq!(wheel.next_due(&mut links, at_tick(1 << 34), &mut budget), None);
        assert_eq!(budget, 1);
        arm(&mut wheel, &mut links, 0, (1 << 34) + 5, at_tick(1 << 34));
        assert_eq!(drain(&mut wheel, &mut links, (1 << 34) + 4), []);
        assert_eq!(drain(&mut wheel, &mut links, (1 << 34) + 5), [0]);
    }

    #[test]
    fn the_end_of_time_lies_on_the_wheel() {
        let (last, (mut wheel, mut links)) = (tick_after(Time(u64::MAX)), (Wheel::new(), vec![UNLINKED; 2]));
        arm(&mut wheel, &mut links, 0, last, at_tick(3));
        arm(&mut wheel, &mut links, 1, last - 1, at_tick(3));
        assert_eq!(drain(&mut wheel, &mut links, last - 2), []);
        assert_eq!(drain(&mut wheel, &mut links, last - 1), [1]);
        assert!(!wheel.is_later(links[0].2, last));
    }

    /// A level of 600 slots comes down one at a time, while others are armed: none comes up before its tick, and none is forgotten.
    #[test]
    fn an_interrupted_descent_brings_nobody_up_early_or_late() {
        let (mut wheel, mut links) = (Wheel::new(), vec![UNLINKED; 1200]);
        let at = |slot: u64| 65_536 + slot % 300;
        (0..600).for_each(|slot| arm(&mut wheel, &mut links, slot as u32, at(slot), at_tick(0)));
        let mut up = Vec::new();
        let (mut tick, mut late) = (65_500, 600);
        for round in 0..20_000 {
            tick += u64::from(round % 3 == 0);
            if late < 1200 {
                arm(&mut wheel, &mut links, late, tick + 1 + u64::from(late) % 3, at_tick(tick));
                late += 1;
            }
            if let Some(slot) = wheel.next_due(&mut links, at_tick(tick), &mut 1) {
                up.push((slot, tick));
            }
        }
        assert!(up.iter().all(|(slot, tick)| *slot >= 600 || *tick >= at(u64::from(*slot))));
        let mut slots: Vec<u32> = up.iter().map(|(slot, _)| *slot).collect();
        slots.sort_unstable();
        assert!(slots.into_iter().eq(0..1200), "each once");
    }

    #[test]
    fn a_slot_that_is_due_earlier_is_looked_at_in_time_if_the_wheel_is_told_where_it_must() {
        for (was, becomes) in
            [(70_000, 69_000), (70_000, 65_999), (300, 299), (300, 200), (9, 8), (20_000_000, 17_000_000), (20_000_000, 66_000)]
        {
            let (mut wheel, mut links) = (Wheel::new(), vec![UNLINKED]);
            arm(&mut wheel, &mut links, 0, was, at_tick(0));
            links[0].1 = becomes;
            if wheel.is_later(links[0].2, becomes) {
                wheel.arm(&mut links, 0, at_tick(0));
            }
            assert_eq!(drain(&mut wheel, &mut links, becomes - 1), [], "{was} {becomes}");
            assert_eq!(drain(&mut wheel, &mut links, becomes), [0], "{was} {becomes}");
        }
    }

    proptest! {
        /// Every slot comes up at its tick, never before and never twice, however it was armed and moved.
        #[test]
        fn slots_come_up_at_their_tick(
            start in 0u64..1 << 33,
            arms in proptest::collection::vec((0u32..40, 0u64..200_000, 0u64..700), 1..120),
        ) {
            let (mut wheel, mut links) = (Wheel::new(), vec![UNLINKED; 40]);
            let mut model = std::collections::BTreeMap::new();
            let mut now = start;
            wheel.next_due(&mut links, at_tick(now), &mut 1000);
            for (slot, delay, step) in arms {
                arm(&mut wheel, &mut links, slot, now + delay, at_tick(now));
                model.insert(slot, now + delay);
                if delay % 7 == 0 {
                    wheel.disarm(&mut links, slot);
                    model.remove(&slot);
                }
                // The next slot becomes due earlier, or later, by itself.
                let other = (slot + 1) % 40;
                if let Some(at) = model.get_mut(&other) {
                    let moved = (*at).max(now + 1) - (*at).saturating_sub(now + 1).min(delay / 2) + step / 2;
                    links[other as usize].1 = moved;
                    if wheel.is_later(links[other as usize].2, moved) {
                        wheel.arm(&mut links, other, at_tick(now));
                    }
                    *at = moved;
                }
                now += step;
                let due = drain(&mut wheel, &mut links, now);
                let expected: Vec<u32> = model.iter().filter(|(_, at)| **at <= now).map(|(slot, _)| *slot).collect();
                prop_assert_eq!(&due, &expected);
                model.retain(|_, at| *at > now);
            }
            let due = drain(&mut wheel, &mut links, now + 300_000);
            prop_assert_eq!(due, model.keys().copied().collect::<Vec<_>>());
        }
    }
}
