//! One flow: what connection tracking and NAT remember of it, in one object.
//!
//! Every flow pays for each byte here, so a flow is packed: what both directions share stands once, numbers lie on even places, what few
//! flows have is elsewhere ([`super::extra`]), and so is what few packets come to ([`super::aside`]). With its generation and its traces it fills two
//! cache lines in IPv4.
//!
//! Written by the worker that owns the table, read by it and (as copies) by whoever asks. `mark` is the walk's to write; all else changes through the table, because indexes and timers hang on it.

use packet::set::Ends;
use packet::{Family, Header, Ipv4, Ipv6, Tuple, TupleL4};
use program::{CtAction, Directions, TimeoutId};

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
pub struct Status(u16);

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
    /// An operator said when it ends, and packets say no more. The kernel's bit of that number is of software offload; its bit for this is taken here.
    pub const FIXED_TIMEOUT: Self = Self(1 << 14);
    /// A rule gave it a helper.
    pub const HELPER: Self = Self(1 << 13);
    /// Another worker keeps the reply tuple for it. The kernel's bit of that number is of hardware offload, which there is none of here.
    pub(crate) const CLAIMED: Self = Self(1 << 15);
    /// It is on a list of `connlimit`. This and the next two are bits which the kernel has for what there is none of here.
    pub(crate) const COUNTED: Self = Self(1 << 10);
    /// Somebody listened when it began.
    pub(crate) const WATCHED: Self = Self(1 << 11);
    /// Its translation is a cone's.
    pub(crate) const FULL_CONE: Self = Self(1 << 12);

    /// Every bit of `other` is set.
    #[inline]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those of these bits that are set.
    #[inline]
    pub(crate) fn of(self, others: Self) -> Self {
        Self(self.0 & others.0)
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

    #[inline]
    pub(crate) fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn clear(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// The bits as the kernel's numbers, the first four as `--ctstatus` has them.
    pub fn bits(self) -> u32 {
        let own = Self::CLAIMED.with(Self::COUNTED).with(Self::WATCHED).with(Self::FULL_CONE).with(Self::FIXED_TIMEOUT);
        let fixed = if self.has(Self::FIXED_TIMEOUT) { Self::KERNEL_FIXED_TIMEOUT } else { 0 };
        u32::from(self.0 & !own.0) | fixed
    }

    /// Of the kernel's numbers those that an operator may set.
    pub fn settable(bits: u32) -> Self {
        let fixed = if bits & Self::KERNEL_FIXED_TIMEOUT == 0 { Self::default() } else { Self::FIXED_TIMEOUT };
        Self(bits as u16 & Self::SEEN_REPLY.with(Self::ASSURED).0).with(fixed)
    }

    const KERNEL_FIXED_TIMEOUT: u32 = 1 << 10;
}

/// One direction of a flow, as it is kept. Its protocol, and what its transport part is, stand in the flow.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(2))]
pub(crate) struct Kept<F: Family> {
    /// The lower half; the upper one is in [`super::aside`].
    packets: u32,
    /// The lower half.
    bytes: u32,
    src: F::Addr,
    dst: F::Addr,
    l4: [u8; 4],
}

/// What the transport part of a flow's tuples is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum L4Kind {
    Ports,
    Icmp,
    Calls,
    Other,
}

/// Which lower halves of a direction's counters have gone round with a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Rounds {
    pub(super) packets: bool,
    pub(super) bytes: bool,
}

/// In 8 bits the kind of transport part and the directions that the zone parts, which were known when the flow began, and what of it stands beside the
/// slab ([`super::aside`]).
#[derive(Clone, Copy, Debug)]
struct Manner(u8);

const L4: u8 = 3;
const DIRECTIONS_AT: u32 = 2;
const EXTRA: u8 = 1 << 4;
const MASQUERADE: u8 = 1 << 5;
const MUTE: u8 = 1 << 6;

impl Manner {
    fn new(l4: L4Kind, directions: Directions) -> Self {
        Self(l4 as u8 | (directions as u8) << DIRECTIONS_AT)
    }

    #[inline]
    fn l4(self) -> L4Kind {
        [L4Kind::Ports, L4Kind::Icmp, L4Kind::Calls, L4Kind::Other][usize::from(self.0 & L4)]
    }

    #[inline]
    fn directions(self) -> Directions {
        [Directions::Both, Directions::Original, Directions::Reply, Directions::Both][usize::from(self.0 >> DIRECTIONS_AT & 3)]
    }

