//! Looks a tree through: does it answer as its table's rules do?
//!
//! That no rule is missed is proven: every box of every rule is followed down the tree, and must be listed in each leaf that it reaches into, or
//! in those of a rest on the way; and no part is passed over while it could hold an earlier rule. What leaves list are entries of the rules'
//! boxes and nothing else; that these say what their rules say is tried out with packets on the edges of each rule and just beside them.
//!
//! Of a rule that is left out it is proven that an earlier one asks no more than it, and ends the way of its packets.
//!
//! A tree that was kept is right for the rules before; so what is looked at is that each rule of now asks the same as the one of before for which
//! the tree takes it, and that each of a chain's rules is in one tree.

use core::ops::ControlFlow;
use std::sync::Arc;

use packet::Family;
use thiserror::Error;

use super::covered;
use super::entry::Line;
use super::few::Few;
use super::layer::{Layer, Run};
use super::node::{Goal, Kind, Node, Packed, Roots, Slot, Turn};
use super::part::{Part, WAYS};
use super::probes::probes;
use super::reuse::Both;
use super::space::{self, Point, Region};
use super::{Long, NONE, Place, Tree};
use crate::edit::{ChainEdit, Made, kept};
use crate::header_test::Interfaces;
use crate::id::{ChainId, RuleIndex};
use crate::table::{Chain, Table, needs_order};

/// Why a tree may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TreeFault {
    /// It is not one tree for each chain, or its parts do not fit together.
    #[error("node {0} is no part of a tree")]
    Shape(u32),
    /// Packets would be led more ways than a walk can hold.
    #[error("node {0} leads packets too many ways")]
    Ways(u32),
    /// A part with an earlier rule would be passed over.
    #[error("node {0} passes over a rule")]
    PassedOver(u32),
    /// A leaf's rules are out of order.
    #[error("the leaf of node {0} is out of order")]
    Order(u32),
    /// A leaf lists what is of no rule of the chain.
    #[error("the leaf of node {0} lists what is of no rule")]
    Foreign(u32),
    /// A leaf lacks a rule that reaches into it.
    #[error("rule {} is missed", .0.0)]
    Missed(RuleIndex),
    /// What leaves list of a rule does not say what the rule says.
    #[error("rule {} is listed as another", .0.0)]
    Wrong(RuleIndex),
    /// A rule of the table before is taken for this one, and asks something else.
    #[error("rule {} is taken for one of before that it is not", .0.0)]
    Kept(RuleIndex),
    /// A rule is left out of a tree, and packets may meet it.
    #[error("rule {} is left out, and not covered by an earlier one", .0.0)]
    Covered(RuleIndex),
    /// The rules of a chain are not each in one tree.
    #[error("the trees of the chain that begins with rule {} do not share out its rules", .0.0)]
    Runs(RuleIndex),
}

