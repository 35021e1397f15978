//! Trees over lists of rules, in one piece of memory, and the way down them.

use packet::{Family, Header};

use super::NONE;
use super::entry::Entry;
use super::node::{Kind, Node, Roots};
use super::space::Point;
use crate::header_test::Interfaces;
use crate::id::RuleIndex;
use crate::table::{Table, needs_order};

/// Most ways that one packet is led, rests included.
pub(super) const WAYS: usize = 6;
/// A leaf that is longer is not looked at from its beginning.
const LONG: usize = 16;

/// Trees over lists of rules. A rule is named by its number in the list of its tree, and so a part says nothing of where the rules stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part<F: Family> {
    pub(super) nodes: Vec<Node>,
    pub(super) entries: Vec<Entry<F>>,
    /// What leaves list in trees for packets of which only the IP part is asked: numbers of rules.
    pub(super) numbers: Vec<u32>,
}

impl<F: Family> Default for Part<F> {
    fn default() -> Self {
        Self { nodes: Vec::new(), entries: Vec::new(), numbers: Vec::new() }
    }
}

/// What is asked of a tree.
pub(super) struct Question<'q, F: Family> {
    pub(super) table: &'q Table<F>,
    pub(super) header: &'q Header<F>,
    pub(super) interfaces: Interfaces<'q>,
    pub(super) point: &'q Point<'q, F>,
}

impl<F: Family> Part<F> {
    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.entries) + size_of_val(&*self.numbers)
    }

    /// Gives back memory that nothing uses.
    pub(super) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
        self.entries.shrink_to_fit();
        self.numbers.shrink_to_fit();
    }

    /// The first rule that holds, of those with numbers from `from` to below `until`; `until` where there is none. `place` says where a rule
    /// stands in the table, if it still does.
    #[inline]
    pub(super) fn find(
        &self,
        roots: Roots,
        (from, until): (u32, u32),
        question: &Question<'_, F>,
        place: impl Fn(u32) -> Option<RuleIndex>,
    ) -> u32 {
        let Question { table, header, interfaces, point } = *question;
        if needs_order(header) {
            let holds = |number: &u32| place(*number).is_some_and(|rule| table.rule_holds(rule, header, interfaces));
            self.walk(&self.numbers, roots.in_order, (from, until), point, |number| *number, holds)
        } else {
            let holds = |entry: &Entry<F>| entry.holds(point, table, &place);
            self.walk(&self.entries, roots.whole, (from, until), point, |entry| entry.rule, holds)
        }
    }

    #[inline]
    fn walk<T>(
        &self,
        listed: &[T],
        root: u32,
        (from, until): (u32, u32),
        point: &Point<'_, F>,
        number_of: impl Fn(&T) -> u32,
        holds: impl Fn(&T) -> bool,
    ) -> u32 {
        let mut found = until;
        let mut waiting = [(0u32, 0u32); WAYS];
        let mut ways = 0;
        let mut at = root;
        loop {
            let node = &self.nodes[at as usize];
            let (first, end) = match node.kind {
                Kind::Branch { dimension, rest_first, rest, second } => {
                    let child = node.child + node.child_of(point.place[usize::from(dimension)]);
                    let rest = rest.get();
                    at = child;
                    if rest != NONE {
                        let later = if rest_first { child } else { rest };
                        at = if rest_first { rest } else { child };
                        waiting[ways] = (later, second.get());
                        ways += 1;
                    }
                    continue;
                }
                Kind::Twig { dimension, ends } => {
                    let child = node.child_of(point.place[usize::from(dimension)]) as usize;
                    let first = if child == 0 { 0 } else { ends[child - 1] };
                    (node.child + u32::from(first), node.child + u32::from(ends[child]))
                }
                Kind::Leaf { len } => (node.child, node.child + len.get()),
            };
            let mut listed = &listed[first as usize..end as usize];
            if listed.len() > LONG {
                listed = &listed[listed.partition_point(|one| number_of(one) < from)..];
            }
            for one in listed {
                let number = number_of(one);
                if number >= found {
                    break;
                }
                if number >= from && holds(one) {
                    found = number;
                    break;
                }
            }
            at = loop {
                if ways == 0 {
                    return found;
                }
                ways -= 1;
                let (later, first) = waiting[ways];
                if first < found {
                    break later;
                }
            };
        }
    }
}
