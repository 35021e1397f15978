//! What packets have changed of sets: put into the tables, and told.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use program::set::{Beside as Said, ByPackets, ElementEdit};
use program::{SetId, SetPart};

use super::{Body, Place, SetFault, Sets, bytes_of, lengths_of, said};
use crate::atomic::{AtomicU64, Ordering};
use crate::sets::fresh::{Became, Fresh};
use crate::sets::open::{Changes, Open, Tally};
use crate::sets::table::{Full, Layout};
use crate::sets::{Directory, Key, Lengths};
use crate::time::Time;

/// How often at most a full set is looked through for elements whose time is over, for each 65,536 cells that it has.
const SWEEP_MILLIS: u64 = 20;

/// What the writer knows of a set that packets change.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) open: Open,
    /// [`Tally::changes`] when it was looked through last.
    seen: u64,
    /// How often it is to be looked through whatever that says: who found an element in the notes may count there a little later.
    unsettled: u8,
    /// Elements that packets have changed, by the number of the change; those that nobody has taken yet.
    touched: HashMap<Key, u64>,
    /// When it is looked through again for what is over.
    next_sweep: u64,
    /// What of [`Tally::full`] and [`Tally::no_room`] was reported.
    reported: (u64, u64),
}

/// Words that are said by the tables as well.
#[derive(Debug, Default)]
#[must_use = "the words are quiet only when it is let go"]
pub(super) struct Moved(Vec<(Arc<Changes>, usize, Became)>);

impl Sets {
    /// Packets may change the sets at these places, and no others. A directory must be published behind it, if there is a new one.
    pub fn open(&mut self, places: BTreeSet<SetId>) {
        self.is_changed |=
            places.iter().any(|id| self.place(*id).is_some_and(|place| place.opened.is_none() && place.takes_packets()));
        self.wanted_open = places;
    }

    /// Gives every set that packets may change what they need, as far as there is memory for it.
    pub(super) fn open_wanted(&mut self) {
        for id in &self.wanted_open {
            let Some(place) = self.places.get_mut(id.index()).and_then(Option::as_mut) else { continue };
            if place.opened.is_none() && place.takes_packets() {
                let open = place.changes(self.hash, self.room).map(|now| Open {
                    tally: Arc::new(Tally::default()),
                    now: Arc::new(now),
                    before: None,
                });
                place.opened = open.ok().map(Opened::new);
                place.tell_base();
            }
        }
    }

    /// Is there a set that packets may change?
    pub fn is_open(&self) -> bool {
        self.places.iter().flatten().any(|place| place.opened.is_some())
    }

    /// Puts into the tables what packets have changed. `publish` makes every worker go by a directory, and by no other, before it returns.
    pub fn follow_packets(&mut self, now: Time, mut publish: impl FnMut(Arc<Directory>)) {
        if !self.is_open() {
            return;
        }
        let mut publish = |sets: &mut Self| {
            if let Some(directory) = sets.directory() {
                publish(directory);
                sets.settle();
            }
        };
        let moved = self.gather(now);
        publish(self);
        let_go(moved);
        self.sweep(now);
        if self.turn() {
            publish(self);
            self.end_turn(now);
            publish(self);
            self.leave();
            publish(self);
        }
    }

    /// Puts into the tables what packets have changed. A directory must be published behind it if there is a new one, before it is let go.
    fn gather(&mut self, now: Time) -> Moved {
        let mut moved = Moved::default();
        for id in (0..self.places.len() as u32).map(SetId) {
            let Some(place) = self.places[id.index()].as_mut() else { continue };
            let Some(opened) = place.opened.as_mut() else { continue };
            // Acquire: what is counted as changed is seen below.
            let changes = opened.open.tally.changes.load(Ordering::Acquire);
            if opened.seen == changes && opened.unsettled == 0 {
                // No rule lets packets change it any more, and what they did is known to all.
                if !self.wanted_open.contains(&id) && opened.touched.is_empty() {
                    place.opened = None;
                    self.is_changed = true;
                }
                continue;
            }
            opened.seen = changes;
            let now_open = opened.open.now.clone();
            let before = moved.0.len();
            self.take(id, &now_open, now, &mut moved);
            let is_quiet = moved.0.len() == before;
            if let Some(opened) = self.opened(id) {
                opened.unsettled = if is_quiet { opened.unsettled.saturating_sub(1) } else { 3 };
                if is_quiet {
                    opened.open.tally.settle();
                }
            }
        }
        moved
    }

