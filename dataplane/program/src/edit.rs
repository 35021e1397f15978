//! A table as an edit of another one: what is compiled, travels and is looked through when rules of some chains change.
//!
//! Rules are put in and taken out; what new ones name is added at the ends of the table's other arrays, where it stays when they have gone. So an
//! edited table says the same as one that is compiled anew, in other places. What is left behind counts for little: who sends edits sends the
//! whole table now and then.
//!
//! Where chains come, go, get other names or policies the edit lists all of them as they are afterwards, each with the one that it was. Rules that stay
//! still lead to the same chains, under other numbers.

use std::sync::Arc;

use packet::Family;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::{ChainId, IdRange};
use crate::rule::{Rule, Target};
use crate::table::{Chain, Policy, Table};
use crate::verify::{self, Limits, VerifyError};

/// What leads from one table to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct TableEdit<F: Family> {
    /// How long the arrays of the table are that it follows: it means nothing for another one.
    pub follows: Lengths,
    /// All chains as they are afterwards; none where they stay as they are, but for their rules.
    pub listing: Option<Vec<Listed>>,
    /// Where rules change, chain by chain and in each from top to bottom. A chain that goes takes its rules with it.
    pub chains: Vec<ChainEdit>,
    /// New rules, those of the first chain first, and what is added to the other arrays. It has no chains.
    pub added: Table<F>,
}

/// A chain after an edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Base chains have one.
    pub policy: Option<Policy>,
    /// Which chain it was before the edit; a new one was none.
    pub before: Option<ChainId>,
}

/// What changes at one place of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEdit {
    /// Which one, by its number after the edit.
    pub chain: ChainId,
    /// The position that the first rule that goes, or before which new ones come, had before the edit.
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
    packet_tests: u32,
    conntrack_tests: u32,
    connbytes_tests: u32,
    connlimit_tests: u32,
    named_tests: u32,
    set_tests: u32,
    set_changes: u32,
    time_tests: u32,
    content_tests: u32,
    nats: u32,
    option_sets: u32,
    prefix_changes: u32,
    hash_marks: u32,
    tees: u32,
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
            packet_tests: len(table.packet_tests.len()),
            conntrack_tests: len(table.conntrack_tests.len()),
            connbytes_tests: len(table.connbytes_tests.len()),
            connlimit_tests: len(table.connlimit_tests.len()),
            named_tests: len(table.named_tests.len()),
            set_tests: len(table.set_tests.len()),
            set_changes: len(table.set_changes.len()),
            time_tests: len(table.time_tests.len()),
            content_tests: len(table.content_tests.len()),
            nats: len(table.nats.len()),
            option_sets: len(table.option_sets.len()),
            prefix_changes: len(table.prefix_changes.len()),
            hash_marks: len(table.hash_marks.len()),
            tees: len(table.tees.len()),
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
            packet_tests: table.packet_tests.split_off(self.packet_tests as usize),
            conntrack_tests: table.conntrack_tests.split_off(self.conntrack_tests as usize),
            connbytes_tests: table.connbytes_tests.split_off(self.connbytes_tests as usize),
            connlimit_tests: table.connlimit_tests.split_off(self.connlimit_tests as usize),
            named_tests: table.named_tests.split_off(self.named_tests as usize),
            set_tests: table.set_tests.split_off(self.set_tests as usize),
            set_changes: table.set_changes.split_off(self.set_changes as usize),
            time_tests: table.time_tests.split_off(self.time_tests as usize),
            content_tests: table.content_tests.split_off(self.content_tests as usize),
            nats: table.nats.split_off(self.nats as usize),
            option_sets: table.option_sets.split_off(self.option_sets as usize),
            prefix_changes: table.prefix_changes.split_off(self.prefix_changes as usize),
            hash_marks: table.hash_marks.split_off(self.hash_marks as usize),
            tees: table.tees.split_off(self.tees as usize),
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

/// What an edit did to chains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    edits: Vec<ChainEdit>,
    /// Which chain each of now was; none where all are those that they were.
    before: Option<Vec<Option<ChainId>>>,
}

