//! From a tuple to the slot of its flow.
//!
//! Open addressing with linear probing; an entry is 8 bytes: 32 bits of the keyed hash and the place of a half (slot and direction). The
//! key itself stays in the slab, and is compared there by the caller. Removal shifts the run behind it back, so there are no tombstones:
//! nothing ever has to be rehashed, and nothing is allocated after [`TupleIndex::new`]. (hashbrown leaves tombstones; with a table that
//! churns it rehashes in place now and then, a stall over the whole table, or grows.) At most two thirds are in use.
//!
//! One writer and reader: the worker that owns the table.

use packet::{Family, Tuple, TupleL4, family::Addr};
use siphasher::sip::SipHasher13;

use super::entry::Dir;

/// A half of a flow: slot and direction in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

impl Place {
    pub(crate) fn new(slot: u32, dir: Dir) -> Self {
        Self(slot << 1 | dir as u32)
    }

    pub(crate) fn slot(self) -> u32 {
        self.0 >> 1
    }

    pub(crate) fn dir(self) -> Dir {
        if self.0 & 1 == 0 { Dir::Original } else { Dir::Reply }
    }
}

/// `place` is one more than the number of a [`Place`]; all zero is empty, so that untouched memory stays untouched.
#[derive(Clone, Copy, Default)]
struct Entry {
    hash: u32,
    place: u32,
}

/// The hash of tuples and of sources. Keyed with SipHash-1-3: addresses and ports come from whoever sends, and must not steer where
/// their entries stand.
#[derive(Clone, Copy)]
pub(crate) struct TupleHash(SipHasher13);

impl TupleHash {
    pub(crate) fn new(key: [u64; 2]) -> Self {
        Self(SipHasher13::new_with_keys(key[0], key[1]))
    }

    /// Of a tuple within a zone.
    #[inline]
    pub(crate) fn tuple<F: Family>(&self, tuple: &Tuple<F>, zone: u16) -> u32 {
        let mut bytes = [0u8; 39];
        let len = F::Addr::LEN;
        tuple.src.write(&mut bytes);
        tuple.dst.write(&mut bytes[len..]);
        let l4 = match tuple.l4 {
            TupleL4::Ports { src, dst } => u32::from(src) << 16 | u32::from(dst),
            TupleL4::Icmp { kind, code, id } => u32::from(kind) << 24 | u32::from(code) << 16 | u32::from(id),
            TupleL4::Other => 0,
        };
        bytes[2 * len..2 * len + 4].copy_from_slice(&l4.to_le_bytes());
        bytes[2 * len + 4] = tuple.protocol;
        bytes[2 * len + 5..2 * len + 7].copy_from_slice(&zone.to_le_bytes());
        self.0.hash(&bytes[..2 * len + 7]) as u32
    }

    /// Of a tuple's source: address, port or identifier, protocol, within a zone.
    #[inline]
    pub(crate) fn source<F: Family>(&self, tuple: &Tuple<F>, zone: u16) -> u32 {
        let mut bytes = [0u8; 21];
        let len = F::Addr::LEN;
        tuple.src.write(&mut bytes);
        bytes[len..len + 2].copy_from_slice(&source_port(tuple.l4).to_le_bytes());
        bytes[len + 2] = tuple.protocol;
        bytes[len + 3..len + 5].copy_from_slice(&zone.to_le_bytes());
        self.0.hash(&bytes[..len + 5]) as u32
    }
}

/// The part of the transport that belongs to the source: a port, an ICMP identifier, or nothing.
pub(crate) fn source_port(l4: TupleL4) -> u16 {
    match l4 {
        TupleL4::Ports { src, .. } => src,
        TupleL4::Icmp { id, .. } => id,
        TupleL4::Other => 0,
    }
}

/// The index.
pub(crate) struct TupleIndex {
    entries: Vec<Entry>,
    mask: usize,
}

impl TupleIndex {
    /// Room for `halves` entries.
    pub(crate) fn new(halves: usize) -> Self {
        let buckets = (halves + halves / 2).max(8).next_power_of_two();
        Self { entries: vec![Entry::default(); buckets], mask: buckets - 1 }
    }

