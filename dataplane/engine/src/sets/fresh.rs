//! What packets have changed of a set and its table does not show yet.
//!
//! # Shape
//! As a table of fixed size has cells, so has this; but many write. Of each key that a packet brought or took out there is one *note*: the key, and a
//! *word* that says what became of it: the element is in the set and until when, it is not, or it is as the table says. A cell says where the note of a key is. A
//! lookup asks here first.
//!
//! # Life
//! A packet that changes a key of which nothing is here writes the key into the next free note, and then has the first empty cell say so; nothing else ever changes
//! about that, so that two packets with the same key come to the same note. Whatever becomes of the key after that is an exchange of the word. Every few milliseconds the control
//! thread puts into the table what the words say and then exchanges them for *as the table says*, if they are still the same. When a quarter of the cells is
//! used it hangs an empty one in front, waits until nobody changes this one any more, puts all that it says into the table, and lets it go.
//!
//! # Synchronization
//! A note is its maker's alone until a cell says it, in one step. Whose cell another one has taken meanwhile looks whether that is of the same key, and if so his note
//! stays unused: nobody waits, and nobody has to give up. Counters are added to by all.

use core::ops::Range;

use super::table::{Beside, Full, KEY_WORDS, Key, KeyHash, Layout, PROBES};
use crate::atomic::{AtomicU32, AtomicU64, Ordering};

/// What a cell says of which there is no note. Else it is the number of the note and one more, and above that a part of the hash.
const EMPTY: u64 = 0;
const TAG: u32 = 32;

/// The kind of a word, in its lowest bits.
const KIND: u64 = 3;

/// Words of a note before its counters.
const WORD: usize = 0;
const KEY: usize = 1;

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// Nothing that the table does not say.
    Quiet,
    /// It is in the set until so many milliseconds of the engine's time; 0 if it stays.
    In(u64),
    /// It is not.
    Out,
}

impl Became {
    fn word(self) -> u64 {
        match self {
            Self::Quiet => 0,
            Self::Out => 2,
            Self::In(expires) => expires << 2 | 1,
        }
    }

    fn of(word: u64) -> Self {
        match word & KIND {
            0 => Self::Quiet,
            1 => Self::In(word >> 2),
            _ => Self::Out,
        }
    }

    /// As it would stand beside an element.
    pub(crate) fn beside(self) -> Option<Beside> {
        match self {
            Self::In(expires) => Some(Beside { expires, nomatch: false }),
            Self::Quiet | Self::Out => None,
        }
    }
}

/// What packets have changed.
#[derive(Debug)]
pub(crate) struct Fresh {
    layout: Layout,
    hash: KeyHash,
    /// A power of two.
    cells: Box<[AtomicU64]>,
    notes: Box<[AtomicU64]>,
    /// How many notes there can be, and how many are taken: a few more than there can be where several workers want the last one.
    most: usize,
    used: AtomicU32,
}

fn zeros(words: usize) -> Result<Box<[AtomicU64]>, Full> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(words).map_err(|_| Full)?;
    zeros.resize_with(words, || AtomicU64::new(0));
    Ok(zeros.into())
}

impl Fresh {
    /// An empty one with so many cells, of which half may be used. The layout has no hardware address.
    pub(crate) fn new(layout: Layout, hash: KeyHash, cells: usize) -> Result<Self, Full> {
        let cells = cells.max(16).checked_next_power_of_two().ok_or(Full)?;
        let most = cells / 2;
        let notes = most.checked_mul(words_of(layout)).ok_or(Full)?;
        Ok(Self { layout, hash, cells: zeros(cells)?, notes: zeros(notes)?, most, used: AtomicU32::new(0) })
    }

    #[inline]
    fn note(&self, at: usize) -> &[AtomicU64] {
        let words = words_of(self.layout);
        &self.notes[at * words..(at + 1) * words]
    }

    fn is_key(&self, at: usize, key: &[u64]) -> bool {
        self.note(at)[KEY..].iter().zip(key).all(|(word, wanted)| word.load(Ordering::Relaxed) == *wanted)
    }

    /// The note that a cell says, if it is of this key.
    #[inline]
    fn said(&self, cell: u64, tag: u64, key: &[u64]) -> Option<usize> {
        let at = (cell as u32 as usize).checked_sub(1)?;
        (cell >> TAG == tag && self.is_key(at, key)).then_some(at)
    }

    /// Cells in which a key of this hash may be.
    fn way(&self, hash: u64) -> impl Iterator<Item = &AtomicU64> {
        let mask = self.cells.len() - 1;
        (0..PROBES.min(mask)).map(move |step| &self.cells[(hash as usize + step) & mask])
    }

