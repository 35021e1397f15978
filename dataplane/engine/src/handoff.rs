//! What goes from one worker to another: packets for flows that the other one keeps.
//!
//! Where no rule stands before tracking, a packet from the wire is passed on as it came, before anything was decided of it
//! ([`crate::walk::pass_on`]): the other worker takes it as if it had come there. Any other stops where its flow is to be looked up, or before its
//! fragments are put together, and walks on at the other worker from that place ([`Stage`]) with all that was decided of it so far: no rule sees it
//! twice. Those are two kinds of mail: [`Parcel`], a packet with what is known of it; and [`Letter`], a packet that remembers how it was
//! cut, or a claim and its answer.
//!
//! The process round the engine carries all of them by rings with one writer and one reader for each pair of workers, in order
//! ([`crate::outside::Outside::pass_on`], [`crate::outside::Outside::hand_over`], [`crate::outside::Outside::post`]), and gives them to
//! [`crate::Worker::receive`], [`crate::Worker::parcel`] and [`crate::Worker::letter`]. A ring that is full drops what it is given; the walk counts it.

use core::sync::atomic::{AtomicU64, Ordering};

use packet::family::{Either, PerFamily};
use packet::{Family, Header};

use crate::burst::Row;
use crate::conntrack::claims::Release;
use crate::frag::Cut;
use crate::walk::claim::{Answer, Claim};

/// Claims that may be on their way from one worker to another, their answers included.
pub const CLAIMS: usize = 64;

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

pub(crate) enum Small<F: Family, B> {
    Packet(Handed<F, B>),
    /// A claim that is given back.
    Release(Release<F>),
}

impl<F: Family, B> Small<F, B> {
    /// The fields of its packet, if it is one.
    pub(crate) fn header(&self) -> Option<&Header<F>> {
        match self {
            Self::Packet(handed) => Some(&handed.row.header),
            Self::Release(_) => None,
        }
    }
}

/// What is wanted with a packet that carries more than itself.
pub(crate) enum Errand<F: Family> {
    /// It goes on.
    Go(Stage),
    /// It begins a flow whose reply tuple the other worker is asked for.
    Claim(Claim<F>),
    /// It comes back with the answer.
    Answer(Answer<F>),
}

/// A packet on its way that carries more than itself.
pub(crate) struct Large<F: Family, B> {
    pub(crate) buf: B,
    pub(crate) row: Row<F>,
    /// How it was cut.
    pub(crate) cut: Cut,
    pub(crate) errand: Errand<F>,
}

pub(crate) struct SmallOf<B>(core::marker::PhantomData<B>);

impl<B> PerFamily for SmallOf<B> {
    type Of<F: Family> = Small<F, B>;
}

pub(crate) struct LargeOf<B>(core::marker::PhantomData<B>);

impl<B> PerFamily for LargeOf<B> {
    type Of<F: Family> = Large<F, B>;
}

/// A packet for another worker.
pub struct Parcel<B>(pub(crate) Either<SmallOf<B>>);

/// A packet for another worker, with more than itself.
pub struct Letter<B>(pub(crate) Either<LargeOf<B>>);

impl<B> Letter<B> {
    /// How many free places there must be for it to be taken. A claim and its answer must never be lost, so a place is kept for each that can be
    /// on its way; other letters take what is beyond.
    pub fn places(&self) -> usize {
        const fn of<F: Family>(errand: &Errand<F>) -> usize {
            match errand {
                Errand::Go(_) => 2 * CLAIMS + 1,
                Errand::Claim(_) | Errand::Answer(_) => 1,
            }
        }
        match &self.0 {
            Either::Ipv4(large) => of(&large.errand),
            Either::Ipv6(large) => of(&large.errand),
        }
    }
}

/// What one worker handed over; what found the way full is counted among the drops. Written by it alone, read by anyone; only grows.
#[derive(Debug, Default)]
pub struct HandoffCounters {
    sent: AtomicU64,
    claims: AtomicU64,
    refused: AtomicU64,
}

impl HandoffCounters {
    pub(crate) fn sent(&self) {
        add(&self.sent);
    }

    pub(crate) fn claimed(&self) {
        add(&self.claims);
    }

    pub(crate) fn refused(&self) {
        add(&self.refused);
    }

    /// The numbers so far.
    pub fn get(&self) -> Handoffs {
        let [sent, claims, refused] = [&self.sent, &self.claims, &self.refused].map(|cell| cell.load(Ordering::Relaxed));
        Handoffs { sent, claims, refused }
    }
}

fn add(cell: &AtomicU64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// The numbers of [`HandoffCounters`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handoffs {
    /// Packets given to other workers, claims and their answers not among them.
    pub sent: u64,
    /// Translated tuples asked of other workers.
    pub claims: u64,
    /// Those that were refused.
    pub refused: u64,
}
