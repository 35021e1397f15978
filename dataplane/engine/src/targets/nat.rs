//! `SNAT`, `DNAT`, `MASQUERADE`, `REDIRECT`, `NETMAP` (`xt_nat.c`, `xt_MASQUERADE.c`, `xt_REDIRECT.c`,
//! `xt_NETMAP.c`): choose the flow's translation.
//!
//! The choice is the flow's, made once, by its first packet; the packets are rewritten after the table, by [`crate::hooks::nat`].

use packet::{Family, Header};
use program::eval::Act;
use program::{Hook, Nat, NatKind};

use crate::burst::Packet;
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::nat::{Range, Side};
use crate::outside::Outside;
use crate::walk::Walk;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Sets up what the rule says. On refusal `reason` tells why.
    pub(crate) fn choose_translation(
        &mut self,
        packet: &Packet<'_, F, O::Buf>,
        hook: Hook,
        rule: &Nat<F>,
        reason: &mut DropReason,
    ) -> Act {
        let Some(id) = packet.connection.flow else { return Act::Accept };
        let own = match rule.kind {
            NatKind::Source | NatKind::Destination => None,
            // A packet without a source is the box asking for one, and not to be masqueraded.
            NatKind::Masquerade if packet.header.src == F::Addr::default() => return Act::Accept,
            NatKind::Masquerade => match self.host.source_address(packet.output, packet.next_hop, packet.header.dst) {
                Some(address) => Some(address),
                None => return refuse(reason, DropReason::NatNoAddress),
            },
            NatKind::Map => rule.addresses.map(|network| mapped::<F>(network, Side::of(hook), &packet.header)),
            // The box's own packets would be led to its loopback, where none of ours arrives.
            NatKind::Redirect if hook == Hook::Output => return refuse(reason, DropReason::LocalToLocal),
            NatKind::Redirect => match self.host.addresses(packet.input).next() {
                Some(first) => Some(first.address),
                None => return refuse(reason, DropReason::NatNoAddress),
            },
        };
        let outcome = self.set_up(packet, id, Side::of(hook), &Range::of(rule, own), Some(rule.kind));
        if rule.kind == NatKind::Masquerade {
            self.flows.masquerade(id, packet.output);
        }
        match outcome {
            Step::Continue(()) => Act::Accept,
            Step::Break(why) => refuse(reason, why),
        }
    }
}

/// The network's prefix before the host part of the packet's address.
fn mapped<F: Family>((first, last): (F::Addr, F::Addr), side: Side, header: &Header<F>) -> F::Addr {
    let address = match side {
        Side::Src => header.src,
        Side::Dst => header.dst,
    };
    first | address & (first ^ last)
}

fn refuse(place: &mut DropReason, reason: DropReason) -> Act {
    *place = reason;
    Act::Drop
}
