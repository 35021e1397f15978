//! A flow whose replies would come to another worker, and may have no other tuple: that worker is asked to keep the tuple for it.
//!
//! The first packet travels to the tuple's arbiter with the claim, and comes back with the answer; its walk goes on behind the translation. Until
//! then its flow is in no index, and the packets that follow it wait. A claim that cannot be sent is a dropped packet and no flow: nothing is
//! ever sent with a tuple that nobody keeps. Replies come to the arbiter, whose stub sends them on ([`super::handover`]).
//!
//! Bounded: [`CLAIMS`] from one worker to another, [`WAITING`] packets behind each.

use arrayvec::ArrayVec;
use packet::{Family, Tuple};
use program::{CtAction, Hook};

use super::{Walk, Way};
use crate::burst::{Packet, Row};
use crate::conntrack::claims::{Keeper, Release};
use crate::conntrack::{Dir, FlowId};
use crate::drop::DropReason;
use crate::frag::Cut;
use crate::handoff::{CLAIMS, Errand, Large, Letter, Parcel, Small};
use crate::hooks::Step;
use crate::nat::NatCtx;
use crate::nat::home::{self, Source, Wish};
use crate::outside::Outside;
use crate::owner::{Home, MOST_WORKERS};

/// Packets that wait behind one that travels.
pub(crate) const WAITING: usize = 4;
/// Flows that wait for an answer, however many workers they ask.
const MOST: usize = 4 * CLAIMS;

/// Where a walk goes on behind its translation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leave {
    pub(crate) hook: Hook,
    pub(crate) way: Way,
}

/// A worker asks for a reply tuple.
#[derive(Clone, Copy)]
pub(crate) struct Claim<F: Family> {
    keeper: Keeper,
    original: Tuple<F>,
    zone: CtAction,
    wish: Wish<F>,
    leave: Leave,
}

/// What the arbiter says.
#[derive(Clone, Copy)]
pub(crate) struct Answer<F: Family> {
    from: u16,
    flow: FlowId,
    wish: Wish<F>,
    granted: Option<Tuple<F>>,
    leave: Leave,
}

/// A flow whose first packet travels.
struct Pending<F: Family, B> {
    flow: FlowId,
    original: Tuple<F>,
    zone: CtAction,
    behind: ArrayVec<(B, Row<F>, Cut), WAITING>,
}

/// The flows of a worker that wait for an answer. Written and read by it alone; allocated when it is made.
pub(crate) struct Pendings<F: Family, B> {
    flows: Vec<Pending<F, B>>,
    /// Claims on their way, by the worker that was asked.
    asked: [u8; MOST_WORKERS as usize],
}

