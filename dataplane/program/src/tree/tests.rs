//! Errors planted in trees: either no packet is answered otherwise, or the check says so.

use std::sync::Arc;

use packet::family::Addr;
use packet::{Fragment, Header, Ipv4, L4, protocol};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::covered::Covered;
use super::entry::{Entry, Line};
use super::layer::{Layer, Run};
use super::node::{BOUNDS, Goal, Kind, Node, Packed, PackedGoal, Turn, hash};
use super::part::{Part, WAYS};
use super::{Plain, Seeker, Tree, TreeFault};
use crate::edit::{ChainEdit, Made};
use crate::header_test::{HeaderTest, Interfaces, L4Test, PortRange};
use crate::id::{ChainId, CounterSlot, IdRange, InterfaceId, RuleIndex};
use crate::rule::{Rule, Target};
use crate::table::{Chain, Policy, Table, TableKind};

/// What a rule asks: the source's last bits under a mask, the destination port from one to another, the protocol
/// (0 for any, with any port).
type Ask = ((u32, u8), (u16, u16), u8);

fn table(asks: &[Ask]) -> Table<Ipv4> {
    let mut table = unbound(asks);
    table.bind(&[]);
    table
}

fn unbound(asks: &[Ask]) -> Table<Ipv4> {
    let mut table = Table { hooks: [None, Some(ChainId(0)), None, None, None], ..Table::empty(TableKind::Filter) };
    for (number, ((src, len), (first, last), protocol)) in asks.iter().enumerate() {
        let src_mask = u32::prefix_mask(*len);
        let mut test =
            HeaderTest { src: src & src_mask, src_mask, protocol: (*protocol != 0).then_some(*protocol), ..HeaderTest::any() };
        let (sport, dport) = (PortRange::ANY, PortRange { first: *first, last: *last });
        test.l4 = IdRange { first: number as u32, len: u32::from(*protocol != 0) };
        table.l4_tests.push(match *protocol {
            protocol::UDP => L4Test::Udp { sport, not_sport: false, dport, not_dport: false },
            _ => L4Test::Tcp { sport, not_sport: false, dport, not_dport: false, mask: 0, set: 0, not_flags: false },
        });
        let counter = CounterSlot(number as u32);
        table.rules.push(Rule { test, residual: IdRange::default(), ordered: IdRange::default(), target: Target::Accept, counter });
    }
    let rules = IdRange { first: 0, len: table.rules.len() as u32 };
    let policy = Some(Policy { accept: false, counter: CounterSlot(rules.len) });
    table.chains.push(Chain { name: "INPUT".into(), rules, policy });
    table
}

fn ask() -> impl Strategy<Value = Ask> {
    let src = (0u32..64, prop::sample::select(vec![0u8, 26, 28, 30, 32]));
    let ports = prop_oneof![Just((0, u16::MAX)), (0u16..32).prop_map(|port| (port, port)), (0u16..32, 0u16..32)];
    (src, ports, prop::sample::select(vec![protocol::TCP, protocol::UDP, protocol::TCP, 0]))
}

/// An error to plant.
#[derive(Clone, Debug)]
enum Error {
    Bound(Index, Index, u32),
    Child(Index, u32),
    Rest(Index, Option<u32>),
    Second(Index, u32),
    Swap(Index, Index),
    Source(Index, u32),
    Ports(Index, u16, u16),
    Protocol(Index, u16),
    Exact(Index),
    Rule(Index, Index),
    Len(Index),
    Branch(Index, Index, Index),
    Short(Index),
    Key(Index, u32),
    Goal(Index, Index),
    Shift(Index, u8),
    Mask(Index, u32),
    Covered(Index, Index),
}