/// Rules of a chain that an edit left side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The position of the first before.
    pub(crate) before: u32,
    /// And now.
    pub(crate) position: u32,
    pub(crate) len: u32,
}

impl Made {
    /// These edits of rules; the chains are those that they were.
    pub fn of_rules(edits: &[ChainEdit]) -> Self {
        Self { edits: edits.to_vec(), before: None }
    }

    /// Are all chains those that they were, with the policies that they had?
    pub(crate) fn has_same_chains(&self) -> bool {
        self.before.is_none()
    }

    /// Which chain this one was; `None` for a new one.
    pub(crate) fn before(&self, chain: ChainId) -> Option<ChainId> {
        match &self.before {
            None => Some(chain),
            Some(before) => before.get(chain.index()).copied().flatten(),
        }
    }

    /// What changed in a chain, from top to bottom.
    pub(crate) fn edits_of(&self, chain: ChainId) -> &[ChainEdit] {
        let from = self.edits.partition_point(|edit| edit.chain < chain);
        let rest = &self.edits[from..];
        &rest[..rest.partition_point(|edit| edit.chain == chain)]
    }

    /// The chains whose rules changed, each with what did.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (ChainId, &[ChainEdit])> {
        self.edits.chunk_by(|one, next| one.chain == next.chain).map(|edits| (edits[0].chain, edits))
    }
}

/// The rules that edits of a chain leave, of so many that it had.
pub(crate) fn kept(edits: &[ChainEdit], len: u32) -> Vec<Kept> {
    let mut kept = Vec::with_capacity(edits.len() + 1);
    let (mut before, mut position) = (0, 0);
    let ends = edits.iter().map(|edit| (edit.at, edit.removed, edit.added)).chain([(len, 0, 0)]);
    for (at, removed, added) in ends {
        let len = at - before;
        if len > 0 {
            kept.push(Kept { before, position, len });
        }
        (before, position) = (at + removed, position + len + added);
    }
    kept
}

/// Which table it is, and by which edit it was made of which other one. Copies of a table are the same one until they are edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    me: Arc<()>,
    made: Option<(Arc<()>, Made)>,
}

impl Origin {
    /// Of the table that this made of one.
    pub(crate) fn edited(before: &Self, made: Made) -> Self {
        Self { me: Arc::default(), made: Some((before.me.clone(), made)) }
    }

    /// What made the table of another one, if it is that one.
    pub(crate) fn made_of(&self, before: &Self) -> Option<&Made> {
        self.made.as_ref().filter(|(from, _)| Arc::ptr_eq(from, &before.me)).map(|(_, made)| made)
    }
}

impl<F: Family> TableEdit<F> {
    /// What it does to chains.
    pub fn made(&self) -> Made {
        let before = self.listing.as_ref().map(|chains| chains.iter().map(|chain| chain.before).collect());
        Made { edits: self.chains.clone(), before }
    }
}

