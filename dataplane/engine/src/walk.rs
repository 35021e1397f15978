//! The table of contents: one packet's way from where it came to where it ends, in netfilter's order.
//!
//! Parsing has happened ([`crate::walk::arrive`]); what follows runs one packet to its end. A packet ends by being sent, delivered, kept (for its
//! next hop's address, or for the rest of its fragments) or dropped by name ([`Walk::finish`]). Packets that the box makes on the way (REJECT,
//! ICMP errors) wait in a short queue until the walk of their cause has ended, and then walk themselves, before any other packet; a redirect
//! walks before its cause is forwarded.

use std::sync::Arc;

use core::ops::ControlFlow;
use packet::{Family, FamilyId};
use program::TableKind::{Filter, Mangle, Raw, Security};
use program::{Hook, InterfaceId, RuleIndex, Tables};

use crate::burst::{Arrival, Connection, Origin, Packet, Row};
use crate::conntrack::{CtInfo, Dir, FlowTable, Tracked};
use crate::counters::Counters;
use crate::drop::{DropCounters, DropReason};
use crate::frag::{Cut, Reassembly};
use crate::handoff::HandoffCounters;
use crate::helper::payload::Payload;
use crate::hooks::Step;
use crate::hooks::doors::Doors;
use crate::host::FamilyHost;
use crate::named::NamedHash;
use crate::nat::cone::Cones;
use crate::nat::shortage::Shortages;
use crate::outside::Outside;
use crate::owner::Home;
use crate::rng::Rng;
use crate::snapshot::{Lineage, Snapshot, TableState};
use crate::synproxy::cookie::Cookies;
use crate::time::Time;
use crate::trace::{Begins, Traces};
use crate::walk::firsts::Firsts;
use crate::walk::retrace::{Retraced, Subject};
use crate::wall::WallClock;

pub(crate) mod admit;
pub(crate) mod answer;
pub(crate) mod arrive;
pub(crate) mod claim;
pub(crate) mod fast_path;
pub(crate) mod firsts;
pub(crate) mod forward;
pub(crate) mod fragment;
pub(crate) mod gather;
pub(crate) mod handover;
pub(crate) mod pace;
pub(crate) mod pass_on;
pub(crate) mod retrace;
pub(crate) mod routing;
pub(crate) mod send;
pub(crate) mod waiting;

/// All that a packet's walk reads and writes, borrowed from the worker for one burst.
pub(crate) struct Walk<'w, F: Family, O: Outside> {
    pub(crate) snap: &'w Snapshot,
    pub(crate) tables: &'w Tables<F>,
    /// What stands before their hooks.
    pub(crate) doors: &'w Doors,
    pub(crate) states: &'w [Arc<TableState>; 5],
    pub(crate) host: &'w FamilyHost<F>,
    /// Does a loaded rule need connections to be tracked?
    pub(crate) tracking: bool,
    pub(crate) now: Time,
    pub(crate) flows: &'w mut FlowTable<F>,
    pub(crate) counters: &'w Counters,
    pub(crate) drops: &'w DropCounters,
    pub(crate) rng: &'w mut Rng,
    /// Packets of the box that wait for the end of their cause's walk.
    pub(crate) own: &'w mut answer::OwnQueue<F, O::Buf>,
    /// Packets that wait for their next hop's address.
    pub(crate) waiting: &'w mut waiting::Waiting<F, O::Buf>,
    /// Datagrams in the making.
    pub(crate) fragments: &'w mut Reassembly<F, O::Buf>,
    /// How the packet at hand came, if it came in pieces.
    pub(crate) cut: &'w mut Cut,
    pub(crate) pace: &'w pace::Pace,
    /// Which flows are this worker's.
    pub(crate) home: &'w Home,
    /// Where the packet at hand goes on, when its walk stops for another worker.
    pub(crate) parting: &'w mut Option<handover::Parting<F>>,
    /// Workers that have sent on the packet at hand.
    pub(crate) hops: u8,
    /// New flows that wait for another worker's word.
    pub(crate) pendings: &'w mut claim::Pendings<F, O::Buf>,
    pub(crate) handoffs: &'w HandoffCounters,
    /// What a helper reads of the packet at hand.
    pub(crate) payload: &'w mut Payload,
    /// `--fullcone`
    pub(crate) cones: &'w Cones<F>,
    /// SYNPROXY's.
    pub(crate) cookies: &'w Cookies,
    /// By which matches find what has a name.
    pub(crate) named: &'w NamedHash,
    /// By which `time` is told.
    pub(crate) wall: &'w WallClock,
    /// Pools of NAT without a free tuple.
    pub(crate) shortages: &'w mut Shortages<F>,
    /// The last edits of the rules.
    pub(crate) lineage: &'w Lineage<F>,
    /// What earlier packets did.
    pub(crate) traces: &'w mut Traces,
    pub(crate) out: &'w mut O,
}

