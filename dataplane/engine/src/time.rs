//! Time as the walk sees it: given with each burst, never read.

/// Monotonic time in nanoseconds from an arbitrary start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// Whole milliseconds.
    #[inline]
    pub fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole seconds.
    #[inline]
    pub fn seconds(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Whole seconds from `now` until then; none when it is past.
    #[inline]
    pub fn seconds_from(self, now: Self) -> u32 {
        u32::try_from(self.0.saturating_sub(now.0) / 1_000_000_000).unwrap_or(u32::MAX)
    }

    /// So many seconds later.
    #[inline]
    pub fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0 + u64::from(seconds) * 1_000_000_000)
    }

    /// This much later.
    #[inline]
    pub fn plus_millis(self, millis: u64) -> Self {
        Self(self.0 + millis * 1_000_000)
    }
}
