//! Expectations: connections that others have announced (`nf_conntrack_expect`). FTP's control connection says where the data connection will
//! come from and go to; whoever begins a flow that fits is RELATED, and of the family of the one that announced it.
//!
//! One table for all workers ([`Slots`]), because the announced flow may belong to another worker than its master. Slots are found by a keyed
//! hash of where the announced flow goes to: bounded for every packet, and packets of flows that exist never come here, nor does anything while
//! the table is empty.
//!
//! Written by the worker of the master (made, removed) and by whoever takes one; read by all.

use packet::family::Addr;
use packet::{Family, Tuple, TupleL4};
use program::{Helper, LabelId};

use super::entry::{Dir, FlowId};
use super::hash::TupleHash;
use super::slots::{Kept, Slots};
use crate::time::Time;

mod listing;
mod own;
#[cfg(test)]
mod tests;
mod words;

pub use crate::conntrack::slots::SlotId;
pub use own::Own;
use words::{LABEL_WORD, MARK_WORD, WORDS};

/// Most expectations of one flow: SIP's one for signalling, four each for audio and video, two for images.
pub(crate) const MOST_OF_ONE: usize = 11;

/// The end of a flow that is announced: from there, or from anywhere, to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends<F: Family> {
    /// The source address; any.
    pub src: Option<F::Addr>,
    /// The source port; any.
    pub sport: Option<u16>,
    /// The destination address.
    pub dst: F::Addr,
    /// The destination port.
    pub dport: u16,
    /// Protocol number.
    pub protocol: u8,
}

impl<F: Family> Ends<F> {
    fn holds(&self, tuple: &Tuple<F>) -> bool {
        let TupleL4::Ports { src, dst } = tuple.l4 else { return false };
        self.dst == tuple.dst
            && self.dport == dst
            && self.protocol == tuple.protocol
            && self.src.is_none_or(|address| address == tuple.src)
            && self.sport.is_none_or(|port| port == src)
    }

    /// Is there a tuple that both hold?
    fn meets(&self, other: &Self) -> bool {
        self.dst == other.dst
            && self.dport == other.dport
            && self.protocol == other.protocol
            && self.src.zip(other.src).is_none_or(|(a, b)| a == b)
            && self.sport.zip(other.sport).is_none_or(|(a, b)| a == b)
    }
}

/// A flow, and the worker whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Master {
    /// The worker's number.
    pub worker: u16,
    /// Its flow.
    pub flow: FlowId,
    /// The helper that reads it.
    pub helper: Helper,
}

/// How an announced flow is translated, when its master is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow<F: Family> {
    /// The source becomes this one.
    pub source: F::Addr,
    /// But only if it is this one; any.
    pub only_from: Option<F::Addr>,
    /// First of all, what another expectation of the same master stands for that is translated to where the flow comes from.
    pub pairs: bool,
    /// The destination becomes this one, address and port.
    pub destination: (F::Addr, u16),
}

/// One expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation<F: Family> {
    /// What is announced.
    pub ends: Ends<F>,
    /// In this zone.
    pub zone: u16,
    /// Who announced it.
    pub master: Master,
    /// The first packet of the one who announced it, for people.
    pub by: Tuple<F>,
    /// Whoever listens is told when it ends.
    pub is_told: bool,
    /// Which of the helper's kinds it is; limits are per kind.
    pub class: u8,
    /// The master's mark and label, which the announced flow inherits.
    pub mark: u32,
    /// See `mark`.
    pub label: LabelId,
    /// The direction of the master in which the announced flow goes.
    pub dir: Dir,
    /// How it is translated.
    pub follow: Option<Follow<F>>,
    /// The helper that reads it.
    pub helper: Option<Helper>,
    /// It stays when it was fulfilled.
    pub stays: bool,
    /// It can be fulfilled; else it only keeps its place.
    pub is_open: bool,
    /// When it is forgotten.
    pub expires: Time,
}

/// Why nothing is expected now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another flow expects what would fit this one too: another port may be free.
    Busy,
    /// The same is expected already, by another flow or of another class.
    Known,
    /// No room.
    Full,
}

impl From<Kept> for Refused {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Out => Self::Busy,
            Kept::Full => Self::Full,
        }
    }
}

/// The table.
pub struct Expectations<F: Family> {
    slots: Slots<Expectation<F>, WORDS>,
    hash: TupleHash,
}

