//! DPDK as benchmarks want it: without huge pages, files and cards, on one CPU.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity};

/// EAL's arguments, to which devices are added; `name` is the program's.
pub fn eal_arguments(cpu: usize, name: &str) -> Vec<String> {
    let own = [format!("--lcores=0@{cpu}"), format!("--file-prefix={name}-{}", std::process::id())];
    let all = ["--no-huge", "--no-shconf", "--no-telemetry", "--no-pci", "--log-level=lib.eal:error", "-m64"];
    own.into_iter().chain(all.map(String::from)).collect()
}

/// The last CPU of those that this process may use: the first one has the system's interrupts as a rule.
///
/// # Errors
/// When the kernel does not say which there are.
pub fn last_cpu() -> Result<usize> {
    let allowed = sched_getaffinity(None).context("asking for the CPUs of this process")?;
    (0..CpuSet::MAX_CPU).rfind(|cpu| allowed.is_set(*cpu)).context("a CPU")
}
