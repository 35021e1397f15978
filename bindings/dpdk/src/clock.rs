//! The time stamp counter: what a worker reads once per burst.
//!
//! # Soundness
//! Reading the counter has no precondition. Its frequency is measured by EAL, so a [`Clock`] is made from a handle.

use std::time::Duration;

use dpdk_sys as sys;

use crate::eal::Handle;

/// The counter and its frequency. A plain value: copy it to every worker.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    hz: u64,
}

impl Clock {
    /// A clock at the frequency that EAL measured.
    pub fn new(_eal: &Handle) -> Self {
        // SAFETY: EAL runs (the handle), so the frequency is known.
        Clock { hz: unsafe { sys::rte_get_tsc_hz() }.max(1) }
    }

    /// The counter now, in cycles since some moment of the past.
    #[inline]
    pub fn cycles(&self) -> u64 {
        // SAFETY: reads a counter.
        unsafe { sys::shim_tsc() }
    }

    /// Cycles per second.
    pub fn hz(&self) -> u64 {
        self.hz
    }

    /// How long `cycles` take.
    pub fn duration(&self, cycles: u64) -> Duration {
        let nanoseconds = u128::from(cycles) * 1_000_000_000 / u128::from(self.hz);
        Duration::from_nanos(nanoseconds.try_into().unwrap_or(u64::MAX))
    }
}
