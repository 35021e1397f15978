//! Lowers rules one by one into the arrays of a table: header tests here, matches and targets in their own files, one arm each.

mod content;
mod header;
mod matches;
mod named;
mod packet_test;
mod spread;
mod targets;
mod time;

use std::collections::HashMap;
use std::net::IpAddr;

use packet::Family;
use program::{
    ChainId, CounterSlot, IdRange, InterfacePattern, L4Test, LabelId, Match, PatternId, Rule, StateInit, StateSlot, Table,
    TableKind, Target,
};
use rules::ChainName;

use crate::context::Context;
use crate::error::Reason;

/// A table in the making.
pub(crate) struct Lowering<'a, F: Family> {
    /// What there is so far: everything that rules need. Chains, hooks and the tracking flag are for the caller to fill in.
    pub(crate) table: Table<F>,
    chains: &'a dyn Fn(&ChainName) -> Option<ChainId>,
    patterns: HashMap<InterfacePattern, PatternId>,
    context: &'a mut Context,
}

impl<'a, F: Family> Lowering<'a, F> {
    /// Of a new table. `chains` says which chain has a name.
    pub(crate) fn new(kind: TableKind, chains: &'a dyn Fn(&ChainName) -> Option<ChainId>, context: &'a mut Context) -> Self {
        Self::following(Table::empty(kind), chains, context)
    }

    /// Of what comes behind a table's own.
    pub(crate) fn following(table: Table<F>, chains: &'a dyn Fn(&ChainName) -> Option<ChainId>, context: &'a mut Context) -> Self {
        let patterns = (0..).map(PatternId).zip(&table.patterns).map(|(id, pattern)| (pattern.clone(), id)).collect();
        Self { table, chains, patterns, context }
    }

    /// Rules so far.
    pub(crate) fn rule_count(&self) -> u32 {
        // `rule` refuses to push more than ids can name.
        self.table.rules.len() as u32
    }

    /// Adds a rule.
    pub(crate) fn rule(&mut self, rule: &rules::Rule) -> Result<(), Reason> {
        let counter = CounterSlot(rule.slot.ok_or(Reason::NoSlot)?.0);
        let mut test = self.header(&rule.header)?;
        let mut all = Vec::new();
        for one in &rule.matches {
            self.one_match(one, &mut all)?;
        }
        let target = self.target(&rule.target, test.protocol)?;
        let (l4, residual) = split(&all);
        let is_verdict = matches!(target, Target::Accept | Target::Drop | Target::Return);
        if is_verdict && all.is_empty() && !rule.matches.is_empty() && test.is_any() {
            all.push(Match::ALWAYS);
        }
        test.l4 = append(&mut self.table.l4_tests, &l4, "transport tests")?;
        let ordered = append(&mut self.table.matches, &all, "matches")?;
        let residual = if residual.len() == all.len() { ordered } else { append(&mut self.table.matches, &residual, "matches")? };
        append(&mut self.table.rules, &[Rule { test, residual, ordered, target, counter }], "rules")?;
        Ok(())
    }

    fn label(&mut self, text: &str) -> Result<LabelId, Reason> {
        self.context.label(text).ok_or(Reason::Value("a security context of more than 255 bytes"))
    }

    fn state(&mut self, init: StateInit) -> Result<StateSlot, Reason> {
        append(&mut self.table.state, &[init], "limit, nth, quota and connlimit tests").map(|run| StateSlot(run.first))
    }
}

/// Transport tests move into the header test up to the first match behind which the order matters; the rest is asked afterwards.
fn split(all: &[Match]) -> (Vec<L4Test>, Vec<Match>) {
    let (mut l4, mut residual) = (Vec::new(), Vec::new());
    let mut held_back = false;
    for test in all {
        match test {
            Match::L4(test) if !held_back => l4.push(*test),
            _ => residual.push(*test),
        }
        held_back |= test.holds_back();
    }
    (l4, residual)
}

/// Appends to one of the table's arrays; the answer is where.
fn append<T: Clone>(array: &mut Vec<T>, entries: &[T], what: &'static str) -> Result<IdRange, Reason> {
    if entries.is_empty() {
        return Ok(IdRange::default());
    }
    let run = u32::try_from(array.len()).ok().zip(u32::try_from(entries.len()).ok());
    let run = run.map(|(first, len)| IdRange { first, len }).filter(|run| run.end().is_some());
    array.extend_from_slice(entries);
    run.ok_or(Reason::TooMany(what))
}

fn addr<F: Family>(ip: IpAddr) -> Result<F::Addr, Reason> {
    F::from_ip(ip).ok_or(Reason::OtherFamily("an address"))
}
