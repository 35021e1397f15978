//! The ways between workers: for each pair and direction rings with one writer and one reader, as the engine asks for ([`engine::handoff`]).
//! Allocated at boot.
//!
//! Most packets are passed on as they came, and need 16 bytes in a ring: a line of memory, which has to go from one core to another, carries four.
//! Packets of which more is known stand in a ring of their own, and have their place among the others.

use engine::handoff::{CLAIMS, Letter, Parcel};
use program::InterfaceId;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::buffer::Packet;

/// Letters that are no claims, on one way: datagrams that were put together by a worker that does not own them.
const DATAGRAMS: usize = 64;

/// What one worker gives to another.
pub enum Given {
    /// A packet as it came in from the wire by this port.
    Packet(InterfaceId, Packet),
    /// The next one of the parcels.
    Parcel,
}

const _: () = assert!(size_of::<Given>() == 16);

/// A way out of a worker, to another one.
pub struct Outlet {
    given: Producer<Given>,
    parcels: Producer<Parcel<Packet>>,
    letters: Producer<Letter<Packet>>,
}

impl Outlet {
    /// Puts a packet on the way that came in by `port`; `false`, and the packet freed, when the way is full.
    #[inline]
    pub fn pass_on(&mut self, port: InterfaceId, packet: Packet) -> bool {
        self.given.push(Given::Packet(port, packet)).is_ok()
    }

    /// The same with a parcel.
    pub fn hand_over(&mut self, parcel: Parcel<Packet>) -> bool {
        // It is there before it is told of.
        !self.given.is_full() && self.parcels.push(parcel).is_ok() && self.given.push(Given::Parcel).is_ok()
    }

    /// Puts a letter on the way, if as many places are free as it needs.
    pub fn post(&mut self, letter: Letter<Packet>) -> bool {
        self.letters.slots() >= letter.places() && self.letters.push(letter).is_ok()
    }
}

/// A way into a worker, from another one.
pub struct Inlet {
    /// What comes often, in its order.
    pub given: Consumer<Given>,
    /// Those that are among it, in the same.
    pub parcels: Consumer<Parcel<Packet>>,
    /// What comes rarely.
    pub letters: Consumer<Letter<Packet>>,
}

/// The ways of one worker.
#[derive(Default)]
pub struct Ways {
    /// By the number of the other worker; none to itself.
    pub out: Vec<Option<Outlet>>,
    /// From every other worker.
    pub into: Vec<Inlet>,
}

/// The ways of `workers` workers, each for so many packets.
pub fn between(workers: usize, packets: usize) -> Vec<Ways> {
    let mut ways: Vec<Ways> = (0..workers).map(|_| Ways::default()).collect();
    for from in 0..workers {
        for to in 0..workers {
            let outlet = (from != to).then(|| {
                let (given_in, given_out) = RingBuffer::new(packets);
                let (parcels_in, parcels_out) = RingBuffer::new(packets);
                let (letters_in, letters_out) = RingBuffer::new(2 * CLAIMS + DATAGRAMS);
                ways[to].into.push(Inlet { given: given_out, parcels: parcels_out, letters: letters_out });
                Outlet { given: given_in, parcels: parcels_in, letters: letters_in }
            });
            ways[from].out.push(outlet);
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_has_a_way_to_and_from_every_other() {
        let ways = between(3, 8);
        for (number, ways) in ways.iter().enumerate() {
            assert_eq!(ways.into.len(), 2);
            assert_eq!(ways.out.iter().map(Option::is_none).collect::<Vec<_>>(), (0..3).map(|to| to == number).collect::<Vec<_>>());
        }
        assert!(between(1, 8)[0].into.is_empty());
    }
}
