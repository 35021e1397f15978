//! What a worker sends to, takes from and tells: the engine's [`Outside`] with DPDK's queues and this process's rings.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dpdk::burst::{self, Burst};
use dpdk::mempool::Mempool;
use dpdk::queue::TxQueue;
use engine::drop::{DropCounters, DropReason};
use engine::handoff::{Letter, Parcel};
use engine::log::LogRecord;
use engine::outside::Outside;
use program::InterfaceId;
use rtrb::Producer;

use crate::buffer::{self, Packet};
use crate::stats::Traffic;
use crate::ways::Outlet;

/// A packet between a worker and the TAPs, with the port that it belongs to.
pub type HostPacket = (InterfaceId, Packet);

/// A next hop whose link address is wanted.
pub type Unresolved = (InterfaceId, IpAddr);

/// A port as a worker sends to it.
pub struct Exit {
    queue: TxQueue,
    /// Waits for the end of the loop, or for the burst to be full.
    pending: Burst,
    traffic: Arc<Traffic>,
}

impl Exit {
    /// A port's transmit queue, with its counts.
    pub fn new(queue: TxQueue, traffic: Arc<Traffic>) -> Self {
        Self { queue, pending: Burst::new(), traffic }
    }
}

/// The world of one worker.
pub struct World {
    pool: Mempool,
    /// By interface id, less 1.
    exits: Vec<Exit>,
    to_host: Producer<HostPacket>,
    records: Producer<LogRecord>,
    unresolved: Producer<Unresolved>,
    /// By the number of the other worker.
    ways: Vec<Option<Outlet>>,
    /// The worker's own, so that they have one writer.
    drops: Arc<DropCounters>,
    /// Log records that found the ring full. Written here, read by the control thread.
    logs_lost: Arc<AtomicU64>,
}

/// The rings that lead out of a worker.
pub struct Rings {
    /// To the TAPs.
    pub to_host: Producer<HostPacket>,
    /// To the log thread.
    pub records: Producer<LogRecord>,
    /// To the control thread.
    pub unresolved: Producer<Unresolved>,
    /// To the other workers, by their numbers.
    pub ways: Vec<Option<Outlet>>,
}

impl World {
    /// `exits` by interface id, less 1; `drops` are those of the worker that this is round.
    pub fn new(pool: Mempool, exits: Vec<Exit>, rings: Rings, drops: Arc<DropCounters>, logs_lost: Arc<AtomicU64>) -> Self {
        let Rings { to_host, records, unresolved, ways } = rings;
        Self { pool, exits, to_host, records, unresolved, ways, drops, logs_lost }
    }

    /// Drops of the worker that this is round; only its thread may count.
    pub fn drops(&self) -> &DropCounters {
        &self.drops
    }

    fn outlet(&mut self, worker: u16) -> Option<&mut Outlet> {
        self.ways.get_mut(usize::from(worker))?.as_mut()
    }

    /// Gives the ports what waits for them. What a queue does not take is dropped and counted.
    pub fn flush(&mut self) {
        for exit in &mut self.exits {
            flush(exit, &self.drops);
        }
    }
}

#[inline(never)]
fn flush(exit: &mut Exit, drops: &DropCounters) {
    let Exit { queue, pending, traffic } = exit;
    if !queue.takes_chains() {
        pending.retain(|mbuf| {
            let is_whole = buffer::in_one_piece(mbuf);
            if !is_whole {
                drops.count(DropReason::BufferLayout);
            }
            is_whole
        });
    }
    while !pending.is_empty() {
        let bytes: usize = pending.iter().map(|packet| packet.len()).sum();
        let sent = queue.tx(pending);
        let left: usize = pending.iter().map(|packet| packet.len()).sum();
        traffic.sent(sent as u64, (bytes - left) as u64);
        if sent == 0 {
            drops.add(DropReason::TransmitQueueFull, pending.len() as u64);
            burst::free(pending);
        }
    }
}

impl Outside for World {
    type Buf = Packet;

    fn alloc(&mut self) -> Option<Packet> {
        self.pool.alloc().map(Packet::own)
    }

    fn copy(&mut self, buf: &Packet) -> Option<Packet> {
        use engine::buffer::Buffer as _;
        let mut copy = Packet::own(self.pool.copy(buf.mbuf())?);
        copy.set_l4_checksum(buf.l4_checksum());
        Some(copy)
    }

    #[inline(always)]
    fn transmit(&mut self, port: InterfaceId, buf: Packet) {
        let Some(exit) = self.exits.get_mut(port.index().wrapping_sub(1)) else {
            self.drops.count(DropReason::InterfaceDown);
            return;
        };
        let mbuf = buf.into_sendable();
        if let Err(full) = exit.pending.try_push(mbuf) {
            flush(exit, &self.drops);
            exit.pending.push(full.element());
        }
    }

    fn deliver(&mut self, port: InterfaceId, buf: Packet) {
        if self.to_host.push((port, buf)).is_err() {
            self.drops.count(DropReason::HostQueueFull);
        }
    }

    fn discard(&mut self, packets: impl Iterator<Item = Packet>) {
        let mut burst = Burst::new();
        for packet in packets {
            if burst.is_full() {
                burst::free(&mut burst);
            }
            burst.push(packet.into_mbuf());
        }
        burst::free(&mut burst);
    }

    fn log(&mut self, record: &LogRecord) {
        if self.records.is_full() || self.records.push(record.clone()).is_err() {
            // One writer: a plain addition, without a locked instruction.
            self.logs_lost.store(self.logs_lost.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    fn resolve(&mut self, port: InterfaceId, next_hop: IpAddr) {
        // The walk asks again after a second, so a full ring loses nothing for good.
        let _ = self.unresolved.push((port, next_hop));
    }

    #[inline]
    fn pass_on(&mut self, worker: u16, port: InterfaceId, buf: Packet) -> bool {
        self.outlet(worker).is_some_and(|outlet| outlet.pass_on(port, buf))
    }

    fn hand_over(&mut self, worker: u16, parcel: Parcel<Packet>) -> bool {
        self.outlet(worker).is_some_and(|outlet| outlet.hand_over(parcel))
    }

    fn post(&mut self, worker: u16, letter: Letter<Packet>) -> bool {
        self.outlet(worker).is_some_and(|outlet| outlet.post(letter))
    }
}
