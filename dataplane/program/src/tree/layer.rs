//! A tree over a list of rules, some of which have gone since and the others have moved.
//!
//! An edit shifts the rules behind it. The tree stays as it is: *runs* say which of its rules are which of the chain's today.

use std::sync::Arc;

use packet::Family;

use super::NONE;
use super::build;
use super::covered;
use super::node::Roots;
use super::part::{Part, Question};
use super::space::Names;
use crate::edit::Kept;
use crate::id::RuleIndex;
use crate::table::Table;

/// Of fewer rules none is left out.
const WORTH_IT: usize = 65;

/// Rules that stand side by side in a tree's list and in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The first one's number in the list.
    pub(super) number: u32,
    /// Its position in the chain.
    pub(super) position: u32,
    pub(super) len: u32,
}

/// A tree of its own, of some of a chain's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer<F: Family> {
    pub(super) part: Arc<Part<F>>,
    pub(super) roots: Roots,
    /// Rules in the tree's list.
    pub(super) listed: u32,
    /// In the order of positions, which is that of numbers. What is in none of them is of the chain no more.
    pub(super) runs: Vec<Run>,
}

impl<F: Family> Layer<F> {
    /// A new tree for the rules at these positions, `first` being the chain's first rule.
    pub(super) fn of(table: &Table<F>, first: u32, positions: &[core::ops::Range<u32>], names: &Names) -> Self {
        let mut runs = Vec::new();
        let mut number = 0;
        for positions in positions.iter().filter(|positions| !positions.is_empty()) {
            let len = positions.end - positions.start;
            runs.push(Run { number, position: positions.start, len });
            number += len;
        }
        let rules: Vec<RuleIndex> = positions.iter().cloned().flatten().map(|position| RuleIndex(first + position)).collect();
        // A small tree has no need of it, and is soon made anew.
        let covered = if rules.len() < WORTH_IT { Vec::new() } else { covered::covered(table, &rules) };
        let mut part = Part { covered, ..Part::default() };
        let roots = build::plant(&mut part, table, &rules, names);
        part.shrink();
        Self { part: Arc::new(part), roots, listed: number, runs }
    }

    /// The same tree, of a chain in which these rules were kept.
    pub(super) fn after(&self, kept: &[Kept]) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        let mut kept = kept.iter().peekable();
        for run in &self.runs {
            while let Some(next) = kept.peek() {
                let (first, end) = (run.position.max(next.before), (run.position + run.len).min(next.before + next.len));
                if first < end {
                    let (number, position) = (run.number + (first - run.position), next.position + (first - next.before));
                    match runs.last_mut() {
                        Some(last) if (last.number + last.len, last.position + last.len) == (number, position) => {
                            last.len += end - first;
                        }
                        _ => runs.push(Run { number, position, len: end - first }),
                    }
                }
                if next.before + next.len > run.position + run.len {
                    break;
                }
                kept.next();
            }
        }
        Self { part: self.part.clone(), runs, ..*self }
    }

    /// Takes those rules out that are left out of the tree and covered no more; they have to stand elsewhere. False where they are more than `most`.
    pub(super) fn uncover(&mut self, table: &Table<F>, first: u32, most: usize) -> bool {
        let part = self.part.clone();
        for group in &part.covered {
            if self.is_covering(group.by, table, first) {
                continue;
            }
            let left: Vec<u32> = group.rules.iter().copied().filter(|number| self.position_of(*number).is_some()).collect();
            if left.len() > most {
                return false;
            }
            left.into_iter().for_each(|number| self.take_out(number));
        }
        true
    }

    /// Is this rule still there, and the end of the chain for its packets?
    pub(super) fn is_covering(&self, by: u32, table: &Table<F>, first: u32) -> bool {
        self.position_of(by).is_some_and(|position| covered::ends(table, RuleIndex(first + position)))
    }

    fn take_out(&mut self, number: u32) {
        let Some(at) = self.runs.iter().position(|run| (run.number..run.number + run.len).contains(&number)) else { return };
        let run = self.runs.remove(at);
        let before = number - run.number;
        let parts = [
            Run { len: before, ..run },
            Run { number: number + 1, position: run.position + before + 1, len: run.len - before - 1 },
        ];
        self.runs.splice(at..at, parts.into_iter().filter(|run| run.len > 0));
    }

    /// The first of its rules that holds, by its position in the chain: from one position to below another, which is the answer where there is none.
    #[inline]
    pub(super) fn find(&self, first: u32, (from, until): (u32, u32), question: &Question<'_, F>) -> u32 {
        if self.is_as_made() {
            return self.part.find(self.roots, (from, until), question, |number| Some(RuleIndex(first + number)));
        }
        self.find_among_moved(first, (from, until), question)
    }

    /// Do its rules stand as they are listed, from the chain's beginning?
    #[inline]
    pub(super) fn is_as_made(&self) -> bool {
        matches!(&self.runs[..], [Run { number: 0, position: 0, len }] if *len == self.listed)
    }

    #[inline(never)]
    fn find_among_moved(&self, first: u32, (from, until): (u32, u32), question: &Question<'_, F>) -> u32 {
        let (Some(from), end) = (self.number_at(from), self.number_at(until).unwrap_or(NONE)) else { return until };
        let place = |number| self.position_of(number).map(|position| RuleIndex(first + position));
        let found = self.part.find(self.roots, (from, end), question, place);
        if found == end { until } else { self.position_of(found).unwrap_or(until) }
    }

    /// The number of its first rule at this position or behind it.
    #[inline]
    fn number_at(&self, position: u32) -> Option<u32> {
        let behind = self.runs.partition_point(|run| run.position + run.len <= position);
        self.runs.get(behind).map(|run| run.number + position.saturating_sub(run.position))
    }

    /// Is it the same tree, of the same list?
    pub(super) fn is_tree_of(&self, old: &Self) -> bool {
        Arc::ptr_eq(&old.part, &self.part) && (old.roots, old.listed) == (self.roots, self.listed)
    }

    /// The run in which a rule stands, from this rule on.
    pub(super) fn run_from(&self, number: u32) -> Option<Run> {
        let behind = self.runs.partition_point(|run| run.number + run.len <= number);
        let run = self.runs.get(behind).filter(|run| run.number <= number)?;
        let before = number - run.number;
        Some(Run { number, position: run.position + before, len: run.len - before })
    }

    /// Where a rule stands today.
    #[inline]
    pub(super) fn position_of(&self, number: u32) -> Option<u32> {
        self.run_from(number).map(|run| run.position)
    }
}
