//! DPDK as benchmarks want it: without huge pages, files and cards, on one CPU.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

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
    Ok(last_two_cpus()?[1])
}

/// The last two of them, or the only one twice.
///
/// # Errors
/// When the kernel does not say which there are.
pub fn last_two_cpus() -> Result<[usize; 2]> {
    let allowed = sched_getaffinity(None).context("asking for the CPUs of this process")?;
    let mut cpus = (0..CpuSet::MAX_CPU).rev().filter(|cpu| allowed.is_set(*cpu));
    let last = cpus.next().context("a CPU")?;
    Ok([cpus.next().unwrap_or(last), last])
}

/// Has the calling thread run on this CPU alone.
///
/// # Errors
/// When it is not there, or not allowed to this process.
pub fn run_on(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("running on CPU {cpu}"))
}
