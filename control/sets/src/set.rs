//! One set: what it was created with, its elements, and what adding, deleting and testing mean for them.
use rules::Family;
use rules::names::SetFamily;

use crate::element::Written;
use crate::fault::Refusal;
use crate::key::{Element, KEY_MAX, Shape, bits, mask};
use crate::list::List;
use crate::options::{Given, Header, Verb};
use crate::table::{Beside, Extra, More, Table};
use crate::types::{Dimension, Storage, Type};
use crate::walk::{self, Stop};

/// The most elements of a set, whatever `maxelem` says: memory is not without end.
pub(crate) const ELEMENTS_MAX: usize = 1 << 22;
/// The most interfaces beside one network, as in the kernel.
const INTERFACES_MAX: usize = 64;

/// A set.
#[derive(Clone, Debug)]
pub struct Set {
    pub(crate) kind: &'static Type,
    pub(crate) header: Header,
    pub(crate) members: Members,
}

/// Its elements.
#[derive(Clone, Debug)]
pub(crate) enum Members {
    Table(Elements),
    List(List),
}

/// Those of bitmaps and hashes.
#[derive(Clone, Debug)]
pub(crate) struct Elements {
    pub(crate) shape: Shape,
    pub(crate) table: Table,
    /// How many networks of each prefix there are, of the first and second part that is one; none where no part is.
    prefixes: Vec<[u32; 129]>,
    /// Bytes of all comments, as the kernel reckons them.
    pub(crate) comment_bytes: u64,
    /// Elements that came, changed or went, while somebody wants to know.
    pub(crate) touched: Option<Vec<Touched>>,
}

/// An element that came, changed or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) key: [u8; KEY_MAX],
    /// It counts from what stands beside it on; else it goes on.
    pub(crate) counts_anew: bool,
}

/// What an element was found as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    No,
    Yes,
    /// As an exception.
    Nomatch,
}

/// How a change is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// Milliseconds since 1970.
    pub(crate) now: u64,
    /// `-exist`
    pub(crate) exist: bool,
    /// It is of a set that was there.
    pub(crate) is_kept: bool,
}

impl Set {
    pub(crate) fn new(kind: &'static Type, header: Header) -> Set {
        let members = if kind.storage == Storage::List {
            Members::List(List::default())
        } else {
            let shape = Shape::of(kind, header.family);
            let nets = kind.dimensions.iter().filter(|dimension| matches!(dimension, Dimension::Net { .. })).count();
            let table = Table::new(shape.length());
            Members::Table(Elements { shape, table, prefixes: vec![[0; 129]; nets], comment_bytes: 0, touched: None })
        };
        Set { kind, header, members }
    }

