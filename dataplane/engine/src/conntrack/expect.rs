//! Expectations: connections that others have announced (`nf_conntrack_expect`). FTP's control connection says where the data connection will
//! come from and go to; whoever begins a flow that fits is RELATED, and of the family of the one that announced it.
//!
//! One table of fixed size for all workers, because the announced flow may belong to another worker than its master. No lock: a slot is a word
//! of state (what is in it, a tag of its key, a version) and words of content, all atomic. A writer takes a free slot by compare-and-swap, fills
//! it, and opens it by a store; a reader believes what it read if the state is the same afterwards; taking one is a compare-and-swap from the
//! state that was read, so an expectation is taken once. Slots are found by a keyed hash of where the announced flow goes to, within a
//! window of [`WINDOW`]: bounded for every packet, and packets of flows that exist never come here, nor does anything while the table is empty.
//!
//! Written by the worker of the master (made, removed) and by whoever takes one; read by all.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use arrayvec::ArrayVec;
use packet::family::Addr;
use packet::{Family, Tuple, TupleL4};
use program::{Helper, LabelId};

use super::entry::{Dir, FlowId};
use super::index::TupleHash;
use crate::time::Time;

/// Slots in which an expectation may lie, from its bucket on.
const WINDOW: usize = 16;
/// Slots for each expectation that may be: windows fill up by bad luck hardly ever.
const SPARE: usize = 4;
/// Most expectations of one flow: SIP's one for signalling, four each for audio and video, two for images.
pub(crate) const MOST_OF_ONE: usize = 11;
const WORDS: usize = 16;

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

/// A place in the table and its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExpectId {
    slot: u32,
    version: u32,
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

/// What a slot holds: the two low bits of its state.
const FREE: u64 = 0;
const FILLING: u64 = 1;
const OPEN: u64 = 2;
const KIND: u64 = 3;
const TAG_AT: u32 = 2;
const TAG: u64 = 0xffff << TAG_AT;
const VERSION_AT: u32 = 18;

fn version(state: u64) -> u32 {
    (state >> VERSION_AT) as u32
}

struct Slot {
    words: [AtomicU64; WORDS],
}

