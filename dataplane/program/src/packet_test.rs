//! Tests that read more of a packet than its [`Header`] keeps: asked in rule order, each as the kernel's module of the same name asks it.

mod extension;
mod segments;
mod transport;

use packet::{Family, FamilyId, Header, protocol};
use serde::{Deserialize, Serialize};

use crate::byte_set::ByteSet;
use crate::header_test::{Answer, PortRange};
pub use segments::{SegmentTest, SegmentsTest};

/// A range of numbers, and `!`. None is inside when `first` is above `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span<T> {
    /// Lowest.
    pub first: T,
    /// Highest.
    pub last: T,
    /// `!`
    pub not: bool,
}

impl<T: Copy + PartialOrd> Span<T> {
    /// Does it hold of this number?
    pub fn holds(&self, number: T) -> bool {
        (self.first <= number && number <= self.last) != self.not
    }
}

/// One number, and `!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Single<T> {
    /// The number.
    pub value: T,
    /// `!`
    pub not: bool,
}

impl<T: PartialEq> Single<T> {
    /// Does it hold of this number?
    pub fn holds(&self, number: T) -> bool {
        (self.value == number) != self.not
    }
}

/// A test of one packet's bytes. Where a header is cut short that a test asks for, the packet is dropped on the spot (hotdrop).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PacketTest {
    /// `-m tcpmss`: the MSS that a TCP packet announces; inverted, packets without one pass as well.
    Mss(Span<u16>),
    /// `-m esp`
    Esp(Span<u32>),
    /// `-m ah` of IPv4, where it is the rule's protocol.
    Ah(Span<u32>),
    /// `-m ipcomp`
    Ipcomp(Span<u32>),
    /// `-m sctp`
    Sctp {
        /// `--sport`, `--dport`
        ports: [Option<(PortRange, bool)>; 2],
        /// `--chunk-types`
        chunks: Option<ChunkTest>,
    },
    /// `-m dccp`
    Dccp {
        /// `--sport`, `--dport`
        ports: [Option<(PortRange, bool)>; 2],
        /// `--dccp-types`: a bit for each of 16.
        types: Option<Single<u16>>,
        /// `--dccp-option`
        option: Option<Single<u8>>,
    },
    /// `-m ah` of IPv6, where it stands among other headers.
    Ah6 {
        /// `--ahspi`
        spi: Span<u32>,
        /// `--ahlen`: the header's length in bytes.
        length: Option<Single<u32>>,
        /// `--ahres`: the reserved word is 0.
        reserved: bool,
    },
    /// `-m rt`
    Routing {
        /// `--rt-type`
        kind: Option<Single<u32>>,
        /// `--rt-segsleft`
        segments: Span<u32>,
        /// `--rt-len`: the header's length in bytes.
        length: Option<Single<u32>>,
        /// `--rt-0-res`: the reserved word is 0.
        reserved: bool,
        /// `--rt-0-addrs`
        addresses: Vec<u128>,
        /// `--rt-0-not-strict`: others may stand between and behind them.
        loose: bool,
    },
    /// `-m hbh`, `-m dst`
    Options {
        /// `-m dst`
        destination: bool,
        /// `--hbh-len`: the header's length in bytes.
        length: Option<Single<u32>>,
        /// `--hbh-opts`: type, and length of the data if that matters; in this order from the first one on.
        options: Vec<(u8, Option<u8>)>,
    },
    /// `-m frag`
    Fragment {
        /// `--fragid`
        id: Span<u32>,
        /// `--fragres`: the reserved bits are 0.
        reserved: bool,
        /// `--fragfirst`
        first: bool,
        /// `--fragmore`, `--fraglast`
        more: Option<bool>,
    },
    /// `-m eui64`: the source's interface identifier is that of the frame's source.
    Eui64,
    /// `-m ipv6header`: bits of [`packet::ipv6::headers`].
    Headers {
        /// The headers.
        headers: u8,
        /// `--soft`: there may be others.
        soft: bool,
        /// `!`
        not: bool,
    },
    /// `-m srh`
    Segments(SegmentsTest),
    /// `-m mh`: the type of a mobility header.
    Mobility(Span<u8>),
}

