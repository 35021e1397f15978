//! The lists of `-m recent` (`xt_recent.c`): addresses, and when each was seen.
//!
//! A list holds 100 addresses, the kernel's default. Each has a word that says how often it was noted and with which TTL, one that says when it was
//! the last to be noted, and a ring of times. To note a time is to exchange the first word for one more, and then to put the time in its place in
//! the ring: whoever exchanged it alone has that place, and who judges by it meanwhile puts a time there himself, for it is now that it was
//! noted. So every judgement is that of one moment, nobody waits for anybody, and packets of one address are noted one after the other whichever
//! workers they come to.
//!
//! Rules of both families share a list, so an address is 128 bits here: one of IPv4 is the highest 32.
//!
//! Written and read by all workers, by atomic operations alone. Memory is set aside when the list is made.

use program::{RecentAction, RecentTest};

use crate::atomic::{AtomicU64, Ordering};
use crate::conntrack::slots::{Content, Kept, Slots, State};
use crate::time::Time;

/// Addresses of a list (`ip_list_tot`).
pub(crate) const ADDRESSES: u32 = 100;
/// How often a packet that meets others' changes is judged again.
const TRIES: usize = 64;
/// Bits of a time in milliseconds, below its tag.
const TIME_BITS: u32 = 48;
const TIME: u64 = (1 << TIME_BITS) - 1;

/// An address, and the family that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) bits: u128,
    pub(crate) is_ipv6: bool,
}

/// How often an address was noted, and how: the word that is exchanged when it is noted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Noted {
    /// Low bits of the slot's version: a word of an earlier tenant is none of this one's.
    version: u16,
    /// The ring is full.
    is_full: bool,
    /// Of the last packet; 0 is any.
    ttl: u8,
    /// How often; counted round and round.
    count: u64,
}

const VERSION_AT: u32 = 49;
const FULL_AT: u32 = 48;
const TTL_AT: u32 = 40;
const COUNT: u64 = (1 << TTL_AT) - 1;

impl Noted {
    fn word(self) -> u64 {
        u64::from(self.version) << VERSION_AT
            | u64::from(self.is_full) << FULL_AT
            | u64::from(self.ttl) << TTL_AT
            | self.count & COUNT
    }

    fn of(word: u64) -> Self {
        Self {
            version: (word >> VERSION_AT) as u16,
            is_full: word >> FULL_AT & 1 == 1,
            ttl: (word >> TTL_AT) as u8,
            count: word & COUNT,
        }
    }
}

/// What a slot holds.
#[derive(Clone, Copy, Debug)]
struct Entry {
    address: Address,
    /// The number that the list gave when it was noted last.
    order: u64,
    noted: Noted,
}

const WORDS: usize = 5;
const ORDER: usize = 3;
const NOTED: usize = 4;

impl Content<WORDS> for Entry {
    fn encode(&self, version: u32) -> [u64; WORDS] {
        let noted = Noted { version: version as u16 & 0x7fff, ..self.noted };
        let Address { bits, is_ipv6 } = self.address;
        [(bits >> 64) as u64, bits as u64, u64::from(is_ipv6), self.order, noted.word()]
    }

    fn decode(words: &[u64; WORDS]) -> Option<Self> {
        let [high, low, is_ipv6, order, noted] = *words;
        let bits = u128::from(high) << 64 | u128::from(low);
        Some(Self { address: Address { bits, is_ipv6: is_ipv6 == 1 }, order, noted: Noted::of(noted) })
    }

    fn excludes(&self, other: &Self) -> bool {
        self.address == other.address
    }

    fn expires(&self) -> Time {
        Time(u64::MAX)
    }
}

/// A list of addresses.
pub(crate) struct List<const WINDOW: usize = 16> {
    slots: Slots<Entry, WORDS, WINDOW>,
    /// For each slot a ring of times, each with a tag that says which round of which tenant it is of.
    times: Box<[AtomicU64]>,
    /// Times of an address, as a power of two.
    ring: u32,
    mask: u128,
    /// How often anything was noted.
    order: AtomicU64,
}

impl<const WINDOW: usize> core::fmt::Debug for List<WINDOW> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("List").field("addresses", &self.slots.len()).field("times", &self.times()).finish_non_exhaustive()
    }
}

/// A packet, as a list sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// The address that the rule asks for.
    pub(crate) address: Address,
    /// Its hash by a key that nobody is told.
    pub(crate) hash: u32,
    /// As it came.
    pub(crate) ttl: u8,
    pub(crate) now: Time,
}

/// There was no room, not even that of another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// An address where it stands.
#[derive(Clone, Copy)]
struct Found {
    slot: usize,
    state: State,
    entry: Entry,
}

impl<const WINDOW: usize> List<WINDOW> {
    /// An empty one whose addresses have so many times (a power of two), and of which these bits count.
    pub(crate) fn new(times: u32, mask: u128) -> Self {
        Self::with_room(ADDRESSES, times, mask)
    }

