//! Short scripts, each aimed at one decision of the kernel: an edge of the TCP window, the packet that makes a connection ASSURED, a port that is
//! taken, the piece of a datagram that overlaps. Chance would take long to meet these, and an oracle that misses them is blunt: they came
//! from the deliberate errors in `tests/kernel/mutants/`.
//!
//! A seed names a script and where it is cut short, so that what the kernel holds is compared after every step of it.

mod nat;
mod rules;
mod state;

use std::net::Ipv4Addr;

use crate::answer::Answer;
use crate::case::{Case, Step};
use crate::frame::Ip;
use crate::world::Port;

use super::Rules;

/// A client on eth0's wire.
const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// Another.
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 3);
/// A server on eth1's wire.
const S: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
/// Another.
const T: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 3);
/// The router's address on eth1.
const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// Rules that only count: which state, status and remaining life each forwarded packet was seen with.
const WATCH: &str = "-A FORWARD -m conntrack --ctstate NEW
-A FORWARD -m conntrack --ctstate ESTABLISHED
-A FORWARD -m conntrack --ctstate RELATED
-A FORWARD -m conntrack --ctstate INVALID
-A FORWARD -m conntrack --ctstate UNTRACKED
-A FORWARD -m conntrack --ctstatus SEEN_REPLY
-A FORWARD -m conntrack --ctstatus ASSURED
-A FORWARD -m conntrack --ctstatus CONFIRMED
-A FORWARD -m conntrack --ctdir ORIGINAL
-A FORWARD -m conntrack --ctstatus CONFIRMED --ctexpire 0:5
-A FORWARD -m conntrack --ctstatus CONFIRMED --ctexpire 6:25
-A FORWARD -m conntrack --ctstatus CONFIRMED --ctexpire 26:55
-A FORWARD -m conntrack --ctstatus CONFIRMED --ctexpire 56:115
-A FORWARD -m conntrack --ctstatus CONFIRMED --ctexpire 116:295
-A FORWARD -m conntrack --ctstatus CONFIRMED --ctexpire 296:80000
-A FORWARD -m conntrack --ctstatus CONFIRMED --ctexpire 80001:500000
";

/// A script: what is done, under which rules.
pub(super) struct Script {
    about: &'static str,
    rules: Rules,
    steps: Vec<Step>,
}

impl Script {
    /// A script under these rules: tables and lines as `iptables` takes them, user chains in lower case and made by their first rule.
    fn new(about: &'static str, tables: &[(&'static str, &str)]) -> Self {
        let mut rules = Rules::default();
        for (table, lines) in tables {
            let mut chains: Vec<&str> = Vec::new();
            for line in lines.lines() {
                match line.split(' ').collect::<Vec<_>>()[..] {
                    ["-P", chain, "DROP"] => rules.policy(table, chain, "DROP"),
                    ["-A", chain, ..] => {
                        if chain.starts_with(char::is_lowercase) && !chains.contains(&chain) {
                            chains.push(chain);
                            rules.chain(table, chain);
                        }
                        rules.script(table, line);
                    }
                    _ => unreachable!("a script's rules are written here: {line}"),
                }
            }
        }
        Self { about, rules, steps: Vec::new() }
    }

    /// A packet comes in. Says which step it is.
    fn send(&mut self, port: Port, ip: &Ip) -> usize {
        self.burst(port, std::slice::from_ref(ip))
    }

    /// Packets come in as one burst.
    fn burst(&mut self, port: Port, packets: &[Ip]) -> usize {
        self.steps.push(Step::Packets(port, packets.iter().map(|ip| ip.frame(port)).collect()));
        self.steps.len() - 1
    }

    /// Whoever got what an earlier step sent answers.
    fn answer(&mut self, to: usize, with: Answer) -> usize {
        self.steps.push(Step::Answer { to, with });
        self.steps.len() - 1
    }
}

fn scripts(salt: u16) -> Vec<Script> {
    [state::scripts(), nat::scripts(), rules::scripts(salt)].into_iter().flatten().collect()
}

/// How many seeds give cases that differ from each other: every script at every length.
pub(super) fn seeds() -> u64 {
    scripts(0).iter().map(|script| script.steps.len() as u64).sum()
}

/// The case of a seed. The first seeds are the whole scripts; those behind them the same ones, a step shorter each time.
pub(super) fn case(seed: u64) -> Case {
    let mut scripts = scripts(seed as u16 % 8000);
    let mut nth = seed as usize % seeds() as usize;
    let mut cut = 0;
    loop {
        let long_enough: Vec<usize> = (0..scripts.len()).filter(|i| scripts[*i].steps.len() > cut).collect();
        if let Some(&i) = long_enough.get(nth) {
            let Script { about, rules, mut steps } = scripts.swap_remove(i);
            steps.truncate(steps.len() - cut);
            return Case {
                about: format!("{about}\n"),
                seed,
                ipv6: false,
                redirects: false,
                sets: rules.sets.clone(),
                clock: None,
                rules: rules.text(),
                steps,
            };
        }
        nth -= long_enough.len();
        cut += 1;
    }
}
