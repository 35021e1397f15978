//! Elements of one set: a table of fixed size in which many look and one writes.
//!
//! # Shape
//! Cells of the same number of 64-bit words: a state, what stands beside the element, its key, and where the set has them a hardware address and two
//! counters. An element stands in the first free cell from where its hash points on, and never more than [`PROBES`] cells from there. A table that has no
//! such place is [`Table::grown`]: made anew aside, larger, and published in its stead.
//!
//! # Synchronization
//! The writer is one, on a control thread. It fills a cell that nobody reads and then says in its state that it is live; it takes an element away by the
//! state alone. A reader looks at the state, at the key, and at the state again: where that has changed, the cell's element went while it looked (and maybe another
//! one came), which for this packet is as if it was not there. The state counts how often its cell came to life, so that no change is overlooked. Nobody waits for
//! anybody, and a lookup ends after [`PROBES`] cells. What stands beside an element is one word: it changes in one step while readers go on finding it.
//! Counters are added to by workers.

use crate::atomic::{AtomicU64, Ordering, fence};

/// Most words of a key.
pub(crate) const KEY_WORDS: usize = 5;
/// Most cells that a lookup looks at.
pub(crate) const PROBES: usize = 128;
/// Cells of the smallest table.
const LEAST: usize = 16;
/// Words of a cell before the key.
const STATE: usize = 0;
const BESIDE: usize = 1;
const KEY: usize = 2;

/// The kind of a state, in its lowest bits: nothing stands here, or ever stood behind here.
const EMPTY: u64 = 0;
/// Something stood here; others may stand behind it.
const GONE: u64 = 1;
/// An element stands here.
const LIVE: u64 = 2;
const KIND: u64 = 3;
/// The count of lives stands above the kind, in 30 bits; part of the hash above that.
const LIFE: u64 = 4;
const TAG: u32 = 32;
const LIVES: u64 = ((1 << TAG) - 1) & !KIND;

/// A key as words, filled with zeros.
pub(crate) type Key = [u64; KEY_WORDS];

/// The hash of keys: products of 64 by 64 bits with both halves folded together, of words that a secret has changed before. Elements may have come from
/// strangers' packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHash(pub(crate) [u64; 8]);

impl KeyHash {
    pub(crate) fn new(key: [u64; 2]) -> Self {
        let secret = siphasher::sip::SipHasher24::new_with_keys(key[0], key[1]);
        // The factor of the last product is odd: no bit is lost.
        Self(core::array::from_fn(|at| secret.hash(&at.to_le_bytes()) | u64::from(at == 7)))
    }

    #[inline]
    pub(crate) fn of(&self, key: &[u64]) -> u64 {
        let fold = |a: u64, b: u64| {
            let product = u128::from(a) * u128::from(b);
            product as u64 ^ (product >> 64) as u64
        };
        let mixed = key.iter().zip(&self.0).fold(self.0[5], |mixed, (word, secret)| fold(word ^ secret, mixed ^ self.0[6]));
        fold(mixed ^ self.0[6], self.0[7])
    }
}

/// What cells of a set have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Words of the key: at least one, at most [`KEY_WORDS`].
    pub(crate) key: usize,
    /// A hardware address behind it.
    pub(crate) mac: bool,
    /// Packets and bytes at the end.
    pub(crate) counters: bool,
}

impl Layout {
    pub(crate) fn words(self) -> usize {
        KEY + self.key + usize::from(self.mac) + 2 * usize::from(self.counters)
    }

    fn mac_at(self) -> usize {
        KEY + self.key
    }

    pub(crate) fn counters_at(self) -> usize {
        KEY + self.key + usize::from(self.mac)
    }
}

/// What stands beside an element, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    /// Milliseconds of the engine's time at which it is over; 0 if it stays. At most 2^60.
    pub(crate) expires: u64,
    pub(crate) nomatch: bool,
}

impl Beside {
    fn word(self) -> u64 {
        self.expires << 1 | u64::from(self.nomatch)
    }

    fn of(word: u64) -> Self {
        Self { expires: word >> 1, nomatch: word & 1 != 0 }
    }

