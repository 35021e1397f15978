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
use packet::Family;
use program::{Change, CounterSlot, InterfaceId, LimitSpec, StateSlot, TableKind};

use self::linger::Linger;
use self::number::Numbers;
use crate::counters::Counters;
use crate::snapshot::{Edition, Lineage, REMEMBERED};
use crate::time::Time;
use crate::worker::BURST;

mod linger;
mod number;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
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
    pub(crate) output: InterfaceId,
    /// The longest packet that goes this way whole.
    pub(crate) mtu: u32,
    pub(crate) destination: [u8; 6],
    pub(crate) source: [u8; 6],
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

impl Trace {
    /// Could such packets go another way for what this edit took away, or for what it had begin anew?
    fn ends_with<F: Family>(&self, change: &Change<F>) -> bool {
        change.ends_one_of(&self.counters)
            || self.guards.iter().any(|guard| change.is_of(guard.table))
            || (self.key.new && change.is_of(TableKind::Nat))
    }
}

/// The recording of the packet at hand.
#[derive(Default)]
struct Recording {
    on: bool,
    guards: ArrayVec<Guard, GUARDS>,
    counters: ArrayVec<CounterSlot, COUNTERS>,
}

/// The traces of one family at one worker.
pub(crate) struct Traces {
    /// The number of the edition that they hold for.
    edition: u64,
    /// TCP flags that a rule of it looks at, and those that one of the edition before it did.
    flags: [u8; 2],
    /// Those that are recorded, and those that were before everything may have changed.
    halves: [Vec<Trace>; 2],
    /// Which half is recorded into.
    half: usize,
    /// Most of them in a half.
    room: usize,
    /// Edits since this half began.
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

/// Where a trace stands: its half in the lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

impl Place {
    fn new(half: usize, at: usize) -> Self {
        Self((at << 1 | half) as u32)
    }

    #[inline]
    fn half(self) -> usize {
        self.0 as usize & 1
    }

    #[inline]
    fn at(self) -> usize {
        self.0 as usize >> 1
    }
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
            halves: [Vec::with_capacity(capacity), Vec::with_capacity(capacity)],
            half: 0,
            room: capacity,
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
        let is_roomy = self.halves[self.half].len() <= self.room / 4 * 3;
        match edits.filter(|_| is_roomy) {
            Some(edits) => {
                self.edits = self.edits.saturating_add(edits as u32);
                self.numbers.advance(edits as u32);
            }
            None => {
                self.half = 1 - self.half;
                self.halves[self.half].clear();
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
        let trace = self.at(place)?;
        (trace.key == *key).then_some((place, &trace.leave, &trace.guards))
    }

    /// Was this trace recorded before the last edits?
    #[inline]
    pub(crate) fn is_earlier(&self, number: u32) -> bool {
        number != NONE && !self.numbers.is_current(number) && !self.numbers.is_closed()
    }

    #[inline]
    fn at(&self, place: Place) -> Option<&Trace> {
        self.halves[place.half()].get(place.at())
    }

    /// How a packet goes whose trace is at this place.
    pub(crate) fn leave(&self, place: Place) -> Option<&Leave> {
        self.at(place).map(|trace| &trace.leave)
    }

    /// Does a trace of an earlier edition ([`Traces::is_earlier`]) still hold for such packets, and for this one with its TCP flags? `meets` says
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
        let Some(trace) = self.at(place) else { return Renewed::Ended };
        let is_last = if place.half() != self.half {
            // Everything may have changed, and no edit has come since.
            age == 1 && self.edits == 0
        } else {
            let Some(missed) = (age <= self.edits).then(|| lineage.last(age as usize)).flatten() else { return Renewed::Ended };
            let last = missed.len() - 1;
            match missed.enumerate().find(|(_, change)| trace.ends_with(change) || meets(change)) {
                None if trace.key == *key => return Renewed::Holds(self.numbers.number(place.0)),
                None => return Renewed::Ended,
                Some((at, _)) => at == last,
            }
        };
        // What its limits remember may be gone.
        let held_before = is_last && trace.guards.is_empty() && trace.key == Key { flags: flags & self.flags[1], ..*key };
        if held_before && self.linger.allows(now) { Renewed::Lingers(place) } else { Renewed::Ended }
    }

