//! One worker: its flows, its counters, its waiting packets. One thread drives it; nothing in it is shared but what says so.

use std::sync::Arc;

use arrayvec::ArrayVec;
use packet::family::Either;
use packet::{Header, Ipv4, Tuple};
use program::InterfaceId;

use crate::burst::Burst;
use crate::conntrack::{FlowConfig, FlowTable};
use crate::counters::Counters;
use crate::drop::{DropCounters, DropReason};
use crate::frag::{Cut, Reassembly};
use crate::handoff::{HandoffCounters, Letter, Parcel, Small};
use crate::helper::payload::Payload;
use crate::inbox::{Gauges, Inbox, Question};
use crate::inquiry;
use crate::nat::cone::Keeper;
use crate::nat::masquerade::Departures;
use crate::nat::shortage::{Reports, Shortages};
use crate::outside::Outside;
use crate::owner::Home;
use crate::rng::Rng;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::walk::Walk;
use crate::walk::answer::OwnQueue;
use crate::walk::arrive::{self, Frame, From};
use crate::walk::claim::Pendings;
use crate::walk::handover::Parting;
use crate::walk::waiting::Waiting;

/// Most packets that a worker takes at a time.
pub const BURST: usize = 64;

/// Steps of the timer wheel in one round of housekeeping.
const EXPIRE_BUDGET: usize = 256;

/// Sizes, fixed when a worker is made.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Counter slots (`limits.counters`).
    pub counters: usize,
    /// Flows that there is room for at this worker, at most 2^30. How many there may be at all workers together [`Shared`] says.
    pub flows: u32,
    /// Flows with rare attributes (`limits.flow_extras`).
    pub flow_extras: u32,
    /// Next hops whose link address can be waited for at once.
    pub neighbours: usize,
    /// Datagrams that can be put together at once.
    pub datagrams: usize,
    /// Seed of everything random, and of the flow table's keyed hash: the same seed and the same packets give the same bytes. Random in
    /// production, and told to nobody.
    pub seed: u64,
    /// Its place among the workers.
    pub home: Home,
    /// What it has in common with them.
    pub shared: Arc<Shared>,
}

impl WorkerConfig {
    /// Bytes that the tables of connections take.
    pub fn flow_bytes(&self) -> u64 {
        FlowTable::<Ipv4>::bytes(self.flows, self.flow_extras, self.claims())
    }

    /// Claims of other workers that it can keep.
    fn claims(&self) -> u32 {
        if self.home.is_shared() { self.flows } else { 0 }
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            counters: 262_144,
            flows: 262_144,
            flow_extras: 65_536,
            neighbours: 256,
            datagrams: 256,
            seed: 0,
            home: Home::alone(),
            shared: Arc::new(Shared::new(1, u32::MAX, 0)),
        }
    }
}

/// A worker. `O` is what surrounds it.
pub struct Worker<O: Outside> {
    state: State<O>,
    /// The burst at hand.
    columns: Box<Burst<Ipv4, O::Buf>>,
    /// What the frames of the burst at hand turned out to be, in their order.
    frames: Box<ArrayVec<Frame<O::Buf>, BURST>>,
}

/// What a walk borrows for its burst.
struct State<O: Outside> {
    flows: FlowTable<Ipv4>,
    counters: Arc<Counters>,
    drops: Arc<DropCounters>,
    gauges: Arc<Gauges>,
    inbox: Arc<Inbox>,
    rng: Rng,
    own: OwnQueue<Ipv4, O::Buf>,
    waiting: Waiting<Ipv4, O::Buf>,
    fragments: Reassembly<Ipv4, O::Buf>,
    cut: Cut,
    shared: Arc<Shared>,
    home: Home,
    parting: Option<Parting<Ipv4>>,
    pendings: Pendings<Ipv4, O::Buf>,
    handoffs: Arc<HandoffCounters>,
    payload: Payload,
    /// The question that is being worked at.
    asked: Option<Question>,
    departures: Departures,
    cones: Keeper,
    shortages: Shortages<Ipv4>,
    reports: Arc<Reports>,
}

