//! Cases from seeds through two systems.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::System;
use crate::case::Case;
use crate::compare::{Difference, compare};
use crate::generate::Generator;
use crate::observed::Observed;

/// A case with which the systems did not do the same.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which generator made it.
    pub generator: Generator,
    /// From which seed.
    pub seed: u64,
    /// The case.
    pub case: Case,
    /// What the kernel did.
    pub kernel: Observed,
    /// Where they differ.
    pub differences: Vec<Difference>,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Cases run.
    pub cases: usize,
    /// Of these, cases whose rules both refused.
    pub refused: usize,
    /// Cases that Rampart's side cannot run: why, and how many.
    pub left_out: BTreeMap<&'static str, usize>,
    /// Packets that came in.
    pub packets: usize,
    /// Differences.
    pub found: Vec<Found>,
}

/// Runs a generator's cases with these seeds through both systems until `time` is over, or `most` cases differ.
///
/// # Errors
/// A system could not be driven.
pub fn differential(
    kernel: &mut dyn System,
    rampart: &mut dyn System,
    generator: Generator,
    seeds: impl Iterator<Item = u64>,
    time: Duration,
    most: usize,
) -> Result<Outcome> {
    let begin = Instant::now();
    let mut outcome = Outcome::default();
    for seed in seeds {
        if begin.elapsed() >= time || outcome.found.len() >= most {
            break;
        }
        let case = generator.case(seed);
        if let Some(why) = rampart.cannot_run(&case) {
            *outcome.left_out.entry(why).or_default() += 1;
            continue;
        }
        let theirs = kernel.run(&case).with_context(|| format!("{} seed {seed}", generator.name()))?;
        let ours = rampart.run(&case)?;
        outcome.cases += 1;
        outcome.packets += case.packets();
        outcome.refused += usize::from(theirs.refused.is_some() && ours.refused.is_some());
        let differences = differences(&case, (kernel, &theirs), (rampart, &ours));
        if !differences.is_empty() {
            outcome.found.push(Found { generator, seed, case, kernel: theirs, differences });
        }
    }
    Ok(outcome)
}

/// What differs, of all that both systems can show.
pub fn differences(case: &Case, kernel: (&dyn System, &Observed), rampart: (&dyn System, &Observed)) -> Vec<Difference> {
    let mut differences = compare(case, kernel.1, rampart.1);
    let hidden = |what| kernel.0.cannot_show().iter().chain(rampart.0.cannot_show()).any(|(hidden, _)| *hidden == what);
    differences.retain(|difference| !hidden(difference.what));
    differences
}

/// Replays a case file in process, without privileges, against what the kernel is recorded to have done.
///
/// # Errors
/// The file cannot be read or holds no record.
pub fn replay(path: &std::path::Path) -> Result<Vec<Difference>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let (case, kernel) = Case::parse(&text).with_context(|| path.display().to_string())?;
    let kernel = kernel.with_context(|| format!("{}: no record of the kernel", path.display()))?;
    Ok(compare(&case, &kernel, &crate::rampart::Rampart::default().run(&case)?))
}
