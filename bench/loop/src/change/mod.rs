//! Rules change while packets go through: how many are lost, how long a burst takes then, what it costs.
//!
//! The worker is offered four fifths of what it can do. Rules are made and published by a thread of its own, on another CPU.

mod again;
mod arrivals;
pub(crate) mod consistent;
mod control;
mod offered;
mod turns;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use engine::Time;
use engine::counters::Counters;
use micro::classes::Chance;
use micro::load;
use program::{CounterSlot, Program};
use report::{Figure, Record, Slices};
use rules::TableName;
use scene::scenario::{Kind, POSITIONS, Scenario};
use scene::traffic::{Fields, Stamp};
use scene::{Slicer, rules as texts, run_on};

use crate::rig::Rig;
use crate::site;
use crate::subject::Measured;

use self::again::Again;
use self::control::Ends;
use self::offered::{BURST, Offered, Parts};
use self::turns::{Turn, Turns};

const FLOWS: u32 = 10_000;
const RULES: u32 = 10_000;
/// Lines of them that are others, where most are said again.
const LINES: usize = 10;
/// For each turn that is wanted so many more may not count.
const REFUSED: u32 = 4;
/// Nanoseconds between two edits at least: what one may take.
const EDIT: u64 = 2_000_000;
/// How often it is looked whether they are over.
const PAUSE: Duration = Duration::from_micros(50);
/// Rounds after which hardly a connection is left whose packets have not come since the last change.
const SETTLE: usize = 8 * FLOWS as usize / BURST;
/// Slices with changes, and without; rounds of each.
const SLICES: usize = 41;
const ROUNDS: usize = 200;
/// Of bursts, those that are looked at: all but one in a thousand.
const LATE: usize = 1000;
/// The rule that lets the packets pass: the first one.
const ESTABLISHED: Option<usize> = Some(0);

/// What happens to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// All of them are replaced, so often.
    Restores(u32),
    /// All of them are restored, so often, and [`LINES`] of them are others.
    Lines(u32),
    /// One rule is added or taken away, so often.
    Edits(u32),
    /// One rule is added or taken away, so often a second.
    Rate(u32),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restores(count) => write!(f, "{count} restores, {FLOWS} flows, {RULES} rules"),
            Self::Lines(count) => write!(f, "{count} restores with {LINES} other lines, {FLOWS} flows, {RULES} rules"),
            Self::Edits(count) => write!(f, "{count} edits, {FLOWS} flows, {RULES} rules"),
            Self::Rate(rate) => write!(f, "{rate} edits a second, {FLOWS} flows, {RULES} rules"),
        }
    }
}

/// The box with its connections, and what is sent.
struct Site {
    rig: Rig,
    stamp: Stamp,
    chance: Chance,
    now: Time,
    step: u64,
}

impl Change {
    /// All of them.
    pub(crate) fn all() -> [Self; 4] {
        [Self::Restores(100), Self::Lines(100), Self::Edits(1000), Self::Rate(1000)]
    }

    /// Measures it on these CPUs: the worker on the second.
    pub(crate) fn measure(self, [control, worker]: [usize; 2]) -> Result<Measured> {
        match self {
            Self::Restores(count) | Self::Lines(count) | Self::Edits(count) => {
                ensure!(control != worker, "rules change while packets go through: that wants two CPUs");
                self.offered(Site::new(worker)?, control, count)
            }
            Self::Rate(rate) => Ok(Measured { records: vec![self.throughput(Site::new(worker)?, rate)?], figures: Vec::new() }),
        }
    }

