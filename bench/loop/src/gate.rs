//! What two threads do step by step, at the same time.

use std::hint;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::{Result, ensure};

/// Turns of waiting after which the processor is given away: the other thread may want it.
const SPINS: u32 = 1 << 14;

/// A gate that opens when both have come.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// How often either has come.
    came: AtomicU64,
    broken: AtomicBool,
}

/// One thread's way through it.
#[derive(Debug)]
pub(crate) struct Passage<'a> {
    gate: &'a Gate,
    passed: u64,
}

impl Gate {
    /// For one of the two threads.
    pub(crate) fn passage(&self) -> Passage<'_> {
        Passage { gate: self, passed: 0 }
    }
}

impl Passage<'_> {
    /// Waits for the other thread; what either did before is seen by both behind it.
    ///
    /// # Errors
    /// When the other one has ended.
    pub(crate) fn wait(&mut self) -> Result<()> {
        self.passed += 1;
        self.gate.came.fetch_add(1, Ordering::AcqRel);
        let mut spins = 0;
        let open = || self.gate.came.load(Ordering::Acquire) >= 2 * self.passed;
        while !open() {
            // One that ended may have come before that.
            ensure!(!self.gate.broken.load(Ordering::Acquire) || open(), "the other side has ended");
            spins += 1;
            if spins < SPINS {
                hint::spin_loop();
            } else {
                thread::yield_now();
            }
        }
        Ok(())
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.gate.broken.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_goes_on_before_the_other_has_come() {
        const STEPS: u64 = 1000;
        let (gate, cells) = (Gate::default(), [AtomicU64::new(0), AtomicU64::new(0)]);
        thread::scope(|scope| {
            for me in 0..2 {
                let (mut passage, cells) = (gate.passage(), &cells);
                scope.spawn(move || {
                    for step in 1..=STEPS {
                        cells[me].store(step, Ordering::Relaxed);
                        passage.wait().expect("both are there");
                        assert_eq!(cells[1 - me].load(Ordering::Relaxed), step);
                        passage.wait().expect("both are there");
                    }
                });
            }
        });
    }

    #[test]
    fn nobody_waits_for_one_who_has_ended() {
        let gate = Gate::default();
        drop(gate.passage());
        assert!(gate.passage().wait().is_err());
    }
}