    /// Its type.
    pub fn kind(&self) -> &'static Type {
        self.kind
    }

    /// Whose addresses it holds, as rules ask.
    pub fn family(&self) -> SetFamily {
        match self.header.family {
            None => SetFamily::Any,
            Some(Family::Ipv4) => SetFamily::Ipv4,
            Some(Family::Ipv6) => SetFamily::Ipv6,
        }
    }

    /// Elements, those whose time is over among them until somebody looks.
    pub fn len(&self) -> usize {
        match &self.members {
            Members::Table(elements) => elements.table.len(),
            Members::List(list) => list.items.len(),
        }
    }

    /// It has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Notes what elements are touched, or not.
    pub(crate) fn tell_from_now_on(&mut self, tells: bool) {
        if let Members::Table(elements) = &mut self.members {
            elements.touched = tells.then(Vec::new);
        }
    }

    /// What was noted.
    pub(crate) fn touched(&mut self) -> Vec<Touched> {
        match &mut self.members {
            Members::Table(elements) => elements.touched.take().unwrap_or_default(),
            Members::List(_) => Vec::new(),
        }
    }

    pub(crate) fn flush(&mut self) {
        match &mut self.members {
            Members::Table(elements) => {
                elements.table.clear();
                elements.prefixes.iter_mut().for_each(|counts| *counts = [0; 129]);
                elements.comment_bytes = 0;
            }
            Members::List(list) => list.items.clear(),
        }
    }

    /// Lets those go whose time is over.
    pub(crate) fn expire(&mut self, now: u64) {
        if self.header.timeout.is_none() {
            return;
        }
        match &mut self.members {
            Members::Table(elements) => elements.expire(now),
            Members::List(list) => list.items.retain(|item| !item.beside.as_ref().is_some_and(|extra| extra.is_over(now))),
        }
    }

    /// A set of the same type and options may stand for this one (`create -exist`).
    pub(crate) fn is_like(&self, kind: &Type, header: &Header) -> bool {
        let (a, b) = (&self.header, header);
        let flags = |header: &Header| (header.counters, header.comment, header.skbinfo, header.timeout);
        let of_storage = match self.kind.storage {
            Storage::Hash => (a.maxelem, a.mask_as_given(), a.markmask) == (b.maxelem, b.mask_as_given(), b.markmask),
            Storage::Bitmap => (a.range, a.netmask) == (b.range, b.netmask),
            Storage::List => a.size == b.size,
        };
        std::ptr::eq(self.kind, kind) && flags(a) == flags(b) && of_storage
    }

    /// Sets of which one may stand in the place of the other.
    pub(crate) fn may_swap(&self, other: &Set) -> bool {
        self.kind.features() == other.kind.features() && self.header.family == other.header.family
    }

    pub(crate) fn add(&mut self, written: &Written, given: &Given, when: When) -> Result<(), Stop> {
        // A port is looked at before what stands behind it.
        if self.kind.storage == Storage::Bitmap && self.kind.has_ports() {
            walk::each(self.kind, &self.header, Verb::Test, (written, when.is_kept), |_| Ok(()))?;
        }
        given.check(&self.header)?;
        let Members::Table(elements) = &mut self.members else { return Ok(()) };
        let (kind, header) = (self.kind, &self.header);
        walk::each(kind, header, Verb::Add, (written, when.is_kept), |element| {
            let mac = (kind.storage == Storage::Bitmap && written.has_mac).then_some(written.first.mac);
            elements.add(kind, header, &element, given, mac, when)
        })
    }

    pub(crate) fn delete(&mut self, written: &Written, when: When) -> Result<(), Stop> {
        let Members::Table(elements) = &mut self.members else { return Ok(()) };
        let (kind, header) = (self.kind, &self.header);
        walk::each(kind, header, Verb::Del, (written, false), |element| {
            let found = elements.find(kind, &element, when.now);
            match found.and_then(|key| elements.remove(&key).map(|beside| is_over(&beside, when.now))) {
                Some(false) => Ok(()),
                Some(true) | None if when.exist => Ok(()),
                Some(true) | None => Err(Refusal::Missing),
            }
        })
    }

    /// Whether the element is in it. What could not be in any such set is not.
    pub(crate) fn test(&self, written: &Written, given: &Given, now: u64) -> bool {
        let Members::Table(elements) = &self.members else { return false };
        let mut found = Found::No;
        let ended = walk::each(self.kind, &self.header, Verb::Test, (written, false), |element| {
            found = elements.test(self.kind, &self.header, &element, written, now);
            Ok(())
        });
        ended.is_ok() && found == if given.nomatch { Found::Nomatch } else { Found::Yes }
    }
}

fn is_over(beside: &Beside, now: u64) -> bool {
    beside.as_ref().is_some_and(|extra| extra.is_over(now))
}

impl Header {
    /// Mask of addresses, however it was written.
    fn mask_as_given(&self) -> (Option<u8>, Option<u128>) {
        (Some(self.netmask).filter(|netmask| *netmask != bits(self.family)), self.bitmask)
    }
}

/// What a comment costs beside its element.
pub(crate) fn comment_bytes(comment: &Option<Box<str>>) -> u64 {
    comment.as_ref().filter(|comment| !comment.is_empty()).map_or(0, |comment| 16 + comment.len() as u64 + 1)
}

/// What is written beside a new or renewed element. Counters stay as they were unless they are given.
pub(crate) fn renewed(header: &Header, given: &Given, before: Option<&Extra>, mac: Option<[u8; 6]>, now: u64) -> Extra {
    let before = before.filter(|extra| !extra.is_over(now));
    let seconds = given.timeout.or(header.timeout).unwrap_or(0);
    let extra = Extra {
        expires: if seconds == 0 { 0 } else { now + u64::from(seconds) * 1000 },
        packets: given.packets.or(before.map(|extra| extra.packets)).unwrap_or(0),
        bytes: given.bytes.or(before.map(|extra| extra.bytes)).unwrap_or(0),
        nomatch: given.nomatch,
        wildcard: given.wildcard,
        ..Extra::default()
    };
    extra.with(More {
        comment: given.comment.clone().filter(|comment| !comment.is_empty()),
        mark: given.mark.unwrap_or((0, 0)),
        priority: given.priority.unwrap_or(0),
        queue: given.queue.unwrap_or(0),
        mac,
    })
}

