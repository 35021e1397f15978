//! `-m statistic --mode nth`: every n-th packet that reaches the rule.

use crate::atomic::{AtomicU64, Ordering};

/// The cell of a rule that stands at `position` first.
pub(crate) fn start(position: u32) -> AtomicU64 {
    AtomicU64::new(u64::from(position))
}

/// Counts the packet; true when the round (of `every + 1` packets) ends with it (`xt_statistic.c`).
#[inline]
pub(crate) fn hit(cell: &AtomicU64, every: u32) -> bool {
    let next = |position: u64| if position >= u64::from(every) { 0 } else { position + 1 };
    let mut position = cell.load(Ordering::Relaxed);
    loop {
        match cell.compare_exchange_weak(position, next(position), Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return next(position) == 0,
            Err(now) => position = now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As iptables stores `--every 3 --packet p`: every 2, position `2 - p`.
    fn pattern(packet: u32) -> Vec<bool> {
        let cell = start(2 - packet);
        (0..7).map(|_| hit(&cell, 2)).collect()
    }

    #[test]
    fn packet_p_of_every_three_matches() {
        assert_eq!(pattern(0), [true, false, false, true, false, false, true]);
        assert_eq!(pattern(1), [false, true, false, false, true, false, false]);
        assert_eq!(pattern(2), [false, false, true, false, false, true, false]);
    }
}
