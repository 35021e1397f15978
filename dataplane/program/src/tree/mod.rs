//! How a chain's next rule is found at a cost that does not grow with the rules.
//!
//! A chain's header tests are boxes in a space of addresses, ports, protocol and interfaces ([`space`]). An inner node of its tree divides one
//! dimension at up to twelve numbers and leads to one of up to thirteen children, and beside them to a *rest*: the rules that would stand in
//! most of the children, in a tree of their own. A leaf lists the rules whose boxes reach into its part of the space, in order. So the next
//! rule is the first that holds in a leaf, or in the few leaves to which rests lead; a part whose first rule comes after one that was found
//! is not looked at.
//!
//! A short chain is a single leaf. The tree is made from the table where the table is bound, and travels nowhere: [`Table::next_in_row`] says
//! what it must answer. `docs/decisions/0008-rule-tree.md` has the reasons and the numbers.

mod build;
mod check;
mod divide;
mod entry;
mod space;
#[cfg(test)]
mod tests;

use packet::{Family, Header};

use crate::header_test::Interfaces;
use crate::id::{ChainId, RuleIndex};
use crate::table::{Table, needs_order};
pub use check::TreeFault;
use entry::Entry;
use space::{Names, Point};

/// Numbers at which a node divides.
const BOUNDS: usize = 12;
/// Children of a twig, at most.
const TWIG_CHILDREN: usize = 10;
/// Most ways that one packet is led, rests included.
const WAYS: usize = 6;
/// A leaf that is longer is not looked at from its beginning.
const LONG: usize = 16;
const NONE: u32 = u32::MAX;

/// One cache line. A *branch* leads to other nodes, a *leaf* to its entries, and a *twig* is a branch together with its children, which are
/// short leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
struct Node {
    /// The last number of each child but the last one; unused ones are the highest number, which nothing is above.
    bounds: [u32; BOUNDS],
    /// A branch's first child; the first entry of a leaf, and of a twig.
    child: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Branch {
        /// What is divided.
        dimension: u8,
        /// The rest begins before the children, and is looked at first.
        rest_first: bool,
        /// The rest's node, or [`NONE`].
        rest: Packed,
        /// The first rule of the part that is looked at second.
        second: Packed,
    },
    Twig {
        dimension: u8,
        /// The end of each child's entries, counted from the twig's first.
        ends: [u8; TWIG_CHILDREN],
    },
    Leaf {
        /// How many entries.
        len: Packed,
    },
}

/// A number of 32 bits that need not be aligned: a node is one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed([u8; 4]);

impl Packed {
    const NONE: Self = Self::new(NONE);

    const fn new(value: u32) -> Self {
        Self(value.to_ne_bytes())
    }

    #[inline]
    fn get(self) -> u32 {
        u32::from_ne_bytes(self.0)
    }
}

const _: () = assert!(size_of::<Node>() == 64);

impl Node {
    const EMPTY: Self = Self { bounds: [NONE; BOUNDS], child: 0, kind: Kind::Leaf { len: Packed::new(0) } };

    /// Which child holds this number.
    #[inline]
    fn child_of(&self, value: u32) -> u32 {
        self.bounds.iter().map(|bound| u32::from(value > *bound)).sum()
    }
}

/// Where a chain's trees begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Roots {
    /// For packets with a transport header.
    whole: u32,
    /// For those of which only the IP part is asked ([`needs_order`]).
    in_order: u32,
}

/// The trees of a table's chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree<F: Family> {
    nodes: Vec<Node>,
    entries: Vec<Entry<F>>,
    /// What leaves list in trees for packets of which only the IP part is asked: rules.
    rules: Vec<RuleIndex>,
    chains: Vec<Roots>,
    names: Names,
}

impl<F: Family> Default for Tree<F> {
    fn default() -> Self {
        Self { nodes: Vec::new(), entries: Vec::new(), rules: Vec::new(), chains: Vec::new(), names: Names::default() }
    }
}

impl<F: Family> Tree<F> {
    /// The trees of a table whose interface patterns are bound.
    pub fn of(table: &Table<F>) -> Self {
        build::tree(table)
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.entries) + size_of_val(&*self.rules) + size_of_val(&*self.chains)
    }

    /// Its shape in words, for those who measure.
    pub fn shape(&self) -> String {
        let count = |kind: fn(&Kind) -> bool| self.nodes.iter().filter(|node| kind(&node.kind)).count();
        let longest =
            self.nodes.iter().map(|node| if let Kind::Leaf { len } = node.kind { len.get() } else { 0 }).max().unwrap_or(0);
        let (branches, twigs) =
            (count(|kind| matches!(kind, Kind::Branch { .. })), count(|kind| matches!(kind, Kind::Twig { .. })));
        let leaves = self.nodes.len() - branches - twigs;
        format!("{branches} branches, {twigs} twigs, {leaves} leaves, {} entries, at most {longest} in a leaf", self.entries.len())
    }

    /// What [`Table::next`] answers; `None` where there is no tree.
    #[inline]
    pub(crate) fn next(
        &self,
        table: &Table<F>,
        chain: ChainId,
        from: u32,
        header: &Header<F>,
        interfaces: Interfaces<'_>,
    ) -> Option<Option<RuleIndex>> {
        let roots = self.chains.get(chain.index())?;
        let run = table.chains[chain.index()].rules;
        let start = run.first;
        let from = start + from.min(run.len);
        // Rules that look for the same packets often stand in a row.
        if from > start && from < start + run.len && table.rule_holds(RuleIndex(from), header, interfaces) {
            return Some(Some(RuleIndex(from)));
        }
        let point = Point::new(header, interfaces, &self.names);
        let found = if needs_order(header) {
            let holds = |rule: &RuleIndex| table.rule_holds(*rule, header, interfaces);
            self.find(&self.rules, roots.in_order, from, &point, |rule| rule.0, holds)
        } else {
            self.find(&self.entries, roots.whole, from, &point, |entry| entry.rule, |entry| entry.holds(&point, table))
        };
        Some((found != NONE).then_some(RuleIndex(found)))
    }

    #[inline]
    fn find<T>(
        &self,
        listed: &[T],
        root: u32,
        from: u32,
        point: &Point<'_, F>,
        rule_of: impl Fn(&T) -> u32,
        holds: impl Fn(&T) -> bool,
    ) -> u32 {
        let mut found = NONE;
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
                listed = &listed[listed.partition_point(|one| rule_of(one) < from)..];
            }
            for one in listed {
                let rule = rule_of(one);
                if rule >= found {
                    break;
                }
                if rule >= from && holds(one) {
                    found = rule;
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
