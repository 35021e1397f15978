//! On which lists of `connlimit` a flow is.
//!
//! A connection is on a list from the packet that put it there until it ends, or its TCP is over (TIME_WAIT, CLOSE): it leaves at once, so that
//! nobody has to look through the list to find out who lives ([`super::counts`]). What few flows have stands
//! in a slab of its own: a flow's entries are chained from its rare attributes.
//!
//! One writer: the worker that owns the table.

use std::sync::Arc;

use packet::Family;
use packet::family::Addr;
use program::StateSlot;
use siphasher::sip::SipHasher13;
use thiserror::Error;

use super::counts::{Counts, Full, List};
use super::entry::{Dir, Flow, FlowId, Protocol, Status};
use super::extra::ExtrasFull;
use super::table::FlowTable;
use super::tcp::TcpState;
use crate::drop::DropReason;

/// Lists that a flow can be on: those of a few rules, each by source and by destination.
const MOST: usize = 32;
/// Entries for each flow with rare attributes.
const EACH: u32 = 2;

/// Whose list it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<A> {
    /// The rules, and the rule among them.
    pub(crate) rules: Rules,
    /// See there.
    pub(crate) state: StateSlot,
    /// Under the rule's mask.
    pub(crate) address: A,
    /// The connection's zone.
    pub(crate) zone: u16,
}

/// The lists of one family. Shared by all workers.
pub(crate) struct Lists {
    counts: Counts,
    hasher: SipHasher13,
}

/// Most buckets, for some 130,000 addresses, and flows for each that there may be.
const BUCKETS: u32 = 16_384;
const FLOWS_EACH: u32 = 16;

impl Lists {
    /// For a box of so many flows. Random keys are told to nobody: whoever sends must not choose where his list stands.
    pub(crate) fn new(flows: u32, key: [u64; 2]) -> Self {
        let counts = Counts::new((flows / FLOWS_EACH).min(BUCKETS) as usize);
        Self { counts, hasher: SipHasher13::new_with_keys(key[0], key[1]) }
    }

    fn of<A: Addr>(&self, key: &Key<A>) -> List {
        let mut bytes = [0u8; 27];
        key.address.write(&mut bytes);
        let rest = &mut bytes[A::LEN..A::LEN + 11];
        rest[..4].copy_from_slice(&key.rules.load.to_le_bytes());
        rest[4..8].copy_from_slice(&key.state.0.to_le_bytes());
        rest[8..10].copy_from_slice(&key.zone.to_le_bytes());
        rest[10] = key.rules.table;
        List(self.hasher.hash(&bytes[..A::LEN + 11]))
    }
}

impl core::fmt::Debug for Lists {
    /// Without the keys.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Lists").finish_non_exhaustive()
    }
}

/// The rules whose list it is: one loading of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Which table.
    pub(crate) table: u8,
    /// Which loading of it.
    pub(crate) load: u32,
}

/// Why a packet could not be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Uncounted {
    /// There is no room for the list, or for the flow on it.
    #[error("no room for a list of connections, or on it")]
    Lists,
    /// No room for what few flows have.
    #[error(transparent)]
    Extras(#[from] ExtrasFull),
}

impl From<Uncounted> for DropReason {
    fn from(uncounted: Uncounted) -> Self {
        match uncounted {
            Uncounted::Lists => Self::ConnlimitFull,
            Uncounted::Extras(ExtrasFull) => Self::ConntrackExtrasFull,
        }
    }
}

impl From<Full> for Uncounted {
    fn from(_: Full) -> Self {
        Self::Lists
    }
}

#[derive(Clone, Copy)]
struct Entry {
    list: List,
    rules: Rules,
    /// Under which of its tuples it is on it.
    dir: Dir,
    /// Next of the flow, or of the free ones; 0 is none.
    next: u32,
}

/// The entries of all flows. Numbers begin with 1.
pub(super) struct Entries {
    cells: Vec<Entry>,
    most: u32,
    free: u32,
}

impl Entries {
    /// For a table in which so many flows have rare attributes.
    pub(super) fn new(extras: u32) -> Self {
        let most = extras.saturating_mul(EACH);
        Self { cells: Vec::with_capacity(most as usize), most, free: 0 }
    }

    /// Bytes of such a slab.
    pub(super) fn bytes(extras: u32) -> usize {
        extras.saturating_mul(EACH) as usize * size_of::<Entry>()
    }

    /// Has the kernel back it now.
    pub(super) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(self.cells.spare_capacity_mut())
    }

    fn get(&self, number: u32) -> Option<&Entry> {
        self.cells.get((number as usize).wrapping_sub(1))
    }

    fn insert(&mut self, entry: Entry) -> Option<u32> {
        if let Some(cell) = self.cells.get_mut((self.free as usize).wrapping_sub(1)) {
            let number = core::mem::replace(&mut self.free, cell.next);
            *cell = entry;
            return Some(number);
        }
        (self.cells.len() < self.most as usize).then(|| {
            self.cells.push(entry);
            self.cells.len() as u32
        })
    }

    /// Gives an entry back; the answer is the one behind it.
    fn remove(&mut self, number: u32) -> u32 {
        match self.cells.get_mut((number as usize).wrapping_sub(1)) {
            Some(cell) => {
                let next = core::mem::replace(&mut cell.next, self.free);
                self.free = number;
                next
            }
            None => 0,
        }
    }
}

