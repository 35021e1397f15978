//! Several workers in memory, one step of one of them at a time: whoever runs next is the caller's or a seed's choice, so that every
//! interleaving of workers can be had, and had again.

use std::collections::VecDeque;
use std::sync::Arc;

use arrayvec::ArrayVec;
use program::{CounterSlot, InterfaceId};

use super::{Event, Recorder, Shape, SimBuffer};
use crate::counters::Count;
use crate::drop::DropReason;
use crate::handoff::{Letter, Parcel};
use crate::keys::Keys;
use crate::owner::{Home, Owners};
use crate::rng::Rng;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::worker::{BURST, Worker, WorkerConfig};

/// The ways between workers. Those from `a` to `b` stand at `a * workers + b`.
pub(super) struct Ways {
    workers: usize,
    /// The worker that runs.
    from: usize,
    room: Room,
    parcels: Vec<VecDeque<Given>>,
    letters: Vec<VecDeque<Letter<SimBuffer>>>,
}

/// What a worker gives to another one, in this order.
pub(super) enum Given {
    /// A packet as it came, by this port.
    Packet(InterfaceId, SimBuffer),
    /// One of which something was decided.
    Parcel(Parcel<SimBuffer>),
}

/// What fits on the way from one worker to another.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Packets and parcels.
    pub parcels: usize,
    /// Letters.
    pub letters: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { parcels: 1024, letters: 1024 }
    }
}

impl Ways {
    pub(super) fn give(&mut self, worker: u16, given: Given) -> bool {
        let way = &mut self.parcels[self.from * self.workers + usize::from(worker)];
        let fits = way.len() < self.room.parcels;
        if fits {
            way.push_back(given);
        }
        fits
    }

    pub(super) fn post(&mut self, worker: u16, letter: Letter<SimBuffer>) -> bool {
        let way = &mut self.letters[self.from * self.workers + usize::from(worker)];
        let fits = way.len() + letter.places() <= self.room.letters;
        if fits {
            way.push_back(letter);
        }
        fits
    }
}

/// Workers with one world.
pub struct Crew {
    /// The workers.
    pub workers: Vec<Worker<Recorder>>,
    /// What they read.
    pub snapshot: Snapshot,
    /// Their time.
    pub now: Time,
    /// What they did, in the order in which they did it.
    pub outside: Recorder,
}

impl Crew {
    /// So many workers at time 1000 s. Each has the sizes of `config`, and a seed of its own.
    pub fn new(snapshot: Snapshot, config: &WorkerConfig, workers: u16, room: Room) -> Self {
        let owners = Owners::new(workers);
        let mut seeds = Rng::new(config.seed);
        let mut keys = Keys::new([seeds.next_u64(), 0]);
        let shared = Arc::new(Shared::new(workers, config.flows, crate::shared::EXPECTATIONS, &mut keys));
        let of = |me| WorkerConfig {
            seed: seeds.next_u64(),
            secret: keys.draw(),
            home: Home::new(owners.clone(), me),
            shared: shared.clone(),
            ..config.clone()
        };
        let workers: Vec<_> = (0..workers).map(of).map(|config| Worker::new(&config)).collect();
        let n = workers.len();
        let ways = Ways {
            workers: n,
            from: 0,
            room,
            parcels: (0..n * n).map(|_| VecDeque::new()).collect(),
            letters: (0..n * n).map(|_| VecDeque::new()).collect(),
        };
        let outside = Recorder { ways: Some(ways), ..Recorder::new(4096) };
        Self { workers, snapshot, now: Time(1_000_000_000_000), outside }
    }

    fn ways(&mut self) -> &mut Ways {
        self.outside.ways.as_mut().expect("a crew has ways")
    }

    /// A worker takes frames that came to its queue of a port.
    pub fn wire(&mut self, worker: usize, port: InterfaceId, frames: &[Vec<u8>], shape: &Shape) {
        self.ways().from = worker;
        for burst in frames.chunks(BURST) {
            let mut burst: ArrayVec<_, BURST> = burst.iter().map(|frame| self.outside.buffer(frame, shape)).collect();
            self.workers[worker].receive(&self.snapshot, self.now, port, burst.drain(..), &mut self.outside);
        }
    }

