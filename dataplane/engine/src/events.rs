//! What becomes of flows, told to those who listen (`conntrack -E`).
//!
//! While somebody listens, a worker writes into a bounded queue; when that is full it loses what comes, counted, and goes on. As in the kernel
//! (`nf_conntrack_events` = 2), only flows that began while somebody listened are told of, and what a packet changed is told when it got through.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use packet::family::{Either, Family, PerFamily};

use crate::inbox::Listed;
use crate::time::Time;

/// Events of one worker that can wait: at two milliseconds between two looks, two million a second.
const DEPTH: usize = 4096;

/// What a flow went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its first packet got through.
    New,
    /// It is another than it was.
    Update,
    /// It ended.
    Destroy,
}

/// What changed: the kernel's `IPCT_*`, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes(u8);

impl Changes {
    /// The first answer.
    pub const REPLY: Self = Self(1);
    /// It is ASSURED.
    pub const ASSURED: Self = Self(1 << 1);
    /// Its protocol is in another state.
    pub const STATE: Self = Self(1 << 2);
    /// Its mark was written.
    pub const MARK: Self = Self(1 << 3);
    /// A helper shifted its sequence numbers.
    pub const SEQ_ADJUST: Self = Self(1 << 4);
    /// Its security label was written.
    pub const LABEL: Self = Self(1 << 5);
    /// An operator did it.
    pub const BY_HAND: Self = Self(1 << 6);

    /// Its labels were written.
    pub const LABELS: Self = Self(1 << 7);

    /// Every bit of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Nothing changed.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Something that happened to a flow.
#[derive(Clone, Copy, Debug)]
pub struct Event<F: Family> {
    /// What.
    pub kind: Kind,
    /// What changed since the last event of this flow.
    pub changes: Changes,
    /// What it was then.
    pub listed: Listed<F>,
    /// When.
    pub now: Time,
}

/// [`Event`]s of either family.
#[derive(Debug)]
pub struct Happened;

impl PerFamily for Happened {
    type Of<F: Family> = Event<F>;
}

/// One worker's events. Written by that worker, read by one other thread.
pub struct Events {
    queue: ArrayQueue<Either<Happened>>,
    listening: AtomicBool,
    lost: AtomicU64,
}

impl Default for Events {
    fn default() -> Self {
        Self::with_room(DEPTH)
    }
}

impl Events {
    /// Room for so many.
    pub(crate) fn with_room(depth: usize) -> Self {
        Self { queue: ArrayQueue::new(depth), listening: AtomicBool::new(false), lost: AtomicU64::new(0) }
    }

    /// Somebody listens from now on, or nobody. The reader calls this.
    pub fn listen(&self, listening: bool) {
        self.listening.store(listening, Ordering::Relaxed);
    }

    /// The next event. The reader calls this.
    pub fn next(&self) -> Option<Either<Happened>> {
        self.queue.pop()
    }

    /// How many were lost since this was asked last.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    pub(crate) fn tell<F: Family>(&self, event: Event<F>) {
        if self.queue.push(F::either(event)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