    #[inline]
    pub(crate) fn is_over(self, now_millis: u64) -> bool {
        self.expires != 0 && self.expires <= now_millis
    }
}

/// An element that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    cell: usize,
    pub(crate) beside: Beside,
}

/// There is no place for one more, or no memory for a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    layout: Layout,
    hash: KeyHash,
    /// Cells less one: they are a power of two.
    mask: usize,
    words: Box<[AtomicU64]>,
}

impl Table {
    /// An empty one with so many cells at least.
    pub(crate) fn new(layout: Layout, hash: KeyHash, cells: usize) -> Result<Self, Full> {
        let cells = cells.max(LEAST).checked_next_power_of_two().ok_or(Full)?;
        let length = cells.checked_mul(layout.words()).ok_or(Full)?;
        let mut words = Vec::new();
        words.try_reserve_exact(length).map_err(|_| Full)?;
        words.resize_with(length, || AtomicU64::new(0));
        Ok(Self { layout, hash, mask: cells - 1, words: words.into() })
    }

    pub(crate) fn cells(&self) -> usize {
        self.mask + 1
    }

    #[inline]
    fn cell(&self, at: usize) -> &[AtomicU64] {
        let words = self.layout.words();
        &self.words[at * words..(at + 1) * words]
    }

    /// Looks for a key.
    #[inline]
    pub(crate) fn find(&self, key: &Key) -> Option<Found> {
        let key = &key[..self.layout.key];
        let hash = self.hash.of(key);
        let (home, tag) = (hash as usize & self.mask, hash >> TAG);
        for step in 0..PROBES.min(self.cells()) {
            let at = (home + step) & self.mask;
            let cell = self.cell(at);
            let state = cell[STATE].load(Ordering::Acquire);
            match state & KIND {
                EMPTY => return None,
                LIVE if state >> TAG == tag => {}
                _ => continue,
            }
            let is_same = cell[KEY..].iter().zip(key).all(|(word, wanted)| word.load(Ordering::Relaxed) == *wanted);
            let beside = Beside::of(cell[BESIDE].load(Ordering::Relaxed));
            // What was read above belongs to the life that is seen to go on below; who sees that it went sees what was done before, too.
            fence(Ordering::Acquire);
            if is_same && cell[STATE].load(Ordering::Acquire) == state {
                return Some(Found { cell: at, beside });
            }
        }
        None
    }

    /// The hardware address beside an element: 0 where there is none.
    #[inline]
    pub(crate) fn mac(&self, found: Found) -> u64 {
        if self.layout.mac { self.cell(found.cell)[self.layout.mac_at()].load(Ordering::Relaxed) } else { 0 }
    }

