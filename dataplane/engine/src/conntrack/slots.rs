//! A table of fixed size that all workers share, without a lock: what one *announces* the others find, or take out.
//!
//! A slot is a word of state (what is in it, a tag of its hash, a version) and words of content, all atomic. A writer takes a free slot by
//! compare-and-swap, which makes its version another, and fills it; a reader believes what it read if the version is the same afterwards; taking one
//! out is a compare-and-swap from the state that was read, so it is taken once. An entry stands within a window of its hash: bounded work for
//! every look-up.
//!
//! Some entries exclude each other (two flows must not expect the same, two cones not have one outside end). So an entry is first *proposed*: it is
//! there for those who propose, and for nobody else. Then the window is looked through: one that is open, or proposed in a slot before, has its way;
//! one that is proposed in a slot behind is refused. Then it is opened. Of two that exclude each other at least one sees the other, both know who
//! gives way, and whoever meets a proposal may finish it ([`Slots::settle`]): exactly one of them comes in, and nobody waits for anybody.
//!
//! Written and read by all workers, by atomic operations alone. Memory set aside at boot.

use core::marker::PhantomData;

use packet::family::Addr;

use crate::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use crate::time::Time;

/// Slots for each entry that there may be: windows fill up by bad luck hardly ever.
const SPARE: usize = 4;

/// What a slot holds, as words.
pub(crate) trait Content<const WORDS: usize>: Copy {
    /// As words, of this version of the slot's content.
    fn encode(&self, version: u32) -> [u64; WORDS];

    /// Out of them.
    fn decode(words: &[u64; WORDS]) -> Option<Self>;

    /// The two cannot be there at the same time.
    fn excludes(&self, other: &Self) -> bool;

    /// When it is forgotten. Until it is swept it stands there, and is in nobody's way.
    fn expires(&self) -> Time;
}

/// A slot and its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotId {
    /// Which slot.
    pub slot: u32,
    /// Which of its tenants.
    pub version: u32,
}

/// Why nothing can be announced now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// By an entry that excludes it.
    Out,
    /// By a full table, or window.
    Full,
}

/// A slot's state, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u64);

/// What a slot holds: the two low bits of its state. One that is being filled, or was refused, is its writer's alone.
const FREE: u64 = 0;
const FILLING: u64 = 1;
const OPEN: u64 = 2;
const PROPOSED: u64 = 3;
const KIND: u64 = 3;
const TAG_AT: u32 = 2;
const TAG: u64 = 0xffff << TAG_AT;
const VERSION_AT: u32 = 18;

impl State {
    fn kind(self) -> u64 {
        self.0 & KIND
    }

    fn is_tagged(self, hash: u32) -> bool {
        self.0 & TAG == tag(hash)
    }

    fn version(self) -> u64 {
        self.0 >> VERSION_AT
    }

    fn with(self, kind: u64) -> Self {
        Self(self.0 & !KIND | kind)
    }

    /// The version as handles and contents have it.
    fn short(self) -> u32 {
        self.version() as u32
    }
}

fn tag(hash: u32) -> u64 {
    u64::from(hash >> 16) << TAG_AT
}

/// The table: entries of so many words, within so many slots of their hash.
pub(crate) struct Slots<C, const WORDS: usize, const WINDOW: usize = 16> {
    states: Box<[AtomicU64]>,
    words: Box<[[AtomicU64; WORDS]]>,
    /// Entries, those that are being made or are past their time included.
    live: AtomicU32,
    most: u32,
    content: PhantomData<C>,
}

