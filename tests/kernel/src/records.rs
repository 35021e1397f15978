//! What the kernel did with generated cases, recorded: one compressed file a generator. The case itself is its generator's and its seed's, so that
//! a record holds the answers alone, and a fingerprint of the case that they answer.
//!
//! ```text
//! seed 17 2af10c...               the case, and its fingerprint
//! seed 17 2af10c... 1795842000    the same, of rules that speak of time: what the clock showed
//! out 0 eth1 ...                  what the kernel did: see [`crate::observed`]
//! ```

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use siphasher::sip::SipHasher13;

use crate::System;
use crate::case::Case;
use crate::compare::{Difference, compare};
use crate::generate::Generator;
use crate::observed::Observed;
use crate::rampart::Rampart;

/// Most bytes of a file's text: more is no record.
const MOST: u64 = 1 << 30;

/// The kernel's answers to one case.
#[derive(Clone, Debug)]
pub struct Record {
    /// The seed of the case.
    pub seed: u64,
    /// [`fingerprint`] of the case when it was recorded.
    pub fingerprint: u64,
    /// What the clock on the wall showed, if the case hangs on it.
    pub clock: Option<u64>,
    /// What the kernel did.
    pub kernel: Observed,
}

impl Record {
    /// Does it say of this case what another record says?
    pub fn says(&self, case: &Case, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
            && self.kernel.steps.len() <= case.steps.len()
            && compare(case, &self.whole(case), &other.kernel).is_empty()
            && compare(case, &other.kernel, &self.whole(case)).is_empty()
    }

    /// What the kernel did, with the last steps in it in which nothing left.
    fn whole(&self, case: &Case) -> Observed {
        let mut kernel = self.kernel.clone();
        if kernel.refused.is_none() {
            kernel.steps.resize(case.steps.len(), Vec::new());
        }
        kernel
    }

    /// The case through the engine, against the record.
    ///
    /// # Errors
    /// The generator makes another case of the seed than when it was recorded.
    pub fn replay(&self, generator: Generator) -> Result<Vec<Difference>> {
        let case = self.clock.map_or_else(|| generator.case(self.seed), |clock| generator.case_at(self.seed, clock));
        let name = generator.name();
        ensure!(
            fingerprint(&case) == self.fingerprint,
            "{name} seed {}: the generator has changed: make kernel-records",
            self.seed
        );
        ensure!(self.kernel.steps.len() <= case.steps.len(), "{name} seed {}: more steps than there are", self.seed);
        Ok(compare(&case, &self.whole(&case), &Rampart::default().run(&case)?))
    }
}

/// Tells one case from another.
pub fn fingerprint(case: &Case) -> u64 {
    SipHasher13::new().hash(case.write(None).as_bytes())
}

/// Where the records of a generator are.
pub fn path(folder: &Path, generator: Generator) -> PathBuf {
    folder.join(format!("{}.gz", generator.name()))
}

/// Writes a generator's file.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, records: &[Record]) -> Result<()> {
    let mut text = String::new();
    for record in records {
        let clock = record.clock.map_or_else(String::new, |clock| format!(" {clock}"));
        writeln!(text, "seed {} {:016x}{clock}", record.seed, record.fingerprint)?;
        record.kernel.write(&mut text);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(text.as_bytes())?;
    fs::write(path, packed.finish()?).with_context(|| path.display().to_string())
}

/// Reads a generator's file.
///
/// # Errors
/// It cannot be read, or is none.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    let packed = fs::read(path).with_context(|| format!("{}: make kernel-records", path.display()))?;
    let mut text = String::new();
    GzDecoder::new(&packed[..]).take(MOST).read_to_string(&mut text).with_context(|| path.display().to_string())?;
    let mut records: Vec<Record> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let read = if let Some(begin) = line.strip_prefix("seed ") {
            begin_record(begin).map(|record| records.push(record))
        } else {
            records.last_mut().context("a seed comes first").and_then(|record| record.kernel.read(line))
        };
        read.with_context(|| format!("{} line {}", path.display(), number + 1))?;
    }
    Ok(records)
}

fn begin_record(words: &str) -> Result<Record> {
    let words: Vec<&str> = words.split(' ').collect();
    let (seed, fingerprint, clock) = match words[..] {
        [seed, fingerprint] => (seed, fingerprint, None),
        [seed, fingerprint, clock] => (seed, fingerprint, Some(clock.parse()?)),
        _ => bail!("seed and fingerprint, and a clock if it hangs on it"),
    };
    Ok(Record { seed: seed.parse()?, fingerprint: u64::from_str_radix(fingerprint, 16)?, clock, kernel: Observed::default() })
}
