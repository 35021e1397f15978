//! The elements of a set, in the order of their keys.
//!
//! Keys of four lengths, so that an IPv4 address costs 16 bytes with what is written beside it, and not what the longest key would.
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::key::KEY_MAX;

/// What is written beside an element; most have nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extra {
    /// When it goes, in milliseconds since 1970; 0 if it stays.
    pub(crate) expires: u64,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// It stands for an exception.
    pub(crate) nomatch: bool,
    /// The interface's name is the beginning of names.
    pub(crate) wildcard: bool,
    /// What few have.
    pub(crate) more: Option<Box<More>>,
}

/// What is written beside few elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct More {
    pub(crate) comment: Option<Box<str>>,
    /// Mark and mask for packets.
    pub(crate) mark: (u32, u32),
    /// Class of the queueing discipline, as the kernel numbers it: two halves.
    pub(crate) priority: u32,
    pub(crate) queue: u16,
    /// The hardware address beside the address of a `bitmap:ip,mac`.
    pub(crate) mac: Option<[u8; 6]>,
}

static NO_MORE: More = More { comment: None, mark: (0, 0), priority: 0, queue: 0, mac: None };

impl Extra {
    /// With what few have.
    pub(crate) fn with(self, more: More) -> Extra {
        let more = if more == NO_MORE { None } else { Some(Box::new(more)) };
        Extra { more, ..self }
    }

    /// What few have.
    pub(crate) fn more(&self) -> &More {
        self.more.as_deref().unwrap_or(&NO_MORE)
    }

    /// Its time is over.
    pub(crate) fn is_over(&self, now: u64) -> bool {
        self.expires != 0 && self.expires <= now
    }
}

/// Beside an element.
pub(crate) type Beside = Option<Box<Extra>>;

/// Elements by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    K8(BTreeMap<[u8; 8], Beside>),
    K16(BTreeMap<[u8; 16], Beside>),
    K24(BTreeMap<[u8; 24], Beside>),
    K40(BTreeMap<[u8; 40], Beside>),
}

macro_rules! each {
    ($table:expr, $map:ident => $body:expr) => {
        match $table {
            Table::K8($map) => $body,
            Table::K16($map) => $body,
            Table::K24($map) => $body,
            Table::K40($map) => $body,
        }
    };
}

/// A key as long as the table's.
fn fit<const N: usize>(key: &[u8; KEY_MAX]) -> [u8; N] {
    let mut fitted = [0; N];
    let length = N.min(KEY_MAX);
    fitted[..length].copy_from_slice(&key[..length]);
    fitted
}

impl Table {
    /// An empty one for keys of so many bytes.
    pub(crate) fn new(key_length: usize) -> Table {
        match key_length {
            0..=8 => Table::K8(BTreeMap::new()),
            9..=16 => Table::K16(BTreeMap::new()),
            17..=24 => Table::K24(BTreeMap::new()),
            _ => Table::K40(BTreeMap::new()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        each!(self, map => map.len())
    }

    /// What stands beside this key; `None` if the key is not there.
    pub(crate) fn get(&self, key: &[u8; KEY_MAX]) -> Option<&Beside> {
        each!(self, map => map.get(&fit(key)))
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, key: &[u8; KEY_MAX]) -> Option<&mut Beside> {
        each!(self, map => map.get_mut(&fit(key)))
    }

    /// Puts a key in, over what was there.
    pub(crate) fn put(&mut self, key: &[u8; KEY_MAX], beside: Beside) {
        each!(self, map => match map.entry(fit(key)) {
            Entry::Vacant(place) => drop(place.insert(beside)),
            Entry::Occupied(mut place) => drop(place.insert(beside)),
        });
    }

    pub(crate) fn remove(&mut self, key: &[u8; KEY_MAX]) -> Option<Beside> {
        each!(self, map => map.remove(&fit(key)))
    }

    pub(crate) fn clear(&mut self) {
        each!(self, map => map.clear());
    }

    /// The first key from this one on, or else the first of all.
    pub(crate) fn next_or_first(&self, key: &[u8; KEY_MAX]) -> Option<[u8; KEY_MAX]> {
        each!(self, map => {
            let next = map.range(fit(key)..).next().or_else(|| map.first_key_value());
            next.map(|(found, _)| widen(found))
        })
    }

    /// Keys that begin as this one does for so many bytes.
    pub(crate) fn beginning(&self, key: &[u8; KEY_MAX], length: usize) -> Vec<([u8; KEY_MAX], &Beside)> {
        let mut first = [0; KEY_MAX];
        first[..length].copy_from_slice(&key[..length]);
        each!(self, map => {
            let from = map.range(fit(&first)..).take_while(|(found, _)| found[..length] == key[..length]);
            from.map(|(found, beside)| (widen(found), beside)).collect()
        })
    }

    /// All, in the order of their keys.
    pub(crate) fn for_each(&self, mut tell: impl FnMut(&[u8], &Beside)) {
        each!(self, map => map.iter().for_each(|(key, beside)| tell(key, beside)));
    }
}

fn widen(key: &[u8]) -> [u8; KEY_MAX] {
    let mut wide = [0; KEY_MAX];
    let length = key.len().min(KEY_MAX);
    wide[..length].copy_from_slice(&key[..length]);
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_found_in_order() {
        for length in [1, 8, 9, 16, 17, 24, 25, KEY_MAX] {
            let mut table = Table::new(length);
            let key = |byte: u8| {
                let mut key = [0; KEY_MAX];
                key[length - 1] = byte;
                key
            };
            for byte in [3, 1, 2] {
                table.put(&key(byte), None);
            }
            let mut seen = Vec::new();
            table.for_each(|found, _| seen.push(found[length - 1]));
            assert_eq!(seen, [1, 2, 3], "{length}");
            assert_eq!(table.next_or_first(&key(4)), Some(key(1)));
            assert_eq!(table.beginning(&key(0), length - 1).len(), 3);
            assert!(table.remove(&key(2)).is_some() && table.get(&key(2)).is_none());
            table.clear();
            assert_eq!((table.len(), table.next_or_first(&key(1))), (0, None));
        }
    }
}
