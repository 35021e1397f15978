//! A worker that is offered packets at a pace, by its own clock.

use anyhow::{Context as _, Result, ensure};
use dpdk::clock::Clock;
use engine::Time;
use micro::classes::Chance;
use report::Slices;
use scene::thread_time;
use scene::traffic::{Fields, Stamp};

use super::arrivals::Arrivals;
use crate::lane::Lane;

/// Packets that the worker takes at once at most.
pub(crate) const BURST: usize = 64;
/// Rounds by which it is measured what a packet needs, in slices of which the middle one counts.
const ROUNDS: usize = 200;
const SLICES: usize = 9;
/// Times that reading the clock is measured.
const READINGS: usize = 1000;
/// Nanoseconds without the processor after which what the worker knew may be gone from its caches.
const AWAY: f64 = 10_000.0;
/// Rounds that do not count then, and for which no packets wait: what somebody else did is no cost of the box.
const BACK: usize = 64;

/// The worker, and what it is sent.
pub(crate) struct Parts<'a> {
    pub(crate) lane: &'a mut Lane,
    pub(crate) stamp: &'a Stamp,
    pub(crate) chance: &'a mut Chance,
    pub(crate) now: &'a mut Time,
    pub(crate) clock: Clock,
    /// A packet.
    pub(crate) next: fn(&mut Chance) -> Fields,
}

/// The bursts that counted.
#[derive(Default)]
pub(crate) struct Counted {
    /// Nanoseconds of each.
    bursts: Vec<f64>,
    packets: u64,
}

impl Counted {
    /// These as well.
    pub(crate) fn add(&mut self, other: Self) {
        self.bursts.extend(other.bursts);
        self.packets += other.packets;
    }

    /// Packets in them.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    /// Nanoseconds a packet, all in all.
    pub(crate) fn each(&self) -> f64 {
        self.bursts.iter().sum::<f64>() / self.packets as f64
    }

    /// Nanoseconds that all bursts but one in so many stay below.
    pub(crate) fn all_but_one_in(&mut self, many: usize) -> Result<f64> {
        self.bursts.sort_by(f64::total_cmp);
        let late = self.bursts.len().checked_sub(1 + self.bursts.len() / many).context("the worker never had its processor")?;
        Ok(self.bursts[late])
    }
}

/// The worker, with its own clock.
pub(crate) struct Offered<'a> {
    parts: Parts<'a>,
    /// Nanoseconds that it takes to read the thread's clock.
    reading: f64,
    /// When it last looked, by the machine's clock and by the thread's.
    looked: (f64, f64),
    /// Nanoseconds since the last burst began: for the engine as much time passes as for the packets.
    since: f64,
    /// Rounds that do not count yet.
    back: usize,
    /// Packets sent, all in all.
    pub(crate) sent: u64,
    /// Packets that needed no walk before.
    retraced: u64,
    /// What counted since it was last taken.
    counted: Counted,
    /// Nanoseconds that passed for the packets.
    pub(crate) passed: f64,
}

impl<'a> Offered<'a> {
    /// Nothing is sent yet.
    pub(crate) fn new(parts: Parts<'a>) -> Self {
        Self {
            retraced: parts.lane.worker.worker.retraced(),
            parts,
            reading: clock_reading(),
            looked: (0.0, 0.0),
            since: 0.0,
            back: BACK,
            sent: 0,
            counted: Counted::default(),
            passed: 0.0,
        }
    }

    /// What a packet needs in full bursts, at this moment: on a machine that others use, what it needs is not the same for long.
    pub(crate) fn nanoseconds(&mut self) -> Result<f64> {
        let mut slices = Vec::with_capacity(SLICES);
        for _ in 0..SLICES {
            let mut spent = 0.0;
            for _ in 0..ROUNDS {
                spent += self.burst(BURST)?;
            }
            slices.push(spent / (ROUNDS * BURST) as f64);
        }
        Ok(Slices::of(slices).median)
    }

    /// What waits, up to a burst.
    pub(crate) fn round(&mut self, arrivals: &mut Arrivals) -> Result<()> {
        if self.was_away() {
            self.back = BACK;
        }
        if self.back > 0 {
            self.back -= 1;
            self.burst(BURST)?;
            return Ok(());
        }
        let (count, waited) = arrivals.take(BURST);
        self.since += waited;
        let spent = self.burst(count)?;
        if self.was_away() {
            // It was interrupted, and found its caches empty.
            self.back = BACK;
            return Ok(());
        }
        arrivals.pass(spent);
        self.passed += waited + spent;
        self.counted.bursts.push(spent);
        self.counted.packets += count as u64;
        Ok(())
    }

    /// Packets that had to walk, all in all.
    pub(crate) fn walked(&self) -> u64 {
        self.sent - (self.parts.lane.worker.worker.retraced() - self.retraced)
    }

    /// What counted since the last time.
    pub(crate) fn take_counted(&mut self) -> Counted {
        std::mem::take(&mut self.counted)
    }

    /// Sends so many packets; says how many nanoseconds of its own the worker needed for them.
    fn burst(&mut self, count: usize) -> Result<f64> {
        let Parts { lane, stamp, chance, now, next, .. } = &mut self.parts;
        lane.inside.send(stamp, count, || next(chance))?;
        **now = Time(now.0 + self.since as u64);
        let start = thread_time();
        lane.round(**now);
        let spent = (thread_time() - start).as_nanos() as f64 - self.reading;
        let through = lane.outside.take();
        ensure!(through == count, "{through} of {count} packets went through: {:?}", lane.drops());
        self.sent += count as u64;
        self.since = spent.max(0.0);
        Ok(self.since)
    }

    /// Did somebody else have the processor since the last time?
    fn was_away(&mut self) -> bool {
        let all = self.parts.clock.cycles() as f64 * 1e9 / self.parts.clock.hz() as f64;
        let own = thread_time().as_nanos() as f64;
        let away = (all - self.looked.0) - (own - self.looked.1);
        self.looked = (all, own);
        away > AWAY
    }
}

/// Nanoseconds that it takes at least to read the thread's clock.
fn clock_reading() -> f64 {
    let reading = || {
        let start = thread_time();
        (thread_time() - start).as_nanos() as f64
    };
    (0..READINGS).map(|_| reading()).fold(f64::MAX, f64::min)
}
