//! Traces: what the walk decided for one direction of a flow, so that the packets behind need no walk.
//!
//! A trace says under which [`Key`] it was recorded, which counters move, and where the packet goes. A packet of a confirmed flow that answers
//! the key takes the same way as the one that was recorded: every rule would say the same of it, because all else that rules read of it is the
//! flow's own, and does not change. What could say otherwise of the next packet (`random`, `--ctexpire`, a counter's threshold, a `limit` that let it pass), and what
//! does more than to let it pass (LOG, TOS, an answer), *spoils* a recording: such packets walk, each of them. A `limit` that refused it is asked
//! again, as a [`Guard`].
//!
//! Alike traces are one: a flow keeps its number. Packets are added up by trace and given to the rules' counters at the end of each burst, so that
//! these are exact between bursts.
//!
//! Rules, routes, neighbours and settings change by a new [`Edition`] of what the worker reads. If that is a small edit of the rules, a flow's next packet is
//! held against the rules that came and went ([`program::Change`]): where they are none of its business, its trace holds on ([`Traces::renew`]). Anything
//! else ends all traces; for a while packets may still go by them, so that not all flows are judged at once ([`linger`]). There are two
//! halves for that: one is recorded into, in the other stands what was decided before.
//!
//! One writer: the worker.

use core::hash::BuildHasher;

use arrayvec::ArrayVec;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use packet::{Family, ether};
use program::{Change, CounterSlot, InterfaceId, LimitSpec, StateSlot, TableKind};

use self::halves::Halves;
use self::linger::Linger;
use self::number::Numbers;
use crate::counters::Counters;
use crate::snapshot::{Edition, Lineage, REMEMBERED};
use crate::time::Time;
use crate::worker::BURST;

mod halves;
mod linger;
mod number;
#[cfg(test)]
mod tests;

pub(crate) use halves::Place;
pub(crate) use number::NONE;

/// Most counters that a trace moves: rules and policies. A packet that moves more walks.
const COUNTERS: usize = 35;
/// Most limits that refused the packet. One that more of them refused walks.
const GUARDS: usize = 3;

/// Where a trace begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Begins {
    /// Before the raw table, which has let the packet pass and changed nothing.
    BeforeRaw,
    /// Behind it: it gave the packet a mark or a zone, or what it says differs from packet to packet; or another worker has asked it.
    Tracked,
}

/// What rules behind tracking read of a packet that is not the same for all packets of its flow's direction. A security label is not among it: none is
/// set before tracking.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// The packet's mark when it was tracked.
    pub(crate) mark: u32,
    /// The flow's.
    pub(crate) connmark: u32,
    pub(crate) input: InterfaceId,
    pub(crate) tos: u8,
    /// Of TCP's flags those that a rule looks at.
    pub(crate) flags: u8,
    /// The flow has seen no answer (NEW).
    pub(crate) new: bool,
    pub(crate) from: Begins,
}

/// The same in two words, which are compared with each packet: both marks, and what else there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    marks: u64,
    rest: u64,
}

const CONNMARK_AT: u32 = 32;
const TOS_AT: u32 = 16;
const FLAGS_AT: u32 = 24;
const NEW: u64 = 1 << 32;
const TRACKED: u64 = 1 << 33;

impl From<Seen> for Key {
    #[inline(always)]
    fn from(seen: Seen) -> Self {
        let when = |is: bool, bit| if is { bit } else { 0 };
        Self {
            marks: u64::from(seen.connmark) << CONNMARK_AT | u64::from(seen.mark),
            rest: u64::from(seen.input.0)
                | u64::from(seen.tos) << TOS_AT
                | u64::from(seen.flags) << FLAGS_AT
                | when(seen.new, NEW)
                | when(seen.from == Begins::Tracked, TRACKED),
        }
    }
}

impl Key {
    /// The same, but for which of TCP's flags count.
    fn with_flags(self, flags: u8) -> Self {
        Self { rest: self.rest & !(0xff << FLAGS_AT) | u64::from(flags) << FLAGS_AT, ..self }
    }

    fn is_new(self) -> bool {
        self.rest & NEW != 0
    }

    /// Where such packets come in.
    pub(crate) fn input(self) -> InterfaceId {
        InterfaceId(self.rest as u16)
    }
}

/// A `limit` that refused the packet: one like it goes the same way as long as it is refused too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Guard {
    pub(crate) table: TableKind,
    pub(crate) state: StateSlot,
    pub(crate) spec: LimitSpec,
}

/// How a packet leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Leave {
    /// The longest packet that goes this way whole.
    pub(crate) mtu: u32,
    pub(crate) output: InterfaceId,
    /// Its Ethernet header.
    pub(crate) frame: [u8; ether::HEADER_LEN],
}

