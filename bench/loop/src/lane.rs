//! A worker of the dataplane with two ports, each made of two pipes, and the far ends of their wires.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use app::config::Idle;
use app::outside::{Exit, Rings, World};
use app::publish::Reader;
use app::stats::Traffic;
use app::ways::Ways;
use app::worker::{Bursts, Entrance, Nanoseconds, WorkerThread};
use dpdk::burst::{self, Burst};
use dpdk::clock::Clock;
use dpdk::eal::Handle;
use dpdk::mempool::Mempool;
use dpdk::queue::{RxQueue, TxQueue};
use engine::{Snapshot, Time, Worker, WorkerConfig};
use program::InterfaceId;
use rtrb::RingBuffer;
use scene::traffic::{FRAME, Fields, Stamp};

use crate::pipe::Pipe;
use crate::site::{INSIDE, OUTSIDE};

/// Packets to the TAPs, lines of the log, unknown neighbours: nobody takes them, and there are none.
const ASIDE: usize = 64;

/// Packets that come at once while connections are made.
const SETUP_BURST: usize = 64;

/// A port from the other side of its wire.
pub(crate) struct Wire {
    pool: Mempool,
    into: TxQueue,
    out_of: RxQueue,
}

impl Wire {
    /// What is sent goes into `into`, what is taken comes out of `out_of`.
    pub(crate) fn new(pool: &Mempool, into: TxQueue, out_of: RxQueue) -> Self {
        Self { pool: pool.clone(), into, out_of }
    }

    /// Sends so many packets into the port.
    pub(crate) fn send(&mut self, stamp: &Stamp, count: usize, mut next: impl FnMut() -> Fields) -> Result<()> {
        let mut burst = Burst::new();
        ensure!(self.pool.alloc_bulk(&mut burst, count), "packet buffers have run out");
        for mbuf in &mut burst {
            stamp.write(&next(), mbuf.append(FRAME).context("a buffer holds a frame")?);
            mbuf.set_l4_checksum(dpdk::mbuf::RxChecksum::Good);
        }
        ensure!(self.into.tx(&mut burst) == count, "a pipe holds a burst");
        Ok(())
    }

    /// Takes what came out of the port, and says how many packets it was.
    pub(crate) fn take(&mut self) -> usize {
        let mut count = 0;
        self.take_each(|_| count += 1);
        count
    }

    /// The same, and shows each frame.
    pub(crate) fn take_each(&mut self, mut see: impl FnMut(&[u8])) {
        let mut burst = Burst::new();
        while self.out_of.rx(&mut burst) > 0 {
            burst.iter().for_each(|mbuf| see(mbuf.data()));
            burst::free(&mut burst);
        }
    }
}

/// The worker and its wires.
pub(crate) struct Lane {
    pub(crate) worker: WorkerThread,
    pub(crate) inside: Wire,
    pub(crate) outside: Wire,
}

impl Lane {
    /// Pipes that it is made of.
    pub(crate) const PIPES: usize = 4;

    /// Makes a worker whose pipes are those from `first` on; it reads what `reader` reads, and has `ways` to and from others.
    pub(crate) fn open(
        (eal, pool): (&Handle, &Mempool),
        first: usize,
        config: &WorkerConfig,
        ways: Ways,
        reader: Reader<Snapshot>,
    ) -> Result<Self> {
        let open = |number| Pipe::open(eal, first + number, pool);
        let (inside_in, inside_out) = (open(0)?, open(1)?);
        let (outside_in, outside_out) = (open(2)?, open(3)?);
        memory::check(config.flow_bytes())?;
        let mut worker = Worker::new(config);
        worker.set_aside()?;
        let traffic = || Arc::<Traffic>::default();
        let exits = [outside_out.inlet, inside_out.inlet].map(|queue| Exit::new(queue, traffic()));
        let rings = Rings {
            to_host: RingBuffer::new(ASIDE).0,
            records: RingBuffer::new(ASIDE).0,
            unresolved: RingBuffer::new(ASIDE).0,
            ways: ways.out,
        };
        let world = World::new(pool.clone(), exits.into(), rings, worker.drops().clone(), Arc::new(AtomicU64::new(0)));
        let entrance = |id: InterfaceId, queue| Entrance { id, queue, traffic: traffic() };
        let worker = WorkerThread {
            number: 0,
            cpu: None,
            worker,
            world,
            inlets: ways.into,
            entrances: vec![entrance(OUTSIDE, outside_in.outlet), entrance(INSIDE, inside_in.outlet)],
            from_host: RingBuffer::new(ASIDE).1,
            reader,
            idle: (Idle::Spin, Duration::ZERO),
            clock: Nanoseconds::new(Clock::new(eal)),
            stop: Arc::default(),
            eal: eal.clone(),
            bursts: Bursts::default(),
        };
        let (inside, outside) =
            (Wire::new(pool, inside_in.inlet, inside_out.outlet), Wire::new(pool, outside_in.inlet, outside_out.outlet));
        Ok(Self { worker, inside, outside })
    }

    /// Lets the client and the server of each flow shake hands. A server answers whoever the box says that it is.
    pub(crate) fn connect(&mut self, stamp: &Stamp, flows: &[u32], now: &mut Time) -> Result<()> {
        let before = self.flows();
        for these in flows.chunks(SETUP_BURST) {
            let mut answers = Vec::with_capacity(these.len());
            let mut first = these.iter().map(|flow| Fields::first(*flow));
            self.inside.send(stamp, these.len(), || first.next().unwrap_or_default())?;
            self.round(*now);
            self.outside.take_each(|frame| answers.push(Fields::answering(frame)));
            ensure!(answers.len() == these.len(), "{} of {} SYNs went through: {:?}", answers.len(), these.len(), self.drops());
            let mut answers = answers.into_iter();
            self.outside.send(stamp, these.len(), || answers.next().unwrap_or_default())?;
            self.round(*now);
            let answered = self.inside.take();
            let mut data = these.iter().map(|flow| Fields::data(*flow, 0));
            self.inside.send(stamp, these.len(), || data.next().unwrap_or_default())?;
            self.round(*now);
            let through = self.outside.take();
            ensure!((answered, through) == (these.len(), these.len()), "{answered} answers and {through}: {:?}", self.drops());
            *now = now.plus_millis(1);
        }
        ensure!(self.flows() == before + flows.len(), "every flow is there");
        Ok(())
    }

    /// One round of the worker's loop.
    pub(crate) fn round(&mut self, now: Time) {
        self.worker.round(now);
    }

    /// The worker's counted drops, for who wonders where packets have gone.
    pub(crate) fn drops(&self) -> Vec<(&'static str, u64)> {
        self.worker.worker.drops().occurred().map(|(reason, count)| (reason.name(), count)).collect()
    }

    /// How many connections it knows.
    pub(crate) fn flows(&self) -> usize {
        self.worker.worker.flows().len()
    }
}