impl<F: Family> Table<F> {
    /// The table that this one becomes by an edit: looked through where it changed, and what holds of it as a whole, but without bindings and tree
    /// for what is new ([`Table::bind_edited`]). This table was looked through as well.
    ///
    /// # Errors
    /// Why it may not be run.
    pub fn edited(mut self, edit: &TableEdit<F>, limits: &Limits) -> Result<Self, EditError> {
        let TableEdit { follows, listing, chains, added } = edit;
        if Lengths::of(&self) != *follows || added.kind != self.kind {
            return Err(EditError::Foreign);
        }
        let made = edit.made();
        self.fits(edit, &made)?;
        let known = match self.known.take() {
            Some(known) => known,
            None => verify::known(&self)?,
        };
        let needing_tracking = |table: &Self, range: core::ops::Range<usize>| {
            table.rules[range].iter().filter(|rule| rule.needs_tracking(&table.matches)).count() as u32
        };
        let mut tracking = known.tracking;
        for (edit, before) in chains.iter().filter_map(|edit| Some((edit, made.before(edit.chain)?))) {
            let first = self.chains[before.index()].rules.first + edit.at;
            tracking -= needing_tracking(&self, first as usize..(first + edit.removed) as usize);
        }
        if let Some(listing) = listing {
            for gone in gone(listing, self.chains.len()) {
                let run = self.chains[gone.index()].rules;
                tracking -= needing_tracking(&self, run.first as usize..(run.first + run.len) as usize);
            }
        }
        self.add(added);
        verify::arrays(&self)?;
        match listing {
            None => self.edit_rules(chains, &added.rules),
            Some(listing) => self.edit_chains(listing, &made, &added.rules)?,
        }
        verify::new_rules(&self, added, *follows, limits)?;
        tracking += added.rules.iter().filter(|rule| rule.needs_tracking(&self.matches)).count() as u32;
        self.needs_tracking = tracking > 0;
        let leads_on = |target: Target| matches!(target, Target::Jump(_) | Target::Goto(_) | Target::Nat(_));
        if listing.is_some() {
            verify::shape(&self, limits)?;
            self.known = Some(Known { tracking, ..verify::known(&self)? });
            return Ok(self);
        }
        let more = |edit: &ChainEdit| known.ways[edit.chain.index()].saturating_mul(edit.added.into());
        let steps = chains.iter().map(more).fold(known.steps, u64::saturating_add);
        self.known = if steps > crate::eval::MAX_STEPS || added.rules.iter().any(|rule| leads_on(rule.target)) {
            Some(Known { tracking, ..verify::known(&self)? })
        } else {
            Some(Known { tracking, steps, ..known })
        };
        Ok(self)
    }

    /// Puts rules in and takes rules out where they stand.
    fn edit_rules(&mut self, edits: &[ChainEdit], added: &[Rule<F>]) {
        let mut rest = added;
        let places: Vec<Place<'_, Rule<F>>> = edits
            .iter()
            .map(|edit| {
                let (new, later) = rest.split_at(edit.added as usize);
                rest = later;
                let first = (self.chains[edit.chain.index()].rules.first + edit.at) as usize;
                Place { first, removed: edit.removed as usize, new }
            })
            .collect();
        splice(&mut self.rules, &places);
        let mut edits = edits.iter().peekable();
        let mut first = 0;
        for (id, chain) in (0..).map(ChainId).zip(&mut self.chains) {
            let mut len = chain.rules.len;
            while let Some(edit) = edits.next_if(|edit| edit.chain == id) {
                len = len - edit.removed + edit.added;
            }
            chain.rules = IdRange { first, len };
            first += len;
        }
    }

    /// Makes the chains those of the list. What stays is copied: it may stand in another order.
    fn edit_chains(&mut self, listing: &[Listed], made: &Made, added: &[Rule<F>]) -> Result<(), EditError> {
        let old = core::mem::take(&mut self.chains);
        let mut numbers = vec![None; old.len()];
        for (id, before) in (0..).map(ChainId).zip(listing.iter().map(|chain| chain.before)) {
            if let Some(before) = before {
                numbers[before.index()] = Some(id);
            }
        }
        let moved = |chain: ChainId| numbers.get(chain.index()).copied().flatten().ok_or(EditError::Misfit);
        // Rules that stay lead where they led, and no rule that stays leads to a chain that goes.
        let stays = |rule: &Rule<F>| {
            let target = match rule.target {
                Target::Jump(chain) => Target::Jump(moved(chain)?),
                Target::Goto(chain) => Target::Goto(moved(chain)?),
                other => other,
            };
            Ok::<_, EditError>(Rule { target, ..*rule })
        };
        let mut rules = Vec::with_capacity(self.rules.len() + added.len());
        let mut new = added.iter();
        for (id, listed) in (0..).map(ChainId).zip(listing) {
            let first = rules.len() as u32;
            let run = listed.before.map_or(IdRange::default(), |before| old[before.index()].rules);
            let stand = run.of(&self.rules);
            let mut at = 0;
            for edit in made.edits_of(id) {
                for rule in &stand[at..edit.at as usize] {
                    rules.push(stays(rule)?);
                }
                rules.extend(new.by_ref().take(edit.added as usize));
                at = (edit.at + edit.removed) as usize;
            }
            for rule in &stand[at..] {
                rules.push(stays(rule)?);
            }
            let run = IdRange { first, len: rules.len() as u32 - first };
            self.chains.push(Chain { name: listed.name.clone(), rules: run, policy: listed.policy });
        }
        for hook in self.hooks.iter_mut().flatten() {
            *hook = moved(*hook)?;
        }
        self.rules = rules;
        Ok(())
    }

