//! Makes the trees, from the root down.
//!
//! Repetition is bounded by a store of spare entries, the ways that one packet can be led by [`WAYS`], and the depth by [`DEEPEST`]; where these
//! are used up, or no division helps, a leaf is longer than it should be.

use core::ops::Range;
use std::collections::BTreeMap;

use packet::Family;

use super::NONE;
use super::divide::{Choosing, Cut, Division, key, reach};
use super::entry::Line;
use super::few::Few;
use super::node::{Goal, Kind, Node, PROBES, Packed, PackedGoal, Roots, Slot, Turn, hash};
use super::part::{Part, WAYS};
use super::space::{self, Boxes, EVERYWHERE, Names, Region, Span};
use crate::id::RuleIndex;
use crate::table::Table;

/// A leaf has no more entries than this, unless nothing parts them.
const SHORT: usize = 8;
/// The same where only the IP part is asked, of few packets.
const SHORT_IN_ORDER: usize = 64;
/// Entries that repetition may add for each box.
const SPARE: usize = 2;
/// Children of up to so many short leaves' rules need two ways at most.
const FEW: usize = 16;
/// Nodes on the way to a leaf, rests included.
const DEEPEST: usize = 64;

/// Makes the trees of a list of rules, but for what the part says is covered.
pub(super) fn plant<F: Family>(part: &mut Part<F>, table: &Table<F>, rules: &[RuleIndex], names: &Names) -> Roots {
    let mut boxes = Boxes::new(space::dimensions::<F>().len());
    let mut entries = Vec::new();
    let lists = space::has_room_for_lists(table, rules);
    let mut is_covered = vec![false; rules.len()];
    part.covered.iter().flat_map(|covered| &covered.rules).for_each(|number| is_covered[*number as usize] = true);
    for (number, &rule) in (0..).zip(rules).filter(|(number, _)| !is_covered[*number as usize]) {
        space::boxes(table, (number, rule), names, lists, |region, entry| {
            boxes.add(&region);
            entries.push(Line::from(entry));
        });
    }
    let listed = Listed { all: &entries, rule_of: Line::rule };
    let shape = Shape { dimensions: space::dimensions::<F>(), short: SHORT, spare: SPARE };
    let whole = grow((&mut part.nodes, &mut part.slots, &mut part.entries), &boxes, listed, shape);

    boxes.clear();
    rules.iter().for_each(|rule| boxes.add(&space::in_order_box(table, *rule, names)));
    let numbers: Vec<u32> = (0..rules.len() as u32).collect();
    let listed = Listed { all: &numbers, rule_of: |number| *number };
    let shape = Shape { dimensions: space::ip_dimensions::<F>(), short: SHORT_IN_ORDER, spare: 1 };
    let in_order = grow((&mut part.nodes, &mut part.slots, &mut part.numbers), &boxes, listed, shape);
    let few = part.leaf(whole).and_then(Few::of).map_or(NONE, |few| {
        part.few.push(few);
        part.few.len() as u32 - 1
    });
    Roots { whole, in_order, few }
}

/// What leaves list of each box.
struct Listed<'a, T> {
    all: &'a [T],
    rule_of: fn(&T) -> u32,
}

/// What a tree is like.
struct Shape {
    /// What may be divided.
    dimensions: Range<usize>,
    /// A leaf has no more entries than this, unless nothing parts them.
    short: usize,
    /// Entries that repetition may add for each box.
    spare: usize,
}

/// Makes one tree; the answer is its root.
fn grow<T: Copy>(
    (nodes, slots, leaves): (&mut Vec<Node>, &mut Vec<Slot>, &mut Vec<T>),
    boxes: &Boxes,
    listed: Listed<'_, T>,
    shape: Shape,
) -> u32 {
    let ids: Vec<u32> = (0..listed.all.len() as u32).collect();
    let means = Means { ways: WAYS, depth: DEEPEST, spare: shape.spare * ids.len() };
    let mut planting = Planting { nodes, slots, leaves, boxes, listed, shape, added: 0 };
    let is_wild = |id: &u32| planting.shape.dimensions.clone().all(|dimension| boxes.span(*id, dimension) == Span::ALL);
    let (wild, others): (Vec<u32>, Vec<u32>) = ids.iter().partition(|id| is_wild(id));
    // They would be in every leaf.
    let are_apart = ids.len() > planting.shape.short && wild.len() > 1 && !others.is_empty();
    let root = if are_apart {
        planting.branch(Parts { dimension: 0, bounds: vec![], children: vec![others], rest: wild }, &EVERYWHERE, means)
    } else {
        planting.node(ids, &EVERYWHERE, means)
    };
    match root.turn() {
        Turn::Node(at) => at,
        Turn::List { first, end } => planting.leaf(first, (end - first) as usize),
    }
}

/// One tree in the making.
struct Planting<'a, T> {
    nodes: &'a mut Vec<Node>,
    slots: &'a mut Vec<Slot>,
    leaves: &'a mut Vec<T>,
    boxes: &'a Boxes,
    listed: Listed<'a, T>,
    shape: Shape,
    /// Entries that repetition has added.
    added: usize,
}

