//! What can be measured, by number.

use std::fmt;

use anyhow::Result;
use report::Record;
use scene::scenario::Scenario;
use scene::{last_cpu, last_two_cpus};

use crate::measure::Run;
use crate::pair::Pair;

/// One of the things measured.
pub(crate) enum Subject {
    /// A packet's way through a worker.
    Packet(Scenario),
    /// Two workers.
    Pair(Pair),
}

impl Subject {
    /// All of them; their places are their numbers.
    pub(crate) fn all() -> Vec<Self> {
        let packets = Scenario::all().into_iter().map(Self::Packet);
        packets.chain(Pair::all().into_iter().map(Self::Pair)).collect()
    }

    /// Measures it, in this process.
    pub(crate) fn measure(&self) -> Result<Record> {
        match self {
            Self::Packet(scenario) => Run::prepare(*scenario, last_cpu()?)?.measure(),
            Self::Pair(pair) => pair.measure(last_two_cpus()?),
        }
    }

    /// Goes so many rounds, without a clock.
    pub(crate) fn count(&self, rounds: usize) -> Result<()> {
        match self {
            Self::Packet(scenario) => Run::prepare(*scenario, last_cpu()?)?.count(rounds),
            Self::Pair(pair) => pair.count(last_two_cpus()?, rounds),
        }
    }

    /// How many packets come at once, if its instructions are counted.
    pub(crate) fn counted(&self) -> Option<usize> {
        match self {
            Self::Packet(scenario) if scenario.flows <= 10_000 => Some(scenario.burst),
            Self::Packet(_) | Self::Pair(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(scenario) => scenario.fmt(f),
            Self::Pair(pair) => pair.fmt(f),
        }
    }
}
