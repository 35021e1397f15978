//! What packets have changed of a set and its table does not show yet.
//!
//! # Shape
//! As a table of fixed size has cells, so has this; but many write. Of each key that a packet brought or took out there is one cell, with a
//! *word* that says what became of it: the element is in the set and until when, it is not, or it is as the table says. A lookup asks here first.
//!
//! # Life
//! A packet that changes a key of which nothing is here makes a cell of the first empty one; nothing else ever changes about that, so that two
//! packets with the same key come to the same cell. Whatever becomes of the key after that is an exchange of the word. Every few milliseconds the control
//! thread puts into the table what the words say and then exchanges them for *as the table says*, if they are still the same. When a quarter of the cells is
//! used it hangs an empty one in front, waits until nobody changes this one any more, puts all that it says into the table, and lets it go.
//!
//! # Synchronization
//! A cell's maker alone writes its key, before the state says that it lives. Who meets a cell that is being made and may be of its key does not wait: two packets
//! change the key in the same moment, and either may be called the later one. Counters are added to by all.

use super::table::{Beside, Full, Key, KeyHash, Layout, PROBES};
use crate::atomic::{AtomicU32, AtomicU64, Ordering};

/// The kind of a state, in its lowest bits: nothing was ever here.
const EMPTY: u64 = 0;
/// Its maker writes the key.
const MADE: u64 = 1;
const LIVE: u64 = 2;
const KIND: u64 = 3;
/// Part of the hash stands above this.
const TAG: u32 = 32;

const STATE: usize = 0;
const WORD: usize = 1;
const KEY: usize = 2;

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

/// The cell of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Here(usize),
    /// Another packet makes it in this moment.
    Meanwhile,
}

/// What packets have changed.
#[derive(Debug)]
pub(crate) struct Fresh {
    layout: Layout,
    hash: KeyHash,
    /// Cells less one: they are a power of two.
    mask: usize,
    words: Box<[AtomicU64]>,
    /// How many cells are used, and which, in the order in which they were made: their numbers and one more.
    used: AtomicU32,
    order: Box<[AtomicU32]>,
}

impl Fresh {
    /// An empty one with so many cells, of which half may be used. The layout has no hardware address.
    pub(crate) fn new(layout: Layout, hash: KeyHash, cells: usize) -> Result<Self, Full> {
        let cells = cells.max(16).checked_next_power_of_two().ok_or(Full)?;
        let mut words = Vec::new();
        words.try_reserve_exact(cells.checked_mul(layout.words()).ok_or(Full)?).map_err(|_| Full)?;
        words.resize_with(cells * layout.words(), || AtomicU64::new(0));
        let mut order = Vec::new();
        order.try_reserve_exact(cells / 2).map_err(|_| Full)?;
        order.resize_with(cells / 2, || AtomicU32::new(0));
        Ok(Self { layout, hash, mask: cells - 1, words: words.into(), used: AtomicU32::new(0), order: order.into() })
    }

    #[inline]
    fn cell(&self, at: usize) -> &[AtomicU64] {
        let words = self.layout.words();
        &self.words[at * words..(at + 1) * words]
    }

    fn is_key(&self, at: usize, key: &[u64]) -> bool {
        self.cell(at)[KEY..].iter().zip(key).all(|(word, wanted)| word.load(Ordering::Relaxed) == *wanted)
    }

