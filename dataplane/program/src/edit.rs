//! A table as an edit of another one: what is compiled, travels and is looked through when rules of some chains change.
//!
//! Rules are put in and taken out; what new ones name is added at the ends of the table's other arrays, where it stays when they have gone. So an
//! edited table says the same as one that is compiled anew, in other places. What is left behind counts for little: who sends edits sends the
//! whole table now and then.

use std::sync::Arc;

use packet::Family;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::{ChainId, IdRange};
use crate::rule::Target;
use crate::table::Table;
use crate::verify::{self, Limits, VerifyError};

/// What leads from one table to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct TableEdit<F: Family> {
    /// How long the arrays of the table are that it follows: it means nothing for another one.
    pub follows: Lengths,
    /// The chains whose rules change, in order.
    pub chains: Vec<ChainEdit>,
    /// New rules, those of the first chain first, and what is added to the other arrays. It has no chains.
    pub added: Table<F>,
}

/// What changes in one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEdit {
    /// Which one.
    pub chain: ChainId,
    /// The position of the first rule that goes, or before which new ones come.
    pub at: u32,
    /// So many go.
    pub removed: u32,
    /// And so many come.
    pub added: u32,
}

/// Why an edit is not made. The table is of no use then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// It is of another table.
    #[error("the edit is of another table")]
    Foreign,
    /// It names rules or chains that are not there, or not as many new ones as it has.
    #[error("the edit does not fit the table's chains")]
    Misfit,
    /// The new table may not be run.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// How long a table's arrays are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengths {
    chains: u32,
    rules: u32,
    l4_tests: u32,
    port_ranges: u32,
    matches: u32,
    address_tests: u32,
    conntrack_tests: u32,
    connbytes_tests: u32,
    connlimit_tests: u32,
    nats: u32,
    logs: u32,
    timeouts: u32,
    patterns: u32,
    state: u32,
}

impl Lengths {
    /// Of a table.
    pub fn of<F: Family>(table: &Table<F>) -> Self {
        // Verified arrays have lengths that fit.
        let len = |len: usize| len as u32;
        Self {
            chains: len(table.chains.len()),
            rules: len(table.rules.len()),
            l4_tests: len(table.l4_tests.len()),
            port_ranges: len(table.port_ranges.len()),
            matches: len(table.matches.len()),
            address_tests: len(table.address_tests.len()),
            conntrack_tests: len(table.conntrack_tests.len()),
            connbytes_tests: len(table.connbytes_tests.len()),
            connlimit_tests: len(table.connlimit_tests.len()),
            nats: len(table.nats.len()),
            logs: len(table.logs.len()),
            timeouts: len(table.timeouts.len()),
            patterns: len(table.patterns.len()),
            state: len(table.state.len()),
        }
    }

    /// Takes off a table what stands behind these lengths. Chains stay.
    ///
    /// # Panics
    /// When one of its arrays is shorter.
    pub fn cut<F: Family>(self, table: &mut Table<F>) -> Table<F> {
        Table {
            rules: table.rules.split_off(self.rules as usize),
            l4_tests: table.l4_tests.split_off(self.l4_tests as usize),
            port_ranges: table.port_ranges.split_off(self.port_ranges as usize),
            matches: table.matches.split_off(self.matches as usize),
            address_tests: table.address_tests.split_off(self.address_tests as usize),
            conntrack_tests: table.conntrack_tests.split_off(self.conntrack_tests as usize),
            connbytes_tests: table.connbytes_tests.split_off(self.connbytes_tests as usize),
            connlimit_tests: table.connlimit_tests.split_off(self.connlimit_tests as usize),
            nats: table.nats.split_off(self.nats as usize),
            logs: table.logs.split_off(self.logs as usize),
            timeouts: table.timeouts.split_off(self.timeouts as usize),
            patterns: table.patterns.split_off(self.patterns as usize),
            state: table.state.split_off(self.state as usize),
            ..Table::empty(table.kind)
        }
    }

    /// Where new rules' own values begin.
    pub(crate) fn state(self) -> usize {
        self.state as usize
    }
}

/// What is known of a table that was looked through, so that an edit of it need not look at all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Rules that need connections to be tracked.
    pub(crate) tracking: u32,
    /// On how many ways a packet can come to each chain, or more.
    pub(crate) ways: Vec<u64>,
    /// Rules that a packet can meet on its way, or more.
    pub(crate) steps: u64,
}

/// Which table it is, and by which edits it was made of which other one. Copies of a table are the same one until they are edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    me: Arc<()>,
    made: Option<(Arc<()>, Vec<ChainEdit>)>,
}

impl Origin {
    /// Of the table that these edits made of one.
    pub(crate) fn edited(before: &Self, chains: &[ChainEdit]) -> Self {
        Self { me: Arc::default(), made: Some((before.me.clone(), chains.to_vec())) }
    }

    /// The edits that made the table of another one, if it is that one.
    pub(crate) fn edits_of(&self, before: &Self) -> Option<&[ChainEdit]> {
        self.made.as_ref().filter(|(from, _)| Arc::ptr_eq(from, &before.me)).map(|(_, chains)| &chains[..])
    }
}