/// Where a packet goes after all verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the TAP of the interface that it came in by.
    Deliver,
    /// To its next hop, by a route with this MTU of its own.
    Send(Option<u32>),
    /// Out, in the frame that it came in: the box's own stack has addressed it.
    SendAsItIs,
    /// To the TAP of the interface by which it would leave: SYNPROXY speaks to the box's own stack.
    ToHost,
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// A packet that came in from the wire by `input` as number `at` of its burst, to its end. Says whether it needed no walk.
    #[inline]
    pub(crate) fn arrive(&mut self, buf: O::Buf, arrival: &mut Arrival<F>, input: InterfaceId, at: usize, firsts: &Firsts) -> bool {
        match self.retrace(buf, arrival, input, at) {
            Retraced::Sent => return true,
            Retraced::Walks(buf) => self.receive(Row::new(arrival.header, arrival.origin, input).packet(buf), firsts.of(at)),
            Retraced::Tracked(buf, found) => {
                self.receive_tracked(Row::new(arrival.header, arrival.origin, input).packet(buf), found)
            }
        }
        false
    }

    /// A packet that is tracked already, and has met no rule.
    fn receive_tracked(&mut self, mut packet: Packet<'_, F, O::Buf>, found: Tracked) {
        match self.judge(&mut packet, Raw, Hook::Prerouting) {
            Step::Continue(()) => {
                packet.connection.found(found);
                self.behind_tracking(packet, None);
            }
            Step::Break(reason) => drop(self.finish(packet, Step::Break(reason))),
        }
    }

    /// A packet from the wire, to its end. It may be known which rule of the raw table it meets first.
    pub(crate) fn receive(&mut self, packet: Packet<'_, F, O::Buf>, first: Option<Option<RuleIndex>>) {
        let admitted = match self.admit(&packet) {
            Step::Continue(()) => self.steer_fragment(&packet),
            refused => refused,
        };
        if let Step::Break(reason) = admitted {
            self.finish(packet, Step::Break(reason));
            return;
        }
        let Some(mut packet) = self.whole(packet) else { return };
        // Without tracking there is no flow that could keep it.
        if self.tracking {
            self.traces.record();
        }
        let judged = match first {
            Some(first) => self.judge_from(&mut packet, Raw, Hook::Prerouting, first),
            None => self.judge(&mut packet, Raw, Hook::Prerouting),
        };
        match judged {
            Step::Continue(()) => {
                let from = if packet.is_untouched() && self.traces.is_recording() { Begins::BeforeRaw } else { Begins::Tracked };
                self.tracked_inward(packet, from);
            }
            Step::Break(reason) => drop(self.finish(packet, Step::Break(reason))),
        }
    }

    /// A packet that is through the raw table, to its end.
    pub(crate) fn tracked(&mut self, packet: Packet<'_, F, O::Buf>) {
        match packet.origin {
            Origin::Wire(_) => self.tracked_inward(packet, Begins::Tracked),
            Origin::Host => self.tracked_outward(packet, Way::SendAsItIs),
            Origin::Own => {
                let way = self.own_way(&packet);
                self.tracked_outward(packet, way);
            }
        }
    }

    #[inline(always)]
    fn tracked_inward(&mut self, mut packet: Packet<'_, F, O::Buf>, from: Begins) {
        if let Step::Break(reason) = self.track(&mut packet, Hook::Prerouting) {
            self.finish(packet, Step::Break(reason));
            return;
        }
        let subject = self.subject(&packet, from);
        if packet.told {
            // Each of its rules is to be met, and the next packet like it may not be told of.
            self.traces.spoil();
        } else if let (Begins::Tracked, Some(subject)) = (from, &subject) {
            self.tell_ahead();
            match self.retrace_tracked(packet, subject) {
                Ok(()) => return,
                Err(back) => packet = back,
            }
            self.traces.record();
        }
        self.behind_tracking(packet, subject);
    }

    fn behind_tracking(&mut self, mut packet: Packet<'_, F, O::Buf>, subject: Option<Subject>) {
        let end = match self.prerouting(&mut packet) {
            Step::Continue(routing::Inward::Forward(route)) => self.forward_path(&mut packet, &route),
            Step::Continue(routing::Inward::Local) => {
                // IPv4's rules of INPUT see whole datagrams, whether connections are tracked or not (`ip_local_deliver`).
                if F::ID == FamilyId::Ipv4 {
                    self.tell_ahead();
                    let Some(datagram) = self.gather(packet) else { return };
                    packet = datagram;
                }
                self.input_path(&mut packet)
            }
            Step::Break(reason) => Step::Break(reason),
        };
        if let Some(subject) = &subject {
            self.keep_trace(&packet, subject, end);
        }
        self.finish(packet, end);
    }

    /// A packet of the box's own stack, to its end.
    pub(crate) fn originate(&mut self, packet: Packet<'_, F, O::Buf>) {
        if let Step::Break(reason) = self.steer_fragment(&packet) {
            self.finish(packet, Step::Break(reason));
            return;
        }
        let Some(mut packet) = self.whole(packet) else { return };
        match self.judge(&mut packet, Raw, Hook::Output) {
            Step::Continue(()) => self.tracked(packet),
            Step::Break(reason) => drop(self.finish(packet, Step::Break(reason))),
        }
    }

    fn tracked_outward(&mut self, mut packet: Packet<'_, F, O::Buf>, unchanged: Way) {
        let end = self.output_path(&mut packet, unchanged);
        self.finish(packet, end);
    }

    fn prerouting(&mut self, packet: &mut Packet<'_, F, O::Buf>) -> Step<routing::Inward<F>> {
        self.judge(packet, Mangle, Hook::Prerouting)?;
        self.translate(packet, Hook::Prerouting)?;
        self.route_input(packet)
    }

    fn input_path(&mut self, packet: &mut Packet<'_, F, O::Buf>) -> Step<Way> {
        self.judge(packet, Mangle, Hook::Input)?;
        self.judge(packet, Filter, Hook::Input)?;
        self.judge(packet, Security, Hook::Input)?;
        self.leave(packet, Hook::Input, Way::Deliver)
    }

    fn forward_path(&mut self, packet: &mut Packet<'_, F, O::Buf>, route: &routing::Onward<F>) -> Step<Way> {
        self.forward(packet, route)?;
        self.tell_ahead();
        self.judge(packet, Mangle, Hook::Forward)?;
        self.judge(packet, Filter, Hook::Forward)?;
        self.judge(packet, Security, Hook::Forward)?;
        self.postrouting(packet, Way::Send(route.hop.mtu))
    }

    /// `unchanged` is the packet's way if no rule sends it elsewhere.
    fn output_path(&mut self, packet: &mut Packet<'_, F, O::Buf>, unchanged: Way) -> Step<Way> {
        self.track(packet, Hook::Output)?;
        let mut routed_by = self.route_key(packet);
        self.judge(packet, Mangle, Hook::Output)?;
        // Rules of OUTPUT go on seeing the interface of the first route, as in the kernel.
        let mut hop = self.reroute(packet, &mut routed_by)?;
        self.translate(packet, Hook::Output)?;
        hop = self.reroute(packet, &mut routed_by)?.or(hop);
        self.judge(packet, Filter, Hook::Output)?;
        self.judge(packet, Security, Hook::Output)?;
        let way = self.leave_by(packet, hop, unchanged);
        self.postrouting(packet, way)
    }

    #[inline(always)]
    fn postrouting(&mut self, packet: &mut Packet<'_, F, O::Buf>, way: Way) -> Step<Way> {
        self.judge(packet, Mangle, Hook::Postrouting)?;
        self.leave(packet, Hook::Postrouting, way)
    }

    /// Ends a packet as its walk has decided, behind the copies and answers that it caused, which walk one after another. Says whether it goes on at another worker.
    fn finish(&mut self, packet: Packet<'_, F, O::Buf>, end: Step<Way>) -> bool {
        let connection = packet.connection;
        self.tell_ahead();
        let parted = self.end(packet, end);
        self.cut.sizes.clear();
        self.hops = 0;
        if !self.own.is_empty() {
            self.walk_own();
        }
        if !parted {
            self.forget(connection, end);
        }
        parted
    }

    #[inline(always)]
    fn end(&mut self, packet: Packet<'_, F, O::Buf>, end: Step<Way>) -> bool {
        match end {
            ControlFlow::Continue(Way::Deliver) => self.out.deliver(packet.input, packet.buf),
            ControlFlow::Continue(Way::ToHost) => self.deliver_own(packet),
            ControlFlow::Continue(way) => self.send(packet, way),
            ControlFlow::Break(reason) => match self.parting.take() {
                Some(parting) => return self.part(packet, parting),
                None => self.drops.count(reason),
            },
        }
        false
    }

    /// A redirect leaves before its cause goes on (`ip_forward`), and so do copies.
    #[inline(always)]
    fn tell_ahead(&mut self) {
        if self.own.is_empty() {
            return;
        }
        self.walk_ahead();
    }

    #[inline(never)]
    fn walk_ahead(&mut self) {
        // How the cause came is none of the answer's, but is the copy's.
        let (cut, hops) = (core::mem::take(self.cut), core::mem::take(&mut self.hops));
        let parting = self.parting.take();
        self.walk_own_of(&cut);
        (*self.cut, self.hops, *self.parting) = (cut, hops, parting);
    }

    /// Walks the packets that the box has made. Each can make none itself but for what the queue holds, which bounds this.
    pub(crate) fn walk_own(&mut self) {
        self.walk_own_of(&Cut::default());
    }

    fn walk_own_of(&mut self, cut: &Cut) {
        for _ in 0..answer::OWN_WALKS {
            let Some((buf, mut row, way)) = self.own.take() else { return };
            let waiting = self.own.len();
            if way.is_some() {
                // Its pieces are the original's as well.
                self.cut.clone_from(cut);
                self.cut.melt();
            }
            let mut packet = row.packet(buf);
            let end = match self.judge(&mut packet, Raw, Hook::Output) {
                Step::Continue(()) => {
                    let way = way.unwrap_or_else(|| self.own_way(&packet));
                    self.output_path(&mut packet, way)
                }
                Step::Break(reason) => Step::Break(reason),
            };
            let connection = packet.connection;
            if !self.end(packet, end) {
                self.forget(connection, end);
            }
            self.cut.sizes.clear();
            self.own.let_pass(waiting);
        }
        while self.own.take().is_some() {
            self.drops.count(DropReason::OwnQueueFull);
        }
    }

    /// A dropped first packet leaves no flow behind.
    fn forget(&mut self, connection: Connection, end: Step<Way>) {
        if let (CtInfo::New | CtInfo::Related(Dir::Original), Some(id), ControlFlow::Break(_)) =
            (connection.info, connection.flow, end)
        {
            self.flows.release(id);
        }
    }
}
