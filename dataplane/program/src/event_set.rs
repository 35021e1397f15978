//! What is told of connections.

use serde::{Deserialize, Serialize};

/// What can be told of a connection (`conntrack -E`): bits with the kernel's numbers (`IPCT_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventSet(pub u16);

impl EventSet {
    /// It is there.
    pub const NEW: Self = Self(1);
    /// It is there, announced by another.
    pub const RELATED: Self = Self(1 << 1);
    /// It ended.
    pub const DESTROY: Self = Self(1 << 2);
    /// The first answer.
    pub const REPLY: Self = Self(1 << 3);
    /// It is ASSURED.
    pub const ASSURED: Self = Self(1 << 4);
    /// Its protocol is in another state.
    pub const PROTOINFO: Self = Self(1 << 5);
    /// It has a helper.
    pub const HELPER: Self = Self(1 << 6);
    /// Its mark was written.
    pub const MARK: Self = Self(1 << 7);
    /// Its sequence numbers are shifted.
    pub const NATSEQINFO: Self = Self(1 << 8);
    /// Its security label was written.
    pub const SECMARK: Self = Self(1 << 9);
    /// Its labels were written. No rule can name it.
    pub const LABEL: Self = Self(1 << 10);
    /// It expects another.
    pub const EXPECT_NEW: Self = Self(1 << 11);
    /// It expects another no more. No rule can name it either, so it has the same bit as what else no rule can name.
    pub const EXPECT_DESTROY: Self = Self::LABEL;
    /// Everything.
    pub const ALL: Self = Self((1 << 12) - 1);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
