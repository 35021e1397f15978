//! Which tuples are taken, as NAT asks when it chooses one: by a flow of this table, or by another worker's claim.

use packet::{Family, Tuple};
use program::CtAction;

use super::entry::{Dir, FlowId, Protocol, Status, zone_of};
use super::table::FlowTable;
use super::tcp::TcpState;
use super::window::before;
use crate::time::Time;

impl<F: Family> FlowTable<F> {
    /// Is `reply` taken as a tuple of another flow than `but`? A flow with the same original tuple as `but` is its own earlier life and does not
    /// count (the kernel leaves that to confirmation). Each time that it is taken is counted, as `conntrack -S` shows it.
    pub(crate) fn is_taken(&mut self, reply: &Tuple<F>, but: FlowId, now: Time) -> bool {
        let taken = self.is_occupied(reply, but, now);
        self.tally.found += u64::from(taken);
        taken
    }

    /// The same, and nothing is counted.
    pub(crate) fn is_occupied(&mut self, reply: &Tuple<F>, but: FlowId, now: Time) -> bool {
        let Some(asking) = self.get(but) else { return false };
        let (zone, original) = (asking.zone(), asking.tuple(Dir::Original));
        self.is_in_use(reply, zone, &original, now) || self.is_claimed(reply, zone_of(zone, Dir::Reply))
    }

    /// Has a flow of this table the tuple, other than an earlier life of the one that begins with `original`?
    pub(super) fn is_in_use(&mut self, reply: &Tuple<F>, zone: CtAction, original: &Tuple<F>, now: Time) -> bool {
        loop {
            let hash = self.hash.tuple(reply, zone_of(zone, Dir::Reply));
            // As a rule nobody has it, and both are looked into.
            self.index.prefetch_other(hash);
            let found = self.index.find(hash, |place| {
                let flow = &self.slots[place.slot() as usize].flow;
                let dir = place.dir();
                let same_flow =
                    flow.tuple(Dir::Original) == *original && flow.zone_of(Dir::Original) == zone_of(zone, Dir::Original);
                flow.tuple(dir) == *reply && flow.zone_of(dir) == zone_of(zone, dir) && !same_flow
            });
            match found {
                None => return false,
                Some(place) if self.slots[place.slot() as usize].flow.expires() > now => return true,
                Some(place) => self.kill_slot(place.slot()),
            }
        }
    }

    /// Does `reply` begin an untranslated flow of UDP that `asking` would be the reverse of, were it not for the zones?
    pub(crate) fn is_untranslated_reverse(&mut self, reply: &Tuple<F>, asking: FlowId, now: Time) -> bool {
        let Some(flow) = self.get(asking).filter(|flow| matches!(flow.protocol, Protocol::Udp(_))) else { return false };
        let (zone, original) = (flow.zone(), flow.tuple(Dir::Original));
        self.find(reply, zone, now).and_then(|(id, _)| self.get(id)).is_some_and(|other| {
            let is_reverse = other.tuple(Dir::Original) == *reply && other.tuple(Dir::Reply) == original;
            is_reverse && !other.status.has_any(Status::SRC_NAT.with(Status::DST_NAT))
        })
    }

    /// Is it a TCP connection that just begins?
    pub(crate) fn may_displace(&self, asking: FlowId) -> bool {
        self.get(asking).is_some_and(|flow| matches!(flow.protocol, Protocol::Tcp(new) if new.state() == TcpState::SynSent))
    }

    /// Makes room for one that [`FlowTable::may_displace`] and cannot find a port: ends the flow that has `reply` as its own reply tuple, if that is a translated TCP connection
    /// that is over, and the asking one is a new connection whose numbers are ahead of its. Says whether the tuple is free now.
    pub(crate) fn displace_finished(&mut self, reply: &Tuple<F>, asking: FlowId, now: Time) -> bool {
        let Some(flow) = self.get(asking) else { return false };
        let (zone, Protocol::Tcp(new)) = (flow.zone(), flow.protocol) else { return false };
        let Some((id, dir)) = self.find(reply, zone, now) else { return !self.is_claimed(reply, zone_of(zone, Dir::Reply)) };
        let Some(flow) = self.get(id) else { return true };
        let Protocol::Tcp(old) = flow.protocol else { return false };
        let is_over = matches!(old.state(), TcpState::TimeWait | TcpState::Close);
        let is_ahead = before(old.original_end(), new.original_end());
        let gives_way = dir == Dir::Reply && flow.status.has(Status::SRC_NAT) && is_over && is_ahead;
        if gives_way {
            self.kill(id);
        }
        gives_way
    }

    /// A flow found no place: the kernel would let it come to confirmation, and count it there.
    pub(crate) fn note_unplaced(&mut self) {
        self.tally.insert_failed += 1;
        self.tally.drop += 1;
    }
}