    /// Gives an element without hardware address one; whether it had none. What another worker gave it before stays.
    #[inline]
    pub(crate) fn fill_mac(&self, found: Found, mac: u64) -> bool {
        let place = &self.cell(found.cell)[self.layout.mac_at()];
        place.compare_exchange(0, mac, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Packets and bytes of an element; `None` where the set does not count.
    #[inline]
    pub(crate) fn counters(&self, found: Found) -> Option<(&AtomicU64, &AtomicU64)> {
        let at = self.layout.counters_at();
        let cell = self.cell(found.cell);
        self.layout.counters.then(|| (&cell[at], &cell[at + 1]))
    }

    /// Is the key there, or a place for it? The writer's alone.
    pub(crate) fn has_room(&self, key: &Key) -> bool {
        self.find(key).is_some() || self.free(self.hash.of(&key[..self.layout.key])).is_some()
    }

    /// The first free cell for a key of this hash.
    fn free(&self, hash: u64) -> Option<usize> {
        let home = hash as usize & self.mask;
        let mut places = (0..PROBES.min(self.mask)).map(|step| (home + step) & self.mask);
        places.find(|at| self.cell(*at)[STATE].load(Ordering::Relaxed) & KIND != LIVE)
    }

    /// Puts an element in, or changes what stands beside it; whether it is new. The writer's alone.
    pub(crate) fn put(&self, key: &Key, beside: Beside, mac: u64) -> Result<bool, Full> {
        if let Some(found) = self.find(key) {
            let cell = self.cell(found.cell);
            cell[BESIDE].store(beside.word(), Ordering::Relaxed);
            // The one that packets have given it stays.
            if self.layout.mac && mac != 0 {
                cell[self.layout.mac_at()].store(mac, Ordering::Relaxed);
            }
            return Ok(false);
        }
        let key = &key[..self.layout.key];
        let hash = self.hash.of(key);
        let (at, tag) = (self.free(hash).ok_or(Full)?, hash >> TAG);
        let cell = self.cell(at);
        let life = cell[STATE].load(Ordering::Relaxed) & LIVES;
        // Who still reads the element of before sees that it is gone before it sees any of this one.
        cell[STATE].store(life | GONE, Ordering::Relaxed);
        fence(Ordering::Release);
        for (word, part) in cell[KEY..].iter().zip(key) {
            word.store(*part, Ordering::Relaxed);
        }
        cell[BESIDE].store(beside.word(), Ordering::Relaxed);
        for word in &cell[KEY + self.layout.key..] {
            word.store(0, Ordering::Relaxed);
        }
        if self.layout.mac {
            cell[self.layout.mac_at()].store(mac, Ordering::Relaxed);
        }
        cell[STATE].store(tag << TAG | (life + LIFE) & LIVES | LIVE, Ordering::Release);
        Ok(true)
    }

    /// Sets an element's counters. The writer's alone: what workers add in that moment is lost.
    pub(crate) fn set_counters(&self, key: &Key, packets: u64, bytes: u64) {
        if let Some((of_packets, of_bytes)) = self.find(key).and_then(|found| self.counters(found)) {
            of_packets.store(packets, Ordering::Relaxed);
            of_bytes.store(bytes, Ordering::Relaxed);
        }
    }

    /// So much more was counted with an element, if it is there.
    pub(crate) fn add_counters(&self, key: &Key, packets: u64, bytes: u64) {
        if let Some((of_packets, of_bytes)) = self.find(key).and_then(|found| self.counters(found)) {
            of_packets.fetch_add(packets, Ordering::Relaxed);
            of_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Takes an element out; whether it was there. The writer's alone.
    pub(crate) fn remove(&self, key: &Key) -> bool {
        let Some(found) = self.find(key) else { return false };
        self.end(found.cell);
        true
    }

    /// Its state says that it is gone, or where nothing stands behind it that nothing is here; so do those before it that are gone, then.
    fn end(&self, at: usize) {
        let state = |at: usize| &self.cell(at & self.mask)[STATE];
        let life = |at: usize| state(at).load(Ordering::Relaxed) & LIVES;
        state(at).store(life(at) | GONE, Ordering::Release);
        let mut last = at;
        if state(last + 1).load(Ordering::Relaxed) & KIND != EMPTY {
            return;
        }
        for _ in 0..self.cells() {
            if state(last).load(Ordering::Relaxed) & KIND != GONE {
                break;
            }
            state(last).store(life(last) | EMPTY, Ordering::Release);
            last = last.wrapping_sub(1) & self.mask;
        }
    }

    /// All elements: key, what stands beside it, the hardware address, packets and bytes. The writer's alone.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Kept> {
        (0..self.cells()).filter_map(|at| {
            let cell = self.cell(at);
            if cell[STATE].load(Ordering::Relaxed) & KIND != LIVE {
                return None;
            }
            let mut key = [0; KEY_WORDS];
            key.iter_mut().zip(&cell[KEY..KEY + self.layout.key]).for_each(|(to, from)| *to = from.load(Ordering::Relaxed));
            let found = Found { cell: at, beside: Beside::of(cell[BESIDE].load(Ordering::Relaxed)) };
            let counters = self.counters(found);
            let counters =
                counters.map_or((0, 0), |(packets, bytes)| (packets.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed)));
            Some(Kept { key, beside: found.beside, mac: self.mac(found), counters })
        })
    }

    /// A table with so many cells at least and all elements of this one that are wanted.
    pub(crate) fn grown(&self, cells: usize, wanted: impl Fn(&Kept) -> bool) -> Result<Self, Full> {
        let mut cells = cells;
        loop {
            let table = Self::new(self.layout, self.hash, cells)?;
            let all = self.iter().filter(|kept| wanted(kept)).try_for_each(|kept| {
                table.put(&kept.key, kept.beside, kept.mac)?;
                if self.layout.counters {
                    table.set_counters(&kept.key, kept.counters.0, kept.counters.1);
                }
                Ok::<_, Full>(())
            });
            match all {
                Ok(()) => return Ok(table),
                // Some keys stand too close to each other.
                Err(Full) => cells = table.cells().checked_mul(2).ok_or(Full)?,
            }
        }
    }
}

/// An element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) key: Key,
    pub(crate) beside: Beside,
    pub(crate) mac: u64,
    pub(crate) counters: (u64, u64),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn table(cells: usize) -> Table {
        Table::new(Layout { key: 2, mac: true, counters: true }, KeyHash::new([1, 2]), cells).unwrap()
    }

    fn key(number: u64) -> Key {
        [number, number * 7, 0, 0, 0]
    }

    /// Elements come and go by chance in a table that is nearly full; a map knows what is there.
    #[test]
    fn a_table_holds_what_a_map_does() {
        let table = table(64);
        let mut map = BTreeMap::new();
        let mut seed = 5u64;
        let mut below = |bound: u64| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (seed >> 33) % bound
        };
        for round in 0..50_000u64 {
            let number = below(80);
            if below(2) == 0 {
                let beside = Beside { expires: round, nomatch: round % 3 == 0 };
                let is_new = table.put(&key(number), beside, round);
                match is_new {
                    Ok(is_new) => assert_eq!(is_new, map.insert(number, (beside, round)).is_none()),
                    Err(Full) => assert!(map.len() > 32, "{}", map.len()),
                }
            } else {
                assert_eq!(table.remove(&key(number)), map.remove(&number).is_some());
            }
            let asked = below(80);
            let found = table.find(&key(asked));
            assert_eq!(found.map(|found| (found.beside, table.mac(found))), map.get(&asked).copied(), "round {round}");
        }
        let mut all: Vec<_> = table.iter().map(|kept| (kept.key[0], (kept.beside, kept.mac))).collect();
        all.sort_unstable_by_key(|(number, _)| *number);
        assert_eq!(all, map.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn what_is_gone_leaves_no_trail_where_nothing_stands_behind_it() {
        let table = table(1024);
        for round in 0..1000 {
            for number in 0..300 {
                table.put(&key(round * 1000 + number), Beside::default(), 0).unwrap();
            }
            for number in 0..300 {
                assert!(table.remove(&key(round * 1000 + number)));
            }
        }
        let is_empty = |at: usize| table.cell(at)[STATE].load(Ordering::Relaxed) & KIND == EMPTY;
        assert!((0..1024).all(is_empty));
    }

    #[test]
    fn a_grown_table_has_what_is_wanted_with_its_counters() {
        let small = table(16);
        for number in 0..12 {
            small.put(&key(number), Beside { expires: number, nomatch: false }, number).unwrap();
            small.set_counters(&key(number), number, 10 * number);
        }
        let grown = small.grown(100, |kept| kept.beside.expires != 3).unwrap();
        assert_eq!((grown.cells(), grown.iter().count()), (128, 11));
        for kept in grown.iter() {
            let number = kept.key[0];
            assert_eq!((kept.mac, kept.counters), (number, (number, 10 * number)));
        }
        assert!(grown.find(&key(3)).is_none() && grown.find(&key(4)).is_some());
    }

    #[test]
    fn an_address_is_filled_in_once() {
        let table = table(16);
        table.put(&key(1), Beside::default(), 0).unwrap();
        let found = table.find(&key(1)).unwrap();
        assert!(table.fill_mac(found, 5) && !table.fill_mac(found, 6));
        assert_eq!(table.mac(found), 5);
    }
}