/// One trace. Its first line is what a packet reads and writes.
#[derive(Clone)]
#[repr(C, align(64))]
struct Trace {
    key: Key,
    leave: Leave,
    /// Packets of this burst.
    packets: u32,
    bytes: u64,
    guards: ArrayVec<Guard, GUARDS>,
    counters: ArrayVec<CounterSlot, COUNTERS>,
}

const _: () = assert!(size_of::<Trace>() == 256);

/// A packet's way.
pub(crate) struct Way<'t> {
    trace: &'t mut Trace,
    place: Place,
}

/// What becomes of a packet whose trace is none, or does not hold for all that is known.
pub(crate) enum Behind<'t> {
    /// It may go once more by what was decided before everything may have changed.
    Lingers(Way<'t>),
    /// It walks, and its trace is to be forgotten.
    Ended,
    /// The rest is to be asked.
    Asks,
}

impl Way<'_> {
    /// How it leaves.
    #[inline(always)]
    pub(crate) fn leave(&self) -> &Leave {
        &self.trace.leave
    }

    /// The limits that have to refuse the packet.
    #[inline(always)]
    pub(crate) fn guards(&self) -> &[Guard] {
        &self.trace.guards
    }

    /// It took it. Where it was the first of its burst to do so, that is to be noted ([`Traces::touch`]).
    #[inline(always)]
    pub(crate) fn count(self, bytes: u32) -> Option<Place> {
        self.trace.count(bytes).then_some(self.place)
    }
}

impl Trace {
    /// Counts a packet; is it the first one of its burst?
    #[inline(always)]
    fn count(&mut self, bytes: u32) -> bool {
        self.bytes += u64::from(bytes);
        self.packets += 1;
        self.packets == 1
    }

    /// Could such packets go another way for what this edit took away, or for what it had begin anew?
    fn ends_with<F: Family>(&self, change: &Change<F>) -> bool {
        change.ends_one_of(&self.counters)
            || self.guards.iter().any(|guard| change.is_of(guard.table))
            || (self.key.is_new() && change.is_of(TableKind::Nat))
    }
}

/// The recording of the packet at hand.
#[derive(Default)]
struct Recording {
    on: bool,
    guards: ArrayVec<Guard, GUARDS>,
    counters: ArrayVec<CounterSlot, COUNTERS>,
}

/// Did a trace hold, before the last change, for such a packet with those TCP flags that rules looked at then? What its limits remembered may be gone.
#[inline]
fn held_before(trace: &Trace, key: &Key, flags: u8) -> bool {
    trace.guards.is_empty() && trace.key == key.with_flags(flags)
}

/// The traces of one family at one worker.
pub(crate) struct Traces {
    /// The number of the edition that they hold for.
    edition: u64,
    /// TCP flags that a rule of it looks at, and those that one of the edition before it did.
    flags: [u8; 2],
    /// Those that are recorded, and those that were before everything may have changed.
    halves: Halves,
    /// Edits since the half that is recorded into began.
    edits: u32,
    numbers: Numbers,
    linger: Linger,
    /// Where each of this half stands, by what it says.
    alike: HashTable<u32>,
    /// Those that packets of this burst took.
    touched: ArrayVec<Place, BURST>,
    recording: Recording,
    /// Packets that needed no walk.
    retraced: u64,
}

/// What came behind a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlived {
    /// Edits of the rules.
    Edits,
    /// Something by which everything may have changed.
    All,
}

/// What is left of a trace that was known to hold before the last edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewed {
    /// It holds, by this number.
    Holds(u32),
    /// It says what was decided before the last one, and may do so once more.
    Lingers(Place),
    /// Nothing.
    Ended,
}

impl Traces {
    /// Room for so many; none switches them off. After a change packets may go for so many nanoseconds by what was decided before it.
    pub(crate) fn new(capacity: usize, longest: u64) -> Self {
        Self {
            edition: Edition::NONE,
            flags: [0xff; 2],
            halves: Halves::new(capacity),
            edits: 0,
            numbers: Numbers::new(),
            linger: Linger::new(longest),
            alike: HashTable::with_capacity(capacity),
            touched: ArrayVec::new(),
            recording: Recording::default(),
            retraced: 0,
        }
    }

    /// Bytes of so many.
    pub(crate) fn bytes(capacity: usize) -> usize {
        capacity * (2 * size_of::<Trace>() + 2 * size_of::<u32>())
    }

    /// Packets that needed no walk.
    pub(crate) fn retraced(&self) -> u64 {
        self.retraced
    }

    /// TCP flags that belong to a [`Key`].
    #[inline]
    pub(crate) fn flags(&self) -> u8 {
        self.flags[0]
    }

