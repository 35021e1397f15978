//! Which rule of a long raw table packets meet first, looked up together: in step, so that none waits alone for memory.
//!
//! It is the packet's fields and the rules that decide that, and neither changes between a packet's arrival and its meeting the table. So a
//! packet's walk begins with what it would find by itself.

use core::ops::Range;

use arrayvec::ArrayVec;
use packet::{Family, Header};
use program::header_test::Interfaces;
use program::tree::{Machine, Seeker};
use program::{ChainId, CounterSlot, InterfaceId, RuleIndex, Table, eval};

use super::Walk;
use super::admit::is_admitted;
use crate::burst::Burst;
use crate::counters::Counters;
use crate::drop::DropReason;
use crate::outside::Outside;
use crate::worker::BURST;

/// This machine, to those who look rules up.
struct Near;

impl Machine for Near {
    #[inline]
    fn prefetch<T>(place: &T) {
        memory::prefetch(place);
    }
}

/// The first rules of the burst's packets, as far as they are known.
pub(crate) struct Firsts {
    rules: [Option<RuleIndex>; BURST],
    /// Where those are counted that end with their first rule.
    counters: [CounterSlot; BURST],
    /// A bit for each packet whose rule is known, be it that there is none.
    known: u64,
    /// A bit for each packet that its first rule drops, whatever else is known of it.
    dropped: u64,
}

const _: () = assert!(BURST <= u64::BITS as usize);

impl Firsts {
    pub(crate) fn new() -> Self {
        Self { rules: [None; BURST], counters: [CounterSlot(0); BURST], known: 0, dropped: 0 }
    }

    /// The burst is through.
    pub(crate) fn clear(&mut self) {
        (self.known, self.dropped) = (0, 0);
    }

    /// What the packet of this number meets first; `None` when it has to look.
    #[inline]
    pub(crate) fn of(&self, at: usize) -> Option<Option<RuleIndex>> {
        (self.known >> at & 1 == 1).then(|| self.rules[at])
    }

    /// Does its first rule drop the packet of this number?
    #[inline(always)]
    pub(crate) fn drops(&self, at: usize) -> bool {
        self.dropped >> at & 1 == 1
    }

    /// How many packets of the burst their first rules drop.
    pub(crate) fn all_dropped(&self) -> usize {
        self.dropped.count_ones() as usize
    }

    /// The counters of packets that their first rules drop: of those from number `at` on, up to one of which that is not known.
    #[inline]
    fn dropped(&self, at: usize) -> &[CounterSlot] {
        let count = (self.dropped >> at).trailing_ones() as usize;
        &self.counters[at..at + count]
    }

    /// Looks these packets up, which came in by `input`, in a long chain of the raw table.
    #[inline]
    pub(crate) fn look_up<'h, F: Family>(
        &mut self,
        (table, chain): (&Table<F>, ChainId),
        input: InterfaceId,
        counters: &Counters,
        packets: impl Iterator<Item = (usize, &'h Header<F>)>,
    ) {
        let interfaces = Interfaces { sets: &table.bound, input, output: InterfaceId::NONE };
        let (mut numbers, mut seekers) = (ArrayVec::<usize, BURST>::new(), ArrayVec::<Seeker<'_, F>, BURST>::new());
        for (at, header) in packets.take(BURST) {
            numbers.push(at);
            seekers.push(Seeker { header, interfaces });
        }
        let mut found = [None; BURST];
        table.first_of_many::<Near>(chain, &seekers, &mut found);
        // What a packet will ask and count there is as far away as the tree was.
        let rules = || found.iter().flatten().map(|rule| &table.rules[rule.index()]);
        rules().for_each(|rule| {
            memory::prefetch(&rule.residual);
            memory::prefetch(&rule.counter);
        });
        for ((&at, seeker), &rule) in numbers.iter().zip(&seekers).zip(&found) {
            self.rules[at] = rule;
            self.known |= 1 << at;
            let Some(rule) = rule else { continue };
            counters.prefetch(table.rules[rule.index()].counter);
            if let Some(counter) = eval::drops_at_once(table, rule, seeker.header).filter(|_| is_admitted(seeker.header)) {
                self.counters[at] = counter;
                self.dropped |= 1 << at;
            }
        }
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Ends packets that came in from the wire where the first rule that they meet drops them, whatever else is known of them: the first ones of these. Says how
    /// many.
    #[inline(never)]
    pub(crate) fn drop_at_once(&mut self, packets: &mut Burst<F, O::Buf>, these: Range<usize>, firsts: &Firsts) -> usize {
        let dropped = firsts.dropped(these.start);
        let dropped = &dropped[..dropped.len().min(these.len())];
        let places = packets.some(these.start..these.start + dropped.len());
        for (place, counter) in places.iter().zip(dropped) {
            self.counters.count(*counter, place.arrival.header.len);
        }
        self.out.discard(places.iter_mut().filter_map(|place| place.buf.take()));
        self.drops.add(DropReason::RawRule, dropped.len() as u64);
        dropped.len()
    }
}
