//! What the machine's clock and zone are, for the rules that ask: workers read no clock but their own.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use dpdk::zone;
use engine::shared::Shared;

use crate::worker::Nanoseconds;

/// The machine's clock beside the workers' own.
pub struct Wall {
    shared: Arc<Shared>,
    clock: Nanoseconds,
}

impl Wall {
    /// Nothing is known before the first look.
    pub fn new(shared: Arc<Shared>, clock: Nanoseconds) -> Self {
        Self { shared, clock }
    }

    /// Tells the workers what it shows now. Done again and again: a step of the clock and another zone are seen at the next look.
    pub fn look(&self) {
        // A clock before 1970 is as good as one that shows 1970: no rule tells them apart.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanoseconds = i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX);
        // Where the zone may not be asked for, it is what it is on nearly all machines.
        self.shared.wall().set(self.clock.now(), nanoseconds, zone::minutes_west().unwrap_or(0));
    }
}
