//! `-m quota`: bytes that may pass, once (`xt_quota.c`).

use crate::atomic::{AtomicU64, Ordering};

/// The cell of a rule that lets so many bytes pass.
pub(crate) fn start(bytes: u64) -> AtomicU64 {
    AtomicU64::new(bytes)
}

/// Takes a packet's bytes off what is left; false when there are not enough, and then none are left for smaller packets either.
#[inline]
pub(crate) fn take(cell: &AtomicU64, bytes: u32) -> bool {
    let mut left = cell.load(Ordering::Relaxed);
    loop {
        let rest = left.checked_sub(u64::from(bytes));
        // What is used up is only read.
        if left == 0 && rest.is_none() {
            return false;
        }
        match cell.compare_exchange_weak(left, rest.unwrap_or(0), Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return rest.is_some(),
            Err(now) => left = now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_the_first_packet_that_is_too_long_none_passes() {
        let cell = start(100);
        let passed = [60, 40, 1].map(|bytes| take(&cell, bytes));
        assert_eq!(passed, [true, true, false]);
        let cell = start(100);
        let passed = [60, 41, 40, 0].map(|bytes| take(&cell, bytes));
        assert_eq!(passed, [true, false, false, true], "what has no bytes always fits");
    }
}