    /// Under load: what is lost, and how long bursts take.
    fn offered(self, mut site: Site, cpu: usize, changes: u32) -> Result<Measured> {
        let texts = self.texts();
        let sets = [load::rule_set(&texts[0]), self.other(&texts[1])];
        let slots = [0, 1].map(|which| control::slot(&sets[which], TableName::Filter, ESTABLISHED));
        let counters = site.rig.lane.worker.worker.counters().clone();
        let Site { rig, stamp, chance, now, .. } = &mut site;
        let Rig { lane, publisher, clock, .. } = rig;
        let before = counted(&counters, &slots);
        let parts = Parts { lane, stamp, chance, now, clock: *clock, next: known };
        let mut offered = Offered::new(parts);
        let walked_before = offered.walked();
        let (done, gone, passed) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
        // A change is over, and as much time passes without one before the next.
        let settled = AtomicBool::new(false);
        let mut turns = Turns::default();
        thread::scope(|scope| -> Result<()> {
            let _gone = Ends(&gone);
            let mut turn = Turn::new(&mut offered)?;
            let changer = scope.spawn(|| -> Result<()> {
                let _done = Ends(&done);
                run_on(cpu)?;
                let mut from = passed.load(Ordering::Relaxed);
                let (mut other, mut again) = (false, Again::after(&texts[0]));
                while !gone.load(Ordering::Acquire) {
                    other = !other;
                    match self {
                        Self::Restores(_) => control::restore(publisher, &texts[usize::from(other)], other, &gone),
                        Self::Lines(_) => again.restore(publisher, &texts[usize::from(other)], &gone)?,
                        _ => control::edit(publisher, &sets[usize::from(other)], &gone),
                    }
                    // Some packets between two changes.
                    while passed.load(Ordering::Relaxed) < from + EDIT && !gone.load(Ordering::Acquire) {
                        thread::sleep(PAUSE);
                    }
                    settled.store(true, Ordering::Release);
                    while settled.load(Ordering::Acquire) && !gone.load(Ordering::Acquire) {
                        thread::sleep(PAUSE);
                    }
                    from = passed.load(Ordering::Relaxed);
                }
                Ok(())
            });
            while turns.count < changes && turns.refused < REFUSED * changes && !done.load(Ordering::Acquire) {
                offered.round(&mut turn.arrivals)?;
                if settled.load(Ordering::Acquire) {
                    turns.take(turn.end(&mut offered)?);
                    turn = Turn::new(&mut offered)?;
                    settled.store(false, Ordering::Release);
                }
                passed.store(offered.passed as u64, Ordering::Relaxed);
            }
            gone.store(true, Ordering::Release);
            changer.join().map_err(|_| anyhow!("the control thread panicked"))?
        })?;
        let Turns { count, refused, mut with, mut without } = turns;
        ensure!(
            count == changes,
            "the machine is too busy: what the worker can do stayed the same in {count} of {} turns",
            count + refused
        );
        let lost_counts = (counted(&counters, &slots) - before).abs_diff(offered.sent);
        let walked = (offered.walked() - walked_before) as f64;
        let figure = |what: &str, value: f64, unit: &str| Figure { name: format!("{self}, {what}"), value, unit: unit.to_owned() };
        let figures = vec![
            figure("packets lost", with.lost as f64, "packets"),
            figure("counts lost", lost_counts as f64, "packets"),
            figure("a burst, all but one in a thousand", with.counted.all_but_one_in(LATE)?, "ns"),
            figure("most packets that waited", with.most as f64, "packets"),
            figure("a packet", with.counted.each(), "ns"),
            figure("packets judged anew at each", walked / f64::from(count + refused), "packets"),
            figure("packets", with.counted.packets() as f64, "packets"),
            figure("packets lost without changes", without.lost as f64, "packets"),
            figure("a burst without changes, all but one in a thousand", without.counted.all_but_one_in(LATE)?, "ns"),
            figure("a packet without changes", without.counted.each(), "ns"),
            figure("turns that did not count", f64::from(refused), "turns"),
        ];
        Ok(Measured { records: Vec::new(), figures })
    }

    /// The rules, and those that take turns with them.
    fn texts(self) -> [String; 2] {
        let [text, more] = texts_of(RULES);
        if !matches!(self, Self::Lines(_)) {
            return [text, more];
        }
        let first = text.lines().position(|line| line.starts_with("-A ")).unwrap_or(0) + 1;
        let every = RULES as usize / LINES;
        let other = |(at, line): (usize, &str)| match at.checked_sub(first) {
            Some(at) if at % every == every / 2 => format!("-A FORWARD -s 192.0.2.{}/32 -j DROP\n", at / every),
            _ => line.to_owned() + "\n",
        };
        let others = text.lines().enumerate().map(other).collect();
        [text, others]
    }

