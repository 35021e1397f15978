//! Looking ahead: what a burst's packets will look for is brought near together, before the first of them walks.
//!
//! Nothing is decided here: a place is kept where the flow most likely is, and whoever takes it compares. The lookup itself is the packet's own, in its
//! turn. So a burst gives exactly the result of its packets one by one, whatever an earlier packet of it has made, ended or moved.

use arrayvec::ArrayVec;
use packet::{Family, Header, L4, Tuple, TupleL4, protocol};

use super::entry::{Dir, Flow, FlowId};
use super::index::Place;
use super::table::{FlowTable, Slot};
use crate::time::Time;
use crate::worker::BURST;

/// What is known of a packet that comes next.
struct Next {
    /// Its tuple's hash in zone 0; 0 if it is not to be looked up here.
    hash: u64,
    /// Where its flow most likely is.
    place: Option<Place>,
}

/// The packets of the burst at hand, in their order.
pub(super) struct Ahead {
    packets: [Next; BURST],
    /// So many were looked ahead for.
    count: usize,
    /// Of so many their first bucket was looked into.
    first: usize,
    /// A bit for each of those that are not in it, and whose other one was not looked into.
    elsewhere: u64,
}

/// Packets that are approached together.
const A_FEW: usize = 8;

const _: () = assert!(BURST <= u64::BITS as usize);

impl Default for Ahead {
    fn default() -> Self {
        Self { packets: [const { Next { hash: 0, place: None } }; BURST], count: 0, first: 0, elsewhere: 0 }
    }
}

impl Ahead {
    /// Where the flow of packet `at` most likely is.
    #[inline(always)]
    pub(super) fn place(&self, at: usize) -> Option<Place> {
        self.packets[..self.count].get(at)?.place
    }
}

#[inline]
fn bring_near<F: Family>(slots: &[Slot<F>], place: Place) {
    if let Some(slot) = slots.get(place.slot() as usize) {
        memory::prefetch(slot);
    }
}

