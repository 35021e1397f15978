//! What an edit of the rules can change for packets that went through the rules before it.
//!
//! A packet asks each rule of the chains that it comes through. So if its header meets none of the rules that an edit brought, and none of those that it
//! took away has let it go another way, it goes the way that it went before: every rule that it asks says what it said. That can be told without a walk, by
//! the header tests of the new rules and the counters that the packet moved (but for packets whose transport header is not whole: a rule may drop those
//! without counting them). Where an edit changes too much for that to be worth its while,
//! there is no [`Change`], and every packet has to be judged anew.

use std::collections::HashMap;
use std::sync::Arc;

use packet::{Family, Header};

use crate::edit::Made;
use crate::header_test::{Answer, HeaderTest, InterfacePattern, Interfaces, Invert, L4Test, PortRange};
use crate::id::{ChainId, CounterSlot, IdRange, InterfaceId, InterfaceSet, PatternId};
use crate::rule::{CtAction, Match, Rule, Target};
use crate::table::{Chain, Hook, Table, TableKind, Tables};
use crate::tee::Tee;
use crate::tree::Tree;

/// Most rules that are asked one by one, of each flow once; more of them stand in a tree.
const FEW: usize = 16;
/// Most rules that an edit brings: a tree of more takes long to make.
const MOST_CAME: usize = 1024;
/// Most that it takes away.
const MOST_GONE: usize = 1 << 16;

/// What an edit changed.
#[derive(Clone, Debug, Default)]
pub struct Change<F: Family> {
    came: Vec<Came<F>>,
    /// The same rules by a tree, where they are many.
    many: Option<Arc<Table<F>>>,
    /// In order.
    gone: Vec<CounterSlot>,
    changed: [bool; 5],
}

/// A rule that an edit brought: what it asks of a header, apart from its table.
#[derive(Clone, Debug)]
struct Came<F: Family> {
    test: HeaderTest<F>,
    l4_tests: Vec<L4Test>,
    port_ranges: Vec<PortRange>,
    input: [InterfaceSet; 1],
}

impl<F: Family> Change<F> {
    /// What changes from these tables to those; `None` where everything may.
    pub fn between(before: &Tables<F>, now: &Tables<F>) -> Option<Self> {
        let mut change = Self { came: Vec::new(), many: None, gone: Vec::new(), changed: [false; 5] };
        for kind in TableKind::ALL {
            match (before.get(kind), now.get(kind)) {
                (None, None) => {}
                (Some(before), Some(now)) if Arc::ptr_eq(before, now) => {}
                (Some(before), Some(now)) => {
                    change.changed[kind as usize] = true;
                    Edit { before, now }.add_to(&mut change)?;
                }
                _ => return None,
            }
        }
        change.gone.sort_unstable();
        if change.came.len() > FEW {
            change.many = Some(Arc::new(by_tree(&change.came)));
        }
        Some(change)
    }

    /// Could a packet that goes through the box meet one of the new rules by its header?
    #[inline]
    pub fn may_meet(&self, header: &Header<F>, input: InterfaceId) -> bool {
        match &self.many {
            None => self.came.iter().any(|rule| rule.may_hold(header, input)),
            Some(table) => {
                let interfaces = Interfaces { sets: &table.bound, input, output: InterfaceId::NONE };
                table.next(ChainId(0), 0, header, interfaces).is_some()
            }
        }
    }

    /// Does it bring no rule at all?
    pub fn brings_nothing(&self) -> bool {
        self.came.is_empty()
    }

    /// Is one of these the counter of a rule or policy that went, or does now what it did not?
    #[inline]
    pub fn ends_one_of(&self, counters: &[CounterSlot]) -> bool {
        counters.iter().any(|counter| self.gone.binary_search(counter).is_ok())
    }

    /// Is this table another one? What its rules remember began anew then.
    #[inline]
    pub fn is_of(&self, table: TableKind) -> bool {
        self.changed[table as usize]
    }
}