fn error() -> impl Strategy<Value = Error> {
    let any = || any::<Index>();
    prop_oneof![
        (any(), any(), 0u32..70).prop_map(|(node, bound, value)| Error::Bound(node, bound, value)),
        (any(), 0u32..4).prop_map(|(node, by)| Error::Child(node, by)),
        (any(), prop::option::of(0u32..9)).prop_map(|(node, to)| Error::Rest(node, to)),
        (any(), 0u32..300).prop_map(|(node, rule)| Error::Second(node, rule)),
        (any(), any()).prop_map(|(one, other)| Error::Swap(one, other)),
        (any(), 0u32..64).prop_map(|(entry, src)| Error::Source(entry, src)),
        (any(), 0u16..32, 0u16..32).prop_map(|(entry, first, last)| Error::Ports(entry, first, last)),
        (any(), 0u16..20).prop_map(|(entry, protocol)| Error::Protocol(entry, protocol)),
        any().prop_map(Error::Exact),
        (any(), any()).prop_map(|(entry, rule)| Error::Rule(entry, rule)),
        any().prop_map(Error::Len),
        (any(), any(), any()).prop_map(|(node, child, other)| Error::Branch(node, child, other)),
        any().prop_map(Error::Short),
        (any(), 0u32..70).prop_map(|(slot, key)| Error::Key(slot, key)),
        (any(), any()).prop_map(|(slot, other)| Error::Goal(slot, other)),
        (any(), 0u8..9).prop_map(|(node, shift)| Error::Shift(node, shift)),
        (any(), prop_oneof![0u32..9, Just(u32::MAX)]).prop_map(|(node, mask)| Error::Mask(node, mask)),
        (any(), any()).prop_map(|(by, rule)| Error::Covered(by, rule)),
    ]
}

/// Where the chain's tree is.
fn part(tree: &mut Tree<Ipv4>) -> &mut Part<Ipv4> {
    let part = tree.long.first_mut().map_or(&mut tree.short, |long| &mut long.base.part);
    Arc::make_mut(part)
}

/// One of the nodes that are hashes.
fn a_hash(tree: &mut Part<Ipv4>, at: Index) -> Option<&mut Node> {
    let mut hashes: Vec<&mut Node> = tree.nodes.iter_mut().filter(|node| matches!(node.kind, Kind::Hash { .. })).collect();
    let count = hashes.len();
    (count > 0).then(|| hashes.swap_remove(at.index(count)))
}

/// A list that lacks its last entry.
fn without_last(goal: Goal) -> Goal {
    match goal.turn() {
        Turn::List { first, end } if end > first => Goal::list(first, (end - first - 1) as usize).unwrap_or(goal),
        _ => goal,
    }
}

fn change_entry(tree: &mut Part<Ipv4>, at: Index, change: impl Fn(&mut Entry<Ipv4>)) {
    let line = at.get_mut(&mut tree.entries);
    let mut entry = line.entry();
    change(&mut entry);
    *line = Line::from(entry);
}

fn plant(tree: &mut Part<Ipv4>, error: &Error) {
    let (nodes, entries, slots) = (tree.nodes.len(), tree.entries.len(), tree.slots.len());
    if entries == 0 {
        // All the rules' ports run backwards: there is nothing to spoil.
        return;
    }
    match *error {
        Error::Bound(node, bound, value) => *bound.get_mut(&mut tree.nodes[node.index(nodes)].bounds) = value,
        Error::Child(node, by) => tree.nodes[node.index(nodes)].child += by,
        Error::Rest(node, to) => {
            if let Kind::Branch { rest, .. } | Kind::Hash { rest, .. } = &mut tree.nodes[node.index(nodes)].kind {
                *rest = PackedGoal::new(to.map_or(Goal::NONE, Goal::node));
            }
        }
        Error::Second(node, rule) => {
            if let Kind::Branch { second, .. } | Kind::Hash { second, .. } = &mut tree.nodes[node.index(nodes)].kind {
                *second = Packed::new(rule);
            }
        }
        Error::Swap(one, other) => tree.nodes.swap(one.index(nodes), other.index(nodes)),
        Error::Source(entry, src) => change_entry(tree, entry, |entry| entry.src = src),
        Error::Ports(entry, first, last) => change_entry(tree, entry, |entry| entry.dports = PortRange { first, last }),
        Error::Protocol(entry, protocol) => change_entry(tree, entry, |entry| entry.protocol = protocol),
        Error::Exact(entry) => change_entry(tree, entry, |entry| entry.exact ^= true),
        Error::Rule(entry, rule) => change_entry(tree, entry, |entry| entry.rule = rule.index(entries) as u32),
        Error::Len(node) => match &mut tree.nodes[node.index(nodes)].kind {
            Kind::Leaf { len } => *len = Packed::new(len.get().saturating_sub(1)),
            Kind::Branch { .. } | Kind::Hash { .. } => {
                let goals = &mut tree.nodes[node.index(nodes)].goals;
                goals.iter_mut().for_each(|goal| *goal = without_last(*goal));
            }
        },
        Error::Branch(node, child, other) => {
            let goal = tree.nodes[other.index(nodes)].goals[child.index(BOUNDS + 1)];
            *child.get_mut(&mut tree.nodes[node.index(nodes)].goals) = goal;
        }
        Error::Short(slot) if slots > 0 => {
            let goal = &mut tree.slots[slot.index(slots)].goal;
            *goal = without_last(*goal);
        }
        Error::Key(slot, key) if slots > 0 => tree.slots[slot.index(slots)].key = key,
        Error::Goal(slot, other) if slots > 0 => tree.slots[slot.index(slots)].goal = tree.slots[other.index(slots)].goal,
        Error::Shift(node, by) => {
            if let Some(Kind::Hash { shift, .. }) = a_hash(tree, node).map(|node| &mut node.kind) {
                *shift = by;
            }
        }
        Error::Mask(node, mask) => {
            if let Some(node) = a_hash(tree, node) {
                node.bounds[0] = mask;
            }
        }
        Error::Short(..) | Error::Key(..) | Error::Goal(..) => {}
        Error::Covered(by, rule) => {
            let rule = tree.entries[rule.index(entries)].rule();
            tree.covered.push(Covered { by: tree.entries[by.index(entries)].rule(), rules: vec![rule] });
            // So that nobody meets it.
            let lines = tree.entries.iter_mut().filter(|line| line.rule() == rule);
            lines.for_each(|line| *line = Line::from(Entry { dports: PortRange { first: 1, last: 0 }, ..line.entry() }));
        }
    }
}