    /// Sets whose notes of changes are half full begin new ones: these are to be published, and when every worker
    /// goes by them, those before are to be taken over ([`Sets::end_turn`]). Whether there are any.
    fn turn(&mut self) -> bool {
        for place in self.places.iter_mut().flatten() {
            if !place.opened.as_ref().is_some_and(|opened| opened.open.now.fresh.is_crowded()) {
                continue;
            }
            // Without memory it goes on with what there is, until that is full.
            let Ok(next) = place.changes(self.hash, self.room) else { continue };
            if let Some(opened) = &mut place.opened {
                opened.open.before = Some(std::mem::replace(&mut opened.open.now, Arc::new(next)));
                self.is_changed = true;
                self.turning = true;
            }
        }
        self.turning
    }

    /// Nobody changes the notes of before any more: what they say goes into the tables. A directory is to be published twice: when tables have grown, and
    /// at last without the notes.
    fn end_turn(&mut self, now: Time) {
        for id in (0..self.places.len() as u32).map(SetId) {
            let Some(before) = self.opened(id).and_then(|opened| opened.open.before.clone()) else { continue };
            let mut moved = Moved::default();
            self.take(id, &before, now, &mut moved);
            self.leaving.push((id, before, moved));
        }
        self.turning = false;
    }

    /// The notes of before are no part of the next directory.
    fn leave(&mut self) {
        for (id, changes, moved) in std::mem::take(&mut self.leaving) {
            let_go(moved);
            if let Some(opened) = self.opened(id) {
                opened.open.before = None;
                opened.unsettled = 3;
            }
            self.left.push((id, changes));
            self.is_changed = true;
        }
    }

    /// What was counted in notes that nobody has any more.
    pub(super) fn settle_left(&mut self) {
        for (id, changes) in std::mem::take(&mut self.left) {
            let Some(place) = self.place(id) else { continue };
            let Body::Elements(elements) = &place.set.body else { continue };
            changes.fresh.made().for_each(|note| move_counters(&changes.fresh, note, elements));
        }
    }

    /// Puts into a set's table what notes say.
    fn take(&mut self, id: SetId, changes: &Arc<Changes>, now: Time, moved: &mut Moved) {
        for note in changes.fresh.made() {
            let became = changes.fresh.became(note);
            let Some(place) = self.place(id) else { return };
            if became == Became::Quiet {
                if let Body::Elements(elements) = &place.set.body {
                    move_counters(&changes.fresh, note, elements);
                }
                continue;
            }
            let (name, key) = (place.name.to_string(), changes.fresh.key(note));
            let key_bytes = bytes_of(&key)[..place.set.spec.key_len()].to_vec();
            let counters = changes.fresh.counters(note);
            let counters = counters.map(|(packets, bytes)| (packets.swap(0, Ordering::Relaxed), bytes.swap(0, Ordering::Relaxed)));
            let beside = match became {
                Became::Quiet | Became::Out => None,
                // What is over is not there.
                Became::In(expires) if expires != 0 && expires <= now.millis() => None,
                Became::In(expires) => {
                    let expires_in = expires.saturating_sub(now.millis());
                    Some(Said { expires_in, counters, ..Said::default() })
                }
            };
            let was_there = matches!(&place.set.body, Body::Elements(elements) if elements.table.find(&key).is_some());
            let more = match &beside {
                Some(_) => u64::from(!was_there),
                None => u64::from(was_there).wrapping_neg(),
            };
            let edit = ElementEdit { key: key_bytes, beside };
            if self.element(id, &name, &edit, now).is_err() {
                // Without memory it stays where it is.
                continue;
            }
            self.sequence += 1;
            let sequence = self.sequence;
            if let Some(place) = self.places[id.index()].as_mut() {
                place.tell_base();
                let lengths = lengths_of(&place.set.spec, &bytes_of(&key), false);
                if let Some(opened) = &mut place.opened {
                    opened.open.tally.count([lengths[0], lengths[1]], more.wrapping_neg());
                    opened.touched.insert(key, sequence);
                }
            }
            moved.0.push((changes.clone(), note, became));
        }
    }

