//! How a chain's next rule is found at a cost that does not grow with the rules.
//!
//! A chain's header tests are boxes in a space of addresses, ports, protocol and interfaces ([`space`]). An inner node of its tree divides one
//! dimension at up to twelve numbers and leads to one of up to thirteen children, and beside them to a *rest*: the rules that would stand in
//! most of the children, in a tree of their own. Where rules have many different numbers in a dimension a node leads by a *hash* of the packet's. A leaf lists the rules whose boxes reach into its part of the space, in order. So the next
//! rule is the first that holds in a leaf, or in the few leaves to which rests lead; a part whose first rule comes after one that was found
//! is not looked at.
//!
//! A short chain is a single leaf. The tree is made from the table where the table is bound, and travels nowhere: [`Table::next_in_row`] says
//! what it must answer. A table that follows another keeps the trees of chains that did not change, and of one that changed a little the tree
//! beside a small one of what was added ([`reuse`]). `docs/decisions/0008-rule-tree.md` has the reasons and the numbers.

mod build;
mod check;
mod covered;
mod divide;
mod entry;
mod few;
mod layer;
mod many;
mod node;
mod part;
mod probes;
mod reuse;
mod space;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use packet::{Family, Header};

use crate::edit::Made;
use crate::header_test::Interfaces;
use crate::id::{ChainId, RuleIndex};
use crate::table::{Table, needs_order};
pub use check::TreeFault;
use few::Few;
use layer::Layer;
pub use many::{Machine, Plain, Seeker};
use node::{Kind, Roots};
use part::{Part, Question};
use space::{Names, Point};

const NONE: u32 = u32::MAX;

/// The trees of a table's chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree<F: Family> {
    chains: Vec<Place>,
    /// The trees of all short chains.
    short: Arc<Part<F>>,
    long: Vec<Long<F>>,
    names: Names,
}

/// Where a chain's tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In [`Tree::short`].
    Short(Roots),
    /// In [`Tree::long`].
    Long(u32),
}

/// A long chain: each of its rules is in one of its layers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Long<F: Family> {
    base: Layer<F>,
    /// What was added since the base was made, but for the last of it.
    middle: Option<Layer<F>>,
    /// What was added since either was made.
    added: Option<Layer<F>>,
}

impl<F: Family> Long<F> {
    /// The layers beside the base.
    #[inline]
    fn beside(&self) -> impl Iterator<Item = &Layer<F>> {
        self.middle.iter().chain(&self.added)
    }

    /// Is there nothing beside the base?
    #[inline]
    fn is_alone(&self) -> bool {
        self.middle.is_none() && self.added.is_none()
    }

    /// All of its rules in lanes: a short chain that was edited is a long one from then on.
    #[inline]
    fn few(&self) -> Option<&Few> {
        let few = self.base.part.few.get(self.base.roots.few as usize)?;
        (self.base.is_as_made() && self.is_alone()).then_some(few)
    }

    /// The first rule that holds, of those beside the base as well.
    #[inline(never)]
    fn find_beside(&self, first: u32, (from, found): (u32, u32), question: &Question<'_, F>) -> u32 {
        self.beside().fold(found, |found, layer| layer.find(first, (from, found), question))
    }

    fn layers(&self) -> impl Iterator<Item = &Layer<F>> {
        [&self.base].into_iter().chain(self.beside())
    }
}

impl<F: Family> Default for Tree<F> {
    fn default() -> Self {
        Self { chains: Vec::new(), short: Arc::default(), long: Vec::new(), names: Names::default() }
    }
}

impl<F: Family> Tree<F> {
    /// The trees of a table whose interface patterns are bound.
    pub fn of(table: &Table<F>) -> Self {
        reuse::tree(table, None)
    }

    /// The same, with what can be kept of the trees of a table that this one follows.
    pub fn following(table: &Table<F>, before: &Table<F>) -> Self {
        reuse::tree(table, Some(before))
    }

    /// The same for a table that an edit made of the other one: what it leaves as it is is not compared.
    pub(crate) fn edited(table: &Table<F>, before: &Table<F>, made: &Made) -> Self {
        reuse::edited(table, before, made)
    }

    /// How many long chains have the tree that they had in another one.
    pub fn kept_of(&self, before: &Self) -> usize {
        let is_kept = |long: &&Long<F>| before.long.iter().any(|old| Arc::ptr_eq(&old.base.part, &long.base.part));
        self.long.iter().filter(is_kept).count()
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        let long: usize = self.long.iter().flat_map(Long::layers).map(|layer| layer.part.bytes()).sum();
        size_of_val(&*self.chains) + self.short.bytes() + long
    }