impl Elements {
    /// The key under which this element stands: its own, or that of the beginning of its interface's name.
    fn find(&self, kind: &Type, element: &Element, _now: u64) -> Option<[u8; KEY_MAX]> {
        let key = self.shape.write(element);
        if self.table.get(&key).is_some() {
            return Some(key);
        }
        if !kind.marks.wildcard {
            return None;
        }
        self.of_network(&key).into_iter().find_map(|(found, beside)| {
            let is_wildcard = beside.as_ref().is_some_and(|extra| extra.wildcard);
            let name = self.shape.read(&found).interface;
            let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            (is_wildcard && name[..length] == element.interface[..length]).then_some(found)
        })
    }

    /// All interfaces beside the same network.
    fn of_network(&self, key: &[u8; KEY_MAX]) -> Vec<([u8; KEY_MAX], &Beside)> {
        self.table.beginning(key, self.shape.length() - crate::key::INTERFACE_MAX)
    }

    fn add(
        &mut self,
        kind: &Type,
        header: &Header,
        element: &Element,
        given: &Given,
        mac: Option<[u8; 6]>,
        when: When,
    ) -> Result<(), Refusal> {
        let has_extra = header.timeout.is_some() || header.counters || header.comment || header.skbinfo;
        let found = self.find(kind, element, when.now);
        let before = found.and_then(|key| self.table.get(&key)).and_then(Option::as_deref);
        let is_there = found.is_some() && !before.is_some_and(|extra| extra.is_over(when.now));
        let before_mac = before.filter(|_| is_there).and_then(|extra| extra.more().mac);
        // An address may get its hardware address later.
        let fills = is_there && before_mac.is_none() && mac.is_some();
        if is_there && !fills && !when.exist {
            return Err(Refusal::Exists);
        }
        // What was found stays the element that it is, whole names and beginnings of names included.
        let wildcard = if found.is_some() { before.is_some_and(|extra| extra.wildcard) } else { given.wildcard };
        let element = found.map_or(*element, |key| self.shape.read(&key));
        let has_own = has_extra || given.nomatch || wildcard || mac.is_some() || before_mac.is_some();
        let renewed = || Extra { wildcard, ..renewed(header, given, before, mac.or(before_mac), when.now) };
        let beside = has_own.then(|| Box::new(renewed()));
        if found.is_none() && kind.storage == Storage::Hash {
            self.make_room(kind, header, &element, when.now)?;
        }
        if let Some(key) = found {
            self.remove(&key);
        }
        let counts_anew = !is_there || given.packets.is_some() || given.bytes.is_some();
        self.put(&element, beside, counts_anew);
        Ok(())
    }