/// What a node and all below it may spend.
#[derive(Clone, Copy)]
struct Means {
    /// Ways that one packet may be led.
    ways: usize,
    /// Nodes on the way to a leaf.
    depth: usize,
    /// Entries that repetition may add.
    spare: usize,
}

/// A divided node's boxes.
struct Parts {
    dimension: usize,
    bounds: Vec<u32>,
    children: Vec<Vec<u32>>,
    rest: Vec<u32>,
}

impl Parts {
    fn total(&self) -> usize {
        self.rest.len() + self.children.iter().map(Vec::len).sum::<usize>()
    }
}

impl<T: Copy> Planting<'_, T> {
    /// Room for a node. Those below it come behind it.
    fn reserve(&mut self) -> u32 {
        self.nodes.push(Node::EMPTY);
        self.nodes.len() as u32 - 1
    }

    /// A leaf with these entries.
    fn leaf(&mut self, first: u32, len: usize) -> u32 {
        self.nodes.push(Node { child: first, kind: Kind::Leaf { len: Packed::new(len as u32) }, ..Node::EMPTY });
        self.nodes.len() as u32 - 1
    }

    /// What these boxes list, at once where that can be said.
    fn listing(&mut self, ids: &[u32]) -> Goal {
        let first = self.list(ids);
        Goal::list(first, ids.len()).unwrap_or_else(|| Goal::node(self.leaf(first, ids.len())))
    }

    /// Makes what is needed to find these boxes.
    fn node(&mut self, ids: Vec<u32>, space: &Region, means: Means) -> Goal {
        let Shape { ref dimensions, short, .. } = self.shape;
        let mut division = None;
        if ids.len() > short && means.depth > 0 {
            let choosing =
                Choosing { boxes: self.boxes, dimensions: dimensions.clone(), short, rest: means.ways > 1, spare: means.spare };
            division = choosing.choose(&ids, space, true);
            if let Some(Division { dimension, cut: Cut::Keys { shift }, .. }) = division {
                let (by_key, rest) = self.by_key(&ids, (dimension, shift), space);
                if let Some(mask) = room(by_key.keys()) {
                    return self.hash(by_key, rest, (dimension, shift, mask), space, means);
                }
                division = choosing.choose(&ids, space, false);
            }
        }
        let Some(Division { dimension, cut: Cut::Bounds { bounds, widest }, .. }) = division else { return self.listing(&ids) };
        let parts = self.divide(&ids, (dimension, bounds, widest), space);
        let added = parts.total() - ids.len();
        drop(ids);
        self.added += added;
        let means = Means { spare: means.spare.saturating_sub(added), depth: means.depth - 1, ..means };
        self.branch(parts, space, means)
    }

    fn divide(&self, ids: &[u32], (dimension, bounds, widest): (usize, Vec<u32>, usize), space: &Region) -> Parts {
        let (mut children, mut rest) = (vec![Vec::new(); bounds.len() + 1], Vec::new());
        for &id in ids {
            let (from, to) = reach(self.boxes.span(id, dimension).and(space[dimension]), &bounds);
            if to - from >= widest {
                rest.push(id);
            } else {
                children[from..=to].iter_mut().for_each(|child| child.push(id));
            }
        }
        Parts { dimension, bounds, children, rest }
    }

    fn branch(&mut self, parts: Parts, space: &Region, means: Means) -> Goal {
        let all = parts.total();
        let Parts { dimension, bounds, children, rest } = parts;
        let at = self.reserve();
        let ways_of_rest = self.ways_of_rest(rest.len(), children.iter().map(Vec::len).max().unwrap_or(0), means);
        // What a part does not need is for those after it.
        let (until, mut left) = (self.added + means.spare, all);
        let mut share = |planting: &Self, boxes: usize, ways| {
            let spare = until.saturating_sub(planting.added) as u64 * boxes as u64 / left.max(1) as u64;
            left -= boxes;
            Means { ways, spare: spare as usize, ..means }
        };
        let mut node = Node::EMPTY;
        node.bounds[..bounds.len()].copy_from_slice(&bounds);
        let first = children.iter().map(|ids| self.first_rule(ids)).min().unwrap_or(NONE);
        let first_of_rest = self.first_rule(&rest);
        let mut from = space[dimension].first;
        for (number, ids) in children.into_iter().enumerate() {
            let last = bounds.get(number).copied().unwrap_or(space[dimension].last);
            let mut part = *space;
            part[dimension] = Span { first: from, last };
            from = last.wrapping_add(1);
            let means = share(self, ids.len(), means.ways - ways_of_rest);
            node.goals[number] = self.node(ids, &part, means);
        }
        let mut goal_of_rest = Goal::NONE;
        if !rest.is_empty() {
            let means = share(self, rest.len(), ways_of_rest);
            goal_of_rest = self.node(rest, space, means);
        }
        node.kind = Kind::Branch {
            dimension: dimension as u8,
            rest_first: first_of_rest < first,
            rest: PackedGoal::new(goal_of_rest),
            second: Packed::new(first.max(first_of_rest)),
        };
        self.nodes[at as usize] = node;
        Goal::node(at)
    }

    /// The boxes with one key alone, by keys, and the others.
    fn by_key(&self, ids: &[u32], (dimension, shift): (usize, u8), space: &Region) -> (BTreeMap<u32, Vec<u32>>, Vec<u32>) {
        let (mut by_key, mut rest) = (BTreeMap::<u32, Vec<u32>>::new(), Vec::new());
        for &id in ids {
            match key(self.boxes.span(id, dimension).and(space[dimension]), shift) {
                Some(key) => by_key.entry(key).or_default().push(id),
                None => rest.push(id),
            }
        }
        (by_key, rest)
    }

    /// A node that leads each number of a dimension, less its last bits, to a place of its own. Boxes with more than one such number are its rest.
    fn hash(
        &mut self,
        by_key: BTreeMap<u32, Vec<u32>>,
        rest: Vec<u32>,
        (dimension, shift, mask): (usize, u8, u32),
        space: &Region,
        means: Means,
    ) -> Goal {
        let means = Means { depth: means.depth - 1, ..means };
        let at = self.reserve();
        let first_slot = self.slots.len() as u32;
        self.slots.resize(self.slots.len() + mask as usize + 1, Slot::EMPTY);
        let ways_of_rest = self.ways_of_rest(rest.len(), by_key.values().map(Vec::len).max().unwrap_or(0), means);
        let first = by_key.values().map(|ids| self.first_rule(ids)).min().unwrap_or(NONE);
        let first_of_rest = self.first_rule(&rest);
        let (until, mut left) = (self.added + means.spare, rest.len() + by_key.values().map(Vec::len).sum::<usize>());
        for (key, ids) in by_key {
            let spare = until.saturating_sub(self.added) as u64 * ids.len() as u64 / left.max(1) as u64;
            left -= ids.len();
            let mut part = *space;
            let first_number = key << shift;
            part[dimension] = Span { first: first_number, last: first_number | ((1 << shift) - 1) }.and(space[dimension]);
            let goal = self.node(ids, &part, Means { ways: means.ways - ways_of_rest, spare: spare as usize, ..means });
            let mut place = hash(key, mask);
            while self.slots[(first_slot + place) as usize] != Slot::EMPTY {
                place = (place + 1) & mask;
            }
            self.slots[(first_slot + place) as usize] = Slot { key, goal };
        }
        let mut goal_of_rest = Goal::NONE;
        if !rest.is_empty() {
            let spare = until.saturating_sub(self.added);
            goal_of_rest = self.node(rest, space, Means { ways: ways_of_rest, spare, ..means });
        }
        let kind = Kind::Hash {
            dimension: dimension as u8,
            shift,
            rest_first: first_of_rest < first,
            rest: PackedGoal::new(goal_of_rest),
            second: Packed::new(first.max(first_of_rest)),
        };
        let mut node = Node { child: first_slot, kind, ..Node::EMPTY };
        node.bounds[0] = mask;
        self.nodes[at as usize] = node;
        Goal::node(at)
    }

    /// Ways that the rest gets of what there are. Children so small that few are of use to them leave it the others.
    fn ways_of_rest(&self, rest: usize, longest_child: usize, means: Means) -> usize {
        let short = self.shape.short;
        if rest == 0 {
            0
        } else if rest <= short {
            1
        } else if longest_child <= short {
            means.ways - 1
        } else if longest_child <= FEW * short {
            (means.ways - 1).min(means.ways.saturating_sub(2).max(means.ways / 2))
        } else {
            means.ways / 2
        }
    }

    /// Adds entries; the answer is where.
    fn list(&mut self, ids: &[u32]) -> u32 {
        let first = self.leaves.len() as u32;
        self.leaves.extend(ids.iter().map(|id| self.listed.all[*id as usize]));
        first
    }

    /// The first rule of these boxes, [`NONE`] without any.
    fn first_rule(&self, ids: &[u32]) -> u32 {
        ids.first().map_or(NONE, |id| (self.listed.rule_of)(&self.listed.all[*id as usize]))
    }
}

/// How many slots these keys need for each to be near where it should be, less one; `None` where there is no such number. They are at least twice as
/// many as keys.
fn room<'k>(keys: impl ExactSizeIterator<Item = &'k u32> + Clone) -> Option<u32> {
    let least = (2 * keys.len()).next_power_of_two().max(4);
    (0..3).map(|more| least << more).find_map(|count| {
        let mask = u32::try_from(count - 1).ok()?;
        let mut taken = vec![false; count];
        let mut fits = keys.clone().map(|key| {
            let at = hash(*key, mask);
            let place = (0..PROBES).map(|n| ((at + n) & mask) as usize).find(|place| !taken[*place]);
            place.map(|place| taken[place] = true).is_some()
        });
        fits.all(|fits| fits).then_some(mask)
    })
}