    /// A worker takes frames of the box's own stack.
    pub fn host(&mut self, worker: usize, port: InterfaceId, frames: &[Vec<u8>], shape: &Shape) {
        self.ways().from = worker;
        for burst in frames.chunks(BURST) {
            let mut burst: ArrayVec<_, BURST> = burst.iter().map(|frame| self.outside.buffer(frame, shape)).collect();
            self.workers[worker].from_host(&self.snapshot, self.now, port, burst.drain(..), &mut self.outside);
        }
    }

    /// Some worker takes something that another one sent, one thing or a burst of packets, or does its housekeeping; `false` when nothing is on its way.
    pub fn step(&mut self, rng: &mut Rng) -> bool {
        let now = self.now;
        let ways = self.outside.ways.as_mut().expect("a crew has ways");
        let n = ways.workers;
        let full: Vec<(usize, bool)> = (0..n * n)
            .flat_map(|way| [(way, false), (way, true)])
            .filter(|(way, letters)| if *letters { !ways.letters[*way].is_empty() } else { !ways.parcels[*way].is_empty() })
            .collect();
        if full.is_empty() {
            return false;
        }
        let (way, letters) = full[rng.below(full.len() as u32) as usize];
        let to = way % n;
        ways.from = to;
        if letters {
            if let Some(letter) = ways.letters[way].pop_front() {
                self.workers[to].letter(&self.snapshot, now, letter, &mut self.outside);
            }
        } else {
            let given = &mut ways.parcels[way];
            self.workers[to].look_ahead(given.iter().filter_map(|given| match given {
                Given::Parcel(parcel) => Some(parcel),
                Given::Packet(..) => None,
            }));
            match given.pop_front() {
                Some(Given::Parcel(parcel)) => self.workers[to].parcel(&self.snapshot, now, parcel, &mut self.outside),
                Some(Given::Packet(port, packet)) => {
                    let mut burst = ArrayVec::<_, BURST>::from_iter([packet]);
                    let most = 1 + rng.below(BURST as u32) as usize;
                    while burst.len() < most && matches!(given.front(), Some(Given::Packet(next, _)) if *next == port) {
                        if let Some(Given::Packet(_, packet)) = given.pop_front() {
                            burst.push(packet);
                        }
                    }
                    self.workers[to].receive(&self.snapshot, now, port, burst.drain(..), &mut self.outside);
                }
                None => {}
            }
        }
        if rng.below(4) == 0 {
            self.housekeeping(rng.below(n as u32) as usize);
        }
        true
    }

    /// Steps until nothing is on its way.
    ///
    /// # Panics
    /// When that does not come to an end.
    pub fn settle(&mut self, rng: &mut Rng) {
        let mut steps = 0;
        loop {
            while self.step(rng) {
                steps += 1;
                assert!(steps < 1_000_000, "packets go round for ever");
            }
            (0..self.workers.len()).for_each(|worker| self.housekeeping(worker));
            if !self.step(rng) {
                return;
            }
        }
    }

    fn housekeeping(&mut self, worker: usize) {
        self.ways().from = worker;
        self.workers[worker].housekeeping(&self.snapshot, self.now, &mut self.outside);
    }

    /// Time passes, and every worker's housekeeping sees it.
    pub fn advance(&mut self, millis: u64) {
        self.now = self.now.plus_millis(millis);
        (0..self.workers.len()).for_each(|worker| self.housekeeping(worker));
    }

    /// What happened since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        core::mem::take(&mut self.outside.events)
    }

    /// Drops of all workers.
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.workers.iter().map(|worker| worker.drops().get(reason)).sum()
    }

    /// A rule's counts over all workers.
    pub fn count(&self, slot: CounterSlot) -> Count {
        let counts = self.workers.iter().map(|worker| worker.counters().get(slot));
        counts.fold(Count::default(), |sum, one| Count { packets: sum.packets + one.packets, bytes: sum.bytes + one.bytes })
    }
}