    /// A burst begins, behind which more packets wait if it is full.
    #[inline]
    pub(crate) fn burst(&mut self, is_full: bool) {
        self.linger.burst(is_full);
    }

    /// What the worker reads from now on, by which edits of the rules it came about, and which TCP flags these look at.
    #[inline]
    pub(crate) fn follow<F: Family>(&mut self, edition: u64, lineage: &Lineage<F>, now: Time, flags: impl FnOnce() -> u8) {
        if edition != self.edition {
            self.begin(lineage.since(self.edition), now);
            self.edition = edition;
            self.flags = [flags(), self.flags[0]];
        }
    }

    #[cold]
    fn begin(&mut self, edits: Option<usize>, now: Time) {
        debug_assert!(self.touched.is_empty(), "packets are counted before rules change");
        match edits.filter(|_| self.halves.is_roomy()) {
            Some(edits) => {
                self.edits = self.edits.saturating_add(edits as u32);
                self.numbers.advance(edits as u32);
            }
            None => {
                self.halves.turn();
                self.alike.clear();
                self.edits = 0;
                self.numbers.advance(1);
            }
        }
        if self.edition != Edition::NONE {
            self.linger.begin(now);
        }
    }

    /// Looks whether packets still go by what was decided before.
    pub(crate) fn look(&mut self, now: Time) {
        self.linger.look(now);
    }

    /// Is every packet judged by what the worker reads now?
    pub(crate) fn is_settled(&self) -> bool {
        !self.linger.is_on()
    }

    /// Have flows to forget the numbers that [`Traces::is_old`] says? From which slot on.
    pub(crate) fn forgetting(&self) -> Option<u32> {
        self.numbers.sweep()
    }

    /// Is this number of no use any more?
    #[inline]
    pub(crate) fn is_old(&self, number: u32) -> bool {
        self.numbers.is_old(number, REMEMBERED as u32)
    }

    /// They have forgotten them up to this slot; `None`: all of them.
    pub(crate) fn forgotten(&mut self, up_to: Option<u32>) {
        self.numbers.swept(up_to);
    }

    /// The way of a packet, if the trace of this number holds and was recorded for such packets, and as long as these limits refuse it.
    #[inline]
    pub(crate) fn find(&self, number: u32, key: &Key) -> Option<(Place, &Leave, &[Guard])> {
        if !self.numbers.is_current(number) {
            return None;
        }
        let place = Place(Numbers::place(number)?);
        let trace = self.halves.get(place)?;
        (trace.key == *key).then_some((place, &trace.leave, &trace.guards))
    }

    /// If this trace was recorded before the last changes: what they were.
    #[inline]
    pub(crate) fn outlived(&self, number: u32) -> Option<Outlived> {
        if self.numbers.is_current(number) || self.numbers.is_closed() {
            return None;
        }
        let place = Place(Numbers::place(number)?);
        Some(if self.halves.is_current(place) { Outlived::Edits } else { Outlived::All })
    }

    /// How a packet goes whose trace is at this place.
    pub(crate) fn leave(&self, place: Place) -> Option<&Leave> {
        self.halves.get(place).map(|trace| &trace.leave)
    }

    /// The way of such a packet with these TCP flags by a trace that has outlived everything, if it may go by that once more.
    #[inline]
    pub(crate) fn linger(&mut self, number: u32, (key, flags): (&Key, u8), now: Time) -> Option<(Place, &Leave)> {
        let place = Place(Numbers::place(number)?);
        let trace = self.halves.get(place)?;
        // No edit has come since.
        let is_last = self.edits == 0 && self.numbers.age(number) == 1;
        (is_last && held_before(trace, key, flags & self.flags[1]) && self.linger.allows(now)).then_some((place, &trace.leave))
    }

    /// Does a trace that has outlived edits still hold for such packets, and for this one with its TCP flags? `meets` says
    /// whether it could meet a rule that an edit brought.
    pub(crate) fn renew<F: Family>(
        &mut self,
        number: u32,
        (key, flags): (&Key, u8),
        lineage: &Lineage<F>,
        now: Time,
        meets: impl Fn(&Change<F>) -> bool,
    ) -> Renewed {
        let Some(place) = Numbers::place(number).map(Place) else { return Renewed::Ended };
        let age = self.numbers.age(number);
        let Some(trace) = self.halves.get(place) else { return Renewed::Ended };
        let Some(missed) = (age <= self.edits).then(|| lineage.last(age as usize)).flatten() else { return Renewed::Ended };
        let last = missed.len() - 1;
        let is_last = match missed.enumerate().find(|(_, change)| trace.ends_with(change) || meets(change)) {
            None if trace.key == *key => return Renewed::Holds(self.numbers.number(place.0)),
            None => return Renewed::Ended,
            Some((at, _)) => at == last,
        };
        let lingers = is_last && held_before(trace, key, flags & self.flags[1]) && self.linger.allows(now);
        if lingers { Renewed::Lingers(place) } else { Renewed::Ended }
    }

