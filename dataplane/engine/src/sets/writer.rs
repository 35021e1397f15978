//! Who changes sets: one, on the control thread.

mod packets;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use program::set::{Beside as Said, Count, ElementEdit, MAX_SET_NAME, Member};
use program::{SetEdit, SetId, SetPart, SetSpec};
use thiserror::Error;

use packets::{Moved, Opened};

use super::open::Changes;
use super::table::{Full, Kept, KeyHash, Layout};
use super::{BEGINNING, Beside, Body, Directory, Elements, Listed, NETWORK, Set, Table, mac_word, offsets, words};
use crate::atomic::{AtomicU64, Ordering};
use crate::time::Time;

/// Cells of the notes of what packets change of a set, at least and at most: eight for each element that it may have. Packets may change half as many keys
/// between two turns. One that makes room sees more keys than it has.
const ROOM: [usize; 2] = [1024, 1 << 16];

/// Why an edit of sets was not made. Those before it were.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetFault {
    /// A set that is not there.
    #[error("there is no set {0:?}")]
    NoSet(String),
    /// A set of that name is there.
    #[error("there is a set {0:?} already")]
    Exists(String),
    /// The name is empty or too long.
    #[error("a set cannot be called {0:?}")]
    Name(String),
    /// What a set is to be made of makes no sense.
    #[error("set {0:?} is of no type that is known here")]
    Spec(String),
    /// Elements for a list of sets, or sets for another one.
    #[error("set {0:?} has no such elements")]
    Kind(String),
    /// A key that does not fit.
    #[error("set {0:?}: an element of {1} bytes")]
    Key(String, usize),
    /// No memory.
    #[error("there is no memory for set {0:?}")]
    Memory(String),
}

/// What the writer knows of a set beside what workers read.
#[derive(Debug)]
struct Place {
    name: Box<str>,
    set: Arc<Set>,
    /// Elements in its table.
    live: usize,
    /// Of each length how many elements there are: of the first and second network, and of beginnings of names.
    counts: Box<[[u32; 129]; 3]>,
    /// It stands in the published directory: workers look where the writer writes.
    is_published: bool,
    /// Packets change it.
    opened: Option<Opened>,
}

/// All sets, for the one who changes them.
#[derive(Debug)]
pub struct Sets {
    hash: KeyHash,
    by_name: HashMap<Box<str>, SetId>,
    places: Vec<Option<Place>>,
    /// Places below that nobody's name has.
    free: BTreeSet<SetId>,
    /// What is to be published, once something has changed that tables do not show.
    is_changed: bool,
    /// Tables that others took the place of, whose counters may have moved since.
    outgrown: Vec<Outgrown>,
    /// Places of sets that rules let packets change.
    wanted_open: BTreeSet<SetId>,
    /// Changes by packets so far.
    sequence: u64,
    /// Some sets have notes of packets' changes that are no longer written, and others in front of them.
    turning: bool,
    /// Those of which the tables say all.
    leaving: Vec<(SetId, Arc<Changes>, Moved)>,
    /// Those in which a worker may count still.
    left: Vec<(SetId, Arc<Changes>)>,
    /// As [`ROOM`].
    room: [usize; 2],
}

/// A table, that which came in its place, and what was counted when it did.
#[derive(Debug)]
struct Outgrown {
    old: Arc<Set>,
    new: Arc<Set>,
    then: HashMap<super::Key, (u64, u64)>,
}

impl Sets {
    /// None. Where elements stand hangs on the key, which is told to nobody.
    pub fn new(key: [u64; 2]) -> Self {
        Self::with_room(key, ROOM)
    }

    /// None, where notes of what packets change have so many cells at least and at most.
    pub(crate) fn with_room(key: [u64; 2], room: [usize; 2]) -> Self {
        let hash = KeyHash::new(key);
        let free = BTreeSet::new();
        Self {
            hash,
            by_name: HashMap::new(),
            places: Vec::new(),
            free,
            is_changed: false,
            outgrown: Vec::new(),
            wanted_open: BTreeSet::new(),
            sequence: 0,
            turning: false,
            leaving: Vec::new(),
            left: Vec::new(),
            room,
        }
    }

