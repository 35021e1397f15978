//! Sets that packets change: what each of them makes of an element, and how a lookup sees that ([`fresh`](super::fresh)).

use core::iter;
use std::sync::Arc;

use program::SetSpec;

use super::fresh::{Became, Fresh};
use super::table::Full;
use super::{Beside, Elements, Found, Key, Lengths};
use crate::atomic::{AtomicU64, Ordering};
use crate::time::Time;

/// How often a packet tries again that meets others which change the same element.
const TRIES: usize = 16;

/// What packets have changed, of one time.
#[derive(Debug)]
pub(crate) struct Changes {
    pub(crate) fresh: Fresh,
    /// Prefixes of networks that came. Some of them may be gone.
    pub(crate) prefixes: [Lengths; 2],
}

/// A set that packets change.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) tally: Arc<Tally>,
    pub(crate) now: Arc<Changes>,
    /// What is being put into the table, and changes no more as soon as every worker knows `now`.
    pub(crate) before: Option<Arc<Changes>>,
}

/// How many of something there are.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    /// In the table. Written by the control thread.
    base: AtomicU64,
    /// How many more, or round the end of the number fewer, by what packets did since.
    pending: AtomicU64,
}

impl Sum {
    pub(crate) fn set_base(&self, base: u64) {
        self.base.store(base, Ordering::Relaxed);
    }

    /// A packet's change; so many are minus that for those that go.
    pub(crate) fn add(&self, more: u64) {
        self.pending.fetch_add(more, Ordering::Relaxed);
    }

    /// What two that changed the same in the same moment counted wrongly is right again when the table says all.
    pub(crate) fn settle(&self) {
        self.pending.store(0, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        let all = self.base.load(Ordering::Relaxed).wrapping_add(self.pending.load(Ordering::Relaxed));
        // What is counted late on one side makes it seem less than nothing.
        if all > u64::MAX / 2 { 0 } else { all }
    }
}

/// Numbers of a set that packets change.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Elements, those among them whose time is over and which are not swept yet.
    pub(crate) elements: Sum,
    /// Of each prefix of the first and the second network how many elements there are.
    pub(crate) prefixes: [[Sum; 129]; 2],
    /// Grows with each change. Written by workers.
    pub(crate) changes: AtomicU64,
    /// What did not come in because the set was full, and what was not changed because there was no room to note it.
    pub(crate) full: AtomicU64,
    pub(crate) no_room: AtomicU64,
}

impl Default for Tally {
    fn default() -> Self {
        let none = || core::array::from_fn(|_| Sum::default());
        let zero = || AtomicU64::new(0);
        Self { elements: Sum::default(), prefixes: [none(), none()], changes: zero(), full: zero(), no_room: zero() }
    }
}

impl Tally {
    /// Elements, those among them whose time is over and which are not swept yet.
    pub(crate) fn elements(&self) -> u64 {
        self.elements.get()
    }

    /// One element more, or one less.
    pub(crate) fn count(&self, prefixes: [Option<u8>; 2], more: u64) {
        self.elements.add(more);
        for (sums, prefix) in self.prefixes.iter().zip(prefixes) {
            if let Some(sum) = prefix.and_then(|prefix| sums.get(usize::from(prefix))) {
                sum.add(more);
            }
        }
    }

    /// The table says all.
    pub(crate) fn settle(&self) {
        self.elements.settle();
        self.prefixes.iter().flatten().for_each(Sum::settle);
    }
}

/// The elements of a set, as a lookup sees them.
#[derive(Clone, Copy)]
pub(crate) struct View<'s> {
    pub(crate) spec: &'s SetSpec,
    pub(crate) elements: &'s Elements,
    pub(crate) open: Option<&'s Open>,
}

/// An element that was found.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'s> {
    /// In the table.
    Kept(Found),
    /// A packet brought it, and the table does not have it yet.
    New(&'s Fresh, usize, Beside),
}

impl Seen<'_> {
    pub(crate) fn beside(self) -> Beside {
        match self {
            Self::Kept(found) => found.beside,
            Self::New(_, _, beside) => beside,
        }
    }
}

/// What a packet brings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coming {
    /// As in [`Beside`].
    pub(crate) expires: u64,
    /// An element that is there is renewed.
    pub(crate) renews: bool,
    /// Of the packet.
    pub(crate) bytes: u64,
}

