//! Fragments, while connections are tracked or when they are for the box: kept until their datagram is whole, which then walks.

use packet::options::hop_by_hop;
use packet::{Family, FamilyId, Fragment, ipv6};
use program::InterfaceId;

use super::Walk;
use super::answer::Message;
use crate::buffer::Buffer;
use crate::burst::{Link, Origin, Packet, Row};
use crate::drop::DropReason;
use crate::frag::{Gathered, Notes};
use crate::outside::Outside;

/// Is it a datagram in one piece, with a fragment header all the same (RFC 6946)?
fn is_alone<F: Family, B: Buffer>(packet: &Packet<'_, F, B>) -> bool {
    let (l3, l4) = (usize::from(packet.header.l3), usize::from(packet.header.l4));
    F::ID == FamilyId::Ipv6
        && l4 - l3 > ipv6::HEADER_LEN
        && packet.buf.head().get(l3..).is_some_and(|packet| ipv6::fragment_header(packet).is_some())
}

/// Is its length not in its header? Such a packet is no piece of anything (RFC 2675 section 3).
fn has_no_length<F: Family, B: Buffer>(packet: &Packet<'_, F, B>) -> bool {
    F::ID == FamilyId::Ipv6 && hop_by_hop::payload_len(packet.buf.head(), packet.header) == Some(0)
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// The packet as rules are to see it: itself, or the datagram that it completes. `None` when it waits for others, or ended.
    pub(crate) fn whole<'b>(&mut self, packet: Packet<'b, F, O::Buf>) -> Option<Packet<'b, F, O::Buf>> {
        if self.tracking { self.gather(packet) } else { Some(packet) }
    }

    /// As [`Walk::whole`], tracked or not.
    pub(crate) fn gather<'b>(&mut self, packet: Packet<'b, F, O::Buf>) -> Option<Packet<'b, F, O::Buf>> {
        if packet.header.fragment == Fragment::Whole && !is_alone(&packet) || has_no_length(&packet) {
            return Some(packet);
        }
        let own = packet.origin == Origin::Host;
        let notes = Notes { mark: *packet.mark, label: *packet.label };
        match self.fragments.gather(packet.buf, packet.header, notes, own, self.now, self.cut) {
            Gathered::Kept => None,
            Gathered::AsItCame(buf, others) => {
                self.drops.add(DropReason::FragmentInvalid, others);
                Some(Packet { buf, ..packet })
            }
            Gathered::Ended(reason, packets) => {
                self.drops.add(reason, packets);
                None
            }
            Gathered::Whole(buf, header, notes) => {
                *packet.header = header;
                (*packet.mark, *packet.label) = (notes.mark, notes.label);
                Some(Packet { buf, ..packet })
            }
        }
    }

    /// Ends datagrams that were not completed in time. Of those whose first piece came the sender is told, in IPv4 only if they are for the box
    /// (`ip_expire`, `nf_ct_frag6_expire`).
    pub(crate) fn give_up_fragments(&mut self) {
        while let Some(expired) = self.fragments.expire(self.now) {
            self.drops.add(DropReason::FragmentTimeout, expired.pieces);
            let told = |header: &packet::Header<F>| F::ID == FamilyId::Ipv6 || self.is_local(header.dst);
            let Some((buf, header)) = expired.first.filter(|(_, header)| told(header)) else { continue };
            let mut row = Row::new(header, Origin::Wire(Link::Host), InterfaceId::NONE);
            let packet = row.packet(buf);
            self.answer(&packet, Message::ReassemblyTimeExceeded);
            drop(packet);
            self.walk_own();
        }
    }
}
