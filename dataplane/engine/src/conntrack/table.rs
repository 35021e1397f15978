//! The flows of one worker: a slab of fixed capacity, its indexes, its timers.
//!
//! A flow's life: made *unconfirmed* by [`FlowTable::track`] (in the slab, in no index), then either *confirmed* when its first packet got
//! through (both tuples enter the index, the timer starts) or *released* when that was dropped. A confirmed flow ends by its timer, or is
//! killed (a refused connection, a reopened one): it leaves the indexes at once, and its slot is freed by the next
//! [`FlowTable::expire`], so that the packet at hand can still be translated by it.
//!
//! Nothing is allocated after [`FlowTable::new`]; a full table refuses. A flow past its time is not found any more, whether or not the timer
//! has come round to it. One writer: the worker. Others ask by message.

use std::sync::Arc;

use packet::{Family, Ipv4, Ipv6, Tuple};
use program::CtAction;
use thiserror::Error;

use super::ahead::Ahead;
use super::aside::Aside;
use super::assist::{Assist, Assists};
use super::claims::Claims;
use super::counted::{Entries, Lists};
use super::entry::{Dir, Flow, FlowId, FlowKind, Status, zone_of};
use super::expect::Expectations;
use super::extra::{self, Extra, Extras, ExtrasFull};
use super::hash::{TupleHash, source_port};
use super::index::Place;
use super::index::TupleIndex;
#[cfg(not(test))]
use super::index::TupleIndex as Index;
use super::limit::Sweep;
#[cfg(test)]
use super::model::Index;
use super::sources::{self, Sources};
use super::starts::Starts;
use super::tally::Tally;
use super::wheel::{self, Wheel};
use crate::credits::Purse;
use crate::events::{Changes, Events, Kind};
use crate::shared::Shared;
use crate::time::Time;
use crate::trace;

/// How many flows a source's chain is searched for: the kernel has no bound here, a packet's cost must.
const SOURCE_SEARCH: usize = 256;
const NIL: u32 = u32::MAX;

/// How a table is made.
#[derive(Clone, Copy, Debug)]
pub struct FlowConfig {
    /// Most flows at a time, unconfirmed ones included. At most 2^30.
    pub capacity: u32,
    /// Most flows with rare attributes at a time.
    pub extras: u32,
    /// Key of the hash of tuples: random, and told to nobody.
    pub hash_key: [u64; 2],
}

/// No slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the flow table is full")]
pub struct TableFull;

/// What [`FlowTable::next_from`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A flow.
    Flow(FlowId),
    /// The steps are used up; on from this slot.
    Paused(u32),
    /// There is none.
    End,
}

/// A tuple of the flow is in the table already, or has no place in the index (which only a broken hash can bring about): its first packet must be
/// dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("another flow has this tuple")]
pub struct Clash;

/// A flow in the slab, with all that a packet of it asks: two cache lines in IPv4, three in IPv6. The rest stands in [`Aside`].
#[repr(C, align(64))]
pub(super) struct Slot<F: Family> {
    /// Odd while the slot has a tenant.
    generation: u32,
    pub(super) flow: Flow<F>,
    /// Where the timer looks at it.
    pub(super) bucket: wheel::Bucket,
    /// Numbers of the traces of both directions.
    pub(super) traces: [u32; 2],
}

const _: () = assert!(size_of::<Slot<Ipv4>>() == 128 && size_of::<Slot<Ipv6>>() == 192);
// With two entries of the index at a load of seven eighths, and a link and a head of the second index.
const _: () = assert!((size_of::<Slot<Ipv4>>() + size_of::<Aside>() + 2 * 4 + 4) * 7 + 2 * 64 <= 192 * 7);

impl<F: Family> Slot<F> {
    #[inline]
    pub(super) fn is_live(&self) -> bool {
        self.generation & 1 == 1
    }

    #[inline]
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    #[inline]
    pub(super) fn is_listed(&self) -> bool {
        self.is_live() && self.flow.is_confirmed() && !self.flow.status.has(Status::DYING)
    }
}