    /// The place of a set.
    pub fn id(&self, name: &str) -> Option<SetId> {
        self.place_of(name).filter(|id| self.place(*id).is_some())
    }

    /// The place that a set of this name has or, where a rule has named one, will have.
    pub fn place_of(&self, name: &str) -> Option<SetId> {
        self.by_name.get(name).copied()
    }

    /// Makes these edits. `is_used` says which places rules go to: these are kept for sets of the same name. A directory must be published behind it, if there is a new one.
    ///
    /// # Errors
    /// The first that cannot be made; those before it are.
    pub fn apply(&mut self, edits: &[SetEdit], now: Time, is_used: &dyn Fn(SetId) -> bool) -> Result<(), SetFault> {
        edits.iter().try_for_each(|edit| self.edit(edit, now, is_used))
    }

    /// Makes all sets be those that these edits make of nothing. Sets that are there keep their places, and elements what they have counted.
    ///
    /// # Errors
    /// Why nothing has changed.
    pub fn replace(&mut self, edits: &[SetEdit], now: Time, is_used: &dyn Fn(SetId) -> bool) -> Result<(), SetFault> {
        // Names keep their places, where nothing stands until a set comes by that name.
        let (by_name, free) = (self.by_name.clone(), self.free.clone());
        let mut next = Self { hash: self.hash, by_name, free, ..Self::with_room([0; 2], self.room) };
        next.places.resize_with(self.places.len(), || None);
        next.apply(edits, now, &|_| false)?;
        let gone: Vec<(Box<str>, SetId)> =
            next.by_name.iter().filter(|(_, id)| next.place(**id).is_none()).map(|(name, id)| (name.clone(), *id)).collect();
        for (name, id) in gone {
            if !is_used(id) {
                next.by_name.remove(&name);
                next.free.insert(id);
            }
        }
        for (id, place) in (0..).map(SetId).zip(&self.places) {
            let (Some(old), Some(new)) = (place, next.place(id)) else { continue };
            let then = keep_counts(&old.set, &new.set);
            let (old, new) = (old.set.clone(), new.set.clone());
            next.outgrown.extend((!then.is_empty()).then_some(Outgrown { old, new, then }));
        }
        next.keep_open(self, now)?;
        next.is_changed = true;
        *self = next;
        Ok(())
    }

    /// The directory to publish, if there is a new one.
    pub fn directory(&mut self) -> Option<Arc<Directory>> {
        if !std::mem::take(&mut self.is_changed) {
            return None;
        }
        self.open_wanted();
        let mut places = Vec::with_capacity(self.places.len());
        for place in &mut self.places {
            places.push(place.as_mut().map(|place| {
                place.is_published = true;
                place.set.clone()
            }));
        }
        let open = self.places.iter().map(|place| Some(place.as_ref()?.opened.as_ref()?.open.clone()));
        let open = if self.is_open() { open.collect() } else { Vec::new() };
        Some(Arc::new(Directory { places, open }))
    }

    /// Every worker goes by the directory that was published last: what they have counted by the one before is not lost.
    pub fn settle(&mut self) {
        self.settle_left();
        for outgrown in self.outgrown.drain(..) {
            let (Body::Elements(old), Body::Elements(new)) = (&outgrown.old.body, &outgrown.new.body) else { continue };
            for kept in old.table.iter() {
                let Some(then) = outgrown.then.get(&kept.key) else { continue };
                let more = (kept.counters.0.wrapping_sub(then.0), kept.counters.1.wrapping_sub(then.1));
                let counters = new.table.find(&kept.key).and_then(|found| new.table.counters(found));
                if let Some((packets, bytes)) = counters.filter(|_| more.0 > 0) {
                    packets.fetch_add(more.0, Ordering::Relaxed);
                    bytes.fetch_add(more.1, Ordering::Relaxed);
                }
            }
        }
    }

