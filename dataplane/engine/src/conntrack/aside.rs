//! What of a flow its packets rarely come to: a column beside the slab, so that the two lines of a slot hold all that a packet asks.
//!
//! A packet writes here when a counter's lower half has gone round, a rule when it masquerades, the table when a flow begins and ends, and when it
//! gets rare attributes ([`super::extra`]). Whether there is something to ask for stands in the flow ([`super::entry::Flow::has_extra`],
//! [`super::entry::Flow::is_masqueraded`]).
//!
//! One writer: the worker that owns the table.

use packet::Family;
use program::{EventSet, InterfaceId};

use super::entry::{Dir, Flow, FlowId, Rounds};
use super::extra;
use super::table::FlowTable;
use super::wheel;

/// What stands beside one slot: half a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub(super) struct Aside {
    /// Upper halves of the counters, by direction.
    upper: [Upper; 2],
    /// Number of its rare attributes ([`super::extra`]).
    pub(super) extra: u32,
    /// The interface whose address MASQUERADE took.
    masquerade: InterfaceId,
    /// What `CT --ctevents` leaves out of what is told of it.
    muted: EventSet,
    /// A slot that is in the wheel is in none of the lists of free, dying and returning slots: the timer's link serves these too.
    pub(super) timer: wheel::Link,
}

const _: () = assert!(size_of::<Aside>() == 32);

#[derive(Clone, Copy, Debug, Default)]
struct Upper {
    packets: u32,
    bytes: u32,
}

impl Aside {
    /// Of a flow that begins, in no list.
    pub(super) const NEW: Self = Self {
        upper: [Upper { packets: 0, bytes: 0 }; 2],
        extra: extra::NONE,
        masquerade: InterfaceId::NONE,
        muted: EventSet(0),
        timer: wheel::Link::UNLINKED,
    };
}

/// What one direction of a flow has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets.
    pub packets: u64,
    /// Bytes, IP headers included.
    pub bytes: u64,
}

impl<F: Family> FlowTable<F> {
    /// What a flow has carried, by direction ([`Dir::index`]); `None` for a flow that ended.
    pub fn counts(&self, id: FlowId) -> Option<[Counts; 2]> {
        let (flow, aside) = (self.get(id)?, self.asides.get(id.slot as usize)?);
        let whole = |upper: u32, lower: u32| u64::from(upper) << u32::BITS | u64::from(lower);
        Some([Dir::Original, Dir::Reply].map(|dir| {
            let (upper, (packets, bytes)) = (aside.upper[dir.index()], flow.counted(dir));
            Counts { packets: whole(upper.packets, packets), bytes: whole(upper.bytes, bytes) }
        }))
    }

    /// A flow's counts begin anew.
    pub(crate) fn forget_counts(&mut self, id: FlowId) {
        if let Some(flow) = self.get_mut(id) {
            flow.set_counted(Dir::Original, (0, 0));
            flow.set_counted(Dir::Reply, (0, 0));
            self.asides[id.slot as usize].upper = Default::default();
        }
    }

    /// Notes which of a direction's lower halves have gone round.
    #[inline(always)]
    pub(super) fn carry(&mut self, slot: u32, dir: Dir, rounds: Rounds) {
        if rounds != Rounds::default() {
            self.carry_over(slot, dir, rounds);
        }
    }

    #[cold]
    fn carry_over(&mut self, slot: u32, dir: Dir, rounds: Rounds) {
        let upper = &mut self.asides[slot as usize].upper[dir.index()];
        upper.packets = upper.packets.wrapping_add(u32::from(rounds.packets));
        upper.bytes = upper.bytes.wrapping_add(u32::from(rounds.bytes));
    }

    /// These are not told of a flow.
    pub(super) fn mute(&mut self, id: FlowId, events: EventSet) {
        if let Some(flow) = self.get_mut(id)
            && !events.is_empty()
        {
            flow.note_mute();
            self.asides[id.slot as usize].muted = events;
        }
    }

    /// What `CT --ctevents` leaves out of what is told of a flow.
    pub(super) fn muted(&self, id: FlowId) -> EventSet {
        let is_mute = self.get(id).is_some_and(Flow::is_mute);
        if is_mute { self.asides[id.slot as usize].muted } else { EventSet::default() }
    }

