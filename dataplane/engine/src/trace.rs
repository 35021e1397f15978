//! Traces: what the walk decided for one direction of a flow, so that the packets behind need no walk.
//!
//! A trace says under which [`Key`] it was recorded, which counters move, and where the packet goes. A packet of a confirmed flow that answers
//! the key takes the same way as the one that was recorded: every rule would say the same of it, because all else that rules read of it is the
//! flow's own, and does not change. What could say otherwise of the next packet (`random`, `--ctexpire`, a counter's threshold, a `limit` that let it pass), and what
//! does more than to let it pass (LOG, TOS, an answer), *spoils* a recording: such packets walk, each of them. A `limit` that refused it is asked
//! again, as a [`Guard`].
//!
//! Alike traces are one: a flow keeps its number. Packets are added up by trace and given to the rules' counters at the end of each burst, so that
//! these are exact between bursts. Rules, routes, neighbours and settings change by a new [`Edition`] of what the worker reads: it ends every
//! trace of the one before, at once and without a look at flows, because numbers are never used twice. When they are used up, flows forget
//! theirs, some in each round of housekeeping, and numbers begin anew.
//!
//! One writer: the worker.

use core::hash::BuildHasher;

use arrayvec::ArrayVec;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use program::{CounterSlot, InterfaceId, LimitSpec, StateSlot, TableKind};

use crate::counters::Counters;
use crate::snapshot::Edition;
use crate::worker::BURST;

/// Most counters that a trace moves: rules and policies. A packet that moves more walks.
const COUNTERS: usize = 35;
/// Most limits that refused the packet. One that more of them refused walks.
const GUARDS: usize = 3;
/// The number of no trace.
pub(crate) const NONE: u32 = 0;
/// The first one.
const FIRST: u32 = NONE + 1;

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

/// The recording of the packet at hand.
#[derive(Default)]
struct Recording {
    on: bool,
    guards: ArrayVec<Guard, GUARDS>,
    counters: ArrayVec<CounterSlot, COUNTERS>,
}

/// The traces of one family at one worker.
pub(crate) struct Traces {
    edition: Edition,
    /// TCP flags that a rule of it looks at.
    flags: u8,
    traces: Vec<Trace>,
    /// Most of them.
    room: usize,
    /// The number of the first of `traces`.
    base: u32,
    /// The highest number.
    last: u32,
    /// Where each stands, by what it says.
    alike: HashTable<u32>,
    /// Those that packets of this burst took.
    touched: ArrayVec<u32, BURST>,
    recording: Recording,
    /// Where the sweep goes on that has flows forget their numbers.
    forgetting: Option<u32>,
    /// Packets that needed no walk.
    retraced: u64,
}

impl Traces {
    /// Room for so many; none switches them off.
    pub(crate) fn new(capacity: usize) -> Self {
        Self::with_numbers(capacity, u32::MAX)
    }

    fn with_numbers(capacity: usize, last: u32) -> Self {
        Self {
            edition: Edition::NONE,
            flags: 0xff,
            traces: Vec::with_capacity(capacity),
            room: capacity,
            base: FIRST,
            last,
            alike: HashTable::with_capacity(capacity),
            touched: ArrayVec::new(),
            recording: Recording::default(),
            forgetting: None,
            retraced: 0,
        }
    }

    /// Bytes of so many.
    pub(crate) fn bytes(capacity: usize) -> usize {
        capacity * (size_of::<Trace>() + 2 * size_of::<u32>())
    }

    /// Packets that needed no walk.
    pub(crate) fn retraced(&self) -> u64 {
        self.retraced
    }

    /// TCP flags that belong to a [`Key`].
    #[inline]
    pub(crate) fn flags(&self) -> u8 {
        self.flags
    }

