//! A lane, and a pair of pipes for forwarding without it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use app::publish::Publisher;
use app::ways::Ways;
use app::worker::LINGER;
use dpdk::burst::Burst;
use dpdk::clock::Clock;
use dpdk::eal::Eal;
use dpdk::mempool::{DATA_ROOM, Mempool};
use dpdk::queue::{RxQueue, TxQueue};
use engine::keys::Keys;
use engine::shared::{EXPECTATIONS, Shared};
use engine::{Snapshot, Time, WorkerConfig};
use scene::eal_arguments;

use crate::lane::{Lane, Wire};
use crate::pipe::Pipe;

/// Buffers, of which only a few are ever in use: as with a NIC, a packet's bytes are near when the worker sees them.
const BUFFERS: u32 = 8191;
const BUFFER_CACHE: u32 = 256;

/// Everything, in the order in which it must go.
pub(crate) struct Rig {
    pub(crate) lane: Lane,
    /// What forwards without the worker: receives here, sends there.
    plain: (RxQueue, TxQueue),
    /// Its wires.
    pub(crate) plain_inside: Wire,
    pub(crate) clock: Clock,
    pub(crate) publisher: Publisher<Snapshot>,
    _eal: Eal,
}

/// DPDK on this CPU, with so many pipes and a pool of packets.
pub(crate) fn start(cpu: usize, pipes: usize) -> Result<(Eal, Mempool)> {
    let mut arguments = eal_arguments(cpu, "loop");
    arguments.extend((0..pipes).map(Pipe::argument));
    let eal = Eal::init(&arguments).context("DPDK without devices")?;
    let pool = Mempool::new(eal.handle(), "packets", BUFFERS, BUFFER_CACHE, DATA_ROOM, None)?;
    Ok((eal, pool))
}

impl Rig {
    /// On this CPU, with room for so many flows.
    pub(crate) fn new(cpu: usize, snapshot: Snapshot, flows: u32) -> Result<Self> {
        Self::lingering(cpu, snapshot, flows, LINGER)
    }

    /// The same, where a change may take this long.
    pub(crate) fn lingering(cpu: usize, snapshot: Snapshot, flows: u32, linger: Duration) -> Result<Self> {
        let (eal, pool) = start(cpu, Lane::PIPES + 2)?;
        let handle = eal.handle();
        let config = WorkerConfig {
            flows,
            shared: Arc::new(Shared::new(1, flows, EXPECTATIONS, &mut Keys::new([1, 1]))),
            seed: 1,
            linger,
            ..WorkerConfig::default()
        };
        let mut publisher = Publisher::new(Arc::new(snapshot));
        let lane = Lane::open((handle, &pool), 0, &config, Ways::default(), publisher.reader())?;
        let open = |number| Pipe::open(handle, Lane::PIPES + number, &pool);
        let (plain_in, plain_out) = (open(0)?, open(1)?);
        Ok(Self {
            lane,
            plain: (plain_in.outlet, plain_out.inlet),
            plain_inside: Wire::new(&pool, plain_in.inlet, plain_out.outlet),
            clock: Clock::new(handle),
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

    /// One round of the worker's loop.
    pub(crate) fn round(&mut self, now: Time) {
        self.lane.round(now);
    }
}
