//! What the box says to the sender of a packet: ICMP errors, TCP resets. They wait in [`OwnQueue`] until the walk of their cause has ended (a
//! redirect until it is forwarded), and then go the way of locally made packets.

use arrayvec::ArrayVec;
use packet::{Family, FamilyId, ether, icmp, parse, reply};
use program::InterfaceId;

use super::routing::{Class, Hop, class, is_link_local};
use super::{Walk, Way};
use crate::buffer::Buffer;
use crate::burst::{Connection, Origin, Packet, Row};
use crate::conntrack::CtInfo;
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::host::Neighbour;
use crate::outside::Outside;
use crate::route::RouteKey;

/// Packets that can wait at once. One packet causes at most two answers (a redirect, and a refusal), and each answer at most one (never an ICMP error
/// about an ICMP error); the others are copies, which TEE makes.
const OWN_QUEUE: usize = 8;

/// Packets that are walked for one cause; what is left then is dropped by name.
pub(crate) const OWN_WALKS: usize = 16;

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message<F: Family> {
    /// Destination unreachable, with this code.
    Unreachable(u8),
    /// The TTL ended.
    TimeExceeded,
    /// The rest of a datagram did not come.
    ReassemblyTimeExceeded,
    /// The packet is longer than this MTU.
    FragmentationNeeded(u32),
    /// Better sent to this gateway.
    Redirect(F::Addr),
    /// The packet is wrong at the byte that `pointer` counts from its first one.
    ParameterProblem {
        /// What kind of wrong.
        code: u8,
        /// Where.
        pointer: u32,
        /// Also whoever sent it to many is told.
        by_groups: bool,
    },
}

impl<F: Family> Message<F> {
    /// Type, code, and bytes 4 to 7. `None` for what the family has no such message for.
    fn fields(self) -> Option<(u8, u8, u32)> {
        Some(match (F::ID, self) {
            (family, Self::Unreachable(code)) => (reply::unreachable_kind(family), code, 0),
            (family, Self::TimeExceeded) => (reply::time_exceeded_kind(family), 0, 0),
            (family, Self::ReassemblyTimeExceeded) => (reply::time_exceeded_kind(family), 1, 0),
            (FamilyId::Ipv4, Self::FragmentationNeeded(mtu)) => (icmp::kind::UNREACHABLE, icmp::FRAGMENTATION_NEEDED, mtu),
            (FamilyId::Ipv4, Self::Redirect(gateway)) => {
                const FOR_HOST: u8 = 1;
                (icmp::kind::REDIRECT, FOR_HOST, u32::from_be_bytes(bytes_of(gateway)))
            }
            (FamilyId::Ipv4, Self::ParameterProblem { code, pointer, .. }) => (icmp::kind::PARAMETER_PROBLEM, code, pointer << 24),
            (FamilyId::Ipv6, Self::FragmentationNeeded(mtu)) => (packet::icmp6::kind::PACKET_TOO_BIG, 0, mtu),
            (FamilyId::Ipv6, Self::ParameterProblem { code, pointer, .. }) => {
                (packet::icmp6::kind::PARAMETER_PROBLEM, code, pointer)
            }
            (FamilyId::Ipv6, Self::Redirect(_)) => return None,
        })
    }
}

/// Is this message sent at a limited rate (`icmp_ratemask`, 6168; `icmp/ratemask` of IPv6, 0-1,3-127)? Path MTU discovery is not.
fn is_paced<F: Family>(kind: u8, code: u8) -> bool {
    match F::ID {
        FamilyId::Ipv4 => match kind {
            icmp::kind::UNREACHABLE => code != icmp::FRAGMENTATION_NEEDED,
            icmp::kind::SOURCE_QUENCH | icmp::kind::TIME_EXCEEDED | icmp::kind::PARAMETER_PROBLEM => true,
            _ => false,
        },
        FamilyId::Ipv6 => kind != packet::icmp6::kind::PACKET_TOO_BIG,
    }
}

fn bytes_of<A: packet::family::Addr>(address: A) -> [u8; 4] {
    let mut bytes = [0; 4];
    address.write(&mut bytes);
    bytes
}

/// An answer belongs to the flow of its cause, going the other way (`nf_conntrack_attach`).
fn attached(cause: &Connection) -> Connection {
    let back = cause.dir.opposite();
    match cause.flow {
        Some(_) => Connection { info: CtInfo::Related(back), dir: back, ..*cause },
        None => Connection::NONE,
    }
}