    /// What the worker reads from now on, and which TCP flags its rules look at: the traces of anything else end.
    #[inline]
    pub(crate) fn follow(&mut self, edition: Edition, flags: impl FnOnce() -> u8) {
        if edition != self.edition {
            self.begin(edition);
            self.flags = flags();
        }
    }

    fn begin(&mut self, edition: Edition) {
        debug_assert!(self.touched.is_empty(), "packets are counted before rules change");
        self.edition = edition;
        self.base += self.traces.len() as u32;
        self.traces.clear();
        self.alike.clear();
        if self.forgetting.is_none() && ((self.last - self.base) as usize) < self.room {
            self.forgetting = Some(0);
        }
    }

    /// Have flows to forget their numbers? From which slot on.
    pub(crate) fn forgetting(&self) -> Option<u32> {
        self.forgetting
    }

    /// They have forgotten them up to this slot; `None`: all of them.
    pub(crate) fn forgotten(&mut self, up_to: Option<u32>) {
        self.forgetting = up_to;
        if up_to.is_none() {
            self.base = FIRST;
        }
    }

    /// The way of a packet, if the trace of this number was recorded for such packets, and as long as these limits refuse it.
    #[inline]
    pub(crate) fn find(&self, number: u32, key: &Key) -> Option<(&Leave, &[Guard])> {
        let trace = self.traces.get(number.wrapping_sub(self.base) as usize)?;
        (trace.key == *key).then_some((&trace.leave, &trace.guards))
    }

    /// A packet took that way.
    #[inline]
    pub(crate) fn count(&mut self, number: u32, bytes: u32, counters: &Counters) {
        let at = number.wrapping_sub(self.base);
        let Some(trace) = self.traces.get_mut(at as usize) else { return };
        self.retraced += 1;
        trace.bytes += u64::from(bytes);
        trace.packets += 1;
        if trace.packets == 1 && self.touched.try_push(at).is_err() {
            self.settle(counters);
            self.touched.push(at);
        }
    }

