//! A node of a tree: one cache line.

use super::NONE;

/// Numbers at which a node divides.
pub(super) const BOUNDS: usize = 12;
/// Children of a twig, at most.
pub(super) const TWIG_CHILDREN: usize = 10;

/// One cache line. A *branch* leads to other nodes, a *leaf* to its entries, and a *twig* is a branch together with its children, which are
/// short leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Node {
    /// The last number of each child but the last one; unused ones are the highest number, which nothing is above.
    pub(super) bounds: [u32; BOUNDS],
    /// A branch's first child; the first entry of a leaf, and of a twig.
    pub(super) child: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Branch {
        /// What is divided.
        dimension: u8,
        /// The rest begins before the children, and is looked at first.
        rest_first: bool,
        /// The rest's node, or [`NONE`].
        rest: Packed,
        /// The number of the first rule in the part that is looked at second.
        second: Packed,
    },
    Twig {
        dimension: u8,
        /// The end of each child's entries, counted from the twig's first.
        ends: [u8; TWIG_CHILDREN],
    },
    Leaf {
        /// How many entries.
        len: Packed,
    },
}

/// A number of 32 bits that need not be aligned: a node is one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed([u8; 4]);

impl Packed {
    pub(super) const NONE: Self = Self::new(NONE);

    pub(super) const fn new(value: u32) -> Self {
        Self(value.to_ne_bytes())
    }

    #[inline]
    pub(super) fn get(self) -> u32 {
        u32::from_ne_bytes(self.0)
    }
}

const _: () = assert!(size_of::<Node>() == 64);

impl Node {
    pub(super) const EMPTY: Self = Self { bounds: [NONE; BOUNDS], child: 0, kind: Kind::Leaf { len: Packed::new(0) } };

    /// Which child holds this number.
    #[inline]
    pub(super) fn child_of(&self, value: u32) -> u32 {
        self.bounds.iter().map(|bound| u32::from(value > *bound)).sum()
    }
}

/// Where the trees of a list of rules begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Roots {
    /// For packets with a transport header.
    pub(super) whole: u32,
    /// For those of which only the IP part is asked ([`crate::table::needs_order`]).
    pub(super) in_order: u32,
}
