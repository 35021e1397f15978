//! A worker of the dataplane with two ports, each made of two pipes, and a third pair of pipes for forwarding without it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use app::config::Idle;
use app::outside::{Exit, Rings, World};
use app::publish::Publisher;
use app::stats::Traffic;
use app::worker::{Bursts, Entrance, Nanoseconds, WorkerThread};
use dpdk::burst::{self, Burst};
use dpdk::clock::Clock;
use dpdk::eal::Eal;
use dpdk::mempool::{DATA_ROOM, Mempool};
use dpdk::queue::{RxQueue, TxQueue};
use engine::keys::Keys;
use engine::shared::{EXPECTATIONS, Shared};
use engine::{Snapshot, Time, Worker, WorkerConfig};
use program::InterfaceId;
use rtrb::RingBuffer;
use scene::eal_arguments;
use scene::traffic::{FRAME, Fields, Stamp};

use crate::pipe::Pipe;
use crate::site::{INSIDE, OUTSIDE};

/// Buffers, of which only a few are ever in use: as with a NIC, a packet's bytes are near when the worker sees them.
const BUFFERS: u32 = 8191;
const BUFFER_CACHE: u32 = 256;
/// Packets to the TAPs, lines of the log, unknown neighbours: nobody takes them, and there are none.
const ASIDE: usize = 64;

/// A port from the other side of its wire.
pub(crate) struct Wire {
    pool: Mempool,
    into: TxQueue,
    out_of: RxQueue,
}

/// Everything, in the order in which it must go.
pub(crate) struct Rig {
    pub(crate) worker: WorkerThread,
    pub(crate) inside: Wire,
    pub(crate) outside: Wire,
    /// What forwards without the worker: receives here, sends there.
    plain: (RxQueue, TxQueue),
    /// Its wires.
    pub(crate) plain_inside: Wire,
    pub(crate) clock: Clock,
    pub(crate) publisher: Publisher<Snapshot>,
    _eal: Eal,
}

impl Wire {
    /// Sends so many packets into the port.
    pub(crate) fn send(&mut self, stamp: &Stamp, count: usize, mut next: impl FnMut() -> Fields) -> Result<()> {
        let mut burst = Burst::new();
        ensure!(self.pool.alloc_bulk(&mut burst, count), "packet buffers have run out");
        for mbuf in &mut burst {
            stamp.write(&next(), mbuf.append(FRAME).context("a buffer holds a frame")?);
            mbuf.vouch_for_l4_checksum();
        }
        ensure!(self.into.tx(&mut burst) == count, "a pipe holds a burst");
        Ok(())
    }

    /// Takes what came out of the port, and says how many packets it was.
    pub(crate) fn take(&mut self) -> usize {
        let mut burst = Burst::new();
        let mut count = 0;
        while self.out_of.rx(&mut burst) > 0 {
            count += burst.len();
            burst::free(&mut burst);
        }
        count
    }
}

impl Rig {
    /// On this CPU, with room for so many flows.
    pub(crate) fn new(cpu: usize, snapshot: Snapshot, flows: u32) -> Result<Self> {
        let mut arguments = eal_arguments(cpu, "loop");
        arguments.extend((0..6).map(Pipe::argument));
        let eal = Eal::init(&arguments).context("DPDK without devices")?;
        let handle = eal.handle();
        let pool = Mempool::new(handle, "packets", BUFFERS, BUFFER_CACHE, DATA_ROOM, None)?;
        let open = |number| Pipe::open(handle, number, &pool);
        let (inside_in, inside_out) = (open(0)?, open(1)?);
        let (outside_in, outside_out) = (open(2)?, open(3)?);
        let (plain_in, plain_out) = (open(4)?, open(5)?);

        let config = WorkerConfig {
            flows,
            shared: Arc::new(Shared::new(1, flows, EXPECTATIONS, &mut Keys::new([1, 1]))),
            seed: 1,
            ..WorkerConfig::default()
        };
        memory::check(config.flow_bytes())?;
        let mut worker = Worker::new(&config);
        worker.set_aside()?;

        let traffic = || Arc::<Traffic>::default();
        let exits = [outside_out.inlet, inside_out.inlet].map(|queue| Exit::new(queue, traffic()));
        let rings = Rings {
            to_host: RingBuffer::new(ASIDE).0,
            records: RingBuffer::new(ASIDE).0,
            unresolved: RingBuffer::new(ASIDE).0,
            ways: Vec::new(),
        };
        let world = World::new(pool.clone(), exits.into(), rings, worker.drops().clone(), Arc::new(AtomicU64::new(0)));
        let entrance = |id: InterfaceId, queue| Entrance { id, queue, traffic: traffic() };
        let mut publisher = Publisher::new(Arc::new(snapshot));
        let clock = Clock::new(handle);
        let worker = WorkerThread {
            number: 0,
            cpu: None,
            worker,
            world,
            inlets: Vec::new(),
            entrances: vec![entrance(OUTSIDE, outside_in.outlet), entrance(INSIDE, inside_in.outlet)],
            from_host: RingBuffer::new(ASIDE).1,
            reader: publisher.reader(),
            idle: (Idle::Spin, Duration::ZERO),
            clock: Nanoseconds::new(clock),
            stop: Arc::default(),
            eal: handle.clone(),
            bursts: Bursts::default(),
        };
        let wire = |into, out_of| Wire { pool: pool.clone(), into, out_of };
        Ok(Self {
            worker,
            inside: wire(inside_in.inlet, inside_out.outlet),
            outside: wire(outside_in.inlet, outside_out.outlet),
            plain: (plain_in.outlet, plain_out.inlet),
            plain_inside: wire(plain_in.inlet, plain_out.outlet),
            clock,
            publisher,
            _eal: eal,
        })
    }

    /// Forwards a burst without looking at it.
    pub(crate) fn forward_plain(&mut self) {
        let mut burst = Burst::new();
        let (rx, tx) = &mut self.plain;
        rx.rx(&mut burst);
        tx.tx(&mut burst);
    }

    /// The worker's counted drops, for who wonders where packets have gone.
    pub(crate) fn drops(&self) -> Vec<(&'static str, u64)> {
        self.worker.worker.drops().occurred().map(|(reason, count)| (reason.name(), count)).collect()
    }

    /// One round of the worker's loop.
    pub(crate) fn round(&mut self, now: Time) {
        self.worker.round(now);
    }
}