    /// What elements of a set have counted, and the hardware addresses beside them.
    pub fn counts(&self, name: &str) -> Option<Vec<Count>> {
        let set = &self.place(self.id(name)?)?.set;
        Some(match &set.body {
            Body::Elements(elements) => elements
                .table
                .iter()
                .filter(|kept| !is_network(&set.spec, &bytes_of(&kept.key)))
                .map(|kept| Count {
                    key: said(&set.spec, bytes_of(&kept.key)),
                    packets: kept.counters.0,
                    bytes: kept.counters.1,
                    mac: (kept.mac != 0).then(|| mac_of(kept.mac)),
                })
                .collect(),
            Body::List(members) => members
                .iter()
                .filter_map(|member| {
                    let (packets, bytes) = member.counters.as_ref()?;
                    let key = self.place(member.set)?.name.as_bytes().to_vec();
                    let (packets, bytes) = (packets.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed));
                    Some(Count { key, packets, bytes, mac: None })
                })
                .collect(),
        })
    }

    fn place(&self, id: SetId) -> Option<&Place> {
        self.places.get(id.index())?.as_ref()
    }

    fn known(&self, name: &str) -> Result<SetId, SetFault> {
        self.id(name).ok_or_else(|| SetFault::NoSet(name.to_owned()))
    }

    fn edit(&mut self, edit: &SetEdit, now: Time, is_used: &dyn Fn(SetId) -> bool) -> Result<(), SetFault> {
        match edit {
            SetEdit::Create { name, spec } => self.create(name, spec),
            SetEdit::Destroy { name } => {
                let id = self.known(name)?;
                self.places[id.index()] = None;
                if !is_used(id) {
                    self.by_name.remove(name.as_str());
                    self.free.insert(id);
                }
                self.is_changed = true;
                Ok(())
            }
            SetEdit::Rename { from, to } => {
                let id = self.known(from)?;
                check_name(to)?;
                if self.id(to).is_some() {
                    return Err(SetFault::Exists(to.clone()));
                }
                self.by_name.remove(from.as_str());
                self.by_name.insert(to.as_str().into(), id);
                if let Some(place) = &mut self.places[id.index()] {
                    place.name = to.as_str().into();
                }
                Ok(())
            }
            SetEdit::Swap { one, other } => {
                let (one, other) = (self.known(one)?, self.known(other)?);
                self.places.swap(one.index(), other.index());
                // The names stay where they were.
                if let Ok([Some(one), Some(other)]) = self.places.get_disjoint_mut([one.index(), other.index()]) {
                    std::mem::swap(&mut one.name, &mut other.name);
                }
                self.is_changed = true;
                Ok(())
            }
            SetEdit::Flush { name } => {
                let id = self.known(name)?;
                let spec = self.place(id).map(|place| place.set.spec.clone());
                let empty = spec.map(|spec| self.empty(name, spec)).transpose()?;
                self.places[id.index()] = empty;
                self.is_changed = true;
                Ok(())
            }
            SetEdit::Elements { name, edits } => {
                let id = self.known(name)?;
                let made = edits.iter().try_for_each(|edit| {
                    self.element(id, name, edit, now)?;
                    let mut bytes = [0; 40];
                    bytes[..edit.key.len()].copy_from_slice(&edit.key);
                    self.told(id, &words(&bytes));
                    Ok(())
                });
                if let Some(place) = self.place(id) {
                    place.tell_base();
                }
                made
            }
            SetEdit::Members { name, members } => self.members(name, members, now),
        }
    }

    fn create(&mut self, name: &str, spec: &SetSpec) -> Result<(), SetFault> {
        check_name(name)?;
        if self.id(name).is_some() {
            return Err(SetFault::Exists(name.to_owned()));
        }
        let place = self.empty(name, spec.clone())?;
        let new = SetId(self.places.len() as u32);
        let id = self.place_of(name).or_else(|| self.free.pop_first()).unwrap_or(new);
        if id.index() == self.places.len() {
            self.places.push(None);
        }
        self.places[id.index()] = Some(place);
        self.by_name.insert(name.into(), id);
        self.is_changed = true;
        Ok(())
    }

    fn empty(&self, name: &str, spec: SetSpec) -> Result<Place, SetFault> {
        let nets = spec.parts.iter().filter(|part| **part == SetPart::Net).count();
        let addresses = nets + spec.parts.iter().filter(|part| **part == SetPart::Address).count();
        let is_known = spec.key_len() <= program::set::MAX_KEY && addresses <= 2 && (1..=6).contains(&spec.dimensions);
        if !is_known {
            return Err(SetFault::Spec(name.to_owned()));
        }
        let body = if spec.is_list() {
            Body::List(Box::default())
        } else {
            let layout = Layout { key: spec.key_len().div_ceil(8), mac: spec.has_mac, counters: spec.counters };
            let table = Table::new(layout, self.hash, 0).map_err(|Full| SetFault::Memory(name.to_owned()))?;
            Body::Elements(Elements { table, prefixes: Default::default(), beginnings: Default::default() })
        };
        let set = Arc::new(Set { spec, body });
        Ok(Place { name: name.into(), set, live: 0, counts: Box::new([[0; 129]; 3]), is_published: false, opened: None })
    }

    fn element(&mut self, id: SetId, name: &str, edit: &ElementEdit, now: Time) -> Result<(), SetFault> {
        let Some(place) = self.places.get_mut(id.index()).and_then(Option::as_mut) else { return Ok(()) };
        let set = place.set.clone();
        let Body::Elements(elements) = &set.body else { return Err(SetFault::Kind(name.to_owned())) };
        let spec = &set.spec;
        if edit.key.len() != spec.key_len() {
            return Err(SetFault::Key(name.to_owned(), edit.key.len()));
        }
        let mut bytes = [0; 40];
        bytes[..edit.key.len()].copy_from_slice(&edit.key);
        let Some(said) = &edit.beside else {
            place.forget(elements, &bytes, false);
            place.forget(elements, &bytes, true);
            return Ok(());
        };
        let Said { expires_in, nomatch, wildcard, mac, counters } = *said;
        if spec.parts.contains(&SetPart::Interface) {
            place.forget(elements, &bytes, !wildcard);
        }
        let beside = Beside { expires: over_at(expires_in, now), nomatch };
        let (key, mac) = (key_of(spec, bytes, wildcard), mac.map_or(0, mac_word));
        let lengths = lengths_of(spec, &bytes, wildcard);
        // Half of the cells stay free, so that those who look soon come to one.
        let cells = elements.table.cells();
        let is_crowded = place.live << u8::from(interface_at(spec).is_some()) > cells / 2;
        if is_crowded && elements.table.find(&key).is_none() {
            self.grow(id, name, 0, now)?;
        } else if !elements.table.has_room(&key) {
            self.grow(id, name, 2 * cells, now)?;
        }
        let Some(place) = self.places.get_mut(id.index()).and_then(Option::as_mut) else { return Ok(()) };
        let Body::Elements(elements) = &place.set.body else { return Ok(()) };
        let is_new = elements.table.put(&key, beside, mac).map_err(|Full| SetFault::Memory(name.to_owned()))?;
        match counters {
            // Packets may have found it already.
            Some((packets, bytes)) if is_new => elements.table.add_counters(&key, packets, bytes),
            Some((packets, bytes)) => elements.table.set_counters(&key, packets, bytes),
            None => {}
        }
        if is_new {
            place.live += 1;
            count_network(&place.set.spec, &elements.table, &bytes, true).map_err(|Full| SetFault::Memory(name.to_owned()))?;
            for (which, length) in lengths.into_iter().enumerate() {
                let Some(length) = length else { continue };
                place.counts[which][usize::from(length)] += 1;
                elements.lengths(which).set(length, true);
            }
        }
        Ok(())
    }

    /// Puts a table with so many cells at least in a set's place, without what is over.
    fn grow(&mut self, id: SetId, name: &str, least: usize, now: Time) -> Result<(), SetFault> {
        let Some(place) = self.places.get_mut(id.index()).and_then(Option::as_mut) else { return Ok(()) };
        let Body::Elements(elements) = &place.set.body else { return Ok(()) };
        let old = place.set.clone();
        let spec = old.spec.clone();
        let is_wanted = |kept: &Kept| !is_network(&spec, &bytes_of(&kept.key)) && !kept.beside.is_over(now.millis());
        // A network may stand beside each.
        let wanted = elements.table.iter().filter(is_wanted).count() << u8::from(interface_at(&spec).is_some());
        let cells = (wanted * 4).max(elements.table.cells()).max(least);
        let table = elements.table.grown(cells, is_wanted).map_err(|Full| SetFault::Memory(name.to_owned()))?;
        let grown = Elements { table, prefixes: Default::default(), beginnings: Default::default() };
        place.live = 0;
        *place.counts = [[0; 129]; 3];
        let all: Vec<Kept> = grown.table.iter().collect();
        for kept in all {
            place.live += 1;
            let bytes = bytes_of(&kept.key);
            count_network(&spec, &grown.table, &bytes, true).map_err(|Full| SetFault::Memory(name.to_owned()))?;
            for (which, length) in lengths_of(&spec, &bytes, is_beginning(&spec, &bytes)).into_iter().enumerate() {
                let Some(length) = length else { continue };
                place.counts[which][usize::from(length)] += 1;
                grown.lengths(which).set(length, true);
            }
        }
        let then = if spec.counters { grown.table.iter().map(|kept| (kept.key, kept.counters)).collect() } else { HashMap::new() };
        place.set = Arc::new(Set { spec, body: Body::Elements(grown) });
        // What took an older one's place before anybody looked there.
        for outgrown in self.outgrown.iter_mut().filter(|outgrown| Arc::ptr_eq(&outgrown.new, &old)) {
            outgrown.new = place.set.clone();
        }
        if std::mem::take(&mut place.is_published) && place.set.spec.counters {
            self.outgrown.push(Outgrown { old, new: place.set.clone(), then });
        }
        self.is_changed = true;
        Ok(())
    }

    fn members(&mut self, name: &str, members: &[Member], now: Time) -> Result<(), SetFault> {
        let id = self.known(name)?;
        let Some(place) = self.place(id) else { return Ok(()) };
        let Body::List(before) = &place.set.body else { return Err(SetFault::Kind(name.to_owned())) };
        let spec = place.set.spec.clone();
        let mut list = Vec::with_capacity(members.len());
        for member in members {
            let set = self.known(&member.name)?;
            if self.place(set).is_some_and(|place| place.set.spec.is_list()) {
                return Err(SetFault::Kind(member.name.clone()));
            }
            let counted = before.iter().find(|other| other.set == set).and_then(|other| other.counters.as_ref());
            let counted = counted.map(|(packets, bytes)| (packets.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed)));
            let (packets, bytes) = member.counters.or(counted).unwrap_or_default();
            let counters = spec.counters.then(|| (AtomicU64::new(packets), AtomicU64::new(bytes)));
            list.push(Listed { set, expires: over_at(member.expires_in, now), counters });
        }
        let set = Arc::new(Set { spec, body: Body::List(list.into()) });
        if let Some(place) = &mut self.places[id.index()] {
            place.set = set;
        }
        self.is_changed = true;
        Ok(())
    }
}