/// The table.
pub struct FlowTable<F: Family> {
    pub(super) slots: Vec<Slot<F>>,
    /// Beside each of them.
    pub(super) asides: Vec<Aside>,
    capacity: u32,
    live: u32,
    free: u32,
    pub(super) dying: u32,
    /// Flows that ended, and whose claims are not given back yet.
    pub(super) returning: u32,
    /// What other workers have claimed of the tuples that hash here.
    pub(super) claims: Claims<F>,
    /// The limit of all workers together, and what this one has borrowed of it.
    pub(super) limit: Option<Arc<Shared>>,
    pub(super) purse: Purse,
    pub(super) hash: TupleHash,
    pub(super) index: Index,
    pub(super) sources: Sources,
    pub(super) wheel: Wheel,
    pub(super) extras: Extras,
    pub(super) assists: Assists<F>,
    /// Shared by all workers.
    pub(super) lists: Arc<Lists>,
    /// On which of them its flows are.
    pub(super) entries: Entries,
    /// Shared by all workers.
    pub(super) expectations: Arc<Expectations<F>>,
    /// Where the sweep through them goes on.
    pub(super) expectations_at: usize,
    /// The number of the worker.
    worker: u16,
    kinds: [u32; FlowKind::ALL.len()],
    pub(super) ahead: Ahead,
    pub(super) tally: Tally,
    pub(super) sweep: Sweep,
    pub(super) starts: Starts,
    /// Packets of its flows have traces.
    pub(super) traced: bool,
    /// Who is told what becomes of flows.
    pub(super) events: Arc<Events>,
    /// When it was last asked for anything.
    pub(super) now: Time,
}

impl<F: Family> FlowTable<F> {
    /// A table with all the memory that it will ever have.
    ///
    /// # Panics
    /// When the capacity is near 2^30: the configuration has a limit of its own.
    pub fn new(config: FlowConfig) -> Self {
        assert!(config.capacity <= sources::SLOTS, "a slot and what is beside its number must fit 32 bits");
        let capacity = config.capacity as usize;
        Self {
            slots: Vec::with_capacity(capacity),
            asides: Vec::with_capacity(capacity),
            capacity: config.capacity,
            live: 0,
            free: NIL,
            dying: NIL,
            returning: NIL,
            claims: Claims::new(0),
            limit: None,
            purse: Purse::default(),
            hash: TupleHash::new(config.hash_key),
            index: Index::new(2 * capacity),
            sources: Sources::new(capacity),
            wheel: Wheel::new(),
            extras: Extras::new(config.extras),
            assists: Assists::new(config.extras),
            lists: Arc::new(Lists::new(0, config.hash_key)),
            entries: Entries::new(config.extras),
            expectations: Arc::new(Expectations::new(0, config.hash_key)),
            expectations_at: 0,
            worker: 0,
            kinds: [0; FlowKind::ALL.len()],
            ahead: Ahead::default(),
            tally: Tally::default(),
            sweep: Sweep::default(),
            starts: Starts::default(),
            traced: false,
            events: Arc::new(Events::unheard()),
            now: Time(0),
        }
    }

    /// Lets its flows announce others, as worker number `worker` of those that share the expectations. To be called once, while the table is
    /// made.
    pub(crate) fn announcing(mut self, expectations: Arc<Expectations<F>>, worker: u16) -> Self {
        (self.expectations, self.worker) = (expectations, worker);
        self
    }

    /// What tracking did with packets.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Flows, unconfirmed ones included.
    pub fn len(&self) -> usize {
        self.live as usize
    }

    /// No flow at all?
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Most flows.
    pub fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// Confirmed flows of a kind.
    pub fn count(&self, kind: FlowKind) -> u32 {
        self.kinds[kind.index()]
    }

    /// The same of all kinds, by [`FlowKind::index`].
    pub(crate) fn kinds(&self) -> &[u32; FlowKind::ALL.len()] {
        &self.kinds
    }

    /// The flow, unless it ended. A killed one is still here until the next [`FlowTable::expire`].
    #[inline]
    pub fn get(&self, id: FlowId) -> Option<&Flow<F>> {
        self.slots.get(id.slot as usize).filter(|slot| slot.generation == id.generation).map(|slot| &slot.flow)
    }