impl<C: Content<WORDS>, const WORDS: usize, const WINDOW: usize> Slots<C, WORDS, WINDOW> {
    /// An empty table for at most so many.
    pub(crate) fn new(most: u32) -> Self {
        let slots = (most as usize * SPARE).next_power_of_two().max(WINDOW);
        Self {
            states: (0..slots).map(|_| AtomicU64::new(FREE)).collect(),
            words: (0..slots).map(|_| core::array::from_fn(|_| AtomicU64::new(0))).collect(),
            live: AtomicU32::new(0),
            most,
            content: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are, those past their time included until they are swept.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.live.load(Ordering::Acquire)
    }

    /// How many there may be.
    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    /// Places in the table.
    pub(crate) fn places(&self) -> usize {
        self.states.len()
    }

    /// The slots in which an entry of this hash may lie.
    pub(crate) fn window(&self, hash: u32) -> impl Iterator<Item = usize> + use<C, WORDS, WINDOW> {
        let mask = self.states.len() - 1;
        let first = hash as usize & mask;
        (0..WINDOW).map(move |step| (first + step) & mask)
    }

    fn state(&self, slot: usize) -> State {
        State(self.states[slot].load(Ordering::Acquire))
    }

    /// The content that a slot has in this version, if it has it still.
    fn content(&self, slot: usize, state: State) -> Option<C> {
        let words: [u64; WORDS] = core::array::from_fn(|at| self.words[slot][at].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let after = State(self.states[slot].load(Ordering::Relaxed));
        if after.version() == state.version() { C::decode(&words) } else { None }
    }

    /// An open slot's state and content.
    pub(crate) fn read(&self, slot: usize) -> Option<(State, C)> {
        let state = State(self.states.get(slot)?.load(Ordering::Acquire));
        if state.kind() != OPEN {
            return None;
        }
        Some((state, self.content(slot, state)?))
    }

    /// The handle of what was read in a slot in this state.
    pub(crate) fn id(slot: usize, state: State) -> SlotId {
        SlotId { slot: slot as u32, version: state.short() }
    }

    /// The first open entry of this hash for which `fits` holds, and where it is.
    pub(crate) fn find(&self, hash: u32, fits: impl Fn(&C) -> bool) -> Option<(usize, State, C)> {
        self.window(hash).find_map(|slot| {
            let (state, found) = self.read(slot)?;
            fits(&found).then_some((slot, state, found))
        })
    }

    /// As [`Slots::find`]; one that is only proposed is settled first, so that who was kept out by it finds it.
    pub(crate) fn find_settled(&self, hash: u32, now: Time, fits: impl Fn(&C) -> bool) -> Option<(usize, State, C)> {
        for slot in self.window(hash) {
            let state = self.state(slot);
            if state.kind() == PROPOSED
                && let Some(found) = self.content(slot, state)
                && fits(&found)
            {
                self.settle(slot, state, hash, &found, now);
            }
        }
        self.find(hash, fits)
    }

    /// What excludes this one, be it proposed only.
    pub(crate) fn excluding(&self, hash: u32, new: &C, now: Time) -> Option<C> {
        self.window(hash).find_map(|slot| {
            let state = self.state(slot);
            if !matches!(state.kind(), OPEN | PROPOSED) || !state.is_tagged(hash) {
                return None;
            }
            self.content(slot, state).filter(|other| other.expires() > now && new.excludes(other))
        })
    }

    /// Puts one in, unless one is there that excludes it.
    pub(crate) fn announce(&self, hash: u32, new: &C, now: Time) -> Result<SlotId, Kept> {
        if self.live.fetch_add(1, Ordering::AcqRel) >= self.most {
            self.live.fetch_sub(1, Ordering::AcqRel);
            return Err(Kept::Full);
        }
        let announced = match self.propose(hash, new) {
            Some((slot, proposed)) => self.see_through(slot, proposed, hash, new, now),
            None => Err(Kept::Full),
        };
        if announced.is_err() {
            self.live.fetch_sub(1, Ordering::AcqRel);
        }
        announced
    }

    /// Fills a free slot of the window.
    fn propose(&self, hash: u32, new: &C) -> Option<(usize, State)> {
        self.window(hash).find_map(|slot| {
            let state = self.state(slot);
            let filling = State((state.version() + 1) << VERSION_AT | tag(hash) | FILLING);
            if state.kind() != FREE || !self.change(slot, state, filling) {
                return None;
            }
            // Who reads a word of the new content is to find the new version too.
            fence(Ordering::Release);
            for (place, word) in self.words[slot].iter().zip(new.encode(filling.short())) {
                place.store(word, Ordering::Relaxed);
            }
            let proposed = filling.with(PROPOSED);
            self.states[slot].store(proposed.0, Ordering::Release);
            Some((slot, proposed))
        })
    }

    /// What becomes of a worker's own proposal.
    fn see_through(&self, slot: usize, proposed: State, hash: u32, new: &C, now: Time) -> Result<SlotId, Kept> {
        self.settle(slot, proposed, hash, new, now);
        if self.state(slot) == proposed.with(FILLING) {
            self.states[slot].store(proposed.with(FREE).0 & !TAG, Ordering::Release);
            return Err(Kept::Out);
        }
        // It is open, or was, and somebody has taken it since.
        Ok(SlotId { slot: slot as u32, version: proposed.short() })
    }

    /// Opens what is proposed in a slot, or refuses it; whoever does it, and however often.
    fn settle(&self, slot: usize, proposed: State, hash: u32, new: &C, now: Time) {
        // Of two that propose at the same time at least one finds the other's proposal behind this.
        fence(Ordering::SeqCst);
        let has_its_way = self.window(hash).filter(|other| *other != slot).all(|other| self.makes_way(other, slot, hash, new, now));
        self.change(slot, proposed, proposed.with(if has_its_way { OPEN } else { FILLING }));
    }

    /// What is in slot `other` is not in the way of what is proposed in `slot`, or is refused for it.
    fn makes_way(&self, other: usize, slot: usize, hash: u32, new: &C, now: Time) -> bool {
        let state = self.state(other);
        if !matches!(state.kind(), OPEN | PROPOSED) || !state.is_tagged(hash) {
            return true;
        }
        // Filled anew meanwhile: who did that has this proposal before him.
        let Some(content) = self.content(other, state) else { return true };
        if content.expires() <= now || !new.excludes(&content) {
            return true;
        }
        if state.kind() == OPEN || other < slot {
            return false;
        }
        // Not refused: it was just opened, or it was refused before.
        self.change(other, state, state.with(FILLING)) || self.state(other) != state.with(OPEN)
    }

    /// Changes a slot's state from `from`; `false` when that is not its state any more.
    fn change(&self, slot: usize, from: State, to: State) -> bool {
        self.states[slot].compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Takes out what was read in this state; `false` if somebody else has.
    pub(crate) fn free(&self, slot: usize, state: State) -> bool {
        let freed = state.kind() == OPEN && self.change(slot, state, State(state.with(FREE).0 & !TAG));
        if freed {
            self.live.fetch_sub(1, Ordering::AcqRel);
        }
        freed
    }

    /// What the handle stands for, if it is there still.
    pub(crate) fn get(&self, id: SlotId) -> Option<C> {
        self.read(id.slot as usize).filter(|(state, _)| state.short() == id.version).map(|(_, found)| found)
    }

    /// Takes out what the handle stands for; nothing if it was taken.
    pub(crate) fn remove(&self, id: SlotId) -> Option<C> {
        let (state, found) = self.read(id.slot as usize)?;
        (state.short() == id.version && self.free(id.slot as usize, state)).then_some(found)
    }

    /// Takes out whatever is in a slot.
    pub(crate) fn empty(&self, slot: usize) -> Option<C> {
        let (state, found) = self.read(slot)?;
        self.free(slot, state).then_some(found)
    }

    /// A word of the content becomes at least this, unless the slot has another tenant: one that comes in just now gets it at worst.
    pub(crate) fn raise(&self, slot: usize, state: State, at: usize, word: u64) {
        if self.state(slot) == state {
            self.words[slot][at].fetch_max(word, Ordering::AcqRel);
        }
    }

    /// A word of the content becomes another. `false` when it was not `old`.
    pub(crate) fn rewrite(&self, slot: usize, at: usize, old: u64, new: u64) -> bool {
        self.words[slot][at].compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Forgets what is past its time among the next slots, and gives it to `ended`; says where to go on.
    pub(crate) fn sweep(&self, from: usize, now: Time, mut ended: impl FnMut(&C)) -> usize {
        const STEPS: usize = 64;
        if self.is_empty() {
            return from;
        }
        for step in 0..STEPS.min(self.states.len()) {
            let slot = (from + step) & (self.states.len() - 1);
            if let Some((state, found)) = self.read(slot)
                && found.expires() <= now
                && self.free(slot, state)
            {
                ended(&found);
            }
        }
        (from + STEPS) & (self.states.len() - 1)
    }
}

/// An address as words of content.
pub(crate) fn to_words<A: Addr>(address: A) -> [u64; 2] {
    let mut bytes = [0; 16];
    address.write(&mut bytes);
    let value = u128::from_be_bytes(bytes);
    [(value >> 64) as u64, value as u64]
}

/// Out of them.
pub(crate) fn from_words<A: Addr>([high, low]: [u64; 2]) -> Option<A> {
    A::read(&(u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}
