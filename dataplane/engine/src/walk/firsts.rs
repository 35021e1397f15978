//! Which rule of a long raw table packets meet first, looked up together: in step, so that none waits alone for memory.
//!
//! It is the packet's fields and the rules that decide that, and neither changes between a packet's arrival and its meeting the table. So a
//! packet's walk begins with what it would find by itself.

use arrayvec::ArrayVec;
use packet::{Family, Header};
use program::header_test::Interfaces;
use program::tree::{Machine, Seeker};
use program::{Hook, InterfaceId, RuleIndex, TableKind, Tables};

use crate::counters::Counters;
use crate::worker::{BURST, TOGETHER};

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
    /// A bit for each packet whose rule is known, be it that there is none.
    known: u64,
}

const _: () = assert!(BURST <= u64::BITS as usize);

impl Firsts {
    pub(crate) fn new() -> Self {
        Self { rules: [None; BURST], known: 0 }
    }

    /// The burst is through.
    pub(crate) fn clear(&mut self) {
        self.known = 0;
    }

    /// What the packet of this number meets first; `None` when it has to look.
    #[inline]
    pub(crate) fn of(&self, at: usize) -> Option<Option<RuleIndex>> {
        (self.known >> at & 1 == 1).then(|| self.rules[at])
    }

    /// Looks these packets up, which came in by `input`, if the raw table is worth it.
    #[inline]
    pub(crate) fn look_up<'h, F: Family>(
        &mut self,
        tables: &Tables<F>,
        input: InterfaceId,
        counters: &Counters,
        packets: impl Iterator<Item = (usize, &'h Header<F>)>,
    ) {
        let Some(table) = tables.get(TableKind::Raw) else { return };
        let Some(chain) = table.base_chain(Hook::Prerouting).filter(|chain| table.is_long(*chain)) else { return };
        let interfaces = Interfaces { sets: &table.bound, input, output: InterfaceId::NONE };
        let (mut numbers, mut seekers) = (ArrayVec::<usize, TOGETHER>::new(), ArrayVec::<Seeker<'_, F>, TOGETHER>::new());
        for (at, header) in packets.take(TOGETHER) {
            numbers.push(at);
            seekers.push(Seeker { header, interfaces });
        }
        let mut found = [None; TOGETHER];
        table.first_of_many::<Near>(chain, &seekers, &mut found);
        // What a packet will ask and count there is as far away as the tree was.
        let rules = || found.iter().flatten().map(|rule| &table.rules[rule.index()]);
        rules().for_each(|rule| {
            memory::prefetch(rule);
            memory::prefetch(&rule.counter);
        });
        rules().for_each(|rule| counters.prefetch(rule.counter));
        for (at, rule) in numbers.into_iter().zip(found) {
            self.rules[at] = rule;
            self.known |= 1 << at;
        }
    }
}
