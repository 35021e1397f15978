//! What a table that follows another keeps of its trees, so that an edit costs what it changes and not what there is.
//!
//! Chains whose rules ask the same as before keep their trees. A long chain that changed a little keeps its tree as its *base*, which passes
//! over rules that have gone, and what was added stands in a small tree of its own, made anew with each edit. When that one
//! would no longer be small all that was added since the base moves into a *middle*, and when that is no longer small beside the base the chain gets
//! one new tree. So a rule that is added is put into a tree three times, and few times a large one has to be made.

use std::collections::HashMap;
use std::sync::Arc;

use packet::Family;

use super::layer::{Layer, Run};
use super::part::Part;
use super::space::Names;
use super::{Long, Place, Tree, build};
use crate::edit::{Kept, Made, kept};
use crate::header_test::HeaderTest;
use crate::id::{ChainId, IdRange, RuleIndex};
use crate::table::{Chain, Table};

/// Chains of this many rules have trees of their own; those of shorter ones are quickly made.
const LONG: u32 = 64;
/// Rules that may be in the tree that is made with each edit. The search through it is to cost little beside that of a long chain.
const BESIDE: u32 = 64;
/// Rules that may be beside a base, and runs of it.
const MIDDLE: u32 = 4096;
/// And no more than this part of the chain.
const PART: u32 = 8;
/// How far is looked for the next rule that two chains have in common.
const AHEAD: u32 = 64;
/// So many rules in a row that ask the same are the same.
const ALIKE: u32 = 3;

/// The trees of a table, with what can be kept of one that it follows.
pub(super) fn tree<F: Family>(table: &Table<F>, before: Option<&Table<F>>) -> Tree<F> {
    let names = Names::new(table);
    let both = before.and_then(|before| Both::new(table, before));
    let mut tree = Tree { chains: Vec::with_capacity(table.chains.len()), short: Arc::default(), long: Vec::new(), names };
    let kept = both.as_ref().and_then(Both::kept_short);
    let mut kept_roots = kept.iter().flat_map(|(_, roots)| roots.iter().copied());
    let mut short = Part::default();
    for chain in &table.chains {
        let place = if is_long(chain) {
            let old = both.as_ref().and_then(|both| both.long_of(chain));
            let following = old.zip(both.as_ref()).and_then(|((old, rules), both)| {
                let kept = both.kept(chain.rules, rules)?;
                following(table, chain, old, &kept, &tree.names)
            });
            tree.long.push(following.unwrap_or_else(|| whole(table, chain, &tree.names)));
            Place::Long(tree.long.len() as u32 - 1)
        } else if let Some(roots) = kept_roots.next() {
            Place::Short(roots)
        } else {
            let rules: Vec<RuleIndex> = (chain.rules.first..chain.rules.first + chain.rules.len).map(RuleIndex).collect();
            Place::Short(build::plant(&mut short, table, &rules, &tree.names))
        };
        tree.chains.push(place);
    }
    drop(kept_roots);
    short.shrink();
    tree.short = kept.map_or_else(|| Arc::new(short), |(part, _)| part);
    tree
}

/// The trees of a table that was edited. A short chain that changed, or came, gets one of its own, which is as good and soon made.
pub(super) fn edited<F: Family>(table: &Table<F>, before: &Table<F>, made: &Made) -> Tree<F> {
    if before.tree.chains.len() != before.chains.len() {
        return tree(table, None);
    }
    let mut tree = Tree { names: Names::new(table), ..before.tree.clone() };
    if !made.has_same_chains() {
        let (places, mut long) =
            (core::mem::take(&mut tree.chains), core::mem::take(&mut tree.long).into_iter().map(Some).collect::<Vec<_>>());
        for (id, chain) in (0..).map(ChainId).zip(&table.chains) {
            let place = made.before(id).map(|before| places[before.index()]);
            let place = match place {
                Some(Place::Short(roots)) => Place::Short(roots),
                Some(Place::Long(at)) => {
                    // One chain has it.
                    tree.long.push(long[at as usize].take().unwrap_or_else(|| whole(table, chain, &tree.names)));
                    Place::Long(tree.long.len() as u32 - 1)
                }
                None => {
                    tree.long.push(whole(table, chain, &tree.names));
                    Place::Long(tree.long.len() as u32 - 1)
                }
            };
            tree.chains.push(place);
        }
    }
    for (id, edits) in made.changed() {
        let (chain, Some(old)) = (&table.chains[id.index()], made.before(id)) else { continue };
        let kept = kept(edits, before.chains[old.index()].rules.len);
        let place = &mut tree.chains[id.index()];
        let at = match *place {
            Place::Long(at) => at as usize,
            Place::Short(_) => tree.long.len(),
        };
        let following = tree.long.get(at).and_then(|old| following(table, chain, old, &kept, &tree.names));
        let long = following.unwrap_or_else(|| whole(table, chain, &tree.names));
        match tree.long.get_mut(at) {
            Some(place) => *place = long,
            None => tree.long.push(long),
        }
        *place = Place::Long(at as u32);
    }
    tree
}

