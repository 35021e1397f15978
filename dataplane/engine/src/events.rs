//! What becomes of flows, and of those that they announce, told to those who listen (`conntrack -E`, `conntrack -E expect`).
//!
//! While somebody listens, a worker writes into a bounded queue; when that is full it loses what comes, counted, and goes on. As in the kernel
//! (`nf_conntrack_events` = 2), only flows that began while somebody listened are told of, and what a packet changed is told when it got through.
//! What is expected has a queue of its own: a flood of flows is no reason to lose one.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use packet::family::{Either, Family, PerFamily};

use crate::conntrack::expect::Expectation;
use crate::inbox::Listed;
use crate::time::Time;

/// Events of one worker's flows that can wait: at two milliseconds between two looks, two million a second.
const DEPTH: usize = 4096;
/// And of what they expect.
const DEPTH_EXPECTED: usize = 512;

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

/// Something that happened to an expectation.
#[derive(Clone, Copy, Debug)]
pub struct Announced<F: Family> {
    /// What: it is there, or it ended.
    pub kind: Kind,
    /// What it was then.
    pub expectation: Expectation<F>,
    /// When.
    pub now: Time,
}

/// [`Announced`] of either family.
#[derive(Debug)]
pub struct AnnouncedOfAny;

impl PerFamily for AnnouncedOfAny {
    type Of<F: Family> = Announced<F>;
}

/// One worker's events. Written by that worker, read by one other thread.
pub struct Events {
    /// Of its flows.
    pub flows: Feed<Either<Happened>>,
    /// Of what is expected, as far as this worker did it.
    pub expected: Feed<Either<AnnouncedOfAny>>,
}

impl Default for Events {
    fn default() -> Self {
        Self { flows: Feed::with_room(DEPTH), expected: Feed::with_room(DEPTH_EXPECTED) }
    }
}

impl Events {
    /// For a worker whom nobody listens to.
    pub(crate) fn unheard() -> Self {
        Self { flows: Feed::with_room(1), expected: Feed::with_room(1) }
    }

    /// Somebody listens to either.
    #[inline]
    pub(crate) fn is_listening(&self) -> bool {
        self.flows.is_listening() || self.expected.is_listening()
    }
}

/// A bounded queue to whoever listens.
pub struct Feed<T> {
    queue: ArrayQueue<T>,
    listening: AtomicBool,
    lost: AtomicU64,
}

impl<T> Feed<T> {
    /// Room for so many.
    fn with_room(depth: usize) -> Self {
        Self { queue: ArrayQueue::new(depth), listening: AtomicBool::new(false), lost: AtomicU64::new(0) }
    }

    /// Somebody listens from now on, or nobody. The reader calls this.
    pub fn listen(&self, listening: bool) {
        self.listening.store(listening, Ordering::Relaxed);
    }

    /// The next event. The reader calls this.
    pub fn next(&self) -> Option<T> {
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

    pub(crate) fn tell(&self, event: T) {
        if self.queue.push(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