    /// As [`FlowTable::get`], to write what is the walk's to write.
    #[inline]
    pub fn get_mut(&mut self, id: FlowId) -> Option<&mut Flow<F>> {
        self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation).map(|slot| &mut slot.flow)
    }

    /// The flow's rare attributes: neutral while none was written, and for a flow that ended.
    #[inline]
    pub fn extra(&self, id: FlowId) -> &Extra {
        self.extras.get(self.extra_number(id))
    }

    /// The flow's rare attributes, to write: a flow that has none gets them. `None` when the flow ended.
    pub fn extra_mut(&mut self, id: FlowId) -> Result<Option<&mut Extra>, ExtrasFull> {
        let Some(slot) = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation) else {
            return Ok(None);
        };
        let number = &mut self.asides[id.slot as usize].extra;
        if *number == extra::NONE {
            *number = self.extras.take()?;
            slot.flow.note_extra();
        }
        Ok(self.extras.get_mut(*number))
    }

    /// The number of the flow's rare attributes.
    #[inline]
    fn extra_number(&self, id: FlowId) -> u32 {
        let has_one = self.get(id).is_some_and(Flow::has_extra);
        if has_one { self.asides[id.slot as usize].extra } else { extra::NONE }
    }

    /// What a flow has that a helper reads or announced.
    #[inline]
    pub fn assist(&self, id: FlowId) -> Option<&Assist<F>> {
        // Most flows have none, which is known with the flow.
        self.get(id).filter(|flow| flow.has_extra())?;
        self.assists.get(self.extra(id).assist)
    }

    /// As [`FlowTable::assist`], to write.
    pub(crate) fn assist_mut(&mut self, id: FlowId) -> Option<&mut Assist<F>> {
        self.assists.get_mut(self.extra(id).assist)
    }

    /// Gives a flow an [`Assist`].
    pub(super) fn attach(&mut self, id: FlowId, entry: Assist<F>) -> Result<(), ExtrasFull> {
        let at = self.assists.insert(entry).ok_or(ExtrasFull)?;
        match self.extra_mut(id) {
            Ok(Some(extra)) => extra.assist = at,
            Ok(None) => self.assists.remove(at),
            Err(full) => {
                self.assists.remove(at);
                return Err(full);
            }
        }
        Ok(())
    }

    /// Flows that have an [`Assist`].
    pub fn assisted(&self) -> usize {
        self.assists.len()
    }

    /// What is expected, by flows of any worker.
    pub fn expectations(&self) -> &Expectations<F> {
        &self.expectations
    }

    /// The number of the worker.
    pub(crate) fn worker(&self) -> u16 {
        self.worker
    }

    /// Adds to what became of a flow.
    pub(crate) fn set_status(&mut self, id: FlowId, status: Status) {
        if let Some(flow) = self.get_mut(id) {
            flow.status.set(status);
            if status.has(Status::SEQ_ADJUST) {
                flow.note(Changes::SEQ_ADJUST);
            }
        }
    }

    /// Flows with rare attributes.
    pub fn extras(&self) -> usize {
        self.extras.len()
    }

    /// Bytes of a table of this capacity, everything that is set aside with it included.
    pub fn bytes(capacity: u32, extras: u32, claims: u32, timed: bool) -> u64 {
        let flows = capacity as usize;
        let own = flows * (size_of::<Slot<F>>() + size_of::<Aside>()) + TupleIndex::bytes(2 * flows) + Sources::bytes(flows);
        (own + if timed { Starts::bytes(capacity) } else { 0 }
            + Extras::bytes(extras)
            + Assists::<F>::bytes(extras)
            + Entries::bytes(extras)
            + Claims::<F>::bytes(claims)) as u64
    }

    /// Has the kernel back the whole table now, on huge pages where it can.
    pub fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(self.slots.spare_capacity_mut())?;
        memory::set_aside(self.asides.spare_capacity_mut())?;
        self.index.set_aside()?;
        self.sources.set_aside()?;
        self.claims.set_aside()?;
        self.extras.set_aside()?;
        self.starts.set_aside()?;
        self.assists.set_aside()?;
        self.entries.set_aside()
    }

    /// Every confirmed flow that was not killed, in the order of slots. Some may be past their time. Looks at every slot: for those who own the
    /// worker, and not while packets wait ([`FlowTable::next_from`]).
    pub fn iter(&self) -> impl Iterator<Item = (FlowId, &Flow<F>)> {
        self.slots
            .iter()
            .zip(0..)
            .filter_map(|(entry, slot)| entry.is_listed().then_some((FlowId { slot, generation: entry.generation }, &entry.flow)))
    }

    /// Is the flow in the table: confirmed, and not ended?
    pub(crate) fn is_confirmed(&self, id: FlowId) -> bool {
        self.slots.get(id.slot as usize).is_some_and(|slot| slot.generation == id.generation && slot.is_listed())
    }

    /// The first confirmed flow that was not killed from a slot on; takes one of `steps` for each slot that it looks at.
    pub fn next_from(&self, slot: u32, steps: &mut usize) -> Next {
        let mut at = slot;
        while let Some(entry) = self.slots.get(at as usize) {
            if *steps == 0 {
                return Next::Paused(at);
            }
            *steps -= 1;
            if entry.is_listed() {
                return Next::Flow(FlowId { slot: at, generation: entry.generation });
            }
            at += 1;
        }
        Next::End
    }

    /// Which flow a packet of this tuple belongs to, within a zone, and in which direction. A flow past its time is ended on the way.
    pub fn find(&mut self, tuple: &Tuple<F>, zone: CtAction, now: Time) -> Option<(FlowId, Dir)> {
        loop {
            let place = self.lookup(tuple, zone)?;
            if self.slots[place.slot() as usize].flow.expires() > now {
                return Some((self.id(place.slot()), place.dir()));
            }
            self.now = now;
            self.kill_slot(place.slot());
        }
    }

    fn lookup(&mut self, tuple: &Tuple<F>, zone: CtAction) -> Option<Place> {
        let (original, reply) = (zone_of(zone, Dir::Original), zone_of(zone, Dir::Reply));
        let hash = self.hash.tuple(tuple, original);
        let same = |place: Place| {
            let flow = &self.slots[place.slot() as usize].flow;
            let dir = place.dir();
            flow.tuple(dir) == *tuple && flow.zone_of(dir) == zone_of(zone, dir)
        };
        let found = self.index.find(hash, same);
        if found.is_some() || original == reply {
            return found;
        }
        self.index.find(self.hash.tuple(tuple, reply), same)
    }

    /// The flows that have the source (and protocol and zone) of `tuple` in their original direction and whose source NAT is decided, newest
    /// first; at most a bounded number of a chain is looked at.
    pub(crate) fn of_source(&self, tuple: &Tuple<F>, zone: CtAction) -> impl Iterator<Item = &Flow<F>> {
        let zone = zone_of(zone, Dir::Original);
        let wanted = (tuple.src, source_port(tuple.l4), tuple.protocol, zone);
        self.sources.chain(self.hash.source(tuple, zone)).take(SOURCE_SEARCH).map(|slot| &self.slots[slot as usize].flow).filter(
            move |flow| {
                let original = flow.tuple(Dir::Original);
                (original.src, source_port(original.l4), original.protocol, flow.zone_of(Dir::Original)) == wanted
            },
        )
    }

    /// Lets [`FlowTable::of_source`] find the flow.
    pub(crate) fn list_source(&mut self, id: FlowId) {
        if let Some(flow) = self.get(id) {
            let hash = self.hash.source(&flow.tuple(Dir::Original), flow.zone_of(Dir::Original));
            self.sources.remove(id.slot, hash);
            self.sources.insert(id.slot, hash);
        }
    }

    /// Puts an unconfirmed flow into a slot; at the limit, into that of a flow that must give way to it.
    pub(crate) fn insert(&mut self, flow: Flow<F>, now: Time) -> Result<FlowId, TableFull> {
        let has_room = self.live < self.capacity && self.borrow();
        if !(has_room || self.make_way(&flow, now) && self.borrow()) {
            return Err(TableFull);
        }
        let slot = if self.free != NIL {
            let slot = self.free;
            let entry = &mut self.slots[slot as usize];
            let aside = &mut self.asides[slot as usize];
            self.free = aside.timer.other();
            *aside = Aside::NEW;
            entry.flow = flow;
            entry.generation = entry.generation.wrapping_add(1);
            entry.traces = [trace::NONE; 2];
            slot
        } else {
            self.slots.push(Slot { generation: 1, flow, bucket: wheel::Bucket::NONE, traces: [trace::NONE; 2] });
            self.asides.push(Aside::NEW);
            self.starts.add();
            self.sources.add();
            (self.slots.len() - 1) as u32
        };
        self.live += 1;
        Ok(self.id(slot))
    }

    /// The flow's first packet got through: its tuples enter the index, its time begins to run. Does nothing for a confirmed flow, so that it
    /// may be called for every packet of the original direction.
    ///
    /// After a [`Clash`] the caller drops the packet and releases the flow.
    pub fn confirm(&mut self, id: FlowId, now: Time) -> Result<(), Clash> {
        self.enlist(id, now).inspect_err(|_| {
            self.tally.insert_failed += 1;
            self.tally.drop += 1;
        })
    }

    fn enlist(&mut self, id: FlowId, now: Time) -> Result<(), Clash> {
        self.now = now;
        let Some(flow) = self.get(id) else { return Ok(()) };
        if flow.is_confirmed() {
            return Ok(());
        }
        let zone = flow.zone();
        let (original, reply) = (flow.tuple(Dir::Original), flow.tuple(Dir::Reply));
        let (zone_original, zone_reply) = (zone_of(zone, Dir::Original), zone_of(zone, Dir::Reply));
        let (hash_original, hash_reply) = (self.hash.tuple(&original, zone_original), self.hash.tuple(&reply, zone_reply));
        for (tuple, hash) in [(&original, hash_original), (&reply, hash_reply)] {
            while let Some(place) = self.index.find(hash, |place| {
                let other = &self.slots[place.slot() as usize].flow;
                other.tuple(place.dir()) == *tuple && other.zone_of(place.dir()) == zone_of(zone, place.dir())
            }) {
                if self.slots[place.slot() as usize].flow.expires() > now {
                    return Err(Clash);
                }
                self.kill_slot(place.slot());
            }
            if self.is_claimed(tuple, zone_reply) {
                return Err(Clash);
            }
        }
        if !self.index.has_room() {
            return Err(Clash);
        }
        self.index.insert(hash_reply, Place::new(id.slot, Dir::Reply));
        if !is_one_tuple(&self.slots[id.slot as usize].flow) {
            self.index.insert(hash_original, Place::new(id.slot, Dir::Original));
        }
        let flow = &mut self.slots[id.slot as usize].flow;
        flow.status.set(Status::CONFIRMED);
        self.kinds[flow.kind().index()] += 1;
        self.starts.note(id.slot, now);
        self.arm(id.slot, now);
        self.tell(id.slot, Kind::New);
        Ok(())
    }

    /// Ends an unconfirmed flow whose first packet was dropped: nothing stays behind. Does nothing for any other.
    pub fn release(&mut self, id: FlowId) {
        match self.get(id) {
            Some(flow) if flow.is_confirmed() || flow.status.has(Status::DYING) => {}
            Some(flow) if flow.status.has(Status::CLAIMED) => self.await_return(id.slot),
            Some(_) => self.free_slot(id.slot),
            None => {}
        }
    }

    /// Ends a confirmed flow at once (`conntrack -D`, a refused connection): no packet finds it any more. The one at hand may use it until the
    /// next [`FlowTable::expire`].
    pub fn kill(&mut self, id: FlowId) {
        if self.get(id).is_some_and(|flow| flow.is_confirmed()) {
            self.kill_slot(id.slot);
        }
    }

    /// Changes a flow by a packet, and keeps timers and counts true to it.
    #[inline]
    pub(crate) fn update<R>(&mut self, id: FlowId, now: Time, change: impl FnOnce(&mut Flow<F>) -> R) -> R {
        let flow = &mut self.slots[id.slot as usize].flow;
        let (kind, expires) = (flow.kind().index(), flow.expires());
        let result = change(flow);
        if flow.is_confirmed() && !flow.status.has(Status::DYING) {
            let became = flow.kind().index();
            if became != kind {
                self.kinds[kind] -= 1;
                self.kinds[became] += 1;
            }
            if flow.expires() < expires {
                self.come_sooner(id.slot, now);
            }
        }
        result
    }

    /// The flow in a slot, be it live or not.
    #[inline]
    pub(crate) fn in_slot(&self, slot: u32) -> &Flow<F> {
        &self.slots[slot as usize].flow
    }

    pub(super) fn is_listed(&self, slot: u32) -> bool {
        self.slots.get(slot as usize).is_some_and(Slot::is_listed)
    }

    /// Slots that were ever used: all others lie behind them.
    pub(super) fn slots_in_use(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn id(&self, slot: u32) -> FlowId {
        FlowId { slot, generation: self.slots[slot as usize].generation }
    }

    /// Does nothing for a slot that is dying already.
    pub(super) fn kill_slot(&mut self, slot: u32) {
        if self.slots[slot as usize].flow.status.has(Status::DYING) {
            return;
        }
        self.unlist(slot);
        self.disarm(slot);
        self.expect_nothing(slot);
        if self.slots[slot as usize].flow.status.has(Status::CLAIMED) {
            return self.await_return(slot);
        }
        self.slots[slot as usize].flow.status.set(Status::DYING);
        self.asides[slot as usize].timer.set_other(self.dying);
        self.dying = slot;
    }

    /// Frees the slot of a killed flow; says whether there was one.
    pub(super) fn bury(&mut self) -> bool {
        let slot = self.dying;
        if slot == NIL {
            return false;
        }
        self.dying = self.asides[slot as usize].timer.other();
        self.free_slot(slot);
        true
    }

    /// Takes a confirmed flow out of the indexes and counts.
    pub(super) fn unlist(&mut self, slot: u32) {
        self.tell(slot, Kind::Destroy);
        self.leave_lists(slot);
        let flow = &self.slots[slot as usize].flow;
        let original = (!is_one_tuple(flow)).then_some(Dir::Original);
        for dir in original.into_iter().chain([Dir::Reply]) {
            self.index.remove(self.hash.tuple(&flow.tuple(dir), flow.zone_of(dir)), Place::new(slot, dir));
        }
        self.kinds[flow.kind().index()] -= 1;
        self.forget_source(slot);
    }

    pub(super) fn forget_source(&mut self, slot: u32) {
        let flow = self.in_slot(slot);
        if flow.status.has(Status::SRC_NAT_DONE) {
            let hash = self.hash.source(&flow.tuple(Dir::Original), flow.zone_of(Dir::Original));
            self.sources.remove(slot, hash);
        }
    }

    pub(super) fn free_slot(&mut self, slot: u32) {
        self.forget_source(slot);
        self.expect_nothing(slot);
        self.leave_lists(slot);
        let (entry, aside) = (&mut self.slots[slot as usize], &mut self.asides[slot as usize]);
        self.assists.remove(self.extras.get(aside.extra).assist);
        self.extras.give_back(aside.extra);
        aside.extra = extra::NONE;
        entry.generation = entry.generation.wrapping_add(1);
        aside.timer.set_other(self.free);
        self.free = slot;
        self.live -= 1;
        if self.limit.is_some() {
            self.purse.put(1);
        }
    }
}

/// A host that talks to itself has one tuple for both directions: it is listed once, and whatever comes is taken for a reply, as in the kernel.
fn is_one_tuple<F: Family>(flow: &Flow<F>) -> bool {
    flow.tuple(Dir::Original) == flow.tuple(Dir::Reply) && flow.zone_of(Dir::Original) == flow.zone_of(Dir::Reply)
}
