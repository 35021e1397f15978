//! What goes from one worker to another: packets for flows that the other one keeps.
//!
//! A packet stops where its flow is to be looked up, or before its fragments are put together, and walks on at the other worker from that place
//! ([`Stage`]) with all that was decided of it so far: no rule sees it twice. Two kinds of mail, because the common one should be small:
//! [`Parcel`], a packet as it came; and [`Letter`], a packet that remembers how it was cut, or a claim.
//!
//! The process round the engine carries both by rings with one writer and one reader for each pair of workers, in order
//! ([`crate::outside::Outside::hand_over`], [`crate::outside::Outside::post`]), and gives them to [`crate::Worker::parcel`] and
//! [`crate::Worker::letter`]. A ring that is full drops what it is given; the walk counts it.

use core::sync::atomic::{AtomicU64, Ordering};

use packet::Family;
use packet::family::{Either, PerFamily};

use crate::burst::Row;
use crate::frag::Cut;

/// Where a packet's walk goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// From the beginning: a fragment, to where its datagram is put together.
    Arrive,
    /// At tracking. `hops` counts the workers that have sent it on because they did not keep its flow.
    Track { hops: u8 },
}

/// A packet on its way between workers.
pub(crate) struct Handed<F: Family, B> {
    pub(crate) buf: B,
    pub(crate) row: Row<F>,
    pub(crate) stage: Stage,
}

/// A packet on its way that carries more than itself.
pub(crate) struct Sealed<F: Family, B> {
    pub(crate) handed: Handed<F, B>,
    /// How it was cut.
    pub(crate) cut: Cut,
}

pub(crate) struct HandedOf<B>(core::marker::PhantomData<B>);

impl<B> PerFamily for HandedOf<B> {
    type Of<F: Family> = Handed<F, B>;
}

pub(crate) struct SealedOf<B>(core::marker::PhantomData<B>);

impl<B> PerFamily for SealedOf<B> {
    type Of<F: Family> = Sealed<F, B>;
}

/// A packet for another worker.
pub struct Parcel<B>(pub(crate) Either<HandedOf<B>>);

/// A packet for another worker, with more than itself.
pub struct Letter<B>(pub(crate) Either<SealedOf<B>>);

/// What one worker handed over; what found the way full is counted among the drops. Written by it alone, read by anyone; only grows.
#[derive(Debug, Default)]
pub struct HandoffCounters {
    sent: AtomicU64,
}

impl HandoffCounters {
    pub(crate) fn sent(&self) {
        add(&self.sent);
    }

    /// The numbers so far.
    pub fn get(&self) -> Handoffs {
        Handoffs { sent: self.sent.load(Ordering::Relaxed) }
    }
}

fn add(cell: &AtomicU64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// The numbers of [`HandoffCounters`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handoffs {
    /// Packets given to other workers.
    pub sent: u64,
}