impl<F: Family> FlowTable<F> {
    /// Brings near the first bucket in which tracking these packets will look: the next ones of the burst. Packets without a tuple, or whose tuple is not
    /// `mine`, which is asked with their number, are passed over.
    #[inline]
    pub(crate) fn look_ahead<'h>(
        &mut self,
        headers: impl Iterator<Item = &'h Header<F>>,
        mut mine: impl FnMut(usize, &Tuple<F>) -> bool,
    ) {
        let Self { ahead, index, hash: hasher, .. } = self;
        for (next, header) in ahead.packets[ahead.count..].iter_mut().zip(headers) {
            let hash = match header.transport {
                // On their own, for most packets are these.
                L4::Tcp { sport, dport, .. } => {
                    let l4 = TupleL4::Ports { src: sport, dst: dport };
                    let tuple = Tuple { src: header.src, dst: header.dst, protocol: protocol::TCP, l4 };
                    if mine(ahead.count, &tuple) { hasher.tuple(&tuple, 0) } else { 0 }
                }
                _ => tuple_of(header).filter(|tuple| mine(ahead.count, tuple)).map_or(0, |tuple| hasher.tuple(&tuple, 0)),
            };
            if hash != 0 {
                index.prefetch(hash);
            }
            *next = Next { hash, place: None };
            ahead.count += 1;
        }
    }

    /// Looks into the first buckets of the next packets, so many at most, which were brought near, and brings near what follows: the flow, or the other bucket.
    // On its own: between two packets that walk it would cost them their registers.
    #[inline(never)]
    pub(crate) fn approach_some(&mut self, most: usize) {
        let Self { ahead, index, slots, .. } = self;
        let (from, slots) = (ahead.first, &**slots);
        let to = ahead.count.min(from.saturating_add(most));
        for (at, next) in (from..).zip(&mut ahead.packets[from..to]) {
            if next.hash == 0 {
                continue;
            }
            next.place = index.likely(next.hash);
            match next.place {
                Some(place) => bring_near(slots, place),
                None => {
                    index.prefetch_other(next.hash);
                    ahead.elsewhere |= 1 << at;
                }
            }
        }
        ahead.first = to;
    }

    /// As packet `at` has walked: the same for as many as have walked since the last time, a few together.
    #[inline(always)]
    pub(crate) fn approach_behind(&mut self, at: usize) {
        if at % A_FEW == A_FEW - 1 {
            self.approach_some(A_FEW);
        }
    }

    /// The same for all that were not approached yet.
    pub(crate) fn approach(&mut self) {
        self.approach_some(BURST);
    }

    /// Looks into the other buckets, which were brought near, of those that are not in their first one; brings near their flows, and where a new flow's
    /// answers will be looked for, and its source. `tuple` says what the packets' tuples are.
    #[inline(never)]
    pub(crate) fn approach_others(&mut self, tuple: impl Fn(usize) -> Option<Tuple<F>>) {
        let Self { ahead, index, slots, sources, hash, .. } = self;
        while ahead.elsewhere != 0 {
            let at = ahead.elsewhere.trailing_zeros() as usize;
            ahead.elsewhere &= ahead.elsewhere - 1;
            let next = &mut ahead.packets[at];
            next.place = index.likely_other(next.hash);
            match next.place {
                Some(place) => bring_near(slots, place),
                None => {
                    let Some(tuple) = tuple(at) else { continue };
                    if !sources.is_empty() {
                        sources.prefetch(hash.source(&tuple, 0));
                    }
                    if let Some(answer) = tuple.invert() {
                        let hash = hash.tuple(&answer, 0);
                        index.prefetch(hash);
                        index.prefetch_other(hash);
                    }
                }
            }
        }
    }

    /// Was something brought near that may be the flow of packet `at`?
    #[inline]
    pub(crate) fn is_near(&self, at: usize) -> bool {
        self.ahead.place(at).is_some()
    }

    /// How many packets were looked ahead for.
    #[inline]
    pub(crate) fn looked_ahead(&self) -> usize {
        self.ahead.count
    }

    /// The burst is through.
    pub(crate) fn forget_ahead(&mut self) {
        let Ahead { count, first, elsewhere, .. } = &mut self.ahead;
        (*count, *first, *elsewhere) = (0, 0, 0);
    }

    /// All steps of looking ahead for packets that walk next.
    pub fn look_ahead_at_once<'h>(&mut self, headers: impl Iterator<Item = &'h Header<F>>) {
        let headers: ArrayVec<_, BURST> = headers.take(BURST).collect();
        self.forget_ahead();
        self.look_ahead(headers.iter().copied(), |_, _| true);
        self.approach();
        self.approach_others(|at| Tuple::of(headers[at]));
    }

    /// The flow of packet `at` of those that were looked ahead for, in zone 0, if it stands where it was likely to and is like most: in that zone in both
    /// directions, without rare attributes. Anything else is found by [`FlowTable::find`].
    #[inline]
    pub(crate) fn ahead(&self, at: usize, header: &Header<F>, now: Time) -> Option<(FlowId, Dir)> {
        let place = self.ahead.place(at)?;
        let (number, dir) = (place.slot(), place.dir());
        let slot = self.slots.get(number as usize)?;
        let is_it = slot.is_listed() && is_usual(&slot.flow, dir, header, header.ports()?, now);
        is_it.then_some((FlowId { slot: number, generation: slot.generation() }, dir))
    }
}

// On its own: one of many kinds, whose parts would else be sorted for each packet.
#[inline(never)]
fn tuple_of<F: Family>(header: &Header<F>) -> Option<Tuple<F>> {
    Tuple::of(header)
}

/// Is this flow like most, and the packet's?
#[inline(always)]
pub(super) fn is_usual<F: Family>(flow: &Flow<F>, dir: Dir, header: &Header<F>, ports: (u16, u16), now: Time) -> bool {
    flow.carries(dir, header, ports) && !flow.has_extra() && flow.expires() > now
}

#[cfg(test)]
mod tests {
    use packet::Ipv4;

    use super::*;
    use crate::conntrack::FlowConfig;
    use crate::conntrack::frames::Frame;

    /// Whatever is looked ahead for, nothing is found that is not there, and the flow of another packet is nobody's.
    #[test]
    fn what_is_near_is_compared() {
        let headers: Vec<_> = (0..64).map(|i| Frame::udp(1 + i % 9, 2, 3, i as u16, b"x").header()).collect();
        let mut table = FlowTable::<Ipv4>::new(FlowConfig { capacity: 8, extras: 0, hash_key: [1, 2] });
        table.look_ahead_at_once(headers.iter());
        assert_eq!(table.looked_ahead(), 64);
        assert!((0..65).all(|at| !table.is_near(at)));
        // A place that belongs to nobody, and one behind all slots.
        for (at, slot) in [(0, 0), (1, 7), (2, u32::MAX >> 2)] {
            table.ahead.packets[at].place = Some(Place::new(slot, Dir::Original));
            assert_eq!(table.ahead(at, &headers[at], Time(1)), None);
        }
    }
}
