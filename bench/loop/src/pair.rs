//! Two workers at the same time, each on a CPU of its own, in step: both send a burst, both go their round, and only these are timed. In turns
//! with them the same threads do what it is compared to.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use app::publish::Publisher;
use app::ways::{self, Ways};
use dpdk::clock::Clock;
use dpdk::eal::Handle;
use dpdk::lcore::Registration;
use dpdk::mempool::Mempool;
use engine::keys::Keys;
use engine::owner::{Home, Owners};
use engine::shared::{EXPECTATIONS, Shared};
use engine::{Snapshot, Time, WorkerConfig};
use micro::classes::Chance;
use report::{Record, Slices};
use scene::scenario::{Kind, POSITIONS, Scenario};
use scene::traffic::{Fields, Stamp};
use scene::{Slicer, rules};

use crate::gate::{Gate, Passage};
use crate::lane::Lane;
use crate::{rig, site};

const WORKERS: usize = 2;
const SLICES: usize = 60;
/// A third of those that are wanted is enough.
const ENOUGH: usize = 3;
const WARM_UP: usize = 10;
/// Slices that are tried for them, where others want the processors as well.
const TRIES: usize = 3000;
/// Packets of a slice, and side.
const SLICE: usize = 4096;
/// Parcels that one worker can have for the other.
const PARCELS: usize = 1024;
/// Rounds after which no packet is on its way between workers any more.
const SETTLE: usize = 3;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// What two workers of one box need for a packet, to two boxes of one worker each. All packets come to the worker that keeps their flow, as
    /// they do where the NIC spreads by the box's hash.
    Copies,
    /// What a packet costs more that came to the worker that does not keep its flow. All do.
    Handover,
}

/// One of the things measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    question: Question,
    scenario: Scenario,
}

/// What one thread does in one of the turns.
struct Turn {
    /// Which of its workers.
    lane: usize,
    /// Whose packets.
    flows: Arc<[u32]>,
}

/// One thread, and what it works with.
struct Half {
    me: usize,
    cpu: usize,
    lanes: Vec<Lane>,
    /// What it is compared to, and what is asked.
    turns: [Turn; 2],
    scenario: Scenario,
    stamp: Stamp,
    chance: Chance,
    clock: Clock,
    now: Time,
    eal: Handle,
}

/// How long it is measured.
#[derive(Clone, Copy)]
struct Effort {
    warm_up: usize,
    wanted: usize,
    tries: usize,
    /// Packets of a slice.
    packets: usize,
}

/// Between both threads, each of which writes its own cell.
#[derive(Default)]
struct Board {
    gate: Gate,
    /// Nanoseconds a packet of the last slice, as bits; not a number when it was disturbed.
    figures: [AtomicU64; WORKERS],
    sent: [AtomicU64; WORKERS],
    through: [AtomicU64; WORKERS],
    /// Written by the first between two gates.
    done: AtomicBool,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let question = match self.question {
            Question::Copies => "two workers",
            Question::Handover => "handed over",
        };
        write!(f, "{question}, {}", self.scenario)
    }
}