fn is_long(chain: &Chain) -> bool {
    chain.rules.len >= LONG
}

/// One new tree for all rules of a chain.
fn whole<F: Family>(table: &Table<F>, chain: &Chain, names: &Names) -> Long<F> {
    Long {
        base: Layer::of(table, chain.rules.first, core::slice::from_ref(&(0..chain.rules.len)), names),
        middle: None,
        added: None,
    }
}

/// A table and the one before it.
pub(super) struct Both<'t, F: Family> {
    now: &'t Table<F>,
    before: &'t Table<F>,
    /// The long chains of before.
    long: HashMap<&'t str, (&'t Long<F>, IdRange)>,
}

impl<'t, F: Family> Both<'t, F> {
    /// `None` where nothing can be kept.
    pub(super) fn new(now: &'t Table<F>, before: &'t Table<F>) -> Option<Self> {
        let has_tree = before.tree.chains.len() == before.chains.len();
        // What both name is named alike. (A name that only one of them has is in no rule that is kept.)
        let patterns = now.patterns.iter().zip(&before.patterns).all(|(now, before)| now == before);
        let bound = now.bound.iter().zip(&before.bound).all(|(now, before)| now == before);
        if !(has_tree && patterns && bound) {
            return None;
        }
        let places = before.chains.iter().zip(&before.tree.chains);
        let long = places.filter_map(|(chain, place)| match place {
            Place::Long(at) => Some((chain.name.as_str(), (before.tree.long.get(*at as usize)?, chain.rules))),
            Place::Short(_) => None,
        });
        Some(Self { now, before, long: long.collect() })
    }

