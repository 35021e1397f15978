//! `TEE`: a copy of the packet goes to a gateway, as a packet of the box that no connection has (`nf_dup_ipv4`, `nf_dup_ipv6`).
//!
//! The copy waits beside the box's own packets, and walks before its original leaves or ends ([`Walk::tell_ahead`]): it meets OUTPUT and POSTROUTING as
//! they do.

use packet::{Family, FamilyId, set};
use program::{Hook, InterfaceId};

use crate::buffer::Buffer;
use crate::burst::{Connection, Origin, Packet, Row};
use crate::conntrack::CtInfo;
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::outside::Outside;
use crate::route::RouteKey;
use crate::walk::routing::{Class, Hop, class, is_link_local};
use crate::walk::{Walk, Way};

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Makes a copy of a packet at this hook, for a gateway. Where that cannot be, what is missing is counted, and the packet goes on all the same.
    #[inline(never)]
    pub(crate) fn tee(&mut self, packet: &Packet<'_, F, O::Buf>, hook: Hook, (gateway, by): (F::Addr, Option<InterfaceId>)) {
        if packet.copied {
            return;
        }
        let hop = match self.way_to_gateway(packet, gateway, by) {
            Step::Continue(hop) => hop,
            Step::Break(reason) => return self.drops.count(reason),
        };
        let Some(mut buf) = self.out.copy(&packet.buf) else { return self.drops.count(DropReason::NoBuffer) };
        let mut row = Row {
            output: hop.interface,
            next_hop: hop.next_hop,
            mark: packet.mark,
            label: packet.label,
            told: packet.told,
            copied: true,
            connection: Connection { info: CtInfo::Untracked, ..Connection::NONE },
            // POSTROUTING takes the link for the one that it came by.
            ..Row::new(packet.header, Origin::Own, hop.interface)
        };
        if !changed(buf.head_mut(), &mut row, hook) {
            return self.drops.count(DropReason::BufferLayout);
        }
        self.queue(buf, row, Some(Way::Send(hop.mtu)));
    }

    /// The way to the gateway, by the named interface if there is one. Where no route leads there by it, IPv4 takes the packet's own destination for a
    /// neighbour on its link (`ip_route_output_key_hash_rcu`); in IPv6 only what is of that link is.
    fn way_to_gateway(&self, packet: &Packet<'_, F, O::Buf>, gateway: F::Addr, by: Option<InterfaceId>) -> Step<Hop<F>> {
        if class(gateway) != Class::Unicast {
            return Step::Break(DropReason::TeeGateway);
        }
        let tos = if F::ID == FamilyId::Ipv4 { packet.header.tos } else { 0 };
        let on_link = |interface, next_hop| Hop { interface, next_hop, mtu: None, to_many: false, source: None };
        match (self.route_output(&RouteKey { tos, ..RouteKey::to(gateway) }), by) {
            (Step::Break(DropReason::LocalToLocal), _) => Step::Break(DropReason::TeeGateway),
            (Step::Continue(hop), _) if hop.to_many => Step::Break(DropReason::TeeGateway),
            (Step::Continue(hop), by) if by.is_none_or(|by| by == hop.interface) => Step::Continue(hop),
            (_, Some(by)) if !self.is_up(by) => Step::Break(DropReason::InterfaceDown),
            (_, Some(by)) if F::ID == FamilyId::Ipv4 => Step::Continue(on_link(by, packet.header.dst)),
            (_, Some(by)) if is_link_local(gateway) => Step::Continue(on_link(by, gateway)),
            (Step::Continue(_), _) => Step::Break(DropReason::NoRoute),
            (Step::Break(reason), _) => Step::Break(reason),
        }
    }

    fn is_up(&self, interface: InterfaceId) -> bool {
        self.snap.host.interface(interface).is_some_and(|interface| interface.up)
    }
}

/// Where packets come in a hop is taken off, lest two boxes send copies to each other for ever. IPv4's are not to be cut.
fn changed<F: Family>(head: &mut [u8], row: &mut Row<F>, hook: Hook) -> bool {
    let hops = u8::from(matches!(hook, Hook::Prerouting | Hook::Input));
    let ttl = row.header.ttl.wrapping_sub(hops);
    let whole = F::ID != FamilyId::Ipv4 || set::ipv4_must_not_fragment(head, &mut row.header).is_ok();
    whole && (hops == 0 || set::ttl(head, &mut row.header, ttl).is_ok())
}