    /// The same for so many addresses.
    pub(crate) fn with_room(addresses: u32, times: u32, mask: u128) -> Self {
        let slots = Slots::new(addresses);
        let ring = times.max(1).next_power_of_two().trailing_zeros();
        let times = (0..slots.places() << ring).map(|_| AtomicU64::new(0)).collect();
        Self { slots, times, ring, mask, order: AtomicU64::new(0) }
    }

    /// Times that are kept of an address.
    pub(crate) fn times(&self) -> u32 {
        1 << self.ring
    }

    /// Bits of an address that count.
    pub(crate) fn mask(&self) -> u128 {
        self.mask
    }

    /// Asks a rule's question, and does what it says.
    pub(crate) fn ask(&self, test: &RecentTest, seen: &Seen) -> Result<bool, Full> {
        match test.action {
            RecentAction::Set => self.set(seen).map(|()| !test.not),
            RecentAction::Remove => {
                let found = self.find(seen, false);
                if let Some(found) = &found {
                    self.slots.free(found.slot, found.state);
                }
                Ok(found.is_some() != test.not)
            }
            RecentAction::Check | RecentAction::Update => Ok(self.check(test, seen)),
        }
    }

    /// Notes the packet.
    fn set(&self, seen: &Seen) -> Result<(), Full> {
        for _ in 0..TRIES {
            if let Some(found) = self.find(seen, false) {
                if self.note(&found, seen) {
                    return Ok(());
                }
                continue;
            }
            let noted = Noted { version: 0, is_full: self.ring == 0, ttl: seen.ttl, count: 1 };
            let entry = Entry { address: seen.address, order: self.next(), noted };
            match self.slots.announce(seen.hash, &entry, seen.now) {
                Ok(id) => {
                    self.put(id.slot as usize, id.version as u16 & 0x7fff, 1, seen.now);
                    return Ok(());
                }
                // Another worker was first.
                Err(Kept::Out) => {}
                Err(Kept::Full) if self.find(seen, false).is_some() => {}
                Err(Kept::Full) => self.make_room(seen.hash),
            }
        }
        Err(Full)
    }

    /// Is the address there as the rule wants it? Then an update notes the packet.
    fn check(&self, test: &RecentTest, seen: &Seen) -> bool {
        let since = i128::from(seen.now.millis()) - i128::from(test.seconds) * 1_000;
        for _ in 0..TRIES {
            let Some(found) = self.find(seen, test.ttl) else { return test.not };
            // Who it is must be known before the packet is noted.
            let oldest = if test.reap { self.oldest(0..self.slots.places()) } else { None };
            let holds = self.holds(&found, test, since, seen.now) != test.not;
            let is_noted = test.action == RecentAction::Update && holds;
            if is_noted && !self.note(&found, seen) {
                continue;
            }
            // The one at hand stays if it is noted.
            if let Some(oldest) = oldest.filter(|oldest| !(is_noted && oldest.slot == found.slot)) {
                self.reap(&oldest, since, seen.now);
            }
            return holds;
        }
        // It changes faster than anybody can look: it was seen often enough to be there, and not by this packet.
        test.action == RecentAction::Update
    }

    /// Notes an address of which no packet came: its TTL stays what it was.
    pub(crate) fn note_by_hand(&self, address: Address, hash: u32, now: Time) -> Result<(), Full> {
        for _ in 0..TRIES {
            let seen = Seen { address, hash, ttl: 0, now };
            let Some(found) = self.find(&seen, false) else { return self.set(&seen) };
            if self.note(&found, &Seen { ttl: found.entry.noted.ttl, ..seen }) {
                return Ok(());
            }
        }
        Err(Full)
    }

