//! The clock on the wall, beside the workers' own that nobody sets.
//!
//! A worker reads no clock: with each burst it is told the time since some start. How far that is from 1970 stands here, written again and again by whoever
//! runs the workers, so that a step of the machine's clock is seen at the next packet behind the next look. Leap seconds are the machine's: its clock
//! shows the same second twice, and so does this one.

use core::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use program::WallTime;

use crate::time::Time;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// What all workers know of it. Written by one thread, read by the workers for packets whose rules ask.
#[derive(Debug, Default)]
pub struct WallClock {
    /// Nanoseconds from 1970 to the workers' start: enough until 2262.
    ahead: AtomicI64,
    /// The kernel's time zone, in minutes west of Greenwich.
    minutes_west: AtomicI32,
}

impl WallClock {
    /// At the workers' `now` it is so many nanoseconds since 1970, and the kernel has a time zone of so many minutes west of Greenwich.
    pub fn set(&self, now: Time, since_1970: i64, minutes_west: i32) {
        self.ahead.store(since_1970.wrapping_sub_unsigned(now.0), Ordering::Relaxed);
        self.minutes_west.store(minutes_west, Ordering::Relaxed);
    }

    /// What it shows at the workers' `now`.
    #[inline]
    pub(crate) fn at(&self, now: Time) -> WallTime {
        let nanoseconds = self.ahead.load(Ordering::Relaxed).wrapping_add_unsigned(now.0);
        WallTime { seconds: nanoseconds.div_euclid(SECOND), minutes_west: self.minutes_west.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_with_the_workers_and_can_be_set_forwards_and_back() {
        let wall = WallClock::default();
        let seconds = |now| wall.at(Time(now)).seconds;
        wall.set(Time(500), 1_700_000_000 * SECOND, -120);
        assert_eq!(
            (seconds(500), seconds(500 + 999_999_999), seconds(500 + 1_000_000_000)),
            (1_700_000_000, 1_700_000_000, 1_700_000_001)
        );
        assert_eq!((seconds(499), wall.at(Time(0)).minutes_west), (1_699_999_999, -120));
        wall.set(Time(7_000_000_000), 5 * SECOND, 0);
        assert_eq!(seconds(8_000_000_000), 6, "before the workers' start");
    }
}
