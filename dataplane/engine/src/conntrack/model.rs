//! The slow and obvious index: a list of hashes and places. In tests the table can stand on it instead of the buckets.

use super::index::{Place, TupleIndex};

/// What the table looks tuples up in.
pub(super) enum Index {
    /// As everywhere.
    Fast(Box<TupleIndex>),
    /// Looks at each.
    Model(Vec<(u64, Place)>),
}

impl Index {
    pub(super) fn new(entries: usize) -> Self {
        Self::Fast(Box::new(TupleIndex::new(entries)))
    }

    pub(super) fn set_aside(&mut self) -> Result<(), memory::Short> {
        match self {
            Self::Fast(index) => index.set_aside(),
            Self::Model(_) => Ok(()),
        }
    }

    pub(super) fn prefetch(&self, hash: u64) {
        if let Self::Fast(index) = self {
            index.prefetch(hash);
        }
    }

    pub(super) fn prefetch_other(&self, hash: u64) {
        if let Self::Fast(index) = self {
            index.prefetch_other(hash);
        }
    }

    pub(super) fn likely_other(&self, hash: u64) -> Option<Place> {
        match self {
            Self::Fast(index) => index.likely_other(hash),
            Self::Model(_) => None,
        }
    }

    pub(super) fn likely(&self, hash: u64) -> Option<Place> {
        match self {
            Self::Fast(index) => index.likely(hash),
            Self::Model(_) => None,
        }
    }

    pub(super) fn find(&self, hash: u64, mut same: impl FnMut(Place) -> bool) -> Option<Place> {
        match self {
            Self::Fast(index) => index.find(hash, same),
            Self::Model(places) => places.iter().filter(|entry| entry.0 == hash).map(|entry| entry.1).find(|place| same(*place)),
        }
    }

    pub(super) fn near(&self, hash: u64, buckets: u32) -> Box<dyn Iterator<Item = Place> + '_> {
        match self {
            Self::Fast(index) => Box::new(index.near(hash, buckets)),
            Self::Model(places) => Box::new(places.iter().map(|entry| entry.1)),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Fast(index) => index.has_room(),
            Self::Model(_) => true,
        }
    }

    pub(super) fn insert(&mut self, hash: u64, place: Place) {
        match self {
            Self::Fast(index) => index.insert(hash, place),
            Self::Model(places) => places.push((hash, place)),
        }
    }

    pub(super) fn remove(&mut self, hash: u64, place: Place) {
        match self {
            Self::Fast(index) => index.remove(hash, place),
            Self::Model(places) => {
                let at = places.iter().position(|other| *other == (hash, place)).expect("what is removed was inserted");
                places.remove(at);
            }
        }
    }
}
