//! What commands changed, for whoever keeps a copy of the sets in another form.
use rules::Family;

use crate::key::{Element, KEY_MAX, all, bits};
use crate::list::Item;
use crate::options::Header;
use crate::set::{ELEMENTS_MAX, Members, Set, Touched};
use crate::store::Sets;
use crate::table::{Extra, More};
use crate::types::{Create, Dimension, Storage, Type};
use crate::walk::nothing;

/// What a set is made of, as far as it says which packets are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Its type.
    pub kind: &'static Type,
    /// Whose addresses it has.
    pub family: Option<Family>,
    /// The mask under which addresses are kept; IPv4 in the low 32 bits.
    pub mask: u128,
    /// The mask under which marks are kept.
    pub mark_mask: u32,
    /// An address that is nothing is in no such set, though an element may say it.
    pub nothing_is_none: bool,
    /// `counters`
    pub counters: bool,
    /// What packets may bring into it.
    pub taking: Taking,
}

/// What packets may bring into a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taking {
    /// Most elements, where that is bounded.
    pub most: Option<u32>,
    /// `forceadd`
    pub makes_room: bool,
    /// `timeout`
    pub seconds: Option<u32>,
    /// First and last address or port of a bitmap.
    pub range: Option<(u32, u32)>,
}

/// What stands beside an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Milliseconds until it goes; 0 if it stays.
    pub expires_in: u64,
    /// `nomatch`
    pub nomatch: bool,
    /// `wildcard`
    pub wildcard: bool,
    /// The hardware address beside the address of a `bitmap:ip,mac`.
    pub mac: Option<[u8; 6]>,
    /// Packets and bytes from which it counts on; one that is there goes on counting where they are missing.
    pub counters: Option<(u64, u64)>,
}

/// An element and what stands beside it; `None` when it is gone. The key has its parts one after the other: addresses, ports and marks with the
/// highest byte first, a network's prefix behind its address, a protocol before its port, before the 15 bytes of an interface's name a 1 if it is a
/// port of a bridge.
pub type Became = (Box<[u8]>, Option<Beside>);

/// What changed, in the order in which it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new set, which is empty.
    Created(String, Outline),
    /// A set is gone.
    Destroyed(String),
    /// A set has another name.
    Renamed(String, String),
    /// Two sets have what the other had.
    Swapped(String, String),
    /// A set is empty.
    Flushed(String),
    /// Elements came, changed or went.
    Elements(String, Vec<Became>),
    /// The sets of a list of sets, in their order.
    Listed(String, Vec<(String, Beside)>),
}

/// What leads from nothing to these sets.
pub fn whole(sets: &Sets, now: u64) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, set) in sets.iter() {
        changes.push(Change::Created(name.to_owned(), outline(set)));
        match &set.members {
            Members::List(_) => changes.push(listed(name, set, now)),
            Members::Table(elements) => {
                let mut all = Vec::with_capacity(elements.table.len());
                let length = elements.shape.length();
                elements.table.for_each(|key, beside| all.push((Box::from(&key[..length]), of(beside.as_deref(), now))));
                // What is over is not there.
                all.retain(|(_, beside)| beside.is_some());
                changes.push(Change::Elements(name.to_owned(), all));
            }
        }
    }
    changes
}

/// What a set is made of.
pub(crate) fn outline(set: &Set) -> Outline {
    let Header { family, markmask, counters, netmask, .. } = set.header;
    let kind = set.kind;
    let mask = match kind.storage {
        Storage::Hash => set.header.mask(),
        Storage::Bitmap if kind.create.contains(&Create::Netmask) => all(32) & !((1 << (32 - u32::from(netmask.min(32)))) - 1),
        Storage::Bitmap | Storage::List => all(bits(family)),
    };
    let nothing_is_none =
        kind.dimensions.iter().any(|part| matches!(part, Dimension::Address(_))) && nothing(kind, &Element::default()).is_err();
    let taking = Taking {
        most: (kind.storage == Storage::Hash).then_some(set.header.maxelem.min(ELEMENTS_MAX as u32)),
        makes_room: set.header.forceadd,
        seconds: set.header.timeout,
        range: (kind.storage == Storage::Bitmap).then_some(set.header.range),
    };
    Outline { kind, family, mask, mark_mask: markmask, nothing_is_none, counters, taking }
}

