//! A difference made small: the fewest packets and rules with which the systems still differ in the same way.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::System;
use crate::case::{Case, Step};
use crate::compare::{Difference, OF_LO};
use crate::differential::differences;

/// Leaves out steps and rules for as long as a difference of the same kind stays; gives up at the end of `time`. Every answer names its
/// step by number, so a step is emptied first, and taken out only when nothing refers to it.
///
/// # Errors
/// A system could not be driven.
pub fn shrink(kernel: &mut dyn System, rampart: &mut dyn System, case: &Case, what: &[Difference], time: Duration) -> Result<Case> {
    let begin = Instant::now();
    let kinds: Vec<&str> = what.iter().map(|difference| difference.what).collect();
    let mut still_differs = |case: &Case| -> Result<bool> {
        let theirs = kernel.run(case)?;
        let ours = rampart.run(case)?;
        let differences = differences(case, (kernel, &theirs), (rampart, &ours));
        Ok(differences.iter().any(|difference| kinds.contains(&difference.what)))
    };
    let mut best = case.clone();
    loop {
        let before = best.clone();
        for smaller in [without_steps as fn(&Case, usize, usize) -> Option<Case>, without_rules] {
            let mut size = before.steps.len().max(before.rules.lines().count()).next_power_of_two();
            while size > 0 {
                let mut at = 0;
                while let Some(candidate) = smaller(&best, at, size) {
                    if begin.elapsed() >= time {
                        return Ok(best);
                    }
                    if candidate != best && still_differs(&candidate)? {
                        best = candidate;
                    } else {
                        at += size;
                    }
                }
                size /= 2;
            }
        }
        if best == before {
            return Ok(best);
        }
    }
}

/// The case without `size` steps from `at` on, and without the answers to them.
fn without_steps(case: &Case, at: usize, size: usize) -> Option<Case> {
    if at >= case.steps.len() {
        return None;
    }
    let mut new_place: Vec<Option<usize>> = Vec::new();
    let mut steps = Vec::new();
    for (number, step) in case.steps.iter().enumerate() {
        let kept = match step {
            _ if (at..at + size).contains(&number) => None,
            Step::Answer { to, with } => new_place[*to].map(|to| Step::Answer { to, with: with.clone() }),
            step => Some(step.clone()),
        };
        new_place.push(kept.is_some().then_some(steps.len()));
        steps.extend(kept);
    }
    Some(Case { steps, ..case.clone() })
}

/// The case without the rules among `size` lines from `at` on; tables and chains stay.
fn without_rules(case: &Case, at: usize, size: usize) -> Option<Case> {
    let lines: Vec<&str> = case.rules.lines().collect();
    if at >= lines.len() {
        return None;
    }
    let of_lo = |line: &str| OF_LO.iter().any(|rule| line.ends_with(rule));
    let gone = |number: usize, line: &str| (at..at + size).contains(&number) && line.starts_with("-A") && !of_lo(line);
    let rules = lines.iter().enumerate().filter(|(n, line)| !gone(*n, line)).map(|(_, line)| format!("{line}\n")).collect();
    Some(Case { rules, ..case.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::observed::Observed;
    use crate::world::Port;

    /// Counts frames that begin with a byte, when a rule is there.
    struct Planted(bool);

    impl System for Planted {
        fn run(&mut self, case: &Case) -> Result<Observed> {
            let frames = case.steps.iter().filter(|step| matches!(step, Step::Packets(_, f) if f[0][0] == 9)).count();
            let differs = self.0 && case.rules.contains("-A culprit");
            Ok(Observed { delivered: if differs { frames as u64 } else { 0 }, ..Observed::default() })
        }
    }

    #[test]
    fn the_one_rule_and_the_one_packet_are_left() {
        let steps = (0..20).map(|n| Step::Packets(Port::Eth0, vec![vec![n]])).collect();
        let rules = "*filter\n-A one\n-A two\n-A culprit\n-A three\nCOMMIT\n".to_owned();
        let case = Case { steps, rules, ..Case::default() };
        let what = compare(&case, &Planted(false).run(&case).unwrap(), &Planted(true).run(&case).unwrap());
        let small = shrink(&mut Planted(false), &mut Planted(true), &case, &what, Duration::from_secs(5)).unwrap();
        assert_eq!(small.rules, "*filter\n-A culprit\nCOMMIT\n");
        assert_eq!(small.steps, [Step::Packets(Port::Eth0, vec![vec![9]])]);
    }
}