/// The packets of the box that wait, in the order in which they walk.
pub(crate) struct OwnQueue<F: Family, B>(ArrayVec<Own<F, B>, OWN_QUEUE>);

/// A packet of the box: its bytes, what is known of it, and its way, unless that is [that of its destination](Walk::own_way).
pub(crate) type Own<F, B> = (B, Row<F>, Option<Way>);

impl<F: Family, B> OwnQueue<F, B> {
    /// Nothing waits.
    pub(crate) fn new() -> Self {
        Self(ArrayVec::new())
    }

    /// Does nothing wait?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Lets all but the first so many go first: what a packet causes comes before what its cause caused behind it.
    pub(crate) fn let_pass(&mut self, waiting: usize) {
        if waiting < self.0.len() {
            self.0.rotate_left(waiting);
        }
    }

    /// The packet whose turn it is.
    pub(crate) fn take(&mut self) -> Option<Own<F, B>> {
        self.0.pop_at(0)
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Queues an ICMP error about a packet to its sender, if one may be sent (`__icmp_send`, `icmp6_send`): not about packets to many unless
    /// the message is for those too, and not about what [`reply::may_send_error`] forbids.
    pub(crate) fn answer(&mut self, packet: &Packet<'_, F, O::Buf>, message: Message<F>) {
        let header = &packet.header;
        let to_one = Self::is_to_host(packet) && !packet.to_many;
        let may = (to_one || matches!(message, Message::ParameterProblem { by_groups: true, .. }))
            && class(header.src) == Class::Unicast
            && reply::may_send_error(header, packet.buf.head());
        let Some((kind, code, rest)) = message.fields().filter(|_| may) else { return };
        if is_paced::<F>(kind, code) && !self.pace.may_send_error(header.src, self.snap.settings.ratelimit(F::ID), self.now) {
            return self.drops.count(DropReason::AnswerRate);
        }
        let hop = match self.route_back(packet) {
            Step::Continue(hop) => hop,
            Step::Break(reason) => return self.drops.count(reason),
        };
        let src = if self.is_local(header.dst) {
            header.dst
        } else {
            // IPv6 speaks as the interface that was spoken to, whichever way the answer takes.
            let by_input = F::ID == FamilyId::Ipv6 && packet.input != InterfaceId::NONE && !packet.copied;
            let interface = if by_input { packet.input } else { hop.interface };
            match hop.source.or_else(|| self.host.source_address(interface, hop.next_hop, header.src)) {
                Some(address) => address,
                None => return,
            }
        };
        let error = reply::IcmpError { src, kind, code, rest, id: self.fresh_id() };
        let mut frame = [0; ether::HEADER_LEN + reply::max_error_len(FamilyId::Ipv6)];
        let connection = attached(&packet.connection);
        let written = reply::icmp_error(&mut frame[ether::HEADER_LEN..], &error, header, packet.buf.segments());
        if let Some(len) = written {
            self.queue_own(&frame[..ether::HEADER_LEN + len], &hop, connection, packet.copied);
        }
    }

    /// Tells an IPv6 neighbour of a better next hop than this box: the destination on its own link, or a gateway by its link-local address
    /// (`ip6_forward`, `ndisc_send_redirect`).
    pub(crate) fn redirect_neighbour(&mut self, packet: &Packet<'_, F, O::Buf>, target: F::Addr) {
        let (header, input) = (&packet.header, packet.input);
        if !self.pace.may_redirect_neighbour(header.dst, self.now) {
            return self.drops.count(DropReason::AnswerRate);
        }
        let is_named_well = target == header.dst || is_link_local(target);
        let Step::Continue(back) = self.route_back(packet) else { return };
        let is_neighbour = back.interface == input && back.next_hop == header.src;
        let own = self.host.addresses(input).map(|own| own.address).find(|own| is_link_local(*own));
        let Some(src) = own.filter(|_| is_named_well && is_neighbour && class(header.src) == Class::Unicast) else { return };
        if !self.pace.may_redirect_neighbour(header.src, self.now) {
            return self.drops.count(DropReason::AnswerRate);
        }
        let mac = match self.host.neighbour(input, target) {
            Some(Neighbour::Known(mac)) => Some(mac),
            Some(Neighbour::Failed) | None => None,
        };
        let mut frame = [0; ether::HEADER_LEN + reply::max_error_len(FamilyId::Ipv6)];
        let redirect = reply::Redirect { src, target, mac };
        if let Some(len) = reply::redirect(&mut frame[ether::HEADER_LEN..], &redirect, header, packet.buf.segments()) {
            self.queue_own(&frame[..ether::HEADER_LEN + len], &back, Connection::NONE, false);
        }
    }

    /// Queues the TCP reset that answers a packet, if one may be sent (`nf_send_reset`).
    pub(crate) fn reset(&mut self, packet: &Packet<'_, F, O::Buf>) {
        if packet.to_many || class(packet.header.src) != Class::Unicast || !reply::may_send_reset(&packet.header) {
            return;
        }
        let hop = match self.route_back(packet) {
            Step::Continue(hop) => hop,
            Step::Break(reason) => return self.drops.count(reason),
        };
        let mut frame = [0; ether::HEADER_LEN + 80];
        if let Some(len) = reply::tcp_reset(&mut frame[ether::HEADER_LEN..], &packet.header, 0) {
            self.queue_own(&frame[..ether::HEADER_LEN + len], &hop, attached(&packet.connection), packet.copied);
        }
    }

    fn route_back(&self, packet: &Packet<'_, F, O::Buf>) -> Step<Hop<F>> {
        self.route_to(packet.header.src, packet.input)
    }

    /// Routes what the box says; to a link-local address on this link.
    fn route_to(&self, dst: F::Addr, link: InterfaceId) -> Step<Hop<F>> {
        if is_link_local(dst) && link != InterfaceId::NONE {
            return Step::Continue(Hop { interface: link, next_hop: dst, mtu: None, to_many: false, source: None });
        }
        self.route_output(&RouteKey { dst, src: F::Addr::default(), input: InterfaceId::NONE, mark: 0, tos: 0 })
    }

    /// Queues a segment that SYNPROXY says in the name of one end to the other (`synproxy_send_tcp`). It may be for the box's own stack, which
    /// is reached by the interface on which the other end is.
    pub(crate) fn send_segment(&mut self, cause: &Packet<'_, F, O::Buf>, segment: &reply::Segment<'_, F>, connection: Connection) {
        let dst = segment.to.0;
        let link = if cause.input == InterfaceId::NONE { cause.output } else { cause.input };
        let hop = match self.route_to(dst, link) {
            Step::Break(DropReason::LocalToLocal) => {
                Hop { interface: link, next_hop: dst, mtu: None, to_many: false, source: None }
            }
            Step::Continue(hop) => hop,
            Step::Break(reason) => return self.drops.count(reason),
        };
        let mut frame = [0; ether::HEADER_LEN + packet::ipv6::HEADER_LEN + packet::tcp::MAX_HEADER_LEN];
        if let Some(len) = reply::tcp_segment(&mut frame[ether::HEADER_LEN..], segment) {
            self.queue_own(&frame[..ether::HEADER_LEN + len], &hop, connection, false);
        }
    }

    /// A free identification that is not 0.
    fn fresh_id(&mut self) -> u16 {
        1 + self.rng.below(u32::from(u16::MAX)) as u16
    }

    /// `frame` is a whole packet behind an empty Ethernet header. Is it about a copy?
    fn queue_own(&mut self, frame: &[u8], hop: &Hop<F>, connection: Connection, copied: bool) {
        let Some(mut buf) = self.out.alloc() else { return self.drops.count(DropReason::NoBuffer) };
        if !buf.append(frame) {
            return self.drops.count(DropReason::BufferLayout);
        }
        let Ok(header) = parse::ip::<F>(buf.head(), ether::HEADER_LEN, frame.len() - ether::HEADER_LEN) else {
            return self.drops.count(DropReason::BufferLayout);
        };
        let row = Row {
            output: hop.interface,
            next_hop: hop.next_hop,
            to_many: hop.to_many,
            connection,
            copied,
            ..Row::new(header, Origin::Own, InterfaceId::NONE)
        };
        self.queue(buf, row, None);
    }

    /// Has a packet wait until those walk that the box has made.
    pub(crate) fn queue(&mut self, buf: O::Buf, row: Row<F>, way: Option<Way>) {
        if self.own.0.try_push((buf, row, way)).is_err() {
            self.drops.count(DropReason::OwnQueueFull);
        }
    }
}
