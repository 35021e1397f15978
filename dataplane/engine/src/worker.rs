//! One worker: its flows, its counters, its waiting packets. One thread drives it; nothing in it is shared but what says so.

use std::sync::Arc;

use arrayvec::ArrayVec;
use program::InterfaceId;

use crate::counters::Counters;
use crate::drop::DropCounters;
use crate::outside::Outside;
use crate::snapshot::Snapshot;
use crate::time::Time;

/// Most packets that a worker takes at a time.
pub const BURST: usize = 64;

/// Sizes, fixed when a worker is made.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Counter slots (`limits.counters`).
    pub counters: usize,
    /// Flows of each family (`limits.flows`).
    pub flows: usize,
    /// Next hops whose link address can be waited for at once.
    pub neighbours: usize,
    /// Seed of everything random: the same seed and the same packets give the same bytes.
    pub seed: u64,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { counters: 262_144, flows: 262_144, neighbours: 256, seed: 0 }
    }
}

/// A worker. `O` is what surrounds it.
pub struct Worker<O: Outside> {
    counters: Arc<Counters>,
    drops: Arc<DropCounters>,
    outside: core::marker::PhantomData<O>,
}

impl<O: Outside> Worker<O> {
    /// Makes a worker with everything that it will ever allocate.
    pub fn new(config: &WorkerConfig) -> Self {
        Self { counters: Arc::new(Counters::new(config.counters)), drops: Arc::default(), outside: core::marker::PhantomData }
    }

    /// Rule counters. Written by this worker, read by anyone.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Drops by name. Written by this worker, read by anyone.
    pub fn drops(&self) -> &Arc<DropCounters> {
        &self.drops
    }

    /// Takes a burst that came in from the wire by `port`. The burst is empty afterwards.
    pub fn receive(&mut self, snap: &Snapshot, now: Time, port: InterfaceId, burst: &mut ArrayVec<O::Buf, BURST>, out: &mut O) {
        let _ = (snap, now, port, out);
        burst.clear();
    }

    /// Takes a burst that the box's own stack sent by the TAP of `port`. The burst is empty afterwards.
    pub fn from_host(&mut self, snap: &Snapshot, now: Time, port: InterfaceId, burst: &mut ArrayVec<O::Buf, BURST>, out: &mut O) {
        let _ = (snap, now, port, out);
        burst.clear();
    }

    /// What is due without a packet: the inbox, flows and waiting packets whose time is up, packets whose next hop became known. Called in
    /// every loop of the worker, between bursts; does a bounded amount of work.
    pub fn housekeeping(&mut self, snap: &Snapshot, now: Time, out: &mut O) {
        let _ = (snap, now, out);
    }
}
