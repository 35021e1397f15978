//! Packets whose flow another worker keeps: where a walk stops, and where it goes on (DESIGN: one flow, one worker).
//!
//! Promises: both directions of a flow, the ICMP errors about it and the datagrams that belong to it are looked up by one worker; a packet that
//! changes workers is judged by every rule once, by the tables of either worker; packets of a flow that come by one queue stay in order.

use packet::{Family, Fragment, L4, Tuple, icmp};

use super::Walk;
use crate::buffer::Buffer;
use crate::burst::{Origin, Packet};
use crate::drop::DropReason;
use crate::frag::Cut;
use crate::handoff::{Handed, Letter, Parcel, Sealed, Stage};
use crate::hooks::Step;
use crate::outside::Outside;

/// Why a walk stops here. The packet is dropped by the reason that goes with it only if it cannot be handed over.
pub(crate) enum Parting {
    /// It goes on at another worker.
    To(u16, Stage),
}

/// The name of a packet's end when it cannot change workers.
const FULL: DropReason = DropReason::HandoffFull;

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
        match looked_up_by(packet) {
            Some(tuple) => self.go_to(self.home.owners().of(&tuple), Stage::Track { hops: 0 }),
            // INVALID, wherever it is.
            None => Step::Continue(()),
        }
    }

    fn go_to(&mut self, worker: u16, stage: Stage) -> Step {
        if worker == self.home.me() {
            return Step::Continue(());
        }
        *self.parting = Some(Parting::To(worker, stage));
        Step::Break(FULL)
    }

    /// Hands over a packet whose walk stopped.
    pub(crate) fn part(&mut self, packet: Packet<'_, F, O::Buf>, parting: Parting) {
        let Parting::To(worker, stage) = parting;
        let (buf, row) = packet.into_parts();
        let handed = Handed { buf, row, stage };
        let gone = if self.cut.sizes.is_empty() {
            self.out.hand_over(worker, Parcel(F::either(handed)))
        } else {
            self.out.post(worker, Letter(F::either(Sealed { handed, cut: core::mem::take(self.cut) })))
        };
        match gone {
            true => self.handoffs.sent(),
            false => self.drops.count(FULL),
        }
    }

    /// Goes on with a packet that another worker has begun.
    pub(crate) fn resume(&mut self, handed: Handed<F, O::Buf>) {
        let Handed { buf, mut row, stage } = handed;
        let packet = row.packet(buf);
        match stage {
            Stage::Arrive => match packet.origin {
                Origin::Wire(_) => self.receive(packet),
                Origin::Host | Origin::Own => self.originate(packet),
            },
            Stage::Track { .. } => self.tracked(packet),
        }
    }

    /// As [`Walk::resume`], for a packet that remembers how it was cut.
    pub(crate) fn resume_cut(&mut self, handed: Handed<F, O::Buf>, cut: Cut) {
        *self.cut = cut;
        self.resume(handed);
    }
}

/// The tuple by which a packet's flow is found, or that of the packet which an ICMP error quotes: the same worker keeps either direction.
fn looked_up_by<F: Family, B: Buffer>(packet: &Packet<'_, F, B>) -> Option<Tuple<F>> {
    match packet.header.transport {
        L4::Icmp { kind, .. } if icmp::is_error::<F>(kind) => Tuple::of(&icmp::inner(packet.buf.head(), packet.header)?),
        _ => Tuple::of(packet.header),
    }
}