    /// Looks through sets that are full for what is over, so that it makes room.
    fn sweep(&mut self, now: Time) {
        for place in self.places.iter_mut().flatten() {
            let Some(opened) = &mut place.opened else { continue };
            let taking = place.set.spec.taking;
            let is_full = taking.most.is_some_and(|most| opened.open.tally.elements() >= most.into());
            if !is_full || now.millis() < opened.next_sweep {
                continue;
            }
            let set = place.set.clone();
            let Body::Elements(elements) = &set.body else { continue };
            let pause = SWEEP_MILLIS * (elements.table.cells() as u64 / 65_536).max(1);
            let mut earliest = u64::MAX;
            if taking.seconds.is_some() {
                let over: Vec<_> = elements
                    .table
                    .iter()
                    .filter(|kept| {
                        let is_over = kept.beside.is_over(now.millis());
                        if !is_over && kept.beside.expires != 0 {
                            earliest = earliest.min(kept.beside.expires);
                        }
                        is_over
                    })
                    .collect();
                over.iter().for_each(|kept| place.forget(elements, &bytes_of(&kept.key), false));
            }
            // A set that makes room has one element fewer for each that is too many.
            while taking.makes_room && taking.most.is_some_and(|most| place.live > most as usize) {
                let Some(first) = elements.table.iter().next() else { break };
                place.forget(elements, &bytes_of(&first.key), false);
                self.sequence += 1;
                if let Some(opened) = &mut place.opened {
                    opened.touched.insert(first.key, self.sequence);
                }
            }
            if let Some(opened) = &mut place.opened {
                let latest = now.millis() + if taking.makes_room { 0 } else { 50 * pause };
                opened.next_sweep = (now.millis() + pause).max(earliest.min(latest));
            }
            place.tell_base();
        }
    }

    /// Forgets what somebody has taken until this number, and tells the rest.
    pub fn by_packets(&mut self, taken: u64, now: Time) -> ByPackets {
        let mut told = ByPackets { until: self.sequence, sets: Vec::new() };
        for place in self.places.iter_mut().flatten() {
            let Some(opened) = &mut place.opened else { continue };
            opened.touched.retain(|_, number| *number > taken);
            if opened.touched.is_empty() {
                continue;
            }
            let edits = opened.touched.keys().map(|key| place.set.as_edit(key, now)).collect();
            told.sets.push((place.name.to_string(), edits));
        }
        told
    }

    /// Warnings of sets that were full, of each one since the last time.
    pub fn shortages(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        for place in self.places.iter_mut().flatten() {
            let Some(opened) = &mut place.opened else { continue };
            let tally = &opened.open.tally;
            let (full, no_room) = (tally.full.load(Ordering::Relaxed), tally.no_room.load(Ordering::Relaxed));
            let (before_full, before_room) = std::mem::replace(&mut opened.reported, (full, no_room));
            if full > before_full {
                let most = place.set.spec.taking.most.unwrap_or(0);
                all.push(format!(
                    "set {:?} is full, maxelem {most} reached: {} packets did not come in",
                    place.name,
                    full - before_full
                ));
            }
            if no_room > before_room {
                let lost = no_room - before_room;
                all.push(format!("set {:?} changes faster than can be noted: {lost} packets changed nothing", place.name));
            }
        }
        all
    }

    fn opened(&mut self, id: SetId) -> Option<&mut Opened> {
        self.places.get_mut(id.index())?.as_mut()?.opened.as_mut()
    }

    /// A command has changed an element: what packets did to it before is known to whoever commands.
    pub(super) fn told(&mut self, id: SetId, key: &Key) {
        if let Some(opened) = self.opened(id) {
            opened.touched.remove(key);
        }
    }

