//! Sets (`ipset`), as packets are looked up in them: [`table`] the elements of one, [`writer`] who changes them.
//!
//! # Overview
//! All sets that rampartd has are here, whether a rule names them or not, so that an exchange of two is one of two pointers and a rule finds its set at once. A
//! [`Directory`] says what stands at each place; it hangs in the snapshot that workers read, and a rule has been told the place of its set.
//!
//! # What packets change
//! A set that rules let packets change (`-j SET`) has beside its table what they did and the table does not show yet ([`fresh`]); a lookup asks there first
//! ([`open`]), and every few milliseconds the control thread puts it into the table.
//!
//! # What changes how
//! An element comes, goes or changes in its set's table, while workers look there: neither they nor the snapshot take notice. Whatever else happens (a set comes
//! or goes, is exchanged, emptied, or outgrows its table) makes another directory, which the control thread publishes in another snapshot of the same edition.
//!
//! # Networks
//! As in the kernel one lookup is made for each length of prefix that some element has, the longest first; [`Lengths`] says which there are. The writer puts an
//! element in before it says its length, and takes the length back after the last such element.
//!
//! # Traces
//! What a set says of a packet is asked of each packet (decision 12): one that meets such a rule leaves no trace.

use core::array;
use std::sync::Arc;

use program::{SetId, SetPart, SetSpec};

use crate::atomic::{AtomicU64, Ordering};

mod fresh;
mod open;
pub(crate) mod table;
mod writer;

pub(crate) use open::{Coming, Open, Seen, View};
pub(crate) use table::{Beside, Found, Key, Table};
pub use writer::{SetFault, Sets};

/// What stands at each place.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    places: Vec<Option<Arc<Set>>>,
    /// What packets have changed there, where rules let them.
    open: Vec<Option<Open>>,
}

impl Directory {
    /// The set at a place.
    #[inline]
    pub(crate) fn get(&self, id: SetId) -> Option<&Set> {
        self.places.get(id.index())?.as_deref()
    }

    /// The elements of the set at a place, as lookups see them; none where it is a list of sets.
    #[inline]
    pub(crate) fn view(&self, id: SetId) -> Option<View<'_>> {
        let Set { spec, body: Body::Elements(elements) } = self.get(id)? else { return None };
        Some(View { spec, elements, open: self.open.get(id.index()).and_then(Option::as_ref) })
    }
}

/// A set.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) spec: SetSpec,
    pub(crate) body: Body,
}

/// What is in it.
#[derive(Debug)]
pub(crate) enum Body {
    /// Elements.
    Elements(Elements),
    /// Other sets, in the order in which they are asked.
    List(Box<[Listed]>),
}

/// A set in a list of sets.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) set: SetId,
    /// Milliseconds of the engine's time at which it is over; 0 if it stays.
    pub(crate) expires: u64,
    /// Packets and bytes, where the list counts.
    pub(crate) counters: Option<(AtomicU64, AtomicU64)>,
}

impl Listed {
    #[inline]
    pub(crate) fn is_over(&self, now_millis: u64) -> bool {
        self.expires != 0 && self.expires <= now_millis
    }
}

/// Elements. Who looks for one needs to know which lengths there are.
#[derive(Debug)]
pub(crate) struct Elements {
    pub(crate) table: Table,
    /// Prefixes of the first and of the second network.
    pub(crate) prefixes: [Lengths; 2],
    /// Beginnings of interfaces' names.
    pub(crate) beginnings: Lengths,
}

/// A set of lengths up to 128. Written by the writer, read by workers.
#[derive(Debug)]
pub(crate) struct Lengths([AtomicU64; 3]);

impl Default for Lengths {
    fn default() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Lengths {
    /// Says whether there is one of this length.
    fn set(&self, length: u8, is_there: bool) {
        let word = &self.0[usize::from(length / 64)];
        let (before, bit) = (word.load(Ordering::Relaxed), 1 << (length % 64));
        // Release: who sees the length sees the element for which it was said.
        word.store(if is_there { before | bit } else { before & !bit }, Ordering::Release);
    }

    /// Says that there is one of this length. Any worker's.
    pub(crate) fn add(&self, length: u8) {
        self.0[usize::from(length / 64)].fetch_or(1 << (length % 64), Ordering::AcqRel);
    }

    /// The longest that is not longer than this.
    #[inline]
    pub(crate) fn at_most(&self, longest: u8) -> Option<u8> {
        let word = usize::from(longest / 64);
        let mut bits = self.0[word].load(Ordering::Acquire) & (u64::MAX >> (63 - longest % 64));
        for at in (0..=word).rev() {
            if bits != 0 {
                return Some(at as u8 * 64 + 63 - bits.leading_zeros() as u8);
            }
            bits = if at > 0 { self.0[at - 1].load(Ordering::Acquire) } else { 0 };
        }
        None
    }

    /// All of them from this one down.
    #[inline]
    pub(crate) fn down_from(&self, longest: u8) -> impl Iterator<Item = u8> {
        let mut next = Some(longest);
        core::iter::from_fn(move || {
            let found = self.at_most(next?)?;
            next = found.checked_sub(1);
            Some(found)
        })
    }
}

/// In the byte before an interface's name: it is the beginning of names.
pub(crate) const BEGINNING: u8 = 2;
/// The same where there is no name: how many elements have this network stands beside it in place of a time.
pub(crate) const NETWORK: u8 = 4;

/// Where the parts of a key stand, by number of the part.
pub(crate) fn offsets(spec: &SetSpec) -> impl Iterator<Item = (usize, SetPart)> {
    let address = spec.address_len();
    let mut at = 0;
    spec.parts.iter().map(move |part| {
        let here = at;
        at += match part {
            SetPart::Address => address,
            SetPart::Net => address + 1,
            SetPart::Port => 2,
            SetPart::ProtocolPort => 3,
            SetPart::Mark => 4,
            SetPart::Mac => 6,
            SetPart::Interface => 1 + program::set::INTERFACE_NAME,
        };
        (here, *part)
    })
}

/// A key's bytes as words.
#[inline]
pub(crate) fn words(bytes: &[u8; 40]) -> Key {
    let (words, _) = bytes.as_chunks::<8>();
    array::from_fn(|at| u64::from_le_bytes(words[at]))
}

/// A hardware address as a word; that of none is 0.
#[inline]
pub(crate) fn mac_word(mac: [u8; 6]) -> u64 {
    let [a, b, c, d, e, f] = mac;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_the_longest_first() {
        let lengths = Lengths::default();
        for length in [0, 1, 24, 63, 64, 65, 127, 128] {
            lengths.set(length, true);
        }
        lengths.set(24, false);
        assert_eq!(lengths.down_from(128).collect::<Vec<_>>(), [128, 127, 65, 64, 63, 1, 0]);
        assert_eq!(lengths.down_from(64).collect::<Vec<_>>(), [64, 63, 1, 0]);
        assert_eq!(lengths.down_from(62).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(Lengths::default().down_from(128).next(), None);
    }
}
