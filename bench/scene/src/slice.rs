//! Slices of time that count: those during which this thread had its processor for itself.

use std::time::Duration;

use anyhow::Result;
use dpdk::clock::Clock;
use rustix::time::{ClockId, clock_gettime};

/// Share of its time that a slice must have had the processor.
const UNDISTURBED: f64 = 0.98;

/// Measures by slices.
#[derive(Clone, Copy, Debug)]
pub struct Slicer {
    /// What it measures with.
    pub clock: Clock,
    /// Packets of a slice: it shall be over before the kernel thinks of somebody else.
    pub packets: usize,
}

impl Slicer {
    /// Nanoseconds a packet over one slice of bursts, when `round` says how many cycles the part of it took that counts. Nothing when
    /// somebody else had the processor meanwhile.
    ///
    /// # Errors
    /// What `round` fails with.
    pub fn slice(&self, burst: usize, mut round: impl FnMut() -> Result<u64>) -> Result<Option<f64>> {
        let rounds = self.packets / burst;
        let (mut cycles, start, busy) = (0, self.clock.cycles(), thread_time());
        for _ in 0..rounds {
            cycles += round()?;
        }
        let (busy, all) = (thread_time() - busy, self.clock.duration(self.clock.cycles() - start));
        let each = cycles as f64 * 1e9 / self.clock.hz() as f64 / (rounds * burst) as f64;
        Ok((busy.as_secs_f64() >= UNDISTURBED * all.as_secs_f64()).then_some(each))
    }
}

/// For how long this thread has had a processor.
pub fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
