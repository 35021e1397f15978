//! Packets that are through all rules and wait for the link address of their next hop.
//!
//! Bounded twice: so many next hops, so many packets each. The kernel behind the TAP resolves; the answer comes with a snapshot.

use arrayvec::ArrayVec;
use packet::Family;
use program::InterfaceId;

use super::Walk;
use super::answer::Message;
use super::routing::Codes;
use crate::burst::Row;
use crate::drop::DropReason;
use crate::host::Neighbour;
use crate::outside::Outside;
use crate::time::Time;

/// Packets that wait for one next hop.
const PACKETS: usize = 8;
/// How long they wait: the kernel asks three times, a second apart.
const PATIENCE_MS: u64 = 3_000;
/// How often the kernel is asked to resolve; also how long a neighbour that failed before is given to be found.
const ASK_EVERY_MS: u64 = 1_000;

/// One next hop that is asked for.
struct Wait<F: Family, B> {
    interface: InterfaceId,
    next_hop: F::Addr,
    since: Time,
    asked: Time,
    packets: ArrayVec<(B, Row<F>), PACKETS>,
}

/// All next hops that are asked for, in the order in which they were first wanted.
pub(crate) struct Waiting<F: Family, B> {
    waits: Vec<Wait<F, B>>,
    most: usize,
}

impl<F: Family, B> Waiting<F, B> {
    /// Room for `most` next hops, allocated now.
    pub(crate) fn new(most: usize) -> Self {
        Self { waits: Vec::with_capacity(most), most }
    }

    /// Does anything wait?
    pub(crate) fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// Packets that wait.
    pub(crate) fn packets(&self) -> usize {
        self.waits.iter().map(|wait| wait.packets.len()).sum()
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Keeps a packet until its next hop is known, and asks for that.
    pub(crate) fn wait(&mut self, buf: O::Buf, row: Row<F>) {
        let (interface, next_hop) = (row.output, row.next_hop);
        let waits = &mut self.waiting.waits;
        let at = match waits.iter().position(|wait| wait.interface == interface && wait.next_hop == next_hop) {
            Some(at) => at,
            None if waits.len() < self.waiting.most => {
                waits.push(Wait { interface, next_hop, since: self.now, asked: self.now, packets: ArrayVec::new() });
                self.out.resolve(interface, packet::family::Addr::to_ip(next_hop));
                waits.len() - 1
            }
            None => return self.drops.count(DropReason::NeighbourQueueFull),
        };
        if waits[at].packets.try_push((buf, row)).is_err() {
            self.drops.count(DropReason::NeighbourQueueFull);
        }
    }

    /// Sends what waited for a next hop that is known by now; gives up on what waited too long, and tells the senders.
    pub(crate) fn look_after_waiting(&mut self) {
        let mut at = 0;
        while at < self.waiting.waits.len() {
            let wait = &mut self.waiting.waits[at];
            let waited_for = |since: Time, ms| self.now >= since.plus_millis(ms);
            let mac = match self.host.neighbour(wait.interface, wait.next_hop) {
                Some(Neighbour::Known(mac)) => Some(mac),
                Some(Neighbour::Failed) if waited_for(wait.since, ASK_EVERY_MS) => None,
                _ if waited_for(wait.since, PATIENCE_MS) => None,
                _ => {
                    if waited_for(wait.asked, ASK_EVERY_MS) {
                        wait.asked = self.now;
                        self.out.resolve(wait.interface, packet::family::Addr::to_ip(wait.next_hop));
                    }
                    at += 1;
                    continue;
                }
            };
            // Order is kept: the list stays in the order of first wants.
            let mut over = self.waiting.waits.remove(at);
            for (buf, mut row) in over.packets.drain(..) {
                match mac {
                    Some(mac) => self.transmit_to(buf, &row.header, row.output, mac),
                    None => {
                        row.connection.flow = row.connection.flow.filter(|id| self.flows.get(*id).is_some());
                        let packet = row.packet(buf);
                        self.answer(&packet, Message::Unreachable(const { Codes::of(F::ID) }.neighbour));
                        drop(packet);
                        self.drops.count(DropReason::NeighbourUnreachable);
                        self.walk_own();
                    }
                }
            }
        }
    }
}
