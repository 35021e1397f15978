//! The last step: cut what is too long, address the frame, give it away.

use packet::{Family, FamilyId, Header, ether, set};
use program::InterfaceId;

use super::answer::Message;
use super::routing::{Class, class};
use super::{Walk, Way};
use crate::buffer::Buffer;
use crate::burst::{Origin, Packet, Row};
use crate::drop::DropReason;
use crate::host::Neighbour;
use crate::outside::Outside;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// The longest packet that leaves by an interface: what the route says, else the interface.
    pub(crate) fn mtu(&self, interface: InterfaceId, route: Option<u32>) -> u32 {
        route.or_else(|| self.snap.host.interface(interface).map(|interface| interface.mtu)).unwrap_or(0)
    }

    /// Is a packet that must not be cut too long for an MTU? One that came in pieces is only if a piece is.
    pub(crate) fn is_too_long(&self, packet: &Packet<'_, F, O::Buf>, mtu: u32) -> bool {
        let longest = if self.cut.sizes.is_empty() { packet.header.len } else { self.cut.longest };
        longest > mtu
    }

    /// Sends a packet that is through all rules.
    #[inline(always)]
    pub(crate) fn send(&mut self, packet: Packet<'_, F, O::Buf>, way: Way) {
        let Some(interface) = self.snap.host.interface(packet.output).filter(|interface| interface.up) else {
            return self.drops.count(DropReason::InterfaceDown);
        };
        let mtu = match way {
            Way::Send(Some(route)) => route.min(interface.mtu),
            Way::Send(None) | Way::SendAsItIs | Way::Deliver | Way::ToHost => interface.mtu,
        };
        // What came in pieces leaves in pieces, even where the whole would fit.
        if packet.header.len > mtu || !self.cut.sizes.is_empty() {
            return self.send_in_pieces(packet, way, mtu);
        }
        self.hand_over(packet, way);
    }

    #[inline(never)]
    fn send_in_pieces(&mut self, mut packet: Packet<'_, F, O::Buf>, way: Way, mtu: u32) {
        if packet.copied && F::ID == FamilyId::Ipv4 && !self.cut.sizes.is_empty() {
            // It may not be cut, but for one that came in pieces to where connections are tracked (`ignore_df`).
            if !self.tracking {
                self.answer(&packet, Message::FragmentationNeeded(mtu));
                return self.drops.count(DropReason::MtuExceeded);
            }
            if set::ipv4_may_fragment(packet.buf.head_mut(), &mut packet.row.header).is_err() {
                return self.drops.count(DropReason::BufferLayout);
            }
        }
        if packet.header.dont_fragment && self.is_too_long(&packet, mtu) {
            if packet.origin == Origin::Own && !packet.copied {
                return self.drops.count(DropReason::MtuExceeded);
            }
            self.answer(&packet, Message::FragmentationNeeded(mtu));
            return self.drops.count(DropReason::MtuExceeded);
        }
        self.fragment(packet, mtu, way);
    }

    /// Addresses a packet that fits, and gives it away; or keeps it until its next hop is known.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, packet: Packet<'_, F, O::Buf>, way: Way) {
        let output = packet.output;
        if way == Way::SendAsItIs {
            return self.out.transmit(output, packet.buf);
        }
        let next_hop = packet.next_hop;
        let mac = match (packet.to_many, self.host.neighbour(output, next_hop)) {
            (true, _) => Some(group_mac::<F>(packet.header.dst)),
            (false, Some(Neighbour::Known(mac))) => Some(mac),
            (false, _) => None,
        };
        match mac {
            Some(mac) => self.transmit_to(packet.buf, &packet.row.header, output, mac),
            None => self.wait_for_hop(packet),
        }
    }

    #[inline(never)]
    fn wait_for_hop(&mut self, packet: Packet<'_, F, O::Buf>) {
        let (buf, row) = packet.into_parts();
        self.wait(buf, Row { to_many: false, ..row });
    }

    /// The way of a packet that the box has made, if no rule sends it elsewhere.
    pub(crate) fn own_way(&self, packet: &Packet<'_, F, O::Buf>) -> Way {
        if self.is_local(packet.header.dst) { Way::ToHost } else { Way::Send(None) }
    }

    /// Hands a packet that the walk has made to the box's own stack.
    pub(crate) fn deliver_own(&mut self, packet: Packet<'_, F, O::Buf>) {
        let (output, mut buf) = (packet.output, packet.buf);
        let Some(interface) = self.snap.host.interface(output) else { return self.drops.count(DropReason::InterfaceDown) };
        if ether::write(buf.head_mut(), interface.mac, interface.mac, F::ETHERTYPE) {
            self.out.deliver(output, buf);
        } else {
            self.drops.count(DropReason::BufferLayout);
        }
    }

    /// Writes the Ethernet header and sends.
    #[inline(always)]
    pub(crate) fn transmit_to(&mut self, mut buf: O::Buf, header: &Header<F>, output: InterfaceId, mac: [u8; 6]) {
        let Some(interface) = self.snap.host.interface(output) else { return self.drops.count(DropReason::InterfaceDown) };
        let front = usize::from(header.l3) - ether::HEADER_LEN;
        let addressed = (front == 0 || buf.trim_front(front)) && ether::write(buf.head_mut(), mac, interface.mac, F::ETHERTYPE);
        if addressed {
            self.out.transmit(output, buf);
        } else {
            self.drops.count(DropReason::BufferLayout);
        }
    }
}

/// The link address of many.
fn group_mac<F: Family>(dst: F::Addr) -> [u8; 6] {
    use packet::family::Addr;
    let mut bytes = [0; 16];
    dst.write(&mut bytes);
    match (class(dst), F::ID) {
        (Class::Multicast, FamilyId::Ipv4) => ether::ipv4_group(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
        (Class::Multicast, FamilyId::Ipv6) => [0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]],
        _ => ether::BROADCAST,
    }
}