impl<'s> View<'s> {
    /// Looks for a key.
    #[inline]
    pub(crate) fn find(&self, key: &Key) -> Option<Seen<'s>> {
        if let Some(open) = self.open {
            if let Some(note) = open.now.fresh.find(key) {
                match open.now.fresh.became(note) {
                    Became::Quiet => {}
                    became => return became.beside().map(|beside| Seen::New(&open.now.fresh, note, beside)),
                }
            }
            return self.older(open, key);
        }
        self.elements.table.find(key).map(Seen::Kept)
    }

    /// Packets and bytes of an element; `None` where the set does not count.
    #[inline]
    pub(crate) fn counters(&self, seen: Seen<'s>) -> Option<(&'s AtomicU64, &'s AtomicU64)> {
        match seen {
            Seen::Kept(found) => self.elements.table.counters(found),
            Seen::New(fresh, note, _) => fresh.counters(note),
        }
    }

    /// All prefixes that the first or the second network of some element has, from this one down.
    #[inline]
    pub(crate) fn prefixes(&self, which: usize, longest: u8) -> impl Iterator<Item = u8> {
        let mut next = Some(longest);
        let view = *self;
        iter::from_fn(move || {
            let longest = next?;
            let mut found = view.elements.prefixes[which].at_most(longest);
            if let Some(open) = view.open {
                let of = |changes: &Arc<Changes>| changes.prefixes[which].at_most(longest);
                found = found.max(of(&open.now)).max(open.before.as_ref().and_then(of));
            }
            next = found?.checked_sub(1);
            found
        })
    }

    /// The longest prefix that the first or the second network of some element has: where a set has changed since, as it is now.
    pub(crate) fn longest(&self, which: usize, all: u8) -> Option<u8> {
        let Some(open) = self.open else { return self.prefixes(which, all).next() };
        self.prefixes(which, all)
            .find(|prefix| open.tally.prefixes[which].get(usize::from(*prefix)).is_some_and(|sum| sum.get() > 0))
    }

    /// What the set says of a key but for what packets have changed since the last turn.
    fn older(&self, open: &'s Open, key: &Key) -> Option<Seen<'s>> {
        if let Some(before) = &open.before
            && let Some(note) = before.fresh.find(key)
        {
            match before.fresh.became(note) {
                Became::Quiet => {}
                became => return became.beside().map(|beside| Seen::New(&before.fresh, note, beside)),
            }
        }
        self.elements.table.find(key).map(Seen::Kept)
    }

    /// What is noted of a key, and whether the set has it.
    fn known(&self, open: &'s Open, key: &Key, now: Time) -> (Option<usize>, Became, bool) {
        let note = open.now.fresh.find(key);
        let became = note.map_or(Became::Quiet, |note| open.now.fresh.became(note));
        let beside = match became {
            Became::Quiet => self.older(open, key).map(Seen::beside),
            became => became.beside(),
        };
        (note, became, beside.is_some_and(|beside| !beside.is_over(now.millis())))
    }

    /// A packet brings an element. `prefixes` are those of its networks.
    pub(crate) fn add(&self, key: &Key, prefixes: [Option<u8>; 2], coming: Coming, now: Time) {
        let Some(open) = self.open else { return };
        let (fresh, tally) = (&open.now.fresh, &open.tally);
        for _ in 0..TRIES {
            let (note, became, is_there) = self.known(open, key, now);
            if is_there && !coming.renews {
                return;
            }
            let taking = self.spec.taking;
            let is_full = !taking.makes_room && taking.most.is_some_and(|most| tally.elements() >= most.into());
            if !is_there && is_full {
                tally.full.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let Some(note) = note.or_else(|| self.place(open, key)) else { return };
            // Before it is there: who finds it there says no more, but goes by the prefixes.
            for (lengths, prefix) in open.now.prefixes.iter().zip(prefixes) {
                prefix.into_iter().for_each(|prefix| lengths.add(prefix));
            }
            if fresh.exchange(note, became, Became::In(coming.expires)) {
                // As in the kernel it has counted the packet that brings it. Who finds it meanwhile counts as well; where others had counted with the element
                // that was here before, it begins anew.
                if let Some((packets, bytes)) = fresh.counters(note) {
                    if became == Became::Quiet && !is_there {
                        bytes.fetch_add(coming.bytes, Ordering::Release);
                        packets.fetch_add(1, Ordering::Release);
                    } else {
                        bytes.store(coming.bytes, Ordering::Release);
                        packets.store(1, Ordering::Release);
                    }
                }
                if !is_there {
                    tally.count(prefixes, 1);
                }
                tally.changes.fetch_add(1, Ordering::Release);
                return;
            }
        }
    }

    /// A packet takes an element out.
    pub(crate) fn remove(&self, key: &Key, prefixes: [Option<u8>; 2], now: Time) {
        let Some(open) = self.open else { return };
        for _ in 0..TRIES {
            let (note, became, is_there) = self.known(open, key, now);
            if !is_there {
                return;
            }
            let Some(note) = note.or_else(|| self.place(open, key)) else { return };
            if open.now.fresh.exchange(note, became, Became::Out) {
                open.tally.count(prefixes, 1u64.wrapping_neg());
                open.tally.changes.fetch_add(1, Ordering::Release);
                return;
            }
        }
    }

    /// The note of a key. None where there is no room for one more.
    fn place(&self, open: &Open, key: &Key) -> Option<usize> {
        let place = open.now.fresh.place(key);
        if let Err(Full) = place {
            open.tally.no_room.fetch_add(1, Ordering::Relaxed);
        }
        place.ok()
    }
}
