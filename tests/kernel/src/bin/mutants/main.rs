//! Is the oracle sharp? Plants deliberate errors into a copy of the sources, one at a time, and asks whether the kernel's recorded answers find
//! each, or for errors round the engine whether the daemons beside the kernel show them (`make test-kernel-mutants`). What the kernel does not have
//! has its own tests for a judge.
//!
//! ```text
//! mutants [--only NAME-OR-GROUP]... [--by GENERATOR]...
//! ```
//!
//! First the sources as they are: they must agree with every case. Then each error must make a case differ; the table says of which generator.
//! It is a failure when an error survives, when it no longer fits the sources, when it does not build, and when the sources differ already.

mod lane;
mod plant;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;

use lane::{Findings, Lane};
use plant::{Judge, Mutant};

/// Plants deliberate errors and asks whether the recorded cases find them.
#[derive(Parser)]
struct Arguments {
    /// Only errors of this name or group.
    #[arg(long)]
    only: Vec<String>,
    /// Of the records only those of these generators, and no other case: what is being built answers sooner.
    #[arg(long)]
    by: Vec<String>,
    /// Instead: replay the cases of the first folder and the records of the second with the engine as it is built here, and name those that
    /// differ.
    #[arg(long, num_args = 2, value_names = ["CASES", "RECORDS"])]
    judge: Option<Vec<PathBuf>>,
}

/// What became of one error.
struct Verdict<'m> {
    mutant: &'m Mutant,
    findings: Findings,
    seconds: f32,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some([cases, records]) = arguments.judge.as_deref() {
        return lane::replay_all(cases, records, &arguments.by);
    }
    let root = root()?;
    let folder = root.join("target/mutants");
    let lane = Lane {
        root: root.to_owned(),
        tree: folder.join("tree"),
        target: folder.join("build"),
        cases: root.join("tests/kernel/cases"),
        records: root.join("tests/kernel/records"),
        by: arguments.by.clone(),
    };
    fs::create_dir_all(&lane.tree).and_then(|()| fs::create_dir_all(&lane.target)).with_context(|| folder.display().to_string())?;
    tree::copy(root, &lane.tree)?;

    let mut mutants = plant::load(&root.join("tests/kernel/mutants"))?;
    // All of them, whichever are asked for: one that is out of date must not wait to be seen.
    mutants.iter().try_for_each(|mutant| mutant.fits(&lane.tree))?;
    if !arguments.only.is_empty() {
        mutants.retain(|mutant| arguments.only.iter().any(|only| *only == mutant.name || *only == mutant.group));
        ensure!(!mutants.is_empty(), "no mutant of that name or group");
    }

    let mut sound = Findings::default();
    for judge in Judge::ALL {
        if mutants.iter().any(|mutant| mutant.judge == judge) {
            lane.build(judge)?;
            let findings = lane.judge(judge)?;
            if let Some(broken) = findings.broken {
                bail!("the sources as they are cannot be judged: {broken}");
            }
            sound.differing.extend(findings.differing);
        }
    }
    let mut verdicts = Vec::new();
    for mutant in &mutants {
        let since = Instant::now();
        let planted = mutant.plant(&lane.tree)?;
        let findings = lane.build(mutant.judge).with_context(|| mutant.name.clone()).and_then(|()| lane.judge(mutant.judge));
        planted.revert()?;
        let mut findings = findings?;
        findings.differing.retain(|case| !sound.differing.contains(case));
        let verdict = Verdict { mutant, findings, seconds: since.elapsed().as_secs_f32() };
        println!("{}", verdict.line());
        verdicts.push(verdict);
    }
    sum_up(&verdicts, &sound)
}

/// The repository.
fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the crate lies two folders deep")
}

impl Verdict<'_> {
    fn line(&self) -> String {
        let Mutant { name, group, .. } = self.mutant;
        format!("{group:<9} {name:<36} {:>5.1} s  {}", self.seconds, self.found_by())
    }

    /// The engine fails by itself when an error is planted in it, and that finds the error; that it was not done in time finds nothing. Daemons can
    /// fail for many reasons: theirs counts only as the mutant foretells it.
    fn survived(&self) -> bool {
        let failed_as_foretold = self.findings.broken.as_ref().is_some_and(|broken| match self.mutant.judge {
            Judge::Engine | Judge::Walk | Judge::Models => !self.findings.late,
            Judge::Processes => self.mutant.shows_as.as_ref().is_some_and(|words| broken.contains(words)),
        });
        self.findings.differing.is_empty() && !failed_as_foretold
    }

    /// Generators, and of how many cases each. A generated case's name is its generator's and a number; other cases stand for themselves.
    fn found_by(&self) -> String {
        if self.survived() {
            let otherwise = self.findings.broken.as_ref().map(|broken| format!(", but failed otherwise: {broken}"));
            return format!("SURVIVED{}", otherwise.unwrap_or_default());
        }
        let mut by = BTreeMap::<&str, usize>::new();
        for case in &self.findings.differing {
            let generated = case.rsplit_once('-').filter(|(_, seed)| seed.bytes().all(|byte| byte.is_ascii_digit()));
            *by.entry(generated.map_or(case, |(generator, _)| generator)).or_default() += 1;
        }
        let by = by.iter().map(|(generator, cases)| format!("{generator} {cases}"));
        by.chain(self.findings.broken.clone()).collect::<Vec<_>>().join(", ")
    }
}

fn sum_up(verdicts: &[Verdict<'_>], sound: &Findings) -> Result<()> {
    let survivors: Vec<_> = verdicts.iter().filter(|verdict| verdict.survived()).collect();
    println!("{} of {} planted errors found", verdicts.len() - survivors.len(), verdicts.len());
    for verdict in &survivors {
        println!("survived: {} ({}): {}", verdict.mutant.name, verdict.mutant.group, verdict.mutant.error);
    }
    for case in &sound.differing {
        println!("differs without any error, and was left out: {case}");
    }
    ensure!(survivors.is_empty(), "{} planted errors survive", survivors.len());
    ensure!(sound.differing.is_empty(), "the sources as they are differ from the kernel in {} cases", sound.differing.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cheap, so that a change of the sources says at once which deliberate error has to move with it.
    #[test]
    fn every_mutant_fits_the_sources_and_says_what_it_imitates() {
        let mutants = plant::load(&root().unwrap().join("tests/kernel/mutants")).unwrap();
        let of = |group: &str| mutants.iter().filter(|mutant| mutant.group == group).count();
        assert!(mutants.len() >= 20 && of("state") >= 5 && of("nat") >= 5 && of("burst") >= 2);
        assert!(mutants.iter().filter(|mutant| mutant.judge == Judge::Processes).count() >= 5);
        for mutant in &mutants {
            mutant.fits(root().unwrap()).unwrap_or_else(|error| panic!("{error:#}"));
            assert!(mutant.error.ends_with('.'), "{} says no error", mutant.name);
        }
    }
}