    /// Makes the table, which was looked through, ready to be edited: what the first edit would have to find out is known, and there is room for some
    /// rules more. Where memory is short the first edit finds out and makes room.
    pub fn prepare_for_edits(&mut self) {
        let room = self.rules.len() / 16 + 64;
        // What they were made with as they grew may be much more.
        self.rules.shrink_to(self.rules.len() + room);
        self.l4_tests.shrink_to(self.l4_tests.len() + room);
        self.matches.shrink_to(self.matches.len() + 2 * room);
        self.port_ranges.shrink_to(self.port_ranges.len() + room);
        let has_room = [
            self.rules.try_reserve_exact(room),
            self.l4_tests.try_reserve_exact(room),
            self.matches.try_reserve_exact(2 * room),
            self.port_ranges.try_reserve_exact(room),
        ];
        if self.known.is_none() && has_room.iter().all(Result::is_ok) {
            self.known = verify::known(self).ok();
        }
    }

    /// Are the chains and rules there that an edit names, and as many new ones as it puts in?
    fn fits(&self, edit: &TableEdit<F>, made: &Made) -> Result<(), EditError> {
        let count = edit.listing.as_ref().map_or(self.chains.len(), Vec::len);
        let is_there = |edit: &ChainEdit| {
            let len = made.before(edit.chain).map_or(Some(0), |before| Some(self.chains.get(before.index())?.rules.len));
            let end = edit.at.checked_add(edit.removed);
            edit.chain.index() < count && len.zip(end).is_some_and(|(len, end)| end <= len)
        };
        let follows = |one: &ChainEdit, next: &ChainEdit| {
            one.chain < next.chain || one.chain == next.chain && one.at + one.removed <= next.at
        };
        let is_listed_once = || {
            let mut seen = vec![false; self.chains.len()];
            let before = edit.listing.iter().flatten().filter_map(|chain| chain.before);
            before.into_iter().all(|chain| seen.get_mut(chain.index()).is_some_and(|seen| !core::mem::replace(seen, true)))
        };
        let new: u64 = edit.chains.iter().map(|edit| u64::from(edit.added)).sum();
        let all = self.rules.len() as u64 + new;
        let fits = edit.chains.iter().all(is_there)
            && edit.chains.windows(2).all(|pair| follows(&pair[0], &pair[1]))
            && is_listed_once()
            && new == edit.added.rules.len() as u64
            && all <= u64::from(u32::MAX)
            && count <= u32::MAX as usize
            && edit.added.chains.is_empty();
        if fits { Ok(()) } else { Err(EditError::Misfit) }
    }

    fn add(&mut self, added: &Self) {
        self.l4_tests.extend_from_slice(&added.l4_tests);
        self.port_ranges.extend_from_slice(&added.port_ranges);
        self.matches.extend_from_slice(&added.matches);
        self.address_tests.extend_from_slice(&added.address_tests);
        self.packet_tests.extend_from_slice(&added.packet_tests);
        self.conntrack_tests.extend_from_slice(&added.conntrack_tests);
        self.connbytes_tests.extend_from_slice(&added.connbytes_tests);
        self.connlimit_tests.extend_from_slice(&added.connlimit_tests);
        self.named_tests.extend_from_slice(&added.named_tests);
        self.set_tests.extend_from_slice(&added.set_tests);
        self.set_changes.extend_from_slice(&added.set_changes);
        self.time_tests.extend_from_slice(&added.time_tests);
        self.content_tests.extend_from_slice(&added.content_tests);
        self.nats.extend_from_slice(&added.nats);
        self.option_sets.extend_from_slice(&added.option_sets);
        self.prefix_changes.extend_from_slice(&added.prefix_changes);
        self.hash_marks.extend_from_slice(&added.hash_marks);
        self.tees.extend_from_slice(&added.tees);
        self.logs.extend_from_slice(&added.logs);
        self.timeouts.extend_from_slice(&added.timeouts);
        self.patterns.extend_from_slice(&added.patterns);
        self.state.extend_from_slice(&added.state);
    }
}