    /// Forgets an address, if it is there.
    pub(crate) fn forget(&self, address: Address, hash: u32, now: Time) {
        // Who notes it meanwhile does not keep it: only another tenant of its place does.
        if let Some(found) = self.find(&Seen { address, hash, ttl: 0, now }, false) {
            self.slots.free(found.slot, found.state);
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        for slot in 0..self.slots.places() {
            if let Some((state, _)) = self.slots.read(slot) {
                self.slots.free(slot, state);
            }
        }
    }

    /// Its addresses, the one that was noted least lately first: each with its TTL, the place of its last time (from 1) and its times by places. A time that
    /// somebody is about to put there is now.
    pub(crate) fn shown(&self, now: Time) -> Vec<(Address, u8, u32, Vec<u64>)> {
        let mut there: Vec<(usize, Entry)> =
            (0..self.slots.places()).filter_map(|slot| self.slots.read(slot).map(|(_, entry)| (slot, entry))).collect();
        there.sort_by_key(|(_, entry)| entry.order);
        let ring = u64::from(self.times()) - 1;
        let shown = there.into_iter().map(|(slot, Entry { address, noted, .. })| {
            let last = noted.count.wrapping_sub(1);
            let time = |at: u64| {
                let number = noted.count.wrapping_sub(last.wrapping_sub(at) & ring) & COUNT;
                let word = self.place(slot, number).load(Ordering::Acquire);
                let is_there = word & !TIME == self.tag(noted.version, number);
                if is_there { word & TIME } else { now.millis() & TIME }
            };
            (address, noted.ttl, (last & ring) as u32 + 1, (0..self.length(noted)).map(time).collect())
        });
        shown.collect()
    }

    fn find(&self, seen: &Seen, with_ttl: bool) -> Option<Found> {
        let fits = |entry: &Entry| entry.address == seen.address;
        let (slot, state, entry) = self.slots.find_settled(seen.hash, seen.now, fits)?;
        let is_other = |ttl: u8| ttl != seen.ttl && ttl != 0 && seen.ttl != 0;
        (!with_ttl || !is_other(entry.noted.ttl)).then_some(Found { slot, state, entry })
    }

    fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::Relaxed)
    }

    /// One packet more of an address; `false` if it has changed since it was looked at.
    fn note(&self, found: &Found, seen: &Seen) -> bool {
        let before = found.entry.noted;
        let count = (before.count + 1) & COUNT;
        let is_full = before.is_full || count >= u64::from(self.times());
        let now = Noted { is_full, ttl: seen.ttl, count, ..before };
        if !self.slots.rewrite(found.slot, NOTED, before.word(), now.word()) {
            return false;
        }
        self.put(found.slot, now.version, count, seen.now);
        self.slots.raise(found.slot, found.state, ORDER, self.next());
        true
    }

    /// How many times of an address there are.
    fn length(&self, noted: Noted) -> u64 {
        if noted.is_full { u64::from(self.times()) } else { noted.count }
    }

    /// The place of the time that was noted as this one.
    fn place(&self, slot: usize, number: u64) -> &AtomicU64 {
        let at = number.wrapping_sub(1) as usize & (self.times() as usize - 1);
        &self.times[(slot << self.ring) + at]
    }

    /// What tells a time from those that stood in its place before.
    fn tag(&self, version: u16, number: u64) -> u64 {
        let round = (number.wrapping_sub(1) & COUNT) >> self.ring;
        ((u64::from(version).wrapping_mul(0x9e5) ^ round) & 0x7fff | 0x8000) << TIME_BITS
    }

    fn put(&self, slot: usize, version: u16, number: u64, now: Time) -> u64 {
        let (place, tag) = (self.place(slot, number), self.tag(version, number));
        let mut old = place.load(Ordering::Acquire);
        let new = tag | now.millis() & TIME;
        loop {
            if old & !TIME == tag {
                return old & TIME;
            }
            match place.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return now.millis(),
                Err(current) => old = current,
            }
        }
    }

    /// Milliseconds at which an address was noted the so manieth time: now, if whoever noted it has not said so yet.
    fn time(&self, slot: usize, version: u16, number: u64, now: Time) -> i128 {
        self.put(slot, version, number, now).into()
    }

    /// Was it seen as often as the rule says? Times are looked at from the last one back; behind the first that is too long ago there is none that is not.
    fn holds(&self, found: &Found, test: &RecentTest, since: i128, now: Time) -> bool {
        let noted = found.entry.noted;
        let (wanted, length) = (u64::from(test.hits.max(1)), self.length(noted));
        if wanted > length {
            return false;
        }
        // If the last of them is recent enough, all are.
        let number = noted.count.wrapping_sub(wanted - 1) & COUNT;
        test.seconds == 0 || self.time(found.slot, noted.version, number, now) >= since
    }

    /// Forgets an address if it was noted too long ago.
    fn reap(&self, oldest: &Found, since: i128, now: Time) {
        let noted = oldest.entry.noted;
        if self.time(oldest.slot, noted.version, noted.count, now) < since {
            self.slots.free(oldest.slot, oldest.state);
        }
    }

    /// The address that was noted least lately, of those in some slots.
    fn oldest(&self, slots: impl Iterator<Item = usize>) -> Option<Found> {
        let there = slots.filter_map(|slot| self.slots.read(slot).map(|(state, entry)| Found { slot, state, entry }));
        there.min_by_key(|found| found.entry.order)
    }

    /// Forgets the address that was noted least lately. While there are fewer than there may be it is the place that is crowded, and the
    /// one of those there.
    fn make_room(&self, hash: u32) {
        let is_crowded = self.slots.len() < self.slots.most();
        let oldest = if is_crowded { self.oldest(self.slots.window(hash)) } else { self.oldest(0..self.slots.places()) };
        if let Some(oldest) = oldest {
            self.slots.free(oldest.slot, oldest.state);
        }
    }
}

#[cfg(test)]
mod tests;
