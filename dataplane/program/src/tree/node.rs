//! A node of a tree: two cache lines.

use wide::u32x4;

use super::NONE;
use super::many::Machine;

/// Numbers at which a node divides.
pub(super) const BOUNDS: usize = 12;

/// Two cache lines. A *branch* leads to one of a few places, a *hash* to as many as its rules have numbers in one dimension. What a short leaf
/// lists is such a place, without a node of its own; a *leaf* is a long one, or a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Node {
    /// The last number of each child but the last one; unused ones are the highest number, which nothing is above.
    pub(super) bounds: [u32; BOUNDS],
    /// A branch's children.
    pub(super) goals: [Goal; BOUNDS + 1],
    /// The first slot of a hash, and the first entry of a leaf.
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
        /// The rest, or [`Goal::NONE`].
        rest: PackedGoal,
        /// The number of the first rule in the part that is looked at second.
        second: Packed,
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
        rest: PackedGoal,
        second: Packed,
    },
}

/// Where a slot, a branch or a way to a rest leads: to a node, or at once to what a short leaf lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Goal(u32);

/// Bits of the number of a list's first entry.
const LIST_BITS: u32 = 27;
const IS_NODE: u32 = 1 << 31;

impl Goal {
    /// Of a slot that is not used, and of a node without a rest.
    pub(super) const NONE: Self = Self(NONE);
    /// An empty list.
    const NOTHING: Self = Self(0);

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

/// A number of 32 bits that need not be aligned: a node is two lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed([u8; 4]);

impl Packed {
    pub(super) const fn new(value: u32) -> Self {
        Self(value.to_ne_bytes())
    }

    #[inline]
    pub(super) fn get(self) -> u32 {
        u32::from_ne_bytes(self.0)
    }
}

/// A goal that need not be aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PackedGoal(Packed);

impl PackedGoal {
    pub(super) const fn new(goal: Goal) -> Self {
        Self(Packed::new(goal.0))
    }

    #[inline]
    pub(super) fn get(self) -> Goal {
        Goal(self.0.get())
    }
}

const _: () = assert!(size_of::<Node>() == 128);

impl Node {
    pub(super) const EMPTY: Self =
        Self { bounds: [NONE; BOUNDS], goals: [Goal::NONE; BOUNDS + 1], child: 0, kind: Kind::Leaf { len: Packed::new(0) } };

    /// Asks for both of its lines.
    #[inline]
    pub(super) fn prefetch<M: Machine>(&self) {
        M::prefetch(self);
        M::prefetch(&self.kind);
    }

    /// Where a hash leads with this number; nowhere is an empty list.
    #[inline(always)]
    pub(super) fn goal_of(&self, shift: u8, value: u32, slots: &[Slot]) -> Goal {
        let (key, mask) = (value >> (shift & 31), self.bounds[0]);
        let at = hash(key, mask);
        for n in 0..PROBES {
            let slot = &slots[(self.child + ((at + n) & mask)) as usize];
            if slot.goal == Goal::NONE {
                break;
            }
            if slot.key == key {
                return slot.goal;
            }
        }
        Goal::NOTHING
    }

    #[inline]
    fn four_bounds(&self, at: usize) -> u32x4 {
        u32x4::new(core::array::from_fn(|n| self.bounds[at + n]))
    }

    /// Which child holds this number.
    #[inline]
    pub(super) fn child_of(&self, value: u32) -> usize {
        let (value, [one, two, three]) = (u32x4::splat(value), [0, 4, 8].map(|at| self.four_bounds(at)));
        let above = value.simd_gt(one).to_bitmask() | value.simd_gt(two).to_bitmask() << 4 | value.simd_gt(three).to_bitmask() << 8;
        above.count_ones() as usize
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