impl Place {
    /// Takes an element out.
    fn forget(&mut self, elements: &Elements, bytes: &[u8; 40], is_wildcard: bool) {
        let spec = &self.set.spec;
        if !elements.table.remove(&key_of(spec, *bytes, is_wildcard)) {
            return;
        }
        self.live -= 1;
        count_network(spec, &elements.table, bytes, false).ok();
        for (which, length) in lengths_of(spec, bytes, is_wildcard).into_iter().enumerate() {
            let Some(length) = length else { continue };
            let count = &mut self.counts[which][usize::from(length)];
            *count -= 1;
            if *count == 0 {
                elements.lengths(which).set(length, false);
            }
        }
    }
}

impl Elements {
    /// Of the first network, the second, beginnings of names.
    fn lengths(&self, which: usize) -> &super::Lengths {
        if which == 2 { &self.beginnings } else { &self.prefixes[which] }
    }
}

fn check_name(name: &str) -> Result<(), SetFault> {
    if name.is_empty() || name.len() > MAX_SET_NAME { Err(SetFault::Name(name.to_owned())) } else { Ok(()) }
}

/// When it is over that has so long.
fn over_at(expires_in: u64, now: Time) -> u64 {
    if expires_in == 0 { 0 } else { (now.millis() + expires_in).min(1 << 60) }
}