    /// The first entry of this hash for which `same` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u32, mut same: impl FnMut(Place) -> bool) -> Option<Place> {
        let mut at = hash as usize & self.mask;
        loop {
            let entry = self.entries[at];
            if entry.place == 0 {
                return None;
            }
            if entry.hash == hash && same(Place(entry.place - 1)) {
                return Some(Place(entry.place - 1));
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Adds an entry. The table never has more flows than the index was made for.
    pub(crate) fn insert(&mut self, hash: u32, place: Place) {
        let mut at = hash as usize & self.mask;
        while self.entries[at].place != 0 {
            at = (at + 1) & self.mask;
        }
        self.entries[at] = Entry { hash, place: place.0 + 1 };
    }

    /// Removes an entry that is there.
    pub(crate) fn remove(&mut self, hash: u32, place: Place) {
        let mut hole = hash as usize & self.mask;
        while self.entries[hole].place != place.0 + 1 {
            debug_assert_ne!(self.entries[hole].place, 0, "what is removed was inserted");
            if self.entries[hole].place == 0 {
                return;
            }
            hole = (hole + 1) & self.mask;
        }
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask;
            let entry = self.entries[at];
            if entry.place == 0 {
                break;
            }
            let home = entry.hash as usize & self.mask;
            let from_home = at.wrapping_sub(home) & self.mask;
            let from_hole = at.wrapping_sub(hole) & self.mask;
            if from_home >= from_hole {
                self.entries[hole] = entry;
                hole = at;
            }
        }
        self.entries[hole] = Entry::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet::{Ipv4, Ipv6};
    use proptest::prelude::*;

    proptest! {
        /// With hashes that collide a lot, the index holds exactly what a set holds.
        #[test]
        fn holds_what_was_put_in(ops in proptest::collection::vec((0u32..24, any::<bool>()), 0..300)) {
            let mut index = TupleIndex::new(24);
            let hash = |slot: u32| [3, 3, 63, 64, 62, 3, 0, 1][slot as usize % 8] + (slot / 8) * 64;
            let mut model = std::collections::BTreeSet::new();
            for (slot, insert) in ops {
                let place = Place::new(slot, Dir::Reply);
                if insert && model.insert(slot) {
                    index.insert(hash(slot), place);
                } else if !insert && model.remove(&slot) {
                    index.remove(hash(slot), place);
                }
                for slot in 0..24 {
                    let place = Place::new(slot, Dir::Reply);
                    prop_assert_eq!(index.find(hash(slot), |p| p == place).is_some(), model.contains(&slot));
                }
            }
        }
    }

    #[test]
    fn a_place_keeps_slot_and_direction() {
        for dir in [Dir::Original, Dir::Reply] {
            let place = Place::new(77, dir);
            assert_eq!((place.slot(), place.dir()), (77, dir));
        }
    }

    #[test]
    fn every_part_of_the_tuple_and_the_key_count() {
        let hash = TupleHash::new([1, 2]);
        let tuple = Tuple::<Ipv4> { src: 1, dst: 2, protocol: 6, l4: TupleL4::Ports { src: 3, dst: 4 } };
        let base = hash.tuple(&tuple, 0);
        assert_ne!(base, hash.tuple(&Tuple { src: 9, ..tuple }, 0));
        assert_ne!(base, hash.tuple(&Tuple { dst: 9, ..tuple }, 0));
        assert_ne!(base, hash.tuple(&Tuple { protocol: 17, ..tuple }, 0));
        assert_ne!(base, hash.tuple(&Tuple { l4: TupleL4::Ports { src: 3, dst: 5 }, ..tuple }, 0));
        assert_ne!(base, hash.tuple(&tuple, 1));
        assert_ne!(base, TupleHash::new([1, 3]).tuple(&tuple, 0));
        let six = Tuple::<Ipv6> { src: 1 << 90, dst: 2, protocol: 58, l4: TupleL4::Icmp { kind: 128, code: 0, id: 4 } };
        assert_ne!(hash.tuple(&six, 0), hash.tuple(&Tuple { src: 1 << 91, ..six }, 0));
        assert_eq!(hash.source(&tuple, 0), hash.source(&Tuple { dst: 9, ..tuple }, 0));
        assert_ne!(hash.source(&tuple, 0), hash.source(&Tuple { l4: TupleL4::Ports { src: 9, dst: 4 }, ..tuple }, 0));
    }
}
