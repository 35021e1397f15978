//! What an edit cannot change for a packet: its verdict and the counters that it moves.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use packet::{Family, Header, Ipv4, Ipv6};
use program::eval::{self, Act, Env, Verdict};
use program::header_test::Answer;
use program::table::{Hook, needs_order};
use program::{Change, CounterSlot, IdRange, InterfaceId, Match, Rule, RuleIndex, Table, TableKind, Tables, Target};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::arbitrary::{self, NAMES};
use crate::build::{Line, every, on, table, tcp, tcp_dport};

/// A packet to which a match says the same whenever it is asked, and that stays as it is.
struct Packet<F: Family> {
    header: Header<F>,
    interfaces: (InterfaceId, InterfaceId),
    counted: Vec<CounterSlot>,
    seed: u64,
}

impl<F: Family> Env<F> for Packet<F> {
    fn header(&self) -> &Header<F> {
        &self.header
    }

    fn interfaces(&self) -> (InterfaceId, InterfaceId) {
        self.interfaces
    }

    fn ask(&mut self, _: &Table<F>, test: &Match) -> Answer {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((self.seed, test));
        (hash % 3 > 0).into()
    }

    fn count(&mut self, counter: CounterSlot) {
        self.counted.push(counter);
    }

    fn act(&mut self, _: &Table<F>, _: RuleIndex, target: &Target) -> Act {
        if matches!(target, Target::Reject(_)) { Act::Drop } else { Act::Continue }
    }
}

/// What an edit does, to rules chosen by number.
#[derive(Clone, Debug)]
enum Edit {
    Remove(Index),
    /// A rule like this one, in front of that one.
    Add(Index, Index),
    /// A rule asks the header what another one asks, and keeps its counter.
    Replace(Index, Index),
    /// A rule asks its other matches of what another one asks.
    ReplaceMatches(Index, Index),
    /// A rule does what another one does.
    ReplaceTarget(Index, Index),
    Policy(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any::<Index>().prop_map(Edit::Remove),
        any::<(Index, Index)>().prop_map(|(rule, at)| Edit::Add(rule, at)),
        any::<(Index, Index)>().prop_map(|(rule, other)| Edit::Replace(rule, other)),
        any::<(Index, Index)>().prop_map(|(rule, other)| Edit::ReplaceMatches(rule, other)),
        any::<(Index, Index)>().prop_map(|(rule, other)| Edit::ReplaceTarget(rule, other)),
        any::<Index>().prop_map(Edit::Policy),
    ]
}

/// Moves the chains behind a rule that came or went.
fn move_chains<F: Family>(table: &mut Table<F>, at: u32, by: i32) {
    for chain in &mut table.chains {
        let IdRange { first, len } = &mut chain.rules;
        if (*first..*first + *len).contains(&at) {
            *len = len.strict_add_signed(by);
        } else if *first > at {
            *first = first.strict_add_signed(by);
        }
    }
}

fn apply<F: Family>(table: &mut Table<F>, edit: &Edit, counter: u32) {
    let count = table.rules.len();
    if count == 0 && !matches!(edit, Edit::Policy(_)) {
        return;
    }
    match edit {
        Edit::Remove(rule) => {
            let at = rule.index(count);
            table.rules.remove(at);
            move_chains(table, at as u32, -1);
        }
        Edit::Add(rule, at) => {
            let (rule, at) = (Rule { counter: CounterSlot(counter), ..table.rules[rule.index(count)] }, at.index(count));
            move_chains(table, at as u32, 1);
            table.rules.insert(at, rule);
        }
        Edit::Replace(rule, other) => table.rules[rule.index(count)].test = table.rules[other.index(count)].test,
        Edit::ReplaceMatches(rule, other) => {
            let Rule { residual, ordered, .. } = table.rules[other.index(count)];
            let rule = &mut table.rules[rule.index(count)];
            (rule.residual, rule.ordered) = (residual, ordered);
        }
        Edit::ReplaceTarget(rule, other) => {
            let target = table.rules[other.index(count)].target;
            // Where chains may lead to is not what this is about.
            if !matches!(target, Target::Jump(_) | Target::Goto(_)) {
                table.rules[rule.index(count)].target = target;
            }
        }
        Edit::Policy(chain) => {
            let mut policies: Vec<_> = table.chains.iter_mut().filter_map(|chain| chain.policy.as_mut()).collect();
            let at = chain.index(policies.len());
            policies[at].accept ^= true;
        }
    }
}

fn tables<F: Family>(table: &Table<F>) -> Tables<F> {
    let mut tables = Tables::default();
    tables.tables[table.kind as usize] = Some(Arc::new(table.clone()));
    tables
}

/// Its verdict, a rule by its counter, and the counters that it moved.
fn walked<F: Family>(table: &Table<F>, hook: Hook, packet: &mut Packet<F>) -> (String, Vec<CounterSlot>) {
    packet.counted.clear();
    let verdict = match eval::run(table, hook, packet) {
        Verdict::Drop(rule) => format!("{:?}", table.rules[rule.index()].counter),
        other => format!("{other:?}"),
    };
    (verdict, packet.counted.clone())
}