fn bytes_of(key: &super::Key) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes.as_chunks_mut::<8>().0.iter_mut().zip(key).for_each(|(to, word)| *to = word.to_le_bytes());
    bytes
}

fn mac_of(word: u64) -> [u8; 6] {
    let [_, _, mac @ ..] = word.to_be_bytes();
    mac
}

/// Where the interface stands.
fn interface_at(spec: &SetSpec) -> Option<usize> {
    offsets(spec).find(|(_, part)| *part == SetPart::Interface).map(|(at, _)| at)
}

/// Does the key say of its interface that it is the beginning of names?
fn is_beginning(spec: &SetSpec, bytes: &[u8; 40]) -> bool {
    interface_at(spec).is_some_and(|at| bytes[at] & BEGINNING != 0)
}

/// An interface's whole name and the beginning of names are two things.
fn key_of(spec: &SetSpec, mut bytes: [u8; 40], is_wildcard: bool) -> super::Key {
    if let Some(at) = interface_at(spec).filter(|_| is_wildcard) {
        bytes[at] |= BEGINNING;
    }
    words(&bytes)
}

/// The key as it was said, without what is known of it here alone.
fn said(spec: &SetSpec, mut bytes: [u8; 40]) -> Vec<u8> {
    if let Some(at) = interface_at(spec) {
        bytes[at] &= !BEGINNING;
    }
    bytes[..spec.key_len()].to_vec()
}

