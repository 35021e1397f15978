//! What flows announce, with all that becomes of it counted and told ([`crate::events`]).

use packet::{Family, Tuple};
use program::EventSet;

use super::entry::{FlowId, Status};
use super::expect::{Expectation, Refused, SlotId};
use super::table::FlowTable;
use super::tally::Tally;
use crate::events::{Announced, Events, Kind};
use crate::time::Time;

/// Counts and tells. Borrows of the table what nothing else here needs.
struct Notary<'a> {
    events: &'a Events,
    tally: &'a mut Tally,
    now: Time,
}

impl Notary<'_> {
    fn made<F: Family>(&mut self, made: &Expectation<F>, is_told: bool) {
        self.tally.expect_create += 1;
        if is_told {
            self.tell(Kind::New, made);
        }
    }

    fn ended<F: Family>(&mut self, ended: &Expectation<F>) {
        self.tally.expect_delete += 1;
        if ended.is_told {
            self.tell(Kind::Destroy, ended);
        }
    }

    fn tell<F: Family>(&self, kind: Kind, of: &Expectation<F>) {
        if self.events.expected.is_listening() {
            self.events.expected.tell(F::either(Announced { kind, expectation: *of, now: self.now }));
        }
    }
}

impl<F: Family> FlowTable<F> {
    fn tells(&self, id: FlowId, event: EventSet) -> bool {
        let is_watched = self.get(id).is_some_and(|flow| flow.status.has(Status::WATCHED));
        is_watched && event.without(self.muted(id)) == event
    }

    /// Whoever listens is told when what this flow expects ends.
    pub(crate) fn tells_of_ends(&self, id: FlowId) -> bool {
        self.tells(id, EventSet::EXPECT_DESTROY)
    }

    /// Lets the flow that `new` names as its master announce another: at most `most` of its class.
    pub(crate) fn expect(&mut self, new: &Expectation<F>, most: usize, or_known: bool, now: Time) -> Result<(), Refused> {
        let master = new.master.flow;
        let number = self.extra(master).assist;
        let is_told = self.tells(master, EventSet::EXPECT_NEW);
        let Some(entry) = self.assists.get_mut(number) else { return Err(Refused::Full) };
        let mut notary = Notary { events: &self.events, tally: &mut self.tally, now };
        entry.own.expect(&self.expectations, new, most, or_known, now, |ended| notary.ended(ended))?;
        notary.made(new, is_told);
        Ok(())
    }

    /// What the flow expects, and fits, may be fulfilled until then.
    pub(crate) fn reopen(&mut self, id: FlowId, until: Time, now: Time, fits: impl Fn(&Expectation<F>) -> bool) -> bool {
        let number = self.extra(id).assist;
        let Some(entry) = self.assists.get_mut(number) else { return false };
        let mut notary = Notary { events: &self.events, tally: &mut self.tally, now };
        entry.own.reopen(&self.expectations, until, now, fits, |ended| notary.ended(ended))
    }

    /// The flow no longer expects what is of such a class.
    pub(crate) fn forget_expected(&mut self, id: FlowId, which: impl Fn(u8) -> bool) {
        let number = self.extra(id).assist;
        if let Some(entry) = self.assists.get_mut(number) {
            let mut notary = Notary { events: &self.events, tally: &mut self.tally, now: self.now };
            entry.own.forget(&self.expectations, which, |ended| notary.ended(ended));
        }
    }

    /// The flow no longer expects what it announced last.
    pub(crate) fn unexpect(&mut self, id: FlowId) {
        let number = self.extra(id).assist;
        if let Some(ended) = self.assists.get_mut(number).and_then(|entry| entry.own.forget_last(&self.expectations)) {
            self.notary(self.now).ended(&ended);
        }
    }

    /// What the flow expects ends with it.
    pub(super) fn expect_nothing(&mut self, slot: u32) {
        let number = self.extras.get(self.asides[slot as usize].extra).assist;
        if let Some(entry) = self.assists.get_mut(number) {
            let mut notary = Notary { events: &self.events, tally: &mut self.tally, now: self.now };
            entry.own.clear(&self.expectations, |ended| notary.ended(ended));
        }
    }

    /// The expectation that a new flow fulfils.
    pub(super) fn fulfil(&mut self, tuple: &Tuple<F>, zone: u16, now: Time) -> Option<Expectation<F>> {
        let fulfilled = self.expectations.take(tuple, zone, now)?;
        self.tally.expect_new += 1;
        if !fulfilled.stays {
            self.notary(now).ended(&fulfilled);
        }
        Some(fulfilled)
    }

    /// Forgets some of what is past its time.
    pub(super) fn sweep_expected(&mut self, now: Time) {
        let mut notary = Notary { events: &self.events, tally: &mut self.tally, now };
        self.expectations_at = self.expectations.sweep(self.expectations_at, now, |ended| notary.ended(ended));
    }

    /// An operator ends what is expected: that of this name, if it is there still.
    pub(crate) fn end_expected(&mut self, id: SlotId, now: Time) -> Option<Expectation<F>> {
        self.expectations.end(id).inspect(|ended| self.notary(now).ended(ended))
    }

    /// Likewise, what is in this slot.
    pub(crate) fn empty_expected(&mut self, slot: u32, now: Time) {
        if let Some(ended) = self.expectations.empty(slot) {
            self.notary(now).ended(&ended);
        }
    }

    fn notary(&mut self, now: Time) -> Notary<'_> {
        Notary { events: &self.events, tally: &mut self.tally, now }
    }
}
