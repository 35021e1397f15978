//! One scenario: connections are made, then bursts go round, and only the worker's part of each round is timed.

use std::sync::Arc;

use anyhow::{Result, ensure};
use engine::{Snapshot, Time};
use micro::classes::Chance;
use report::{Record, Slices};
use scene::scenario::{Load, Scenario};
use scene::traffic::Stamp;
use scene::{Slicer, rules};

use crate::rig::Rig;
use crate::{random_lines, site};

/// Slices that are wanted, and those before them.
const SLICES: usize = 100;
const WARM_UP: usize = 20;
/// How often the rules change when two sets are compared.
const TURNS: usize = 10;
/// Slices that are tried for them, where others want the processor as well.
const TRIES: usize = 2000;
/// A fifth of those that are wanted is enough.
const ENOUGH: usize = 5;
/// Packets of a slice.
const SLICE: usize = 8192;

/// A scenario that is ready.
pub(crate) struct Run {
    scenario: Scenario,
    rig: Rig,
    /// The same box under the rules that it is compared to.
    base: Option<Arc<Snapshot>>,
    load: Load,
    stamp: Stamp,
    chance: Chance,
    now: Time,
}

/// The worker's part of a round. Instructions are counted from its beginning to its end, by its name.
#[inline(never)]
fn counted_round(rig: &mut Rig, now: Time) {
    rig.round(now);
}

impl Run {
    /// Starts DPDK on this CPU, loads the rules, makes the connections.
    pub(crate) fn prepare(scenario: Scenario, cpu: usize) -> Result<Self> {
        let (text, load) = scenario.rules_and_load();
        let snapshot = |text: &str| site::snapshot(rules::program(text), scenario.settings());
        // Nearly full, not crowded.
        let room = scenario.flows / 9 * 10 + 1024;
        let rig = Rig::new(cpu, snapshot(&text), room)?;
        let base = scenario.base().map(|text| Arc::new(snapshot(&text)));
        let stamp = Stamp::new(!scenario.begins());
        let mut run = Self { scenario, rig, base, load, stamp, chance: Chance(1), now: Time(1_000_000_000_000) };
        if scenario.begins() {
            // Twice as many begin as there are in the end: flows end as fast as they begin from then on.
            for _ in 0..2 * scenario.flows as usize / scenario.burst {
                run.round(Rig::round)?;
            }
            let flows = run.rig.lane.flows() as f64 / f64::from(scenario.flows);
            ensure!((0.9..1.1).contains(&flows), "{flows} of the wanted flows are there: {:?}", run.rig.lane.drops());
        } else if scenario.tracks() {
            let flows: Vec<u32> = (0..scenario.flows).collect();
            run.rig.lane.connect(&run.stamp, &flows, &mut run.now)?;
        }
        Ok(run)
    }

    /// One burst through the worker, which goes its round by `walk`; says how many cycles that took.
    fn round(&mut self, walk: impl FnOnce(&mut Rig, Time)) -> Result<u64> {
        let Self { rig, load, stamp, chance, scenario, .. } = self;
        rig.lane.inside.send(stamp, scenario.burst, || load.next(chance))?;
        self.now = Time(self.now.0 + self.scenario.step());
        let start = self.rig.clock.cycles();
        walk(&mut self.rig, self.now);
        let cycles = self.rig.clock.cycles() - start;
        let (through, wanted) = (self.rig.lane.outside.take(), if self.scenario.forwards() { self.scenario.burst } else { 0 });
        ensure!(through == wanted, "{through} packets went through, not {wanted}: {:?}", self.rig.lane.drops());
        Ok(cycles)
    }

    /// One burst forwarded by the same kind of device, and nothing else; says how many cycles that took.
    fn plain_round(&mut self) -> Result<u64> {
        let Self { rig, load, stamp, chance, scenario, .. } = self;
        rig.plain_inside.send(stamp, scenario.burst, || load.next(chance))?;
        let start = self.rig.clock.cycles();
        self.rig.forward_plain();
        let cycles = self.rig.clock.cycles() - start;
        ensure!(self.rig.plain_inside.take() == self.scenario.burst, "every packet is forwarded");
        Ok(cycles)
    }

    /// Nanoseconds a packet over one slice; nothing when it was disturbed.
    fn slice(&mut self, mut round: impl FnMut(&mut Self) -> Result<u64>) -> Result<Option<f64>> {
        let slicer = Slicer { clock: self.rig.clock, packets: SLICE };
        slicer.slice(self.scenario.burst, || round(self))
    }

    /// Measures it, in turns with plain forwarding, and with the rules that it is compared to.
    pub(crate) fn measure(mut self) -> Result<Record> {
        let (mut whole, mut io, mut base) = (Vec::new(), Vec::new(), Vec::new());
        match self.base.take() {
            None => self.slices(SLICES, &mut whole, &mut io)?,
            Some(other) => {
                let own = self.rig.publisher.current().clone();
                for _ in 0..TURNS {
                    self.rig.publisher.publish(other.clone());
                    self.slices(SLICES / TURNS, &mut base, &mut io)?;
                    self.rig.publisher.publish(own.clone());
                    self.slices(SLICES / TURNS, &mut whole, &mut io)?;
                }
            }
        }
        let memory = self.scenario.waits_for_memory().then(|| random_lines::measure(&self.rig.clock));
        Ok(Record {
            name: self.scenario.to_string(),
            whole: Slices::of(whole),
            io: Some(Slices::of(io)),
            base: (!base.is_empty()).then(|| Slices::of(base)),
            memory,
            instructions: None,
        })
    }

    /// So many slices more of both, after some that do not count.
    fn slices(&mut self, wanted: usize, whole: &mut Vec<f64>, io: &mut Vec<f64>) -> Result<()> {
        for _ in 0..WARM_UP {
            self.slice(|run| run.round(Rig::round))?;
        }
        let first = whole.len().min(io.len());
        let all = [whole.len() + wanted, io.len() + wanted];
        for _ in 0..TRIES {
            whole.extend(self.slice(|run| run.round(Rig::round))?);
            io.extend(self.slice(Self::plain_round)?);
            if whole.len() >= all[0] && io.len() >= all[1] {
                return Ok(());
            }
        }
        let (had, enough) = (whole.len().min(io.len()), first + wanted / ENOUGH);
        ensure!(had >= enough, "the machine is too busy: of {TRIES} slices too few had the processor");
        Ok(())
    }

    /// So many rounds for a program that counts instructions, after some that it does not count.
    pub(crate) fn count(mut self, rounds: usize) -> Result<()> {
        for _ in 0..rounds {
            self.round(Rig::round)?;
        }
        for _ in 0..rounds {
            self.round(counted_round)?;
        }
        Ok(())
    }
}
