//! The first rule for each of many packets, in step: while one packet's node or entry is on its way from memory, others use theirs.
//!
//! Each packet goes its own way down the tree, as in [`super::part`]; what differs is only that all take one step before any takes
//! its next, and that what a step will read is asked for when the step before is done. For its caller that is worth the trouble where a chain is
//! long and many packets are known to begin it.

use arrayvec::ArrayVec;
use packet::{Family, Header};

use super::entry::Ports;
use super::layer::Layer;
use super::node::{Goal, Kind, Node, Turn, hash};
use super::part::{Question, Way};
use super::space::{self, Names, Point};
use super::{Place, Tree};
use crate::header_test::Interfaces;
use crate::id::{ChainId, RuleIndex};
use crate::table::{Table, needs_order};

/// Packets that go in step. More have no use for the memory's other places, and stand in each other's way.
pub(super) const GROUP: usize = 32;

/// What a machine can do for those who know what they will read.
pub trait Machine {
    /// Asks for a place in memory to be brought near, and does not wait.
    fn prefetch<T>(place: &T);
}

/// A machine that can do nothing.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Machine for Plain {
    fn prefetch<T>(_place: &T) {}
}

/// A packet that looks for its first rule.
#[derive(Clone, Copy, Debug)]
pub struct Seeker<'s, F: Family> {
    /// Its header.
    pub header: &'s Header<F>,
    /// Its interfaces.
    pub interfaces: Interfaces<'s>,
}

/// One on its way.
pub(super) struct Cursor<'s, F: Family> {
    pub(super) point: Point<'s, F>,
    pub(super) way: Way,
    /// The node to which it comes first.
    pub(super) at: u32,
    /// Where its answer goes.
    number: usize,
}

/// Those for whom more than one list has to be looked at, if it is one.
type Cursors<'s, F> = ArrayVec<Cursor<'s, F>, GROUP>;

impl<F: Family> Tree<F> {
    /// Has a chain a tree in which packets gain from going in step?
    pub(crate) fn is_long(&self, chain: ChainId) -> bool {
        matches!(self.chains.get(chain.index()), Some(Place::Long(_)))
    }

    /// For each packet what [`Table::next`] answers from the beginning of a chain.
    pub(crate) fn first_of_many<M: Machine>(
        &self,
        table: &Table<F>,
        chain: ChainId,
        seekers: &[Seeker<'_, F>],
        found: &mut [Option<RuleIndex>],
    ) {
        let Some(Place::Long(at)) = self.chains.get(chain.index()) else {
            for (seeker, found) in seekers.iter().zip(found) {
                *found = table.next(chain, 0, seeker.header, seeker.interfaces);
            }
            return;
        };
        let long = &self.long[*at as usize];
        let run = table.chains[chain.index()].rules;
        for (seekers, found) in seekers.chunks(GROUP).zip(found.chunks_mut(GROUP)) {
            found.fill(None);
            if long.base.is_as_made() {
                long.base.first_of_group::<M>(table, &self.names, seekers, found, |number| Some(RuleIndex(run.first + number)));
            } else {
                let place = |number| long.base.position_of(number).map(|position| RuleIndex(run.first + position));
                long.base.first_of_group::<M>(table, &self.names, seekers, found, place);
            }
            for (seeker, found) in seekers.iter().zip(found) {
                let Seeker { header, interfaces } = *seeker;
                if needs_order(header) {
                    *found = table.next(chain, 0, header, interfaces);
                } else if !long.is_alone() {
                    let point = &Point::new(header, interfaces, &self.names);
                    let question = Question { table, header, interfaces, point };
                    let position = found.map_or(run.len, |rule| rule.0 - run.first);
                    let position = long.find_beside(run.first, (0, position), &question);
                    *found = (position < run.len).then_some(RuleIndex(run.first + position));
                }
            }
        }
    }
}

impl<F: Family> Layer<F> {
    /// The first of its rules for each packet of a group that has a transport header. `place` says where a rule stands in the table, if it still does.
    fn first_of_group<M: Machine>(
        &self,
        table: &Table<F>,
        names: &Names,
        seekers: &[Seeker<'_, F>],
        found: &mut [Option<RuleIndex>],
        place: impl Fn(u32) -> Option<RuleIndex> + Copy,
    ) {
        let part = &*self.part;
        let mut cursors: Cursors<'_, F> = ArrayVec::new();
        let mut add = |number: usize, at: u32| {
            let Seeker { header, interfaces } = seekers[number];
            let point = Point::new(header, interfaces, names);
            cursors.push(Cursor { point, way: Way::new(self.listed), at, number });
        };
        let root = &part.nodes[self.roots.whole as usize];
        if let Kind::Hash { dimension, shift, rest, .. } = root.kind
            && rest.get() == Goal::NONE
        {
            self.spread::<M>(root, (usize::from(dimension), shift), table, names, seekers, found, place, add);
        } else {
            let with_transport = seekers.iter().enumerate().filter(|(_, seeker)| !needs_order(seeker.header));
            with_transport.for_each(|(number, _)| add(number, self.roots.whole));
        }
        if cursors.is_empty() {
            return;
        }
        part.walk_in_step::<M>(table, &mut cursors, place);
        for cursor in &cursors {
            found[cursor.number] = place(cursor.way.found()).filter(|_| cursor.way.found() < self.listed);
        }
    }

    /// The same where the root is a hash without a rest: most packets have one list to look at, or none, and need to know their place in no other dimension. `add`
    /// is told of the others, and of the node at which they go on.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "a part of one function, without what only the other part needs")]
    fn spread<M: Machine>(
        &self,
        root: &Node,
        (dimension, shift): (usize, u8),
        table: &Table<F>,
        names: &Names,
        seekers: &[Seeker<'_, F>],
        found: &mut [Option<RuleIndex>],
        place: impl Fn(u32) -> Option<RuleIndex>,
        mut add: impl FnMut(usize, u32),
    ) {
        let part = &*self.part;
        let mut values = [0; GROUP];
        for (value, seeker) in values.iter_mut().zip(seekers) {
            *value = space::value(seeker.header, seeker.interfaces, names, dimension);
            M::prefetch(&part.slots[(root.child + hash(*value >> (shift & 31), root.bounds[0])) as usize]);
        }
        let mut lists = [(0, 0); GROUP];
        for (number, ((&value, list), seeker)) in values.iter().zip(&mut lists).zip(seekers).enumerate() {
            if needs_order(seeker.header) {
                continue;
            }
            match root.goal_of(shift, value, &part.slots).turn() {
                Turn::Node(at) => {
                    part.nodes[at as usize].prefetch::<M>();
                    add(number, at);
                }
                Turn::List { first, end } => {
                    part.entries[first as usize..end as usize].iter().step_by(2).take(2).for_each(M::prefetch);
                    *list = (first, end);
                }
            }
        }
        for ((list, seeker), found) in lists.iter().zip(seekers).zip(found) {
            let Seeker { header, interfaces } = *seeker;
            let ports = Ports::new(space::ports(header), header.protocol);
            let mut listed = part.entries[list.0 as usize..list.1 as usize].iter();
            *found = listed.find_map(|entry| entry.met((header, ports), interfaces, table, &place));
        }
    }
}
