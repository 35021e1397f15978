//! Fragments while connections are tracked: kept until their datagram is whole, which then walks.

use packet::{Family, FamilyId, Fragment};
use program::InterfaceId;

use super::Walk;
use super::answer::Message;
use crate::burst::{Link, Origin, Packet, Row};
use crate::drop::DropReason;
use crate::frag::Gathered;
use crate::outside::Outside;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// The packet as rules are to see it: itself, or the datagram that it completes. `None` when it waits for others, or ended.
    pub(crate) fn whole<'b>(&mut self, packet: Packet<'b, F, O::Buf>) -> Option<Packet<'b, F, O::Buf>> {
        if !self.tracking || packet.header.fragment == Fragment::Whole {
            return Some(packet);
        }
        if F::ID == FamilyId::Ipv6 {
            self.drops.count(DropReason::FragmentNotReassembled);
            return None;
        }
        let own = packet.origin == Origin::Host;
        match self.fragments.gather(packet.buf, packet.header, own, self.now, self.cut) {
            Gathered::Kept => None,
            Gathered::Ended(reason, packets) => {
                self.drops.add(reason, packets);
                None
            }
            Gathered::Whole(buf, header) => {
                *packet.header = header;
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
