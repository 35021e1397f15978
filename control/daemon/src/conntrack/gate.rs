//! How many conntrack commands run at once: each holds a connection to the dataplane, which has only so many.
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Commands at once.
const PLACES: usize = 8;
/// How long one waits for a place.
const PATIENCE: Duration = Duration::from_secs(30);

/// The gate.
#[derive(Debug, Default)]
pub struct Gate {
    inside: Mutex<usize>,
    left: Condvar,
}

/// A command inside; leaves when dropped.
#[derive(Debug)]
pub(super) struct Pass<'a>(&'a Gate);

impl Gate {
    /// Waits for a place; `None` when none became free.
    pub(super) fn enter(&self) -> Option<Pass<'_>> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.left.wait_timeout_while(inside, PATIENCE, |inside| *inside >= PLACES);
        let (mut inside, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() {
            return None;
        }
        *inside += 1;
        Some(Pass(self))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.inside.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.left.notify_one();
    }
}