fn check<F: Family>(before: &Table<F>, edits: &[Edit], headers: &[(Header<F>, u16, u16, u64)]) -> Result<(), TestCaseError> {
    let mut before = before.clone();
    before.bind(&NAMES);
    let mut now = before.clone();
    edits.iter().enumerate().for_each(|(n, edit)| apply(&mut now, edit, 5000 + n as u32));
    now.bind(&NAMES);
    let Some(change) = Change::between(&tables(&before), &tables(&now)) else { return Ok(()) };
    for &(header, input, output, seed) in headers.iter().filter(|(header, ..)| !needs_order(header)) {
        for hook in [Hook::Prerouting, Hook::Forward, Hook::Postrouting] {
            let mut packet = Packet { header, interfaces: (InterfaceId(input), InterfaceId(output)), counted: Vec::new(), seed };
            let old = walked(&before, hook, &mut packet);
            if !change.ends_one_of(&old.1) && !change.may_meet(&header, InterfaceId(input)) {
                prop_assert_eq!(&old, &walked(&now, hook, &mut packet), "{:?} at {:?}: {:?}", header, hook, &change);
            }
        }
    }
    Ok(())
}

/// A few, or as many as bring rules of which more are asked together.
fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop_oneof![3 => vec(edit(), 0..4), 1 => vec(edit(), 40..80)]
}

fn headers<F: Family>() -> impl Strategy<Value = Vec<(Header<F>, u16, u16, u64)>> {
    vec((arbitrary::header::<F>(), 0..4u16, 0..4u16, any::<u64>()), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_meets_nothing_that_changed_goes_as_before(
        table in arbitrary::table::<Ipv4>(), edits in edits(), headers in headers::<Ipv4>(),
    ) {
        check(&table, &edits, &headers)?;
    }

    #[test]
    fn what_meets_nothing_that_changed_goes_as_before_in_ipv6(
        table in arbitrary::table::<Ipv6>(), edits in edits(), headers in headers::<Ipv6>(),
    ) {
        check(&table, &edits, &headers)?;
    }
}

fn filter(forward: Vec<Line<Ipv4>>) -> Tables<Ipv4> {
    tables(&table(TableKind::Filter, &[vec![], forward, vec![]]))
}

#[test]
fn a_table_that_comes_or_goes_and_too_many_rules_are_no_edit() {
    let one = filter(vec![every(Target::Accept)]);
    assert!(Change::between(&Tables::default(), &one).is_none() && Change::between(&one, &Tables::default()).is_none());
    let with = |count: u16| filter((0..count).map(|port| on(6, &[tcp_dport(port)], Target::Accept)).collect());
    assert!(Change::between(&with(0), &with(1024)).is_some());
    assert!(Change::between(&with(0), &with(1025)).is_none());
    assert!(Change::between(&with(10_000), &with(0)).is_some());
}

/// One by one they are asked of as few; more are found by a tree.
#[test]
fn each_of_many_rules_that_came_is_met() {
    for count in [1, 16, 17, 500] {
        let rules = (0..count).map(|port| on(6, &[tcp_dport(1000 + 2 * port)], Target::Accept)).collect();
        let change = Change::between(&filter(vec![]), &filter(rules)).expect("not too many");
        let met = |port: u16| {
            let mut header: Header<Ipv4> = tcp();
            if let packet::L4::Tcp { dport, .. } = &mut header.transport {
                *dport = port;
            }
            change.may_meet(&header, InterfaceId(1))
        };
        let ports: Vec<u16> = (0..=u16::MAX).filter(|port| met(*port)).collect();
        assert_eq!(ports, (0..count).map(|port| 1000 + 2 * port).collect::<Vec<_>>());
    }
}

#[test]
fn only_what_came_or_went_is_told() {
    let rules = |ports: &[u16]| {
        let mut table = table(
            TableKind::Filter,
            &[vec![], ports.iter().map(|port| on(6, &[tcp_dport(*port)], Target::Accept)).collect(), vec![]],
        );
        // A rule's counter is its own.
        table.rules.iter_mut().zip(ports).for_each(|(rule, port)| rule.counter = CounterSlot(u32::from(*port)));
        tables(&table)
    };
    let change = Change::between(&rules(&[22, 25, 53, 80, 443]), &rules(&[22, 53, 8080, 443])).expect("a small one");
    let ended: Vec<_> = [22, 25, 53, 80, 443, 8080].into_iter().filter(|port| change.ends_one_of(&[CounterSlot(*port)])).collect();
    assert_eq!(ended, [25, 80]);
    let met = [22, 25, 53, 80, 443, 8080].into_iter().filter(|port| {
        let mut header: Header<Ipv4> = tcp();
        if let packet::L4::Tcp { dport, .. } = &mut header.transport {
            *dport = *port;
        }
        change.may_meet(&header, InterfaceId(1))
    });
    assert_eq!(met.collect::<Vec<_>>(), [8080]);
    assert!(change.is_of(TableKind::Filter) && !change.is_of(TableKind::Nat));
    let none = Change::between(&rules(&[22, 25]), &rules(&[22, 25])).expect("a small one");
    assert!(none.brings_nothing() && !none.ends_one_of(&[CounterSlot(22)]));
}