    /// The rules that take turns with the first ones, with slots.
    fn other(self, text: &str) -> rules::RuleSet {
        let first = if matches!(self, Self::Restores(_)) { control::SLOTS } else { 0 };
        load::rule_set_from(text, first)
    }

    /// As fast as it can, with and without changes in turns. Making rules is not the worker's work: both programs are made before.
    fn throughput(self, mut site: Site, rate: u32) -> Result<Record> {
        let programs = texts_of(RULES).map(|text| load::published(&load::rule_set(&text), &Program::default()));
        let every = 1e9 / f64::from(rate);
        let slicer = Slicer { clock: site.rig.clock, packets: ROUNDS * BURST };
        let (mut whole, mut base, mut since, mut number) = (Vec::new(), Vec::new(), 0.0, 0);
        for _ in 0..20 * SLICES {
            // What the last change has left to do belongs to it.
            for _ in 0..SETTLE {
                site.round()?;
            }
            base.extend(slicer.slice(BURST, || site.round())?);
            whole.extend(slicer.slice(BURST, || {
                let cycles = site.round()?;
                since += cycles as f64 * 1e9 / site.rig.clock.hz() as f64;
                if since >= every {
                    since -= every;
                    number += 1;
                    let next = control::next(site.rig.publisher.current(), programs[number % 2].clone());
                    site.rig.publisher.publish(Arc::new(next));
                }
                Ok(cycles)
            })?);
            if whole.len().min(base.len()) >= SLICES {
                break;
            }
        }
        ensure!(whole.len().min(base.len()) >= SLICES / 2, "the machine is too busy: too few slices had the processor");
        let (whole, base) = (Slices::of(whole), Some(Slices::of(base)));
        Ok(Record { name: self.to_string(), whole, io: None, base, memory: None, instructions: None })
    }
}

impl Site {
    fn new(cpu: usize) -> Result<Self> {
        let scenario = Scenario { kind: Kind::Established, flows: FLOWS, rules: RULES, burst: BURST };
        let [text, _] = texts_of(RULES);
        let first = site::snapshot(texts::program(&text), scenario.settings());
        let mut rig = Rig::new(cpu, first, FLOWS / 9 * 10 + 1024)?;
        let (stamp, mut now) = (Stamp::new(true), Time(1_000_000_000_000));
        rig.lane.connect(&stamp, &(0..FLOWS).collect::<Vec<_>>(), &mut now)?;
        Ok(Self { rig, stamp, chance: Chance(1), now, step: scenario.step() })
    }

    /// A full burst; says how many cycles the worker's part took.
    fn round(&mut self) -> Result<u64> {
        let Self { rig, stamp, chance, now, step } = self;
        rig.lane.inside.send(stamp, BURST, || known(chance))?;
        *now = Time(now.0 + *step);
        let start = rig.clock.cycles();
        rig.lane.round(*now);
        let cycles = rig.clock.cycles() - start;
        let through = rig.lane.outside.take();
        ensure!(through == BURST, "{through} of {BURST} packets went through: {:?}", rig.lane.drops());
        Ok(cycles)
    }
}

/// A packet of a connection that is known.
fn known(chance: &mut Chance) -> Fields {
    Fields::data(chance.below(FLOWS), chance.below(POSITIONS))
}

/// The rules, and the same with one more.
fn texts_of(count: u32) -> [String; 2] {
    let text = texts::stateful(count);
    let more = text.replacen("\nCOMMIT", "\n-A FORWARD -s 192.0.2.77/32 -j DROP\nCOMMIT", 1);
    [text, more]
}

/// Packets that these slots have counted.
fn counted(counters: &Counters, slots: &[CounterSlot; 2]) -> u64 {
    let each = |slot: &CounterSlot| counters.get(*slot).packets;
    if slots[0] == slots[1] { each(&slots[0]) } else { slots.iter().map(each).sum() }
}
