//! `peers`: what others need for the same packets. The Linux kernel under the same rules, by iptables-legacy and by iptables-nft, and DPDK's
//! own forwarder, which knows no rules; DPDK's own classifier among rules like those of Rampart's trees; and how long a change of rules takes, by
//! iptables and by Rampart's daemons.
//!
//! The kernel's cost is the time of a system call that sends a burst into a wire: its routers stand behind veth pairs, so the kernel
//! forwards each packet within the call. A second router without rules is measured in turns with the first; what the rules cost is the
//! difference. Needs namespaces: run it through `tests/net/enter`.
#![forbid(unsafe_code)]

mod acl;
mod changes;
mod kernel;
mod site;
mod testpmd;
mod wire;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use net::namespace::Namespace;
use report::{Figure, Machine, Record, Results};
use scene::scenario::Scenario;
use scene::{last_cpu, rules};

use crate::site::Iptables;

/// What the Linux kernel and DPDK's own forwarder need for the packets that `loop` sends.
#[derive(Parser)]
#[command(name = "peers")]
struct Arguments {
    /// Only what has all of these in its name.
    names: Vec<String>,
    /// Where the results go.
    #[arg(long, value_name = "FILE", default_value = "bench/results/peers.json")]
    results: PathBuf,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program starts itself for: a process has DPDK once.
#[derive(Subcommand)]
enum Part {
    /// Makes the connections of a scenario.
    #[command(hide = true)]
    Connect { number: usize },
    /// One scenario; prints its figures.
    #[command(hide = true)]
    Measure { number: usize, name: String },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let scenarios = kernel::scenarios();
    let scenario = |number: usize| scenarios.get(number).context("no such scenario");
    match arguments.part {
        Some(Part::Connect { number }) => kernel::connect(scenario(number)?, last_cpu()?),
        Some(Part::Measure { number, name }) => {
            println!("{}", serde_json::to_string(&kernel::measure(&name, scenario(number)?, last_cpu()?)?)?);
            Ok(())
        }
        None => all(&arguments, &scenarios),
    }
}

fn all(arguments: &Arguments, scenarios: &[Scenario]) -> Result<()> {
    let mut results = Results { machine: Machine::here(), records: Vec::new(), figures: Vec::new() };
    let wanted = |name: &str| arguments.names.iter().all(|part| name.contains(part.as_str()));
    let mut failed = 0;
    // One that fails does not take the others with it.
    let mut record = |name: String, measure: &dyn Fn(&str) -> Result<Record>| {
        if wanted(&name) {
            match measure(&name) {
                Ok(record) => {
                    say(&record);
                    results.records.push(record);
                }
                Err(error) => {
                    eprintln!("{name}: {error:#}");
                    failed += 1;
                }
            }
        }
    };
    for mode in testpmd::MODES {
        record(format!("testpmd: {mode}"), &|name| testpmd::measure(name, mode, last_cpu()?));
    }
    for class in acl::CLASSES {
        record(format!("librte_acl: {}, {} rules", class.name(), acl::RULES), &|name| acl::measure(name, class, last_cpu()?));
    }
    for iptables in [Iptables::Legacy, Iptables::Nft] {
        for (number, scenario) in scenarios.iter().enumerate() {
            record(format!("iptables-{}: {scenario}", iptables.name()), &|name| one(iptables, number, scenario, name));
        }
    }
    for (whose, rules) in changes::Whose::ALL.into_iter().flat_map(|whose| changes::RULES.map(|rules| (whose, rules))) {
        let name = format!("{}: changes, {rules} rules", whose.name());
        if !wanted(&name) {
            continue;
        }
        match changes::measure(whose, rules) {
            Ok(figures) => {
                figures.iter().for_each(|Figure { name, value, .. }| println!("{name:60} {:9.1} ms", value / 1e6));
                results.figures.extend(figures);
            }
            Err(error) => {
                eprintln!("{name}: {error:#}");
                failed += 1;
            }
        }
    }
    // What an earlier run has left is worth more than nothing.
    if !results.records.is_empty() || !results.figures.is_empty() {
        results.write(&arguments.results)?;
    }
    ensure!(failed == 0, "{failed} could not be measured");
    Ok(())
}

/// One scenario, between routers of its own, which are taken down whatever comes of it.
fn one(iptables: Iptables, number: usize, scenario: &Scenario, name: &str) -> Result<Record> {
    site::entered()?;
    let record = site::make().and_then(|[ruled, _]| between(&ruled, iptables, number, scenario, name));
    site::unmake()?;
    record
}

fn between(ruled: &Namespace, iptables: Iptables, number: usize, scenario: &Scenario, name: &str) -> Result<Record> {
    let (text, _) = scenario.rules_and_load();
    if text != rules::NONE {
        site::load(ruled, iptables, &text)?;
    }
    if scenario.tracks() {
        again(&["connect", &number.to_string()])?;
        let known = kernel::connections(ruled)?;
        ensure!(known == scenario.flows, "{known} connections are known, not {}", scenario.flows);
    }
    let said = again(&["measure", &number.to_string(), name])?;
    serde_json::from_str(said.lines().last().unwrap_or_default()).context("what it printed")
}

/// This program once more, in a process of its own.
fn again(arguments: &[&str]) -> Result<String> {
    let out = Command::new(std::env::current_exe()?).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(out.status.success(), "{arguments:?} ended with {}", out.status);
    String::from_utf8(out.stdout).context("what it printed")
}

fn say(Record { name, whole, base, .. }: &Record) {
    let over = base.map_or_else(String::new, |base| format!(", {:.1} more than without rules", whole.best - base.best));
    println!("{name:60} {:9.1} ns, median {:.1} ({:.1} to {:.1}){over}", whole.best, whole.median, whole.lower, whole.upper);
}