impl<O: Outside> State<O> {
    fn walk<'w>(&'w mut self, snap: &'w Snapshot, now: Time, out: &'w mut O) -> Walk<'w, Ipv4, O> {
        Walk {
            snap,
            tables: &snap.program.ipv4,
            states: &snap.states.ipv4,
            host: &snap.host.ipv4,
            tracking: snap.program.ipv4.needs_tracking(),
            now,
            flows: &mut self.flows,
            counters: &self.counters,
            drops: &self.drops,
            rng: &mut self.rng,
            own: &mut self.own,
            waiting: &mut self.waiting,
            fragments: &mut self.fragments,
            cut: &mut self.cut,
            pace: &self.shared.pace,
            home: &self.home,
            parting: &mut self.parting,
            hops: 0,
            pendings: &mut self.pendings,
            handoffs: &self.handoffs,
            payload: &mut self.payload,
            cones: &self.shared.cones,
            shortages: &mut self.shortages,
            out,
        }
    }
}

impl<O: Outside> State<O> {
    /// Goes on with the question at hand, or with the next one.
    fn attend(&mut self, now: Time) {
        let Some(mut question) = self.asked.take().or_else(|| self.inbox.next()) else { return };
        let done = match &mut question.page {
            Either::Ipv4(page) => inquiry::advance(question.wish, page, &mut self.flows, now),
            // No flow of IPv6 is tracked.
            Either::Ipv6(page) => {
                page.last = true;
                true
            }
        };
        if done {
            self.inbox.reply(question);
        } else {
            self.asked = Some(question);
        }
    }
}

impl<O: Outside> Worker<O> {
    /// Makes a worker with everything that it will ever allocate.
    pub fn new(config: &WorkerConfig) -> Self {
        let mut rng = Rng::new(config.seed);
        let hash_key = [rng.next_u64(), rng.next_u64()];
        let fragment_seed = rng.next_u64();
        let reports = Arc::<Reports>::default();
        Self {
            state: State {
                flows: FlowTable::new(FlowConfig { capacity: config.flows, extras: config.flow_extras, hash_key })
                    .lent(config.shared.clone())
                    .arbitrating(config.claims())
                    .announcing(config.shared.expectations.clone(), config.home.me()),
                counters: Arc::new(Counters::new(config.counters)),
                drops: Arc::default(),
                gauges: Arc::default(),
                inbox: Arc::default(),
                rng,
                own: OwnQueue::new(),
                waiting: Waiting::new(config.neighbours),
                fragments: Reassembly::new(config.datagrams, fragment_seed),
                cut: Cut::default(),
                shared: config.shared.clone(),
                home: config.home.clone(),
                parting: None,
                pendings: Pendings::new(&config.home),
                handoffs: Arc::default(),
                payload: Payload::new(),
                asked: None,
                departures: Departures::default(),
                cones: Keeper::default(),
                shortages: Shortages::new(reports.clone()),
                reports,
            },
            columns: Box::new(Burst::new()),
            frames: Box::default(),
        }
    }

    /// Has the kernel back the tables of connections now, on huge pages where it can: for a process that must not run short later.
    pub fn set_aside(&mut self) -> Result<(), memory::Short> {
        self.state.flows.set_aside()
    }

