//! The box of [`super::Lab`] with several workers: every packet comes to the queue that the test says.

use engine::WorkerConfig;
use engine::drop::DropReason;
use engine::rng::Rng;
use engine::sim::{Crew, Room, Shape};

use super::{GATEWAY, InterfaceId, Lab, describe, frames, mac};

/// A lab, its rules, and the workers that stand in for its one.
pub(crate) struct CrewLab {
    pub(crate) crew: Crew,
    pub(crate) rng: Rng,
    rules: Lab,
}

fn config() -> WorkerConfig {
    WorkerConfig { counters: 1024, flows: 4096, neighbours: 4, datagrams: 16, seed: 1, ..WorkerConfig::default() }
}

impl CrewLab {
    pub(crate) fn new(text: &str, workers: u16) -> Self {
        Self::with(text, workers, 1, Room::default())
    }

    pub(crate) fn with(text: &str, workers: u16, seed: u64, room: Room) -> Self {
        let rules = Lab::new(text);
        let config = WorkerConfig { seed, ..config() };
        let crew = Crew::new(rules.sim.snapshot.clone(), &config, workers, room);
        Self { crew, rng: Rng::new(seed), rules }
    }

    /// With room for so many flows.
    pub(crate) fn limited(text: &str, workers: u16, flows: u32) -> Self {
        let rules = Lab::new(text);
        let crew = Crew::new(rules.sim.snapshot.clone(), &WorkerConfig { flows, ..config() }, workers, Room::default());
        Self { crew, rng: Rng::new(1), rules }
    }

    /// A frame comes from the wire to a worker's queue, and nobody does anything else yet.
    pub(crate) fn arrive(&mut self, worker: usize, port: InterfaceId, mut frame: Vec<u8>) {
        if frame[..6] == [0; 6] {
            frame[..6].copy_from_slice(&mac(port));
        }
        self.crew.wire(worker, port, &[frame], &Shape::default());
    }

    /// One packet from the wire to a worker's queue; what came of it when all is at rest again.
    pub(crate) fn wire(&mut self, worker: usize, port: InterfaceId, packet: &frames::Packet) -> Vec<String> {
        self.arrive(worker, port, packet.frame());
        self.settle()
    }

    /// One packet of the box's own stack, by a worker.
    pub(crate) fn host(&mut self, worker: usize, port: InterfaceId, packet: &frames::Packet) -> Vec<String> {
        let mut frame = packet.frame();
        frame[..6].copy_from_slice(&GATEWAY);
        frame[6..12].copy_from_slice(&mac(port));
        self.crew.host(worker, port, &[frame], &Shape::default());
        self.settle()
    }

    /// Everything on its way arrives; what happened since the last call.
    pub(crate) fn settle(&mut self) -> Vec<String> {
        self.crew.settle(&mut self.rng);
        self.crew.events().iter().map(describe).collect()
    }

    pub(crate) fn advance(&mut self, millis: u64) -> Vec<String> {
        self.crew.advance(millis);
        self.settle()
    }

    /// As [`Lab::count`], over all workers.
    pub(crate) fn count(&self, table: rules::TableName, chain: &str, rule: usize) -> (u64, u64) {
        let count = self.crew.count(self.rules.slot(table, chain, rule));
        (count.packets, count.bytes)
    }

    /// Drops of all workers so far, by name.
    pub(crate) fn drops(&self) -> Vec<(&'static str, u64)> {
        let counted = DropReason::ALL.iter().map(|reason| (reason.name(), self.crew.drops(*reason)));
        counted.filter(|(_, n)| *n > 0).collect()
    }

    /// Flows of each worker.
    pub(crate) fn flows(&self) -> Vec<usize> {
        self.crew.workers.iter().map(|worker| worker.flows().len()).collect()
    }

    /// Packets that workers gave to others.
    pub(crate) fn sent(&self) -> u64 {
        self.crew.workers.iter().map(|worker| worker.handoffs().get().sent).sum()
    }
}