/// The sets of a list.
pub(crate) fn listed(name: &str, set: &Set, now: u64) -> Change {
    let members = match &set.members {
        Members::List(list) => {
            let all = |item: &Item| Some((item.name.to_string(), of(item.beside.as_deref(), now)?));
            list.items.iter().filter_map(all).collect()
        }
        Members::Table(_) => Vec::new(),
    };
    Change::Listed(name.to_owned(), members)
}

/// What became of the elements of these keys.
pub(crate) fn touched(set: &Set, touched: &[Touched], now: u64) -> Vec<Became> {
    let Members::Table(elements) = &set.members else { return Vec::new() };
    let length = elements.shape.length();
    let became = |touched: &Touched| {
        let beside = elements.table.get(&touched.key).and_then(|beside| of(beside.as_deref(), now))?;
        Some(Beside { counters: beside.counters.filter(|_| touched.counts_anew), ..beside })
    };
    touched.iter().map(|touched| (Box::from(&touched.key[..length]), became(touched))).collect()
}

/// None where it is over.
fn of(extra: Option<&Extra>, now: u64) -> Option<Beside> {
    let Some(extra) = extra else { return Some(Beside::default()) };
    let expires_in = if extra.expires == 0 { 0 } else { extra.expires.checked_sub(now).filter(|left| *left > 0)? };
    let counters = Some((extra.packets, extra.bytes));
    Some(Beside { expires_in, nomatch: extra.nomatch, wildcard: extra.wildcard, mac: extra.more().mac, counters })
}

/// What an element has counted, and the hardware address that packets have given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<'a> {
    /// As in [`Became`]; of a list of sets the set's name.
    pub key: &'a [u8],
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// The address.
    pub mac: Option<[u8; 6]>,
}

impl Sets {
    /// Names of those whose elements packets change.
    pub fn counting(&self) -> impl Iterator<Item = &str> {
        let counts = |set: &Set| set.header.counters || is_filled(set);
        self.iter().filter(move |(_, set)| counts(set)).map(|(name, _)| name)
    }

    /// Elements of a set have counted so much.
    pub fn count<'a>(&mut self, name: &str, all: impl IntoIterator<Item = Counted<'a>>) {
        let Some(set) = self.get_mut(name) else { return };
        let (counts, filled) = (set.header.counters, is_filled(set));
        for counted in all {
            match &mut set.members {
                Members::List(list) => {
                    let item = list.items.iter_mut().find(|item| item.name.as_bytes() == counted.key);
                    if let Some(extra) = item.and_then(|item| item.beside.as_mut()) {
                        (extra.packets, extra.bytes) = (counted.packets, counted.bytes);
                    }
                }
                Members::Table(elements) => {
                    let mut key = [0; KEY_MAX];
                    let length = counted.key.len().min(KEY_MAX);
                    key[..length].copy_from_slice(&counted.key[..length]);
                    let Some(beside) = elements.table.get_mut(&key) else { continue };
                    if counts && let Some(extra) = beside {
                        (extra.packets, extra.bytes) = (counted.packets, counted.bytes);
                    }
                    if let Some(mac) = counted.mac.filter(|_| filled) {
                        let extra = beside.get_or_insert_default();
                        if extra.more().mac.is_none() {
                            let more = More { mac: Some(mac), ..extra.more().clone() };
                            **extra = std::mem::take(&mut **extra).with(more);
                        }
                    }
                }
            }
        }
    }
}

/// Packets say which hardware address belongs to an address.
fn is_filled(set: &Set) -> bool {
    set.kind.storage == Storage::Bitmap && set.kind.dimensions.contains(&Dimension::Mac)
}
