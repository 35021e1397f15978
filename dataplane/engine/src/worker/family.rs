//! What a worker has of its own for each family, and what the families have in common there.

use std::sync::Arc;

use arrayvec::ArrayVec;
use packet::{Family, Fragment, Header, Ipv4, Ipv6, Tuple};
use program::{Hook, InterfaceId, TableKind, Tables};

use super::{BURST, WorkerConfig};
use crate::burst::{Burst, Row};
use crate::conntrack::{FlowConfig, FlowTable};
use crate::counters::Counters;
use crate::drop::DropCounters;
use crate::frag::{Cut, Reassembly};
use crate::handoff::HandoffCounters;
use crate::helper::payload::Payload;
use crate::hooks::doors::{Door, Doors};
use crate::host::FamilyHost;
use crate::inbox::{Gauges, Inbox, Question};
use crate::keys::Keys;
use crate::nat::cone::Keeper;
use crate::nat::masquerade::Departures;
use crate::nat::shortage::{Reports, Shortages};
use crate::outside::Outside;
use crate::owner::Home;
use crate::rng::Rng;
use crate::shared::{FamilyShared, Shared};
use crate::snapshot::{Lineage, Snapshot, TableState};
use crate::time::Time;
use crate::trace::Traces;
use crate::walk::Walk;
use crate::walk::answer::OwnQueue;
use crate::walk::arrive::{Frame, From, Run};
use crate::walk::claim::Pendings;
use crate::walk::firsts::Firsts;
use crate::walk::handover::Parting;
use crate::walk::pass_on::Strangers;
use crate::walk::waiting::Waiting;

/// Steps of the timer wheel in one round of housekeeping.
const EXPIRE_BUDGET: usize = 256;

/// Flows that forget traces of no use in one round of housekeeping, when it is time for that.
const FORGET_BUDGET: usize = 1024;

/// A family's part of the snapshot.
pub(super) struct View<'w, F: Family> {
    snap: &'w Snapshot,
    tables: &'w Tables<F>,
    states: &'w [Arc<TableState>; 5],
    host: &'w FamilyHost<F>,
    lineage: &'w Lineage<F>,
}

impl<'w> View<'w, Ipv4> {
    pub(super) fn ipv4(snap: &'w Snapshot) -> Self {
        Self { snap, tables: &snap.program.ipv4, states: &snap.states.ipv4, host: &snap.host.ipv4, lineage: &snap.edition.ipv4 }
    }
}

impl<'w> View<'w, Ipv6> {
    pub(super) fn ipv6(snap: &'w Snapshot) -> Self {
        Self { snap, tables: &snap.program.ipv6, states: &snap.states.ipv6, host: &snap.host.ipv6, lineage: &snap.edition.ipv6 }
    }
}

/// What both families use.
pub(super) struct Common {
    pub(super) counters: Arc<Counters>,
    pub(super) drops: Arc<DropCounters>,
    pub(super) gauges: Arc<Gauges>,
    pub(super) inbox: Arc<Inbox>,
    /// The question that is being worked at.
    pub(super) asked: Option<Question>,
    pub(super) handoffs: Arc<HandoffCounters>,
    pub(super) reports: Arc<Reports>,
    pub(super) home: Home,
    rng: Rng,
    cut: Cut,
    pub(super) shared: Arc<Shared>,
    payload: Payload,
}

impl Common {
    pub(super) fn new(config: &WorkerConfig, rng: Rng, reports: Arc<Reports>, inbox: Arc<Inbox>) -> Self {
        Self {
            counters: Arc::new(Counters::new(config.counters)),
            drops: Arc::default(),
            gauges: Arc::default(),
            inbox,
            asked: None,
            handoffs: Arc::default(),
            reports,
            home: config.home.clone(),
            rng,
            cut: Cut::default(),
            shared: config.shared.clone(),
            payload: Payload::new(),
        }
    }
}

/// What a walk of one family borrows for its burst.
pub(super) struct FamilyState<F: Family, O: Outside> {
    pub(super) flows: FlowTable<F>,
    shared: Arc<FamilyShared<F>>,
    own: OwnQueue<F, O::Buf>,
    waiting: Waiting<F, O::Buf>,
    fragments: Reassembly<F, O::Buf>,
    parting: Option<Parting<F>>,
    pendings: Pendings<F, O::Buf>,
    departures: Departures,
    cones: Keeper,
    shortages: Shortages<F>,
    traces: Traces,
    doors: Doors,
}

