//! One limit for all workers: how many flows there may be (`nf_conntrack_max`).
//!
//! A flow needs a credit. Workers borrow credits a handful at a time, so that a new flow does not touch what all of them write, and give back
//! what they have too much of. While few are left they borrow one at a time and keep none: at the limit no credit lies idle, and the
//! limit is exact.
//!
//! Written and read by every worker, by atomic operations on one number. It carries no other memory with it: `Relaxed` is enough.

use crate::atomic::{AtomicU32, Ordering};

/// Credits that a worker borrows at a time, and keeps for its next flows.
const HANDFUL: u32 = 64;

/// The credits that no worker has.
#[derive(Debug)]
pub(crate) struct Credits {
    left: AtomicU32,
    limit: u32,
    /// With fewer left than this nobody keeps any.
    scarce: u32,
}

impl Credits {
    /// So many flows for so many workers.
    pub(crate) fn new(flows: u32, workers: u16) -> Self {
        Self { left: AtomicU32::new(flows), limit: flows, scarce: 2 * HANDFUL * u32::from(workers) }
    }

    fn borrow_some(&self) -> u32 {
        let mut left = self.left.load(Ordering::Relaxed);
        loop {
            let wanted = if left < self.scarce { left.min(1) } else { HANDFUL };
            if wanted == 0 {
                return 0;
            }
            match self.left.compare_exchange_weak(left, left - wanted, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return wanted,
                Err(now) => left = now,
            }
        }
    }

    fn give(&self, credits: u32) {
        self.left.fetch_add(credits, Ordering::Relaxed);
    }

    /// Are more than 95 of a hundred in use?
    pub(crate) fn is_crowded(&self) -> bool {
        self.left.load(Ordering::Relaxed) < self.limit / 20
    }

    fn is_scarce(&self) -> bool {
        self.left.load(Ordering::Relaxed) < self.scarce
    }
}

/// What one worker has borrowed and not used. Written and read by it alone.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    spare: u32,
}

impl Purse {
    /// A credit for a new flow; `false` at the limit.
    #[inline]
    pub(crate) fn take(&mut self, credits: &Credits) -> bool {
        if self.spare == 0 {
            self.spare = credits.borrow_some();
        }
        let has = self.spare > 0;
        self.spare -= u32::from(has);
        has
    }

    /// The credits of flows that ended.
    #[inline]
    pub(crate) fn put(&mut self, flows: u32) {
        self.spare += flows;
    }

    /// Gives back what is too much. To be called between bursts.
    #[inline]
    pub(crate) fn settle(&mut self, credits: &Credits) {
        let kept = if self.spare > 0 && credits.is_scarce() { 0 } else { self.spare.min(2 * HANDFUL) };
        if kept < self.spare {
            credits.give(self.spare - kept);
            self.spare = kept;
        }
    }
}
