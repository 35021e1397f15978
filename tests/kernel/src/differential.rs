//! Cases from seeds through two systems.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::System;
use crate::case::Case;
use crate::compare::{Difference, compare, is_ambiguous};
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
        let case = generator.case_now(seed)?;
        if let Some(why) = rampart.cannot_run(&case) {
            *outcome.left_out.entry(why).or_default() += 1;
            continue;
        }
        let theirs = run_clear(kernel, &case).with_context(|| format!("{} seed {seed}", generator.name()))?;
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

/// How often a case is run anew because of what was drawn; where it is always so, chance has no part in it.
const DRAWS: usize = 8;

/// What the kernel does with a case, where it can be told which ports it drew by chance.
///
/// # Errors
/// It could not be driven.
pub fn run_clear(kernel: &mut dyn System, case: &Case) -> Result<Observed> {
    let mut observed = kernel.run(case)?;
    for _ in 1..DRAWS {
        if !is_ambiguous(case, &observed) {
            break;
        }
        observed = kernel.run(case)?;
    }
    Ok(observed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Step;
    use crate::frame::Ip;
    use crate::observed::{Entry, Half};
    use crate::world::Port;
    use std::net::{IpAddr, Ipv4Addr};

    const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
    const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 3);

    /// Takes these ports for the one connection's own, one a run.
    struct Drawing(Vec<u16>);

    impl System for Drawing {
        fn run(&mut self, _: &Case) -> Result<Observed> {
            let half =
                |src: Ipv4Addr, dst: Ipv4Addr, l4| Half { src: IpAddr::V4(src), dst: IpAddr::V4(dst), l4, packets: 1, bytes: 40 };
            let halves = [half(SERVER, CLIENT, (80, 1028)), half(CLIENT, SERVER, (1028, self.0.remove(0)))];
            let (state, timeout) = ("SYN_SENT".to_owned(), None);
            let entry = Entry { protocol: 6, state, halves, unreplied: true, assured: false, mark: 0, timeout };
            Ok(Observed { entries: vec![entry], ..Observed::default() })
        }
    }

    #[test]
    fn a_port_that_was_drawn_and_that_a_packet_has_is_drawn_anew() {
        let packet =
            |port| Step::Packets(Port::Eth1, vec![Ip::tcp((SERVER, port), (CLIENT, 1028), 2, 0, 0, &[], &[]).frame(Port::Eth1)]);
        let case = Case { steps: vec![packet(80), packet(81)], ..Case::default() };
        let drawn = |ports: &[u16]| {
            let mut kernel = Drawing(ports.to_vec());
            let port = run_clear(&mut kernel, &case).unwrap().entries[0].halves[1].l4.1;
            (port, kernel.0.len())
        };
        assert_eq!(drawn(&[29, 30]), (29, 1));
        assert_eq!(drawn(&[81, 81, 29, 30]), (29, 1));
        assert_eq!(drawn(&[80, 30]), (80, 1), "kept");
        assert_eq!(drawn(&[81; DRAWS]), (81, 0), "what is always so is no chance");
        let drawn_by_rule = Case { rules: "-j MASQUERADE --random".to_owned(), ..case.clone() };
        assert!(!is_ambiguous(&drawn_by_rule, &Drawing(vec![81]).run(&case).unwrap()), "then any port may be one that was drawn");
    }
}
