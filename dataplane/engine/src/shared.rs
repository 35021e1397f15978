//! What all workers write: few things, each of fixed size, each changed by atomic operations alone. Allocated at boot.

use crate::credits::Credits;
use crate::walk::pace::Pace;

/// What the workers of one box share. One object for all of them.
#[derive(Debug)]
pub struct Shared {
    /// How often the box answers.
    pub(crate) pace: Pace,
    /// How many flows there may be.
    pub(crate) credits: Credits,
}

impl Shared {
    /// For so many workers with so many flows among them. The seed keys its tables.
    pub fn new(workers: u16, flows: u32, seed: u64) -> Self {
        Self { pace: Pace::new(seed), credits: Credits::new(flows, workers) }
    }
}
