//! What can be measured, by number.

use std::fmt;

use anyhow::Result;
use report::{Figure, Record};
use scene::scenario::Scenario;
use scene::{last_cpu, last_two_cpus};
use serde::{Deserialize, Serialize};

use crate::change::{Change, consistent};
use crate::measure::Run;
use crate::pair::Pair;
use crate::{heap, stages, tree};

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// What packets cost.
    pub(crate) records: Vec<Record>,
    /// Other numbers.
    pub(crate) figures: Vec<Figure>,
}

/// One of the things measured.
pub(crate) enum Subject {
    /// A packet's way through a worker.
    Packet(Scenario),
    /// Two workers.
    Pair(Pair),
    /// Rules that change meanwhile.
    Change(Change),
    /// What so many rules take of the control daemon's heap.
    Heap(u32),
    /// The stages from text to program, of so many rules.
    Stages(u32),
    /// The trees of so many rules.
    Trees(u32),
}

impl Subject {
    /// All of them; their places are their numbers.
    pub(crate) fn all() -> Vec<Self> {
        let packets = Scenario::all().into_iter().map(Self::Packet);
        let pairs = Pair::all().into_iter().map(Self::Pair);
        let sizes = [10_000, 100_000];
        let aside = sizes.map(Self::Trees).into_iter().chain(sizes.map(Self::Stages)).chain([Self::Heap(100_000)]);
        packets.chain(pairs).chain(Change::all().map(Self::Change)).chain(aside).collect()
    }

    /// Measures it, in this process.
    pub(crate) fn measure(&self) -> Result<Measured> {
        let record = |record| Measured { records: vec![record], figures: Vec::new() };
        let figures = |figures| Measured { records: Vec::new(), figures };
        match self {
            Self::Packet(scenario) => Run::prepare(*scenario, last_cpu()?)?.measure().map(record),
            Self::Pair(pair) => pair.measure(last_two_cpus()?).map(record),
            Self::Change(change) => change.measure(last_two_cpus()?),
            Self::Heap(rules) => heap::measure(*rules).map(figures),
            Self::Stages(rules) => stages::measure(*rules).map(figures),
            Self::Trees(rules) => tree::measure(*rules).map(figures),
        }
    }

    /// Goes so many rounds, without a clock, and sees that each packet goes its way.
    pub(crate) fn count(&self, rounds: usize) -> Result<()> {
        match self {
            Self::Packet(scenario) => Run::prepare(*scenario, last_cpu()?)?.count(rounds),
            Self::Pair(pair) => pair.count(last_two_cpus()?, rounds),
            Self::Change(_) => consistent::check(last_two_cpus()?, rounds),
            // They have no rounds.
            Self::Heap(rules) => heap::measure(*rules).map(drop),
            Self::Stages(rules) => stages::measure(*rules).map(drop),
            Self::Trees(rules) => tree::measure(*rules).map(drop),
        }
    }

    /// How many packets come at once, if its instructions are counted.
    pub(crate) fn counted(&self) -> Option<usize> {
        match self {
            Self::Packet(scenario) if scenario.flows <= 10_000 => Some(scenario.burst),
            Self::Packet(_) | Self::Pair(_) | Self::Change(_) | Self::Heap(_) | Self::Stages(_) | Self::Trees(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(scenario) => scenario.fmt(f),
            Self::Pair(pair) => pair.fmt(f),
            Self::Change(change) => change.fmt(f),
            Self::Heap(rules) => write!(f, "heap, {rules} rules"),
            Self::Stages(rules) => write!(f, "stages, {rules} rules"),
            Self::Trees(rules) => write!(f, "trees, {rules} rules"),
        }
    }
}
