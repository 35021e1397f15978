//! Trees over lists of rules, in one piece of memory, and the way down them.

use packet::{Family, Header};

use super::covered::Covered;
use super::entry::Line;
use super::few::Few;
use super::many::{Cursor, GROUP, Machine};
use super::node::{Goal, Kind, Node, Roots, Slot, Turn, hash};
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
    pub(super) slots: Vec<Slot>,
    pub(super) entries: Vec<Line<F>>,
    /// What leaves list in trees for packets of which only the IP part is asked: numbers of rules.
    pub(super) numbers: Vec<u32>,
    /// Rules that `entries` leave out.
    pub(super) covered: Vec<Covered>,
    /// What some of the leaves list, in lanes.
    pub(super) few: Vec<Few>,
}

impl<F: Family> Default for Part<F> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            slots: Vec::new(),
            entries: Vec::new(),
            numbers: Vec::new(),
            covered: Vec::new(),
            few: Vec::new(),
        }
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
        let few: usize = self.few.iter().map(Few::bytes).sum();
        let covered: usize = self.covered.iter().map(|covered| size_of_val(covered) + size_of_val(&*covered.rules)).sum();
        size_of_val(&*self.nodes)
            + size_of_val(&*self.slots)
            + size_of_val(&*self.entries)
            + size_of_val(&*self.numbers)
            + covered
            + few
    }

    /// Gives back memory that nothing uses.
    pub(super) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
        self.slots.shrink_to_fit();
        self.entries.shrink_to_fit();
        self.numbers.shrink_to_fit();
        self.few.shrink_to_fit();
    }

    /// What a leaf lists, if the node is one.
    pub(super) fn leaf(&self, node: u32) -> Option<&[Line<F>]> {
        let node = self.nodes.get(node as usize)?;
        match node.kind {
            Kind::Leaf { len } => self.entries.get(node.child as usize..)?.get(..len.get() as usize),
            Kind::Branch { .. } | Kind::Hash { .. } => None,
        }
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
            self.walk(&self.numbers, roots.in_order, (from, until), point, |number| *number, (|_| true, holds))
        } else {
            self.find_whole(roots.whole, (from, until), table, point, place)
        }
    }

    /// The same for packets with a transport header.
    #[inline]
    pub(super) fn find_whole(
        &self,
        root: u32,
        (from, until): (u32, u32),
        table: &Table<F>,
        point: &Point<'_, F>,
        place: impl Fn(u32) -> Option<RuleIndex>,
    ) -> u32 {
        let is_near = |line: &Line<F>| line.is_near(point.header, point.ports);
        let holds = |line: &Line<F>| line.near_holds(point, table, &place);
        self.walk(&self.entries, root, (from, until), point, Line::rule, (is_near, holds))
    }

    #[inline(always)]
    fn walk<T>(
        &self,
        listed: &[T],
        root: u32,
        (from, until): (u32, u32),
        point: &Point<'_, F>,
        number_of: impl Fn(&T) -> u32,
        (is_near, holds): (impl Fn(&T) -> bool, impl Fn(&T) -> bool),
    ) -> u32 {
        let mut way = Way::new(until);
        let mut turn = Turn::Node(root);
        loop {
            turn = match turn {
                Turn::Node(at) => way.pass(&self.nodes[at as usize], &self.slots, point),
                Turn::List { first, end } => {
                    way.look(&listed[first as usize..end as usize], from, &number_of, &is_near, &holds);
                    match way.back() {
                        Some(turn) => turn,
                        None => return way.found,
                    }
                }
            };
        }
    }

    /// Takes packets with transport headers to their first rules, in step: all to a leaf, node by node, then all through what it lists, and all
    /// to the next leaf that they have to look at.
    pub(super) fn walk_in_step<M: Machine>(
        &self,
        table: &Table<F>,
        cursors: &mut [Cursor<'_, F>],
        place: impl Fn(u32) -> Option<RuleIndex>,
    ) {
        let mut leaves = [(0u8, 0u32, 0u32); GROUP];
        let mut nodes = [(0u8, 0u32); GROUP];
        for ((node, cursor), number) in nodes.iter_mut().zip(cursors.iter()).zip(0..) {
            *node = (number, cursor.at);
            // Where they begin is near, or on its way; its slots are not.
            if let Node { kind: Kind::Hash { dimension, shift, .. }, child, bounds, .. } = &self.nodes[cursor.at as usize] {
                let key = cursor.point.place[usize::from(*dimension)] >> (shift & 31);
                M::prefetch(&self.slots[(child + hash(key, bounds[0])) as usize]);
            }
        }
        let mut on_their_way = cursors.len().min(GROUP);
        while on_their_way > 0 {
            let mut arrived = 0;
            while on_their_way > 0 {
                let mut left = 0;
                for n in 0..on_their_way {
                    let (cursor, at) = nodes[n];
                    let Cursor { point, way, .. } = &mut cursors[usize::from(cursor)];
                    match way.pass(&self.nodes[at as usize], &self.slots, point) {
                        Turn::Node(at) => {
                            self.nodes[at as usize].prefetch::<M>();
                            nodes[left] = (cursor, at);
                            left += 1;
                        }
                        Turn::List { first, end } => {
                            self.entries[first as usize..end as usize].iter().step_by(2).take(2).for_each(M::prefetch);
                            leaves[arrived] = (cursor, first, end);
                            arrived += 1;
                        }
                    }
                }
                on_their_way = left;
            }
            for &(cursor, first, end) in &leaves[..arrived] {
                let Cursor { point, way, .. } = &mut cursors[usize::from(cursor)];
                let (mut first, mut end) = (first, end);
                loop {
                    let listed = &self.entries[first as usize..end as usize];
                    way.look(
                        listed,
                        0,
                        Line::rule,
                        |entry| entry.is_near(point.header, point.ports),
                        |entry| entry.near_holds(point, table, &place),
                    );
                    match way.back() {
                        Some(Turn::List { first: next, end: next_end }) => (first, end) = (next, next_end),
                        Some(Turn::Node(at)) => {
                            self.nodes[at as usize].prefetch::<M>();
                            nodes[on_their_way] = (cursor, at);
                            on_their_way += 1;
                            break;
                        }
                        None => break,
                    }
                }
            }
        }
    }
}