    /// A flow's source is the address of this interface.
    pub(crate) fn masquerade(&mut self, id: FlowId, interface: InterfaceId) {
        if let Some(flow) = self.get_mut(id) {
            flow.note_masquerade();
            self.asides[id.slot as usize].masquerade = interface;
        }
    }

    /// The interface whose address MASQUERADE took for a flow; `None` without MASQUERADE.
    pub(crate) fn masqueraded(&self, id: FlowId) -> Option<InterfaceId> {
        self.get(id).filter(|flow| flow.is_masqueraded()).map(|_| self.asides[id.slot as usize].masquerade)
    }

    /// A packet of a masqueraded flow leaves by another interface than the one whose address it carries: the kernel ends the flow and
    /// drops the packet. To be asked in POSTROUTING.
    #[inline]
    pub fn masquerade_moved(&self, id: FlowId, dir: Dir, out: InterfaceId) -> bool {
        dir == Dir::Original && self.masqueraded(id).is_some_and(|interface| interface != out)
    }
}

#[cfg(test)]
mod tests {
    use packet::{Ipv4, Tuple, TupleL4};
    use program::{CtAction, TimeoutId};

    use super::*;
    use crate::conntrack::{Flow, FlowConfig, Protocol};
    use crate::time::Time;

    fn table_with_a_flow() -> (FlowTable<Ipv4>, FlowId) {
        let mut table = FlowTable::new(FlowConfig { capacity: 4, extras: 4, hash_key: [1, 2] });
        let tuple = Tuple { src: 1, dst: 2, protocol: 17, l4: TupleL4::Ports { src: 3, dst: 4 } };
        let flow = Flow::new(&tuple, CtAction::default(), TimeoutId::NONE, Protocol::Generic, Time(1)).expect("it has answers");
        let id = table.insert(flow, Time(0)).expect("there is room");
        (table, id)
    }

    fn account(table: &mut FlowTable<Ipv4>, id: FlowId, dir: Dir, bytes: u32) {
        let rounds = table.get_mut(id).expect("it lives").account(dir, bytes);
        table.carry(id.slot, dir, rounds);
    }

    #[test]
    fn counts_are_exact_in_64_bits() {
        let (mut table, id) = table_with_a_flow();
        let mut bytes = 0;
        for size in [u32::MAX, 1, u32::MAX, 65_535, 7] {
            account(&mut table, id, Dir::Original, size);
            bytes += u64::from(size);
        }
        account(&mut table, id, Dir::Reply, 9);
        let whole = |table: &FlowTable<Ipv4>| table.counts(id).expect("it lives");
        assert_eq!(whole(&table), [Counts { packets: 5, bytes }, Counts { packets: 1, bytes: 9 }]);
        // A packet more than the lower half has room for.
        table.asides[id.slot as usize].upper[0].packets = 6;
        table.get_mut(id).expect("it lives").set_counted(Dir::Original, (u32::MAX, 5));
        account(&mut table, id, Dir::Original, 2);
        assert_eq!(whole(&table)[0].packets, 7 << 32);
        table.forget_counts(id);
        assert_eq!(whole(&table), [Counts::default(); 2]);
        table.release(id);
        assert_eq!(table.counts(id), None);
    }

    #[test]
    fn a_slot_that_is_used_again_has_nothing_of_the_flow_before() {
        let (mut table, id) = table_with_a_flow();
        account(&mut table, id, Dir::Reply, u32::MAX);
        account(&mut table, id, Dir::Reply, u32::MAX);
        table.masquerade(id, InterfaceId(3));
        assert!(table.masquerade_moved(id, Dir::Original, InterfaceId(2)));
        assert!(
            !table.masquerade_moved(id, Dir::Reply, InterfaceId(2)) && !table.masquerade_moved(id, Dir::Original, InterfaceId(3))
        );
        table.extra_mut(id).expect("there is room").expect("it lives").label = program::LabelId(5);
        let flow = *table.get(id).expect("it lives");
        table.release(id);
        assert_eq!((table.masqueraded(id), table.extras()), (None, 0));
        let fresh = Flow::new(&flow.tuple(Dir::Original), CtAction::default(), TimeoutId::NONE, Protocol::Generic, Time(1));
        let again = table.insert(fresh.expect("it has answers"), Time(0)).expect("there is room");
        assert_eq!(again.slot, id.slot);
        assert_eq!(table.counts(again), Some([Counts::default(); 2]));
        assert_eq!((table.masqueraded(again), table.extra(again).label), (None, program::LabelId(0)));
    }
}