impl<F: Family> Table<F> {
    /// The table that this one becomes by an edit: looked through where it changed, and what holds of it as a whole, but without bindings and tree
    /// for what is new ([`Table::bind_edited`]). This table was looked through as well.
    ///
    /// # Errors
    /// Why it may not be run.
    pub fn edited(mut self, edit: &TableEdit<F>, limits: &Limits) -> Result<Self, EditError> {
        let TableEdit { follows, chains, added } = edit;
        if Lengths::of(&self) != *follows || added.kind != self.kind {
            return Err(EditError::Foreign);
        }
        self.fits(edit)?;
        let known = match self.known.take() {
            Some(known) => known,
            None => verify::known(&self)?,
        };
        let needing_tracking = |table: &Self, range: core::ops::Range<usize>| {
            table.rules[range].iter().filter(|rule| rule.needs_tracking(&table.matches)).count() as u32
        };
        let mut tracking = known.tracking;
        for edit in chains {
            let first = self.chains[edit.chain.index()].rules.first + edit.at;
            tracking -= needing_tracking(&self, first as usize..(first + edit.removed) as usize);
        }
        self.add(added);
        verify::arrays(&self)?;
        verify::new_rules(&self, added, *follows, limits)?;
        tracking += added.rules.iter().filter(|rule| rule.needs_tracking(&self.matches)).count() as u32;
        // From the last chain to the first, so that those before it stand where they stood.
        let mut end = added.rules.len();
        for edit in chains.iter().rev() {
            let first = (self.chains[edit.chain.index()].rules.first + edit.at) as usize;
            let start = end - edit.added as usize;
            self.rules.splice(first..first + edit.removed as usize, added.rules[start..end].iter().copied());
            end = start;
        }
        let mut edits = chains.iter().peekable();
        let mut first = 0;
        for (id, chain) in (0..).map(ChainId).zip(&mut self.chains) {
            let len = match edits.next_if(|edit| edit.chain == id) {
                Some(edit) => chain.rules.len - edit.removed + edit.added,
                None => chain.rules.len,
            };
            chain.rules = IdRange { first, len };
            first += len;
        }
        self.needs_tracking = tracking > 0;
        let more = |edit: &ChainEdit| known.ways[edit.chain.index()].saturating_mul(edit.added.into());
        let steps = chains.iter().map(more).fold(known.steps, u64::saturating_add);
        let leads_on = |target: Target| matches!(target, Target::Jump(_) | Target::Goto(_) | Target::Nat(_));
        self.known = if steps > crate::eval::MAX_STEPS || added.rules.iter().any(|rule| leads_on(rule.target)) {
            Some(Known { tracking, ..verify::known(&self)? })
        } else {
            Some(Known { tracking, steps, ..known })
        };
        Ok(self)
    }

    /// Makes the table, which was looked through, ready to be edited: what the first edit would have to find out is known, and there is room for some
    /// rules more. Where memory is short the first edit finds out and makes room.
    pub fn prepare_for_edits(&mut self) {
        let room = self.rules.len() / 16 + 64;
        let has_room = [
            self.rules.try_reserve(room),
            self.l4_tests.try_reserve(room),
            self.matches.try_reserve(2 * room),
            self.port_ranges.try_reserve(room),
        ];
        if self.known.is_none() && has_room.iter().all(Result::is_ok) {
            self.known = verify::known(self).ok();
        }
    }

    /// Are the rules there that an edit takes out, and as many new ones as it puts in?
    fn fits(&self, edit: &TableEdit<F>) -> Result<(), EditError> {
        let is_there = |edit: &ChainEdit| {
            let chain = self.chains.get(edit.chain.index());
            chain.zip(edit.at.checked_add(edit.removed)).is_some_and(|(chain, end)| end <= chain.rules.len)
        };
        let ordered = edit.chains.windows(2).all(|pair| pair[0].chain < pair[1].chain);
        let count: u64 = edit.chains.iter().map(|edit| u64::from(edit.added)).sum();
        let all = self.rules.len() as u64 + count;
        let fits = ordered
            && edit.chains.iter().all(is_there)
            && count == edit.added.rules.len() as u64
            && all <= u64::from(u32::MAX)
            && edit.added.chains.is_empty();
        if fits { Ok(()) } else { Err(EditError::Misfit) }
    }

    fn add(&mut self, added: &Self) {
        self.l4_tests.extend_from_slice(&added.l4_tests);
        self.port_ranges.extend_from_slice(&added.port_ranges);
        self.matches.extend_from_slice(&added.matches);
        self.address_tests.extend_from_slice(&added.address_tests);
        self.conntrack_tests.extend_from_slice(&added.conntrack_tests);
        self.connbytes_tests.extend_from_slice(&added.connbytes_tests);
        self.connlimit_tests.extend_from_slice(&added.connlimit_tests);
        self.nats.extend_from_slice(&added.nats);
        self.logs.extend_from_slice(&added.logs);
        self.timeouts.extend_from_slice(&added.timeouts);
        self.patterns.extend_from_slice(&added.patterns);
        self.state.extend_from_slice(&added.state);
    }
}
