//! Looking ahead: what a burst's packets will look for is brought near together, before the first of them walks.
//!
//! Nothing is decided here. A hash is kept beside its tuple, and what asks for the hash of the same tuple gets it without computing it again; a
//! place is kept where the flow most likely is, and whoever takes it compares. The lookup itself is the packet's own, in its turn. So a burst
//! gives exactly the result of its packets one by one, whatever an earlier packet of it has made, ended or moved.

use arrayvec::ArrayVec;
use packet::{Family, Header, Tuple};

use super::entry::{Dir, FlowId};
use super::index::Place;
use super::table::{FlowTable, Slot};
use crate::time::Time;
use crate::worker::BURST;

/// How many tuples past the last one that was asked for are compared: packets that are not looked up leave theirs behind.
const NEAR: usize = 4;

/// What is known of a packet that comes next.
struct Next<F: Family> {
    /// Its tuple, if it is to be looked up here.
    tuple: Option<Tuple<F>>,
    /// The tuple's hash in zone 0.
    hash: u64,
    /// Where its flow most likely is.
    place: Option<Place>,
}

/// The packets of the burst at hand, in their order.
pub(super) struct Ahead<F: Family> {
    packets: ArrayVec<Next<F>, BURST>,
    /// Of so many their first bucket was looked into.
    first: usize,
    /// And of so many the other one, where that was needed.
    other: usize,
    /// Where the next one is expected.
    next: usize,
}

impl<F: Family> Ahead<F> {
    pub(super) fn new() -> Self {
        Self { packets: ArrayVec::new(), first: 0, other: 0, next: 0 }
    }

    /// The hash of a tuple in zone 0, if it is among those that are due.
    #[inline]
    fn take(&mut self, tuple: &Tuple<F>) -> Option<u64> {
        let due = self.packets.get(self.next..)?;
        let found = due.iter().take(NEAR).position(|other| other.tuple.as_ref() == Some(tuple))?;
        self.next += found + 1;
        Some(due[found].hash)
    }
}

#[inline]
fn bring_near<F: Family>(slots: &[Slot<F>], place: Place) {
    if let Some(slot) = slots.get(place.slot() as usize) {
        memory::prefetch(slot);
    }
}

impl<F: Family> FlowTable<F> {
    /// Brings near the first bucket in which tracking these packets will look: the next ones of the burst. Packets without a tuple are passed over.
    #[inline]
    pub(crate) fn look_ahead(&mut self, tuples: impl Iterator<Item = Option<Tuple<F>>>) {
        let room = self.ahead.packets.remaining_capacity();
        for tuple in tuples.take(room) {
            let hash = tuple.as_ref().map_or(0, |tuple| self.hash.tuple(tuple, 0));
            if tuple.is_some() {
                self.index.prefetch(hash);
            }
            self.ahead.packets.push(Next { tuple, hash, place: None });
        }
    }

    /// Looks into the first bucket of the next packet, which was brought near, and brings near what follows: the flow, or the other bucket.
    #[inline(always)]
    pub(crate) fn approach_one(&mut self) {
        let Self { ahead, index, slots, .. } = self;
        let Some(next) = ahead.packets.get_mut(ahead.first) else { return };
        ahead.first += 1;
        if next.tuple.is_none() {
            return;
        }
        next.place = index.likely(next.hash);
        match next.place {
            Some(place) => bring_near(slots, place),
            None => index.prefetch_other(next.hash),
        }
    }

    /// The same for all that were not approached yet.
    #[inline(never)]
    pub(crate) fn approach(&mut self) {
        while self.ahead.first < self.ahead.packets.len() {
            self.approach_one();
        }
    }

    /// Looks into the other buckets, which were brought near, of those that are not in their first one; brings near their flows, and where a new flow's
    /// answers will be looked for, and its source.
    #[inline(never)]
    pub(crate) fn approach_others(&mut self) {
        let Self { ahead, index, slots, sources, hash, .. } = self;
        for next in ahead.packets[ahead.other..ahead.first].iter_mut().filter(|next| next.place.is_none()) {
            let Some(tuple) = &next.tuple else { continue };
            next.place = index.likely_other(next.hash);
            match next.place {
                Some(place) => bring_near(slots, place),
                None => {
                    if !sources.is_empty() {
                        sources.prefetch(hash.source(tuple, 0));
                    }
                    if let Some(answer) = tuple.invert() {
                        let hash = hash.tuple(&answer, 0);
                        index.prefetch(hash);
                        index.prefetch_other(hash);
                    }
                }
            }
        }
        ahead.other = ahead.first;
    }

