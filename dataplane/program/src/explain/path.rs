//! Which rules a header may meet: the walk of [`crate::eval`] with every match that is not a header test unknown.

use packet::{Family, Header};

use crate::header_test::{Answer, Interfaces};
use crate::id::{ChainId, RuleIndex};
use crate::rule::{Match, Target};
use crate::table::{Hook, Table, needs_order};

/// Longest path that is followed: shared chains can make paths longer than anyone reads.
pub const MAX_STEPS: usize = 10_000;

/// A rule on the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its chain.
    pub chain: ChainId,
    /// Its place in the table.
    pub rule: RuleIndex,
    /// How many chains wait for a return here.
    pub depth: usize,
    /// True when nothing but the header decides that it matches (given that the packet comes here).
    pub certain: bool,
}

pub(super) fn steps<F: Family>(table: &Table<F>, hook: Hook, header: &Header<F>, interfaces: Interfaces<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut waiting: Vec<(ChainId, u32)> = Vec::new();
    let Some(mut chain) = table.base_chain(hook) else { return steps };
    let mut from = 0;
    while steps.len() < MAX_STEPS {
        let Some(index) = table.next(chain, from, header, interfaces) else {
            match waiting.pop() {
                Some(back) => (chain, from) = back,
                None => break,
            }
            continue;
        };
        let rule = &table.rules[index.index()];
        from = index.0 - table.chains[chain.index()].rules.first + 1;
        let asked = if needs_order(header) { rule.ordered } else { rule.residual };
        let certain = match asks(table, asked.of(&table.matches), header) {
            Known::Holds => true,
            Known::Unknown => false,
            Known::Fails => continue,
            Known::HotDrop => break,
        };
        steps.push(Step { chain, rule: index, depth: waiting.len(), certain });
        match rule.target {
            Target::Accept | Target::Drop | Target::Reject(_) | Target::Nat(_) if certain => break,
            Target::Return if certain => match waiting.pop() {
                Some(back) => (chain, from) = back,
                None => break,
            },
            // A goto that may not happen leaves this chain's own rest to be met as well.
            Target::Goto(to) if certain => (chain, from) = (to, 0),
            Target::Jump(to) | Target::Goto(to) => {
                waiting.push((chain, from));
                (chain, from) = (to, 0);
            }
            _ => {}
        }
    }
    steps
}

enum Known {
    Holds,
    Fails,
    HotDrop,
    Unknown,
}

fn asks<F: Family>(table: &Table<F>, matches: &[Match], header: &Header<F>) -> Known {
    let mut known = Known::Holds;
    for test in matches {
        match test {
            Match::L4(l4) => match l4.ask(header, &table.port_ranges) {
                Answer::Yes | Answer::Doomed => {}
                Answer::No => return Known::Fails,
                // Behind an unknown match it only may drop the packet.
                Answer::HotDrop if matches!(known, Known::Holds) => return Known::HotDrop,
                Answer::HotDrop => return Known::Fails,
            },
            _ => known = Known::Unknown,
        }
    }
    known
}