/// The table.
pub struct Expectations<F: Family> {
    states: Box<[AtomicU64]>,
    slots: Box<[Slot]>,
    /// Slots that are not free.
    live: AtomicU32,
    /// `nf_conntrack_expect_max`
    most: u32,
    hash: TupleHash,
    family: core::marker::PhantomData<F>,
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
        let slots = (most as usize * SPARE).next_power_of_two().max(WINDOW);
        Self {
            states: (0..slots).map(|_| AtomicU64::new(FREE)).collect(),
            slots: (0..slots).map(|_| Slot { words: [const { AtomicU64::new(0) }; WORDS] }).collect(),
            live: AtomicU32::new(0),
            most,
            hash: TupleHash::new(hash_key),
            family: core::marker::PhantomData,
        }
    }

    /// Nothing is expected.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.live.load(Ordering::Acquire) == 0
    }

    /// How many are expected, those past their time included until they are swept.
    pub fn len(&self) -> usize {
        self.live.load(Ordering::Acquire) as usize
    }

    /// How many there may be (`nf_conntrack_expect_max`).
    pub fn most(&self) -> u32 {
        self.most
    }

    /// Every expectation, for listings; one that changes meanwhile may be left out.
    pub fn iter(&self) -> impl Iterator<Item = Expectation<F>> {
        (0..self.states.len()).filter_map(|slot| Some(self.read(slot)?.1))
    }

    /// The expectation that a new flow fulfils, taken out of the table: no other flow gets it.
    pub fn take(&self, tuple: &Tuple<F>, zone: u16, now: Time) -> Option<Expectation<F>> {
        if self.is_empty() {
            return None;
        }
        let TupleL4::Ports { dst, .. } = tuple.l4 else { return None };
        for slot in self.window(self.hash(tuple.dst, tuple.protocol, dst)) {
            let Some((state, found)) = self.read(slot) else { continue };
            let fits = found.zone == zone && found.ends.holds(tuple) && found.expires > now && found.is_open;
            if fits && (found.stays || self.free(slot, state)) {
                return Some(found);
            }
        }
        None
    }

    /// What is expected that a flow of these ends would fulfil, open or not. Ends that are not named count as 0.
    pub(crate) fn find(&self, ends: &Ends<F>, zone: u16, now: Time) -> Option<Expectation<F>> {
        let l4 = TupleL4::Ports { src: ends.sport.unwrap_or_default(), dst: ends.dport };
        let tuple = Tuple { src: ends.src.unwrap_or_default(), dst: ends.dst, protocol: ends.protocol, l4 };
        self.window(self.hash(ends.dst, ends.protocol, ends.dport))
            .filter_map(|slot| self.read(slot))
            .map(|(_, found)| found)
            .find(|found| found.zone == zone && found.ends.holds(&tuple) && found.expires > now)
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

    fn place(&self, ends: Ends<F>, zone: u16, now: Time) -> Option<(usize, u64, Expectation<F>)> {
        self.window(self.hash(ends.dst, ends.protocol, ends.dport)).find_map(|slot| {
            let (state, found) = self.read(slot)?;
            (found.zone == zone && found.ends == ends && found.expires > now).then_some((slot, state, found))
        })
    }

    /// Puts one in that belongs to no flow.
    pub(crate) fn announce(&self, new: &Expectation<F>, now: Time) -> Result<ExpectId, Refused> {
        if self.clash(new, None, now).is_some() {
            return Err(Refused::Busy);
        }
        self.insert(new, now)
    }

    /// Takes out what belongs to no flow.
    pub(crate) fn withdraw(&self, ends: Ends<F>, zone: u16, now: Time) {
        if let Some((slot, state, _)) = self.place(ends, zone, now) {
            self.free(slot, state);
        }
    }

    /// What belongs to no flow stays longer. A slot that has another tenant by now gets its time at worst.
    pub(crate) fn prolong(&self, ends: Ends<F>, zone: u16, now: Time, until: Time) {
        if let Some((slot, state, _)) = self.place(ends, zone, now)
            && self.states[slot].load(Ordering::Acquire) == state
        {
            self.slots[slot].words[EXPIRES_WORD].store(until.0, Ordering::Release);
        }
    }

    /// What the handle stands for, if it is there still.
    pub(crate) fn get(&self, id: ExpectId) -> Option<Expectation<F>> {
        self.read(id.slot as usize).filter(|(state, _)| version(*state) == id.version).map(|(_, found)| found)
    }

    /// The master's mark or label changed. Only the master's worker calls this. The words carry the tenant's version, so a slot that was taken and
    /// filled again meanwhile is not touched.
    pub(crate) fn relabel(&self, id: ExpectId, mark: u32, label: LabelId) {
        let Some(old) = self.get(id) else { return };
        for (at, old, new) in [(MARK_WORD, old.mark, mark), (LABEL_WORD, old.label.0, label.0)] {
            if old != new {
                let word = |value: u32| u64::from(value) << 32 | u64::from(id.version);
                let place = &self.slots[id.slot as usize].words[at];
                // Failure: it is taken, and nobody asks any more.
                let _ = place.compare_exchange(word(old), word(new), Ordering::AcqRel, Ordering::Relaxed);
            }
        }
    }

    /// Forgets one; does nothing if it was taken.
    pub(crate) fn remove(&self, id: ExpectId) {
        if let Some(state) = self.states.get(id.slot as usize).map(|state| state.load(Ordering::Acquire))
            && state & KIND == OPEN
            && version(state) == id.version
        {
            self.free(id.slot as usize, state);
        }
    }

    /// Forgets what is past its time among the next slots; says where to go on.
    pub(crate) fn sweep(&self, from: usize, now: Time) -> usize {
        const STEPS: usize = 64;
        if self.is_empty() {
            return from;
        }
        for step in 0..STEPS.min(self.states.len()) {
            let slot = (from + step) & (self.states.len() - 1);
            if let Some((state, found)) = self.read(slot)
                && found.expires <= now
            {
                self.free(slot, state);
            }
        }
        (from + STEPS) & (self.states.len() - 1)
    }

    /// Puts one in. What the same flow expects at the same ends gives way; what another one expects does not.
    fn insert(&self, new: &Expectation<F>, now: Time) -> Result<ExpectId, Refused> {
        if self.live.fetch_add(1, Ordering::AcqRel) >= self.most {
            self.live.fetch_sub(1, Ordering::AcqRel);
            return Err(Refused::Full);
        }
        let inserted = self.fill(new, now);
        if inserted.is_err() {
            self.live.fetch_sub(1, Ordering::AcqRel);
        }
        inserted
    }

    fn fill(&self, new: &Expectation<F>, now: Time) -> Result<ExpectId, Refused> {
        let hash = self.hash(new.ends.dst, new.ends.protocol, new.ends.dport);
        for slot in self.window(hash) {
            let state = self.states[slot].load(Ordering::Acquire);
            if state & KIND != FREE {
                continue;
            }
            let version = (state >> VERSION_AT).wrapping_add(1) << VERSION_AT;
            let filling = version | tag(hash) | FILLING;
            if self.states[slot].compare_exchange(state, filling, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                continue;
            }
            for (place, word) in self.slots[slot].words.iter().zip(encode(new, (version >> VERSION_AT) as u32)) {
                place.store(word, Ordering::Relaxed);
            }
            self.states[slot].store(version | tag(hash) | OPEN, Ordering::SeqCst);
            let id = ExpectId { slot: slot as u32, version: (version >> VERSION_AT) as u32 };
            // Two workers that announce the same at the same time see each other here; the later slot gives way.
            // Unless somebody took it meanwhile or forgot it: then the slot is no longer this one's.
            let open = version | tag(hash) | OPEN;
            if self.clash(new, Some(slot), now).is_some()
                && self.states[slot].compare_exchange(open, version | FREE, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            {
                return Err(Refused::Busy);
            }
            return Ok(id);
        }
        Err(Refused::Full)
    }

    /// What somebody expects that would fit this one too. With `mine`, in the slots before it only.
    fn clash(&self, new: &Expectation<F>, mine: Option<usize>, now: Time) -> Option<Clash> {
        let hash = self.hash(new.ends.dst, new.ends.protocol, new.ends.dport);
        for slot in self.window(hash) {
            if mine == Some(slot) {
                return None;
            }
            let state = self.states[slot].load(Ordering::SeqCst);
            if state & KIND == FREE || state & TAG != tag(hash) {
                continue;
            }
            // One that is being filled with the same tag is as good as there.
            let Some((_, other)) = self.read(slot) else { return Some(Clash::Overlaps) };
            if other.expires > now && other.zone == new.zone && other.ends.meets(&new.ends) {
                return Some(if other.ends == new.ends { Clash::Same(other.master) } else { Clash::Overlaps });
            }
        }
        None
    }

    fn hash(&self, dst: F::Addr, protocol: u8, dport: u16) -> u32 {
        let l4 = TupleL4::Ports { src: dport, dst: 0 };
        self.hash.source(&Tuple::<F> { src: dst, dst: F::Addr::ZERO, protocol, l4 }, 0)
    }

    fn window(&self, hash: u32) -> impl Iterator<Item = usize> + use<F> {
        let mask = self.states.len() - 1;
        let first = hash as usize & mask;
        (0..WINDOW).map(move |step| (first + step) & mask)
    }

    /// An open slot's state and content.
    fn read(&self, slot: usize) -> Option<(u64, Expectation<F>)> {
        let state = self.states.get(slot)?.load(Ordering::Acquire);
        if state & KIND != OPEN {
            return None;
        }
        let words: [u64; WORDS] = core::array::from_fn(|i| self.slots[slot].words[i].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        if self.states[slot].load(Ordering::Relaxed) != state {
            return None;
        }
        Some((state, decode(&words)?))
    }

    fn free(&self, slot: usize, state: u64) -> bool {
        let freed = self.states[slot].compare_exchange(state, state & !(KIND | TAG), Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if freed {
            self.live.fetch_sub(1, Ordering::AcqRel);
        }
        freed
    }
}

/// How an expectation is in another one's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clash {
    /// It is the same, of this flow.
    Same(Master),
    Overlaps,
}

fn tag(hash: u32) -> u64 {
    u64::from(hash >> 16) << TAG_AT
}

/// What one flow expects: handles, oldest first. Handles of what was taken or ran out of time are dropped by the next change.
#[derive(Clone, Debug, Default)]
pub struct Own(ArrayVec<(u8, ExpectId), MOST_OF_ONE>);

impl Own {
    /// Announces a flow. At most `most` of its class: the oldest one gives way. With `or_known`, it is [`Refused::Known`] when another flow has
    /// announced the very same.
    pub fn expect<F: Family>(
        &mut self,
        table: &Expectations<F>,
        new: &Expectation<F>,
        most: usize,
        or_known: bool,
        now: Time,
    ) -> Result<(), Refused> {
        let mut other_class = false;
        self.0.retain(|(class, id)| match table.get(*id) {
            // The same again: it begins anew.
            Some(old) if *class == new.class && old.ends == new.ends => {
                table.remove(*id);
                false
            }
            Some(old) => {
                other_class |= old.ends == new.ends && old.expires > now;
                old.expires > now
            }
            None => false,
        });
        match table.clash(new, None, now) {
            _ if other_class => return Err(Refused::Known),
            Some(Clash::Same(master)) if or_known && master != new.master => return Err(Refused::Known),
            Some(_) => return Err(Refused::Busy),
            None => {}
        }
        let of_class = |list: &ArrayVec<(u8, ExpectId), MOST_OF_ONE>| list.iter().filter(|(class, _)| *class == new.class).count();
        if of_class(&self.0) >= most
            && let Some(oldest) = self.0.iter().position(|(class, _)| *class == new.class)
        {
            table.remove(self.0.remove(oldest).1);
        }
        if self.0.is_full() {
            return Err(Refused::Full);
        }
        let id = table.insert(new, now)?;
        self.0.push((new.class, id));
        Ok(())
    }

    /// The flow ends, and with it all that it expects.
    pub(crate) fn clear<F: Family>(&mut self, table: &Expectations<F>) {
        self.0.drain(..).for_each(|(_, id)| table.remove(id));
    }

    /// Opens one that fits, until then; `false` when there is none.
    pub(crate) fn reopen<F: Family>(
        &mut self,
        table: &Expectations<F>,
        until: Time,
        now: Time,
        fits: impl Fn(&Expectation<F>) -> bool,
    ) -> bool {
        for (_, id) in &mut self.0 {
            let Some(old) = table.get(*id).filter(|old| old.expires > now && fits(old)) else { continue };
            table.remove(*id);
            let Ok(again) = table.insert(&Expectation { is_open: true, expires: until, ..old }, now) else { return false };
            *id = again;
            return true;
        }
        false
    }

    /// What is of such a class is expected no more.
    pub(crate) fn forget<F: Family>(&mut self, table: &Expectations<F>, which: impl Fn(u8) -> bool) {
        self.0.retain(|(class, id)| {
            let goes = which(*class);
            if goes {
                table.remove(*id);
            }
            !goes
        });
    }

    /// The last one is expected no more.
    pub(crate) fn forget_last<F: Family>(&mut self, table: &Expectations<F>) {
        if let Some((_, id)) = self.0.pop() {
            table.remove(id);
        }
    }

    /// The handles.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ExpectId> + '_ {
        self.0.iter().map(|(_, id)| *id)
    }
}

fn address<F: Family>(address: F::Addr) -> [u64; 2] {
    let mut bytes = [0; 16];
    address.write(&mut bytes);
    let value = u128::from_be_bytes(bytes);
    [(value >> 64) as u64, value as u64]
}

fn to_address<F: Family>(high: u64, low: u64) -> Option<F::Addr> {
    F::Addr::read(&(u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

const MARK_WORD: usize = 7;
const LABEL_WORD: usize = 13;
const EXPIRES_WORD: usize = 8;

const HAS_SRC: u64 = 1;
const HAS_SPORT: u64 = 2;
const HAS_FOLLOW: u64 = 4;
const REPLY: u64 = 8;
const STAYS: u64 = 16;
const IS_OPEN: u64 = 32;
const HAS_FROM: u64 = 64;
const PAIRS: u64 = 128;

fn encode<F: Family>(of: &Expectation<F>, version: u32) -> [u64; WORDS] {
    let Expectation { ends, zone, master, class, mark, label, dir, follow, helper, stays, is_open, expires } = *of;
    let only_from = follow.and_then(|follow| follow.only_from);
    let bits = [
        (ends.src.is_some(), HAS_SRC),
        (ends.sport.is_some(), HAS_SPORT),
        (follow.is_some(), HAS_FOLLOW),
        (dir == Dir::Reply, REPLY),
        (stays, STAYS),
        (is_open, IS_OPEN),
        (only_from.is_some(), HAS_FROM),
        (follow.is_some_and(|follow| follow.pairs), PAIRS),
    ];
    let flags = bits.into_iter().filter(|(set, _)| *set).fold(0, |all, (_, bit)| all | bit);
    let [src_high, src_low] = address::<F>(ends.src.unwrap_or_default());
    let [dst_high, dst_low] = address::<F>(ends.dst);
    let [source_high, source_low] = address::<F>(follow.map(|follow| follow.source).unwrap_or_default());
    let [to_high, to_low] = address::<F>(follow.map(|follow| follow.destination.0).unwrap_or_default());
    let [from_high, from_low] = address::<F>(only_from.unwrap_or_default());
    let to_port = follow.map_or(0, |follow| follow.destination.1);
    [
        src_high,
        src_low,
        dst_high,
        dst_low,
        u64::from(ends.sport.unwrap_or(0)) << 48
            | u64::from(ends.dport) << 32
            | u64::from(ends.protocol) << 24
            | u64::from(class) << 16
            | flags,
        u64::from(zone) << 48
            | u64::from(master.worker) << 32
            | u64::from(master.helper as u8) << 16
            | u64::from(to_port)
            | helper.map_or(0, |helper| u64::from(helper as u8) + 1) << 24,
        u64::from(master.flow.slot) << 32 | u64::from(master.flow.generation),
        u64::from(mark) << 32 | u64::from(version),
        expires.0,
        source_high,
        source_low,
        to_high,
        to_low,
        u64::from(label.0) << 32 | u64::from(version),
        from_high,
        from_low,
    ]
}

fn decode<F: Family>(words: &[u64; WORDS]) -> Option<Expectation<F>> {
    let flags = words[4];
    let has = |bit| flags & bit != 0;
    let follow = Follow {
        source: to_address::<F>(words[9], words[10])?,
        only_from: if has(HAS_FROM) { Some(to_address::<F>(words[14], words[15])?) } else { None },
        pairs: has(PAIRS),
        destination: (to_address::<F>(words[11], words[12])?, words[5] as u16),
    };
    Some(Expectation {
        ends: Ends {
            src: if has(HAS_SRC) { Some(to_address::<F>(words[0], words[1])?) } else { None },
            sport: has(HAS_SPORT).then_some((words[4] >> 48) as u16),
            dst: to_address::<F>(words[2], words[3])?,
            dport: (words[4] >> 32) as u16,
            protocol: (words[4] >> 24) as u8,
        },
        zone: (words[5] >> 48) as u16,
        master: Master {
            worker: (words[5] >> 32) as u16,
            flow: FlowId { slot: (words[6] >> 32) as u32, generation: words[6] as u32 },
            helper: *Helper::ALL.get(usize::from((words[5] >> 16) as u8))?,
        },
        class: (words[4] >> 16) as u8,
        mark: (words[MARK_WORD] >> 32) as u32,
        label: LabelId((words[LABEL_WORD] >> 32) as u32),
        dir: if has(REPLY) { Dir::Reply } else { Dir::Original },
        follow: has(HAS_FOLLOW).then_some(follow),
        helper: usize::from((words[5] >> 24) as u8).checked_sub(1).and_then(|at| Helper::ALL.get(at).copied()),
        stays: has(STAYS),
        is_open: has(IS_OPEN),
        expires: Time(words[EXPIRES_WORD]),
    })
}

mod listing;
#[cfg(test)]
mod tests;