impl<F: Family> Tree<F> {
    /// Does the tree answer as the table's rules do? `before` is the table from which it may have kept trees, whose own was found right.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn check(&self, table: &Table<F>, before: Option<&Table<F>>) -> Result<(), TreeFault> {
        if self.chains.len() != table.chains.len() {
            return Err(TreeFault::Shape(0));
        }
        let both = before.and_then(|before| Both::new(table, before));
        let kept = both.as_ref().filter(|both| Arc::ptr_eq(&both.before().tree.short, &self.short));
        let mut short_before = kept.iter().flat_map(|both| both.short_before());
        for (chain, place) in table.chains.iter().zip(&self.chains) {
            match *place {
                Place::Short(roots) => {
                    let same = |both: &Both<'_, F>, (rules, old)| old == roots && both.are_same(chain.rules, rules);
                    // They share a part, whose numbers would be of one of them.
                    if !self.short.covered.is_empty() {
                        return Err(TreeFault::Covered(RuleIndex(chain.rules.first)));
                    }
                    match kept {
                        Some(both) if short_before.next().is_some_and(|old| same(both, old)) => {}
                        Some(_) => return Err(TreeFault::Kept(RuleIndex(chain.rules.first))),
                        None => {
                            let rules = (chain.rules.first..chain.rules.first + chain.rules.len).map(RuleIndex).collect::<Vec<_>>();
                            self.fresh(table, &self.short, roots, &rules)?;
                        }
                    }
                }
                Place::Long(at) => {
                    let long = self.long.get(at as usize).ok_or(TreeFault::Shape(0))?;
                    if !covers(long, chain.rules.len) {
                        return Err(TreeFault::Runs(RuleIndex(chain.rules.first)));
                    }
                    for layer in long.layers() {
                        self.layer(table, chain, layer, both.as_ref())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The same of a table that an edit made of the one before. What it left is the same there and here, so of trees that are kept only
    /// is looked at whether they take each rule for what it was.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn check_edited(&self, table: &Table<F>, before: &Table<F>, made: &Made) -> Result<(), TreeFault> {
        if before.tree.chains.len() != before.chains.len() {
            return self.check(table, None);
        }
        if self.chains.len() != table.chains.len() || made.has_same_chains() && table.chains.len() != before.chains.len() {
            return Err(TreeFault::Shape(0));
        }
        for ((id, chain), place) in (0..).map(ChainId).zip(&table.chains).zip(&self.chains) {
            let was = made.before(id).and_then(|old| Some((before.chains.get(old.index())?, before.tree.chains.get(old.index())?)));
            match (place, was) {
                (Place::Short(roots), Some((_, Place::Short(old)))) if made.edits_of(id).is_empty() => {
                    if roots != old || !Arc::ptr_eq(&self.short, &before.tree.short) {
                        return Err(TreeFault::Kept(RuleIndex(chain.rules.first)));
                    }
                }
                (Place::Long(at), was) => {
                    let long = self.long.get(*at as usize).ok_or(TreeFault::Shape(0))?;
                    let old = was.and_then(|(chain, place)| match place {
                        Place::Long(old) => Some((chain, before.tree.long.get(*old as usize)?)),
                        Place::Short(_) => None,
                    });
                    self.check_edited_chain(table, (chain, long), old, made.edits_of(id))?;
                }
                (Place::Short(_), _) => return Err(TreeFault::Shape(0)),
            }
        }
        Ok(())
    }

    fn check_edited_chain(
        &self,
        table: &Table<F>,
        (chain, long): (&Chain, &Long<F>),
        old: Option<(&Chain, &Long<F>)>,
        edits: &[ChainEdit],
    ) -> Result<(), TreeFault> {
        let is_as_it_was = |layer: &Layer<F>, old: &Layer<F>| layer.is_tree_of(old) && layer.runs == old.runs;
        let first = RuleIndex(chain.rules.first);
        if let (Some((_, old)), []) = (old, edits) {
            let mut pairs = long.layers().zip(old.layers());
            let is_same = long.layers().count() == old.layers().count() && pairs.all(|(layer, old)| is_as_it_was(layer, old));
            return if is_same { Ok(()) } else { Err(TreeFault::Kept(first)) };
        }
        if !covers(long, chain.rules.len) {
            return Err(TreeFault::Runs(first));
        }
        let stayed = old.map_or_else(Vec::new, |(old, _)| kept(edits, old.rules.len));
        for layer in long.layers() {
            let Some(old) = old.and_then(|(_, old)| old.layers().find(|old| layer.is_tree_of(old))) else {
                self.layer(table, chain, layer, None)?;
                continue;
            };
            self.covered_as_before(table, chain, layer)?;
            for run in &layer.runs {
                let mut left = *run;
                while left.len > 0 {
                    let wrong = TreeFault::Kept(RuleIndex(chain.rules.first + left.position));
                    // As far as they stood in a row before, and were left in a row.
                    let from = old.run_from(left.number).ok_or(wrong)?;
                    let behind = stayed.partition_point(|kept| kept.before + kept.len <= from.position);
                    let kept = stayed.get(behind).filter(|kept| kept.before <= from.position).ok_or(wrong)?;
                    let into = from.position - kept.before;
                    let len = left.len.min(from.len).min(kept.len - into);
                    if kept.position + into != left.position {
                        return Err(wrong);
                    }
                    left = Run { number: left.number + len, position: left.position + len, len: left.len - len };
                }
            }
        }
        Ok(())
    }

    /// What is left out of a kept tree is covered as it was before, or is not looked for in it.
    fn covered_as_before(&self, table: &Table<F>, chain: &Chain, layer: &Layer<F>) -> Result<(), TreeFault> {
        for group in &layer.part.covered {
            let is_gone = |number: &u32| layer.position_of(*number).is_none();
            if !layer.is_covering(group.by, table, chain.rules.first) && !group.rules.iter().all(is_gone) {
                return Err(TreeFault::Covered(RuleIndex(chain.rules.first)));
            }
        }
        Ok(())
    }

    /// Is a layer one of before, and its rules are so as well, or right in itself?
    fn layer(&self, table: &Table<F>, chain: &Chain, layer: &Layer<F>, both: Option<&Both<'_, F>>) -> Result<(), TreeFault> {
        let old = both.and_then(|both| {
            let (long, rules) = both.long_of(chain)?;
            Some((both, long.layers().find(|old| layer.is_tree_of(old))?, rules.first))
        });
        let numbers = layer.runs.iter().flat_map(|run| (0..run.len).map(move |n| (run.number + n, run.position + n)));
        let Some((both, old, first)) = old else {
            if !numbers.clone().map(|(number, _)| number).eq(0..layer.listed) {
                return Err(TreeFault::Runs(RuleIndex(chain.rules.first)));
            }
            let rules: Vec<RuleIndex> = numbers.map(|(_, position)| RuleIndex(chain.rules.first + position)).collect();
            return self.fresh(table, &layer.part, layer.roots, &rules);
        };
        self.covered_as_before(table, chain, layer)?;
        for (number, position) in numbers {
            let rule = RuleIndex(chain.rules.first + position);
            let is_same = old.position_of(number).is_some_and(|position| both.is_same(rule, RuleIndex(first + position)));
            if !is_same {
                return Err(TreeFault::Kept(rule));
            }
        }
        Ok(())
    }

    /// Are the trees of this list of rules right?
    fn fresh(&self, table: &Table<F>, part: &Part<F>, roots: Roots, rules: &[RuleIndex]) -> Result<(), TreeFault> {
        let lists = space::has_room_for_lists(table, rules);
        let mut boxes = Vec::new();
        // Where each rule's begin.
        let mut starts = Vec::with_capacity(rules.len() + 1);
        for (number, &rule) in (0..).zip(rules) {
            starts.push(boxes.len());
            space::boxes(table, (number, rule), &self.names, lists, |region, entry| boxes.push((region, Line::from(entry))));
        }
        starts.push(boxes.len());
        let of = |number: u32| {
            let place = starts.get(number as usize..).and_then(|starts| starts.get(..2));
            place.map_or(&[][..], |place| &boxes[place[0]..place[1]])
        };
        let mut is_covered = vec![false; rules.len()];
        for (by, number) in part.covered.iter().flat_map(|group| group.rules.iter().map(move |number| (group.by, *number))) {
            let claim = rules.get(by as usize).zip(rules.get(number as usize)).filter(|_| by < number);
            if !claim.is_some_and(|(by, rule)| covered::ends(table, *by) && covered::covers(table, *by, *rule)) {
                return Err(TreeFault::Covered(rules.get(number as usize).copied().unwrap_or_default()));
            }
            is_covered[number as usize] = true;
        }
        let known = |entry: &Line<F>| of(entry.rule()).iter().any(|(_, one)| one == entry);
        let whole = Half { nodes: &part.nodes, slots: &part.slots, listed: &part.entries, rule_of: Line::rule, known };
        whole.shape(roots.whole, WAYS)?;
        let few = part.few.get(roots.few as usize);
        if (few.is_some() || roots.few != NONE) && few.cloned() != part.leaf(roots.whole).and_then(Few::of) {
            return Err(TreeFault::Shape(roots.whole));
        }
        let known = |number: &u32| (*number as usize) < rules.len();
        let in_order = Half { nodes: &part.nodes, slots: &part.slots, listed: &part.numbers, rule_of: |number| *number, known };
        in_order.shape(roots.in_order, WAYS)?;
        for (region, entry) in boxes.iter().filter(|(_, entry)| !is_covered[entry.rule() as usize]) {
            if !whole.holds(roots.whole, *region, entry) {
                return Err(TreeFault::Missed(rules[entry.rule() as usize]));
            }
        }
        for (number, &rule) in (0..).zip(rules) {
            if !in_order.holds(roots.in_order, space::in_order_box(table, rule, &self.names), &number) {
                return Err(TreeFault::Missed(rule));
            }
            self.try_out(table, rule, of(number))?;
        }
        Ok(())
    }

    /// Do a rule's entries say what it says, on its edges and beside them?
    fn try_out(&self, table: &Table<F>, rule: RuleIndex, boxes: &[(Region, Line<F>)]) -> Result<(), TreeFault> {
        let result = probes(table, rule, |header, (input, output)| {
            let interfaces = Interfaces { sets: &table.bound, input, output };
            if needs_order(header) {
                return ControlFlow::Continue(());
            }
            let point = Point::new(header, interfaces, &self.names);
            // Where the rule holds, the packet has to be in the box as well.
            let (mut found, mut is_led) = (false, false);
            for (region, _) in boxes.iter().filter(|(_, entry)| entry.holds(&point, table, |_| Some(rule))) {
                found = true;
                is_led |= point.is_in(region);
            }
            let holds = table.rule_holds(rule, header, interfaces);
            if found == holds && is_led == holds { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        if result.is_break() { Err(TreeFault::Wrong(rule)) } else { Ok(()) }
    }
}

/// Is each position of a chain in one run of one layer, and are runs in order?
fn covers<F: Family>(long: &Long<F>, len: u32) -> bool {
    let ordered = |layer: &Layer<F>| {
        let fits = |run: &Run| run.number.checked_add(run.len).is_some_and(|end| end <= layer.listed) && run.position <= len;
        layer.runs.iter().all(fits) && layer.runs.windows(2).all(|pair| pair[0].number + pair[0].len <= pair[1].number)
    };
    let mut runs: Vec<(u32, u32)> = long.layers().flat_map(|layer| &layer.runs).map(|run| (run.position, run.len)).collect();
    let ascending = |layer: &Layer<F>| layer.runs.is_sorted_by_key(|run| run.position);
    if !long.layers().all(|layer| ordered(layer) && ascending(layer)) {
        return false;
    }
    runs.sort_unstable();
    let end = runs.iter().try_fold(0u32, |at, (position, len)| if *position == at { at.checked_add(*len) } else { None });
    end == Some(len)
}

/// One of a tree's two halves.
struct Half<'t, T, K: Fn(&T) -> bool> {
    nodes: &'t [Node],
    slots: &'t [Slot],
    listed: &'t [T],
    rule_of: fn(&T) -> u32,
    /// Is it of this chain?
    known: K,
}

impl<T: PartialEq, K: Fn(&T) -> bool> Half<'_, T, K> {
    /// Is all below a node where it should be, in order, and not passed over? The answer is the first rule below.
    fn shape(&self, at: u32, ways: usize) -> Result<u32, TreeFault> {
        let node = self.nodes.get(at as usize).ok_or(TreeFault::Shape(at))?;
        if ways == 0 {
            return Err(TreeFault::Ways(at));
        }
        let children = node.bounds.iter().filter(|bound| **bound != NONE).count() + 1;
        let increasing = node.bounds.windows(2).all(|pair| pair[0] < pair[1] || pair[1] == NONE);
        match node.kind {
            Kind::Branch { dimension, rest_first, rest, second } => {
                if !(increasing && usize::from(dimension) < space::MOST) {
                    return Err(TreeFault::Shape(at));
                }
                self.parts(at, node.goals[..children].iter().copied(), (rest.get(), rest_first, second), ways)
            }
            Kind::Hash { dimension, shift, rest_first, rest, second } => {
                let mask = node.bounds[0];
                let end = u64::from(node.child) + u64::from(mask) + 1;
                let slots = self.slots.get(node.child as usize..end as usize).ok_or(TreeFault::Shape(at))?;
                let used = || slots.iter().filter(|slot| slot.goal != Goal::NONE);
                let fits = mask != u32::MAX
                    && (mask + 1).is_power_of_two()
                    && usize::from(dimension) < space::MOST
                    && u32::from(shift) < u32::BITS
                    // Each is found by its key, which is so of no two with the same.
                    && used().all(|slot| slot.key <= u32::MAX >> shift && node.goal_of(shift, slot.key << shift, self.slots) == slot.goal);
                if !fits {
                    return Err(TreeFault::Shape(at));
                }
                self.parts(at, used().map(|slot| slot.goal), (rest.get(), rest_first, second), ways)
            }
            Kind::Leaf { len } => self.leaf(at, node.child, node.child.checked_add(len.get()).ok_or(TreeFault::Shape(at))?),
        }
    }

    /// The same of a node's children and its rest.
    fn parts(
        &self,
        at: u32,
        children: impl Iterator<Item = Goal>,
        (rest, rest_first, second): (Goal, bool, Packed),
        ways: usize,
    ) -> Result<u32, TreeFault> {
        let ways = if rest == Goal::NONE { ways } else { ways - 1 };
        let mut first = NONE;
        for child in children {
            first = first.min(self.below(at, child, ways)?);
        }
        if rest == Goal::NONE {
            return Ok(first);
        }
        let first_of_rest = self.below(at, rest, ways)?;
        if second.get() > if rest_first { first } else { first_of_rest } {
            return Err(TreeFault::PassedOver(at));
        }
        Ok(first.min(first_of_rest))
    }

    /// The same of what a node leads to.
    fn below(&self, at: u32, goal: Goal, ways: usize) -> Result<u32, TreeFault> {
        match goal.turn() {
            Turn::Node(child) if child > at => self.shape(child, ways),
            Turn::Node(_) => Err(TreeFault::Shape(at)),
            Turn::List { .. } if ways == 0 => Err(TreeFault::Ways(at)),
            Turn::List { first, end } => self.leaf(at, first, end),
        }
    }

    fn leaf(&self, at: u32, first: u32, end: u32) -> Result<u32, TreeFault> {
        let listed = self.listed.get(first as usize..end as usize).ok_or(TreeFault::Shape(at))?;
        if !listed.is_sorted_by_key(self.rule_of) {
            return Err(TreeFault::Order(at));
        }
        if !listed.iter().all(&self.known) {
            return Err(TreeFault::Foreign(at));
        }
        Ok(listed.first().map_or(NONE, self.rule_of))
    }

    /// Is this box listed wherever packets of this region are led? Only of a tree with a right shape.
    fn holds(&self, at: u32, region: Region, wanted: &T) -> bool {
        let node = &self.nodes[at as usize];
        match node.kind {
            Kind::Branch { dimension, rest, .. } => {
                let dimension = usize::from(dimension);
                let span = region[dimension];
                let mut children = node.child_of(span.first)..=node.child_of(span.last);
                let in_children = children.all(|child| {
                    let mut part = region;
                    if let Some(bound) = child.checked_sub(1) {
                        part[dimension].first = span.first.max(node.bounds[bound] + 1);
                    }
                    if let Some(bound) = node.bounds.get(child) {
                        part[dimension].last = span.last.min(*bound);
                    }
                    self.holds_below(node.goals[child], part, wanted)
                });
                in_children || rest.get() != Goal::NONE && self.holds_below(rest.get(), region, wanted)
            }
            Kind::Hash { dimension, shift, rest, .. } => {
                let span = region[usize::from(dimension)];
                let in_child = span.first >> shift == span.last >> shift
                    && self.holds_below(node.goal_of(shift, span.first, self.slots), region, wanted);
                in_child || rest.get() != Goal::NONE && self.holds_below(rest.get(), region, wanted)
            }
            Kind::Leaf { len } => self.lists(node.child, node.child + len.get(), wanted),
        }
    }

    fn holds_below(&self, goal: Goal, region: Region, wanted: &T) -> bool {
        match goal.turn() {
            Turn::Node(child) => self.holds(child, region, wanted),
            Turn::List { first, end } => self.lists(first, end, wanted),
        }
    }

    fn lists(&self, first: u32, end: u32, wanted: &T) -> bool {
        let listed = &self.listed[first as usize..end as usize];
        let rule = (self.rule_of)(wanted);
        let from = listed.partition_point(|one| (self.rule_of)(one) < rule);
        listed[from..].iter().take_while(|one| (self.rule_of)(one) == rule).any(|one| one == wanted)
    }
}