/// Packets of every kind that such rules tell apart.
fn packets() -> impl Iterator<Item = Header<Ipv4>> {
    let places = (0u32..64).flat_map(|src| (0u16..32).map(move |dport| (src, dport)));
    places.flat_map(|(src, dport)| {
        let tcp = L4::Tcp { sport: 9, dport, seq: 0, ack: 0, flags: 2, window: 0, header_len: 20 };
        let udp = L4::Udp { sport: 9, dport, len: 8 };
        let cut = L4::Truncated { ports: None };
        [(protocol::TCP, tcp), (protocol::UDP, udp), (protocol::TCP, cut)].map(|(protocol, transport)| Header {
            src,
            dst: 7,
            protocol,
            tos: 0,
            ttl: 64,
            l3: 14,
            l4: 34,
            len: 40,
            id: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment: Fragment::Whole,
            transport,
        })
    })
}

/// The first packet that is answered otherwise than rule by rule.
fn wrong(table: &Table<Ipv4>) -> Option<Header<Ipv4>> {
    let interfaces = Interfaces { sets: &[], input: InterfaceId::NONE, output: InterfaceId::NONE };
    let packets: Vec<Header<Ipv4>> = packets().collect();
    let seekers: Vec<Seeker<'_, Ipv4>> = packets.iter().map(|header| Seeker { header, interfaces }).collect();
    let mut in_step = vec![None; packets.len()];
    table.first_of_many::<Plain>(ChainId(0), &seekers, &mut in_step);
    let is_wrong = |(header, in_step): &(&Header<Ipv4>, Option<RuleIndex>)| {
        if *in_step != table.next_in_row(ChainId(0), 0, header, interfaces) {
            return true;
        }
        let mut from = 0;
        loop {
            let wanted = table.next_in_row(ChainId(0), from, header, interfaces);
            match table.next(ChainId(0), from, header, interfaces) {
                found if found != wanted => return true,
                Some(rule) if table.rules[rule.index()].target == Target::Continue => from = rule.0 + 1,
                _ => return false,
            }
        }
    };
    packets.iter().zip(in_step).find(is_wrong).map(|(header, _)| *header)
}

/// An error in what is said of rules that a tree has kept.
fn shift(run: &mut Run, what: i32, by: u32) {
    match what {
        0 => run.number += by,
        1 => run.position += by,
        2 => run.len = run.len.saturating_sub(by),
        _ => run.len += by,
    }
}