impl<F: Family, O: Outside> FamilyState<F, O> {
    pub(super) fn walk<'w>(&'w mut self, common: &'w mut Common, view: View<'w, F>, now: Time, out: &'w mut O) -> Walk<'w, F, O> {
        let edition = view.snap.edition.number();
        self.traces.follow(edition, view.lineage, now, || view.tables.tested_flags());
        self.doors.follow(edition, view.tables);
        Walk {
            snap: view.snap,
            tables: view.tables,
            doors: &self.doors,
            states: view.states,
            host: view.host,
            tracking: view.tables.needs_tracking(),
            now,
            flows: &mut self.flows,
            counters: &common.counters,
            drops: &common.drops,
            rng: &mut common.rng,
            own: &mut self.own,
            waiting: &mut self.waiting,
            fragments: &mut self.fragments,
            cut: &mut common.cut,
            pace: &common.shared.pace,
            home: &common.home,
            parting: &mut self.parting,
            hops: 0,
            pendings: &mut self.pendings,
            handoffs: &common.handoffs,
            payload: &mut common.payload,
            cones: &self.shared.cones,
            cookies: &common.shared.cookies,
            named: &common.shared.named,
            wall: &common.shared.wall,
            shortages: &mut self.shortages,
            lineage: view.lineage,
            traces: &mut self.traces,
            out,
        }
    }

    /// The packets that needed no walk are counted with the rules that would have let them pass.
    pub(super) fn settle(&mut self, counters: &Counters) {
        self.traces.settle(counters);
    }

    /// A burst begins, behind which more packets wait if it is full. What was looked ahead for before it has walked.
    pub(super) fn begin_burst(&mut self, is_full: bool) {
        self.flows.forget_ahead();
        self.traces.burst(is_full);
    }

    /// Is every packet judged by what the worker reads now?
    pub(super) fn is_settled(&self) -> bool {
        self.traces.is_settled()
    }

    /// Packets that needed no walk.
    pub(super) fn retraced(&self) -> u64 {
        self.traces.retraced()
    }

    /// Ends flows whose time is up.
    pub(super) fn expire(&mut self, now: Time) {
        self.flows.expire(now, EXPIRE_BUDGET);
    }

    /// What else is due without a packet.
    pub(super) fn look_after(&mut self, common: &mut Common, view: View<'_, F>, now: Time, out: &mut O) {
        self.shortages.look(&self.flows, now);
        self.cones.look(&self.shared.cones, &mut self.flows, now);
        if let Some(from) = self.traces.forgetting() {
            let next = self.flows.forget_traces(from, FORGET_BUDGET, |number| self.traces.is_old(number));
            self.traces.forgotten(next);
        }
        self.departures.look(&mut self.flows, &view.snap.host, view.host);
        let idle = self.waiting.is_empty();
        let mut walk = self.walk(common, view, now, out);
        if !idle {
            walk.look_after_waiting();
        }
        walk.traces.look(now);
        walk.flows.settle();
        walk.give_up_fragments();
        walk.return_claims();
    }

    /// Packets that wait here.
    pub(super) fn waits(&self) -> usize {
        self.waiting.packets() + self.pendings.packets()
    }
}

/// One family at one worker.
pub(super) struct Side<F: Family, O: Outside> {
    pub(super) state: FamilyState<F, O>,
    /// Those of the burst at hand.
    pub(super) packets: Box<Burst<F, O::Buf>>,
    /// How many of them have walked.
    walked: usize,
    /// What those that walk next meet first.
    firsts: Firsts,
    /// Those that are passed on.
    strangers: Strangers,
    /// Most packets of the last burst were dropped by the first rule that they met.
    flooded: bool,
}

impl<F: Family, O: Outside> Side<F, O> {
    pub(super) fn new(
        config: &WorkerConfig,
        shared: Arc<FamilyShared<F>>,
        keys: &mut Keys,
        reports: &Arc<Reports>,
        inbox: &Inbox,
    ) -> Self {
        let (hash_key, [fragment_seed, _]) = (keys.draw(), keys.draw());
        let state = FamilyState {
            flows: FlowTable::new(FlowConfig { capacity: config.flows, extras: config.flow_extras, hash_key })
                .lent(config.shared.clone())
                .timed(config.timestamps)
                .traced(config.traces > 0)
                .arbitrating(config.claims())
                .watched(inbox.events().clone())
                .counting(shared.lists.clone())
                .announcing(shared.expectations.clone(), config.home.me()),
            shared,
            own: OwnQueue::new(),
            waiting: Waiting::new(config.neighbours),
            fragments: Reassembly::new(config.datagrams, fragment_seed),
            parting: None,
            pendings: Pendings::new(&config.home),
            departures: Departures::default(),
            cones: Keeper::default(),
            shortages: Shortages::new(reports.clone()),
            traces: Traces::new(config.traces, config.linger.as_nanos() as u64),
            doors: Doors::shut(),
        };
        Self {
            state,
            packets: Box::new(Burst::new()),
            walked: 0,
            firsts: Firsts::new(),
            strangers: Strangers::new(),
            flooded: false,
        }
    }

    /// Brings near what the burst's packets will look for first, those that are new in it. What is another worker's is looked up there.
    #[inline(never)]
    pub(super) fn look_ahead(&mut self, view: &View<'_, F>, from: From, home: &Home) {
        if view.tables.needs_tracking() {
            if home.is_shared() {
                return self.look_ahead_among(view, from, home);
            }
            let flows = &mut self.state.flows;
            let fresh = self.packets.headers(flows.looked_ahead());
            flows.look_ahead(fresh, |_, _| true);
        }
    }

