//! Where a packet goes, and whether it may come from where it says: the kernel's `ip_route_input` and `ip_route_me_harder`.

use core::net::IpAddr;

use packet::family::Addr;
use packet::options::ip;
use packet::{Family, FamilyId};
use program::InterfaceId;

use super::answer::Message;
use super::{Walk, Way};
use crate::buffer::Buffer;
use crate::burst::{Link, Origin, Packet};
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::host::{Address, RpFilter};
use crate::outside::Outside;
use crate::route::{Found, NextHop, RouteKey};

/// A way out, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop<F: Family> {
    pub(crate) interface: InterfaceId,
    pub(crate) next_hop: F::Addr,
    /// The route's own MTU.
    pub(crate) mtu: Option<u32>,
    /// To everybody on the link, or to a group.
    pub(crate) to_many: bool,
    /// The source address that the route prefers.
    pub(crate) source: Option<F::Addr>,
}

/// What routing says of a packet that came in.
pub(crate) enum Inward<F: Family> {
    /// It is for the box.
    Local,
    /// It goes on.
    Forward(Onward<F>),
}

/// How it goes on.
pub(crate) struct Onward<F: Family> {
    pub(crate) hop: Hop<F>,
    /// The sender could have sent it there itself: it is on the link by which the packet leaves.
    pub(crate) redirect: bool,
}

/// What kind of address it is by its number alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// 0.0.0.0, ::. The rest of 0/8 is like any other network.
    Zero,
    /// 127/8, ::1
    Loopback,
    /// 224/4, ff00::/8
    Multicast,
    /// 255.255.255.255
    Broadcast,
    /// Everything else.
    Unicast,
}

pub(crate) fn class<A: Addr>(address: A) -> Class {
    match address.to_ip() {
        IpAddr::V4(a) if a.is_unspecified() => Class::Zero,
        IpAddr::V4(a) if a.is_broadcast() => Class::Broadcast,
        IpAddr::V6(a) if a.is_unspecified() => Class::Zero,
        ip if ip.is_loopback() => Class::Loopback,
        ip if ip.is_multicast() => Class::Multicast,
        _ => Class::Unicast,
    }
}

/// Is it an IPv4 address of [`Class::Unicast`]? As most are: said of them without asking what else they could be.
#[inline(always)]
fn is_ordinary<A: Addr>(address: A) -> bool {
    let first = address.word(0) >> 24;
    A::LEN == 4 && (1..0xe0).contains(&first) && first != 127
}

/// fe80::/10: an address that means something on its link alone. IPv4's 169.254/16 is routed like any other.
pub(crate) fn is_link_local<A: Addr>(address: A) -> bool {
    matches!(address.to_ip(), IpAddr::V6(a) if a.is_unicast_link_local())
}

/// Codes of "destination unreachable" for what a router meets on its own.
pub(crate) struct Codes {
    pub(crate) no_route: u8,
    /// A route of that kind.
    unreachable: u8,
    prohibit: u8,
    /// Nobody answers for the next hop.
    pub(crate) neighbour: u8,
}

impl Codes {
    pub(crate) const fn of(family: FamilyId) -> Codes {
        match family {
            FamilyId::Ipv4 => Codes { no_route: 0, unreachable: 1, prohibit: 13, neighbour: 1 },
            FamilyId::Ipv6 => Codes { no_route: 0, unreachable: 0, prohibit: 1, neighbour: 3 },
        }
    }
}

/// 224.0.0.0/24: never forwarded, and `224.0.0.1` is every host's.
fn is_local_group<A: Addr>(address: A) -> bool {
    matches!(address.to_ip(), IpAddr::V4(a) if a.octets()[..3] == [224, 0, 0])
}

