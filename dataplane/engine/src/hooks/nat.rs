//! Translation at a hook (`nf_nat_inet_fn`): the first packet of a flow goes through the nat table, every packet is rewritten as its flow says.

use packet::{Family, L4, icmp};
use program::{Hook, TableKind};

use super::Step;
use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::conntrack::{CtInfo, FlowId};
use crate::drop::DropReason;
use crate::nat::{self, NatCtx, Side};
use crate::outside::Outside;
use crate::walk::Walk;

/// Destinations are translated where a packet enters, sources where it leaves.
fn side(hook: Hook) -> Side {
    match hook {
        Hook::Prerouting | Hook::Output => Side::Dst,
        Hook::Input | Hook::Postrouting | Hook::Forward => Side::Src,
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Decides the flow's translation if this packet is to, and applies it. Packets without a flow pass as they are.
    pub(crate) fn translate(&mut self, packet: &mut Packet<'_, F, O::Buf>, hook: Hook) -> Step {
        let Some(id) = packet.connection.flow else { return Step::Continue(()) };
        let (side, dir) = (side(hook), packet.connection.dir);
        let is_error = matches!(packet.header.transport, L4::Icmp { kind, .. } if icmp::is_error::<F>(kind));
        match packet.connection.info {
            CtInfo::Related(_) if is_error => {
                let Some(flow) = self.flows.get(id) else { return Step::Continue(()) };
                return match nat::translate_icmp_error(flow, dir, side, packet.buf.head_mut(), packet.header) {
                    Ok(_) => Step::Continue(()),
                    Err(_) => Step::Break(DropReason::NatFailed),
                };
            }
            // The box's reset to a refused first packet comes by here too, as in the kernel: the side not yet decided is asked of the table.
            CtInfo::New | CtInfo::Related(_) => self.decide(packet, hook, id, side)?,
            _ => {}
        }
        let Some(flow) = self.flows.get(id) else { return Step::Continue(()) };
        if hook == Hook::Postrouting && flow.masquerade_moved(dir, *packet.output) {
            self.flows.kill(id);
            return Step::Break(DropReason::MasqueradeMoved);
        }
        match nat::translate(flow, dir, side, packet.buf.head_mut(), packet.header) {
            Ok(_) => Step::Continue(()),
            Err(_) => Step::Break(DropReason::NatFailed),
        }
    }

    /// The nat table's word on one side of a new flow. Where no rule speaks, the flow gets a tuple of its own all the same, so that it clashes with
    /// no translated one.
    fn decide(&mut self, packet: &mut Packet<'_, F, O::Buf>, hook: Hook, id: FlowId, side: Side) -> Step {
        let decided = |walk: &Self| walk.flows.get(id).is_none_or(|flow| nat::is_decided(flow, side));
        if self.tables.get(TableKind::Nat).is_none() || decided(self) {
            return Step::Continue(());
        }
        self.judge(packet, TableKind::Nat, hook)?;
        if decided(self) {
            return Step::Continue(());
        }
        let mut ctx = NatCtx { rng: &mut *self.rng, now: self.now };
        match nat::null_binding(self.flows, id, side, &mut ctx) {
            Ok(()) => Step::Continue(()),
            Err(_) => Step::Break(DropReason::NatExhausted),
        }
    }
}