    /// Gives what was counted to the rules.
    pub(crate) fn settle(&mut self, counters: &Counters) {
        for at in self.touched.drain(..) {
            let trace = &mut self.traces[at as usize];
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
        self.recording.on = self.traces.len() < self.room && self.forgetting.is_none();
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
        let Self { traces, alike, recording, base, .. } = self;
        let same = |at: &u32| {
            let trace = &traces[*at as usize];
            let (guards, counters) = (&recording.guards, &recording.counters);
            trace.key == key && trace.leave == leave && trace.counters == *counters && trace.guards == *guards
        };
        let wanted = hash(&key, &leave, &recording.counters);
        if let Some(at) = alike.find(wanted, same) {
            return *base + at;
        }
        let at = traces.len() as u32;
        let (guards, counters) = (recording.guards.clone(), recording.counters.clone());
        traces.push(Trace { key, leave, packets: 0, bytes: 0, guards, counters });
        alike.insert_unique(wanted, at, |at| {
            let trace = &traces[*at as usize];
            hash(&trace.key, &trace.leave, &trace.counters)
        });
        *base + at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { mark: 0, connmark: 0, input: InterfaceId(1), tos: 0, flags: 0x10, new: false, from: Begins::BeforeRaw };
    const LEAVE: Leave = Leave { output: InterfaceId(2), mtu: 1500, destination: [2; 6], source: [4; 6] };

    fn way(traces: &Traces, number: u32, key: &Key) -> Option<Leave> {
        traces.find(number, key).map(|(leave, _)| *leave)
    }

    fn recorded(traces: &mut Traces, key: Key, counters: &[u32]) -> u32 {
        traces.record();
        counters.iter().for_each(|counter| traces.note(CounterSlot(*counter)));
        traces.keep(key, LEAVE)
    }

    #[test]
    fn alike_traces_are_one_and_answer_their_own_key_alone() {
        let mut traces = Traces::new(8);
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
        let (mut traces, counters) = (Traces::new(200), Counters::new(300));
        let number = recorded(&mut traces, KEY, &[0, 1]);
        for bytes in [60, 40] {
            traces.count(number, bytes, &counters);
        }
        assert_eq!(counters.get(CounterSlot(0)).packets, 0, "not before the burst's end");
        traces.settle(&counters);
        traces.settle(&counters);
        assert_eq!([0, 1, 2].map(|slot| counters.get(CounterSlot(slot)).bytes), [100, 100, 0]);
        assert_eq!((counters.get(CounterSlot(1)).packets, traces.retraced()), (2, 2));
        // More traces at once than a burst has packets.
        let all: Vec<_> = (0..150).map(|i| recorded(&mut traces, KEY, &[100 + i])).collect();
        all.iter().for_each(|number| traces.count(*number, 20, &counters));
        traces.settle(&counters);
        assert!((100..250).all(|slot| counters.get(CounterSlot(slot)).packets == 1));
    }

    #[test]
    fn a_new_edition_ends_all_numbers_of_the_one_before() {
        let mut traces = Traces::new(8);
        let old = recorded(&mut traces, KEY, &[1]);
        traces.follow(Edition::new(), || 0x12);
        assert_eq!(way(&traces, old, &KEY), None);
        let new = recorded(&mut traces, KEY, &[1]);
        assert_ne!(old, new);
        assert_eq!((way(&traces, old, &KEY), way(&traces, new, &KEY)), (None, Some(LEAVE)));
    }

    #[test]
    fn a_full_table_and_too_many_counters_record_nothing() {
        let mut traces = Traces::new(3);
        for i in 0..3 {
            recorded(&mut traces, KEY, &[i]);
        }
        traces.record();
        assert!(!traces.is_recording(), "full");
        traces.follow(Edition::new(), || 0x12);
        traces.record();
        (0..COUNTERS).for_each(|_| traces.note(CounterSlot(1)));
        assert!(traces.is_recording());
        traces.note(CounterSlot(99));
        assert!(!traces.is_recording(), "one counter more than a trace holds");
    }

    #[test]
    fn limits_that_refused_tell_traces_apart_and_more_than_a_few_record_nothing() {
        let guard = |slot| Guard { table: TableKind::Filter, state: StateSlot(slot), spec: LimitSpec { cost: 1, cap: 5 } };
        let mut traces = Traces::new(8);
        let mut guarded = |slots: &[u32]| {
            traces.record();
            slots.iter().for_each(|slot| traces.guard(guard(*slot)));
            traces.is_recording().then(|| traces.keep(KEY, LEAVE))
        };
        let (none, one, two) = (guarded(&[]), guarded(&[1]), guarded(&[1, 2]));
        assert!(none.is_some() && none != one && one != two && one == guarded(&[1]));
        assert_eq!((guarded(&[1, 2, 3, 4]), guarded(&[1, 1])), (None, None));
        assert_eq!(traces.find(two.expect("is kept"), &KEY).map(|(_, guards)| guards.to_vec()), Some(vec![guard(1), guard(2)]));
    }

    /// A number that a flow still has must never come to mean another trace.
    #[test]
    fn numbers_begin_anew_only_when_flows_have_forgotten_theirs() {
        let mut traces = Traces::with_numbers(4, 20);
        let mut seen = std::collections::HashSet::new();
        while traces.forgetting().is_none() {
            for i in 0..3 {
                assert!(seen.insert(recorded(&mut traces, KEY, &[i])), "used twice");
            }
            traces.follow(Edition::new(), || 0x12);
        }
        assert!(seen.len() >= 9, "most numbers are used: {seen:?}");
        traces.record();
        assert!(!traces.is_recording(), "nothing is recorded meanwhile");
        traces.forgotten(Some(64));
        assert_eq!(traces.forgetting(), Some(64));
        traces.forgotten(None);
        assert!(seen.contains(&recorded(&mut traces, KEY, &[0])));
    }
}
