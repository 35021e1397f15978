//! What a benchmark leaves in `bench/results/`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{Machine, Slices};

/// One benchmark's figures from one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Where they were measured.
    pub machine: Machine,
    /// What packets cost, in the order of their measuring.
    pub records: Vec<Record>,
    /// Other numbers.
    pub figures: Vec<Figure>,
}

/// A number that stands alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name. Bars and pages find it by this.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what: "ns", "bytes".
    pub unit: String,
}

/// What was measured of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name. Bars and pages find it by this.
    pub name: String,
    /// Nanoseconds a packet, all in all.
    pub whole: Slices,
    /// Nanoseconds a packet of receiving and sending alone, by the same devices in turns with it.
    pub io: Option<Slices>,
    /// The same as `whole` under the rules that it is compared to, in turns with it.
    pub base: Option<Slices>,
    /// Nanoseconds a packet of four lines of memory, for what depends on memory.
    pub memory: Option<Slices>,
    /// Instructions a packet.
    pub instructions: Option<f64>,
}

impl Record {
    /// What it costs on top of receiving and sending, by the best slices.
    pub fn net(&self) -> f64 {
        self.whole.best - self.io.map_or(0.0, |io| io.best)
    }

    /// The same by the medians.
    pub fn net_median(&self) -> f64 {
        self.whole.median - self.io.map_or(0.0, |io| io.median)
    }
}

impl Results {
    /// The figures of this name.
    pub fn record(&self, name: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.name == name)
    }

    /// The number of this name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// Writes them as JSON, for programs and for whoever compares two runs.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let text = serde_json::to_string_pretty(self).context("results as JSON")?;
        fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// When there is no such file, or something else in it.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} has no results", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_receiving_and_sending_is_taken_off() {
        let slices = |best| Slices::of(vec![best, best + 1.0, best + 2.0]);
        let record = Record {
            name: "a".into(),
            whole: slices(50.0),
            io: Some(slices(8.0)),
            base: None,
            memory: None,
            instructions: Some(300.0),
        };
        assert_eq!((record.net(), record.net_median()), (42.0, 42.0));
        let figure = Figure { name: "b".into(), value: 1.5, unit: "bytes".into() };
        let results = Results { machine: Machine::here(), records: vec![record], figures: vec![figure] };
        let folder = std::env::temp_dir().join(format!("rampart-report-{}", std::process::id()));
        let path = folder.join("results/a.json");
        results.write(&path).expect("written");
        assert_eq!(Results::read(&path).expect("read"), results);
        assert!(results.record("a").is_some() && results.record("b").is_none());
        assert!(results.figure("b").is_some() && results.figure("a").is_none());
        fs::remove_dir_all(folder).expect("removed");
    }
}
