//! A node of a tree: one cache line.

use super::NONE;

/// Numbers at which a node divides.
pub(super) const BOUNDS: usize = 12;
/// Children of a twig, at most.
pub(super) const TWIG_CHILDREN: usize = 10;

/// One cache line. A *branch* leads to other nodes, a *leaf* to its entries, and a *twig* is a branch together with its children, which are
/// short leaves. A *hash* leads to as many places as its rules have numbers in one dimension.
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
    /// Its slots begin at [`Node::child`], and the first of `bounds` is their number less one.
    Hash {
        dimension: u8,
        /// Bits of a number that are not part of the key.
        shift: u8,
        /// As in a branch; the children are what the slots lead to.
        rest_first: bool,
        rest: Packed,
        second: Packed,
    },
}

/// Where a slot leads: to a node, or at once to what a short leaf lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Goal(u32);

/// Bits of the number of a list's first entry.
const LIST_BITS: u32 = 27;
const IS_NODE: u32 = 1 << 31;

impl Goal {
    /// Of a slot that is not used.
    pub(super) const NONE: Self = Self(NONE);

    pub(super) fn node(at: u32) -> Self {
        Self(IS_NODE | at)
    }

    /// `None` where the list is too long, or too far in.
    pub(super) fn list(first: u32, len: usize) -> Option<Self> {
        (len < 16 && first < 1 << LIST_BITS).then_some(Self((len as u32) << LIST_BITS | first))
    }

    #[inline]
    pub(super) fn turn(self) -> Turn {
        if self.0 & IS_NODE != 0 {
            return Turn::Node(self.0 & !IS_NODE);
        }
        let first = self.0 & ((1 << LIST_BITS) - 1);
        Turn::List { first, end: first + (self.0 >> LIST_BITS) }
    }
}

/// Where a packet reads next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A node.
    Node(u32),
    /// What a leaf lists.
    List { first: u32, end: u32 },
}

impl Turn {
    const NOTHING: Self = Self::List { first: 0, end: 0 };
}

/// A place of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) key: u32,
    pub(super) goal: Goal,
}

impl Slot {
    pub(super) const EMPTY: Self = Self { key: 0, goal: Goal::NONE };
}

/// A key is in one of so many slots side by side.
pub(super) const PROBES: u32 = 16;

/// Where a key's slot is, or the first that it may be in.
#[inline]
pub(super) fn hash(key: u32, mask: u32) -> u32 {
    // The upper bits are the mixed ones; there are fewer than 2^28 slots.
    (key.wrapping_mul(0x9e37_79b9) >> 4 ^ key.wrapping_mul(0x85eb_ca6b) >> 17) & mask
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

    /// Where a hash leads with this number; nowhere is an empty list.
    #[inline(always)]
    pub(super) fn goal_of(&self, shift: u8, value: u32, slots: &[Slot]) -> Turn {
        let (key, mask) = (value >> (shift & 31), self.bounds[0]);
        let at = hash(key, mask);
        for n in 0..PROBES {
            let slot = &slots[(self.child + ((at + n) & mask)) as usize];
            if slot.goal == Goal::NONE {
                break;
            }
            if slot.key == key {
                return slot.goal.turn();
            }
        }
        Turn::NOTHING
    }

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
    /// What the first of them lists in lanes, where it is a short leaf and they are worth it; else [`NONE`].
    pub(super) few: u32,
}