fn is_all_hosts<A: Addr>(address: A) -> bool {
    matches!(address.to_ip(), IpAddr::V4(a) if a.octets() == [224, 0, 0, 1])
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// The key by which a packet is routed as it stands now.
    pub(crate) fn route_key(&self, packet: &Packet<'_, F, O::Buf>) -> RouteKey<F> {
        RouteKey { dst: packet.header.dst, src: packet.header.src, input: packet.input, mark: packet.mark, tos: packet.header.tos }
    }

    fn lookup(&self, key: &RouteKey<F>) -> Option<Found<F>> {
        self.host.local().lookup(key).or_else(|| self.host.routes().lookup(key))
    }

    /// Routes a packet that came in, after the checks of source and destination (`ip_route_input_slow`, `fib_validate_source`), and checks
    /// its options (`ip_rcv_options`).
    pub(crate) fn route_input(&mut self, packet: &mut Packet<'_, F, O::Buf>) -> Step<Inward<F>> {
        let way = self.destination(packet)?;
        if let Inward::Forward(onward) = &way {
            packet.output = onward.hop.interface;
            packet.next_hop = onward.hop.next_hop;
        }
        self.check_options(packet)?;
        Step::Continue(way)
    }

    fn destination(&mut self, packet: &mut Packet<'_, F, O::Buf>) -> Step<Inward<F>> {
        let (src, dst) = (packet.header.src, packet.header.dst);
        if !(is_ordinary(src) && is_ordinary(dst)) && self.is_to_many(packet, class(src), class(dst))? {
            packet.to_many = true;
            return Step::Continue(Inward::Local);
        }
        let local = |packet: &mut Packet<'_, F, O::Buf>, to_many| {
            packet.to_many = to_many;
            Step::Continue(Inward::Local)
        };
        let forwarding = self.snap.host.interface(packet.input).is_some_and(|i| i.forwarding);
        if is_link_local(dst) {
            return self.on_its_link(packet, forwarding);
        }
        let codes = const { Codes::of(F::ID) };
        let unreachable = |reason, code| if forwarding { (reason, code) } else { (DropReason::ForwardingDisabled, None) };
        let (reason, code) = match self.lookup(&self.route_key(packet)) {
            // Of several routers' address only a router is one.
            Some(Found::Local(_)) if !forwarding && !self.host.has(dst) => (DropReason::ForwardingDisabled, None),
            Some(Found::Local(_)) => {
                self.check_source(packet, None)?;
                return local(packet, false);
            }
            Some(Found::Broadcast(_)) => {
                self.check_source(packet, None)?;
                return local(packet, true);
            }
            Some(Found::Unicast { hop, source, mtu }) if forwarding => {
                let on_link = self.check_source(packet, Some(hop.interface))?;
                let redirect = on_link && hop.interface == packet.input;
                return Step::Continue(Inward::Forward(Onward { hop: resolve(hop, dst, source, mtu), redirect }));
            }
            Some(Found::Unicast { .. }) => (DropReason::ForwardingDisabled, None),
            Some(Found::Unreachable) => unreachable(DropReason::RouteUnreachable, Some(codes.unreachable)),
            Some(Found::Prohibit) => unreachable(DropReason::RouteProhibit, Some(codes.prohibit)),
            Some(Found::Blackhole) => (DropReason::RouteBlackhole, None),
            None => unreachable(DropReason::NoRoute, Some(codes.no_route)),
        };
        // Whoever sends wrong options there is told of those (`ip_rcv_finish`).
        self.check_options(packet)?;
        if let Some(code) = code {
            self.answer(packet, Message::Unreachable(code));
        }
        Step::Break(reason)
    }

    /// What addresses of these classes say by themselves: is the packet to everybody, or to a group, and so to the box? If not it is routed.
    #[inline(never)]
    fn is_to_many(&self, packet: &Packet<'_, F, O::Buf>, source: Class, destination: Class) -> Step<bool> {
        match (source, destination) {
            (Class::Multicast | Class::Broadcast, _) => Step::Break(DropReason::MartianSource),
            (source, Class::Multicast) => self.check_group(packet, source).map_continue(|()| true),
            // To IPv6 an address like any other, but that nobody can be answered there.
            (Class::Zero | Class::Unicast, Class::Zero | Class::Unicast) if F::ID == FamilyId::Ipv6 => Step::Continue(false),
            (Class::Zero, Class::Zero | Class::Broadcast) => Step::Continue(true),
            (Class::Zero | Class::Loopback, _) => Step::Break(DropReason::MartianSource),
            (_, Class::Broadcast) => self.check_source(packet, None).map_continue(|_| true),
            (_, Class::Zero | Class::Loopback) => Step::Break(DropReason::MartianDestination),
            (Class::Unicast, Class::Unicast) => Step::Continue(false),
        }
    }

    /// To a link-local address: it is the box's if the interface has it, else it is somebody else's on that link.
    fn on_its_link(&self, packet: &mut Packet<'_, F, O::Buf>, forwarding: bool) -> Step<Inward<F>> {
        let (dst, interface) = (packet.header.dst, packet.input);
        packet.to_many = false;
        let is_own = |own: &Address<F>| own.address == dst || forwarding && own.anycast() == Some(dst);
        if self.host.addresses(interface).any(is_own) {
            return Step::Continue(Inward::Local);
        }
        if !forwarding {
            return Step::Break(DropReason::ForwardingDisabled);
        }
        let hop = NextHop { interface, gateway: None, weight: 1 };
        Step::Continue(Inward::Forward(Onward { hop: resolve(hop, dst, None, None), redirect: false }))
    }

    /// A group must be joined on the interface, and the source be one (`ip_mc_validate_source`).
    fn check_group(&self, packet: &Packet<'_, F, O::Buf>, source: Class) -> Step {
        let dst = packet.header.dst;
        if !is_all_hosts(dst) && !self.host.joined(packet.input, dst) {
            return Step::Break(DropReason::MulticastNotJoined);
        }
        match source {
            Class::Loopback => Step::Break(DropReason::MartianSource),
            // Who has no address yet asks for one, or whether it is free.
            Class::Zero if F::ID == FamilyId::Ipv6 => Step::Continue(()),
            Class::Zero => {
                const IGMP: u8 = 2;
                let may = is_local_group(dst) || packet.header.protocol == IGMP;
                if may { Step::Continue(()) } else { Step::Break(DropReason::MartianSource) }
            }
            _ => self.check_source(packet, None).map_continue(|_| ()),
        }
    }

    /// May this source come in here (`fib_validate_source`)? Says whether it is directly on the link. `output` is where the packet would be
    /// forwarded to.
    fn check_source(&self, packet: &Packet<'_, F, O::Buf>, output: Option<InterfaceId>) -> Step<bool> {
        let Some(interface) = self.snap.host.interface(packet.input) else {
            return Step::Break(DropReason::UnknownInterface);
        };
        // Where a source is never looked up (`ip6_route_input`).
        if F::ID == FamilyId::Ipv6 {
            return Step::Continue(false);
        }
        let (strict, loose) = (interface.rp_filter == RpFilter::Strict, interface.rp_filter == RpFilter::Loose);
        let back = RouteKey { dst: packet.header.src, src: packet.header.dst, ..self.route_key(packet) };
        let martian = Step::Break(DropReason::MartianSource);
        let filtered = Step::Break(DropReason::ReversePath);
        let may_redirect = output == Some(packet.input) && interface.send_redirects;
        if !strict && !loose && !may_redirect {
            let own = matches!(self.host.local().lookup(&back), Some(Found::Local(_)));
            return if own && !interface.accept_local { martian } else { Step::Continue(false) };
        }
        // A route that leads nowhere is none here.
        let way_back = self.lookup(&back).filter(|found| !matches!(found, Found::Unreachable | Found::Prohibit | Found::Blackhole));
        match way_back {
            Some(Found::Unicast { hop, .. }) if hop.interface == packet.input => Step::Continue(hop.gateway.is_none()),
            Some(Found::Unicast { .. }) | None if strict => filtered,
            Some(Found::Unicast { .. }) => Step::Continue(false),
            Some(Found::Local(_)) if interface.accept_local => Step::Continue(false),
            Some(_) => martian,
            None if loose => filtered,
            None => Step::Continue(false),
        }
    }

    /// Malformed options are answered; source routes are not taken; what stands behind the end of the list is wiped out.
    #[inline]
    fn check_options(&mut self, packet: &mut Packet<'_, F, O::Buf>) -> Step {
        let header = &packet.header;
        // IPv6 has its own before any rule is asked.
        if F::ID == FamilyId::Ipv6 || usize::from(header.l4) == usize::from(header.l3) + F::HEADER_LEN {
            return Step::Continue(());
        }
        self.check_those_options(packet)
    }

    #[inline(never)]
    fn check_those_options(&mut self, packet: &mut Packet<'_, F, O::Buf>) -> Step {
        let options = ip::bytes(packet.buf.head(), &packet.header).unwrap_or_default();
        match ip::check(options) {
            Ok(found) if found.source_route.is_some() => Step::Break(DropReason::SourceRoute),
            Ok(found) => {
                if let Some(end) = found.end
                    && packet::set::ipv4_end_options(packet.buf.head_mut(), &packet.row.header, end).is_err()
                {
                    return Step::Break(DropReason::BufferLayout);
                }
                Step::Continue(())
            }
            Err(bad) => {
                self.answer(packet, Message::ParameterProblem { code: 0, pointer: u32::from(bad.pointer), by_groups: false });
                Step::Break(DropReason::IpOptions)
            }
        }
    }

    /// Routes what the box sends.
    pub(crate) fn route_output(&self, key: &RouteKey<F>) -> Step<Hop<F>> {
        let many = |interface| Hop { interface, next_hop: key.dst, mtu: None, to_many: true, source: None };
        match self.lookup(key) {
            Some(Found::Unicast { hop, source, mtu }) => {
                let to_many = matches!(class(key.dst), Class::Multicast | Class::Broadcast);
                Step::Continue(Hop { to_many, ..resolve(hop, key.dst, source, mtu) })
            }
            Some(Found::Local(_)) => Step::Break(DropReason::LocalToLocal),
            Some(Found::Broadcast(interface)) => Step::Continue(many(interface)),
            Some(Found::Unreachable) => Step::Break(DropReason::RouteUnreachable),
            Some(Found::Prohibit) => Step::Break(DropReason::RouteProhibit),
            Some(Found::Blackhole) => Step::Break(DropReason::RouteBlackhole),
            None => Step::Break(DropReason::NoRoute),
        }
    }

    /// The longest packet that the way out takes; `None` where there is none: nowhere, or to the box itself.
    pub(crate) fn mtu_towards(&self, key: &RouteKey<F>) -> Option<u32> {
        match self.lookup(key)? {
            Found::Unicast { hop, mtu, .. } => Some(self.mtu(hop.interface, mtu)),
            Found::Broadcast(interface) => Some(self.mtu(interface, None)),
            Found::Local(_) | Found::Unreachable | Found::Prohibit | Found::Blackhole => None,
        }
    }

    /// Routes a packet of the box again when a table has changed what it was routed by (`ip_route_me_harder`). `None` when nothing changed, or
    /// the way is the same.
    pub(crate) fn reroute(&self, packet: &Packet<'_, F, O::Buf>, routed_by: &mut RouteKey<F>) -> Step<Option<Hop<F>>> {
        let key = self.route_key(packet);
        let before = core::mem::replace(routed_by, key);
        if key == before {
            return Step::Continue(None);
        }
        let way = self.route_output(&key);
        // A copy was on the way to its gateway, not to its destination.
        if !packet.copied && key.dst == before.dst && way == self.route_output(&before) {
            return Step::Continue(None);
        }
        way.map_continue(Some)
    }

    /// Takes the way that routing chose last; `unchanged` when it never chose anew.
    pub(crate) fn leave_by(&self, packet: &mut Packet<'_, F, O::Buf>, hop: Option<Hop<F>>, unchanged: Way) -> Way {
        let Some(hop) = hop else { return unchanged };
        packet.output = hop.interface;
        packet.next_hop = hop.next_hop;
        packet.to_many = hop.to_many;
        Way::Send(hop.mtu)
    }

    /// Is it an address of the box?
    pub(crate) fn is_local(&self, address: F::Addr) -> bool {
        matches!(self.host.local().lookup(&RouteKey::to(address)), Some(Found::Local(_)))
    }

    /// Was the frame addressed to the box alone?
    pub(crate) fn is_to_host(packet: &Packet<'_, F, O::Buf>) -> bool {
        packet.origin != Origin::Wire(Link::Group)
    }
}

fn resolve<F: Family>(hop: NextHop<F>, dst: F::Addr, source: Option<F::Addr>, mtu: Option<u32>) -> Hop<F> {
    Hop { interface: hop.interface, next_hop: hop.gateway.unwrap_or(dst), mtu, to_many: false, source }
}