    /// Its shape in words, for those who measure.
    pub fn shape(&self) -> String {
        let layers = self.long.iter().flat_map(Long::layers);
        let parts: Vec<&Part<F>> = [&self.short].into_iter().chain(layers.map(|layer| &layer.part)).map(|part| &**part).collect();
        let nodes = || parts.iter().flat_map(|part| &part.nodes);
        let count = |kind: fn(&Kind) -> bool| nodes().filter(|node| kind(&node.kind)).count();
        let longest = nodes().map(|node| if let Kind::Leaf { len } = node.kind { len.get() } else { 0 }).max().unwrap_or(0);
        let branches = count(|kind| matches!(kind, Kind::Branch { .. }));
        let hashes = count(|kind| matches!(kind, Kind::Hash { .. }));
        let leaves = nodes().count() - branches - hashes;
        let entries: usize = parts.iter().map(|part| part.entries.len()).sum();
        format!("{branches} branches, {hashes} hashes, {leaves} long leaves, {entries} entries, at most {longest} in a leaf")
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
        let place = self.chains.get(chain.index())?;
        let run = table.chains[chain.index()].rules;
        let (first, end) = (run.first, run.len);
        if from >= end {
            return Some(None);
        }
        // The first rule is often one for all packets, and rules that look for the same packets often stand in a row.
        let next = RuleIndex(first + from);
        if table.rules[next.index()].test.is_any() || from > 0 && table.rule_holds_at_last(next, header, interfaces) {
            return Some(Some(next));
        }
        let few = match *place {
            Place::Short(roots) => self.short.few.get(roots.few as usize),
            Place::Long(at) => self.long[at as usize].few(),
        };
        Some(match few {
            Some(few) if !needs_order(header) => few.first(table, (first, from), header, interfaces),
            _ => self.next_in_tree(table, (chain, *place), from, header, interfaces),
        })
    }

    // Called, it would cost a long chain 7 ns a lookup, and save a short one 25 instructions.
    #[inline(always)]
    fn next_in_tree(
        &self,
        table: &Table<F>,
        (chain, place): (ChainId, Place),
        from: u32,
        header: &Header<F>,
        interfaces: Interfaces<'_>,
    ) -> Option<RuleIndex> {
        let run = table.chains[chain.index()].rules;
        let (first, end) = (run.first, run.len);
        let long = match place {
            Place::Short(_) => None,
            Place::Long(at) => Some(&self.long[at as usize]),
        };
        let (part, roots) = match (place, long) {
            (Place::Short(roots), _) => (&*self.short, roots),
            (_, Some(long)) if long.base.is_as_made() => (&*long.base.part, long.base.roots),
            _ => return self.next_of_rest(table, (chain, from), header, interfaces),
        };
        if needs_order(header) {
            return self.next_of_rest(table, (chain, from), header, interfaces);
        }
        let point = Point::new(header, interfaces, &self.names);
        let found = part.find_whole(roots.whole, (from, end), table, &point, |number| Some(RuleIndex(first + number)));
        let found = match long {
            Some(long) if !long.is_alone() => {
                long.find_beside(first, (from, found), &Question { table, header, interfaces, point: &point })
            }
            _ => found,
        };
        (found < end).then_some(RuleIndex(first + found))
    }

    /// The same for packets without a transport header, and where rules do not stand as they are listed: the others are not to carry what these need.
    #[inline(never)]
    fn next_of_rest(
        &self,
        table: &Table<F>,
        (chain, from): (ChainId, u32),
        header: &Header<F>,
        interfaces: Interfaces<'_>,
    ) -> Option<RuleIndex> {
        let run = table.chains[chain.index()].rules;
        let (first, end) = (run.first, run.len);
        let point = &Point::new(header, interfaces, &self.names);
        let question = Question { table, header, interfaces, point };
        let found = match self.chains[chain.index()] {
            Place::Short(roots) => self.short.find(roots, (from, end), &question, |number| Some(RuleIndex(first + number))),
            Place::Long(at) => {
                let long = &self.long[at as usize];
                long.find_beside(first, (from, long.base.find(first, (from, end), &question)), &question)
            }
        };
        (found < end).then_some(RuleIndex(first + found))
    }
}