impl<F: Family> FlowTable<F> {
    /// Lets its flows be on the lists of `connlimit` that all workers share. To be called once, while the table is made.
    pub(crate) fn counting(mut self, lists: Arc<Lists>) -> Self {
        self.lists = lists;
        self
    }

    /// Counts a packet for a list: how long it is, its own connection included. As in the kernel (`nf_conncount.c`) one that is not ASSURED is put on
    /// the list, while a packet of an ASSURED one only has the list looked through, which may turn out to be empty (0), unless there is none
    /// yet. `found` is how the packet's tuple lies in the flow, where tracking has not given it that flow. A packet without a connection is one itself,
    /// until the list is looked through.
    pub(crate) fn count_for(&mut self, id: Option<FlowId>, found: Dir, key: &Key<F::Addr>) -> Result<u32, Uncounted> {
        let list = self.lists.of(key);
        let counts = &self.lists.counts;
        let Some((id, flow)) = id.and_then(|id| Some((id, self.get(id)?))) else { return Ok(counts.haunt(list)?) };
        if flow.status.has(Status::ASSURED)
            && let Some(connections) = counts.look_through(list)
        {
            return Ok(connections);
        }
        if flow.status.has(Status::DYING) || is_over(flow) {
            return Ok(counts.haunt(list)?);
        }
        let entry = Entry { list, rules: key.rules, dir: found, next: 0 };
        // What begins is not looked for: as often as its first packet comes to the rule, so often it is counted for good.
        let is_known = flow.is_confirmed();
        match counts.get(list) {
            Some(length) if is_known && self.is_on(id, &entry) => Ok(length),
            _ => self.put_on(id, entry),
        }
    }

    fn is_on(&self, id: FlowId, wanted: &Entry) -> bool {
        let first = self.entries.get(self.extra(id).counted);
        core::iter::successors(first, |entry| self.entries.get(entry.next))
            .any(|entry| (entry.list, entry.dir) == (wanted.list, wanted.dir))
    }

    fn put_on(&mut self, id: FlowId, entry: Entry) -> Result<u32, Uncounted> {
        if self.leave_stale(id, entry.rules) >= MOST {
            return Err(Uncounted::Lists);
        }
        let next = self.extra_mut(id)?.map_or(0, |extra| extra.counted);
        let number = self.entries.insert(Entry { next, ..entry }).ok_or(Uncounted::Lists)?;
        let connections = match self.lists.counts.enter(entry.list) {
            Ok(connections) => connections,
            Err(Full) => {
                self.entries.remove(number);
                return Err(Uncounted::Lists);
            }
        };
        if let Ok(Some(extra)) = self.extra_mut(id) {
            extra.counted = number;
        }
        self.set_status(id, Status::COUNTED);
        Ok(connections)
    }

    /// Takes a flow off the lists of rules that were replaced; says on how many it is then.
    fn leave_stale(&mut self, id: FlowId, rules: Rules) -> usize {
        let (mut kept, mut last, mut at) = (0, 0, self.extra(id).counted);
        while let Some(&Entry { list, rules: other, next, .. }) = self.entries.get(at) {
            if other.table == rules.table && other.load != rules.load {
                self.lists.counts.leave(list, false);
                self.entries.remove(at);
                match self.entries.cells.get_mut((last as usize).wrapping_sub(1)) {
                    Some(before) => before.next = next,
                    None => {
                        if let Ok(Some(extra)) = self.extra_mut(id) {
                            extra.counted = next;
                        }
                    }
                }
            } else {
                kept += 1;
                last = at;
            }
            at = next;
        }
        kept
    }

    /// Takes a flow off all its lists. To be called when it ends, and when it is over.
    pub(super) fn leave_lists(&mut self, slot: u32) {
        let flow = &mut self.slots[slot as usize].flow;
        if !flow.status.has(Status::COUNTED) {
            return;
        }
        flow.status.clear(Status::COUNTED);
        let refused = !flow.is_confirmed();
        let Some(extra) = self.extras.get_mut(self.asides[slot as usize].extra) else { return };
        let mut at = core::mem::take(&mut extra.counted);
        while let Some(entry) = self.entries.get(at) {
            self.lists.counts.leave(entry.list, refused);
            at = self.entries.remove(at);
        }
    }

    /// Takes a flow off its lists if a packet has ended its connection.
    #[inline]
    pub(super) fn leave_lists_when_over(&mut self, id: FlowId) {
        if self.get(id).is_some_and(|flow| flow.status.has(Status::COUNTED) && is_over(flow)) {
            self.leave_lists(id.slot);
        }
    }
}

/// Does it only wait for its time (`already_closed` of `nf_conncount.c`)?
fn is_over<F: Family>(flow: &Flow<F>) -> bool {
    matches!(&flow.protocol, Protocol::Tcp(tcp) if matches!(tcp.state(), TcpState::TimeWait | TcpState::Close))
}
