//! One flow: what connection tracking and NAT remember of it, in one object.
//!
//! Written by the worker that owns the table, read by it and (as copies) by whoever asks. `mark` and `masquerade` are the walk's to write; all else changes through the table, because indexes and timers hang on it.

use packet::{Family, Ipv4, Ipv6, Tuple};
use program::{CtAction, Directions, InterfaceId, TimeoutId};

use super::sctp::{Sctp, SctpState};
use super::tcp::{Tcp, TcpState};
use super::udp::Udp;
use crate::events::Changes;
use crate::time::Time;

/// A flow's place in its table. The generation tells a flow from a later one in the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowId {
    /// Which slot.
    pub slot: u32,
    /// Which of the slot's tenants.
    pub generation: u32,
}

/// Which way a packet of a flow goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dir {
    /// As the flow's first packet.
    Original,
    /// The answers.
    Reply,
}

impl Dir {
    /// 0 for original, 1 for reply.
    #[inline]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The other way.
    #[inline]
    pub fn opposite(self) -> Self {
        match self {
            Self::Original => Self::Reply,
            Self::Reply => Self::Original,
        }
    }
}

/// What tracking found a packet to be: what `--ctstate` and `--ctdir` see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CtInfo {
    /// Belongs to no flow, and can begin none.
    Invalid,
    /// Not looked at, by wish of a rule or because tracking is not in use.
    Untracked,
    /// In the original direction of a flow that has seen no reply.
    New,
    /// Of a flow that has seen packets both ways.
    Established(Dir),
    /// An ICMP error about a flow, or the beginning of a flow that another one announced.
    Related(Dir),
}

impl CtInfo {
    /// The direction; original where there is none.
    #[inline]
    pub fn dir(self) -> Dir {
        match self {
            Self::Established(dir) | Self::Related(dir) => dir,
            Self::Invalid | Self::Untracked | Self::New => Dir::Original,
        }
    }
}

/// What became of a flow: bits with the kernel's numbers (`IPS_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status(u32);

impl Status {
    /// Another flow announced this one.
    pub const EXPECTED: Self = Self(1);
    /// Packets went both ways.
    pub const SEEN_REPLY: Self = Self(1 << 1);
    /// Worth keeping when room gets scarce.
    pub const ASSURED: Self = Self(1 << 2);
    /// In the table: its first packet got through.
    pub const CONFIRMED: Self = Self(1 << 3);
    /// The source is translated in the original direction.
    pub const SRC_NAT: Self = Self(1 << 4);
    /// The destination is translated in the original direction.
    pub const DST_NAT: Self = Self(1 << 5);
    /// A helper changed the length of a segment.
    pub const SEQ_ADJUST: Self = Self(1 << 6);
    /// Source NAT was decided, be it that nothing changes.
    pub const SRC_NAT_DONE: Self = Self(1 << 7);
    /// Destination NAT was decided, be it that nothing changes.
    pub const DST_NAT_DONE: Self = Self(1 << 8);
    /// Out of the table; the packet at hand may still use it.
    pub const DYING: Self = Self(1 << 9);
    /// A rule gave it a helper.
    pub const HELPER: Self = Self(1 << 13);
    /// Another worker keeps the reply tuple for it. The kernel's bit of that number is of hardware offload, which there is none of here.
    pub(crate) const CLAIMED: Self = Self(1 << 15);
    /// It is on a list of `connlimit`. No bit of the kernel's.
    pub(crate) const COUNTED: Self = Self(1 << 29);
    /// Somebody listened when it began. No bit of the kernel's.
    pub(crate) const WATCHED: Self = Self(1 << 30);
    /// Its translation is a cone's. No bit of the kernel's.
    pub(crate) const FULL_CONE: Self = Self(1 << 31);