proptest! {
    #[test]
    fn a_planted_error_that_any_packet_meets_is_found(asks in vec(ask(), 1..300), errors in vec(error(), 20)) {
        let table = table(&asks);
        prop_assert_eq!(table.tree.check(&table, None), Ok(()));
        prop_assert_eq!(wrong(&table), None);
        for error in &errors {
            let mut broken = table.clone();
            plant(part(&mut broken.tree), error);
            // Only a tree that passes may be walked at all.
            if broken.tree.check(&broken, None).is_ok() {
                prop_assert_eq!(wrong(&broken), None, "{:?}", error);
            }
        }
    }
}

#[test]
fn every_kind_of_error_has_its_fault() {
    let mut asks: Vec<Ask> = (0..200).map(|n| ((n % 64, 32), (n as u16 % 32, n as u16 % 32), protocol::TCP)).collect();
    asks.extend([((0, 0), (0, u16::MAX), 0); 3]);
    let mut good = unbound(&asks);
    // Else those that ask nothing would leave nothing to the others, and some of these nothing to some.
    good.rules.iter_mut().for_each(|rule| rule.target = Target::Continue);
    good.bind(&[]);
    let broken = |change: &dyn Fn(&mut Part<Ipv4>)| {
        let mut table = good.clone();
        change(part(&mut table.tree));
        table.tree.check(&table, None)
    };
    assert_eq!(broken(&|_| {}), Ok(()));
    assert_eq!(Tree::default().check(&good, None), Err(TreeFault::Shape(0)));
    assert_eq!(broken(&|tree| tree.nodes[0].goals[0] = Goal::node(1 << 20)), Err(TreeFault::Shape(1 << 20)));
    let root = good.tree.long[0].base.roots.whole as usize;
    assert!(matches!(good.tree.long[0].base.part.nodes[root + 1].kind, Kind::Hash { .. }), "64 addresses are hashed");
    let twice = |tree: &mut Part<Ipv4>| {
        let used: Vec<usize> = (0..tree.slots.len()).filter(|at| tree.slots[*at].goal != Goal::NONE).collect();
        tree.slots[used[1]].key = tree.slots[used[0]].key;
    };
    assert!(matches!(broken(&twice), Err(TreeFault::Shape(_))));
    let late = |tree: &mut Part<Ipv4>| {
        let Kind::Branch { rest, second, .. } = &mut tree.nodes[root].kind else { panic!("rules that ask nothing make a rest") };
        assert_ne!(*rest, PackedGoal::new(Goal::NONE), "rules that ask nothing make a rest");
        *second = Packed::new(second.get() + 1);
    };
    assert!(matches!(broken(&late), Err(TreeFault::PassedOver(_))));
    let backwards = |tree: &mut Part<Ipv4>| {
        let last = tree.entries.len();
        tree.entries[last - 3..].reverse();
    };
    assert!(matches!(broken(&backwards), Err(TreeFault::Order(_))));
    let other = |tree: &mut Part<Ipv4>| {
        tree.entries[5] = Line::from(Entry { dports: PortRange { first: 31, last: 31 }, ..tree.entries[5].entry() });
    };
    assert!(matches!(broken(&other), Err(TreeFault::Foreign(_))));
    let shorter = |tree: &mut Part<Ipv4>| {
        tree.slots.iter_mut().take(40).for_each(|slot| slot.goal = without_last(slot.goal));
    };
    assert!(matches!(broken(&shorter), Err(TreeFault::Missed(_))));
    // Rests of rests of rests.
    let mut deep = good.clone();
    {
        let tree = part(&mut deep.tree);
        let root = tree.nodes.len() as u32;
        for n in 0..WAYS as u32 {
            let (rest, second) = (PackedGoal::new(Goal::node(root + 2 * n + 2)), Packed::new(0));
            let kind = Kind::Branch { dimension: 0, rest_first: false, rest, second };
            let mut node = Node { kind, ..Node::EMPTY };
            node.goals[0] = Goal::node(root + 2 * n + 1);
            tree.nodes.push(node);
            tree.nodes.push(Node::EMPTY);
        }
        tree.nodes.push(Node::EMPTY);
        deep.tree.long[0].base.roots.whole = root;
    }
    assert!(matches!(deep.tree.check(&deep, None), Err(TreeFault::Ways(_))));
}

