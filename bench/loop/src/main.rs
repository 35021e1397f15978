//! `loop`: what a packet costs on its whole way through a worker, from its receive queue to its transmit queue, on one core and without a NIC.
//!
//! Whatever is measured runs in a process of its own, which makes its devices and its connections and then sends bursts round: a burst is put into a
//! ring of DPDK's in a NIC's place, the dataplane's own worker loop goes once round, and what came out is taken from another ring. Only the
//! worker's part is timed. In turns with it the same devices forward the same packets with nothing between, and that is taken off.
//!
//! The engine's clock is not the machine's here: it goes on by the same step from burst to burst, so that flows end at the rate at which
//! they begin, however fast that is. As with most NICs, a packet's checksum was verified before, and its bytes are in the cache.
#![forbid(unsafe_code)]

mod callgrind;
mod change;
mod gate;
mod heap;
mod lane;
mod measure;
mod pair;
mod pipe;
mod random_lines;
mod rig;
mod site;
mod stages;
mod subject;
mod tree;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use engine::WorkerConfig;
use report::{BARS, Figure, Machine, Record, Results};

use crate::subject::{Measured, Subject};

/// What a packet costs on its way through a worker, from receive queue to transmit queue, without a NIC.
#[derive(Parser)]
#[command(name = "loop")]
struct Arguments {
    /// Only what has all of these in their name.
    names: Vec<String>,
    /// Instructions a packet as well, by valgrind (of at most 10,000 flows).
    #[arg(long)]
    instructions: bool,
    /// Where the results go.
    #[arg(long, value_name = "FILE", default_value = "bench/results/loop.json")]
    results: PathBuf,
    /// Say what there is, and do nothing.
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program starts itself for.
#[derive(Subcommand)]
enum Part {
    /// One of them; prints its figures.
    #[command(hide = true)]
    Measure { number: usize },
    /// So many rounds of one, for a program that counts instructions.
    #[command(hide = true)]
    Count { number: usize, rounds: usize },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let subjects = Subject::all();
    let subject = |number: usize| subjects.get(number).context("there is nothing of this number");
    match arguments.part {
        Some(Part::Measure { number }) => {
            println!("{}", serde_json::to_string(&subject(number)?.measure()?)?);
            Ok(())
        }
        Some(Part::Count { number, rounds }) => subject(number)?.count(rounds),
        None => all(&arguments, &subjects),
    }
}

fn all(arguments: &Arguments, subjects: &[Subject]) -> Result<()> {
    let wanted = |subject: &Subject| arguments.names.iter().all(|name| subject.to_string().contains(name.as_str()));
    let chosen: Vec<_> = subjects.iter().enumerate().filter(|(_, subject)| wanted(subject)).collect();
    ensure!(!chosen.is_empty(), "nothing has this in its name; --list says what there is");
    if arguments.list {
        chosen.iter().for_each(|(_, subject)| println!("{subject}"));
        return Ok(());
    }
    let mut results = Results { machine: Machine::here(), records: Vec::new(), figures: vec![bytes_a_flow()] };
    let mut failed = 0;
    for (number, subject) in chosen {
        let mut measured = match measure(number) {
            Ok(measured) => measured,
            Err(error) => {
                eprintln!("{subject}: {error:#}");
                failed += 1;
                continue;
            }
        };
        for record in &mut measured.records {
            if arguments.instructions
                && let Some(burst) = subject.counted()
            {
                match callgrind::instructions(number, burst) {
                    Ok(instructions) => record.instructions = Some(instructions),
                    Err(error) => {
                        eprintln!("{subject}, instructions: {error:#}");
                        failed += 1;
                    }
                }
            }
            println!("{}", line(record));
        }
        for Figure { name, value, unit } in &measured.figures {
            println!("{name}: {value:.0} {unit}");
        }
        results.records.extend(measured.records);
        results.figures.extend(measured.figures);
    }
    results.write(&arguments.results)?;
    for line in BARS.iter().filter_map(|bar| bar.missed(std::slice::from_ref(&results))) {
        println!("{line}");
    }
    ensure!(failed == 0, "{failed} could not be measured");
    Ok(())
}

/// What the table of a million connections takes for each, with the index of both directions, timers, and what it remembers of traces.
fn bytes_a_flow() -> Figure {
    const FLOWS: u32 = 1_000_000;
    let config = WorkerConfig { flows: FLOWS, flow_extras: 0, traces: 1, ..WorkerConfig::default() };
    let value = config.flow_bytes() as f64 / f64::from(FLOWS);
    Figure { name: "bytes a flow".into(), value, unit: "bytes".into() }
}

/// Has a process of its own measure it: none finds the memory of another one.
fn measure(number: usize) -> Result<Measured> {
    let out = Command::new(std::env::current_exe()?)
        .args(["measure", &number.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(out.status.success(), "it ended with {}", out.status);
    let text = String::from_utf8(out.stdout).context("what it printed")?;
    serde_json::from_str(text.lines().last().unwrap_or_default()).context("what it printed")
}

fn line(record: &Record) -> String {
    let Record { name, whole, io, base, memory, instructions } = record;
    let mut line =
        format!("{name:55} {:7.1} ns, median {:.1} ({:.1} to {:.1})", record.net(), record.net_median(), whole.lower, whole.upper);
    if let Some(io) = io {
        line += &format!("; receiving and sending {:.1}", io.best);
    }
    if let Some(base) = base {
        line += &format!("; {:+.1} to what it is compared to", whole.best - base.best);
    }
    if let Some(memory) = memory {
        line += &format!("; four lines of memory {:.1}", memory.best);
    }
    if let Some(instructions) = instructions {
        line += &format!("; {instructions:.0} instructions");
    }
    line
}
