//! Fragments, while connections are tracked or when they are for the box: kept until their datagram is whole, which then walks.

use packet::options::hop_by_hop;
use packet::{Family, FamilyId, Fragment, L4, icmp, ipv6, protocol, tcp, udp};
use program::InterfaceId;

use super::Walk;
use super::answer::Message;
use crate::buffer::Buffer;
use crate::burst::{Link, Origin, Packet, Row};
use crate::drop::DropReason;
use crate::frag::{Gathered, Notes};
use crate::outside::Outside;

/// Is it a piece of a datagram? In IPv6 one may be the only piece (RFC 6946). A first one in which the transport header does not end is not taken for
/// one (RFC 8200 section 4.5, `ipv6frag_thdr_truncated`): it goes on as it is.
fn is_piece<F: Family, B: Buffer>(packet: &Packet<'_, F, B>) -> bool {
    let header = &packet.header;
    if F::ID == FamilyId::Ipv4 {
        return header.fragment != Fragment::Whole;
    }
    let bytes = packet.buf.head().get(usize::from(header.l3)..);
    if bytes.and_then(ipv6::fragment_place).is_none() {
        return false;
    }
    let least = match header.protocol {
        protocol::TCP => tcp::HEADER_LEN,
        protocol::UDP => udp::HEADER_LEN,
        protocol::ICMPV6 => icmp::HEADER_LEN,
        protocol::NO_NEXT_HEADER => 0,
        _ => 1,
    };
    header.transport == L4::Lost || matches!(header.fragment, Fragment::Later(_)) || header.l4_len() as usize >= least
}

/// Is its length not in its header? Such a packet is no piece of anything (RFC 2675 section 3).
fn has_no_length<F: Family, B: Buffer>(packet: &Packet<'_, F, B>) -> bool {
    F::ID == FamilyId::Ipv6 && hop_by_hop::payload_len(packet.buf.head(), &packet.header) == Some(0)
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// The packet as rules are to see it: itself, or the datagram that it completes. `None` when it waits for others, or ended.
    #[inline]
    pub(crate) fn whole<'b>(&mut self, packet: Packet<'b, F, O::Buf>) -> Option<Packet<'b, F, O::Buf>> {
        if self.tracking { self.gather(packet) } else { Some(packet) }
    }

    /// As [`Walk::whole`], tracked or not.
    #[inline]
    pub(crate) fn gather<'b>(&mut self, packet: Packet<'b, F, O::Buf>) -> Option<Packet<'b, F, O::Buf>> {
        if is_piece(&packet) && !has_no_length(&packet) { self.gather_piece(packet) } else { Some(packet) }
    }

    #[inline(never)]
    fn gather_piece<'b>(&mut self, packet: Packet<'b, F, O::Buf>) -> Option<Packet<'b, F, O::Buf>> {
        let Packet { buf, row } = packet;
        let own = row.origin == Origin::Host;
        let notes = Notes { mark: row.mark, label: row.label, told: row.told };
        match self.fragments.gather(buf, &row.header, notes, own, self.now, self.cut) {
            Gathered::Kept => None,
            Gathered::AsItCame(buf, others) => {
                self.drops.add(DropReason::FragmentInvalid, others);
                Some(row.packet(buf))
            }
            Gathered::Ended(reason, packets) => {
                self.drops.add(reason, packets);
                None
            }
            Gathered::Whole(buf, header, notes) => {
                row.header = header;
                (row.mark, row.label, row.told) = (notes.mark, notes.label, notes.told);
                Some(row.packet(buf))
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
