//! What happens at the table's limit, as in the kernel: who must give way, and who never does.
//!
//! At `nf_conntrack_max` a new flow takes the place of one that is not ASSURED, searched among the few that stand next to it in the index: an
//! attacker who does not know the hash's key cannot choose whom he pushes out, and can push out no flow that has proven itself. Where all of
//! them are ASSURED the new flow is refused. Above 95 % a slow sweep also ends what would be missed least: flows that are not ASSURED, and
//! TCP connections and SCTP associations that are over and only wait for their time, ASSURED or not.
//!
//! The kernel ends every flow of the one chain in which it finds a victim; a bucket of this index is longer than such a chain, so one is
//! ended at a time.

use packet::Family;

use super::entry::{Dir, Flow, Protocol, Status};
use super::index::Place;
use super::sctp::SctpState;
use super::table::FlowTable;
use super::tcp::TcpState;
use crate::time::Time;

/// Buckets in which a flow that can give way is searched for.
const NEIGHBOURHOOD: u32 = 8;
/// The sweep begins above this many hundredths of the capacity.
const CROWDED: u64 = 95;
/// Nanoseconds in which the sweep comes round once.
const SWEEP: u64 = 60_000_000_000;

impl<F: Family> FlowTable<F> {
    /// Flows that were ended before their time to make way. Only grows.
    pub fn early_drops(&self) -> u64 {
        self.early_drops
    }

    /// Frees a slot for a flow that begins at `now`; `false` when nobody can give way. Looks at a bounded number of flows.
    pub(super) fn make_way(&mut self, flow: &Flow<F>, now: Time) -> bool {
        // A killed flow has gone already, but for the packet that it died of.
        if self.bury() {
            return true;
        }
        let hash = self.hash.tuple(flow.tuple(Dir::Original), flow.zone_of(Dir::Original));
        let found = self.index.near(hash, NEIGHBOURHOOD).map(Place::slot).find(|slot| {
            let flow = self.in_slot(*slot);
            let gives_way = flow.expires <= now || !flow.status.has(Status::ASSURED);
            // The slot of a flow with a claim becomes free only when that was given back.
            gives_way && !flow.status.has(Status::CLAIMED)
        });
        let Some(slot) = found else { return false };
        if self.in_slot(slot).expires > now {
            self.early_drops += 1;
        }
        self.kill_slot(slot);
        self.bury()
    }

    /// Goes on with the sweep through a crowded table; looks at one flow for each step of `budget` at most. Not to be called while a packet is on
    /// its way.
    pub(super) fn sweep(&mut self, now: Time, budget: &mut usize) {
        if !self.is_crowded() {
            self.swept = now;
            return;
        }
        let interval = (SWEEP / (self.capacity() as u64).max(1)).max(1);
        let due = now.0.saturating_sub(self.swept.0) / interval;
        let steps = due.min(*budget as u64);
        // What could not be done in its time is not made up for: a pause is followed by no storm.
        self.swept = if steps < due { now } else { Time(self.swept.0 + steps * interval) };
        for _ in 0..steps {
            if !self.is_crowded() {
                return;
            }
            *budget -= 1;
            let slot = self.sweep_at;
            self.sweep_at = if slot as usize + 1 >= self.slots_in_use() { 0 } else { slot + 1 };
            if self.is_listed(slot) && can_give_way(self.in_slot(slot)) {
                self.early_drops += 1;
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