/// `--syn` is no range of ports.
#[test]
fn an_entry_that_does_not_say_all_is_not_exact() {
    let mut table = table(&[((1, 32), (5, 5), protocol::TCP)]);
    assert!(part(&mut table.tree).entries[0].entry().exact);
    if let L4Test::Tcp { mask, set, .. } = &mut table.l4_tests[0] {
        (*mask, *set) = (2, 2);
    }
    assert_eq!(table.tree.check(&table, None), Err(TreeFault::Foreign(0)), "the tree is of the rule as it was");
    table.bind(&[]);
    assert!(!part(&mut table.tree).entries[0].entry().exact);
    assert_eq!(table.tree.check(&table, None), Ok(()));
}

/// Rules put in, taken out and replaced; the rest keep their counters.
#[derive(Clone, Debug)]
enum Edit {
    Insert(Index, Ask),
    Delete(Index, usize),
    Replace(Index, Ask),
    Append(Ask),
}

fn edit() -> impl Strategy<Value = Edit> {
    let any = || any::<Index>();
    prop_oneof![
        (any(), ask()).prop_map(|(at, ask)| Edit::Insert(at, ask)),
        (any(), prop_oneof![4 => Just(1usize), 1 => 1usize..80]).prop_map(|(at, count)| Edit::Delete(at, count)),
        (any(), ask()).prop_map(|(at, ask)| Edit::Replace(at, ask)),
        ask().prop_map(Edit::Append),
    ]
}

/// A rule and its counter.
type Counted = (Ask, u32);

fn change(rules: &mut Vec<Counted>, edit: &Edit, counter: u32) {
    match *edit {
        Edit::Insert(at, ask) => rules.insert(at.index(rules.len() + 1), (ask, counter)),
        Edit::Append(ask) => rules.push((ask, counter)),
        Edit::Replace(at, ask) if !rules.is_empty() => {
            let at = at.index(rules.len());
            rules[at] = (ask, counter);
        }
        Edit::Delete(at, count) if !rules.is_empty() => {
            let at = at.index(rules.len());
            rules.drain(at..(at + count).min(rules.len()));
        }
        Edit::Replace(..) | Edit::Delete(..) => {}
    }
}

/// These rules as a table that is not bound yet.
fn counted(rules: &[Counted]) -> Table<Ipv4> {
    let asks: Vec<Ask> = rules.iter().map(|(ask, _)| *ask).collect();
    let mut table = unbound(&asks);
    for (rule, (_, counter)) in table.rules.iter_mut().zip(rules) {
        rule.counter = CounterSlot(*counter);
        // Some do not end the way of a packet.
        rule.target = if counter % 7 == 3 { Target::Continue } else { Target::Accept };
    }
    table
}

proptest! {
    #[test]
    fn an_edited_table_answers_as_its_rules_do(asks in vec(ask(), 60..400), edits in vec(vec(edit(), 1..4), 1..12)) {
        let mut rules: Vec<Counted> = asks.into_iter().zip(0..).collect();
        let mut before = counted(&rules);
        before.bind(&[]);
        let mut counter = 1000;
        for edits in &edits {
            for edit in edits {
                counter += 1;
                change(&mut rules, edit, counter);
            }
            let mut table = counted(&rules);
            table.bind_following(&[], &before);
            prop_assert_eq!(table.tree.check(&table, Some(&before)), Ok(()));
            prop_assert_eq!(wrong(&table), None);
            before = table;
        }
    }

    #[test]
    fn an_error_in_what_was_kept_is_found(asks in vec(ask(), 200..300), edits in vec(edit(), 1..4), layer: Index, run: Index, by in 1u32..4, what in 0..4) {
        let mut rules: Vec<Counted> = asks.into_iter().zip(0..).collect();
        let mut before = counted(&rules);
        before.bind(&[]);
        edits.iter().zip(1000..).for_each(|(edit, counter)| change(&mut rules, edit, counter));
        let mut table = counted(&rules);
        table.bind_following(&[], &before);
        for long in &mut table.tree.long {
            let mut layers: Vec<_> = [&mut long.base].into_iter().chain(&mut long.middle).chain(&mut long.added).collect();
            let at = layer.index(layers.len());
            let runs = &mut layers[at].runs;
            let at = run.index(runs.len());
            shift(&mut runs[at], what, by);
        }
        if table.tree.check(&table, Some(&before)).is_ok() {
            prop_assert_eq!(wrong(&table), None);
        }
    }
}

