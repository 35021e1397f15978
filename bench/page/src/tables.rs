//! The page itself.

use std::fmt::Write as _;

use report::{BARS, Figure, Machine, Record, Results, Standing};

use crate::plots::Plot;

const HEAD: &str = "<!-- Written by `make bench`: what is changed here is lost. -->\n# Benchmarks\n\n\
    What one run on one machine gave; [bench/README.md](../bench/README.md) says what is measured and how. Nanoseconds a packet, by the best slice;\n\
    the median, and the quarters round it, say how quiet the machine was.\n\n";

/// The page, with these plots beside it.
pub(crate) fn page(results: &[Results], plots: &[Plot]) -> String {
    let mut page = HEAD.to_owned();
    if let Some(results) = results.first() {
        page += &machine(&results.machine);
    }
    page += &bars(results);
    for plot in plots {
        // Writing to a String cannot fail.
        let _ = write!(page, "![{}](benchmarks/{})\n\n", plot.title, plot.file);
    }
    page += "## All figures\n\n\
        | | on top of receiving and sending; where there are none, of what it is compared to | median | quarters | instructions | four lines of memory |\n\
        |---|--:|--:|--:|--:|--:|\n";
    page.extend(results.iter().flat_map(|results| &results.records).map(row));
    page += "\n| | |\n|---|--:|\n";
    page.extend(results.iter().flat_map(|results| &results.figures).map(number));
    page
}

fn machine(machine: &Machine) -> String {
    let Machine { cpu, cpus, caches, memory, kernel, huge_pages, virtual_machine, load } = machine;
    let kind = if *virtual_machine { ", a virtual machine" } else { "" };
    format!(
        "{cpu}, {cpus} of them{kind}; {}; {memory} MiB of memory; Linux {kernel}, transparent huge pages: {huge_pages}; \
         load when it began: {load}.\n\n",
        caches.join(", ")
    )
}

fn bars(results: &[Results]) -> String {
    let mut table = String::from("## Bars\n\n| what | at most | measured | |\n|---|--:|--:|---|\n");
    for bar in BARS {
        let standing = bar.standing(results);
        let measured = match standing {
            Standing::Met(value) | Standing::Missed(value) => bar.amount(value),
            Standing::Unmeasured => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {} | {} | {measured} | {standing} |", bar.what, bar.bound());
    }
    table + "\n"
}

fn row(record: &Record) -> String {
    let Record { name, whole, memory, instructions, .. } = record;
    let floor = |pick: fn(&report::Slices) -> f64| record.io.or(record.base).as_ref().map_or(0.0, pick);
    let best = whole.best - floor(|slices| slices.best);
    let [lower, median, upper] = [whole.lower, whole.median, whole.upper].map(|value| value - floor(|slices| slices.median));
    let optional = |value: Option<f64>, digits: usize| value.map_or_else(String::new, |value| format!("{value:.digits$}"));
    format!(
        "| {name} | {best:.1} | {median:.1} | {lower:.1} to {upper:.1} | {} | {} |\n",
        optional(*instructions, 0),
        optional(memory.map(|slices| slices.best), 1)
    )
}

/// A number that stands alone, in a unit that makes it short.
fn number(Figure { name, value, unit }: &Figure) -> String {
    let (value, unit) = match unit.as_str() {
        "ns" if *value >= 1e7 => (value / 1e6, "ms"),
        "ns" if *value >= 1e4 => (value / 1e3, "us"),
        unit => (*value, unit),
    };
    let digits = if value < 1000.0 && value.fract() != 0.0 { 1 } else { 0 };
    format!("| {name} | {value:.digits$} {unit} |\n")
}

#[cfg(test)]
mod tests {
    use report::Slices;

    use super::*;

    #[test]
    fn a_page_has_the_bars_and_all_that_was_measured() {
        let slices = |value| Slices::of(vec![value]);
        let record = Record {
            name: "chain, 10000 flows, 8 rules, bursts of 64".into(),
            whole: slices(60.0),
            io: Some(slices(10.0)),
            base: Some(slices(55.0)),
            memory: None,
            instructions: Some(300.4),
        };
        let figure = |name: &str, value, unit: &str| Figure { name: name.into(), value, unit: unit.into() };
        let figures = vec![figure("bytes a flow", 200.0, "bytes"), figure("sending", 12_345_678.0, "ns")];
        let page = page(&[Results { machine: Machine::here(), records: vec![record], figures }], &[]);
        assert!(page.contains("| a chain of 8 rules | 8.00 ns | 5.00 ns | met |"), "{page}");
        assert!(page.contains("| 192.0 bytes | 200.0 bytes | **missed** |"), "{page}");
        assert!(page.contains("bursts of 64 | 50.0 | 50.0 | 50.0 to 50.0 | 300 |  |"), "{page}");
        assert!(page.contains("| not measured |"), "{page}");
        assert!(page.contains("| bytes a flow | 200 bytes |\n| sending | 12.3 ms |\n"), "{page}");
    }
}
