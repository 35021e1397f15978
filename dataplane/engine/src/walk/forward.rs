//! What a router does with a packet before its rules see it (`ip_forward`).

use packet::{Family, FamilyId, set};

use super::Walk;
use super::answer::Message;
use super::routing::{Class, Onward, class, is_link_local};
use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::outside::Outside;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// TTL test, MTU test, TTL decrement, redirect: in this order. IPv6's redirect comes behind the first.
    pub(crate) fn forward(&mut self, packet: &mut Packet<'_, F, O::Buf>, onward: &Onward<F>) -> Step {
        if !Self::is_to_host(packet) {
            return Step::Break(DropReason::LinkBroadcast);
        }
        if packet.header.ttl <= 1 {
            self.answer(packet, Message::TimeExceeded);
            return Step::Break(DropReason::TtlExceeded);
        }
        if onward.hop.interface == packet.input {
            // Whether the sender is told of a better way is for each packet to find out.
            self.traces.spoil();
        }
        if F::ID == FamilyId::Ipv6 && onward.hop.interface == packet.input {
            self.redirect_neighbour(packet, onward.hop.next_hop);
        }
        // Nobody behind another link could answer.
        if onward.hop.interface != packet.input {
            if class(packet.header.src) == Class::Zero {
                return Step::Break(DropReason::MartianSource);
            }
            if is_link_local(packet.header.src) {
                const BEYOND_SCOPE: u8 = 2;
                self.answer(packet, Message::Unreachable(BEYOND_SCOPE));
                return Step::Break(DropReason::SourceScope);
            }
        }
        let mtu = self.mtu(onward.hop.interface, onward.hop.mtu);
        if self.is_too_long(packet, mtu) && packet.header.dont_fragment {
            self.answer(packet, Message::FragmentationNeeded(mtu));
            return Step::Break(DropReason::MtuExceeded);
        }
        let ttl = packet.header.ttl - 1;
        if set::ttl(packet.buf.head_mut(), &mut packet.row.header, ttl).is_err() {
            return Step::Break(DropReason::BufferLayout);
        }
        if onward.redirect && self.pace.may_redirect(packet.header.src, self.now) {
            self.answer(packet, Message::Redirect(onward.hop.next_hop));
        }
        Step::Continue(())
    }
}