impl<F: Family, B> Pendings<F, B> {
    /// None wait. A worker alone never asks.
    pub(crate) fn new(home: &Home) -> Self {
        Self { flows: Vec::with_capacity(if home.is_shared() { MOST } else { 0 }), asked: [0; MOST_WORKERS as usize] }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Packets that wait.
    pub(crate) fn packets(&self) -> usize {
        self.flows.iter().map(|pending| pending.behind.len()).sum()
    }

    /// The flow that began with this tuple, within a zone.
    pub(crate) fn of(&self, tuple: &Tuple<F>, zone: CtAction) -> Option<FlowId> {
        // A packet's action may name a helper besides, which a flow's does not.
        let same = |of: CtAction| (of.zone, of.directions) == (zone.zone, zone.directions);
        self.flows.iter().find(|pending| pending.original == *tuple && same(pending.zone)).map(|pending| pending.flow)
    }

    fn place(&self, flow: FlowId) -> Option<usize> {
        self.flows.iter().position(|pending| pending.flow == flow)
    }

    /// May this worker be asked for one more?
    fn has_room(&self, worker: u16, flow: FlowId) -> bool {
        let known = self.place(flow).is_some();
        usize::from(self.asked[usize::from(worker)]) < CLAIMS && (known || self.flows.len() < MOST)
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Translates, confirms, and says which way the packet leaves.
    #[inline(always)]
    pub(crate) fn leave(&mut self, packet: &mut Packet<'_, F, O::Buf>, hook: Hook, way: Way) -> Step<Way> {
        match packet.connection.flow {
            Some(id) => self.leave_of(packet, hook, way, id),
            None => Step::Continue(way),
        }
    }

    /// The same of a packet of this flow.
    #[inline(never)]
    fn leave_of(&mut self, packet: &mut Packet<'_, F, O::Buf>, hook: Hook, way: Way, id: FlowId) -> Step<Way> {
        if let Step::Break(reason) = self.translate(packet, hook) {
            if let Some(super::handover::Parting::Ask { leave, .. }) = self.parting {
                *leave = Leave { hook, way };
            }
            return Step::Break(reason);
        }
        self.keep_in_step(packet, id)?;
        self.confirm(packet)?;
        Step::Continue(way)
    }

    /// Sends a packet off to ask for its flow's reply tuple; `false`, and the packet dropped, when that cannot be.
    pub(crate) fn ask(&mut self, packet: Packet<'_, F, O::Buf>, worker: u16, wish: Wish<F>, leave: Leave) -> bool {
        let flow =
            packet.connection.flow.and_then(|id| Some((id, self.flows.get(id)?.tuple(Dir::Original), self.flows.get(id)?.zone())));
        let Some((id, original, zone)) = flow.filter(|(id, ..)| self.pendings.has_room(worker, *id)) else {
            self.drops.count(DropReason::ClaimsFull);
            return false;
        };
        self.return_claims();
        let keeper = Keeper { worker: self.home.me(), flow: id };
        let (buf, row) = packet.into_parts();
        let errand = Errand::Claim(Claim { keeper, original, zone, wish, leave });
        if !self.out.post(worker, Letter(F::either(Large { buf, row, cut: core::mem::take(self.cut), errand }))) {
            self.drops.count(DropReason::ClaimsFull);
            return false;
        }
        self.handoffs.claimed();
        self.pendings.asked[usize::from(worker)] += 1;
        if self.pendings.place(id).is_none() {
            self.pendings.flows.push(Pending { flow: id, original, zone, behind: ArrayVec::new() });
        }
        true
    }

    /// The arbiter's part: keeps the tuple, if it is free, and sends the packet back.
    pub(crate) fn arbitrate(&mut self, buf: O::Buf, row: Row<F>, cut: Cut, claim: &Claim<F>) {
        let Claim { keeper, original, zone, wish, leave } = claim;
        let granted = home::grant(self.flows, self.home, wish, (original, *zone, *keeper), self.host, self.now);
        let answer = Answer { from: self.home.me(), flow: keeper.flow, wish: *wish, granted, leave: *leave };
        let large = Large { buf, row, cut, errand: Errand::Answer(answer) };
        if !self.out.post(keeper.worker, Letter(F::either(large))) {
            debug_assert!(false, "there is a place for every answer");
            self.drops.count(DropReason::HandoffFull);
        }
    }

    /// The packet is back: its walk goes on, and then that of the packets behind it.
    pub(crate) fn answered(&mut self, buf: O::Buf, mut row: Row<F>, cut: Cut, answer: &Answer<F>) {
        let &Answer { from, flow, wish, granted, leave } = answer;
        self.pendings.asked[usize::from(from)] -= 1;
        *self.cut = cut;
        let mut packet = row.packet(buf);
        let outcome = match granted {
            Some(tuple) => {
                home::granted(self.flows, flow, &tuple);
                Ok(Source::Decided)
            }
            None => {
                self.handoffs.refused();
                let mut ctx = NatCtx { rng: &mut *self.rng, now: self.now, host: self.host };
                home::refused(self.flows, self.home, flow, wish, &mut ctx)
            }
        };
        let end = match outcome {
            Ok(Source::Decided) => self.leave(&mut packet, leave.hook, leave.way),
            Ok(Source::Ask(worker, wish)) => {
                *self.parting = Some(super::handover::Parting::Ask { worker, wish, leave });
                Step::Break(DropReason::ClaimsFull)
            }
            Err(_) => {
                self.flows.note_unplaced();
                self.shortages.note(wish.pool());
                Step::Break(DropReason::NatExhausted)
            }
        };
        if self.finish(packet, end) {
            return;
        }
        let Some(place) = self.pendings.place(flow) else { return };
        for (buf, mut row, cut) in self.pendings.flows.swap_remove(place).behind {
            *self.cut = cut;
            self.tracked(row.packet(buf));
        }
    }

    /// Keeps a packet until the one before it is back.
    pub(crate) fn wait_behind(&mut self, packet: Packet<'_, F, O::Buf>, flow: FlowId) {
        let cut = core::mem::take(self.cut);
        let (buf, row) = packet.into_parts();
        let place = self.pendings.place(flow);
        let kept = place.is_some_and(|place| self.pendings.flows[place].behind.try_push((buf, row, cut)).is_ok());
        if !kept {
            self.drops.count(DropReason::ClaimsFull);
        }
    }

    /// Gives back the claims of flows that ended, as far as there is room on the way; the rest the next time.
    pub(crate) fn return_claims(&mut self) {
        let (home, out) = (self.home, &mut *self.out);
        self.flows.return_claims(home.me(), |release: Release<F>| {
            out.hand_over(home.owners().of(&release.reply), Parcel(F::either(Small::Release(release))))
        });
    }
}