impl<F: Family> core::fmt::Debug for Expectations<F> {
    /// Not the key of the hash, which nobody is told.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Expectations").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<F: Family> Expectations<F> {
    /// An empty table for at most so many (`nf_conntrack_expect_max`).
    pub fn new(most: u32, hash_key: [u64; 2]) -> Self {
        Self { slots: Slots::new(most), hash: TupleHash::new(hash_key) }
    }

    /// Nothing is expected.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many are expected, those past their time included until they are swept.
    pub fn len(&self) -> usize {
        self.slots.len() as usize
    }

    /// How many there may be (`nf_conntrack_expect_max`).
    pub fn most(&self) -> u32 {
        self.slots.most()
    }

    /// Every expectation; one that changes meanwhile may be left out.
    pub fn iter(&self) -> impl Iterator<Item = Expectation<F>> {
        (0..self.slots.places()).filter_map(|slot| Some(self.slots.read(slot)?.1))
    }

    /// The expectation that a new flow fulfils, taken out of the table: no other flow gets it.
    pub fn take(&self, tuple: &Tuple<F>, zone: u16, now: Time) -> Option<Expectation<F>> {
        if self.is_empty() {
            return None;
        }
        let TupleL4::Ports { dst, .. } = tuple.l4 else { return None };
        for slot in self.slots.window(self.hash_of(tuple.dst, tuple.protocol, dst)) {
            let Some((state, found)) = self.slots.read(slot) else { continue };
            let fits = found.zone == zone && found.ends.holds(tuple) && found.expires > now && found.is_open;
            if fits && (found.stays || self.slots.free(slot, state)) {
                return Some(found);
            }
        }
        None
    }

    /// What is expected that a flow of these ends would fulfil, open or not. Ends that are not named count as 0.
    pub(crate) fn find(&self, ends: &Ends<F>, zone: u16, now: Time) -> Option<Expectation<F>> {
        let l4 = TupleL4::Ports { src: ends.sport.unwrap_or_default(), dst: ends.dport };
        let tuple = Tuple { src: ends.src.unwrap_or_default(), dst: ends.dst, protocol: ends.protocol, l4 };
        let fits = |found: &Expectation<F>| found.zone == zone && found.ends.holds(&tuple) && found.expires > now;
        self.slots.find(self.hash_of(ends.dst, ends.protocol, ends.dport), fits).map(|(_, _, found)| found)
    }

    /// The end to which `master` lets flows come that are translated to this one.
    pub(crate) fn end_before(&self, master: Master, protocol: u8, end: (F::Addr, u16)) -> Option<(F::Addr, u16)> {
        let leads_there = |found: &Expectation<F>| {
            found.master == master
                && found.ends.protocol == protocol
                && found.follow.is_some_and(|follow| follow.destination == end)
        };
        self.iter().find(leads_there).map(|found| (found.ends.dst, found.ends.dport))
    }

    /// The master's mark or label changed. Only the master's worker calls this. The words carry the tenant's version, so a slot that was taken and
    /// filled again meanwhile is not touched.
    pub(crate) fn relabel(&self, id: SlotId, mark: u32, label: LabelId) {
        let Some(old) = self.slots.get(id) else { return };
        for (at, old, new) in [(MARK_WORD, old.mark, mark), (LABEL_WORD, old.label.0, label.0)] {
            if old != new {
                let word = |value: u32| u64::from(value) << 32 | u64::from(id.version);
                // Failure: it is taken, and nobody asks any more.
                self.slots.rewrite(id.slot as usize, at, word(old), word(new));
            }
        }
    }

    /// Forgets what is past its time among the next slots, and gives it to `ended`; says where to go on.
    pub(crate) fn sweep(&self, from: usize, now: Time, ended: impl FnMut(&Expectation<F>)) -> usize {
        self.slots.sweep(from, now, ended)
    }

    fn insert(&self, new: &Expectation<F>, now: Time) -> Result<SlotId, Refused> {
        Ok(self.slots.announce(self.hash_of(new.ends.dst, new.ends.protocol, new.ends.dport), new, now)?)
    }

    /// What somebody expects that would fit this one too.
    fn clash(&self, new: &Expectation<F>, now: Time) -> Option<Expectation<F>> {
        self.slots.excluding(self.hash_of(new.ends.dst, new.ends.protocol, new.ends.dport), new, now)
    }

    fn hash_of(&self, dst: F::Addr, protocol: u8, dport: u16) -> u32 {
        let l4 = TupleL4::Ports { src: dport, dst: 0 };
        self.hash.source(&Tuple::<F> { src: dst, dst: F::Addr::ZERO, protocol, l4 }, 0)
    }
}
