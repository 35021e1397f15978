//! Packets that are passed on as they came: their flow is another worker's, and no rule stands before it.
//!
//! Where the raw table has nothing to say but its policy, nothing is decided of a packet before its flow is looked up. So it goes to the worker that
//! keeps the flow with nothing but the port that it came in by, and is taken there as if it had come there, by the short ways that such packets have. It
//! is judged once, there.

use core::ops::Range;

use packet::Family;
use program::InterfaceId;

use super::Walk;
use crate::burst::{Burst, Place};
use crate::drop::DropReason;
use crate::outside::Outside;
use crate::worker::BURST;

/// Which packets of the burst at hand have their flows at other workers, and are passed on if a router has nothing to say about them.
pub(crate) struct Strangers {
    /// A bit for each.
    known: u64,
    keepers: [u16; BURST],
}

const _: () = assert!(BURST <= u64::BITS as usize);

impl Strangers {
    pub(crate) fn new() -> Self {
        Self { known: 0, keepers: [0; BURST] }
    }

    /// The burst is through.
    pub(crate) fn clear(&mut self) {
        self.known = 0;
    }

    /// Worker `keeper` has the flow of packet `at`.
    #[inline]
    pub(crate) fn note(&mut self, at: usize, keeper: u16) {
        self.known |= 1 << at;
        self.keepers[at] = keeper;
    }

    /// Is packet `at` one?
    #[inline(always)]
    pub(crate) fn has(&self, at: usize) -> bool {
        self.known >> at & 1 == 1
    }

    #[inline(always)]
    fn keeper(&self, at: usize) -> Option<u16> {
        self.has(at).then(|| self.keepers[at])
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Passes on the first ones of these packets, which came in from the wire by `input`, up to one that is this worker's, or of which a router has something
    /// to say; says how many.
    #[inline(never)]
    pub(crate) fn pass_on(
        &mut self,
        packets: &mut Burst<F, O::Buf>,
        these: Range<usize>,
        strangers: &Strangers,
        input: InterfaceId,
    ) -> usize {
        let Self { flows, out, handoffs, drops, .. } = self;
        let from = these.start;
        let mut at = from;
        for Place { buf: place, arrival } in packets.some(these) {
            let Some(keeper) = strangers.keeper(at).filter(|_| arrival.is_plain) else { break };
            let Some(buf) = place.take() else { break };
            match out.pass_on(keeper, input, buf) {
                true => handoffs.sent(),
                false => drops.count(DropReason::HandoffFull),
            }
            flows.approach_behind(at);
            at += 1;
        }
        at - from
    }
}