/// The chains of before, of which there are so many, that are in a list no more.
fn gone(listing: &[Listed], count: usize) -> impl Iterator<Item = ChainId> {
    let mut stays = vec![false; count];
    listing.iter().filter_map(|chain| chain.before).for_each(|chain| stays[chain.index()] = true);
    (0..).map(ChainId).zip(stays).filter(|(_, stays)| !stays).map(|(chain, _)| chain)
}

/// Where some are taken out of an array, and others put in their place.
struct Place<'a, T> {
    first: usize,
    removed: usize,
    new: &'a [T],
}

/// Does so at all these places, which are in order and do not overlap. What stays is moved at most twice, however many they are.
fn splice<T: Copy>(array: &mut Vec<T>, places: &[Place<'_, T>]) {
    let in_place = |place: &Place<'_, T>| place.removed.min(place.new.len());
    // From the front: what comes in the place of others, and what closes up where there are fewer.
    let (mut to, mut from) = (0, 0);
    // Where more come than go: behind which element, and which.
    let mut more: Vec<(usize, &[T])> = Vec::new();
    for place in places {
        to = moved(array, from..place.first, to);
        let (here, rest) = place.new.split_at(in_place(place));
        array[to..to + here.len()].copy_from_slice(here);
        to += here.len();
        from = place.first + place.removed;
        if !rest.is_empty() {
            more.push((to, rest));
        }
    }
    let all = array.len();
    let end = moved(array, from..all, to);
    array.truncate(end);
    // From the back: what makes room.
    let mut shift: usize = more.iter().map(|(_, rest)| rest.len()).sum();
    let Some(any) = more.first().map(|(_, rest)| rest[0]) else { return };
    array.resize(end + shift, any);
    let mut end = end;
    for (at, rest) in more.into_iter().rev() {
        array.copy_within(at..end, at + shift);
        shift -= rest.len();
        array[at + shift..at + shift + rest.len()].copy_from_slice(rest);
        end = at;
    }
}

/// Moves a range of an array to the front, as far as there; the end of it.
fn moved<T: Copy>(array: &mut [T], range: core::ops::Range<usize>, to: usize) -> usize {
    let end = to + range.len();
    if range.start != to {
        array.copy_within(range, to);
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn many_places_at_once_are_as_one_after_the_other(
            count in 0..60usize,
            gaps in vec((0..9usize, 0..5usize, 0..5usize), 0..9),
        ) {
            let mut array: Vec<usize> = (0..count).collect();
            let new: Vec<Vec<usize>> = (1..).zip(&gaps).map(|(n, (_, _, added))| vec![n * 1000; *added]).collect();
            let (mut places, mut at) = (Vec::new(), 0);
            for ((gap, removed, _), new) in gaps.iter().zip(&new) {
                let first = (at + gap).min(count);
                let removed = (*removed).min(count - first);
                places.push(Place { first, removed, new });
                at = first + removed;
            }
            let mut wanted = array.clone();
            for place in places.iter().rev() {
                wanted.splice(place.first..place.first + place.removed, place.new.iter().copied());
            }
            splice(&mut array, &places);
            prop_assert_eq!(&array, &wanted);

            let edits: Vec<ChainEdit> = places
                .iter()
                .map(|place| {
                    let [at, removed, added] = [place.first, place.removed, place.new.len()].map(|number| number as u32);
                    ChainEdit { chain: ChainId(0), at, removed, added }
                })
                .collect();
            for Kept { before, position, len } in kept(&edits, count as u32) {
                let stand = (before..before + len).map(|number| number as usize);
                prop_assert!(stand.eq(wanted[position as usize..(position + len) as usize].iter().copied()));
            }
        }
    }
}
