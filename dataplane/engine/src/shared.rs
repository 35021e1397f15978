//! What all workers write: few things, each of fixed size, each changed by atomic operations alone. Allocated at boot.

use crate::walk::pace::Pace;

/// What the workers of one box share. One object for all of them.
#[derive(Debug)]
pub struct Shared {
    /// How often the box answers.
    pub(crate) pace: Pace,
}

impl Shared {
    /// For the workers of one box. The seed keys its tables.
    pub fn new(seed: u64) -> Self {
        Self { pace: Pace::new(seed) }
    }
}