    #[inline]
    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

#[inline]
fn two(a: u16, b: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (a.to_ne_bytes(), b.to_ne_bytes());
    [a, b, c, d]
}

#[inline]
fn pack(l4: TupleL4) -> (L4Kind, [u8; 4]) {
    match l4 {
        TupleL4::Ports { src, dst } => (L4Kind::Ports, two(src, dst)),
        TupleL4::Icmp { kind, code, id } => (L4Kind::Icmp, two(u16::from_ne_bytes([kind, code]), id)),
        TupleL4::Calls { src, dst } => (L4Kind::Calls, two(src, dst)),
        TupleL4::Other => (L4Kind::Other, [0; 4]),
    }
}

#[inline]
fn unpack(kind: L4Kind, [a, b, c, d]: [u8; 4]) -> TupleL4 {
    let (src, dst) = (u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d]));
    match kind {
        L4Kind::Ports => TupleL4::Ports { src, dst },
        L4Kind::Icmp => TupleL4::Icmp { kind: a, code: b, id: dst },
        L4Kind::Calls => TupleL4::Calls { src, dst },
        L4Kind::Other => TupleL4::Other,
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
    #[inline]
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

/// One flow: the tuples and counters of both directions first, then what its protocol remembers.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(2))]
pub struct Flow<F: Family> {
    halves: [Kept<F>; 2],
    /// `connmark`. Written by CONNMARK.
    pub mark: u32,
    expires: Time,
    pub(crate) status: Status,
    zone: u16,
    pub(crate) protocol: Protocol,
    manner: Manner,
    /// The timeout policy that `CT` gave it.
    pub(crate) timeouts: TimeoutId,
    /// The protocol's number.
    number: u8,
    /// What is to be told of it.
    pub(crate) changes: Changes,
}

impl<F: Family> Flow<F> {
    /// A flow of which nobody has decided anything, in this zone; `None` when its tuple has no answer.
    pub(crate) fn new(tuple: &Tuple<F>, zone: CtAction, timeouts: TimeoutId, protocol: Protocol, expires: Time) -> Option<Self> {
        let reply = tuple.invert()?;
        let half = |tuple: &Tuple<F>| Kept { packets: 0, bytes: 0, src: tuple.src, dst: tuple.dst, l4: pack(tuple.l4).1 };
        Some(Self {
            halves: [half(tuple), half(&reply)],
            mark: 0,
            expires,
            status: Status::default(),
            zone: zone.zone,
            timeouts,
            protocol,
            changes: Changes::default(),
            number: tuple.protocol,
            manner: Manner::new(pack(tuple.l4).0, zone.directions),
        })
    }

    /// The tuple of one direction: addresses and ports as its packets carry them when they come in.
    #[inline]
    pub fn tuple(&self, dir: Dir) -> Tuple<F> {
        let Kept { src, dst, l4, .. } = self.halves[dir.index()];
        Tuple { src, dst, protocol: self.number, l4: unpack(self.manner.l4(), l4) }
    }

    /// Between which ends packets of that direction go on the other side of the box; `None` without ports. A side that is not translated is as it came.
    #[inline]
    pub(crate) fn ends_beyond(&self, dir: Dir) -> Option<Ends<F>> {
        let Kept { src, dst, l4: [a, b, c, d], .. } = self.halves[dir.opposite().index()];
        // A packet that goes out looks like the answer to one that comes in the other direction.
        let ends = Ends { src: dst, dst: src, sport: u16::from_ne_bytes([c, d]), dport: u16::from_ne_bytes([a, b]) };
        (self.manner.l4() == L4Kind::Ports).then_some(ends)
    }

    /// Is this a packet of that direction, with these ports, in zone 0 as its flow is in both directions?
    #[inline]
    pub(crate) fn carries(&self, dir: Dir, header: &Header<F>, (sport, dport): (u16, u16)) -> bool {
        let Kept { src, dst, l4, .. } = self.halves[dir.index()];
        (src, dst, l4) == (header.src, header.dst, two(sport, dport)) && self.number == header.protocol && self.zone == 0
    }

    /// Answers come from and go to other ends. Says whether they did before.
    pub(crate) fn answer_as(&mut self, reply: &Tuple<F>) -> bool {
        debug_assert!(reply.protocol == self.number && pack(reply.l4).0 == self.manner.l4(), "a translation leaves the protocol");
        let changes = self.tuple(Dir::Reply) != *reply;
        let half = self.halves[Dir::Reply.index()];
        self.halves[Dir::Reply.index()] = Kept { src: reply.src, dst: reply.dst, l4: pack(reply.l4).1, ..half };
        changes
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
    #[inline]
    pub fn zone(&self) -> CtAction {
        CtAction { zone: self.zone, directions: self.manner.directions(), ..CtAction::default() }
    }

    /// Did `CT --ctevents` leave something out of what is told of it?
    pub(super) fn is_mute(&self) -> bool {
        self.manner.has(MUTE)
    }

    /// It did.
    pub(super) fn note_mute(&mut self) {
        self.manner.0 |= MUTE;
    }

    /// The zone that parts the tuples of this direction.
    #[inline]
    pub fn zone_of(&self, dir: Dir) -> u16 {
        zone_of(self.zone(), dir)
    }

    /// Has it attributes that few flows have?
    #[inline]
    pub(crate) fn has_extra(&self) -> bool {
        self.manner.has(EXTRA)
    }

    /// It has some now.
    pub(super) fn note_extra(&mut self) {
        self.manner.0 |= EXTRA;
    }

    /// Is its source what MASQUERADE took?
    #[inline]
    pub(crate) fn is_masqueraded(&self) -> bool {
        self.manner.has(MASQUERADE)
    }

    /// It is from now on.
    pub(super) fn note_masquerade(&mut self) {
        self.manner.0 |= MASQUERADE;
    }

    /// When it ends unless a packet comes.
    #[inline]
    pub fn expires(&self) -> Time {
        self.expires
    }

    /// A packet says when it ends, unless an operator did.
    pub(crate) fn expire_at(&mut self, time: Time) {
        if !self.status.has(Status::FIXED_TIMEOUT) {
            self.expires = time;
        }
    }

    /// The same of a flow of which no operator said when it ends.
    #[inline(always)]
    pub(super) fn goes_on_until(&mut self, time: Time) {
        debug_assert!(!self.status.has(Status::FIXED_TIMEOUT));
        self.expires = time;
    }

    /// Whole seconds until then, as `conntrack -L` and `--ctexpire` have them.
    pub fn remaining_seconds(&self, now: Time) -> u32 {
        self.expires().seconds_from(now)
    }

    /// What its protocol remembers.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// Its kind for metrics; TCP's state as `conntrack -L` prints it is in the second of [`FlowKind::names`].
    #[inline]
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

    /// The lower halves of packets and bytes that a direction has carried.
    pub(super) fn counted(&self, dir: Dir) -> (u32, u32) {
        let Kept { packets, bytes, .. } = self.halves[dir.index()];
        (packets, bytes)
    }

    /// Writes them.
    pub(super) fn set_counted(&mut self, dir: Dir, (packets, bytes): (u32, u32)) {
        self.halves[dir.index()].packets = packets;
        self.halves[dir.index()].bytes = bytes;
    }

    /// Counts a packet; what has gone round is to be carried ([`super::aside`]).
    #[inline]
    pub(super) fn account(&mut self, dir: Dir, bytes: u32) -> Rounds {
        let half = dir.index();
        let (packets, packets_round) = self.halves[half].packets.overflowing_add(1);
        let (bytes, bytes_round) = self.halves[half].bytes.overflowing_add(bytes);
        self.halves[half].packets = packets;
        self.halves[half].bytes = bytes;
        Rounds { packets: packets_round, bytes: bytes_round }
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
const _: () = assert!(size_of::<Kept<Ipv4>>() == 20 && size_of::<Kept<Ipv6>>() == 44);
const _: () = assert!(size_of::<Protocol>() == 54);
const _: () = assert!(size_of::<Flow<Ipv4>>() == 114 && size_of::<Flow<Ipv6>>() == 162);

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
    fn a_manner_keeps_all_that_it_is_made_of() {
        for l4 in [L4Kind::Ports, L4Kind::Icmp, L4Kind::Calls, L4Kind::Other] {
            for directions in [Directions::Both, Directions::Original, Directions::Reply] {
                for beside in [0, EXTRA, MASQUERADE, MUTE, EXTRA | MASQUERADE | MUTE] {
                    let manner = Manner(Manner::new(l4, directions).0 | beside);
                    let has = [EXTRA, MASQUERADE, MUTE].into_iter().filter(|bit| manner.has(*bit)).sum::<u8>();
                    assert_eq!((manner.l4(), manner.directions(), has), (l4, directions, beside));
                }
            }
        }
    }

    #[test]
    fn a_tuple_is_kept_whatever_its_transport() {
        let parts = [
            TupleL4::Ports { src: 1, dst: 0xfffe },
            TupleL4::Icmp { kind: 8, code: 3, id: 0xabcd },
            TupleL4::Calls { src: 0x0102, dst: 0x0304 },
            TupleL4::Other,
        ];
        for l4 in parts {
            let tuple = Tuple::<Ipv6> { src: 1 << 99 | 5, dst: 7 << 88, protocol: 47, l4 };
            let (zone, protocol) = (CtAction::default(), Protocol::Generic);
            if let Some(mut flow) = Flow::new(&tuple, zone, TimeoutId::NONE, protocol, Time(1)) {
                let reply = tuple.invert().expect("it began a flow");
                assert_eq!((flow.tuple(Dir::Original), flow.tuple(Dir::Reply)), (tuple, reply));
                assert!(!flow.answer_as(&reply) && flow.answer_as(&Tuple { dst: 77, ..reply }));
                assert_eq!((flow.tuple(Dir::Original), flow.tuple(Dir::Reply)), (tuple, Tuple { dst: 77, ..reply }));
            }
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