    /// As [`Traces::find`]: what is needed to send and count the packet.
    #[inline(always)]
    pub(crate) fn way(&mut self, number: u32, key: Key) -> Option<Way<'_>> {
        let place = self.numbers.current_place(number);
        let trace = self.halves.given(place)?;
        (trace.key == key).then_some(Way { trace, place: Place(place as u32) })
    }

    /// The way of a packet for whose trace [`Traces::way`] has none.
    // On its own: few packets come here but for a moment after a change.
    #[inline(never)]
    pub(crate) fn way_behind(&mut self, number: u32, (key, flags): (Key, u8), now: Time) -> Behind<'_> {
        if self.outlived(number) != Some(Outlived::All) {
            return Behind::Asks;
        }
        let place = self.linger(number, (&key, flags), now).map(|(place, _)| place);
        match place.and_then(|place| Some((place, self.halves.get_mut(place)?))) {
            Some((place, trace)) => Behind::Lingers(Way { trace, place }),
            None => Behind::Ended,
        }
    }

    /// Many packets took ways, each of which was counted ([`Way::count`]).
    #[inline]
    pub(crate) fn took(&mut self, packets: usize) {
        self.retraced += packets as u64;
    }

    /// The first packet of this burst took the way at this place.
    #[inline]
    pub(crate) fn touch(&mut self, place: Place, counters: &Counters) {
        if self.touched.try_push(place).is_err() {
            self.settle(counters);
            self.touched.push(place);
        }
    }

    /// A packet took that way.
    #[inline(always)]
    pub(crate) fn count(&mut self, place: Place, bytes: u32, counters: &Counters) {
        let Some(trace) = self.halves.get_mut(place) else { return };
        self.retraced += 1;
        if trace.count(bytes) {
            self.touch(place, counters);
        }
    }

    /// Gives what was counted to the rules.
    pub(crate) fn settle(&mut self, counters: &Counters) {
        for place in self.touched.drain(..) {
            let Some(trace) = self.halves.get_mut(place) else { continue };
            for counter in &trace.counters {
                counters.add(*counter, trace.packets, trace.bytes);
            }
            (trace.packets, trace.bytes) = (0, 0);
        }
    }

    /// A walk begins whose packet could be followed by others like it.
    #[inline]
    pub(crate) fn record(&mut self) {
        self.recording.counters.clear();
        self.recording.guards.clear();
        self.recording.on = !self.halves.is_full() && !self.numbers.is_closed();
    }

    /// The packet at hand moves a counter.
    #[inline]
    pub(crate) fn note(&mut self, counter: CounterSlot) {
        if self.recording.on && self.recording.counters.try_push(counter).is_err() {
            self.spoil();
        }
    }

    /// A limit has refused the packet at hand. One that it meets twice could answer the second time what it did not the first.
    #[inline]
    pub(crate) fn guard(&mut self, guard: Guard) {
        if self.recording.on && (self.recording.guards.contains(&guard) || self.recording.guards.try_push(guard).is_err()) {
            self.spoil();
        }
    }

    /// The next packet like this one may have another way.
    #[inline]
    pub(crate) fn spoil(&mut self) {
        self.recording.on = false;
    }

    /// Is what the packet at hand meets still to be remembered?
    #[inline]
    pub(crate) fn is_recording(&self) -> bool {
        self.recording.on
    }

    /// The recorded packet goes this way: the number of its trace.
    pub(crate) fn keep(&mut self, key: Key, leave: Leave) -> u32 {
        debug_assert!(self.recording.on);
        self.recording.on = false;
        let hash = |key: &Key, leave: &Leave, counters: &[CounterSlot]| FixedState::default().hash_one((key, leave, counters));
        let Self { halves, alike, recording, numbers, .. } = self;
        let same = |at: &u32| {
            let (_, trace) = halves.recorded(*at);
            let (guards, counters) = (&recording.guards, &recording.counters);
            trace.key == key && trace.leave == leave && trace.counters == *counters && trace.guards == *guards
        };
        let wanted = hash(&key, &leave, &recording.counters);
        if let Some(at) = alike.find(wanted, same) {
            return numbers.number(halves.recorded(*at).0.0);
        }
        let (guards, counters) = (recording.guards.clone(), recording.counters.clone());
        let at = halves.push(Trace { key, leave, packets: 0, bytes: 0, guards, counters });
        alike.insert_unique(wanted, at, |at| {
            let (_, trace) = halves.recorded(*at);
            hash(&trace.key, &trace.leave, &trace.counters)
        });
        numbers.number(halves.recorded(at).0.0)
    }
}
