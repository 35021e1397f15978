//! Counters on the reading side. The dataplane's only grow; what a user sees is the live value less a baseline.
//!
//! `-Z` sets the baseline to the live value that was read, so nothing counted in between is lost. `-c` sets one that lies so far back that
//! the wanted number shows. Both are arithmetic modulo 2^64.
//!
//! A rule that a restore says again keeps its slot, and counts from what the restore says. From which moment on only the dataplane can tell: it has
//! these slots begin at nothing with the new program.
use std::sync::Arc;

use rules::{Counters, SlotId};

/// What the dataplane counted, by slot. Slots beyond those read count nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live(Vec<Counters>);

impl Live {
    /// From pairs of native-endian `u64`, as the dataplane sends them.
    pub fn from_bytes(bytes: &[u8]) -> Live {
        let (pairs, _) = bytes.as_chunks::<16>();
        let counters = pairs.iter().map(|pair| {
            let (halves, _) = pair.as_chunks::<8>();
            Counters { packets: u64::from_ne_bytes(halves[0]), bytes: u64::from_ne_bytes(halves[1]) }
        });
        Live(counters.collect())
    }

    /// Takes newer counts of some slots.
    pub fn renew(&mut self, slots: &[u32], counted: &Live) {
        for (slot, counters) in slots.iter().map(|slot| *slot as usize).zip(&counted.0) {
            if self.0.len() <= slot {
                self.0.resize(slot + 1, Counters::default());
            }
            self.0[slot] = *counters;
        }
    }

    /// These slots count from nothing again.
    pub fn begin(&mut self, slots: &[SlotId]) {
        for slot in slots {
            if let Some(counters) = self.0.get_mut(slot.0 as usize) {
                *counters = Counters::default();
            }
        }
    }

    /// What a slot counted.
    pub fn get(&self, slot: SlotId) -> Counters {
        self.0.get(slot.0 as usize).copied().unwrap_or_default()
    }
}

/// Slots whose baselines stand together, and are shared by copies until one of them changes.
const BLOCK: usize = 512;

/// What to subtract, by slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines(Vec<Arc<Vec<Counters>>>);

impl Baselines {
    /// What the user sees of a slot.
    pub fn shown(&self, slot: SlotId, live: &Live) -> Counters {
        difference(live.get(slot), self.get(slot))
    }

    /// Makes the slot show `wanted` at this live value.
    pub fn show(&mut self, slot: SlotId, live: &Live, wanted: Counters) {
        self.set(slot, difference(live.get(slot), wanted));
    }

    /// The baseline of a slot.
    pub fn get(&self, slot: SlotId) -> Counters {
        self.0.get(slot.0 as usize / BLOCK).map_or(Counters::default(), |block| block[slot.0 as usize % BLOCK])
    }

    /// Those that are not zero.
    pub fn iter(&self) -> impl Iterator<Item = (SlotId, Counters)> {
        const NONE: &Baselines = &Baselines(Vec::new());
        self.since(NONE)
    }

    /// Those that are not what they were.
    pub fn since(&self, before: &Baselines) -> impl Iterator<Item = (SlotId, Counters)> {
        let is_shared = |(at, block): &(usize, &Arc<Vec<Counters>>)| before.0.get(*at).is_some_and(|old| Arc::ptr_eq(old, block));
        let changed = self.0.iter().enumerate().filter(move |block| !is_shared(block));
        let slots = changed.flat_map(|(at, block)| (at * BLOCK..).map(|slot| SlotId(slot as u32)).zip(block.iter().copied()));
        slots.filter(|(slot, base)| *base != before.get(*slot))
    }

    /// Sets the baseline itself.
    pub fn set(&mut self, slot: SlotId, base: Counters) {
        if self.get(slot) == base {
            return;
        }
        let (at, within) = (slot.0 as usize / BLOCK, slot.0 as usize % BLOCK);
        if self.0.len() <= at {
            self.0.resize_with(at + 1, || Arc::new(vec![Counters::default(); BLOCK]));
        }
        Arc::make_mut(&mut self.0[at])[within] = base;
    }
}

fn difference(a: Counters, b: Counters) -> Counters {
    Counters { packets: a.packets.wrapping_sub(b.packets), bytes: a.bytes.wrapping_sub(b.bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(pairs: &[(u64, u64)]) -> Live {
        let bytes: Vec<u8> = pairs.iter().flat_map(|(p, b)| [p.to_ne_bytes(), b.to_ne_bytes()].concat()).collect();
        Live::from_bytes(&bytes)
    }

    fn count(packets: u64, bytes: u64) -> Counters {
        Counters { packets, bytes }
    }

    #[test]
    fn pairs_are_read_as_the_machine_writes_them() {
        let live = live(&[(1, 2), (u64::MAX, 0x0102_0304_0506_0708)]);
        assert_eq!(live.get(SlotId(0)), count(1, 2));
        assert_eq!(live.get(SlotId(1)), count(u64::MAX, 0x0102_0304_0506_0708));
        assert_eq!(live.get(SlotId(2)), count(0, 0));
    }

    #[test]
    fn a_zeroed_counter_shows_what_came_after() {
        let mut base = Baselines::default();
        base.show(SlotId(3), &live(&[(0, 0), (0, 0), (0, 0), (10, 1000)]), count(0, 0));
        assert_eq!(base.shown(SlotId(3), &live(&[(0, 0), (0, 0), (0, 0), (12, 1100)])), count(2, 100));
    }

    #[test]
    fn a_restored_counter_goes_on_from_the_restored_value() {
        let mut base = Baselines::default();
        base.show(SlotId(0), &live(&[(5, 50)]), count(1000, 100_000));
        assert_eq!(base.shown(SlotId(0), &live(&[(6, 60)])), count(1001, 100_010));
    }

    #[test]
    fn baselines_read_back_as_they_were_set() {
        let mut base = Baselines::default();
        base.show(SlotId(2), &live(&[(0, 0), (0, 0), (5, 50)]), count(7, 1));
        let mut copy = Baselines::default();
        for (slot, value) in base.iter() {
            copy.set(slot, value);
        }
        assert_eq!(copy, base);
    }

    #[test]
    fn what_changed_of_a_copy_is_found() {
        let mut base = Baselines::default();
        (0..5000).for_each(|slot| base.set(SlotId(slot), count(slot.into(), 1)));
        let mut copy = base.clone();
        copy.set(SlotId(3), count(0, 0));
        copy.set(SlotId(4000), count(4000, 1));
        copy.set(SlotId(9000), count(1, 1));
        let changed: Vec<_> = copy.since(&base).collect();
        assert_eq!(changed, [(SlotId(3), count(0, 0)), (SlotId(9000), count(1, 1))]);
        assert_eq!(base.get(SlotId(3)), count(3, 1));
    }

    #[test]
    fn some_slots_are_read_anew() {
        let mut known = live(&[(1, 1), (2, 2)]);
        known.renew(&[3, 1], &live(&[(7, 7), (9, 9)]));
        assert_eq!(known, live(&[(1, 1), (9, 9), (0, 0), (7, 7)]));
    }
}
