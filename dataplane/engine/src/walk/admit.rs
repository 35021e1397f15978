//! What an IPv6 packet from the wire has to be before any rule sees it (`ip6_rcv_core`). An IPv4 packet's addresses and options are looked at where it
//! is routed.

use core::net::IpAddr;

use packet::family::Addr;
use packet::options::hop_by_hop::{self, BadOption};
use packet::{Family, FamilyId, Header};

use super::Walk;
use super::answer::Message;
use super::retrace::is_plain;
use super::routing::{Class, class};
use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::outside::Outside;

/// A group of no more than one interface, or of a scope that is reserved, whatever its flags: no link may carry it.
fn is_of_no_link<A: Addr>(address: A) -> bool {
    matches!(address.to_ip(), IpAddr::V6(a) if a.is_multicast() && a.octets()[1] & 0x0f < 2)
}

/// Why no link may carry a packet with these addresses.
fn martian<F: Family>(header: &Header<F>) -> Option<DropReason> {
    if matches!(class(header.src), Class::Multicast | Class::Loopback) {
        return Some(DropReason::MartianSource);
    }
    let is_none = class(header.dst) == Class::Loopback || is_of_no_link(header.dst);
    is_none.then_some(DropReason::MartianDestination)
}

/// Do its fields say that [`Walk::admit`] lets the packet pass? Of one with extension headers they do not.
#[inline]
pub(crate) fn is_admitted<F: Family>(header: &Header<F>) -> bool {
    F::ID == FamilyId::Ipv4 || is_plain(header) && martian(header).is_none()
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Addresses that are never on a link, and hop-by-hop options.
    pub(crate) fn admit(&mut self, packet: &Packet<'_, F, O::Buf>) -> Step {
        if F::ID == FamilyId::Ipv4 {
            return Step::Continue(());
        }
        let header = &packet.header;
        if let Some(reason) = martian(header) {
            return Step::Break(reason);
        }
        let head = packet.buf.head();
        let Some(options) = hop_by_hop::bytes(head, header) else { return Step::Continue(()) };
        let Err(bad) = hop_by_hop::check(options, hop_by_hop::payload_len(head, header).unwrap_or_default()) else {
            return Step::Continue(());
        };
        if let BadOption::Told { code, pointer, by_groups } = bad
            && (by_groups || class(header.dst) != Class::Multicast)
        {
            self.answer(packet, Message::ParameterProblem { code, pointer, by_groups });
        }
        Step::Break(DropReason::IpOptions)
    }
}
