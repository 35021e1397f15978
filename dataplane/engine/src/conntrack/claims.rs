//! Tuples that another worker's flow has taken: claims, as the arbiter of a tuple keeps them.
//!
//! The worker to which a tuple hashes is its arbiter: whatever is in use of the tuples that hash there stands in its table, as a flow of its own or
//! as a *stub* that names the worker and the flow. A flow whose reply tuple hashes elsewhere is confirmed only after the arbiter has put a stub
//! in (`crate::walk::claim`). When it ends, its slot is not used again before the claim is given back.
//!
//! One writer and reader: the worker that owns the table. All memory is allocated when it is made.

use packet::{Family, Tuple};
use program::CtAction;

use super::entry::{Dir, FlowId, Status, zone_of};
use super::index::{Place, TupleIndex};
use super::table::FlowTable;
use crate::owner::Home;
use crate::time::Time;

const NIL: u32 = u32::MAX;

/// Whose a claimed tuple is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keeper {
    pub(crate) worker: u16,
    pub(crate) flow: FlowId,
}

/// A claim given back by its worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release<F: Family> {
    pub(crate) reply: Tuple<F>,
    /// The zone of the reply direction.
    pub(crate) zone: u16,
    pub(crate) keeper: Keeper,
}

struct Stub<F: Family> {
    reply: Tuple<F>,
    zone: u16,
    keeper: Keeper,
    /// Hash of the flow's original tuple: a worker has one flow of a tuple, so a second claim with the same one replaces the first.
    original: u64,
    /// Next in the list of free stubs.
    next: u32,
}

/// The stubs of a table.
pub(crate) struct Claims<F: Family> {
    index: TupleIndex,
    stubs: Vec<Stub<F>>,
    capacity: u32,
    free: u32,
    live: u32,
}

impl<F: Family> Claims<F> {
    /// Room for so many.
    pub(crate) fn new(capacity: u32) -> Self {
        let room = capacity as usize;
        Self { index: TupleIndex::new(room), stubs: Vec::with_capacity(room), capacity, free: NIL, live: 0 }
    }

    /// Bytes of so many.
    pub(super) fn bytes(capacity: u32) -> usize {
        capacity as usize * size_of::<Stub<F>>() + TupleIndex::bytes(capacity as usize)
    }

    /// Has the kernel back them now.
    pub(super) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(self.stubs.spare_capacity_mut())?;
        self.index.set_aside()
    }

    fn find(&self, hash: u64, reply: &Tuple<F>, zone: u16) -> Option<u32> {
        let same = |place: Place| {
            let stub = &self.stubs[place.slot() as usize];
            stub.reply == *reply && stub.zone == zone
        };
        self.index.find(hash, same).map(Place::slot)
    }

    fn insert(&mut self, hash: u64, stub: Stub<F>) -> bool {
        if !self.index.has_room() {
            return false;
        }
        let slot = if self.free != NIL {
            let slot = self.free;
            self.free = self.stubs[slot as usize].next;
            self.stubs[slot as usize] = stub;
            slot
        } else if self.stubs.len() < self.capacity as usize {
            self.stubs.push(stub);
            self.stubs.len() as u32 - 1
        } else {
            return false;
        };
        self.index.insert(hash, Place::new(slot, Dir::Reply));
        self.live += 1;
        true
    }

    fn remove(&mut self, hash: u64, slot: u32) {
        self.index.remove(hash, Place::new(slot, Dir::Reply));
        self.stubs[slot as usize].next = self.free;
        self.free = slot;
        self.live -= 1;
    }
}

impl<F: Family> FlowTable<F> {
    /// Makes room for claims of other workers. To be called once, while the table is made.
    pub(crate) fn arbitrating(mut self, claims: u32) -> Self {
        self.claims = Claims::new(claims);
        self
    }

    /// Claims of other workers that this table keeps.
    pub fn claimed(&self) -> usize {
        self.claims.live as usize
    }

    /// The other worker's flow to which a tuple belongs, within a zone.
    pub(crate) fn keeper_of(&self, tuple: &Tuple<F>, zone: CtAction) -> Option<Keeper> {
        if self.claims.live == 0 {
            return None;
        }
        let zone = zone_of(zone, Dir::Reply);
        let slot = self.claims.find(self.hash.tuple(tuple, zone), tuple, zone)?;
        Some(self.claims.stubs[slot as usize].keeper)
    }

