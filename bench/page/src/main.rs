//! `page`: writes what the benchmarks left in files as a page with plots, and says which bars are missed.
#![forbid(unsafe_code)]

mod criterion;
mod plots;
mod tables;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use report::{BARS, Results};

/// Writes what the benchmarks left as a page with plots, and says which bars are missed.
#[derive(Parser)]
#[command(name = "page")]
struct Arguments {
    /// What `loop` and `peers` left.
    #[arg(long, value_name = "FOLDER", default_value = "bench/results")]
    results: PathBuf,
    /// What criterion left.
    #[arg(long, value_name = "FOLDER", default_value = "target/criterion")]
    criterion: PathBuf,
    /// Where `benchmarks.md` goes, and the plots in a folder beside it.
    #[arg(long, value_name = "FOLDER", default_value = "docs")]
    docs: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { results: folder, criterion, docs } = Arguments::parse();
    let mut results = Vec::new();
    for name in ["loop.json", "peers.json"].map(|name| folder.join(name)) {
        if name.exists() {
            results.push(Results::read(&name)?);
        }
    }
    ensure!(!results.is_empty(), "{} has no results: make bench", folder.display());
    let machine = results[0].machine.clone();
    results.push(Results { machine, records: Vec::new(), figures: criterion::figures(&criterion)? });

    let plots = docs.join("benchmarks");
    fs::create_dir_all(&plots).with_context(|| format!("making {}", plots.display()))?;
    let drawn = plots::draw(&plots, &results)?;
    let page = docs.join("benchmarks.md");
    fs::write(&page, tables::page(&results, &drawn)).with_context(|| format!("writing {}", page.display()))?;
    for line in BARS.iter().filter_map(|bar| bar.missed(&results)) {
        println!("{line}");
    }
    Ok(())
}
