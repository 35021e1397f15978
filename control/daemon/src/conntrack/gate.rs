//! How many conntrack commands run at once: each holds a connection to the dataplane, which has only so many.
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Commands at once that come to an end, and such as watch until somebody has seen enough.
const PLACES: usize = 8;
const WATCHERS: usize = 4;
/// How long one waits for a place.
const PATIENCE: Duration = Duration::from_secs(30);

/// The gate.
#[derive(Debug)]
pub struct Gate {
    places: usize,
    patience: Duration,
    inside: Mutex<usize>,
    left: Condvar,
}

/// A command inside; leaves when dropped.
#[derive(Debug)]
pub(super) struct Pass<'a>(&'a Gate);

impl Gate {
    /// For commands that come to an end: others wait for their place.
    pub fn of_commands() -> Gate {
        Gate { places: PLACES, patience: PATIENCE, inside: Mutex::default(), left: Condvar::new() }
    }

    /// For those that watch: no place becomes free by waiting.
    pub fn of_watchers() -> Gate {
        Gate { places: WATCHERS, patience: Duration::ZERO, ..Gate::of_commands() }
    }

    /// Waits for a place; `None` when none became free.
    pub(super) fn enter(&self) -> Option<Pass<'_>> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.left.wait_timeout_while(inside, self.patience, |inside| *inside >= self.places);
        let (mut inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *inside >= self.places {
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