/// What leads from one list of rules to the next, of which each has a number of its own.
fn between(before: &[Counted], now: &[Counted]) -> Vec<ChainEdit> {
    let mut edits = Vec::new();
    let (mut old, mut new) = (0, 0);
    for at in 0..=now.len() {
        let stays = match now.get(at) {
            Some(rule) => before[old..].iter().position(|other| other == rule).map(|ahead| old + ahead),
            None => Some(before.len()),
        };
        let Some(stays) = stays else { continue };
        if (old, new) != (stays, at) {
            edits.push(ChainEdit { chain: ChainId(0), at: old as u32, removed: (stays - old) as u32, added: (at - new) as u32 });
        }
        (old, new) = (stays + 1, at + 1);
    }
    edits
}

/// The rules as a table that edits made of another one.
fn edited(rules: &[Counted], before: &Table<Ipv4>, edits: &[ChainEdit]) -> Table<Ipv4> {
    let mut table = counted(rules);
    table.bind(&[]);
    table.tree = Tree::edited(&table, before, &Made::of_rules(edits));
    table
}

fn checked(table: &Table<Ipv4>, before: &Table<Ipv4>, edits: &[ChainEdit]) -> Result<(), TreeFault> {
    table.tree.check_edited(table, before, &Made::of_rules(edits))
}

proptest! {
    #[test]
    fn a_tree_that_follows_an_edit_answers_as_the_rules_do(
        asks in vec(ask(), 0..300), edits in vec(vec(edit(), 1..6), 1..15),
    ) {
        let mut rules: Vec<Counted> = asks.into_iter().zip(0..).collect();
        let mut before = counted(&rules);
        before.bind(&[]);
        let mut counter = 1000;
        for some in &edits {
            let old = rules.clone();
            for one in some {
                counter += 1;
                change(&mut rules, one, counter);
            }
            let edits = between(&old, &rules);
            let table = edited(&rules, &before, &edits);
            prop_assert_eq!(checked(&table, &before, &edits), Ok(()));
            prop_assert_eq!(table.tree.check(&table, Some(&before)), Ok(()));
            prop_assert_eq!(wrong(&table), None);
            before = table;
        }
    }

    #[test]
    fn an_error_in_a_tree_that_follows_an_edit_is_found(
        asks in vec(ask(), 100..300), edits in vec(vec(edit(), 1..4), 2..5), layer: Index, run: Index, by in 1u32..4, what in 0..5,
    ) {
        let mut rules: Vec<Counted> = asks.into_iter().zip(0..).collect();
        let mut before = counted(&rules);
        before.bind(&[]);
        let (mut last, mut counter) = (None, 1000);
        for some in &edits {
            let old = rules.clone();
            for one in some {
                counter += 1;
                change(&mut rules, one, counter);
            }
            let edits = between(&old, &rules);
            let table = edited(&rules, &before, &edits);
            last = Some((std::mem::replace(&mut before, table), edits));
        }
        let (before, edits) = last.expect("there are edits");
        let mut table = edited(&rules, &before, &edits);
        for long in &mut table.tree.long {
            let mut layers: Vec<_> = [&mut long.base].into_iter().chain(&mut long.middle).chain(&mut long.added).collect();
            let at = layer.index(layers.len());
            let runs = &mut layers[at].runs;
            let at = run.index(runs.len());
            match what {
                0..=3 => shift(&mut runs[at], what, by),
                _ => (long.middle, long.added) = (long.added.take(), None),
            }
        }
        if checked(&table, &before, &edits).is_ok() {
            prop_assert_eq!(wrong(&table), None);
        }
    }
}

/// What one rule more costs must not be what all cost, however many there were before.
#[test]
fn rules_that_are_added_one_by_one_seldom_make_a_large_tree() {
    let mut rules = many(4000);
    let mut before = counted(&rules);
    before.bind(&[]);
    let mut made = [0; 2];
    for n in 0..1000u32 {
        let old = rules.clone();
        rules.insert((n as usize * 37) % rules.len(), (((n % 64, 32), (80 + (n / 64) as u16, 99), protocol::UDP), 9000 + n));
        let edits = between(&old, &rules);
        let table = edited(&rules, &before, &edits);
        assert_eq!(checked(&table, &before, &edits), Ok(()));
        let (now, was) = (&table.tree.long[0], &before.tree.long[0]);
        made[0] += usize::from(!Arc::ptr_eq(&now.base.part, &was.base.part));
        let is_same = |one: &Layer<Ipv4>, other: &Layer<Ipv4>| one.is_tree_of(other);
        made[1] += usize::from(!now.middle.iter().zip(&was.middle).any(|(now, was)| is_same(now, was)) && now.middle.is_some());
        before = table;
    }
    assert!(made[0] <= 2 && made[1] <= 1000 / 64, "{made:?}");
    assert_eq!(wrong(&before), None);
}

