//! Instructions a packet, counted by valgrind: the same on every day and on every machine with the same processor features.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Rounds that are counted: the mean is steady long before.
const PACKETS: usize = 16_384;

/// Starts this program once more, below valgrind, for what has that number and comes in such bursts.
pub(crate) fn instructions(number: usize, burst: usize) -> Result<f64> {
    let rounds = PACKETS / burst;
    let file: PathBuf = std::env::temp_dir().join(format!("rampart-callgrind-{}", std::process::id()));
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*counted_round*", &format!("--callgrind-out-file={}", file.display())])
        .arg(std::env::current_exe()?)
        .args(["count", &number.to_string(), &rounds.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("starting valgrind (package valgrind)")?;
    ensure!(out.status.success(), "below valgrind: {}", String::from_utf8_lossy(&out.stderr));
    let profile = fs::read_to_string(&file).context("what valgrind wrote")?;
    fs::remove_file(&file)?;
    let total: f64 = profile.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok()).context("a total")?;
    ensure!(total > 0.0, "nothing was counted");
    Ok(total / (rounds * burst) as f64)
}