    /// Every bit of `other` is set.
    #[inline]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Some bit of `other` is set.
    #[inline]
    pub fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn clear(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// The bits as numbers, the first four as `--ctstatus` has them.
    pub fn bits(self) -> u32 {
        self.0 & !Self::CLAIMED.with(Self::COUNTED).with(Self::WATCHED).with(Self::FULL_CONE).0
    }
}

/// One direction of a flow.
#[derive(Clone, Copy, Debug)]
pub struct Half<F: Family> {
    pub(crate) tuple: Tuple<F>,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl<F: Family> Half<F> {
    pub(crate) fn new(tuple: Tuple<F>) -> Self {
        Self { tuple, packets: 0, bytes: 0 }
    }

    /// Addresses and ports as packets of this direction carry them when they come in.
    #[inline]
    pub fn tuple(&self) -> &Tuple<F> {
        &self.tuple
    }

    /// Packets counted.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Bytes counted, IP headers included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What a flow's protocol remembers.
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    /// TCP.
    Tcp(Tcp),
    /// UDP and UDP-Lite.
    Udp(Udp),
    /// SCTP.
    Sctp(Sctp),
    /// ICMP and ICMPv6 queries.
    Icmp,
    /// GRE.
    Gre,
    /// Every other protocol.
    Generic,
}

/// A flow's kind, as metrics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowKind {
    /// TCP, by state.
    Tcp(TcpState),
    /// UDP, no reply yet.
    UdpUnreplied,
    /// UDP with replies.
    UdpReplied,
    /// UDP that is a stream: ASSURED.
    UdpAssured,
    /// SCTP, by state.
    Sctp(SctpState),
    /// ICMP queries.
    Icmp,
    /// GRE.
    Gre,
    /// Every other protocol.
    Generic,
}

impl FlowKind {
    /// Every kind, in the order of [`FlowKind::index`].
    pub const ALL: [Self; TcpState::ALL.len() + SctpState::ALL.len() + 6] = {
        let mut all = [Self::Generic; TcpState::ALL.len() + SctpState::ALL.len() + 6];
        let mut i = 0;
        while i < TcpState::ALL.len() {
            all[i] = Self::Tcp(TcpState::ALL[i]);
            i += 1;
        }
        all[i] = Self::UdpUnreplied;
        all[i + 1] = Self::UdpReplied;
        all[i + 2] = Self::UdpAssured;
        all[i + 3] = Self::Icmp;
        all[i + 4] = Self::Gre;
        let mut j = 0;
        while j < SctpState::ALL.len() {
            all[i + 6 + j] = Self::Sctp(SctpState::ALL[j]);
            j += 1;
        }
        all
    };

    /// Its place in [`FlowKind::ALL`].
    pub fn index(self) -> usize {
        match self {
            Self::Tcp(state) => state as usize,
            Self::UdpUnreplied => TcpState::ALL.len(),
            Self::UdpReplied => TcpState::ALL.len() + 1,
            Self::UdpAssured => TcpState::ALL.len() + 2,
            Self::Icmp => TcpState::ALL.len() + 3,
            Self::Gre => TcpState::ALL.len() + 4,
            Self::Generic => TcpState::ALL.len() + 5,
            Self::Sctp(state) => TcpState::ALL.len() + 6 + state as usize,
        }
    }

    /// Protocol and state as labels of metrics.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Tcp(state) => ("tcp", state.name()),
            Self::UdpUnreplied => ("udp", "UNREPLIED"),
            Self::UdpReplied => ("udp", "REPLIED"),
            Self::UdpAssured => ("udp", "ASSURED"),
            Self::Sctp(state) => ("sctp", state.name()),
            Self::Icmp => ("icmp", ""),
            Self::Gre => ("gre", ""),
            Self::Generic => ("generic", ""),
        }
    }
}

/// One flow: the tuples and counters of both directions first (one cache line for IPv4), then what its protocol remembers.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Flow<F: Family> {
    pub(crate) halves: [Half<F>; 2],
    pub(crate) protocol: Protocol,
    pub(crate) status: Status,
    /// `connmark`. Written by CONNMARK.
    pub mark: u32,
    /// Number of its rare attributes ([`super::extra`]).
    pub(crate) extra: u32,
    pub(crate) zone: CtAction,
    /// The interface whose address MASQUERADE took; [`InterfaceId::NONE`] without MASQUERADE. Written by the walk after
    /// [`crate::nat::setup`].
    pub masquerade: InterfaceId,
    /// The timeout policy that `CT` gave it.
    pub(crate) timeouts: TimeoutId,
    /// What is to be told of it.
    pub(crate) changes: Changes,
    pub(crate) expires: Time,
}