#[test]
fn a_tree_is_not_believed_to_follow_another_edit() {
    let rules = many(2000);
    let mut before = counted(&rules);
    before.bind(&[]);
    let mut now = rules.clone();
    now.insert(700, (((9, 32), (80, 80), protocol::UDP), 5000));
    now.remove(300);
    let edits = between(&rules, &now);
    assert_eq!(edits.len(), 2);
    let table = edited(&now, &before, &edits);
    assert!(Arc::ptr_eq(&table.tree.long[0].base.part, &before.tree.long[0].base.part));
    assert_eq!(checked(&table, &before, &edits), Ok(()));
    let is_found = |edits: &[ChainEdit]| matches!(checked(&table, &before, edits), Err(TreeFault::Kept(_)));
    assert!(is_found(&[edits[0], ChainEdit { at: 701, ..edits[1] }]));
    assert!(is_found(&[ChainEdit { at: 301, ..edits[0] }, edits[1]]));
    assert!(is_found(&edits[..1]) && is_found(&edits[1..]) && is_found(&[]));
}

/// So many rules of which no two ask the same.
fn many(count: u32) -> Vec<Counted> {
    (0..count).map(|n| (((n % 64, 32), ((n / 64) as u16, (n / 64) as u16), protocol::TCP), n)).collect()
}

#[test]
fn one_changed_rule_leaves_the_tree_of_the_others() {
    let mut rules = many(2000);
    let mut before = counted(&rules);
    before.bind(&[]);
    rules.insert(700, (((9, 32), (80, 80), protocol::UDP), 5000));
    rules.remove(1500);
    let mut table = counted(&rules);
    table.bind_following(&[], &before);
    let (old, new) = (&before.tree.long[0], &table.tree.long[0]);
    assert!(Arc::ptr_eq(&old.base.part, &new.base.part));
    assert_eq!(new.added.as_ref().map(|added| added.listed), Some(1), "one rule stands beside them");
    assert_eq!(table.tree.check(&table, Some(&before)), Ok(()));
    assert!(matches!(table.tree.check(&table, None), Err(TreeFault::Runs(_))), "nobody vouches for the base");

    // A tree of before is not believed to be one of now: the rules are compared.
    rules[3].0.1 = (99, 99);
    let mut other = counted(&rules);
    other.bind(&[]);
    other.tree = table.tree.clone();
    assert_eq!(other.tree.check(&other, Some(&before)), Err(TreeFault::Kept(RuleIndex(3))));

    // The same rules with other counters, as iptables-restore gives them, and one more: nothing is made but what stands beside.
    let mut restored: Vec<Counted> = rules.iter().zip(7000..).map(|((ask, _), counter)| (*ask, counter)).collect();
    restored.insert(50, (((9, 32), (81, 81), protocol::UDP), 6999));
    let mut again = counted(&restored);
    again.bind_following(&[], &table);
    assert!(Arc::ptr_eq(&again.tree.long[0].base.part, &new.base.part));
    assert_eq!(again.tree.long[0].added.as_ref().map(|added| added.listed), Some(3));
}