    /// All sets were made anew, but packets go on as before: what they changed and nobody took yet is so in the new ones, too.
    pub(super) fn keep_open(&mut self, before: &mut Sets, now: Time) -> Result<(), SetFault> {
        self.wanted_open = before.wanted_open.clone();
        self.sequence = before.sequence;
        for id in (0..before.places.len() as u32).map(SetId) {
            let Some(old) = before.places[id.index()].as_mut() else { continue };
            let is_same = self.place(id).is_some_and(|new| new.set.spec == old.set.spec);
            if !is_same {
                continue;
            }
            let (Some(opened), name) = (old.opened.take(), old.name.to_string()) else { continue };
            for key in opened.touched.keys() {
                self.element(id, &name, &old.set.as_edit(key, now), now)?;
            }
            if let Some(new) = self.places[id.index()].as_mut() {
                new.opened = Some(opened);
                new.tell_base();
            }
        }
        Ok(())
    }
}

impl Opened {
    fn new(open: Open) -> Self {
        let touched = HashMap::new();
        Self { open, seen: 0, unsettled: 0, touched, next_sweep: 0, reported: (0, 0) }
    }
}

impl Place {
    /// Where a packet's element stands alone: without hardware address beside it, and without what else has its network.
    fn takes_packets(&self) -> bool {
        let spec = &self.set.spec;
        !spec.is_list() && !spec.has_mac && !spec.parts.contains(&SetPart::Interface)
    }

    fn changes(&self, hash: super::KeyHash, [least, most]: [usize; 2]) -> Result<Changes, Full> {
        let spec = &self.set.spec;
        let layout = Layout { key: spec.key_len().div_ceil(8), mac: false, counters: spec.counters };
        let wanted = spec.taking.most.map_or(most, |elements| (elements as usize).saturating_mul(8));
        let fresh = Fresh::new(layout, hash, wanted.clamp(least, most))?;
        Ok(Changes { fresh, prefixes: [Lengths::default(), Lengths::default()] })
    }

    /// Tells workers how many elements the table has, and what prefixes they have.
    pub(super) fn tell_base(&self) {
        let Some(opened) = &self.opened else { return };
        let tally = &opened.open.tally;
        tally.elements.set_base(self.live as u64);
        let nets = self.set.spec.parts.iter().filter(|part| **part == SetPart::Net).count();
        for (sums, counts) in tally.prefixes.iter().zip(&*self.counts).take(nets) {
            sums.iter().zip(counts).for_each(|(sum, count)| sum.set_base((*count).into()));
        }
    }
}

impl super::Set {
    /// What became of an element, as it is now.
    fn as_edit(&self, key: &Key, now: Time) -> ElementEdit {
        let Body::Elements(elements) = &self.body else { return ElementEdit { key: Vec::new(), beside: None } };
        let found = elements.table.find(key).filter(|found| !found.beside.is_over(now.millis()));
        let beside = found.map(|found| {
            let counters = elements.table.counters(found);
            let counters = counters.map(|(packets, bytes)| (packets.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed)));
            let expires_in = found.beside.expires.saturating_sub(now.millis());
            Said { expires_in, nomatch: found.beside.nomatch, counters, ..Said::default() }
        });
        ElementEdit { key: said(&self.spec, bytes_of(key)), beside }
    }
}

/// From now on it is the tables alone that say what was gathered.
fn let_go(moved: Moved) {
    for (changes, note, became) in moved.0 {
        // One that has changed meanwhile is gathered again.
        changes.fresh.exchange(note, became, Became::Quiet);
    }
}

/// What was counted here since it was taken over is counted there; where nothing is there any more, nowhere.
fn move_counters(fresh: &Fresh, note: usize, elements: &super::Elements) {
    let Some((packets, bytes)) = fresh.counters(note) else { return };
    let more = (packets.load(Ordering::Acquire), bytes.load(Ordering::Acquire));
    // An exchange sees the last word: if an element came just now and has begun to count, these are its own; else what is counted has a key.
    if more == (0, 0) || !fresh.exchange(note, Became::Quiet, Became::Quiet) {
        return;
    }
    let take = |count: &AtomicU64, seen| count.compare_exchange(seen, 0, Ordering::Relaxed, Ordering::Relaxed).unwrap_or(0);
    // What is counted in this moment waits until the next time.
    elements.table.add_counters(&fresh.key(note), take(packets, more.0), take(bytes, more.1));
}