impl<F: Family> Came<F> {
    fn of(table: &Table<F>, rule: &Rule<F>) -> Self {
        let test = &rule.test;
        let mut port_ranges = Vec::new();
        let l4_tests: Vec<_> =
            test.l4.of(&table.l4_tests).iter().map(|l4| moved(*l4, &table.port_ranges, &mut port_ranges)).collect();
        let input = test.in_interface.and_then(|pattern| table.bound.get(pattern.index()).copied()).unwrap_or(0);
        let l4 = IdRange { first: 0, len: l4_tests.len() as u32 };
        // Where the packet goes on is not known at every hook: a rule that asks for it may hold.
        let invert = test.invert.difference(Invert::OUT);
        let in_interface = test.in_interface.map(|_| PatternId(0));
        Self { test: HeaderTest { in_interface, out_interface: None, invert, l4, ..*test }, l4_tests, port_ranges, input: [input] }
    }

    #[inline]
    fn may_hold(&self, header: &Header<F>, input: InterfaceId) -> bool {
        let interfaces = Interfaces { sets: &self.input, input, output: InterfaceId::NONE };
        self.test.ip_part(header, interfaces) && self.l4_tests.iter().all(|test| test.ask(header, &self.port_ranges) != Answer::No)
    }
}

/// A table whose one chain has all these rules.
fn by_tree<F: Family>(came: &[Came<F>]) -> Table<F> {
    let mut table = Table::empty(TableKind::Filter);
    for rule in came {
        let first = table.l4_tests.len() as u32;
        let l4 = rule.l4_tests.iter().map(|l4| moved(*l4, &rule.port_ranges, &mut table.port_ranges));
        table.l4_tests.extend(l4);
        let mut test = HeaderTest { l4: IdRange { first, len: rule.test.l4.len }, ..rule.test };
        if let Some(pattern) = &mut test.in_interface {
            // By what it names alone. They are fewer than ids can name.
            *pattern = PatternId(table.patterns.len() as u16);
            table.patterns.push(InterfacePattern { name: String::new(), prefix: true });
            table.bound.extend(rule.input);
        }
        let (nothing, counter) = (IdRange::default(), CounterSlot(0));
        table.rules.push(Rule { test, residual: nothing, ordered: nothing, target: Target::Continue, counter });
    }
    let rules = IdRange { first: 0, len: table.rules.len() as u32 };
    table.chains.push(Chain { name: String::new(), rules, policy: None });
    table.tree = Tree::of(&table);
    table
}

/// A transport test that names its ports in another array.
fn moved(test: L4Test, from: &[PortRange], to: &mut Vec<PortRange>) -> L4Test {
    match test {
        L4Test::Multiport { sides, ranges, not } => {
            let first = to.len() as u32;
            to.extend_from_slice(ranges.of(from));
            L4Test::Multiport { sides, ranges: IdRange { first, len: ranges.len }, not }
        }
        other => other,
    }
}

/// A table before and after.
struct Edit<'a, F: Family> {
    before: &'a Table<F>,
    now: &'a Table<F>,
}

