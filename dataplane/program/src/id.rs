//! Small indices with names, so that none is taken for another.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($repr:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub $repr);

        impl $name {
            /// The id as an index.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(/// A rule's place in [`crate::Table::rules`].
    RuleIndex(u32));
id!(/// A chain's place in [`crate::Table::chains`].
    ChainId(u32));
id!(/// A packet and byte counter outside the image. Stable for the life of a rule or base chain, across publications.
    CounterSlot(u32));
id!(/// A remembered value (a token bucket, a position) of this table, living outside the image and made anew whenever the table changes.
    StateSlot(u32));
id!(/// A logical interface. 0 is no interface: the input of a packet that the box makes, the output before routing.
    InterfaceId(u16));
id!(/// An interface pattern's place in [`crate::Table::patterns`].
    PatternId(u16));
id!(/// A security label's place in [`crate::Root::labels`]. 0 is no label.
    LabelId(u32));

id!(/// A timeout policy of connections, counted from 1 as the dataplane is configured. 0 is none.
    TimeoutId(u8));

impl TimeoutId {
    /// The sysctls' own times.
    pub const NONE: Self = Self(0);
}

/// The logical interfaces that a pattern names, one bit for each [`InterfaceId`]. Bit 0 stands for no interface, which the kernel takes
/// for one with an empty name: only the pattern `+` names it.
pub type InterfaceSet = u64;

impl InterfaceId {
    /// No interface.
    pub const NONE: Self = Self(0);
    /// The greatest number of an interface: an [`InterfaceSet`] has no bit for more.
    pub const MAX: u16 = 63;

    /// This interface as a set; empty above [`InterfaceId::MAX`].
    #[inline]
    pub fn bit(self) -> InterfaceSet {
        1u64.checked_shl(u32::from(self.0)).unwrap_or(0)
    }
}

/// A run of entries in one of a table's arrays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdRange {
    /// Index of the first.
    pub first: u32,
    /// How many.
    pub len: u32,
}

impl IdRange {
    /// The entries of `array` in this run.
    ///
    /// # Panics
    /// When the run reaches past the array: a verified table has no such run.
    #[inline]
    pub fn of<T>(self, array: &[T]) -> &[T] {
        &array[self.first as usize..self.first as usize + self.len as usize]
    }

    /// One past the last index, or `None` on overflow.
    pub fn end(self) -> Option<u32> {
        self.first.checked_add(self.len)
    }
}