    /// Rule counters. Written by this worker, read by anyone.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.state.counters
    }

    /// Drops by name. Written by this worker, read by anyone.
    pub fn drops(&self) -> &Arc<DropCounters> {
        &self.state.drops
    }

    /// What it gave to other workers. Written by this worker, read by anyone.
    pub fn handoffs(&self) -> &Arc<HandoffCounters> {
        &self.state.handoffs
    }

    /// How full it is. Written by this worker, read by anyone.
    pub fn gauges(&self) -> &Arc<Gauges> {
        &self.state.gauges
    }

    /// NAT's pools that had no free tuple. Written by this worker, read by whoever writes the log.
    pub fn shortages(&self) -> &Arc<Reports> {
        &self.state.reports
    }

    /// Where to ask for its flows.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.state.inbox
    }

    /// Its flows, for whoever owns the worker.
    pub fn flows(&self) -> &FlowTable<Ipv4> {
        &self.state.flows
    }

    /// Takes a burst that came in from the wire by `port`. The burst is empty afterwards.
    pub fn receive(&mut self, snap: &Snapshot, now: Time, port: InterfaceId, burst: &mut ArrayVec<O::Buf, BURST>, out: &mut O) {
        self.burst(From::Wire, snap, now, port, burst, out);
    }

    /// Takes a burst that the box's own stack sent by the TAP of `port`. The burst is empty afterwards.
    pub fn from_host(&mut self, snap: &Snapshot, now: Time, port: InterfaceId, burst: &mut ArrayVec<O::Buf, BURST>, out: &mut O) {
        self.burst(From::Host, snap, now, port, burst, out);
    }

    fn burst(
        &mut self,
        from: From,
        snap: &Snapshot,
        now: Time,
        port: InterfaceId,
        burst: &mut ArrayVec<O::Buf, BURST>,
        out: &mut O,
    ) {
        let Self { state, columns, frames } = self;
        for buf in burst.drain(..) {
            frames.push(arrive::frame(snap, from, port, buf, columns, out));
        }
        let mut walk = state.walk(snap, now, out);
        if walk.tracking {
            // What is another worker's is looked up there.
            let home = walk.home;
            let mine = |header: &&Header<Ipv4>| !home.is_shared() || Tuple::of(header).is_some_and(|tuple| home.is_mine(&tuple));
            walk.flows.look_ahead(columns.headers().filter(mine));
        }
        let mut row = 0;
        for frame in frames.drain(..) {
            match frame {
                Frame::Taken => {
                    if let Some(packet) = columns.take(row) {
                        match from {
                            From::Wire => walk.receive(packet),
                            From::Host => walk.originate(packet),
                        }
                    }
                    row += 1;
                }
                Frame::NotIp(buf) => match from {
                    From::Wire => walk.out.deliver(port, buf),
                    From::Host => walk.out.transmit(port, buf),
                },
                Frame::Ended(reason) => walk.drops.count(reason),
            }
        }
        columns.clear();
    }

    /// Brings near what these parcels will look for. They are given to [`Worker::parcel`] next, in this order.
    pub fn look_ahead<'p>(&mut self, parcels: impl Iterator<Item = &'p Parcel<O::Buf>>)
    where
        O::Buf: 'p,
    {
        let headers = parcels.filter_map(|parcel| match &parcel.0 {
            Either::Ipv4(Small::Packet(handed)) => Some(&handed.row.header),
            Either::Ipv4(Small::Release(_)) | Either::Ipv6(_) => None,
        });
        self.state.flows.look_ahead(headers);
    }

    /// Takes what another worker handed over.
    pub fn parcel(&mut self, snap: &Snapshot, now: Time, parcel: Parcel<O::Buf>, out: &mut O) {
        match parcel.0 {
            Either::Ipv4(small) => self.state.walk(snap, now, out).unpack(small),
            Either::Ipv6(_) => self.state.drops.count(DropReason::Ipv6NotEnforced),
        }
    }

    /// Takes what another worker posted.
    pub fn letter(&mut self, snap: &Snapshot, now: Time, letter: Letter<O::Buf>, out: &mut O) {
        match letter.0 {
            Either::Ipv4(large) => self.state.walk(snap, now, out).open(large),
            Either::Ipv6(_) => self.state.drops.count(DropReason::Ipv6NotEnforced),
        }
    }

    /// What is due without a packet: the inbox, flows and waiting packets whose time is up, packets whose next hop became known. Called in
    /// every loop of the worker, between bursts; does a bounded amount of work.
    pub fn housekeeping(&mut self, snap: &Snapshot, now: Time, out: &mut O) {
        let state = &mut self.state;
        state.flows.expire(now, EXPIRE_BUDGET);
        state.attend(now);
        state.shortages.look(&state.flows, now);
        state.cones.look(&state.shared.cones, &state.flows, now);
        state.departures.look(&mut state.flows, &snap.host, &snap.host.ipv4);
        if !state.waiting.is_empty() {
            state.walk(snap, now, out).look_after_waiting();
        }
        state.flows.settle();
        let mut walk = state.walk(snap, now, out);
        walk.give_up_fragments();
        walk.return_claims();
        let waiting = state.waiting.packets() + state.pendings.packets();
        state.gauges.set(|kind| state.flows.count(kind), waiting, state.flows.early_drops());
    }
}