/// Is it no element, but what says how many have its network?
fn is_network(spec: &SetSpec, bytes: &[u8; 40]) -> bool {
    interface_at(spec).is_some_and(|at| bytes[at] & NETWORK != 0)
}

/// One element more, or one less, has the network of this one.
fn count_network(spec: &SetSpec, table: &Table, bytes: &[u8; 40], more: bool) -> Result<(), Full> {
    let Some(at) = interface_at(spec) else { return Ok(()) };
    let mut bytes = *bytes;
    bytes[at..].fill(0);
    bytes[at] = NETWORK;
    let key = words(&bytes);
    let count = table.find(&key).map_or(0, |found| found.beside.expires);
    let count = if more { count + 1 } else { count.saturating_sub(1) };
    if count == 0 {
        table.remove(&key);
        return Ok(());
    }
    table.put(&key, Beside { expires: count, nomatch: false }, 0).map(drop)
}

/// Prefixes of the first and second network of a key, and the length of an interface's name that is a beginning.
fn lengths_of(spec: &SetSpec, bytes: &[u8; 40], is_wildcard: bool) -> [Option<u8>; 3] {
    let mut lengths = [None; 3];
    let mut nets = 0;
    for (at, part) in offsets(spec) {
        match part {
            SetPart::Net => {
                lengths[nets] = Some(bytes[at + spec.address_len()].min(128));
                nets += 1;
            }
            SetPart::Interface if is_wildcard => {
                let name = &bytes[at + 1..at + 1 + program::set::INTERFACE_NAME];
                lengths[2] = Some(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()) as u8);
            }
            _ => {}
        }
    }
    lengths
}

/// What elements of the one have counted those of the other have, too. The answer is what that was.
fn keep_counts(old: &Set, new: &Set) -> HashMap<super::Key, (u64, u64)> {
    let (has_mac, mut then) = (new.spec.has_mac, HashMap::new());
    if let (Body::Elements(old), Body::Elements(new)) = (&old.body, &new.body) {
        for kept in old.table.iter() {
            let Some(found) = new.table.find(&kept.key) else { continue };
            if kept.counters != (0, 0) {
                new.table.set_counters(&kept.key, kept.counters.0, kept.counters.1);
            }
            if new.table.counters(found).is_some() {
                then.insert(kept.key, kept.counters);
            }
            if kept.mac != 0 && has_mac {
                new.table.fill_mac(found, kept.mac);
            }
        }
    }
    if let (Body::List(old), Body::List(new)) = (&old.body, &new.body) {
        for member in old {
            let same = new.iter().find(|other| other.set == member.set).and_then(|other| other.counters.as_ref());
            if let (Some((packets, bytes)), Some((to_packets, to_bytes))) = (&member.counters, same) {
                to_packets.store(packets.load(Ordering::Relaxed), Ordering::Relaxed);
                to_bytes.store(bytes.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }
    then
}

#[cfg(test)]
mod tests;
