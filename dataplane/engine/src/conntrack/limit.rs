//! What happens at the table's limit, as in the kernel: who must give way, and who never does.
//!
//! At `nf_conntrack_max` a new flow takes the place of one that is not ASSURED, searched among the few that stand next to it in the index: an
//! attacker who does not know the hash's key cannot choose whom he pushes out, and can push out no flow that has proven itself. Where all of
//! them are ASSURED the new flow is refused. A refusal sets off a sweep, which ends a few hundred of the flows that would be missed least while
//! the table is more than 95 % full: those that are not ASSURED, and TCP connections and SCTP associations that are over and only wait for
//! their time.
//!
//! The kernel ends every flow of the one chain in which it finds a victim; a bucket of this index is longer than such a chain, so one is
//! ended at a time. Its sweep comes with its next collection, within a minute; this one at once.

use std::sync::Arc;

use packet::Family;

use super::entry::{Dir, Flow, Protocol, Status};
use super::index::Place;
use super::sctp::SctpState;
use super::table::FlowTable;
use super::tcp::TcpState;
use crate::shared::Shared;
use crate::time::Time;

/// Buckets in which a flow that can give way is searched for.
const NEIGHBOURHOOD: u32 = 8;
/// The sweep goes on above this many hundredths of the capacity.
const CROWDED: u64 = 95;
/// Flows that one sweep ends at most, as in the kernel.
const ENDED: u32 = 256;
/// Milliseconds from the beginning of a sweep to that of the next.
const INTERVAL: u64 = 1000;

/// The sweep through a crowded table.
#[derive(Default)]
pub(super) struct Sweep {
    /// A flow was refused since the last one began.
    wanted: bool,
    not_before: Time,
    /// Where it goes on, and how many slots and ends it has left.
    at: u32,
    slots: usize,
    ends: u32,
}

impl<F: Family> FlowTable<F> {
    /// Puts the table under a limit that it shares with others. To be called once, while it is made.
    pub(crate) fn lent(mut self, limit: Arc<Shared>) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Gives back what was borrowed of the limit and is not needed. To be called between bursts.
    pub(crate) fn settle(&mut self) {
        if let Some(limit) = &self.limit {
            self.purse.settle(&limit.credits);
        }
    }

    /// May there be one flow more, at all workers together?
    pub(super) fn borrow(&mut self) -> bool {
        self.limit.as_ref().is_none_or(|limit| self.purse.take(&limit.credits))
    }

    /// Do all workers together come near the limit?
    fn is_near_limit(&self) -> bool {
        self.limit.as_ref().is_some_and(|limit| limit.credits.is_crowded())
    }

    /// Flows that were ended before their time to make way. Only grows.
    pub fn early_drops(&self) -> u64 {
        self.tally.early_drop
    }

    /// Frees a slot for a flow that begins at `now`; `false` when nobody can give way. Looks at a bounded number of flows.
    pub(super) fn make_way(&mut self, flow: &Flow<F>, now: Time) -> bool {
        // A killed flow has gone already, but for the packet that it died of.
        if self.bury() {
            return true;
        }
        let hash = self.hash.tuple(&flow.tuple(Dir::Original), flow.zone_of(Dir::Original));
        let found = self.index.near(hash, NEIGHBOURHOOD).map(Place::slot).find(|slot| {
            let flow = self.in_slot(*slot);
            let gives_way = flow.expires() <= now || !flow.status.has(Status::ASSURED);
            // The slot of a flow with a claim becomes free only when that was given back.
            gives_way && !flow.status.has(Status::CLAIMED)
        });
        let Some(slot) = found else {
            self.sweep.wanted = true;
            return false;
        };
        if self.in_slot(slot).expires() > now {
            self.tally.early_drop += 1;
        }
        self.kill_slot(slot);
        self.bury()
    }

    /// Begins the sweep that a refusal has set off, or goes on with it; looks at one flow for each step of `budget` at most. Not to be called
    /// while a packet is on its way.
    pub(super) fn go_on_sweeping(&mut self, now: Time, budget: &mut usize) {
        let slots = self.slots_in_use();
        if self.sweep.wanted && self.sweep.slots == 0 && now >= self.sweep.not_before {
            let Sweep { at, .. } = self.sweep;
            self.sweep = Sweep { wanted: false, not_before: now.plus_millis(INTERVAL), at, slots, ends: ENDED };
        }
        while self.sweep.slots > 0 && *budget > 0 {
            if self.sweep.ends == 0 || !self.is_crowded() {
                self.sweep.slots = 0;
                return;
            }
            *budget -= 1;
            let slot = self.sweep.at;
            self.sweep.slots -= 1;
            self.sweep.at = if slot as usize + 1 >= slots { 0 } else { slot + 1 };
            if self.is_listed(slot) && can_give_way(self.in_slot(slot)) {
                self.sweep.ends -= 1;
                self.kill_slot(slot);
                self.bury();
            }
        }
    }

    fn is_crowded(&self) -> bool {
        self.len() as u64 * 100 > self.capacity() as u64 * CROWDED || self.is_near_limit()
    }
}

/// Would it be missed least?
fn can_give_way<F: Family>(flow: &Flow<F>) -> bool {
    use SctpState::{ShutdownAckSent, ShutdownRecd, ShutdownSent};
    use TcpState::{Close, CloseWait, FinWait, LastAck, TimeWait};
    if !flow.status.has(Status::ASSURED) {
        return true;
    }
    match &flow.protocol {
        Protocol::Tcp(tcp) => matches!(tcp.state(), FinWait | CloseWait | LastAck | TimeWait | Close),
        Protocol::Sctp(sctp) => matches!(sctp.state(), ShutdownSent | ShutdownRecd | ShutdownAckSent),
        _ => false,
    }
}
