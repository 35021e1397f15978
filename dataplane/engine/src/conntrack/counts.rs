//! How many connections are on each list of `connlimit`. Shared by all workers: two connections of one address are often of two workers.
//!
//! A list is known by a keyed hash of what it is for; of that, its bucket and a signature of 34 bits are kept, so that one word holds a list: two
//! lists are taken for one with a probability of 15 in 2^34. A bucket is two cache lines: a head and 15 lists. What is looked at and what is
//! written is in one bucket, whatever there is in the table.
//!
//! A list whose last connection has gone stays, empty, until its place is wanted: the kernel keeps its empty ones too, and they tell.
//!
//! A list may end with a *ghost*, as the kernel's does: a connection that was refused, or a packet that has none. It is counted until the list is
//! looked through, which is when another connection is put on it, or a packet of an ASSURED one comes.
//!
//! *Entering* and *leaving* change a list's word by one exchange. No list may be made twice, so making one is announced in the bucket's head
//! first: the exchange succeeds only if no other was begun since the bucket was looked through, and whoever finds an announcement finishes
//! it before he does anything else. Nobody waits for anybody. Only what is announced fills a free place, and only free places are filled; a place's
//! stamp changes with that, so that somebody late cannot do again what was done.
//!
//! Written and read by every worker, by atomic operations alone. Memory set aside at boot.

use crate::atomic::{AtomicU64, Ordering};

/// A list: the hash of what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List(pub(crate) u64);

/// The list, or its bucket, is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Lists of a bucket.
const LISTS: usize = 15;

/// A place: signature (0: it is free), stamp, ghost, count.
const COUNT: u64 = (1 << 21) - 1;
const GHOST: u64 = 1 << 21;
const STAMP: u64 = 0xff << 22;
const STAMP_ONE: u64 = 1 << 22;
const SIGNATURE: u32 = 30;

/// The head: announced or not, where, with a connection or a ghost, how many announcements there were, for which signature.
const ANNOUNCED: u64 = 1 << 63;
const PLACE: u32 = 59;
const FIRST: u32 = 57;
const ENTERED: u64 = 1;
const HAUNTED: u64 = 2;
const TURN_ONE: u64 = 1 << 34;
const TURN: u64 = ((1 << 23) - 1) << 34;
const WANTED: u64 = TURN_ONE - 1;

/// The lists of one family. `N` lists a bucket.
#[derive(Debug)]
pub(crate) struct Counts<const N: usize = LISTS> {
    buckets: Box<[Bucket<N>]>,
}

#[derive(Debug)]
#[repr(align(128))]
struct Bucket<const N: usize> {
    head: AtomicU64,
    lists: [AtomicU64; N],
}

/// A place that is used anew, with the next stamp.
fn place(signature: u64, before: u64) -> u64 {
    signature << SIGNATURE | before.wrapping_add(STAMP_ONE) & STAMP
}

/// Connections and ghost.
fn length(word: u64) -> u32 {
    (word & COUNT) as u32 + u32::from(word & GHOST != 0)
}

impl<const N: usize> Counts<N> {
    /// Room for this many buckets, at least one.
    pub(crate) fn new(buckets: usize) -> Self {
        let bucket = |_| Bucket { head: AtomicU64::new(0), lists: core::array::from_fn(|_| AtomicU64::new(0)) };
        Self { buckets: (0..buckets.max(1)).map(bucket).collect() }
    }

    fn bucket(&self, list: List) -> (&Bucket<N>, u64) {
        let part = list.0 >> 34;
        let at = (part * self.buckets.len() as u64) >> 30;
        (&self.buckets[at as usize], (list.0 & WANTED).max(1))
    }

    /// How long the list is; `None` when there is none.
    pub(crate) fn get(&self, list: List) -> Option<u32> {
        let (bucket, signature) = self.bucket(list);
        bucket.find(signature).map(|(_, word)| length(word))
    }

    /// How many connections are on the list, from which a ghost goes; `None` when there is no list.
    pub(crate) fn look_through(&self, list: List) -> Option<u32> {
        let (bucket, signature) = self.bucket(list);
        loop {
            let (place, word) = bucket.find(signature)?;
            if word & GHOST == 0 || exchange(place, word, word & !GHOST) {
                return Some((word & COUNT) as u32);
            }
        }
    }

    /// One connection more, behind which there is no ghost; says how many there are with it.
    pub(crate) fn enter(&self, list: List) -> Result<u32, Full> {
        let (bucket, signature) = self.bucket(list);
        loop {
            let Some((place, word)) = bucket.open(signature, ENTERED)? else { return Ok(1) };
            if word & COUNT == COUNT {
                return Err(Full);
            }
            let more = (word & !GHOST) + 1;
            if exchange(place, word, more) {
                return Ok(length(more));
            }
        }
    }

    /// Puts a ghost on the list, in the place of the one that may be there; says how long it is with it.
    pub(crate) fn haunt(&self, list: List) -> Result<u32, Full> {
        let (bucket, signature) = self.bucket(list);
        loop {
            let Some((place, word)) = bucket.open(signature, HAUNTED)? else { return Ok(1) };
            if word & GHOST != 0 || exchange(place, word, word | GHOST) {
                return Ok(length(word | GHOST));
            }
        }
    }

