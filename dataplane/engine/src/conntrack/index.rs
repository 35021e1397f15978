//! From a tuple to the slot of its flow.
//!
//! Buckets of one cache line: eight signatures (32 bits of the keyed hash) and eight places (slot and direction). A tuple has two buckets; the
//! key itself stays in the slab, and is compared there by the caller. When both are full an entry is moved to its other bucket to make
//! room, or one in whose place that one then goes: a search of bounded width. What still finds no room, which at the load kept here is a
//! matter of very small tables, goes to an overflow that is looked at only while something is in it.
//!
//! Nothing is rehashed and nothing is allocated after [`TupleIndex::new`], and every operation touches a bounded number of lines, however full
//! the table. (hashbrown leaves tombstones; with a table that churns it rehashes in place now and then, a stall over the whole table.)
//!
//! One writer and reader: the worker that owns the table.

use core::num::NonZeroU32;

use arrayvec::ArrayVec;
use wide::u32x8;

use super::entry::Dir;

/// A half of a flow: slot and direction in one number, plus one. A slot has 30 bits: the highest one is free, for places that are no slot of this table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(NonZeroU32);

impl Place {
    #[inline]
    pub(crate) fn new(slot: u32, dir: Dir) -> Self {
        Self(NonZeroU32::MIN.saturating_add(slot << 1 | dir as u32))
    }

    #[inline]
    fn number(self) -> u32 {
        self.0.get() - 1
    }

    #[inline]
    pub(crate) fn slot(self) -> u32 {
        self.number() >> 1
    }

    #[inline]
    pub(crate) fn dir(self) -> Dir {
        if self.number() & 1 == 0 { Dir::Original } else { Dir::Reply }
    }
}

/// Entries of a bucket.
const WAYS: usize = 8;
/// Of 8 entries of a bucket this many are in use when the table is full.
const LOAD: usize = 7;
/// Entries of two full buckets whose other buckets are brought near together.
const AT_ONCE: usize = 6;
/// Entries that neither of their buckets has room for.
const OVERFLOW: usize = 64;

/// An empty entry has signature 0 and no place.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Bucket {
    signatures: [u32; WAYS],
    places: [Option<Place>; WAYS],
}

const _: () = assert!(size_of::<Bucket>() == 64);

impl Bucket {
    const EMPTY: Self = Self { signatures: [0; WAYS], places: [None; WAYS] };

    /// A bit for each entry of this signature. Empty ones have 0, which no tuple has.
    #[inline]
    fn matches(&self, signature: u32) -> u32 {
        u32x8::new(self.signatures).simd_eq(u32x8::splat(signature)).to_bitmask()
    }

    #[inline]
    fn room(&self) -> Option<usize> {
        match self.matches(0) {
            0 => None,
            bits => Some(bits.trailing_zeros() as usize),
        }
    }

    fn set(&mut self, way: usize, signature: u32, place: Option<Place>) {
        self.signatures[way] = signature;
        self.places[way] = place;
    }
}

/// What of a hash an entry keeps. Never 0.
#[inline]
fn signature(hash: u64) -> u32 {
    (hash >> 32) as u32 | 1
}

/// `part` of 2^32, as a number below `n`.
#[inline]
fn scale(part: u32, n: u32) -> u32 {
    ((u64::from(part) * u64::from(n)) >> 32) as u32
}

/// The index.
pub(crate) struct TupleIndex {
    buckets: Vec<Bucket>,
    /// Signature, place and one of its two buckets.
    overflow: ArrayVec<(u32, Option<Place>, u32), OVERFLOW>,
}

impl TupleIndex {
    /// Room for `entries` at a load of seven eighths.
    pub(crate) fn new(entries: usize) -> Self {
        Self { buckets: memory::filled(Bucket::EMPTY, entries.div_ceil(LOAD).max(1)), overflow: ArrayVec::new() }
    }

    /// Bytes that an index of so many entries takes.
    pub(crate) fn bytes(entries: usize) -> usize {
        entries.div_ceil(LOAD).max(1) * size_of::<Bucket>()
    }