/// `--chunk-types`
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChunkTest {
    /// How chunks are compared with the types.
    pub how: ChunkHow,
    /// The types.
    pub types: ByteSet,
    /// What is asked of the flags of some types: type, bits that are looked at, those of them that must be set.
    pub flags: Vec<(u8, u8, u8)>,
    /// `!`
    pub not: bool,
}

/// How chunks are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChunkHow {
    /// Each type is there.
    All,
    /// One of them is.
    Any,
    /// No chunk has another type.
    Only,
}

/// Most options of a list, and most addresses.
pub const MOST: usize = 16;

impl PacketTest {
    /// Asks it. `head` is the packet's first segment, which holds its headers.
    pub fn ask<F: Family>(&self, head: &[u8], header: &Header<F>) -> Answer {
        match self {
            Self::Mss(test) => transport::mss(head, header, test),
            Self::Esp(test) => transport::esp(head, header, test),
            Self::Ah(test) => transport::ah(head, header, test),
            Self::Ipcomp(test) => transport::ipcomp(head, header, test),
            Self::Sctp { ports, chunks } => transport::sctp(head, header, ports, chunks.as_ref()),
            Self::Dccp { ports, types, option } => transport::dccp(head, header, ports, types.as_ref(), option.as_ref()),
            Self::Mobility(test) => transport::mobility(head, header, test),
            Self::Eui64 => extension::eui64(head, header).into(),
            Self::Segments(test) => test.holds(head, header).into(),
            Self::Ah6 { .. } | Self::Routing { .. } | Self::Options { .. } | Self::Fragment { .. } | Self::Headers { .. } => {
                extension::ask(self, head, header)
            }
        }
    }

    /// May it say something else of the next packet of the same flow and direction?
    pub fn varies(&self) -> bool {
        !matches!(self, Self::Sctp { chunks: None, .. } | Self::Dccp { types: None, option: None, .. })
    }

    /// The protocol that the rule must ask for.
    pub(crate) fn protocol(&self) -> Option<(u8, &'static str)> {
        match self {
            Self::Mss(_) => Some((protocol::TCP, "tcpmss")),
            Self::Esp(_) => Some((protocol::ESP, "esp")),
            Self::Ah(_) => Some((protocol::AH, "ah")),
            Self::Ipcomp(_) => Some((protocol::IPCOMP, "ipcomp")),
            Self::Sctp { .. } => Some((protocol::SCTP, "sctp")),
            Self::Dccp { .. } => Some((protocol::DCCP, "dccp")),
            Self::Mobility(_) => Some((protocol::MOBILITY, "mh")),
            Self::Ah6 { .. }
            | Self::Routing { .. }
            | Self::Options { .. }
            | Self::Fragment { .. }
            | Self::Segments(_)
            | Self::Eui64
            | Self::Headers { .. } => None,
        }
    }

    /// The only family in which it means something.
    pub(crate) fn family(&self) -> Option<(FamilyId, &'static str)> {
        match self {
            Self::Ah(_) => Some((FamilyId::Ipv4, "ah")),
            Self::Ah6 { .. } => Some((FamilyId::Ipv6, "ah")),
            Self::Routing { .. } => Some((FamilyId::Ipv6, "rt")),
            Self::Options { .. } => Some((FamilyId::Ipv6, "hbh")),
            Self::Fragment { .. } => Some((FamilyId::Ipv6, "frag")),
            Self::Segments(_) => Some((FamilyId::Ipv6, "srh")),
            Self::Eui64 => Some((FamilyId::Ipv6, "eui64")),
            Self::Headers { .. } => Some((FamilyId::Ipv6, "ipv6header")),
            Self::Mobility(_) => Some((FamilyId::Ipv6, "mh")),
            Self::Mss(_) | Self::Esp(_) | Self::Ipcomp(_) | Self::Sctp { .. } | Self::Dccp { .. } => None,
        }
    }
}
