//! Translation at a hook (`nf_nat_inet_fn`): the first packet of a flow goes through the nat table, every packet is rewritten as its flow says.

use packet::{Family, L4, TupleL4, icmp, protocol};
use program::{Hook, NatKind, TableKind};

use super::Step;
use crate::buffer::Buffer;
use crate::burst::{Origin, Packet};
use crate::conntrack::{CtInfo, Dir, Flow, FlowId, Said, Status};
use crate::drop::DropReason;
use crate::nat::cone::NoCone;
use crate::nat::home::{self, Source};
use crate::nat::shortage::Pool;
use crate::nat::{self, NatCtx, Side};
use crate::outside::Outside;
use crate::walk::claim::Leave;
use crate::walk::handover::Parting;
use crate::walk::{Walk, Way};

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Decides the flow's translation if this packet is to, and applies it. Packets without a flow pass as they are.
    #[inline(always)]
    pub(crate) fn translate(&mut self, packet: &mut Packet<'_, F, O::Buf>, hook: Hook) -> Step {
        match packet.connection.flow {
            Some(id) if !self.stays_as_it_is(packet, id) => self.translate_of(packet, hook, id),
            _ => Step::Continue(()),
        }
    }

    /// Is there nothing that could translate this packet of a flow: no nat table, no helper, and nothing decided before?
    #[inline(always)]
    fn stays_as_it_is(&self, packet: &Packet<'_, F, O::Buf>, id: FlowId) -> bool {
        let is_bare = |flow: &Flow<F>| {
            !flow.has_extra() && !flow.is_masqueraded() && !flow.status().has_any(Status::SRC_NAT.with(Status::DST_NAT))
        };
        matches!(packet.connection.info, CtInfo::New | CtInfo::Established(_))
            && self.tables.get(TableKind::Nat).is_none()
            && self.flows.get(id).is_some_and(is_bare)
    }

    /// The same of a packet of this flow.
    #[inline(never)]
    fn translate_of(&mut self, packet: &mut Packet<'_, F, O::Buf>, hook: Hook, id: FlowId) -> Step {
        let (side, dir) = (Side::of(hook), packet.connection.dir);
        let is_error = matches!(packet.header.transport, L4::Icmp { kind, .. } if icmp::is_error::<F>(kind));
        match packet.connection.info {
            CtInfo::Related(_) if is_error => {
                let Some(flow) = self.flows.get(id) else { return Step::Continue(()) };
                return match nat::translate_icmp_error(flow, dir, side, packet.buf.head_mut(), &mut packet.row.header) {
                    Ok(_) => Step::Continue(()),
                    Err(_) => Step::Break(DropReason::NatFailed),
                };
            }
            // The box's reset to a refused first packet comes by here too, as in the kernel: the side not yet decided is asked of the table.
            CtInfo::New | CtInfo::Related(_) => self.decide(packet, hook, id, side)?,
            _ => {}
        }
        if hook == Hook::Postrouting && self.flows.masquerade_moved(id, dir, packet.output) {
            self.flows.kill(id);
            return Step::Break(DropReason::MasqueradeMoved);
        }
        let Some(flow) = self.flows.get(id) else { return Step::Continue(()) };
        match nat::translate(flow, dir, side, packet.buf.head_mut(), &mut packet.row.header) {
            Ok(_) => Step::Continue(()),
            Err(_) => Step::Break(DropReason::NatFailed),
        }
    }

    /// The nat table's word on one side of a new flow. Where no rule speaks, the flow gets a tuple of its own all the same, so that it clashes with
    /// no translated one.
    fn decide(&mut self, packet: &mut Packet<'_, F, O::Buf>, hook: Hook, id: FlowId, side: Side) -> Step {
        let decided = |walk: &Self| walk.flows.get(id).is_none_or(|flow| nat::is_decided(flow, side));
        if let (Side::Src, Some(source)) = (side, self.source_of_master(id)) {
            return if decided(self) { Step::Continue(()) } else { self.set_up(packet, id, side, &source, None) };
        }
        if self.tables.get(TableKind::Nat).is_none() || decided(self) {
            return Step::Continue(());
        }
        self.judge(packet, TableKind::Nat, hook)?;
        if decided(self) {
            return Step::Continue(());
        }
        let Some(flow) = self.flows.get(id) else { return Step::Continue(()) };
        let range = match self.cone_for(flow, side, hook) {
            Some(range) => range,
            None => nat::null_range(flow, side),
        };
        if range.full_cone
            && let Some(flow) = self.flows.get_mut(id)
        {
            flow.status.set(Status::FULL_CONE);
        }
        self.set_up(packet, id, side, &range, None)
    }

    /// Where a packet goes that comes to the outside end of a cone, from whomever.
    fn cone_for(&self, flow: &Flow<F>, side: Side, hook: Hook) -> Option<nat::Range<F>> {
        let original = flow.tuple(Dir::Original);
        let (TupleL4::Ports { dst: port, .. }, Side::Dst, Hook::Prerouting, protocol::UDP) =
            (original.l4, side, hook, original.protocol)
        else {
            return None;
        };
        let (address, port) = self.cones.inside_of((original.dst, port), flow.zone_of(Dir::Original), self.now)?;
        Some(nat::Range { ports: Some((port, port)), full_cone: true, ..nat::Range::keep(address) })
    }

    /// The one outside end that the range's target gives the flow's source.
    fn cone_of(&mut self, id: FlowId, range: &nat::Range<F>) -> Result<nat::Range<F>, NoCone> {
        let flow = self.flows.get(id).ok_or(NoCone)?;
        let (current, zone) = (flow.tuple(Dir::Reply).invert().ok_or(NoCone)?, flow.zone_of(Dir::Original));
        let mut ctx = NatCtx { rng: &mut *self.rng, now: self.now, host: self.host };
        let (address, port) = self.cones.outside_of(&current, range, zone, &mut ctx)?;
        if let Some(flow) = self.flows.get_mut(id) {
            flow.status.set(Status::FULL_CONE);
        }
        Ok(nat::Range { ports: Some((port, port)), full_cone: true, ..nat::Range::keep(address) })
    }

    /// Sets up one side of a flow. Where several workers run and the flow's replies would come to another one, that worker is asked for the
    /// tuple: the packet stops here then, and goes on when the answer is there. `kind` is the target's; `None` where no rule spoke.
    pub(crate) fn set_up(
        &mut self,
        packet: &Packet<'_, F, O::Buf>,
        id: FlowId,
        side: Side,
        range: &nat::Range<F>,
        kind: Option<NatKind>,
    ) -> Step {
        let undecided = self.flows.get(id).is_some_and(|flow| !flow.is_confirmed() && !nat::is_decided(flow, side));
        let one_end;
        let range = match (side, range.full_cone && undecided) {
            (Side::Src, true) => match self.cone_of(id, range) {
                Ok(range) => {
                    one_end = range;
                    &one_end
                }
                Err(NoCone) => return self.exhausted(packet, range, kind),
            },
            _ => range,
        };
        // Where no rule spoke, and one address stands for one, nobody shares it: no port has to change that replies may come home.
        let keeps_port = matches!(kind, None | Some(NatKind::Map));
        let mut ctx = NatCtx { rng: &mut *self.rng, now: self.now, host: self.host };
        // A flow for which the box answers itself ends with the packet that it refused; one that SYNPROXY opens has replies to come.
        let ends_here = packet.origin == Origin::Own && packet.connection.said != Said::Open;
        if side == Side::Dst || !self.home.is_shared() || ends_here {
            return match nat::setup(self.flows, id, side, range, &mut ctx) {
                Ok(()) => Step::Continue(()),
                Err(_) => self.exhausted(packet, range, kind),
            };
        }
        match home::source(self.flows, self.home, id, range, keeps_port, &mut ctx) {
            Ok(Source::Decided) => Step::Continue(()),
            Ok(Source::Ask(worker, wish)) => {
                // The walk knows the way; it fills it in.
                let leave = Leave { hook: Hook::Postrouting, way: Way::Deliver };
                *self.parting = Some(Parting::Ask { worker, wish, leave });
                Step::Break(DropReason::ClaimsFull)
            }
            Err(_) => self.exhausted(packet, range, kind),
        }
    }

    /// No tuple was left: the packet ends, and the log will tell of the pool.
    fn exhausted(&mut self, packet: &Packet<'_, F, O::Buf>, range: &nat::Range<F>, kind: Option<NatKind>) -> Step {
        self.flows.note_unplaced();
        self.shortages.note(Pool::new(kind, packet.header.protocol, range));
        Step::Break(DropReason::NatExhausted)
    }
}
