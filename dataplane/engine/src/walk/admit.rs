//! What an IPv6 packet from the wire has to be before any rule sees it (`ip6_rcv_core`). An IPv4 packet's addresses and options are looked at where it
//! is routed.

use core::net::IpAddr;

use packet::family::Addr;
use packet::options::hop_by_hop::{self, BadOption};
use packet::{Family, FamilyId};

use super::Walk;
use super::answer::Message;
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

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Addresses that are never on a link, and hop-by-hop options.
    pub(crate) fn admit(&mut self, packet: &Packet<'_, F, O::Buf>) -> Step {
        if F::ID == FamilyId::Ipv4 {
            return Step::Continue(());
        }
        let header = &packet.header;
        if matches!(class(header.src), Class::Multicast | Class::Loopback) {
            return Step::Break(DropReason::MartianSource);
        }
        if class(header.dst) == Class::Loopback || is_of_no_link(header.dst) {
            return Step::Break(DropReason::MartianDestination);
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
