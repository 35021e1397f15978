//! Tests of single fields of the IP header, and of addresses from one to another: asked in rule order, as `xt_length`, `xt_hl`, `ipt_ttl`,
//! `xt_dscp`, `xt_ecn` and `xt_iprange` ask them. No packet is without them.

use packet::{Family, Header};
use serde::{Deserialize, Serialize};

/// A test of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FieldTest {
    /// `-m length`: bytes of the packet, its IP header included. None is inside when `first` is above `last`.
    Length {
        /// Fewest.
        first: u16,
        /// Most.
        last: u16,
        /// `!`
        not: bool,
    },
    /// `-m ttl`, `-m hl`: the time to live or hop limit. None is inside when `first` is above `last`.
    Ttl {
        /// Lowest.
        first: u8,
        /// Highest.
        last: u8,
        /// `!`
        not: bool,
    },
    /// `-m tos`, `-m dscp`, `-m ecn --ecn-ip-ect`: TOS or traffic class under a mask.
    Tos {
        /// Wanted under the mask.
        value: u8,
        /// Bits looked at.
        mask: u8,
        /// `!`
        not: bool,
    },
}

impl FieldTest {
    /// Does it hold?
    pub fn holds<F: Family>(self, header: &Header<F>) -> bool {
        match self {
            Self::Length { first, last, not } => (u32::from(first)..=u32::from(last)).contains(&header.len) != not,
            Self::Ttl { first, last, not } => (first..=last).contains(&header.ttl) != not,
            Self::Tos { value, mask, not } => (header.tos & mask == value) != not,
        }
    }

    /// May it say something else of the next packet of the same flow and direction, with the same TOS?
    pub fn varies(self) -> bool {
        match self {
            Self::Length { .. } | Self::Ttl { .. } => true,
            Self::Tos { .. } => false,
        }
    }
}

/// `-m iprange`: each part that is there must hold. Lowest address, highest, inverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct AddressTest<F: Family> {
    /// `--src-range`
    pub src: Option<(F::Addr, F::Addr, bool)>,
    /// `--dst-range`
    pub dst: Option<(F::Addr, F::Addr, bool)>,
}

impl<F: Family> AddressTest<F> {
    /// Do source and destination, as they are now, pass?
    pub fn holds(&self, header: &Header<F>) -> bool {
        let passes = |part: Option<(F::Addr, F::Addr, bool)>, address| {
            part.is_none_or(|(first, last, not)| (first..=last).contains(&address) != not)
        };
        passes(self.src, header.src) && passes(self.dst, header.dst)
    }
}