impl<F: Family> Flow<F> {
    /// One direction.
    #[inline]
    pub fn half(&self, dir: Dir) -> &Half<F> {
        &self.halves[dir.index()]
    }

    /// The tuple of one direction.
    #[inline]
    pub fn tuple(&self, dir: Dir) -> &Tuple<F> {
        &self.halves[dir.index()].tuple
    }

    /// What became of it.
    #[inline]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Is it in the table?
    #[inline]
    pub fn is_confirmed(&self) -> bool {
        self.status.has(Status::CONFIRMED)
    }

    /// The zone as `CT` gave it.
    pub fn zone(&self) -> CtAction {
        self.zone
    }

    /// The zone that parts the tuples of this direction.
    #[inline]
    pub fn zone_of(&self, dir: Dir) -> u16 {
        zone_of(self.zone, dir)
    }

    /// When it ends unless a packet comes.
    #[inline]
    pub fn expires(&self) -> Time {
        self.expires
    }

    /// Whole seconds until then, as `conntrack -L` and `--ctexpire` have them.
    pub fn remaining_seconds(&self, now: Time) -> u32 {
        self.expires.seconds_from(now)
    }

    /// What its protocol remembers.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// Its kind for metrics; TCP's state as `conntrack -L` prints it is in the second of [`FlowKind::names`].
    pub fn kind(&self) -> FlowKind {
        match &self.protocol {
            Protocol::Tcp(tcp) => FlowKind::Tcp(tcp.state()),
            Protocol::Udp(_) if self.status.has(Status::ASSURED) => FlowKind::UdpAssured,
            Protocol::Udp(_) if self.status.has(Status::SEEN_REPLY) => FlowKind::UdpReplied,
            Protocol::Udp(_) => FlowKind::UdpUnreplied,
            Protocol::Sctp(sctp) => FlowKind::Sctp(sctp.state()),
            Protocol::Icmp => FlowKind::Icmp,
            Protocol::Gre => FlowKind::Gre,
            Protocol::Generic => FlowKind::Generic,
        }
    }

    /// A packet of a masqueraded flow leaves by another interface than the one whose address it carries: the kernel ends the flow and
    /// drops the packet. To be asked in POSTROUTING.
    pub fn masquerade_moved(&self, dir: Dir, out: InterfaceId) -> bool {
        dir == Dir::Original && self.masquerade != InterfaceId::NONE && self.masquerade != out
    }

    /// Its counts begin anew.
    pub(crate) fn forget_counts(&mut self) {
        for half in &mut self.halves {
            (half.packets, half.bytes) = (0, 0);
        }
    }

    pub(crate) fn account(&mut self, dir: Dir, bytes: u32) {
        let half = &mut self.halves[dir.index()];
        half.packets += 1;
        half.bytes += u64::from(bytes);
    }
}

/// The zone that parts the tuples of `dir`; 0 where the action parts the other direction only.
#[inline]
pub(crate) fn zone_of(zone: CtAction, dir: Dir) -> u16 {
    match (zone.directions, dir) {
        (Directions::Both, _) | (Directions::Original, Dir::Original) | (Directions::Reply, Dir::Reply) => zone.zone,
        (Directions::Original, Dir::Reply) | (Directions::Reply, Dir::Original) => 0,
    }
}

// Every flow pays for each byte here; what few flows have belongs to `extra`.
const _: () = assert!(size_of::<Half<Ipv4>>() == 32 && size_of::<Half<Ipv6>>() == 64);
const _: () = assert!(size_of::<Protocol>() <= 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_stand_at_their_index_and_have_distinct_names() {
        let mut names = std::collections::HashSet::new();
        for (i, kind) in FlowKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), i);
            assert!(names.insert(kind.names()));
        }
    }

    #[test]
    fn a_zone_of_one_direction_leaves_the_other_in_zone_0() {
        let zone = CtAction { zone: 5, directions: Directions::Original, ..CtAction::default() };
        assert_eq!((zone_of(zone, Dir::Original), zone_of(zone, Dir::Reply)), (5, 0));
        let zone = CtAction { zone: 5, directions: Directions::Both, ..CtAction::default() };
        assert_eq!((zone_of(zone, Dir::Original), zone_of(zone, Dir::Reply)), (5, 5));
    }
}
