//! Packets and bytes by [`CounterSlot`]: what `iptables -L -v` shows. Outside the program, so that they outlive it.

use core::sync::atomic::{AtomicU64, Ordering};

use program::CounterSlot;

/// One slot's counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes of IP packets, headers included.
    pub bytes: u64,
}

/// Counters of one worker. Written by that worker alone (relaxed load and store, never a locked instruction), read by anyone; they only
/// grow. Their number is fixed when the worker is made.
#[derive(Debug)]
pub struct Counters {
    cells: Box<[[AtomicU64; 2]]>,
}

impl Counters {
    /// `slots` counters, all zero. Allocates: at boot only.
    pub fn new(slots: usize) -> Self {
        Self { cells: (0..slots).map(|_| [const { AtomicU64::new(0) }; 2]).collect() }
    }

    /// How many slots there are. A program naming a slot beyond is refused when it is published.
    pub fn slots(&self) -> usize {
        self.cells.len()
    }

    /// One packet of `bytes` more. Only the worker calls this. A slot beyond the last is not counted: publication has refused it.
    #[inline]
    pub fn count(&self, slot: CounterSlot, bytes: u32) {
        self.add(slot, 1, u64::from(bytes));
    }

    /// Brings a slot near.
    #[inline]
    pub(crate) fn prefetch(&self, slot: CounterSlot) {
        if let Some(cell) = self.cells.get(slot.index()) {
            memory::prefetch(cell);
        }
    }

    /// `packets` more, of `bytes` together. As [`Counters::count`].
    #[inline]
    pub(crate) fn add(&self, slot: CounterSlot, packets: u32, bytes: u64) {
        debug_assert!(slot.index() < self.cells.len());
        if let Some([all, total]) = self.cells.get(slot.index()) {
            all.store(all.load(Ordering::Relaxed).wrapping_add(u64::from(packets)), Ordering::Relaxed);
            total.store(total.load(Ordering::Relaxed).wrapping_add(bytes), Ordering::Relaxed);
        }
    }

    /// A slot's counts; zero for a slot beyond the last.
    pub fn get(&self, slot: CounterSlot) -> Count {
        self.cells.get(slot.index()).map_or_else(Count::default, |[packets, bytes]| Count {
            packets: packets.load(Ordering::Relaxed),
            bytes: bytes.load(Ordering::Relaxed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_and_bytes_add_up_by_slot() {
        let counters = Counters::new(2);
        counters.count(CounterSlot(1), 60);
        counters.count(CounterSlot(1), 40);
        assert_eq!(counters.get(CounterSlot(0)), Count::default());
        assert_eq!(counters.get(CounterSlot(1)), Count { packets: 2, bytes: 100 });
        assert_eq!(counters.get(CounterSlot(9)), Count::default());
    }
}