    /// One connection, which had entered, less; a refused one stays as a ghost.
    pub(crate) fn leave(&self, list: List, refused: bool) {
        let (bucket, signature) = self.bucket(list);
        while let Some((place, word)) = bucket.find(signature) {
            debug_assert_ne!(word & COUNT, 0, "nobody leaves who has not entered");
            let less = (word - 1) | if refused { GHOST } else { 0 };
            if word & COUNT == 0 || exchange(place, word, less) {
                return;
            }
        }
    }
}

fn exchange(place: &AtomicU64, old: u64, new: u64) -> bool {
    place.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

impl<const N: usize> Bucket<N> {
    fn words(&self) -> impl Iterator<Item = (&AtomicU64, u64)> {
        self.lists.iter().map(|place| (place, place.load(Ordering::Acquire)))
    }

    fn find(&self, signature: u64) -> Option<(&AtomicU64, u64)> {
        self.words().find(|(_, word)| word >> SIGNATURE == signature)
    }

    /// The list. If there is none it is made, with a connection or a ghost on it: `None`.
    fn open(&self, signature: u64, first: u64) -> Result<Option<(&AtomicU64, u64)>, Full> {
        loop {
            let head = self.head.load(Ordering::Acquire);
            if head & ANNOUNCED != 0 {
                self.finish(head);
                continue;
            }
            if let Some(found) = self.find(signature) {
                return Ok(Some(found));
            }
            let Some(free) = self.words().position(|(_, word)| word >> SIGNATURE == 0) else {
                self.forget_one()?;
                continue;
            };
            let turn = head.wrapping_add(TURN_ONE) & TURN;
            let announced = ANNOUNCED | (free as u64) << PLACE | first << FIRST | turn | signature;
            if exchange(&self.head, head, announced) {
                self.finish(announced);
                return Ok(None);
            }
        }
    }

    /// Frees the place of a list without connections.
    fn forget_one(&self) -> Result<(), Full> {
        let (list, word) = self.words().find(|(_, word)| word & COUNT == 0).ok_or(Full)?;
        // If it was entered meanwhile, another one is looked for.
        exchange(list, word, place(0, word));
        Ok(())
    }

    /// Does what is announced.
    fn finish(&self, announced: u64) {
        let free = &self.lists[(announced >> PLACE & 0xf) as usize];
        let word = free.load(Ordering::Acquire);
        if self.head.load(Ordering::Acquire) != announced {
            return;
        }
        // Whoever comes second finds that it was done, and that it was said.
        if word >> SIGNATURE == 0 {
            let first = match announced >> FIRST & 3 {
                HAUNTED => GHOST,
                _ => 1,
            };
            exchange(free, word, place(announced & WANTED, word) | first);
        }
        exchange(&self.head, announced, announced & TURN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_counts_who_enters_and_leaves_and_stays_when_it_is_empty() {
        let counts = Counts::<LISTS>::new(4);
        let (one, other) = (List(7 << 34 | 5), List(7 << 34 | 6));
        assert_eq!((counts.get(one), counts.look_through(one)), (None, None));
        assert_eq!((counts.enter(one), counts.enter(one), counts.enter(other)), (Ok(1), Ok(2), Ok(1)));
        counts.leave(one, false);
        assert_eq!((counts.get(one), counts.get(other)), (Some(1), Some(1)));
        counts.leave(one, false);
        assert_eq!((counts.get(one), counts.enter(one)), (Some(0), Ok(1)));
    }

    #[test]
    fn a_ghost_counts_until_the_list_is_looked_through_or_entered() {
        let counts = Counts::<LISTS>::new(1);
        let (list, haunted) = (List(5), List(6));
        assert_eq!((counts.enter(list), counts.haunt(list), counts.haunt(list)), (Ok(1), Ok(2), Ok(2)));
        assert_eq!((counts.get(list), counts.enter(list)), (Some(2), Ok(2)));
        counts.leave(list, true);
        assert_eq!((counts.get(list), counts.look_through(list), counts.get(list)), (Some(2), Some(1), Some(1)));
        assert_eq!((counts.haunt(haunted), counts.look_through(haunted)), (Ok(1), Some(0)));
    }

    #[test]
    fn a_list_without_connections_makes_room_and_a_bucket_of_others_refuses() {
        let counts = Counts::<LISTS>::new(1);
        for n in 1..=LISTS as u64 {
            assert_eq!(counts.enter(List(n)), Ok(1));
        }
        assert_eq!((counts.enter(List(99)), counts.haunt(List(99))), (Err(Full), Err(Full)));
        counts.leave(List(3), true);
        assert_eq!((counts.haunt(List(99)), counts.get(List(3)), counts.enter(List(99))), (Ok(1), None, Ok(1)));
        assert_eq!(counts.get(List(4)), Some(1), "the others are as they were");
    }

    #[test]
    fn a_place_is_used_again_and_again() {
        let counts = Counts::<2>::new(1);
        for n in 1..2000 {
            assert_eq!((counts.enter(List(n)), counts.enter(List(n)), counts.get(List(n))), (Ok(1), Ok(2), Some(2)));
            counts.leave(List(n), false);
            counts.leave(List(n), false);
        }
    }

    #[test]
    fn a_list_has_a_greatest_length() {
        let counts = Counts::<1>::new(1);
        counts.enter(List(1)).unwrap();
        counts.buckets[0].lists[0].fetch_add(COUNT - 1, Ordering::Relaxed);
        assert_eq!((counts.enter(List(1)), counts.get(List(1))), (Err(Full), Some(COUNT as u32)));
    }
}