#[test]
fn when_much_changed_one_new_tree_is_made() {
    let rules = many(2000);
    let mut before = counted(&rules);
    before.bind(&[]);
    let follow = |rules: &[Counted]| {
        let mut table = counted(rules);
        table.bind_following(&[], &before);
        assert_eq!(table.tree.check(&table, Some(&before)), Ok(()));
        table.tree
    };
    let is_new = |tree: &Tree<Ipv4>| {
        !Arc::ptr_eq(&tree.long[0].base.part, &before.tree.long[0].base.part) && tree.long[0].beside().next().is_none()
    };
    let with = |count: u32| -> Vec<Counted> {
        let added = (0..count).map(|n| (((n % 64, 32), (90, 90), protocol::UDP), 9000 + n));
        rules.iter().copied().chain(added).collect()
    };
    let beside =
        |tree: &Tree<Ipv4>| [&tree.long[0].middle, &tree.long[0].added].map(|layer| layer.as_ref().map(|layer| layer.listed));
    assert_eq!(beside(&follow(&with(64))), [None, Some(64)]);
    assert_eq!(beside(&follow(&with(65))), [Some(65), None]);
    assert!(is_new(&follow(&with(300))), "too many beside the base");
    assert!(is_new(&follow(&rules[..1700])), "too many have gone");
    let every_tenth: Vec<Counted> = rules.iter().copied().filter(|(_, counter)| counter % 10 != 5).collect();
    assert!(is_new(&follow(&every_tenth)), "too many places in which they differ");
    let mut named = counted(&rules);
    named.patterns.push(crate::InterfacePattern { name: "eth0".into(), prefix: false });
    let mut other = named.clone();
    named.bind(&["", "eth0"]);
    other.patterns[0].name = "eth1".into();
    other.bind_following(&["", "eth0"], &named);
    assert!(!Arc::ptr_eq(&other.tree.long[0].base.part, &named.tree.long[0].base.part), "interfaces have other numbers");
}

/// Numbers of which one may be as far from its place as it likes would let a packet look through all of them.
#[test]
fn keys_that_crowd_are_no_hash() {
    let crowd: Vec<u32> = (0u32..).filter(|key| hash(*key, 2047) < 8).take(200).collect();
    let test = |src| HeaderTest { src, src_mask: u32::MAX, ..HeaderTest::any() };
    let mut table = unbound(&vec![((0, 32), (0, 0), 0); crowd.len()]);
    table.rules.iter_mut().zip(&crowd).for_each(|(rule, src)| rule.test = test(*src));
    table.bind(&[]);
    assert_eq!(part(&mut table.tree).slots.len(), 0, "the slots of a hash would be 512, 1,024 or 2,048");
    assert_eq!(table.tree.check(&table, None), Ok(()));
}

/// A general rule before all others leaves nothing to them, until it goes or lets packets pass.
#[test]
fn what_no_packet_meets_is_left_out_and_comes_back() {
    let mut rules = many(500);
    rules.insert(460, (((0, 26), (0, u16::MAX), 0), 1000));
    let bound = |rules: &[Counted], before: Option<&Table<Ipv4>>, target: Target| {
        let mut table = counted(rules);
        let by = table.rules.iter().position(|rule| rule.counter == CounterSlot(1000));
        by.into_iter().for_each(|by| table.rules[by].target = target);
        match before {
            Some(before) => table.bind_following(&[], before),
            None => table.bind(&[]),
        }
        assert_eq!(table.tree.check(&table, before), Ok(()));
        assert_eq!(wrong(&table), None);
        table
    };
    let covered = |table: &mut Table<Ipv4>| part(&mut table.tree).covered.iter().map(|group| group.rules.len()).sum::<usize>();
    let mut first = bound(&rules, None, Target::Drop);
    assert_eq!(covered(&mut first), 40);
    assert_eq!(covered(&mut bound(&rules, None, Target::Continue)), 0, "it lets them pass");
    let asks_more = |table: &mut Table<Ipv4>| table.rules[460].residual.len = 1;
    let mut other = counted(&rules);
    asks_more(&mut other);
    other.bind(&[]);
    assert_eq!(covered(&mut other), 0, "it asks more than the header");

    // It lets packets pass now: the rules behind it stand beside the base.
    let passing = bound(&rules, Some(&first), Target::Continue);
    let long = &passing.tree.long[0];
    assert!(Arc::ptr_eq(&long.base.part, &first.tree.long[0].base.part));
    assert_eq!(long.added.as_ref().map(|added| added.listed), Some(40));
    // What says otherwise is found out.
    let mut lying = passing.clone();
    lying.tree = first.tree.clone();
    assert!(matches!(lying.tree.check(&lying, Some(&first)), Err(TreeFault::Covered(_))));
    assert!(matches!(lying.tree.check(&lying, None), Err(TreeFault::Covered(_))));
    // It is gone.
    rules.remove(460);
    bound(&rules, Some(&first), Target::Drop);
    bound(&rules, Some(&passing), Target::Drop);
}