    /// The note of a key, if a packet has changed it.
    #[inline]
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        if self.used.load(Ordering::Acquire) == 0 {
            return None;
        }
        let key = &key[..self.layout.key];
        let hash = self.hash.of(key);
        for cell in self.way(hash) {
            // Acquire: who sees that there is a note sees whose.
            let cell = cell.load(Ordering::Acquire);
            if cell == EMPTY {
                return None;
            }
            let said = self.said(cell, hash >> TAG, key);
            if said.is_some() {
                return said;
            }
        }
        None
    }

    /// The note of a key, made if there is none.
    pub(crate) fn place(&self, key: &Key) -> Result<usize, Full> {
        let key = &key[..self.layout.key];
        let hash = self.hash.of(key);
        let tag = hash >> TAG;
        let mut own = None;
        for cell in self.way(hash) {
            let mut there = cell.load(Ordering::Acquire);
            if there == EMPTY {
                let at = own.map_or_else(|| self.make(key), Ok)?;
                own = Some(at);
                match cell.compare_exchange(EMPTY, tag << TAG | (at as u64 + 1), Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return Ok(at),
                    Err(other) => there = other,
                }
            }
            if let Some(at) = self.said(there, tag, key) {
                return Ok(at);
            }
        }
        Err(Full)
    }

    /// A note that no cell says yet.
    fn make(&self, key: &[u64]) -> Result<usize, Full> {
        if self.used.load(Ordering::Relaxed) as usize >= self.most {
            return Err(Full);
        }
        let at = self.used.fetch_add(1, Ordering::AcqRel) as usize;
        if at >= self.most {
            return Err(Full);
        }
        for (word, part) in self.note(at)[KEY..].iter().zip(key) {
            word.store(*part, Ordering::Relaxed);
        }
        Ok(at)
    }

    /// Half of what may be used is.
    pub(crate) fn is_crowded(&self) -> bool {
        self.used.load(Ordering::Relaxed) as usize >= self.most / 2
    }

    #[inline]
    pub(crate) fn became(&self, at: usize) -> Became {
        Became::of(self.note(at)[WORD].load(Ordering::Acquire))
    }

    /// Exchanges what became of a key; whether it was that before.
    pub(crate) fn exchange(&self, at: usize, before: Became, now: Became) -> bool {
        let word = &self.note(at)[WORD];
        word.compare_exchange(before.word(), now.word(), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Packets and bytes; `None` where the set does not count. Who brings the element begins them, with a release.
    #[inline]
    pub(crate) fn counters(&self, at: usize) -> Option<(&AtomicU64, &AtomicU64)> {
        let from = KEY + self.layout.key;
        let note = self.note(at);
        self.layout.counters.then(|| (&note[from], &note[from + 1]))
    }

    /// All notes that may have been made. The control thread's alone.
    pub(crate) fn made(&self) -> Range<usize> {
        0..self.most.min(self.used.load(Ordering::Acquire) as usize)
    }

    /// Whose note it is: only of one is that certain of which something was seen to become, or to be counted. The control thread's alone.
    pub(crate) fn key(&self, at: usize) -> Key {
        let mut key = [0; KEY_WORDS];
        let words = &self.note(at)[KEY..KEY + self.layout.key];
        key.iter_mut().zip(words).for_each(|(to, from)| *to = from.load(Ordering::Relaxed));
        key
    }
}

/// Words of a note.
fn words_of(layout: Layout) -> usize {
    KEY + layout.key + 2 * usize::from(layout.counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(cells: usize) -> Fresh {
        Fresh::new(Layout { key: 2, mac: false, counters: true }, KeyHash::new([1, 2]), cells).unwrap()
    }

    fn key(number: u64) -> Key {
        [number, number * 7, 0, 0, 0]
    }

    #[test]
    fn a_key_has_one_note_until_half_of_the_cells_are_used() {
        let fresh = fresh(64);
        for number in 0..32 {
            assert_eq!(fresh.find(&key(number)), None);
            let note = fresh.place(&key(number)).unwrap();
            assert_eq!((fresh.place(&key(number)), fresh.find(&key(number))), (Ok(note), Some(note)));
            assert_eq!(fresh.is_crowded(), number >= 15);
        }
        assert_eq!(fresh.place(&key(32)), Err(Full));
        let made: Vec<u64> = fresh.made().map(|note| fresh.key(note)[0]).collect();
        assert_eq!(made, (0..32).collect::<Vec<_>>());
    }

    #[test]
    fn what_became_of_a_key_is_exchanged_by_who_knows_what_it_was() {
        let fresh = fresh(16);
        let note = fresh.place(&key(1)).unwrap();
        assert_eq!(fresh.became(note), Became::Quiet);
        for (before, now) in
            [(Became::Quiet, Became::In(1 << 60)), (Became::In(1 << 60), Became::Out), (Became::Out, Became::In(0))]
        {
            assert!(fresh.exchange(note, before, now) && !fresh.exchange(note, before, now));
            assert_eq!(fresh.became(note), now);
        }
    }
}