    /// Was something brought near that may be the flow of packet `at`?
    #[inline]
    pub(crate) fn is_near(&self, at: usize) -> bool {
        self.ahead.packets.get(at).is_some_and(|next| next.place.is_some())
    }

    /// How many packets were looked ahead for.
    #[inline]
    pub(crate) fn looked_ahead(&self) -> usize {
        self.ahead.packets.len()
    }

    /// The burst is through.
    pub(crate) fn forget_ahead(&mut self) {
        let Ahead { packets, first, other, next } = &mut self.ahead;
        packets.clear();
        (*first, *other, *next) = (0, 0, 0);
    }

    /// All steps of looking ahead for packets that walk next.
    pub fn look_ahead_at_once(&mut self, tuples: impl Iterator<Item = Option<Tuple<F>>>) {
        self.forget_ahead();
        self.look_ahead(tuples);
        self.approach();
        self.approach_others();
    }

    /// The flow of packet `at` of those that were looked ahead for, in zone 0, if it stands where it was likely to and is like most: in that zone in both
    /// directions, without rare attributes. Anything else is found by [`FlowTable::find`].
    #[inline]
    pub(crate) fn ahead(&self, at: usize, header: &Header<F>, now: Time) -> Option<(FlowId, Dir)> {
        let place = self.ahead.packets.get(at)?.place?;
        let (number, dir) = (place.slot(), place.dir());
        let slot = self.slots.get(number as usize)?;
        let flow = &slot.flow;
        let is_it = slot.is_listed() && flow.carries(dir, header) && !flow.has_extra() && flow.expires() > now;
        is_it.then_some((FlowId { slot: number, generation: slot.generation() }, dir))
    }

    /// The hash of a packet's tuple within a zone.
    #[inline]
    pub(super) fn hash_of(&mut self, tuple: &Tuple<F>, zone: u16) -> u64 {
        match zone {
            0 => self.ahead.take(tuple).unwrap_or_else(|| self.hash.tuple(tuple, 0)),
            _ => self.hash.tuple(tuple, zone),
        }
    }
}

#[cfg(test)]
mod tests {
    use packet::{Ipv4, TupleL4};

    use super::*;
    use crate::conntrack::FlowConfig;
    use crate::conntrack::frames::Frame;

    /// However the packets are looked up, whole, in part, in another order, twice, or in a zone: the hash is that of the tuple.
    #[test]
    fn a_hash_that_was_kept_is_the_hash() {
        let headers: Vec<_> = (0..64).map(|i| Frame::udp(1 + i % 9, 2, 3, i as u16, b"x").header()).collect();
        let mut table = FlowTable::<Ipv4>::new(FlowConfig { capacity: 8, extras: 0, hash_key: [1, 2] });
        for step in [1, 2, 3, 7, 63] {
            table.look_ahead_at_once(headers.iter().map(Tuple::of));
            for i in (0..128).map(|i| i * step % 64) {
                let tuple = Tuple::of(&headers[i]).expect("has ports");
                assert_eq!(table.hash_of(&tuple, 0), table.hash.tuple(&tuple, 0), "step {step}, packet {i}");
                assert_eq!(table.hash_of(&tuple, 5), table.hash.tuple(&tuple, 5));
            }
        }
        table.look_ahead_at_once(headers.iter().map(Tuple::of));
        let kept = headers.iter().filter(|header| table.ahead.take(&Tuple::of(header).expect("has ports")).is_some()).count();
        assert_eq!(kept, 64, "in their order none is computed again");
        table.look_ahead_at_once(headers[..1].iter().map(Tuple::of));
        let other = Tuple::<Ipv4> { src: 7, dst: 7, protocol: 17, l4: TupleL4::Ports { src: 1, dst: 1 } };
        assert_eq!(table.hash_of(&other, 0), table.hash.tuple(&other, 0));
    }
}
