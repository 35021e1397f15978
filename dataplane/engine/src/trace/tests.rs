//! What is kept of a way, and for how long it holds.

use std::sync::Arc;

use program::{Chain, ChainId, HeaderTest, Hook, IdRange, Policy, Program, Rule, Table, Tables, Target};

use super::*;

const SEEN: Seen = Seen { mark: 0, connmark: 0, input: InterfaceId(1), tos: 0, flags: 0x10, new: false, from: Begins::BeforeRaw };
const NOW: Time = Time(1_000_000);
const LEAVE: Leave = Leave { output: InterfaceId(2), mtu: 1500, frame: [2; 14] };

/// What most packets here are.
fn key() -> Key {
    SEEN.into()
}

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
    let (place, ..) = traces.find(number, &key()).expect("it holds");
    traces.count(place, bytes, counters);
}

fn follow(traces: &mut Traces, edition: &Edition) {
    traces.follow(edition.number(), &edition.ipv4, NOW, || 0x12);
}

#[test]
fn alike_traces_are_one_and_answer_their_own_key_alone() {
    let mut traces = Traces::new(8, 0);
    let (one, same) = (recorded(&mut traces, key(), &[1, 2]), recorded(&mut traces, key(), &[1, 2]));
    let other_rules = recorded(&mut traces, key(), &[1, 3]);
    let marked = Key::from(Seen { mark: 7, ..SEEN });
    let other_key = recorded(&mut traces, marked, &[1, 2]);
    assert_eq!(one, same);
    assert!(one != other_rules && one != other_key && other_rules != other_key);
    assert_eq!((way(&traces, one, &key()), way(&traces, other_key, &marked)), (Some(LEAVE), Some(LEAVE)));
    for other in [
        marked,
        Key::from(Seen { connmark: 1, ..SEEN }),
        Key::from(Seen { flags: 0x11, ..SEEN }),
        Key::from(Seen { tos: 4, ..SEEN }),
        Key::from(Seen { new: true, ..SEEN }),
        Key::from(Seen { from: Begins::Tracked, ..SEEN }),
    ] {
        assert_eq!(way(&traces, one, &other), None);
    }
    assert_eq!((way(&traces, NONE, &key()), way(&traces, one + 4, &key())), (None, None));
}

#[test]
fn each_rule_on_the_way_gets_the_packets_and_bytes_of_its_burst_once() {
    let (mut traces, counters) = (Traces::new(200, 0), Counters::new(300));
    let number = recorded(&mut traces, key(), &[0, 1]);
    for bytes in [60, 40] {
        taken(&mut traces, number, bytes, &counters);
    }
    assert_eq!(counters.get(CounterSlot(0)).packets, 0, "not before the burst's end");
    traces.settle(&counters);
    traces.settle(&counters);
    assert_eq!([0, 1, 2].map(|slot| counters.get(CounterSlot(slot)).bytes), [100, 100, 0]);
    assert_eq!((counters.get(CounterSlot(1)).packets, traces.retraced()), (2, 2));
    // More traces at once than a burst has packets.
    let all: Vec<_> = (0..150).map(|i| recorded(&mut traces, key(), &[100 + i])).collect();
    all.iter().for_each(|number| taken(&mut traces, *number, 20, &counters));
    traces.settle(&counters);
    assert!((100..250).all(|slot| counters.get(CounterSlot(slot)).packets == 1));
}

#[test]
fn a_new_edition_ends_all_numbers_of_the_one_before() {
    let mut traces = Traces::new(8, 0);
    let old = recorded(&mut traces, key(), &[1]);
    follow(&mut traces, &Edition::new());
    assert_eq!(way(&traces, old, &key()), None);
    let new = recorded(&mut traces, key(), &[1]);
    assert_ne!(old, new);
    assert_eq!((way(&traces, old, &key()), way(&traces, new, &key())), (None, Some(LEAVE)));
}

