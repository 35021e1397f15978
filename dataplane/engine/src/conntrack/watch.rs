//! Which flows are told of, and when ([`crate::events`]).

use std::sync::Arc;

use packet::Family;
use program::EventSet;

use super::assist::Assist;
use super::entry::{Flow, FlowId, Protocol, Status};
use super::table::FlowTable;
use crate::events::{Changes, Event, Events, Kind};
use crate::inbox::Listed;

/// What of a flow is compared before and after a packet.
#[derive(Clone, Copy)]
pub(super) struct Before {
    state: u8,
    status: Status,
}

impl<F: Family> Flow<F> {
    /// What it is before a packet, if it is told of.
    #[inline]
    pub(super) fn before(&self) -> Option<Before> {
        self.status.has(Status::WATCHED).then(|| Before { state: self.state(), status: self.status })
    }

    fn state(&self) -> u8 {
        match &self.protocol {
            Protocol::Tcp(tcp) => tcp.state() as u8,
            Protocol::Sctp(sctp) => sctp.state() as u8,
            Protocol::Udp(_) | Protocol::Icmp | Protocol::Gre | Protocol::Generic => 0,
        }
    }

    /// Notes what a packet made of it.
    pub(super) fn compare(&mut self, before: Before) {
        let became = |bit| self.status.has(bit) && !before.status.has(bit);
        let changes = [
            (self.state() != before.state, Changes::STATE),
            (became(Status::ASSURED), Changes::ASSURED),
            (became(Status::SEEN_REPLY), Changes::REPLY),
        ];
        for (_, change) in changes.into_iter().filter(|(is, _)| *is) {
            self.note(change);
        }
    }

    /// What is told of it, as rules name it.
    fn news(&self, kind: Kind, has_new_helper: bool) -> EventSet {
        const BY_HAND: EventSet = EventSet::ALL
            .without(EventSet::NEW.with(EventSet::RELATED).with(EventSet::DESTROY))
            .without(EventSet::SECMARK.with(EventSet::EXPECT_NEW));
        let changed = [
            (Changes::REPLY, EventSet::REPLY),
            (Changes::ASSURED, EventSet::ASSURED),
            (Changes::STATE, EventSet::PROTOINFO),
            (Changes::MARK, EventSet::MARK),
            (Changes::SEQ_ADJUST, EventSet::NATSEQINFO),
            (Changes::LABEL, EventSet::SECMARK),
            (Changes::LABELS, EventSet::LABEL),
            // An operator who writes one thing is told as if all had changed.
            (Changes::BY_HAND, BY_HAND),
        ];
        let changes = changed
            .iter()
            .filter(|(change, _)| self.changes.has(*change))
            .fold(EventSet::default(), |all, (_, event)| all.with(*event));
        match kind {
            Kind::Destroy => EventSet::DESTROY,
            Kind::Update => changes,
            Kind::New => {
                let new = if self.status.has(Status::EXPECTED) { EventSet::RELATED } else { EventSet::NEW };
                changes.with(new).with(if has_new_helper { EventSet::HELPER } else { EventSet::default() })
            }
        }
    }

    /// Notes a change, if the flow is told of.
    pub(crate) fn note(&mut self, changes: Changes) {
        if self.status.has(Status::WATCHED) {
            self.changes = self.changes.with(changes);
        }
    }

    /// Writes the mark.
    pub(crate) fn remark(&mut self, mark: u32) {
        if self.mark != mark {
            self.mark = mark;
            self.note(Changes::MARK);
        }
    }
}

impl<F: Family> FlowTable<F> {
    /// Tells of its flows there. To be called once, while the table is made.
    pub(crate) fn watched(mut self, events: Arc<Events>) -> Self {
        self.events = events;
        self
    }

    /// What its packets changed of a flow is told now: the one at hand got through.
    #[inline(always)]
    pub(crate) fn tell_changes(&mut self, id: FlowId) {
        if self.get(id).is_some_and(|flow| !flow.changes.is_empty()) {
            self.tell_update(id.slot);
        }
    }

    #[cold]
    fn tell_update(&mut self, slot: u32) {
        let flow = self.in_slot(slot);
        if flow.is_confirmed() && !flow.status.has(Status::DYING) {
            self.tell(slot, Kind::Update);
        }
    }

    /// `CT --ctevents` left out all that there is to tell.
    fn is_muted(&self, slot: u32, kind: Kind) -> bool {
        let flow = self.in_slot(slot);
        let helped = || kind == Kind::New && self.assist(self.id(slot)).is_some_and(|assist| assist.helper().is_some());
        let muted = self.muted(self.id(slot));
        !muted.is_empty() && flow.news(kind, helped()).without(muted).is_empty()
    }

    /// A flow with all that is shown of it.
    pub(crate) fn listed(&self, id: FlowId, flow: &Flow<F>) -> Listed<F> {
        let helper = self.assist(id).and_then(Assist::helper);
        Listed {
            id,
            flow: *flow,
            counts: self.counts(id).unwrap_or_default(),
            extra: *self.extra(id),
            helper,
            started: self.started(id),
        }
    }

    pub(super) fn tell(&mut self, slot: u32, kind: Kind) {
        let flow = self.in_slot(slot);
        if !flow.status.has(Status::WATCHED) {
            return;
        }
        if self.events.flows.is_listening() && !self.is_muted(slot, kind) {
            let listed = self.listed(self.id(slot), flow);
            self.events.flows.tell(F::either(Event { kind, changes: flow.changes, listed, now: self.now }));
        }
        self.slots[slot as usize].flow.changes = Changes::default();
    }
}