    /// A packet took that way.
    #[inline(always)]
    pub(crate) fn count(&mut self, place: Place, bytes: u32, counters: &Counters) {
        let Some(trace) = self.halves[place.half()].get_mut(place.at()) else { return };
        self.retraced += 1;
        trace.bytes += u64::from(bytes);
        trace.packets += 1;
        if trace.packets == 1 && self.touched.try_push(place).is_err() {
            self.settle(counters);
            self.touched.push(place);
        }
    }

    /// Gives what was counted to the rules.
    pub(crate) fn settle(&mut self, counters: &Counters) {
        for place in self.touched.drain(..) {
            let trace = &mut self.halves[place.half()][place.at()];
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
        self.recording.on = self.halves[self.half].len() < self.room && !self.numbers.is_closed();
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
        let Self { halves, half, alike, recording, numbers, .. } = self;
        let traces = &mut halves[*half];
        let same = |at: &u32| {
            let trace = &traces[*at as usize];
            let (guards, counters) = (&recording.guards, &recording.counters);
            trace.key == key && trace.leave == leave && trace.counters == *counters && trace.guards == *guards
        };
        let wanted = hash(&key, &leave, &recording.counters);
        if let Some(at) = alike.find(wanted, same) {
            return numbers.number(Place::new(*half, *at as usize).0);
        }
        let at = traces.len();
        let (guards, counters) = (recording.guards.clone(), recording.counters.clone());
        traces.push(Trace { key, leave, packets: 0, bytes: 0, guards, counters });
        alike.insert_unique(wanted, at as u32, |at| {
            let trace = &traces[*at as usize];
            hash(&trace.key, &trace.leave, &trace.counters)
        });
        numbers.number(Place::new(*half, at).0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use program::{Chain, ChainId, HeaderTest, Hook, IdRange, Policy, Program, Rule, Table, Tables, Target};

    use super::*;

    const KEY: Key = Key { mark: 0, connmark: 0, input: InterfaceId(1), tos: 0, flags: 0x10, new: false, from: Begins::BeforeRaw };
    const NOW: Time = Time(1_000_000);
    const LEAVE: Leave = Leave { output: InterfaceId(2), mtu: 1500, destination: [2; 6], source: [4; 6] };

    fn way(traces: &Traces, number: u32, key: &Key) -> Option<Leave> {
        traces.find(number, key).map(|(_, leave, _)| *leave)
    }

    fn recorded(traces: &mut Traces, key: Key, counters: &[u32]) -> u32 {
        traces.record();
        counters.iter().for_each(|counter| traces.note(CounterSlot(*counter)));
        traces.keep(key, LEAVE)
    }

    /// A packet goes by it.
    fn taken(traces: &mut Traces, number: u32, bytes: u32, counters: &Counters) {
        let (place, ..) = traces.find(number, &KEY).expect("it holds");
        traces.count(place, bytes, counters);
    }

    fn follow(traces: &mut Traces, edition: &Edition) {
        traces.follow(edition.number(), &edition.ipv4, NOW, || 0x12);
    }

    #[test]
    fn alike_traces_are_one_and_answer_their_own_key_alone() {
        let mut traces = Traces::new(8, 0);
        let (one, same) = (recorded(&mut traces, KEY, &[1, 2]), recorded(&mut traces, KEY, &[1, 2]));
        let other_rules = recorded(&mut traces, KEY, &[1, 3]);
        let marked = Key { mark: 7, ..KEY };
        let other_key = recorded(&mut traces, marked, &[1, 2]);
        assert_eq!(one, same);
        assert!(one != other_rules && one != other_key && other_rules != other_key);
        assert_eq!((way(&traces, one, &KEY), way(&traces, other_key, &marked)), (Some(LEAVE), Some(LEAVE)));
        for other in [
            marked,
            Key { connmark: 1, ..KEY },
            Key { flags: 0x11, ..KEY },
            Key { tos: 4, ..KEY },
            Key { new: true, ..KEY },
            Key { from: Begins::Tracked, ..KEY },
        ] {
            assert_eq!(way(&traces, one, &other), None);
        }
        assert_eq!((way(&traces, NONE, &KEY), way(&traces, one + 4, &KEY)), (None, None));
    }

    #[test]
    fn each_rule_on_the_way_gets_the_packets_and_bytes_of_its_burst_once() {
        let (mut traces, counters) = (Traces::new(200, 0), Counters::new(300));
        let number = recorded(&mut traces, KEY, &[0, 1]);
        for bytes in [60, 40] {
            taken(&mut traces, number, bytes, &counters);
        }
        assert_eq!(counters.get(CounterSlot(0)).packets, 0, "not before the burst's end");
        traces.settle(&counters);
        traces.settle(&counters);
        assert_eq!([0, 1, 2].map(|slot| counters.get(CounterSlot(slot)).bytes), [100, 100, 0]);
        assert_eq!((counters.get(CounterSlot(1)).packets, traces.retraced()), (2, 2));
        // More traces at once than a burst has packets.
        let all: Vec<_> = (0..150).map(|i| recorded(&mut traces, KEY, &[100 + i])).collect();
        all.iter().for_each(|number| taken(&mut traces, *number, 20, &counters));
        traces.settle(&counters);
        assert!((100..250).all(|slot| counters.get(CounterSlot(slot)).packets == 1));
    }

    #[test]
    fn a_new_edition_ends_all_numbers_of_the_one_before() {
        let mut traces = Traces::new(8, 0);
        let old = recorded(&mut traces, KEY, &[1]);
        follow(&mut traces, &Edition::new());
        assert_eq!(way(&traces, old, &KEY), None);
        let new = recorded(&mut traces, KEY, &[1]);
        assert_ne!(old, new);
        assert_eq!((way(&traces, old, &KEY), way(&traces, new, &KEY)), (None, Some(LEAVE)));
    }

    #[test]
    fn a_full_table_and_too_many_counters_record_nothing() {
        let mut traces = Traces::new(3, 0);
        for i in 0..3 {
            recorded(&mut traces, KEY, &[i]);
        }
        traces.record();
        assert!(!traces.is_recording(), "full");
        follow(&mut traces, &Edition::new());
        traces.record();
        (0..COUNTERS).for_each(|_| traces.note(CounterSlot(1)));
        assert!(traces.is_recording());
        traces.note(CounterSlot(99));
        assert!(!traces.is_recording(), "one counter more than a trace holds");
    }

    #[test]
    fn limits_that_refused_tell_traces_apart_and_more_than_a_few_record_nothing() {
        let guard = |slot| Guard { table: TableKind::Filter, state: StateSlot(slot), spec: LimitSpec { cost: 1, cap: 5 } };
        let mut traces = Traces::new(8, 0);
        let mut guarded = |slots: &[u32]| {
            traces.record();
            slots.iter().for_each(|slot| traces.guard(guard(*slot)));
            traces.is_recording().then(|| traces.keep(KEY, LEAVE))
        };
        let (none, one, two) = (guarded(&[]), guarded(&[1]), guarded(&[1, 2]));
        assert!(none.is_some() && none != one && one != two && one == guarded(&[1]));
        assert_eq!((guarded(&[1, 2, 3, 4]), guarded(&[1, 1])), (None, None));
        assert_eq!(traces.find(two.expect("is kept"), &KEY).map(|(_, _, guards)| guards.to_vec()), Some(vec![guard(1), guard(2)]));
    }

    /// A number that a flow still has must never come to mean another trace.
    /// Rules of FORWARD that ask nothing, by their counters.
    fn program(counters: &[u32]) -> Program {
        let mut table = Table::empty(TableKind::Filter);
        let (rules, policy) = (IdRange { first: 0, len: counters.len() as u32 }, Policy { accept: true, counter: CounterSlot(99) });
        table.chains = vec![Chain { name: "FORWARD".into(), rules, policy: Some(policy) }];
        table.hooks[Hook::Forward as usize] = Some(ChainId(0));
        let rule = |counter: &u32| Rule {
            test: HeaderTest::any(),
            residual: IdRange::default(),
            ordered: IdRange::default(),
            target: Target::Continue,
            counter: CounterSlot(*counter),
        };
        table.rules = counters.iter().map(rule).collect();
        let mut ipv4 = Tables::default();
        ipv4.tables[TableKind::Filter as usize] = Some(Arc::new(table));
        Program { ipv4, ..Program::default() }
    }

    /// Editions, each of which has these rules instead of those before.
    fn editions(rules: &[&[u32]]) -> Vec<Edition> {
        let programs: Vec<_> = rules.iter().map(|rules| program(rules)).collect();
        let edits = programs.windows(2);
        let mut editions = vec![Edition::new()];
        edits.for_each(|pair| editions.push(editions[editions.len() - 1].after(&pair[0], &pair[1])));
        editions
    }

    const LONGEST: u64 = 50_000_000;

    fn renewed(traces: &mut Traces, number: u32, edition: &Edition, meets: bool) -> Renewed {
        assert_eq!(way(traces, number, &KEY), None);
        assert!(traces.is_earlier(number));
        traces.renew(number, (&KEY, 0x10), &edition.ipv4, NOW, |change| meets && !change.brings_nothing())
    }

    #[test]
    fn a_trace_holds_through_edits_that_are_none_of_its_business() {
        let editions = editions(&[&[1, 2], &[1, 2, 3], &[1, 3], &[3]]);
        let outcome = |after: usize, counters: &[u32], meets: bool| {
            let mut traces = Traces::new(8, 0);
            follow(&mut traces, &editions[0]);
            let number = recorded(&mut traces, KEY, counters);
            editions[1..=after].iter().for_each(|edition| follow(&mut traces, edition));
            match renewed(&mut traces, number, &editions[after], meets) {
                Renewed::Holds(renewed) => {
                    assert_eq!(way(&traces, renewed, &KEY), Some(LEAVE));
                    assert_eq!(recorded(&mut traces, KEY, counters), renewed, "one that says the same is the same");
                    true
                }
                Renewed::Lingers(_) => panic!("nothing lingers"),
                Renewed::Ended => false,
            }
        };
        assert_eq!([outcome(1, &[1], false), outcome(1, &[1], true)], [true, false], "a rule came");
        assert_eq!([outcome(2, &[1], false), outcome(2, &[1, 2], false)], [true, false], "a rule went");
        assert_eq!([outcome(3, &[1], false), outcome(3, &[99], false)], [false, true]);
        assert!(!outcome(3, &[99], true), "of some time ago");
    }

    #[test]
    fn limits_that_began_anew_are_not_relied_upon() {
        let editions = editions(&[&[1], &[1, 2]]);
        for (table, holds) in [(TableKind::Filter, false), (TableKind::Mangle, true)] {
            let mut traces = Traces::new(8, LONGEST);
            follow(&mut traces, &editions[0]);
            traces.record();
            traces.guard(Guard { table, state: StateSlot(0), spec: LimitSpec { cost: 1, cap: 5 } });
            let number = traces.keep(KEY, LEAVE);
            follow(&mut traces, &editions[1]);
            traces.burst(true);
            let outcome = (0..9).map(|_| renewed(&mut traces, number, &editions[1], false)).last();
            assert_eq!(matches!(outcome, Some(Renewed::Holds(_))), holds);
            assert!(holds || outcome == Some(Renewed::Ended));
        }
    }

    /// How many of so many packets of a full burst go by what was decided before.
    fn lingering(traces: &mut Traces, number: u32, edition: &Edition) -> usize {
        traces.burst(true);
        (0..20).filter(|_| matches!(renewed(traces, number, edition, true), Renewed::Lingers(_))).count()
    }

    #[test]
    fn what_was_decided_before_the_last_change_lingers_for_a_while() {
        let small = editions(&[&[1], &[1, 2]]);
        let whole = [Edition::new(), Edition::new()];
        for editions in [&small[..], &whole[..]] {
            let (mut traces, counters) = (Traces::new(8, LONGEST), Counters::new(8));
            follow(&mut traces, &editions[0]);
            assert!(traces.is_settled(), "there was nothing before");
            let number = recorded(&mut traces, KEY, &[1]);
            follow(&mut traces, &editions[1]);
            assert!(!traces.is_settled());
            assert_eq!(lingering(&mut traces, number, &editions[1]), 19, "one walks");
            let Renewed::Lingers(place) = renewed(&mut traces, number, &editions[1], true) else { panic!("it lingers") };
            assert_eq!(traces.leave(place), Some(&LEAVE));
            traces.count(place, 60, &counters);
            traces.settle(&counters);
            assert_eq!(counters.get(CounterSlot(1)).packets, 1);
            traces.look(Time(NOW.0 + LONGEST));
            assert!(traces.is_settled());
            assert_eq!(lingering(&mut traces, number, &editions[1]), 0);
        }
    }

    #[test]
    fn what_was_decided_before_an_earlier_change_is_over() {
        for count in [1, 2] {
            let mut traces = Traces::new(8, LONGEST);
            follow(&mut traces, &Edition::new());
            let number = recorded(&mut traces, KEY, &[1]);
            let last = (0..count).fold(Edition::new(), |_, _| {
                let edition = Edition::new();
                follow(&mut traces, &edition);
                edition
            });
            assert_eq!(lingering(&mut traces, number, &last) > 0, count == 1);
        }
        let editions = editions(&[&[1], &[1, 2], &[1, 2, 3]]);
        let mut traces = Traces::new(8, LONGEST);
        editions[..1].iter().for_each(|edition| follow(&mut traces, edition));
        let number = recorded(&mut traces, KEY, &[1]);
        editions[1..].iter().for_each(|edition| follow(&mut traces, edition));
        assert_eq!(lingering(&mut traces, number, &editions[2]), 0, "it would have met the first of them");
    }

    /// Flags that no rule looks at any more could have made a difference before.
    #[test]
    fn what_lingers_answers_the_key_of_its_time() {
        let mut traces = Traces::new(8, LONGEST);
        let (first, second) = (Edition::new(), Edition::new());
        traces.follow(first.number(), &first.ipv4, NOW, || 0x18);
        let number = recorded(&mut traces, KEY, &[1]);
        traces.follow(second.number(), &second.ipv4, NOW, || 0x10);
        traces.burst(true);
        let mut lingers =
            |flags| (0..9).any(|_| traces.renew(number, (&KEY, flags), &second.ipv4, NOW, |_| false) != Renewed::Ended);
        assert_eq!([lingers(0x10), lingers(0x18)], [true, false]);
    }

    #[test]
    fn a_half_that_fills_up_with_what_edits_ended_begins_anew() {
        let editions = editions(&[&[1], &[1, 2], &[1]]);
        let mut traces = Traces::new(8, 0);
        follow(&mut traces, &editions[0]);
        let numbers: Vec<_> = (0..8).map(|counter| recorded(&mut traces, KEY, &[counter])).collect();
        traces.record();
        assert!(!traces.is_recording());
        follow(&mut traces, &editions[1]);
        assert!(numbers.iter().all(|number| renewed(&mut traces, *number, &editions[1], false) == Renewed::Ended));
        let number = recorded(&mut traces, KEY, &[1]);
        follow(&mut traces, &editions[2]);
        assert!(matches!(renewed(&mut traces, number, &editions[2], false), Renewed::Holds(_)));
    }
}