#[test]
fn a_full_table_and_too_many_counters_record_nothing() {
    let mut traces = Traces::new(3, 0);
    for i in 0..3 {
        recorded(&mut traces, key(), &[i]);
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
        traces.is_recording().then(|| traces.keep(key(), LEAVE))
    };
    let (none, one, two) = (guarded(&[]), guarded(&[1]), guarded(&[1, 2]));
    assert!(none.is_some() && none != one && one != two && one == guarded(&[1]));
    assert_eq!((guarded(&[1, 2, 3, 4]), guarded(&[1, 1])), (None, None));
    assert_eq!(traces.find(two.expect("is kept"), &key()).map(|(_, _, guards)| guards.to_vec()), Some(vec![guard(1), guard(2)]));
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
    assert_eq!(way(traces, number, &key()), None);
    let what = traces.outlived(number).expect("something came");
    outlasts(traces, number, 0x10, what, edition, meets)
}

fn outlasts(traces: &mut Traces, number: u32, flags: u8, what: Outlived, edition: &Edition, meets: bool) -> Renewed {
    let subject = (&key(), flags);
    match what {
        Outlived::Edits => traces.renew(number, subject, &edition.ipv4, NOW, |change| meets && !change.brings_nothing()),
        Outlived::All => traces.linger(number, subject, NOW).map_or(Renewed::Ended, |(place, _)| Renewed::Lingers(place)),
    }
}

#[test]
fn a_trace_holds_through_edits_that_are_none_of_its_business() {
    let editions = editions(&[&[1, 2], &[1, 2, 3], &[1, 3], &[3]]);
    let outcome = |after: usize, counters: &[u32], meets: bool| {
        let mut traces = Traces::new(8, 0);
        follow(&mut traces, &editions[0]);
        let number = recorded(&mut traces, key(), counters);
        editions[1..=after].iter().for_each(|edition| follow(&mut traces, edition));
        match renewed(&mut traces, number, &editions[after], meets) {
            Renewed::Holds(renewed) => {
                assert_eq!(way(&traces, renewed, &key()), Some(LEAVE));
                assert_eq!(recorded(&mut traces, key(), counters), renewed, "one that says the same is the same");
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
        let number = traces.keep(key(), LEAVE);
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
        let number = recorded(&mut traces, key(), &[1]);
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
        let number = recorded(&mut traces, key(), &[1]);
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
    let number = recorded(&mut traces, key(), &[1]);
    editions[1..].iter().for_each(|edition| follow(&mut traces, edition));
    assert_eq!(lingering(&mut traces, number, &editions[2]), 0, "it would have met the first of them");
}

/// Flags that no rule looks at any more could have made a difference before.
#[test]
fn what_lingers_answers_the_key_of_its_time() {
    let mut traces = Traces::new(8, LONGEST);
    let (first, second) = (Edition::new(), Edition::new());
    traces.follow(first.number(), &first.ipv4, NOW, || 0x18);
    let number = recorded(&mut traces, key(), &[1]);
    traces.follow(second.number(), &second.ipv4, NOW, || 0x10);
    traces.burst(true);
    let mut lingers = |flags| (0..9).any(|_| outlasts(&mut traces, number, flags, Outlived::All, &second, false) != Renewed::Ended);
    assert_eq!([lingers(0x10), lingers(0x18)], [true, false]);
}

#[test]
fn a_half_that_fills_up_with_what_edits_ended_begins_anew() {
    let editions = editions(&[&[1], &[1, 2], &[1]]);
    let mut traces = Traces::new(8, 0);
    follow(&mut traces, &editions[0]);
    let numbers: Vec<_> = (0..8).map(|counter| recorded(&mut traces, key(), &[counter])).collect();
    traces.record();
    assert!(!traces.is_recording());
    follow(&mut traces, &editions[1]);
    assert!(numbers.iter().all(|number| renewed(&mut traces, *number, &editions[1], false) == Renewed::Ended));
    let number = recorded(&mut traces, key(), &[1]);
    follow(&mut traces, &editions[2]);
    assert!(matches!(renewed(&mut traces, number, &editions[2], false), Renewed::Holds(_)));
}