impl<F: Family> Edit<'_, F> {
    fn add_to(&self, change: &mut Change<F>) -> Option<()> {
        if let Some(made) = self.now.origin.made_of(&self.before.origin) {
            return self.add_made(made, change);
        }
        let base = |table: &Table<F>| table.hooks.map(|chain| chain.map(|chain| table.chains[chain.index()].name.clone()));
        if base(self.before) != base(self.now) {
            return None;
        }
        let old: HashMap<&str, &Chain> = self.before.chains.iter().map(|chain| (chain.name.as_str(), chain)).collect();
        // A chain of another name is come to by rules that are new themselves, or that went.
        for chain in &self.now.chains {
            let Some(before) = old.get(chain.name.as_str()) else { continue };
            if let Some(policy) = before.policy.filter(|policy| Some(*policy) != chain.policy) {
                change.gone.push(policy.counter);
            }
            self.compare(before.rules.of(&self.before.rules), chain.rules.of(&self.now.rules), chain, change)?;
        }
        Some(())
    }

    /// The same of an edit that says what it changed: all else is as it was. To a chain that came or went only rules lead that did so as well.
    fn add_made(&self, made: &Made, change: &mut Change<F>) -> Option<()> {
        if !made.has_same_chains() {
            for (id, now) in (0..).map(ChainId).zip(&self.now.chains) {
                let policy = made.before(id).and_then(|old| self.before.chains[old.index()].policy);
                change.gone.extend(policy.filter(|policy| Some(*policy) != now.policy).map(|policy| policy.counter));
            }
        }
        for (id, edits) in made.changed() {
            let Some(old) = made.before(id) else { continue };
            let (old, now) = (&self.before.chains[old.index()], &self.now.chains[id.index()]);
            let mut position = 0;
            let mut behind = 0;
            for edit in edits {
                position += edit.at - behind;
                let old = IdRange { first: old.rules.first + edit.at, len: edit.removed }.of(&self.before.rules);
                let new = IdRange { first: now.rules.first + position, len: edit.added }.of(&self.now.rules);
                self.compare(old, new, now, change)?;
                (position, behind) = (position + edit.added, edit.at + edit.removed);
            }
        }
        Some(())
    }

    /// Adds the rules that came into a chain and went from it; `None` where they are too many.
    fn compare(&self, old: &[Rule<F>], new: &[Rule<F>], now: &Chain, change: &mut Change<F>) -> Option<()> {
        let head = old.iter().zip(new).take_while(|(old, new)| self.is_same(old, new)).count();
        let (old, new) = (&old[head..], &new[head..]);
        let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| self.is_same(old, new)).count();
        let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
        // A rule keeps its counter as long as it lives: between the first difference and the last one, rules are found again by it.
        let places: HashMap<_, _> = old.iter().enumerate().map(|(at, rule)| (rule.counter, at)).collect();
        // Packets that go through the box do not come here.
        let is_elsewhere = now.policy.is_some() && [Hook::Input.name(), Hook::Output.name()].contains(&now.name.as_str());
        let mut next = 0;
        for rule in new {
            match places.get(&rule.counter) {
                Some(&at) if at >= next && self.is_same(&old[at], rule) => {
                    change.gone.extend(old[next..at].iter().map(|rule| rule.counter));
                    next = at + 1;
                }
                _ if is_elsewhere => {}
                _ => change.came.push(Came::of(self.now, rule)),
            }
            if change.came.len() > MOST_CAME {
                return None;
            }
        }
        change.gone.extend(old[next..].iter().map(|rule| rule.counter));
        (change.gone.len() <= MOST_GONE).then_some(())
    }

    /// Is it the same rule, with the same counter? What it remembers is no part of it.
    fn is_same(&self, before: &Rule<F>, now: &Rule<F>) -> bool {
        let plain = |rule: &Rule<F>| {
            let test = HeaderTest { in_interface: None, out_interface: None, l4: IdRange::default(), ..rule.test };
            (test, rule.counter)
        };
        let matches = |range: fn(&Rule<F>) -> IdRange| {
            let (before, now) = (range(before).of(&self.before.matches), range(now).of(&self.now.matches));
            before.len() == now.len() && before.iter().zip(now).all(|(before, now)| self.is_same_match(before, now))
        };
        let pattern = |pattern: fn(&Rule<F>) -> Option<PatternId>| {
            let (before, now) = (pattern(before), pattern(now));
            before.map(|at| &self.before.patterns[at.index()]) == now.map(|at| &self.now.patterns[at.index()])
        };
        let l4 = || {
            let (before, now) = (before.test.l4.of(&self.before.l4_tests), now.test.l4.of(&self.now.l4_tests));
            before.len() == now.len() && before.iter().zip(now).all(|(before, now)| self.is_same_l4(before, now))
        };
        plain(before) == plain(now)
            && pattern(|rule| rule.test.in_interface)
            && pattern(|rule| rule.test.out_interface)
            && l4()
            && matches(|rule| rule.residual)
            && matches(|rule| rule.ordered)
            && self.is_same_target(before.target, now.target)
    }

    fn is_same_l4(&self, before: &L4Test, now: &L4Test) -> bool {
        before.is_same(&self.before.port_ranges, now, &self.now.port_ranges)
    }

    fn is_same_match(&self, before: &Match, now: &Match) -> bool {
        match (*before, *now) {
            (Match::L4(before), Match::L4(now)) => self.is_same_l4(&before, &now),
            (Match::Address(before), Match::Address(now)) => {
                self.before.address_tests[before as usize] == self.now.address_tests[now as usize]
            }
            (Match::Packet(before), Match::Packet(now)) => {
                self.before.packet_tests[before as usize] == self.now.packet_tests[now as usize]
            }
            (Match::Conntrack(before), Match::Conntrack(now)) => {
                self.before.conntrack_tests[before as usize] == self.now.conntrack_tests[now as usize]
            }
            (Match::Connbytes(before), Match::Connbytes(now)) => {
                self.before.connbytes_tests[before as usize] == self.now.connbytes_tests[now as usize]
            }
            (Match::Connlimit { test: before, .. }, Match::Connlimit { test: now, .. }) => {
                self.before.connlimit_tests[before as usize] == self.now.connlimit_tests[now as usize]
            }
            (Match::Named(before), Match::Named(now)) => {
                self.before.named_tests[before as usize] == self.now.named_tests[now as usize]
            }
            (Match::Time(before), Match::Time(now)) => self.before.time_tests[before as usize] == self.now.time_tests[now as usize],
            (Match::Content(before), Match::Content(now)) => {
                self.before.content_tests[before as usize] == self.now.content_tests[now as usize]
            }
            (Match::Quota { not: before, state: old }, Match::Quota { not: now, state }) => {
                before == now && self.before.state[old.index()] == self.now.state[state.index()]
            }
            (Match::Set(before), Match::Set(now)) => self.before.set_tests[before as usize] == self.now.set_tests[now as usize],
            (Match::Nth { every, not, .. }, Match::Nth { every: every2, not: not2, .. }) => (every, not) == (every2, not2),
            (Match::Limit { spec: before, .. }, Match::Limit { spec: now, .. }) => before == now,
            (before, now) => before == now,
        }
    }

    fn is_same_target(&self, before: Target, now: Target) -> bool {
        let is_same_ct = |before: CtAction, now: CtAction| {
            before.timeout.map(|at| &self.before.timeouts[at.index()]) == now.timeout.map(|at| &self.now.timeouts[at.index()])
                && CtAction { timeout: None, ..before } == CtAction { timeout: None, ..now }
        };
        match (before, now) {
            (Target::Jump(before), Target::Jump(now)) | (Target::Goto(before), Target::Goto(now)) => {
                self.before.chains[before.index()].name == self.now.chains[now.index()].name
            }
            (Target::Log(before), Target::Log(now)) => self.before.logs[before as usize] == self.now.logs[now as usize],
            (Target::Tcpoptstrip(before), Target::Tcpoptstrip(now)) => {
                self.before.option_sets[before as usize] == self.now.option_sets[now as usize]
            }
            (Target::Npt(before), Target::Npt(now)) => {
                self.before.prefix_changes[before as usize] == self.now.prefix_changes[now as usize]
            }
            (Target::Hmark(before), Target::Hmark(now)) => {
                self.before.hash_marks[before as usize] == self.now.hash_marks[now as usize]
            }
            (Target::Tee(before), Target::Tee(now)) => {
                let (before, now) = (self.before.tees[before as usize], self.now.tees[now as usize]);
                let by = |table: &Table<F>, tee: Tee<F>| tee.by.map(|pattern| table.patterns[pattern.index()].clone());
                before.gateway == now.gateway && by(self.before, before) == by(self.now, now)
            }
            (Target::Set(before), Target::Set(now)) => {
                self.before.set_changes[before as usize] == self.now.set_changes[now as usize]
            }
            (Target::Nat(before), Target::Nat(now)) => self.before.nats[before as usize] == self.now.nats[now as usize],
            (Target::Ct(before), Target::Ct(now)) | (Target::CtMarked(before), Target::CtMarked(now)) => is_same_ct(before, now),
            (before, now) => before == now,
        }
    }
}
