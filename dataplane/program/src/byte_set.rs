//! Sets of numbers of one byte.

use serde::{Deserialize, Serialize};

/// A set of such numbers: kinds of TCP options, types of SCTP chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// Every number.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// Of these.
    pub fn of(kinds: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Self::default();
        for kind in kinds {
            set.0[usize::from(kind / 64)] |= 1 << (kind % 64);
        }
        set
    }

    /// Takes one out.
    pub fn remove(&mut self, kind: u8) {
        self.0[usize::from(kind / 64)] &= !(1 << (kind % 64));
    }

    /// Is nothing in it?
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Is this one in it?
    #[inline]
    pub fn contains(&self, kind: u8) -> bool {
        self.0[usize::from(kind / 64)] >> (kind % 64) & 1 != 0
    }

    /// What is in it, ascending.
    pub fn kinds(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |kind| self.contains(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_is_made_of() {
        let kinds = [2, 63, 64, 127, 128, 255];
        assert_eq!(ByteSet::of(kinds).kinds().collect::<Vec<_>>(), kinds);
        let mut set = ByteSet::of(kinds);
        kinds.into_iter().for_each(|kind| set.remove(kind));
        assert!(set.is_empty() && set.kinds().count() == 0);
        assert_eq!(ByteSet::ALL.kinds().count(), 256);
    }
}
