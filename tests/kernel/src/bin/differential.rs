//! Feeds generated cases to the kernel and to the engine, and writes down what differs. Run it in `tests/net/enter`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use kernel::System;
use kernel::case::Case;
use kernel::compare::compare;
use kernel::differential::{differences, differential, run_clear};
use kernel::generate::Generator;
use kernel::linux::Linux;
use kernel::process::{NOT_COMPARED, Processes};
use kernel::rampart::Rampart;
use kernel::records::{self, Record};
use kernel::shrink::shrink;

/// Time for making one difference small.
const SHRINK: Duration = Duration::from_secs(20);

/// The same rules and packets through the kernel and through Rampart.
#[derive(Parser)]
struct Arguments {
    /// Run all generators, each its part of this time.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only this generator.
    #[arg(long)]
    generator: Option<String>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// At most this many seeds a generator.
    #[arg(long, default_value_t = u64::MAX)]
    seeds: u64,
    /// Give up a generator after this many differences.
    #[arg(long, default_value_t = 3)]
    most: usize,
    /// Where differences are written to.
    #[arg(long, default_value = "target/kernel-differences")]
    found: PathBuf,
    /// Instead: run the case files of this folder against the live kernel.
    #[arg(long)]
    cases: Option<PathBuf>,
    /// With `--cases`: write the kernel's answers into them.
    #[arg(long, requires = "cases")]
    record: bool,
    /// In place of the engine in process: both daemons and the real commands, from this folder, or `-` for the one that this program is in.
    #[arg(long, conflicts_with = "record_to")]
    processes: Option<PathBuf>,
    /// Instead: write what the kernel does with generated cases into this folder, a file a generator, at most `--seeds` for each.
    #[arg(long, conflicts_with = "cases")]
    record_to: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut kernel = Linux::new()?;
    for (what, why) in kernel.cannot_show() {
        println!("not compared: {what}: {why}");
    }
    let agree = match &arguments.processes {
        Some(bin) => {
            for (what, why) in NOT_COMPARED {
                println!("not compared: {what}: {why}");
            }
            let mut rampart = Processes::new((bin.as_os_str() != "-").then(|| bin.clone()))?;
            let agree = run(&mut kernel, &mut rampart, &arguments)?;
            println!("{}", rampart.effort());
            agree
        }
        None => run(&mut kernel, &mut Rampart::default(), &arguments)?,
    };
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(kernel: &mut Linux, rampart: &mut dyn System, arguments: &Arguments) -> Result<bool> {
    match (&arguments.cases, &arguments.record_to) {
        (Some(folder), _) => cases(kernel, rampart, folder, arguments.record),
        (None, Some(folder)) => record(kernel, arguments, folder),
        (None, None) => generated(kernel, rampart, arguments),
    }
}

fn generators(arguments: &Arguments) -> Result<Vec<Generator>> {
    match &arguments.generator {
        None => Ok(Generator::ALL.to_vec()),
        Some(name) => match Generator::named(name) {
            Some(generator) => Ok(vec![generator]),
            None => bail!("no generator {name}; there are: {}", Generator::ALL.map(Generator::name).join(" ")),
        },
    }
}

fn cases(kernel: &mut Linux, rampart: &mut dyn System, folder: &PathBuf, record: bool) -> Result<bool> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).context("the cases")?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|e| e == "case"));
    files.sort();
    let mut agree = true;
    for path in &files {
        let (case, before) = Case::parse(&fs::read_to_string(path)?).with_context(|| path.display().to_string())?;
        let theirs = kernel.run(&case)?;
        if record {
            recordable(kernel, &case)?;
            if before.is_none_or(|before| !compare(&case, &before, &theirs).is_empty()) {
                fs::write(path, case.write(Some(&theirs)))?;
            }
        }
        if let Some(why) = rampart.cannot_run(&case) {
            println!("left out: {} ({why})", path.display());
            continue;
        }
        let ours = rampart.run(&case).with_context(|| path.display().to_string())?;
        for difference in differences(&case, (kernel, &theirs), (rampart, &ours)) {
            println!("{}: {difference}", path.display());
            agree = false;
        }
    }
    println!("{} cases against the kernel", files.len());
    Ok(agree)
}

/// A record holds all that the kernel does, its log too.
fn recordable(kernel: &Linux, case: &Case) -> Result<()> {
    match kernel.cannot_show() {
        [(what, why), ..] if case.logs() => bail!("{what} cannot be recorded: {why}"),
        _ => Ok(()),
    }
}

fn record(kernel: &mut Linux, arguments: &Arguments, folder: &PathBuf) -> Result<bool> {
    fs::create_dir_all(folder)?;
    for generator in generators(arguments)? {
        // What says the same but for what may differ stays as it is.
        let before = records::read(&records::path(folder, generator)).unwrap_or_default();
        let mut records = Vec::new();
        for seed in 0..arguments.seeds.min(generator.recorded()) {
            let case = generator.case_now(seed)?;
            recordable(kernel, &case)?;
            let (fingerprint, clock) = (records::fingerprint(&case), case.clock);
            let new = Record { seed, fingerprint, clock, kernel: run_clear(kernel, &case)? };
            records.push(before.iter().find(|old| old.says(&case, &new)).cloned().unwrap_or(new));
        }
        records::write(&records::path(folder, generator), &records)?;
        println!("{:<12} {} cases recorded", generator.name(), records.len());
    }
    Ok(true)
}

fn generated(kernel: &mut Linux, rampart: &mut dyn System, arguments: &Arguments) -> Result<bool> {
    let generators = generators(arguments)?;
    let each = Duration::from_secs(arguments.seconds) / generators.len() as u32;
    let (mut packets, mut cases, mut differ) = (0, 0, 0);
    for generator in generators {
        let begin = Instant::now();
        let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds.min(generator.seeds()));
        let outcome = differential(kernel, rampart, generator, seeds, each, arguments.most)?;
        println!(
            "{:<12} {:>6} cases {:>8} packets {:>4} refused {:>4} differ, {:.1} s",
            generator.name(),
            outcome.cases,
            outcome.packets,
            outcome.refused,
            outcome.found.len(),
            begin.elapsed().as_secs_f64()
        );
        for (why, cases) in &outcome.left_out {
            println!("{:<12} {cases:>6} cases left out: {why}", generator.name());
        }
        packets += outcome.packets;
        cases += outcome.cases;
        differ += outcome.found.len();
        for found in outcome.found {
            let small = shrink(kernel, rampart, &found.case, &found.differences, SHRINK)?;
            let theirs = kernel.run(&small)?;
            fs::create_dir_all(&arguments.found)?;
            let path = arguments.found.join(format!("{}-{}.case", generator.name(), found.seed));
            fs::write(&path, small.write(Some(&theirs)))?;
            println!("--- seed {} ({})", found.seed, path.display());
            let ours = rampart.run(&small)?;
            let again = differences(&small, (kernel, &theirs), (rampart, &ours));
            if again.is_empty() {
                // It hangs on something random: what was seen the first time, and the whole case.
                fs::write(&path, found.case.write(Some(&found.kernel)))?;
                println!("not again; the first time:");
            }
            let shown = if again.is_empty() { &found.differences } else { &again };
            shown.iter().for_each(|difference| println!("{difference}"));
        }
    }
    println!("{cases} cases, {packets} packets, {differ} cases differ");
    if kernel.late > 0 {
        println!("timed cases that the kernel ran again, because they had taken too long: {}", kernel.late);
    }
    Ok(differ == 0)
}