impl Pair {
    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        let of = |question, kind, flows, burst| Self { question, scenario: Scenario { kind, flows, rules: 10_000, burst } };
        vec![
            of(Question::Copies, Kind::Established, 10_000, 64),
            of(Question::Copies, Kind::Established, 1_000_000, 64),
            of(Question::Copies, Kind::Nat, 10_000, 64),
            of(Question::Handover, Kind::Established, 10_000, 32),
        ]
    }

    /// Measures it on these CPUs.
    pub(crate) fn measure(&self, cpus: [usize; WORKERS]) -> Result<Record> {
        ensure!(cpus[0] != cpus[1], "two workers at the same time want two CPUs");
        let [base, whole] = self.run(cpus, Effort { warm_up: WARM_UP, wanted: SLICES, tries: TRIES, packets: SLICE })?;
        let enough = SLICES / ENOUGH;
        ensure!(
            whole.len() >= enough && base.len() >= enough,
            "the machine is too busy: in {} of {TRIES} slices both had their processors",
            whole.len()
        );
        Ok(Record {
            name: self.to_string(),
            whole: Slices::of(whole),
            io: None,
            base: Some(Slices::of(base)),
            memory: None,
            instructions: None,
        })
    }

    /// So many rounds of both, to see that every packet goes its way.
    pub(crate) fn count(&self, cpus: [usize; WORKERS], rounds: usize) -> Result<()> {
        self.run(cpus, Effort { warm_up: 0, wanted: 1, tries: 1, packets: rounds * self.scenario.burst }).map(drop)
    }

    /// Nanoseconds a packet in the slices of both turns.
    fn run(&self, cpus: [usize; WORKERS], effort: Effort) -> Result<[Vec<f64>; 2]> {
        let (eal, pool) = rig::start(cpus[0], 2 * WORKERS * Lane::PIPES)?;
        let (text, _) = self.scenario.rules_and_load();
        let snapshot = site::snapshot(rules::program(&text), self.scenario.settings());
        let mut publisher = Publisher::new(Arc::new(snapshot));
        let halves = self.halves((eal.handle(), &pool), &mut publisher, cpus)?;
        let board = Board::default();
        let mut ended: Vec<Result<[Vec<f64>; 2]>> = thread::scope(|scope| {
            let threads: Vec<_> = halves
                .into_iter()
                .map(|half| {
                    let (board, question) = (&board, self.question);
                    scope.spawn(move || half.run(board, effort, question))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a worker's thread panicked"))?).collect()
        });
        let other = ended.pop().context("two threads")?;
        let first = ended.pop().context("two threads")?;
        // One that failed ends the other one as well, which has less to say.
        match (first, other) {
            (Ok(figures), Ok(_)) => Ok(figures),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
            (Err(one), Err(two)) => Err(one.context(two)),
        }
    }

    /// Both threads' parts, with their connections.
    fn halves(&self, place: (&Handle, &Mempool), publisher: &mut Publisher<Snapshot>, cpus: [usize; WORKERS]) -> Result<Vec<Half>> {
        let owners = Owners::new(WORKERS as u16);
        let each = self.scenario.flows as usize / WORKERS;
        let of =
            |me: u16| -> Arc<[u32]> { (0..).filter(|flow| owners.of(&Fields::first(*flow).tuple()) == me).take(each).collect() };
        let flows = [of(0), of(1)];
        let room = each as u32 / 9 * 10 + 1024;
        let shared = |workers: u16| Arc::new(Shared::new(workers, u32::from(workers) * room, EXPECTATIONS, &mut Keys::new([1, 1])));
        let together = shared(WORKERS as u16);
        let stamp = Stamp::new(true);
        let mut pipes = (0..).step_by(Lane::PIPES);
        let mut lane = |home: Home, shared: Arc<Shared>, ways: Ways| {
            let config = WorkerConfig { flows: room, shared, seed: 1, home, ..WorkerConfig::default() };
            Lane::open(place, pipes.next().unwrap_or_default(), &config, ways, publisher.reader())
        };
        let mut halves = Vec::new();
        for (me, ways) in ways::between(WORKERS, PARCELS).into_iter().enumerate() {
            let mut lanes = vec![lane(Home::new(owners.clone(), me as u16), together.clone(), ways)?];
            if self.question == Question::Copies {
                lanes.push(lane(Home::alone(), shared(1), Ways::default())?);
            }
            let mut now = Time(1_000_000_000_000);
            for lane in &mut lanes {
                lane.connect(&stamp, &flows[me], &mut now)?;
            }
            let turn = |lane, whose: usize| Turn { lane, flows: flows[whose].clone() };
            let turns = match self.question {
                Question::Copies => [turn(1, me), turn(0, me)],
                Question::Handover => [turn(0, me), turn(0, 1 - me)],
            };
            let (stamp, chance) = (Stamp::new(true), Chance(1 + me as u64));
            let (scenario, clock, eal) = (self.scenario, Clock::new(place.0), place.0.clone());
            halves.push(Half { me, cpu: cpus[me], lanes, turns, scenario, stamp, chance, clock, now, eal });
        }
        // No worker sees time go back.
        let now = halves.iter().map(|half| half.now).max().unwrap_or(Time(0));
        halves.iter_mut().for_each(|half| half.now = now);
        Ok(halves)
    }
}

impl Half {
    /// All slices. What both needed for a packet is told by the first one.
    fn run(mut self, board: &Board, effort: Effort, question: Question) -> Result<[Vec<f64>; 2]> {
        let mut passage = board.gate.passage();
        scene::run_on(self.cpu)?;
        let registration = Registration::new(&self.eal)?;
        let mut figures = [Vec::new(), Vec::new()];
        for attempt in 0..effort.warm_up + effort.tries {
            for (turn, figures) in figures.iter_mut().enumerate() {
                let mine = self.slice(turn, board, &mut passage, effort.packets)?;
                board.figures[self.me].store(mine.unwrap_or(f64::NAN).to_bits(), Ordering::Relaxed);
                passage.wait()?;
                if attempt >= effort.warm_up {
                    figures.extend(Some(board.together(question)).filter(|figure| figure.is_finite()));
                }
                let [sent, through] = [&board.sent, &board.through].map(sum);
                ensure!(sent == through, "{through} of {sent} packets went through: {:?}", self.drops());
                if self.me == 0 {
                    board.done.store(figures.len() >= effort.wanted, Ordering::Relaxed);
                }
                passage.wait()?;
            }
            if board.done.load(Ordering::Relaxed) {
                break;
            }
        }
        // Buffers first, then this thread's cache of them.
        let Self { lanes, .. } = self;
        drop(lanes);
        drop(registration);
        Ok(figures)
    }

    /// Nanoseconds a packet over one slice; nothing when it was disturbed.
    fn slice(&mut self, turn: usize, board: &Board, passage: &mut Passage<'_>, packets: usize) -> Result<Option<f64>> {
        let slicer = Slicer { clock: self.clock, packets };
        let burst = self.scenario.burst;
        let each = slicer.slice(burst, || self.round(turn, board, passage))?;
        for _ in 0..SETTLE {
            passage.wait()?;
            let lane = &mut self.lanes[self.turns[turn].lane];
            lane.round(self.now);
            add(&board.through[self.me], lane.outside.take());
        }
        Ok(each)
    }

    /// One burst; says how many cycles the worker's part of it took.
    fn round(&mut self, turn: usize, board: &Board, passage: &mut Passage<'_>) -> Result<u64> {
        let Turn { lane, flows } = &self.turns[turn];
        let (lane, chance) = (&mut self.lanes[*lane], &mut self.chance);
        let next = || Fields::data(flows[chance.below(flows.len() as u32) as usize], chance.below(POSITIONS));
        lane.inside.send(&self.stamp, self.scenario.burst, next)?;
        add(&board.sent[self.me], self.scenario.burst);
        self.now = Time(self.now.0 + self.scenario.step());
        passage.wait()?;
        let start = self.clock.cycles();
        lane.round(self.now);
        let cycles = self.clock.cycles() - start;
        add(&board.through[self.me], lane.outside.take());
        Ok(cycles)
    }

    fn drops(&self) -> Vec<(&'static str, u64)> {
        self.lanes.iter().flat_map(Lane::drops).collect()
    }
}

impl Board {
    /// What both needed for a packet in the last slice: by how much they did in a time, or by how long they worked.
    fn together(&self, question: Question) -> f64 {
        let [one, other] = [0, 1].map(|side| f64::from_bits(self.figures[side].load(Ordering::Relaxed)));
        match question {
            Question::Copies => 2.0 / (1.0 / one + 1.0 / other),
            Question::Handover => (one + other) / 2.0,
        }
    }
}

/// One thread writes it.
fn add(cell: &AtomicU64, packets: usize) {
    cell.store(cell.load(Ordering::Relaxed) + packets as u64, Ordering::Relaxed);
}

fn sum(cells: &[AtomicU64; WORKERS]) -> u64 {
    cells.iter().map(|cell| cell.load(Ordering::Relaxed)).sum()
}