    /// Is a tuple another worker's, within the zone of a reply direction?
    pub(super) fn is_claimed(&self, tuple: &Tuple<F>, zone: u16) -> bool {
        self.claims.live > 0 && self.claims.find(self.hash.tuple(tuple, zone), tuple, zone).is_some()
    }

    /// Gives a tuple to another worker's flow, which begins with `original`; `false` when it is taken or there is no room.
    pub(crate) fn grant(&mut self, reply: &Tuple<F>, zone: CtAction, original: &Tuple<F>, keeper: Keeper, now: Time) -> bool {
        let wanted = self.hash.tuple(original, zone_of(zone, Dir::Original));
        let reply_zone = zone_of(zone, Dir::Reply);
        let hash = self.hash.tuple(reply, reply_zone);
        if self.is_in_use(reply, zone, original, now) {
            self.tally.found += 1;
            return false;
        }
        if let Some(slot) = self.claims.find(hash, reply, reply_zone) {
            let stub = &mut self.claims.stubs[slot as usize];
            let earlier_life = stub.keeper.worker == keeper.worker && stub.original == wanted;
            if earlier_life {
                stub.keeper = keeper;
            }
            return earlier_life;
        }
        self.claims.insert(hash, Stub { reply: *reply, zone: reply_zone, keeper, original: wanted, next: NIL })
    }

    /// Takes a claim back. One that was replaced meanwhile stays.
    pub(crate) fn take_back(&mut self, release: &Release<F>) {
        let hash = self.hash.tuple(&release.reply, release.zone);
        if let Some(slot) = self.claims.find(hash, &release.reply, release.zone)
            && self.claims.stubs[slot as usize].keeper == release.keeper
        {
            self.claims.remove(hash, slot);
        }
    }

    /// Would the flow's replies come to a worker that does not keep their tuple for it?
    pub(crate) fn is_homeless(&self, id: FlowId, home: &Home) -> bool {
        self.get(id).is_some_and(|flow| !flow.status.has(Status::CLAIMED) && !home.is_mine(&flow.tuple(Dir::Reply)))
    }

    /// Notes that the flow's reply tuple is kept for it by another worker.
    pub(crate) fn note_claim(&mut self, id: FlowId) {
        if let Some(flow) = self.get_mut(id) {
            flow.status.set(Status::CLAIMED);
        }
    }

    /// Gives back the claims of flows that ended, as long as `send` takes them. The slots of those are freed by the next
    /// [`FlowTable::expire`].
    pub(crate) fn return_claims(&mut self, me: u16, mut send: impl FnMut(Release<F>) -> bool) {
        while self.returning != NIL {
            let slot = self.returning;
            let id = self.id(slot);
            let entry = &mut self.slots[slot as usize];
            let keeper = Keeper { worker: me, flow: id };
            if !send(Release { reply: entry.flow.tuple(Dir::Reply), zone: entry.flow.zone_of(Dir::Reply), keeper }) {
                return;
            }
            entry.flow.status.clear(Status::CLAIMED);
            let timer = &mut self.asides[slot as usize].timer;
            self.returning = timer.other();
            timer.set_other(self.dying);
            self.dying = slot;
        }
    }

    /// A flow that ended goes to those whose claims are to be given back. It is in no index any more.
    pub(super) fn await_return(&mut self, slot: u32) {
        self.forget_source(slot);
        self.expect_nothing(slot);
        self.slots[slot as usize].flow.status.set(Status::DYING);
        self.asides[slot as usize].timer.set_other(self.returning);
        self.returning = slot;
    }
}

#[cfg(test)]
mod tests {
    use packet::Ipv4;

    use super::*;
    use crate::conntrack::frames::Frame;
    use crate::conntrack::{Clash, FlowConfig, Packet, Settings};

    const NOW: Time = Time(1_000_000_000_000);
    const ZONE: CtAction =
        CtAction { zone: 0, directions: program::Directions::Both, helper: None, timeout: None, muted: program::EventSet(0) };

    fn table(claims: u32) -> FlowTable<Ipv4> {
        FlowTable::new(FlowConfig { capacity: 8, extras: 0, hash_key: [1, 2] }).arbitrating(claims)
    }

    fn keeper(worker: u16, slot: u32) -> Keeper {
        Keeper { worker, flow: FlowId { slot, generation: 1 } }
    }