    /// The same of one of several workers, which notes what is passed on.
    // On its own: a worker alone has its registers for itself.
    #[inline(never)]
    fn look_ahead_among(&mut self, view: &View<'_, F>, from: From, home: &Home) {
        let Self { state: FamilyState { flows, doors, .. }, packets, strangers, .. } = self;
        doors.follow(view.snap.edition.number(), view.tables);
        // No rule is met before tracking, and the policy, if any, lets all pass.
        let is_open = matches!(doors.at(TableKind::Raw, Hook::Prerouting), Door::Open | Door::Counted(_));
        let passes_on = from == From::Wire && is_open;
        let fresh = packets.headers(flows.looked_ahead());
        flows.look_ahead(fresh, |at, tuple| {
            let keeper = home.elsewhere(tuple);
            if let Some(keeper) = keeper.filter(|_| passes_on) {
                strangers.note(at, keeper);
            }
            keeper.is_none()
        });
    }

    /// Looks on, for those that are not where they most likely are.
    pub(super) fn approach_others(&mut self) {
        let Self { state, packets, .. } = self;
        state.flows.approach_others(|at| packets.header(at).and_then(Tuple::of));
    }

    /// Looks up together what those of its packets that walk next, in from the wire by `input`, meet first in a long raw table. Packets whose connection is
    /// known hardly ever meet it.
    pub(super) fn look_up_firsts(&mut self, view: &View<'_, F>, input: InterfaceId, counters: &Counters) {
        let Self { state, packets, walked, firsts, .. } = self;
        let tables = view.tables;
        state.doors.follow(view.snap.edition.number(), tables);
        let Door::Rules(chain) = state.doors.at(TableKind::Raw, Hook::Prerouting) else { return };
        let Some(table) = tables.get(TableKind::Raw).filter(|table| table.is_long(chain)) else { return };
        let tracking = tables.needs_tracking();
        let walks = |at: usize, header: &Header<F>| header.fragment == Fragment::Whole && !(tracking && state.flows.is_near(at));
        let packets = (*walked..).zip(packets.headers(*walked)).filter(|(at, header)| walks(*at, header));
        firsts.look_up((table, chain), input, counters, packets);
    }

    /// Walks runs of frames from number `walked` on, up to the first packet of the other family. With each packet one of those behind is brought nearer, so that
    /// memory works while the processor does.
    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "the worker's parts, borrowed one by one")]
    pub(super) fn run(
        &mut self,
        common: &mut Common,
        view: View<'_, F>,
        now: Time,
        (from, port): (From, InterfaceId),
        runs: &[Run],
        walked: &mut usize,
        others: &mut ArrayVec<O::Buf, BURST>,
        out: &mut O,
    ) {
        let Self { state, packets, walked: at, firsts, strangers, .. } = self;
        let mut walk = state.walk(common, view, now, out);
        let mut fast = walk.tracking && from == From::Wire;
        while let Some(run) = runs.get(*walked) {
            match run.frame {
                Frame::Taken(family) if family != F::ID => break,
                Frame::Taken(_) => {
                    let end = *at + usize::from(run.count);
                    while *at < end {
                        if fast && walk.flows.is_near(*at) {
                            let taken = walk.fast_path(packets, *at..end, port);
                            *at += taken;
                            if taken > 0 {
                                continue;
                            }
                        }
                        if firsts.drops(*at) {
                            *at += walk.drop_at_once(packets, *at..end, firsts);
                            continue;
                        }
                        if strangers.has(*at) {
                            let gone = walk.pass_on(packets, *at..end, strangers, port);
                            *at += gone;
                            if gone > 0 {
                                continue;
                            }
                        }
                        if let Some((buf, arrival)) = packets.take(*at) {
                            match from {
                                // Behind a packet that walks, others are likely to: the fast path is not tried for each of them.
                                From::Wire => fast = walk.arrive(buf, arrival, port, *at, firsts) && walk.tracking,
                                From::Host => walk.originate(Row::of_host(arrival.header, port).packet(buf)),
                            }
                        }
                        walk.flows.approach_behind(*at);
                        *at += 1;
                    }
                }
                Frame::NotIp => {
                    for buf in others.drain(..usize::from(run.count)) {
                        match from {
                            From::Wire => walk.out.deliver(port, buf),
                            From::Host => walk.out.transmit(port, buf),
                        }
                    }
                }
                Frame::Ended(reason) => walk.drops.add(reason, run.count.into()),
            }
            *walked += 1;
        }
    }

    /// Were so many packets of the last burst dropped by the first rule that they met that they are most of a full one?
    pub(super) fn is_flooded(&self) -> bool {
        self.flooded
    }

    /// The burst is through.
    pub(super) fn clear(&mut self) {
        self.flooded = self.firsts.all_dropped() > BURST / 2;
        self.packets.clear();
        self.state.flows.forget_ahead();
        self.firsts.clear();
        self.strangers.clear();
        self.walked = 0;
    }
}
