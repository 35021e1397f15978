//! The short way: a packet of a confirmed flow that is like one before it goes where that one went ([`crate::trace`]).
//!
//! Tracking sees every packet. One whose flow stands where it was looked for ahead is tracked and sent before it meets even the raw table, whose
//! counters belong to its trace. One to which the raw table has done something has a trace that begins behind tracking.
//!
//! Only what belongs to a flow in the table comes here; all else walks: what tracking finds INVALID, what begins a flow, errors, fragments,
//! packets with options, and those that a router has to say something about.

use core::ops::ControlFlow;
use std::sync::Arc;

use packet::{Family, Fragment, Header, L4, ether, hop};
use program::{Change, CtAction, InterfaceId, TableKind, TimeoutId};

use super::{Walk, Way};
use crate::buffer::Buffer;
use crate::burst::{Arrival, Link, Origin, Packet};
use crate::conntrack::{self, CtInfo, Dir, Flow, FlowId, Said, Status, Tracked};
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::hooks::conntrack::checksum_is_right;
use crate::host::Neighbour;
use crate::nat::{self, Side};
use crate::outside::Outside;
use crate::snapshot::TableState;
use crate::stateful::limit;
use crate::time::Time;
use crate::trace::{self, Begins, Guard, Key, Leave, Outlived, Place, Renewed, Seen};

/// A packet that may have a trace.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    id: FlowId,
    dir: Dir,
    key: Key,
}

/// What became of a packet that has met no rule.
pub(crate) enum Retraced<B> {
    /// It is gone.
    Sent,
    /// Nothing has happened to it.
    Walks(B),
    /// It was tracked, and does not belong to its flow: it walks, without being tracked again.
    Tracked(B, Tracked),
}

/// TCP and UDP without options or extension headers, in one piece, directly behind the Ethernet header, with hops left: what a router has nothing to
/// say about but by its length.
#[inline(always)]
pub(super) fn is_plain<F: Family>(header: &Header<F>) -> bool {
    matches!(header.transport, L4::Tcp { .. } | L4::Udp { .. })
        && header.fragment == Fragment::Whole
        && usize::from(header.l3) == ether::HEADER_LEN
        && usize::from(header.l4 - header.l3) == F::HEADER_LEN
        && header.ttl > 1
}

/// TCP's flags; of others there are none.
#[inline(always)]
fn flags<F: Family>(header: &Header<F>) -> u8 {
    if let L4::Tcp { flags, .. } = header.transport { flags } else { 0 }
}

/// What is to be known of a packet that has met no rule, where rules look at the `tested` ones of TCP's flags.
#[inline(always)]
pub(super) fn seen<F: Family>(header: &Header<F>, input: InterfaceId, connmark: u32, new: bool, tested: u8) -> Seen {
    let flags = flags(header) & tested;
    Seen { mark: 0, connmark, input, tos: header.tos, flags, new, from: Begins::BeforeRaw }
}

/// May this packet leave that way? That a masqueraded flow leaves by another interface than before need not be asked: the way is that of a packet of this
/// same flow, behind which no rule masqueraded it.
#[inline(always)]
pub(super) fn holds<F: Family>(leave: &Leave, header: &Header<F>) -> bool {
    header.len <= leave.mtu
}

/// All these limits refuse the packet. One of them that does not is asked again on the walk; one that did says the same there.
#[inline(always)]
pub(super) fn are_refusing(guards: &[Guard], states: &[Arc<TableState>; 5], now: Time) -> bool {
    guards.is_empty() || are_all_refusing(guards, states, now)
}

#[inline(never)]
fn are_all_refusing(guards: &[Guard], states: &[Arc<TableState>; 5], now: Time) -> bool {
    guards.iter().all(|guard| limit::refuse(states[guard.table as usize].cell(guard.state), guard.spec, now))
}

