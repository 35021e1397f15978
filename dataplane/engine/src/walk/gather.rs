//! Fragments, while connections are tracked or when they are for the box: kept until their datagram is whole, which then walks.

use packet::{Family, FamilyId, Fragment};
use program::InterfaceId;

use super::Walk;
use super::answer::Message;
use crate::burst::{Link, Origin, Packet, Row};
use crate::drop::DropReason;
use crate::frag::{Gathered, Notes};
use crate::outside::Outside;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// The packet as rules are to see it: itself, or the datagram that it completes. `None` when it waits for others, or ended.
    pub(crate) fn whole<'b>(&mut self, packet: Packet<'b, F, O::Buf>) -> Option<Packet<'b, F, O::Buf>> {
        if self.tracking { self.gather(packet) } else { Some(packet) }
    }

    /// As [`Walk::whole`], tracked or not.
    pub(crate) fn gather<'b>(&mut self, packet: Packet<'b, F, O::Buf>) -> Option<Packet<'b, F, O::Buf>> {
        if packet.header.fragment == Fragment::Whole {
            return Some(packet);
        }
        if F::ID == FamilyId::Ipv6 {
            self.drops.count(DropReason::FragmentNotReassembled);
            return None;
        }
        let own = packet.origin == Origin::Host;
        let notes = Notes { mark: *packet.mark, label: *packet.label };
        match self.fragments.gather(packet.buf, packet.header, notes, own, self.now, self.cut) {
            Gathered::Kept => None,
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

    /// Ends datagrams that were not completed in time. Of those for the box whose first piece came, the sender is told (`ip_expire`).
    pub(crate) fn give_up_fragments(&mut self) {
        while let Some(expired) = self.fragments.expire(self.now) {
            self.drops.add(DropReason::FragmentTimeout, expired.pieces);
            let Some((buf, header)) = expired.first.filter(|(_, header)| self.is_local(header.dst)) else { continue };
            let mut row = Row::new(header, Origin::Wire(Link::Host), InterfaceId::NONE);
            let packet = row.packet(buf);
            self.answer(&packet, Message::ReassemblyTimeExceeded);
            drop(packet);
            self.walk_own();
        }
    }
}
