//! Packets whose flow another worker keeps: where a walk stops, and where it goes on.
//!
//! Promises: both directions of a flow, the ICMP errors about it and the datagrams that belong to it are looked up by one worker; a packet that
//! changes workers is judged by every rule once, by the tables of either worker; packets of a flow that come by one queue stay in order.

use packet::{Family, Fragment, L4, Tuple, icmp};

use super::Walk;
use super::claim::Leave;
use crate::buffer::Buffer;
use crate::burst::{Origin, Packet};
use crate::conntrack::FlowId;
use crate::drop::DropReason;
use crate::handoff::{Errand, Handed, Large, Letter, Parcel, Small, Stage};
use crate::hooks::Step;
use crate::nat::home::Wish;
use crate::outside::Outside;

/// Why a walk stops here. The packet is dropped by the reason that goes with it only if it cannot be handed over.
pub(crate) enum Parting<F: Family> {
    /// It goes on at another worker.
    To(u16, Stage),
    /// Another worker is asked for its flow's reply tuple.
    Ask { worker: u16, wish: Wish<F>, leave: Leave },
    /// It waits for the packet that does so.
    Behind(FlowId),
}

/// Workers that may send a packet on: its owner, the one that the owner names, once more each when the flow has just ended.
const MOST_HOPS: u8 = 3;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Fragments are put together by one worker, whichever ports they have.
    pub(crate) fn steer_fragment(&mut self, packet: &Packet<'_, F, O::Buf>) -> Step {
        if !self.home.is_shared() || packet.header.fragment == Fragment::Whole {
            return Step::Continue(());
        }
        let keeper = self.home.owners().of_addresses::<F>(packet.header.src, packet.header.dst);
        self.go_to(keeper, Stage::Arrive)
    }

    /// Before tracking: a packet goes on where its flow is.
    pub(crate) fn steer(&mut self, packet: &Packet<'_, F, O::Buf>) -> Step {
        if !self.home.is_shared() {
            return Step::Continue(());
        }
        // Without a tuple it is INVALID, wherever it is.
        let Some((tuple, is_error)) = looked_up_by(packet) else { return Step::Continue(()) };
        let owner = self.home.owners().of(&tuple);
        if self.hops == 0 {
            self.go_to(owner, Stage::Track { hops: 0 })?;
        }
        let zone = packet.connection.template.unwrap_or_default();
        let may_be_elsewhere = self.hops > 0 || self.flows.claimed() > 0 || !self.pendings.is_empty();
        if !may_be_elsewhere || self.flows.find(&tuple, zone, self.now).is_some() {
            return Step::Continue(());
        }
        let onward = Stage::Track { hops: self.hops + 1 };
        if let Some(keeper) = self.flows.keeper_of(&tuple, zone) {
            self.hop()?;
            return self.go_to(keeper.worker, onward);
        }
        if owner != self.home.me() {
            // The flow has ended. Its claim is on its way back before this packet, which begins anew where it belongs.
            self.hop()?;
            self.return_claims();
            return self.go_to(owner, onward);
        }
        match self.pendings.of(&tuple, zone) {
            Some(flow) if !is_error => {
                *self.parting = Some(Parting::Behind(flow));
                Step::Break(DropReason::ClaimsFull)
            }
            _ => Step::Continue(()),
        }
    }

    /// A packet is not sent round for ever.
    fn hop(&self) -> Step {
        if self.hops < MOST_HOPS { Step::Continue(()) } else { Step::Break(DropReason::FlowMoved) }
    }

    fn go_to(&mut self, worker: u16, stage: Stage) -> Step {
        if worker == self.home.me() {
            return Step::Continue(());
        }
        *self.parting = Some(Parting::To(worker, stage));
        Step::Break(DropReason::HandoffFull)
    }

    /// Hands over a packet whose walk stopped; says whether its flow is still wanted.
    #[inline(never)]
    pub(crate) fn part(&mut self, packet: Packet<'_, F, O::Buf>, parting: Parting<F>) -> bool {
        match parting {
            Parting::To(worker, stage) => {
                let (buf, row) = packet.into_parts();
                let gone = if self.cut.sizes.is_empty() {
                    self.out.hand_over(worker, Parcel(F::either(Small::Packet(Handed { buf, row, stage }))))
                } else {
                    let large = Large { buf, row, cut: core::mem::take(self.cut), errand: Errand::Go(stage) };
                    self.out.post(worker, Letter(F::either(large)))
                };
                match gone {
                    true => self.handoffs.sent(),
                    false => self.drops.count(DropReason::HandoffFull),
                }
                gone
            }
            Parting::Ask { worker, wish, leave } => self.ask(packet, worker, wish, leave),
            Parting::Behind(flow) => {
                self.wait_behind(packet, flow);
                true
            }
        }
    }

    /// Goes on with what another worker has sent.
    pub(crate) fn unpack(&mut self, small: Small<F, O::Buf>) {
        match small {
            Small::Packet(handed) => self.resume(handed),
            Small::Release(release) => self.flows.take_back(&release),
        }
    }

    /// As [`Walk::unpack`].
    pub(crate) fn open(&mut self, large: Large<F, O::Buf>) {
        let Large { buf, row, cut, errand } = large;
        match errand {
            Errand::Go(stage) => {
                *self.cut = cut;
                self.resume(Handed { buf, row, stage });
            }
            Errand::Claim(claim) => self.arbitrate(buf, row, cut, &claim),
            Errand::Answer(answer) => self.answered(buf, row, cut, &answer),
        }
    }

    fn resume(&mut self, handed: Handed<F, O::Buf>) {
        let Handed { buf, mut row, stage } = handed;
        let packet = row.packet(buf);
        match stage {
            Stage::Arrive => match packet.origin {
                Origin::Wire(_) => self.receive(packet, None),
                Origin::Host | Origin::Own => self.originate(packet),
            },
            Stage::Track { hops } => {
                self.hops = hops;
                self.tracked(packet);
            }
        }
    }
}

/// The tuple by which a packet's flow is found, and whether that is the answer to one that an ICMP error quotes.
fn looked_up_by<F: Family, B: Buffer>(packet: &Packet<'_, F, B>) -> Option<(Tuple<F>, bool)> {
    match packet.header.transport {
        L4::Icmp { kind, .. } if icmp::is_error::<F>(kind) => {
            Some((Tuple::of(&icmp::inner(packet.buf.head(), &packet.header)?)?.invert()?, true))
        }
        _ => Some((Tuple::of(&packet.header)?, false)),
    }
}