    /// Has the kernel back it now.
    pub(crate) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(&mut self.buckets)
    }

    fn len(&self) -> u32 {
        self.buckets.len() as u32
    }

    #[inline]
    fn first(&self, hash: u64) -> u32 {
        scale(hash as u32, self.len())
    }

    /// The other bucket of an entry that may stand in `bucket`. The other of the other is the one again.
    #[inline]
    fn other(&self, bucket: u32, signature: u32) -> u32 {
        let (n, sum) = (self.len(), scale(signature.wrapping_mul(0x9e37_79b1), self.len()));
        if sum >= bucket { sum - bucket } else { sum + (n - bucket) }
    }

    /// Both buckets of a hash.
    #[inline]
    fn both(&self, hash: u64) -> [u32; 2] {
        let first = self.first(hash);
        [first, self.other(first, signature(hash))]
    }

    /// Brings the first bucket of a hash near.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        memory::prefetch(&self.buckets[self.first(hash) as usize]);
    }

    /// Brings its other bucket near.
    #[inline]
    pub(crate) fn prefetch_other(&self, hash: u64) {
        memory::prefetch(&self.buckets[self.other(self.first(hash), signature(hash)) as usize]);
    }

    /// The place in the first bucket of a hash that a search for it will most likely ask about.
    #[inline]
    pub(crate) fn likely(&self, hash: u64) -> Option<Place> {
        self.likely_in(self.first(hash), hash)
    }

    /// The same of its other bucket.
    #[inline]
    pub(crate) fn likely_other(&self, hash: u64) -> Option<Place> {
        self.likely_in(self.other(self.first(hash), signature(hash)), hash)
    }

    #[inline]
    fn likely_in(&self, at: u32, hash: u64) -> Option<Place> {
        let bucket = &self.buckets[at as usize];
        match bucket.matches(signature(hash)) {
            0 => None,
            bits => bucket.places[bits.trailing_zeros() as usize],
        }
    }

    /// The first place under this hash for which `same` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut same: impl FnMut(Place) -> bool) -> Option<Place> {
        let signature = signature(hash);
        let mut at = self.first(hash);
        for _ in 0..2 {
            let bucket = &self.buckets[at as usize];
            let mut bits = bucket.matches(signature);
            while bits != 0 {
                let place = bucket.places[bits.trailing_zeros() as usize];
                if place.is_some_and(&mut same) {
                    return place;
                }
                bits &= bits - 1;
            }
            at = self.other(at, signature);
        }
        if self.overflow.is_empty() {
            return None;
        }
        self.overflow.iter().filter(|entry| entry.0 == signature).filter_map(|entry| entry.1).find(|place| same(*place))
    }

    /// Places in the buckets of this hash and in those that follow its first one, `buckets` in all, in an order that the hash gives: where
    /// an entry may be looked for that has to make room.
    pub(crate) fn near(&self, hash: u64, buckets: u32) -> impl Iterator<Item = Place> {
        let (first, n) = (self.first(hash), self.len());
        let entries = (0..buckets.min(n)).flat_map(move |i| {
            let at = first + i;
            self.buckets[if at >= n { at - n } else { at } as usize].places
        });
        let overflow = self.overflow.iter().map(|entry| entry.1);
        entries.chain(overflow).flatten()
    }

    /// Is there room for two more entries, whatever their hashes?
    pub(crate) fn has_room(&self) -> bool {
        self.overflow.remaining_capacity() >= 2
    }

    /// Adds an entry. The caller asked [`TupleIndex::has_room`] before.
    pub(crate) fn insert(&mut self, hash: u64, place: Place) {
        let (signature, place) = (signature(hash), Some(place));
        let both = self.both(hash);
        for at in both {
            let bucket = &mut self.buckets[at as usize];
            if let Some(way) = bucket.room() {
                bucket.set(way, signature, place);
                return;
            }
        }
        match self.make_room(both) {
            Some((at, way)) => self.buckets[at as usize].set(way, signature, place),
            None => {
                let full = self.overflow.try_push((signature, place, both[0])).is_err();
                debug_assert!(!full, "has_room was asked");
            }
        }
    }

    /// Frees an entry of one of two full buckets by moving one entry, or two, to where they may stand as well.
    fn make_room(&mut self, full: [u32; 2]) -> Option<(u32, usize)> {
        let candidates = || full.into_iter().flat_map(|at| (0..WAYS).map(move |way| (at, way)));
        // One of the first few has room as a rule; they are waited for together.
        for (at, way) in candidates().take(AT_ONCE) {
            memory::prefetch(&self.buckets[self.other(at, self.buckets[at as usize].signatures[way]) as usize]);
        }
        for (at, way) in candidates() {
            if self.move_over(at, way) {
                return Some((at, way));
            }
        }
        for (at, way) in candidates() {
            let next = self.other(at, self.buckets[at as usize].signatures[way]);
            for further in 0..WAYS {
                // Not out of the buckets that are to be cleared: what is moved about there makes no room.
                if !full.contains(&next) && self.move_over(next, further) && self.move_over(at, way) {
                    return Some((at, way));
                }
            }
        }
        None
    }

    /// Moves an entry to its other bucket, if that has room.
    fn move_over(&mut self, at: u32, way: usize) -> bool {
        let bucket = &self.buckets[at as usize];
        let (signature, place) = (bucket.signatures[way], bucket.places[way]);
        let to = self.other(at, signature);
        let Some(free) = self.buckets[to as usize].room() else { return false };
        self.buckets[to as usize].set(free, signature, place);
        self.buckets[at as usize].set(way, 0, None);
        true
    }

    /// Removes an entry that is there.
    pub(crate) fn remove(&mut self, hash: u64, place: Place) {
        let place = Some(place);
        for at in self.both(hash) {
            let bucket = &mut self.buckets[at as usize];
            if let Some(way) = bucket.places.iter().position(|&other| other == place) {
                bucket.set(way, 0, None);
                self.bring_back(at, way);
                return;
            }
        }
        let found = self.overflow.iter().position(|entry| entry.1 == place);
        debug_assert!(found.is_some(), "what is removed was inserted");
        if let Some(found) = found {
            self.overflow.swap_remove(found);
        }
    }

    /// An entry became free: one of the overflow may stand there.
    fn bring_back(&mut self, at: u32, way: usize) {
        let may = |entry: &(u32, Option<Place>, u32)| entry.2 == at || self.other(entry.2, entry.0) == at;
        if let Some(found) = self.overflow.iter().position(may) {
            let (signature, place, _) = self.overflow.swap_remove(found);
            self.buckets[at as usize].set(way, signature, place);
        }
    }

    /// Entries in the overflow.
    #[cfg(test)]
    fn overflowing(&self) -> usize {
        self.overflow.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::rng::Rng;

    proptest! {
        /// Of few different hashes, so that buckets run over all the time: the index holds exactly what a set holds.
        #[test]
        fn holds_what_was_put_in(entries in 1usize..80, ops in proptest::collection::vec((0u32..120, any::<bool>()), 0..600)) {
            let mut index = TupleIndex::new(entries);
            let hash = |slot: u32| [3, 3 | 9 << 32, u64::MAX, 1 << 63, 0, 77 << 30][slot as usize % 6] ^ u64::from(slot / 40) << 40;
            let mut model = std::collections::BTreeSet::new();
            for (slot, insert) in ops {
                let place = Place::new(slot, Dir::Reply);
                if insert && !model.contains(&slot) && index.has_room() {
                    model.insert(slot);
                    index.insert(hash(slot), place);
                } else if !insert && model.remove(&slot) {
                    index.remove(hash(slot), place);
                }
                for slot in 0..120 {
                    let place = Place::new(slot, Dir::Reply);
                    prop_assert_eq!(index.find(hash(slot), |p| p == place).is_some(), model.contains(&slot));
                }
                let first = |index: &TupleIndex| index.near(0, u32::MAX).count();
                prop_assert_eq!(first(&index), model.len(), "near reaches every entry once");
            }
            prop_assert!(index.overflowing() == 0 || model.len() > WAYS, "room that is there is used");
        }
    }

    /// However large the table and however the keys fall: as many entries as it was made for go in, time and again, and the overflow stays as
    /// good as empty. Pseudo-random hashes, as the keyed hash gives.
    #[test]
    fn a_table_filled_to_its_capacity_refuses_nobody() {
        for (entries, seed) in [(16, 1), (130, 2), (2_000, 3), (50_000, 4), (300_000, 5)] {
            let mut rng = Rng::new(seed);
            let mut index = TupleIndex::new(entries);
            let mut hashes: Vec<u64> = (0..entries).map(|_| rng.next_u64()).collect();
            for (slot, hash) in hashes.iter().enumerate() {
                assert!(index.has_room());
                index.insert(*hash, Place::new(slot as u32, Dir::Original));
            }
            for _ in 0..entries.min(100_000) {
                let slot = rng.below(entries as u32) as usize;
                let place = Place::new(slot as u32, Dir::Original);
                index.remove(hashes[slot], place);
                hashes[slot] = rng.next_u64();
                assert!(index.has_room());
                index.insert(hashes[slot], place);
            }
            for (slot, hash) in hashes.iter().enumerate() {
                let place = Place::new(slot as u32, Dir::Original);
                assert_eq!(index.find(*hash, |p| p == place), Some(place));
            }
            assert!(index.overflowing() <= 2, "{entries}: {}", index.overflowing());
        }
    }

    #[test]
    fn the_likely_place_is_the_one_that_is_found() {
        let mut rng = Rng::new(9);
        let mut index = TupleIndex::new(1000);
        let hashes: Vec<u64> = (0..1000).map(|_| rng.next_u64()).collect();
        for (slot, hash) in hashes.iter().enumerate() {
            index.insert(*hash, Place::new(slot as u32, Dir::Reply));
        }
        let likely = |hash| index.likely(hash).or_else(|| index.likely_other(hash));
        assert!(hashes.iter().enumerate().all(|(slot, hash)| likely(*hash) == Some(Place::new(slot as u32, Dir::Reply))));
        assert_eq!(likely(rng.next_u64()), None);
    }

    #[test]
    fn a_place_keeps_slot_and_direction() {
        for dir in [Dir::Original, Dir::Reply] {
            let place = Place::new(77, dir);
            assert_eq!((place.slot(), place.dir()), (77, dir));
        }
    }
}