    /// The table before.
    pub(super) fn before(&self) -> &'t Table<F> {
        self.before
    }

    /// What a long chain was before.
    pub(super) fn long_of(&self, chain: &Chain) -> Option<(&'t Long<F>, IdRange)> {
        self.long.get(chain.name.as_str()).copied()
    }

    /// The short chains' trees and their roots, if all ask the same as before.
    fn kept_short(&self) -> Option<(Arc<Part<F>>, Vec<super::Roots>)> {
        let mut before = self.short_before();
        let mut roots = Vec::new();
        for chain in self.now.chains.iter().filter(|chain| !is_long(chain)) {
            let (rules, root) = before.next()?;
            if !self.are_same(chain.rules, rules) {
                return None;
            }
            roots.push(root);
        }
        before.next().is_none().then(|| (self.before.tree.short.clone(), roots))
    }

    /// The short chains of before, in order.
    pub(super) fn short_before(&self) -> impl Iterator<Item = (IdRange, super::Roots)> {
        let places = self.before.chains.iter().zip(&self.before.tree.chains);
        places.filter_map(|(chain, place)| match place {
            Place::Short(roots) => Some((chain.rules, *roots)),
            Place::Long(_) => None,
        })
    }

    /// Do all rules of two chains ask the same?
    pub(super) fn are_same(&self, now: IdRange, before: IdRange) -> bool {
        now.len == before.len && (0..now.len).all(|n| self.is_same(RuleIndex(now.first + n), RuleIndex(before.first + n)))
    }

    /// Do these two rules ask the same of a packet's header?
    pub(super) fn is_same(&self, now: RuleIndex, before: RuleIndex) -> bool {
        let (one, other) = (&self.now.rules[now.index()].test, &self.before.rules[before.index()].test);
        let ip = |test: &HeaderTest<F>| HeaderTest { l4: IdRange::default(), ..*test };
        let (one_l4, other_l4) = (one.l4.of(&self.now.l4_tests), other.l4.of(&self.before.l4_tests));
        ip(one) == ip(other)
            && one_l4.len() == other_l4.len()
            && one_l4.iter().zip(other_l4).all(|(one, other)| one.is_same(&self.now.port_ranges, other, &self.before.port_ranges))
    }

    /// The rules that two chains have in common, in order; `None` where they are too different.
    fn kept(&self, now: IdRange, before: IdRange) -> Option<Vec<Kept>> {
        let mut kept = Vec::new();
        let (mut position, mut old) = (0, 0);
        loop {
            let left = (now.len - position).min(before.len - old);
            let same = |n: &u32| self.is_same(RuleIndex(now.first + position + n), RuleIndex(before.first + old + n));
            let len = (0..left).find(|n| !same(n)).unwrap_or(left);
            if len > 0 {
                kept.push(Kept { before: old, position, len });
            }
            (position, old) = (position + len, old + len);
            if position == now.len || old == before.len {
                return Some(kept);
            }
            let Some((new, gone)) = self.next_alike((now, position), (before, old)) else {
                let is_near_end = now.len - position <= AHEAD && before.len - old <= AHEAD;
                return is_near_end.then_some(kept);
            };
            (position, old) = (position + new, old + gone);
            if kept.len() > BESIDE as usize {
                return None;
            }
        }
    }

    /// How many rules are new, and how many have gone, up to the next one that both have.
    fn next_alike(&self, (now, position): (IdRange, u32), (before, old): (IdRange, u32)) -> Option<(u32, u32)> {
        let alike = |new: u32, gone: u32| {
            let pair = |n| {
                let (one, other) = (position + new + n, old + gone + n);
                (one < now.len && other < before.len).then(|| (RuleIndex(now.first + one), RuleIndex(before.first + other)))
            };
            let is_same = |n| pair(n).is_some_and(|(one, other)| self.is_same(one, other));
            // A rule keeps its counter as long as it lives, but not through iptables-restore.
            let is_counted_alike = || {
                pair(0).is_some_and(|(one, other)| self.now.rules[one.index()].counter == self.before.rules[other.index()].counter)
            };
            is_same(0) && (is_counted_alike() || (1..ALIKE).all(|n| pair(n).is_none() || is_same(n)))
        };
        let mut steps = (1..=AHEAD).flat_map(|steps| (0..=steps).map(move |new| (new, steps - new)));
        steps.find(|(new, gone)| alike(*new, *gone))
    }
}

/// The trees of a chain that changed but for these rules; `None` where too little is kept.
fn following<F: Family>(table: &Table<F>, chain: &Chain, old: &Long<F>, kept: &[Kept], names: &Names) -> Option<Long<F>> {
    let first = chain.rules.first;
    let most = MIDDLE.min(chain.rules.len / PART);
    let kept_of = |layer: &Layer<F>| {
        let mut layer = layer.after(kept);
        layer.uncover(table, first, most as usize).then_some(layer)
    };
    let base = kept_of(&old.base)?;
    let count = |runs: &[core::ops::Range<u32>]| runs.iter().map(|run| run.end - run.start).sum::<u32>();
    let beside = others(&base.runs, chain.rules.len);
    let gone = base.listed - (chain.rules.len - count(&beside));
    if count(&beside) > most || base.runs.len() > MIDDLE as usize || gone > base.listed / PART {
        return None;
    }
    let middle = old.middle.as_ref().and_then(kept_of);
    let mut runs: Vec<Run> = [&base].into_iter().chain(&middle).flat_map(|layer| layer.runs.iter().copied()).collect();
    runs.sort_unstable_by_key(|run| run.position);
    let others = others(&runs, chain.rules.len);
    let left = count(&others);
    if left > BESIDE {
        let middle = Some(Layer::of(table, first, &beside, names));
        return Some(Long { base, middle, added: None });
    }
    let still = old.added.as_ref().map(|added| added.after(kept));
    let still = still.filter(|still| still.runs.iter().map(|run| run.len).sum::<u32>() == left);
    let added = still.or_else(|| Some(Layer::of(table, first, &others, names)));
    Some(Long { base, middle, added: added.filter(|_| left > 0) })
}

/// The positions that are in none of these runs.
pub(super) fn others(runs: &[Run], len: u32) -> Vec<core::ops::Range<u32>> {
    let mut at = 0;
    let mut others = Vec::new();
    for (position, end) in runs.iter().map(|run| (run.position, run.position + run.len)).chain([(len, len)]) {
        if at < position {
            others.push(at..position);
        }
        at = end;
    }
    others
}