    /// Refuses one more where there is no place for it.
    fn make_room(&mut self, kind: &Type, header: &Header, element: &Element, now: u64) -> Result<(), Refusal> {
        let limit = header.maxelem as usize;
        if self.table.len() >= limit.min(ELEMENTS_MAX) && header.timeout.is_some() {
            self.expire(now);
        }
        let key = self.shape.write(element);
        if self.table.len() >= limit {
            match self.table.next_or_first(&key).filter(|_| header.forceadd) {
                Some(other) => drop(self.remove(&other)),
                None => return Err(Refusal::Full),
            }
        }
        if self.table.len() >= ELEMENTS_MAX {
            return Err(Refusal::Memory);
        }
        if kind.marks.wildcard && self.of_network(&key).len() >= INTERFACES_MAX {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Elements in twos, of each network for itself.
    pub(crate) fn pairs(&self) -> u64 {
        let length = self.shape.length() - crate::key::INTERFACE_MAX;
        let (mut network, mut count, mut pairs) = (Vec::new(), 0u64, 0);
        self.table.for_each(|key, _| {
            if network != key[..length] {
                pairs += count.div_ceil(2);
                (network, count) = (key[..length].to_vec(), 0);
            }
            count += 1;
        });
        pairs + count.div_ceil(2)
    }

    pub(crate) fn put(&mut self, element: &Element, beside: Beside, counts_anew: bool) {
        self.comment_bytes += beside.as_ref().map_or(0, |extra| comment_bytes(&extra.more().comment));
        for (counts, prefix) in self.prefixes_of(element) {
            self.prefixes[counts][usize::from(prefix)] += 1;
        }
        let key = self.shape.write(element);
        self.table.put(&key, beside);
        self.touch(key, counts_anew);
    }

    fn touch(&mut self, key: [u8; KEY_MAX], counts_anew: bool) {
        let Some(touched) = &mut self.touched else { return };
        match touched.last_mut() {
            // It went to come again.
            Some(last) if last.key == key => last.counts_anew = counts_anew,
            _ => touched.push(Touched { key, counts_anew }),
        }
    }

    pub(crate) fn remove(&mut self, key: &[u8; KEY_MAX]) -> Option<Beside> {
        let beside = self.table.remove(key)?;
        self.touch(*key, true);
        self.comment_bytes -= beside.as_ref().map_or(0, |extra| comment_bytes(&extra.more().comment));
        let element = self.shape.read(key);
        for (counts, prefix) in self.prefixes_of(&element) {
            self.prefixes[counts][usize::from(prefix)] -= 1;
        }
        Some(beside)
    }

    /// The prefixes that count: of each network, its place among the element's networks and its bits.
    fn prefixes_of(&self, element: &Element) -> Vec<(usize, u8)> {
        match self.prefixes.len() {
            0 => Vec::new(),
            // One network: of the last part that is an address.
            1 => vec![(0, element.prefix[self.net_at()])],
            _ => vec![(0, element.prefix[0]), (1, element.prefix[1])],
        }
    }

    /// Which of the addresses is the one network.
    fn net_at(&self) -> usize {
        self.shape.net_at()
    }

    fn expire(&mut self, now: u64) {
        let mut over = Vec::new();
        self.table.for_each(|key, beside| {
            if is_over(beside, now) {
                over.push(self.shape.write(&self.shape.read(key)));
            }
        });
        for key in over {
            self.remove(&key);
        }
    }

    fn test(&self, kind: &Type, header: &Header, element: &Element, written: &Written, now: u64) -> Found {
        let bits = bits(header.family);
        let mut wanted = *element;
        if self.prefixes.is_empty() {
            return self.look(kind, &wanted, written, now);
        }
        // Only hosts are looked for in networks; a network is itself.
        let at = if self.prefixes.len() == 1 { self.net_at() } else { 0 };
        let is_host = |at: usize| element.prefix[at] == bits;
        if !is_host(at) || (self.prefixes.len() == 2 && !is_host(1)) {
            return self.look(kind, &wanted, written, now);
        }
        let present = |counts: &[u32; 129]| (0..=bits).rev().filter(|prefix| counts[usize::from(*prefix)] > 0).collect::<Vec<_>>();
        let first = present(&self.prefixes[0]);
        let second = self.prefixes.get(1).map_or(vec![0], present);
        for prefix in &first {
            (wanted.ip[at], wanted.prefix[at]) = (element.ip[at] & mask(*prefix, bits), *prefix);
            for other in &second {
                if self.prefixes.len() == 2 {
                    (wanted.ip[1], wanted.prefix[1]) = (element.ip[1] & mask(*other, bits), *other);
                }
                match self.look(kind, &wanted, written, now) {
                    Found::No => {}
                    found => return found,
                }
            }
        }
        Found::No
    }

    /// Looks for exactly this one.
    fn look(&self, kind: &Type, element: &Element, written: &Written, now: u64) -> Found {
        let Some(beside) = self.find(kind, element, now).and_then(|key| self.table.get(&key)) else { return Found::No };
        let Some(extra) = beside else { return Found::Yes };
        let has_other_mac = written.has_mac && extra.more().mac.is_some_and(|mac| mac != written.first.mac);
        match () {
            () if extra.is_over(now) || has_other_mac => Found::No,
            () if extra.nomatch => Found::Nomatch,
            () => Found::Yes,
        }
    }
}
