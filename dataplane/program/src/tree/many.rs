//! The first rule for each of many packets, in step: while one packet's node or entry is on its way from memory, others use theirs.
//!
//! Each packet goes its own way down the tree, as in [`super::part`]; what differs is only that all take one step before any takes
//! its next, and that what a step will read is asked for when the step before is done. For its caller that is worth the trouble where a chain is
//! long and many packets are known to begin it.

use arrayvec::ArrayVec;
use packet::{Family, Header};

use super::part::{Question, Way};
use super::space::Point;
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
    /// Where its answer goes.
    number: usize,
}

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
        let base = &long.base;
        let run = table.chains[chain.index()].rules;
        for (seekers, found) in seekers.chunks(GROUP).zip(found.chunks_mut(GROUP)) {
            let mut cursors: ArrayVec<Cursor<'_, F>, GROUP> = ArrayVec::new();
            for (number, seeker) in seekers.iter().enumerate() {
                if needs_order(seeker.header) {
                    found[number] = table.next(chain, 0, seeker.header, seeker.interfaces);
                    continue;
                }
                let point = Point::new(seeker.header, seeker.interfaces, &self.names);
                cursors.push(Cursor { point, way: Way::new(base.listed), number });
            }
            if base.is_as_made() {
                base.part.walk_in_step::<M>(base.roots.whole, table, &mut cursors, |number| Some(RuleIndex(run.first + number)));
            } else {
                let place = |number| base.position_of(number).map(|position| RuleIndex(run.first + position));
                base.part.walk_in_step::<M>(base.roots.whole, table, &mut cursors, place);
            }
            for cursor in &cursors {
                let question =
                    Question { table, header: cursor.point.header, interfaces: cursor.point.interfaces, point: &cursor.point };
                let position = base.position_of(cursor.way.found()).unwrap_or(run.len);
                let position = long.beside().fold(position, |found, layer| layer.find(run.first, (0, found), &question));
                found[cursor.number] = (position < run.len).then_some(RuleIndex(run.first + position));
            }
        }
    }
}
