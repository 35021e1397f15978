//! Connections that go on: a packet that changes nothing of its flow but numbers, counters and the end.
//!
//! That is what most packets are, so all of it happens within one borrow of the flow's slot. For anything else nothing is done, and the packet is tracked as
//! any other ([`FlowTable::track_known`]), which finds the same for such a packet.

use packet::{Family, Header};

use super::ahead::is_usual;
use super::entry::{Dir, Flow, Rounds, Status};
use super::settings::Settings;
use super::table::{FlowTable, Slot};
use super::tcp;
use crate::time::Time;
use crate::trace;

/// What the status of a flow is asked for that goes on as most do: it is [`tcp::GOES_ON`], and no other of these.
const ASKED: Status = tcp::GOES_ON.with(Status::DYING).with(Status::FIXED_TIMEOUT);

/// The flow of a packet.
pub(crate) struct Steady<'t, F: Family> {
    slot: &'t mut Slot<F>,
    dir: Dir,
}

/// What is left to do, which is nothing for most packets ([`FlowTable::follow_up`]): one bit each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FollowUp(u8);

impl FollowUp {
    pub(crate) const NOTHING: Self = Self(0);
    const PACKETS_ROUND: u8 = 1;
    const BYTES_ROUND: u8 = 1 << 1;
    const SOONER: u8 = 1 << 2;
    const NEWS: u8 = 1 << 3;

    // On its own: as branches, the question whether there is anything costs less than the bits.
    #[cold]
    fn of(rounds: Rounds, is_sooner: bool, has_news: bool) -> Self {
        let when = |is: bool, bit: u8| u8::from(is) * bit;
        Self(
            when(rounds.packets, Self::PACKETS_ROUND)
                | when(rounds.bytes, Self::BYTES_ROUND)
                | when(is_sooner, Self::SOONER)
                | when(has_news, Self::NEWS),
        )
    }

    #[inline(always)]
    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

impl<F: Family> Steady<'_, F> {
    /// The flow.
    #[inline(always)]
    pub(crate) fn flow(&self) -> &Flow<F> {
        &self.slot.flow
    }

    /// The packet's direction.
    #[inline(always)]
    pub(crate) fn dir(&self) -> Dir {
        self.dir
    }

    /// The number of the trace of its direction.
    #[inline(always)]
    pub(crate) fn trace(&self) -> u32 {
        self.slot.traces[self.dir.index()]
    }

    /// Has its direction forget it.
    pub(crate) fn forget_trace(&mut self) {
        self.slot.traces[self.dir.index()] = trace::NONE;
    }

    /// Takes in the packet, which is plain and whose checksum is right, if it is an acknowledgement within its connection: it is ESTABLISHED. `None`, and nothing changed,
    /// for any other.
    #[inline(always)]
    pub(crate) fn go_on(&mut self, header: &Header<F>, head: &[u8], now: Time, settings: &Settings) -> Option<FollowUp> {
        let Self { slot, dir, .. } = self;
        let flow = &mut slot.flow;
        let l4_len = header.len - F::HEADER_LEN as u32;
        let seconds = tcp::go_on(flow, *dir, header, l4_len, head, settings)?;
        let (before, expires) = (flow.expires(), now.plus_seconds(seconds));
        flow.goes_on_until(expires);
        let rounds = flow.account(*dir, header.len);
        let is_sooner = expires < before;
        let has_news = !flow.changes.is_empty();
        if rounds.packets | rounds.bytes | is_sooner | has_news {
            return Some(FollowUp::of(rounds, is_sooner, has_news));
        }
        Some(FollowUp::NOTHING)
    }
}

impl<F: Family> FlowTable<F> {
    /// The flow of packet `at` of those that were looked ahead for, if it is one of [`FlowTable::ahead`] in which packets go both ways.
    #[inline(always)]
    pub(crate) fn steady(&mut self, at: usize, header: &Header<F>, ports: (u16, u16), now: Time) -> Option<Steady<'_, F>> {
        let place = self.ahead.place(at)?;
        let dir = place.dir();
        let slot = self.slots.get_mut(place.slot() as usize)?;
        let flow = &slot.flow;
        let is_it = flow.status().of(ASKED) == tcp::GOES_ON && slot.is_live() && is_usual(flow, dir, header, ports, now);
        is_it.then_some(Steady { slot, dir })
    }

    /// Notes when it was asked.
    #[inline]
    pub(crate) fn asked(&mut self, now: Time) {
        self.now = now;
    }

    /// Does what packet `at` left to do, which was [`FlowTable::steady`].
    #[inline(never)]
    pub(crate) fn follow_up(&mut self, at: usize, left: FollowUp, now: Time) {
        self.asked(now);
        let Some(place) = self.ahead.place(at) else { return };
        let rounds = Rounds { packets: left.has(FollowUp::PACKETS_ROUND), bytes: left.has(FollowUp::BYTES_ROUND) };
        self.carry(place.slot(), place.dir(), rounds);
        if left.has(FollowUp::SOONER) {
            self.come_sooner(place.slot(), now);
        }
        if left.has(FollowUp::NEWS) {
            self.tell_changes(self.id(place.slot()));
        }
    }
}
