//! The fast path: packets of connections that go on, one after another, by their traces.
//!
//! The same as [`Walk::retrace`] does, of what most packets are, in one loop that has nothing else in it: the registers suffice. It ends before the first
//! packet of which anything else is to be said, with nothing done to that one.

use core::ops::Range;

use packet::{Family, L4};
use program::InterfaceId;

use super::Walk;
use super::retrace::{are_refusing, holds, rewrite, seen};
use crate::buffer::Buffer;
use crate::burst::{Burst, Place};
use crate::conntrack::FollowUp;
use crate::hooks::conntrack::checksum_is_right;
use crate::outside::Outside;
use crate::trace::{Behind, Key};

/// Why packets that go on are followed by no other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EndOfRun {
    /// The trace of the next one was recorded for others, or is not known to hold.
    Asks,
    /// There is no other, or something else is to be said of it.
    Other,
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Takes packets that came in from the wire by `input` their way, the first ones of these; says how many.
    pub(crate) fn fast_path(&mut self, packets: &mut Burst<F, O::Buf>, these: Range<usize>, input: InterfaceId) -> usize {
        let Range { start, end } = these;
        let mut at = start;
        loop {
            let (taken, end_of_run) = self.fast_run(packets, at..end, input);
            at += taken;
            // It goes on with the packet whose trace holds on.
            if end_of_run != EndOfRun::Asks || !packets.header(at).is_some_and(|header| self.renew_ahead(at, header, input)) {
                return at - start;
            }
        }
    }

    /// The same, up to the first packet whose trace has to be asked whether it holds on; says why it ended as well.
    #[inline(never)]
    fn fast_run(&mut self, packets: &mut Burst<F, O::Buf>, these: Range<usize>, input: InterfaceId) -> (usize, EndOfRun) {
        let Self { flows, traces, out, snap, states, counters, drops, .. } = self;
        let (now, settings, tested) = (self.now, &snap.settings.conntrack, traces.flags());
        let from = these.start;
        let (mut at, mut ended) = (from, EndOfRun::Other);
        for Place { buf: place, arrival } in packets.some(these) {
            if !arrival.is_plain {
                break;
            }
            let (Some(buf), header) = (place.as_mut(), &mut arrival.header) else { break };
            let L4::Tcp { sport, dport, flags, .. } = header.transport else { break };
            let Some(mut steady) = flows.steady(at, header, (sport, dport), now) else { break };
            let key = Key::from(seen(header, input, steady.flow().mark, false, tested));
            let way = match traces.way(steady.trace(), key) {
                Some(way) => way,
                None => match traces.way_behind(steady.trace(), (key, flags), now) {
                    Behind::Lingers(way) => way,
                    Behind::Ended => {
                        steady.forget_trace();
                        break;
                    }
                    Behind::Asks => {
                        ended = EndOfRun::Asks;
                        break;
                    }
                },
            };
            if !holds(way.leave(), header) || !are_refusing(way.guards(), states, now) {
                break;
            }
            if settings.checksum && !checksum_is_right(header, buf) {
                break;
            }
            let Some(left) = steady.go_on(header, buf.head(), now, settings) else { break };
            if let Err(reason) = rewrite(steady.flow(), steady.dir(), way.leave(), buf.head_mut(), header) {
                drops.count(reason);
                *place = None;
            } else if let Some(buf) = place.take() {
                out.transmit(way.leave().output, buf);
                if let Some(place) = way.count(header.len) {
                    traces.touch(place, counters);
                }
            }
            if left != FollowUp::NOTHING {
                flows.follow_up(at, left, now);
            }
            flows.approach_behind(at);
            at += 1;
        }
        flows.asked(now);
        traces.took(at - from);
        (at - from, ended)
    }
}