/// A packet's way down a tree, up to the next turn.
pub(super) struct Way {
    /// The number of the first rule that was found to hold, or the end of those that are looked for.
    found: u32,
    /// Where it is still to go to, each with the first rule there.
    waiting: [(Goal, u32); WAYS],
    ways: usize,
}

impl Way {
    /// One to rules before `until`.
    #[inline]
    pub(super) fn new(until: u32) -> Self {
        Self { found: until, waiting: [(Goal::NONE, 0); WAYS], ways: 0 }
    }

    #[inline]
    pub(super) fn found(&self) -> u32 {
        self.found
    }

    /// Passes a node.
    #[inline(always)]
    fn pass<F: Family>(&mut self, node: &Node, slots: &[Slot], point: &Point<'_, F>) -> Turn {
        match node.kind {
            Kind::Branch { dimension, rest_first, rest, second } => {
                let child = node.goals[node.child_of(point.place[usize::from(dimension)])];
                self.part(child, rest.get(), rest_first, second.get())
            }
            Kind::Hash { dimension, shift, rest_first, rest, second } => {
                let child = node.goal_of(shift, point.place[usize::from(dimension)], slots);
                self.part(child, rest.get(), rest_first, second.get())
            }
            Kind::Leaf { len } => Turn::List { first: node.child, end: node.child + len.get() },
        }
    }

    /// To a child and a rest: which is gone to first, the other one waits.
    #[inline(always)]
    fn part(&mut self, child: Goal, rest: Goal, rest_first: bool, second: u32) -> Turn {
        if rest == Goal::NONE {
            return child.turn();
        }
        let (sooner, later) = if rest_first { (rest, child) } else { (child, rest) };
        self.waiting[self.ways] = (later, second);
        self.ways += 1;
        sooner.turn()
    }

    /// Looks what a leaf lists through, from a number on.
    #[inline(always)]
    fn look<T>(
        &mut self,
        listed: &[T],
        from: u32,
        number_of: impl Fn(&T) -> u32,
        is_near: impl Fn(&T) -> bool,
        holds: impl Fn(&T) -> bool,
    ) {
        let mut listed = listed;
        if listed.len() > LONG {
            listed = &listed[listed.partition_point(|one| number_of(one) < from)..];
            listed = &listed[..listed.partition_point(|one| number_of(one) < self.found)];
        }
        for one in listed.iter().filter(|one| is_near(one)) {
            let number = number_of(one);
            if number >= self.found {
                break;
            }
            if number >= from && holds(one) {
                self.found = number;
                break;
            }
        }
    }

    /// Back to where it was last to go to, if there can be an earlier rule.
    #[inline(always)]
    fn back(&mut self) -> Option<Turn> {
        while self.ways > 0 {
            self.ways -= 1;
            let (later, first) = self.waiting[self.ways];
            if first < self.found {
                return Some(later.turn());
            }
        }
        None
    }
}
