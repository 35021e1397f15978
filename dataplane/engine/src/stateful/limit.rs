//! `-m limit`: one token bucket per rule (`xt_limit.c`).
//!
//! The cell holds the credit in its upper half and the time of the last packet, in milliseconds, in its lower half.

use crate::atomic::{AtomicU64, Ordering};

use program::LimitSpec;

use crate::time::Time;

/// By how many milliseconds the clocks of two workers may differ.
const SKEW: u32 = 10_000;

/// The cell of a full bucket. The credit is at its cap, so that it does not matter when the last packet is said to have come.
pub(crate) fn start(credit: u32) -> AtomicU64 {
    AtomicU64::new(u64::from(credit) << 32)
}

/// What a bucket holds.
#[derive(Clone, Copy)]
struct Bucket {
    credit: u64,
    last: u32,
}

impl Bucket {
    /// What is in the cell, filled up to `now`.
    #[inline]
    fn filled(cell: u64, spec: LimitSpec, now: u32) -> Self {
        let last = cell as u32;
        // Another worker's burst may have been given a later time: time does not run backwards here.
        let elapsed = match now.wrapping_sub(last) {
            skew if skew > u32::MAX - SKEW => 0,
            elapsed => elapsed,
        };
        let credit = ((cell >> 32) + u64::from(elapsed) * u64::from(LimitSpec::PER_MILLISECOND)).min(u64::from(spec.cap));
        Self { credit, last: last.wrapping_add(elapsed) }
    }

    #[inline]
    fn with(self, credit: u64) -> u64 {
        credit << 32 | u64::from(self.last)
    }
}

/// Takes a packet's cost out of the bucket; false when there is not enough in it.
#[inline]
pub(crate) fn take(cell: &AtomicU64, spec: LimitSpec, now: Time) -> bool {
    let now = now.millis() as u32;
    let mut old = cell.load(Ordering::Relaxed);
    loop {
        let bucket = Bucket::filled(old, spec, now);
        let rest = bucket.credit.checked_sub(u64::from(spec.cost));
        match cell.compare_exchange_weak(old, bucket.with(rest.unwrap_or(bucket.credit)), Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return rest.is_some(),
            Err(current) => old = current,
        }
    }
}

/// As [`take`] where there is not enough in the bucket. False, and nothing taken, where there is.
#[inline]
pub(crate) fn refuse(cell: &AtomicU64, spec: LimitSpec, now: Time) -> bool {
    let now = now.millis() as u32;
    let mut old = cell.load(Ordering::Relaxed);
    loop {
        let bucket = Bucket::filled(old, spec, now);
        if bucket.credit >= u64::from(spec.cost) {
            return false;
        }
        let new = bucket.with(bucket.credit);
        if new == old {
            return true;
        }
        match cell.compare_exchange_weak(old, new, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(current) => old = current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One packet a second, five saved.
    const SPEC: LimitSpec = LimitSpec { cost: 32_000, cap: 160_000 };

    fn at(seconds: u64) -> Time {
        Time(seconds * 1_000_000_000)
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let cell = start(SPEC.cap);
        let passed = (0..20).filter(|_| take(&cell, SPEC, at(100))).count();
        assert_eq!(passed, 5);
        assert!(!take(&cell, SPEC, Time(100_999_000_000)));
        assert!(take(&cell, SPEC, at(101)));
        assert!(!take(&cell, SPEC, at(101)));
    }

    /// Refusals in between change nothing of what is taken, whenever they are asked for.
    #[test]
    fn a_refusal_is_a_packet_too_many() {
        let (asked, left) = (start(SPEC.cap), start(SPEC.cap));
        let mut refused = 0;
        for millis in (100_000..130_000).step_by(70) {
            let now = Time(millis * 1_000_000);
            refused += u32::from(refuse(&asked, SPEC, now));
            assert_eq!(take(&asked, SPEC, now), take(&left, SPEC, now), "{millis}");
            assert!(!refuse(&asked, SPEC, now) || !take(&left, SPEC, now));
        }
        assert!(refused > 300);
        assert!(!refuse(&start(SPEC.cap), SPEC, at(1)));
    }

    #[test]
    fn no_more_than_the_burst_is_saved() {
        let cell = start(SPEC.cap);
        assert!(take(&cell, SPEC, at(0)));
        let passed = (0..20).filter(|_| take(&cell, SPEC, at(1_000))).count();
        assert_eq!(passed, 5);
    }
}