    fn tuple(port: u16) -> Tuple<Ipv4> {
        Tuple::of(&Frame::udp(1, 2, port, 53, b"x").header()).expect("it has ports")
    }

    /// The flow that a packet with this tuple begins, unconfirmed.
    fn begin(table: &mut FlowTable<Ipv4>, port: u16) -> FlowId {
        let frame = Frame::udp(1, 2, port, 53, b"x");
        let header = frame.header();
        let packet = Packet {
            header: &header,
            head: &frame.bytes,
            checksum_ok: true,
            zone: ZONE,
            timeouts: program::TimeoutId::NONE,
            said: Default::default(),
            now: NOW,
        };
        table.track(&packet, &Settings::default()).expect("there is room").flow.expect("it begins a flow")
    }

    #[test]
    fn a_claimed_tuple_is_nobody_elses_until_it_is_given_back() {
        let mut table = table(4);
        assert!(table.grant(&tuple(7), ZONE, &tuple(100), keeper(1, 5), NOW));
        assert_eq!(table.keeper_of(&tuple(7), ZONE), Some(keeper(1, 5)));
        assert!(!table.grant(&tuple(7), ZONE, &tuple(101), keeper(2, 5), NOW), "another worker");
        assert!(!table.grant(&tuple(7), ZONE, &tuple(101), keeper(1, 6), NOW), "another flow of the same worker");
        let other = Release { reply: tuple(7), zone: 0, keeper: keeper(2, 5) };
        table.take_back(&other);
        assert_eq!(table.claimed(), 1, "whoever has no claim gives none back");
        table.take_back(&Release { keeper: keeper(1, 5), ..other });
        assert_eq!((table.claimed(), table.keeper_of(&tuple(7), ZONE)), (0, None));
        assert!(table.grant(&tuple(7), ZONE, &tuple(101), keeper(2, 5), NOW));
    }

    #[test]
    fn a_flow_that_began_before_its_tuple_was_claimed_is_not_confirmed_after() {
        let mut table = table(4);
        let id = begin(&mut table, 7);
        assert!(table.grant(&tuple(7), ZONE, &tuple(100), keeper(1, 5), NOW));
        assert_eq!(table.confirm(id, NOW), Err(Clash));
    }

    #[test]
    fn a_tuple_of_a_flow_here_is_not_granted() {
        let mut table = table(4);
        let id = begin(&mut table, 7);
        table.confirm(id, NOW).expect("nobody else has it");
        assert!(!table.grant(&tuple(7), ZONE, &tuple(100), keeper(1, 5), NOW));
        assert!(!table.grant(&tuple(7).invert().expect("udp"), ZONE, &tuple(100), keeper(1, 5), NOW), "nor its reply");
    }

    #[test]
    fn a_flow_that_begins_again_takes_the_place_of_its_earlier_life() {
        let mut table = table(4);
        assert!(table.grant(&tuple(7), ZONE, &tuple(100), keeper(1, 5), NOW));
        assert!(table.grant(&tuple(7), ZONE, &tuple(100), keeper(1, 6), NOW));
        table.take_back(&Release { reply: tuple(7), zone: 0, keeper: keeper(1, 5) });
        assert_eq!(
            table.keeper_of(&tuple(7), ZONE),
            Some(keeper(1, 6)),
            "a claim given back late takes nothing from its successor"
        );
    }

    #[test]
    fn a_full_table_of_claims_refuses() {
        let mut table = table(2);
        let granted = (0..3).filter(|port| table.grant(&tuple(*port), ZONE, &tuple(100 + port), keeper(1, 5), NOW)).count();
        assert_eq!(granted, 2);
    }

    #[test]
    fn the_slot_of_a_flow_is_not_used_again_before_its_claim_went_back() {
        let mut table = table(4);
        let id = begin(&mut table, 7);
        table.note_claim(id);
        table.confirm(id, NOW).expect("nobody else has it");
        table.kill(id);
        table.expire(NOW, 100);
        assert_eq!(table.len(), 1, "the way is full");
        table.return_claims(3, |_| false);
        table.expire(NOW, 100);
        assert_eq!(table.len(), 1);
        let mut sent = Vec::new();
        table.return_claims(3, |release| {
            sent.push((release.reply, release.keeper));
            true
        });
        table.expire(NOW, 100);
        assert_eq!(table.len(), 0);
        assert_eq!(sent, [(tuple(7).invert().expect("udp"), Keeper { worker: 3, flow: id })]);
    }
}