    /// The cell of a key, if a packet has changed it.
    #[inline]
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        if self.used.load(Ordering::Acquire) == 0 {
            return None;
        }
        let key = &key[..self.layout.key];
        let hash = self.hash.of(key);
        for step in 0..PROBES.min(self.mask) {
            let at = (hash as usize + step) & self.mask;
            let state = self.cell(at)[STATE].load(Ordering::Acquire);
            if state == EMPTY {
                return None;
            }
            if state == hash >> TAG << TAG | LIVE && self.is_key(at, key) {
                return Some(at);
            }
        }
        None
    }

    /// The cell of a key, made if there is none.
    pub(crate) fn place(&self, key: &Key) -> Result<Place, Full> {
        let key = &key[..self.layout.key];
        let hash = self.hash.of(key);
        let tag = hash >> TAG << TAG;
        for step in 0..PROBES.min(self.mask) {
            let at = (hash as usize + step) & self.mask;
            let cell = self.cell(at);
            let mut state = cell[STATE].load(Ordering::Acquire);
            if state == EMPTY {
                if self.used.load(Ordering::Relaxed) as usize >= self.order.len() {
                    return Err(Full);
                }
                match cell[STATE].compare_exchange(EMPTY, tag | MADE, Ordering::Acquire, Ordering::Acquire) {
                    Ok(_) => {
                        self.make(at, key, tag);
                        return Ok(Place::Here(at));
                    }
                    Err(other) => state = other,
                }
            }
            if state == tag | MADE {
                return Ok(Place::Meanwhile);
            }
            if state == tag | LIVE && self.is_key(at, key) {
                return Ok(Place::Here(at));
            }
        }
        Err(Full)
    }

    fn make(&self, at: usize, key: &[u64], tag: u64) {
        let cell = self.cell(at);
        for (word, part) in cell[KEY..].iter().zip(key) {
            word.store(*part, Ordering::Relaxed);
        }
        cell[STATE].store(tag | LIVE, Ordering::Release);
        let number = self.used.fetch_add(1, Ordering::AcqRel) as usize;
        // As many more as there are workers may come at once; what is beyond the end is found when all cells are looked through.
        if let Some(place) = self.order.get(number) {
            place.store(at as u32 + 1, Ordering::Release);
        }
    }

    /// Half of what may be used is.
    pub(crate) fn is_crowded(&self) -> bool {
        self.used.load(Ordering::Relaxed) as usize >= self.order.len() / 2
    }

    #[inline]
    pub(crate) fn became(&self, at: usize) -> Became {
        Became::of(self.cell(at)[WORD].load(Ordering::Acquire))
    }

    /// Exchanges what became of a key; whether it was that before.
    pub(crate) fn exchange(&self, at: usize, before: Became, now: Became) -> bool {
        let word = &self.cell(at)[WORD];
        word.compare_exchange(before.word(), now.word(), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Packets and bytes; `None` where the set does not count.
    #[inline]
    pub(crate) fn counters(&self, at: usize) -> Option<(&AtomicU64, &AtomicU64)> {
        let from = self.layout.counters_at();
        let cell = self.cell(at);
        self.layout.counters.then(|| (&cell[from], &cell[from + 1]))
    }

    /// All cells that are made. The control thread's alone.
    pub(crate) fn made(&self) -> impl Iterator<Item = (usize, Key)> {
        let used = self.used.load(Ordering::Acquire) as usize;
        let in_order = used <= self.order.len();
        let cells = if in_order { used } else { self.mask + 1 };
        (0..cells).filter_map(move |number| {
            let at = if in_order { self.order[number].load(Ordering::Acquire).checked_sub(1)? as usize } else { number };
            let cell = self.cell(at);
            if cell[STATE].load(Ordering::Acquire) & KIND != LIVE {
                return None;
            }
            let mut key = Key::default();
            key.iter_mut().zip(&cell[KEY..KEY + self.layout.key]).for_each(|(to, from)| *to = from.load(Ordering::Relaxed));
            Some((at, key))
        })
    }
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
    fn a_key_has_one_cell_until_half_of_them_are_used() {
        let fresh = fresh(64);
        for number in 0..32 {
            assert_eq!(fresh.find(&key(number)), None);
            let Ok(Place::Here(cell)) = fresh.place(&key(number)) else { panic!("there is room") };
            assert_eq!((fresh.place(&key(number)), fresh.find(&key(number))), (Ok(Place::Here(cell)), Some(cell)));
            assert_eq!(fresh.is_crowded(), number >= 15);
        }
        assert_eq!(fresh.place(&key(32)), Err(Full));
        let made: Vec<u64> = fresh.made().map(|(_, key)| key[0]).collect();
        assert_eq!(made, (0..32).collect::<Vec<_>>());
    }

    #[test]
    fn what_became_of_a_key_is_exchanged_by_who_knows_what_it_was() {
        let fresh = fresh(16);
        let Ok(Place::Here(cell)) = fresh.place(&key(1)) else { panic!("there is room") };
        assert_eq!(fresh.became(cell), Became::Quiet);
        for (before, now) in
            [(Became::Quiet, Became::In(1 << 60)), (Became::In(1 << 60), Became::Out), (Became::Out, Became::In(0))]
        {
            assert!(fresh.exchange(cell, before, now) && !fresh.exchange(cell, before, now));
            assert_eq!(fresh.became(cell), now);
        }
    }
}