/// What the walk would have done to the packet's bytes.
#[inline(always)]
pub(super) fn rewrite<F: Family>(
    flow: &Flow<F>,
    dir: Dir,
    leave: &Leave,
    head: &mut [u8],
    header: &Header<F>,
) -> Result<(), DropReason> {
    let (ethernet, packet) = head.split_first_chunk_mut().ok_or(DropReason::BufferLayout)?;
    if flow.status().has_any(Status::SRC_NAT.with(Status::DST_NAT)) {
        nat::translate_plain(flow, dir, packet, header).map_err(|_| DropReason::NatFailed)?;
    } else {
        hop::less::<F>(packet).map_err(|_| DropReason::BufferLayout)?;
    }
    *ethernet = leave.frame;
    Ok(())
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Says as what a tracked packet from the wire is remembered; `None` when it has to walk.
    pub(crate) fn subject(&self, packet: &Packet<'_, F, O::Buf>, from: Begins) -> Option<Subject> {
        let (dir, new) = match packet.connection.info {
            CtInfo::Established(dir) => (dir, false),
            CtInfo::New => (Dir::Original, true),
            CtInfo::Invalid | CtInfo::Untracked | CtInfo::Related(_) => return None,
        };
        let id = packet.connection.flow?;
        let header = &packet.header;
        if packet.origin != Origin::Wire(Link::Host) || !is_plain(header) || !self.cut.sizes.is_empty() {
            return None;
        }
        // Helpers, shifts of sequence numbers, SYNPROXY and labels are rare attributes.
        let flow = self.flows.get(id).filter(|flow| flow.is_confirmed() && !flow.has_extra())?;
        // What begins a connection, or would still ask the nat table, walks.
        if new
            && self.tables.get(TableKind::Nat).is_some()
            && !(nat::is_decided(flow, Side::Src) && nat::is_decided(flow, Side::Dst))
        {
            return None;
        }
        let seen = seen(header, packet.input, flow.mark, new, self.traces.flags());
        Some(Subject { id, dir, key: Seen { mark: packet.mark, from, ..seen }.into() })
    }

    /// The trace of a flow's direction, if it holds for this packet: where it stands, and the way that it is.
    #[inline(always)]
    fn trace_of(&mut self, header: &Header<F>, (id, dir): (FlowId, Dir), key: &Key) -> Option<(Place, Leave)> {
        let number = self.flows.trace(id, dir);
        let Some((place, leave, guards)) = self.traces.find(number, key) else {
            return match self.traces.outlived(number) {
                None => None,
                Some(Outlived::All) => self.trace_lingering(number, header, (id, dir), key),
                Some(Outlived::Edits) => self.trace_before(number, header, (id, dir), key),
            };
        };
        (holds(leave, header) && are_refusing(guards, self.states, self.now)).then_some((place, *leave))
    }

    /// The same of a trace that was recorded before everything may have changed: under load the most of packets have one, for as long as that is so.
    #[inline(never)]
    fn trace_lingering(&mut self, number: u32, header: &Header<F>, (id, dir): (FlowId, Dir), key: &Key) -> Option<(Place, Leave)> {
        match self.traces.linger(number, (key, flags(header)), self.now) {
            Some((place, leave)) => holds(leave, header).then_some((place, *leave)),
            None => {
                self.flows.set_trace(id, dir, trace::NONE);
                None
            }
        }
    }

    /// The same of a trace that was recorded before the last edits of the rules.
    #[cold]
    fn trace_before(&mut self, number: u32, header: &Header<F>, (id, dir): (FlowId, Dir), key: &Key) -> Option<(Place, Leave)> {
        match self.renew(number, header, (id, dir), key)? {
            Renewed::Holds(_) => self.trace_of(header, (id, dir), key),
            Renewed::Lingers(place) => {
                let leave = *self.traces.leave(place)?;
                holds(&leave, header).then_some((place, leave))
            }
            Renewed::Ended => None,
        }
    }

    /// Says what the last edits of the rules left of a trace, and has its flow know.
    fn renew(&mut self, number: u32, header: &Header<F>, (id, dir): (FlowId, Dir), key: &Key) -> Option<Renewed> {
        let redirected = nat::redirected(self.flows.get(id)?, dir, header);
        let meets = |change: &Change<F>| {
            change.may_meet(header, key.input()) || redirected.as_ref().is_some_and(|header| change.may_meet(header, key.input()))
        };
        let renewed = self.traces.renew(number, (key, flags(header)), self.lineage, self.now, meets);
        match renewed {
            Renewed::Holds(number) => self.flows.set_trace(id, dir, number),
            Renewed::Ended => self.flows.set_trace(id, dir, trace::NONE),
            Renewed::Lingers(_) => {}
        }
        Some(renewed)
    }

    /// Does the trace of packet `at`, of a connection that goes both ways, hold on behind the last edits of the rules?
    #[inline(never)]
    pub(super) fn renew_ahead(&mut self, at: usize, header: &Header<F>, input: InterfaceId) -> bool {
        let Some((id, dir)) = self.flows.ahead(at, header, self.now) else { return false };
        let number = self.flows.trace(id, dir);
        if self.traces.outlived(number) != Some(Outlived::Edits) {
            return false;
        }
        let key = seen(header, input, self.flows.in_slot(id.slot).mark, false, self.traces.flags()).into();
        matches!(self.renew(number, header, (id, dir), &key), Some(Renewed::Holds(_)))
    }

    /// Takes a packet that has met no rule yet the way of one like it: tracks it, and sends it as its trace says.
    #[inline]
    pub(crate) fn retrace(&mut self, buf: O::Buf, arrival: &mut Arrival<F>, input: InterfaceId, at: usize) -> Retraced<O::Buf> {
        let header = &mut arrival.header;
        if !self.tracking || !arrival.is_plain {
            return Retraced::Walks(buf);
        }
        let Some((id, dir)) = self.flows.ahead(at, header, self.now) else { return Retraced::Walks(buf) };
        let flow = self.flows.in_slot(id.slot);
        let new = dir == Dir::Original && !flow.status().has(Status::SEEN_REPLY);
        let key = seen(header, input, flow.mark, new, self.traces.flags()).into();
        let Some((place, leave)) = self.trace_of(header, (id, dir), &key) else { return Retraced::Walks(buf) };
        let settings = &self.snap.settings.conntrack;
        let checksum_ok = !settings.checksum || checksum_is_right(header, &buf);
        let seen = conntrack::Packet {
            header,
            head: buf.head(),
            checksum_ok,
            zone: CtAction::default(),
            timeouts: TimeoutId::NONE,
            said: Said::Nothing,
            now: self.now,
        };
        match self.flows.track_known(id, dir, &seen, settings) {
            None => return Retraced::Walks(buf),
            Some(found) if found.flow.is_none() => return Retraced::Tracked(buf, found),
            Some(_) => {}
        }
        self.go(buf, header, (id, dir), place, &leave);
        Retraced::Sent
    }

    /// Sends a tracked packet as its trace says. Gives it back when there is none for it: it walks then.
    pub(crate) fn retrace_tracked<'p>(
        &mut self,
        packet: Packet<'p, F, O::Buf>,
        subject: &Subject,
    ) -> Result<(), Packet<'p, F, O::Buf>> {
        let Subject { id, dir, ref key } = *subject;
        let Some((place, leave)) = self.trace_of(&packet.header, (id, dir), key) else { return Err(packet) };
        self.go(packet.buf, &mut packet.row.header, (id, dir), place, &leave);
        Ok(())
    }

    #[inline]
    fn go(&mut self, mut buf: O::Buf, header: &mut Header<F>, (id, dir): (FlowId, Dir), place: Place, leave: &Leave) {
        self.hops = 0;
        let flow = self.flows.in_slot(id.slot);
        match rewrite(flow, dir, leave, buf.head_mut(), header) {
            Ok(()) => {
                self.traces.count(place, header.len, self.counters);
                self.flows.tell_changes(id);
                self.out.transmit(leave.output, buf);
            }
            Err(reason) => self.drops.count(reason),
        }
    }

    /// The packet has walked: if the next one like it would go the same way, that is remembered.
    pub(crate) fn keep_trace(&mut self, packet: &Packet<'_, F, O::Buf>, subject: &Subject, end: Step<Way>) {
        if !self.traces.is_recording() {
            return;
        }
        match self.way_out(packet, end) {
            Some(leave) => {
                let number = self.traces.keep(subject.key, leave);
                self.flows.set_trace(subject.id, subject.dir, number);
            }
            None => self.traces.spoil(),
        }
    }

    /// How the packet leaves, if nobody has to be asked.
    fn way_out(&self, packet: &Packet<'_, F, O::Buf>, end: Step<Way>) -> Option<Leave> {
        let ControlFlow::Continue(Way::Send(route)) = end else { return None };
        let output = packet.output;
        let interface = self.snap.host.interface(output).filter(|interface| interface.up && !packet.to_many)?;
        let Some(Neighbour::Known(destination)) = self.host.neighbour(output, packet.next_hop) else { return None };
        let mtu = route.map_or(interface.mtu, |route| route.min(interface.mtu));
        Some(Leave { output, mtu, frame: ether::header(destination, interface.mac, F::ETHERTYPE) })
    }
}
