//! The Linux kernel: how long the system call takes within which it forwards a burst, under rules, and in turns with it without any.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dpdk::clock::Clock;
use micro::classes::Chance;
use net::namespace::Namespace;
use report::{Record, Slices};
use scene::Slicer;
use scene::scenario::{Kind, Load, Scenario};
use scene::traffic::{Fields, Stamp};

use crate::site::{inside, outside};
use crate::wire::{self, Wire, arrived};

const SLICES: usize = 40;
const WARM_UP: usize = 10;
/// Slices that are tried for them, where others want the processor as well.
const TRIES: usize = 1000;
/// Packets of a slice when there are few rules.
const SLICE: usize = 1024;
const BURST: usize = 64;
/// How long the last packets may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the kernel is measured with.
pub(crate) fn scenarios() -> Vec<Scenario> {
    let of = |kind, rules| Scenario { kind, flows: 10_000, rules, burst: BURST };
    let last = [10, 1000, 10_000].map(|rules| of(Kind::EstablishedLast, rules));
    [of(Kind::EmptyTables, 0), of(Kind::Established, 10_000)].into_iter().chain(last).chain([of(Kind::Nat, 10_000)]).collect()
}

/// Lets each client and its server shake hands, through the first box.
pub(crate) fn connect(scenario: &Scenario, cpu: usize) -> Result<()> {
    let (_eal, wires) = wire::open(cpu, &[inside(0), outside(0)])?;
    let [mut client, mut server] = <[Wire; 2]>::try_from(wires).ok().context("two wires")?;
    let stamp = Stamp::new(true);
    for first in (0..scenario.flows).step_by(BURST) {
        let these = first..scenario.flows.min(first + BURST as u32);
        let send = |wire: &mut Wire, packet: &dyn Fn(u32) -> Fields| {
            let mut next = these.clone().map(packet);
            let burst = wire.burst(&stamp, these.len(), || next.next().unwrap_or_default())?;
            wire.send(burst)
        };
        send(&mut client, &Fields::first)?;
        send(&mut server, &|flow| Fields::answer(flow, scenario.translates()))?;
        send(&mut client, &|flow| Fields::data(flow, 0))?;
    }
    Ok(())
}

/// How many connections a box knows.
pub(crate) fn connections(router: &Namespace) -> Result<u32> {
    Ok(router.run("cat /proc/sys/net/netfilter/nf_conntrack_count")?.trim().parse()?)
}

/// One wire that is measured.
struct Way {
    wire: Wire,
    end: String,
    before: u64,
    sent: u64,
}

impl Way {
    fn new(wire: Wire, number: usize) -> Result<Self> {
        let end = outside(number);
        Ok(Self { wire, before: arrived(&end)?, end, sent: 0 })
    }

    /// Sends a burst; says how many cycles the kernel took to forward it.
    fn round(&mut self, clock: &Clock, stamp: &Stamp, next: impl FnMut() -> Fields) -> Result<u64> {
        let burst = self.wire.burst(stamp, BURST, next)?;
        let start = clock.cycles();
        self.wire.send(burst)?;
        let cycles = clock.cycles() - start;
        self.sent += BURST as u64;
        Ok(cycles)
    }

    /// Every packet must have come out at the other end; a frame that the router sends by itself comes as well.
    fn check(&self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let through = arrived(&self.end)? - self.before;
            if through >= self.sent {
                return Ok(());
            }
            ensure!(Instant::now() < until, "of {} packets {through} came to {}", self.sent, self.end);
            std::thread::yield_now();
        }
    }
}

/// Measures it: the box with the rules, in turns with the one without.
pub(crate) fn measure(name: &str, scenario: &Scenario, cpu: usize) -> Result<Record> {
    let (eal, wires) = wire::open(cpu, &[inside(0), inside(1)])?;
    let [ruled, plain] = <[Wire; 2]>::try_from(wires).ok().context("two wires")?;
    let (mut ruled, mut plain) = (Way::new(ruled, 0)?, Way::new(plain, 1)?);
    let clock = Clock::new(eal.handle());
    let packets = (SLICE / (1 + scenario.rules as usize / 100)).max(BURST);
    let slicer = Slicer { clock, packets };
    let (stamp, mut chance) = (Stamp::new(true), Chance(1));
    let mut load = Load::Known { flows: scenario.flows, astray: false };
    let (mut whole, mut base) = (Vec::new(), Vec::new());
    for turn in 0..WARM_UP + TRIES {
        let with = slicer.slice(BURST, || ruled.round(&clock, &stamp, || load.next(&mut chance)))?;
        let without = slicer.slice(BURST, || plain.round(&clock, &stamp, || load.next(&mut chance)))?;
        if turn >= WARM_UP {
            whole.extend(with);
            base.extend(without);
        }
        if whole.len().min(base.len()) >= SLICES {
            break;
        }
    }
    ensure!(whole.len().min(base.len()) >= SLICES / 2, "the machine is too busy: of {TRIES} slices too few had the processor");
    ruled.check()?;
    plain.check()?;
    let (whole, base) = (Slices::of(whole), Some(Slices::of(base)));
    Ok(Record { name: name.to_owned(), whole, io: None, base, memory: None, instructions: None })
}
