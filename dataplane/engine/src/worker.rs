//! One worker: its flows, its counters, its waiting packets. One thread drives it; nothing in it is shared but what says so.

use std::sync::Arc;
use std::time::Duration;

use arrayvec::ArrayVec;
use packet::family::Either;
use packet::{Ipv4, Ipv6};
use program::InterfaceId;

use crate::conntrack::FlowTable;
use crate::counters::Counters;
use crate::drop::{DropCounters, DropReason};
use crate::handoff::{HandoffCounters, Letter, Parcel};
use crate::inbox::{Gauges, Inbox};
use crate::inquiry;
use crate::keys::Keys;
use crate::nat::shortage::Reports;
use crate::outside::Outside;
use crate::owner::Home;
use crate::rng::Rng;
use crate::shared::{EXPECTATIONS, Shared};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::trace::Traces;
use crate::walk::arrive::{self, From, Run, Sorted};
use crate::wall::WallClock;

mod family;

use family::{Common, FamilyState, Side, View};

/// Most packets that a worker takes at a time.
pub const BURST: usize = 64;

/// Packets of a burst that go through a stage together: as many walk while what those behind them will look for is on its way, and what was brought near is
/// near still.
const TOGETHER: usize = 16;

/// Traces of a worker, unless its configuration says otherwise: 8 MiB of memory.
const TRACES: usize = 16_384;

/// Sizes, fixed when a worker is made.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Counter slots (`limits.counters`).
    pub counters: usize,
    /// Flows that there is room for at this worker, at most 2^30. How many there may be at all workers together [`Shared`] says.
    pub flows: u32,
    /// Flows with rare attributes (`limits.flow_extras`).
    pub flow_extras: u32,
    /// When a flow began is remembered (`nf_conntrack_timestamp`).
    pub timestamps: bool,
    /// Next hops whose link address can be waited for at once.
    pub neighbours: usize,
    /// Datagrams that can be put together at once.
    pub datagrams: usize,
    /// Ways of packets that are remembered, so that those like them need no walk, in each family; 0 has every packet walk.
    pub traces: usize,
    /// After a change of what the worker reads packets of known connections may, while more packets wait than it can judge anew at once, go this long by
    /// what was decided before ([`Worker::is_settled`] says whether they still do). Zero has every packet be judged by what is read now.
    pub linger: Duration,
    /// Seed of everything random: the same seed, secret and packets give the same bytes. Random in production, and told to nobody.
    pub seed: u64,
    /// What the keys of its tables are drawn from. As above.
    pub secret: [u64; 2],
    /// IPv6 packets are walked too. Without it they end as [`DropReason::Ipv6NotEnforced`], and no memory is taken for them.
    pub ipv6: bool,
    /// Its place among the workers.
    pub home: Home,
    /// What it has in common with them.
    pub shared: Arc<Shared>,
}

impl WorkerConfig {
    /// Bytes that the tables of connections and traces take.
    pub fn flow_bytes(&self) -> u64 {
        let ipv4 = FlowTable::<Ipv4>::bytes(self.flows, self.flow_extras, self.claims(), self.timestamps);
        let ipv6 = FlowTable::<Ipv6>::bytes(self.flows, self.flow_extras, self.claims(), self.timestamps);
        let remembered = Traces::bytes(self.traces);
        let families = if self.ipv6 { 2 } else { 1 };
        ipv4 + if self.ipv6 { ipv6 } else { 0 } + families * remembered as u64
    }

    /// Claims of other workers that it can keep.
    pub(crate) fn claims(&self) -> u32 {
        if self.home.is_shared() { self.flows } else { 0 }
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            counters: 262_144,
            flows: 262_144,
            flow_extras: 65_536,
            timestamps: false,
            neighbours: 256,
            datagrams: 256,
            traces: TRACES,
            linger: Duration::ZERO,
            seed: 0,
            secret: [0; 2],
            ipv6: false,
            home: Home::alone(),
            shared: Arc::new(Shared::new(1, u32::MAX, EXPECTATIONS, &mut Keys::new([0; 2]))),
        }
    }
}

/// A worker. `O` is what surrounds it.
pub struct Worker<O: Outside> {
    common: Common,
    ipv4: Side<Ipv4, O>,
    /// There when [`WorkerConfig::ipv6`] says so.
    ipv6: Option<Box<Side<Ipv6, O>>>,
    /// What the frames of the burst at hand turned out to be, in their order.
    runs: Box<ArrayVec<Run, BURST>>,
    /// Those of them that are not IP.
    others: Box<ArrayVec<O::Buf, BURST>>,
}

impl<O: Outside> Worker<O> {
    /// The clock that it looks at, with all the others.
    pub fn wall(&self) -> &WallClock {
        self.common.shared.wall()
    }

    /// Makes a worker with everything that it will ever allocate.
    pub fn new(config: &WorkerConfig) -> Self {
        let mut keys = Keys::new(config.secret);
        let reports = Arc::<Reports>::default();
        let inbox = Arc::<Inbox>::default();
        let ipv4 = Side::new(config, config.shared.ipv4.clone(), &mut keys, &reports, &inbox);
        let ipv6 = || Box::new(Side::new(config, config.shared.ipv6.clone(), &mut keys, &reports, &inbox));
        let ipv6 = config.ipv6.then(ipv6);
        Self {
            common: Common::new(config, Rng::new(config.seed), reports, inbox),
            ipv4,
            ipv6,
            runs: Box::default(),
            others: Box::default(),
        }
    }

    /// Has the kernel back the tables of connections now, on huge pages where it can: for a process that must not run short later.
    pub fn set_aside(&mut self) -> Result<(), memory::Short> {
        self.ipv4.state.flows.set_aside()?;
        self.ipv6.as_mut().map_or(Ok(()), |side| side.state.flows.set_aside())
    }

    /// Rule counters. Written by this worker, read by anyone.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.common.counters
    }

    /// Drops by name. Written by this worker, read by anyone.
    pub fn drops(&self) -> &Arc<DropCounters> {
        &self.common.drops
    }

    /// What it gave to other workers. Written by this worker, read by anyone.
    pub fn handoffs(&self) -> &Arc<HandoffCounters> {
        &self.common.handoffs
    }

    /// How full it is. Written by this worker, read by anyone.
    pub fn gauges(&self) -> &Arc<Gauges> {
        &self.common.gauges
    }

    /// NAT's pools that had no free tuple. Written by this worker, read by whoever writes the log.
    pub fn shortages(&self) -> &Arc<Reports> {
        &self.common.reports
    }

    /// Where to ask for its flows.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.common.inbox
    }

    /// Its IPv4 flows, for whoever owns the worker.
    pub fn flows(&self) -> &FlowTable<Ipv4> {
        &self.ipv4.state.flows
    }

    /// Its IPv6 flows; `None` when it walks no IPv6.
    pub fn flows_ipv6(&self) -> Option<&FlowTable<Ipv6>> {
        self.ipv6.as_ref().map(|side| &side.state.flows)
    }

    /// Packets that needed no walk, because one like them had walked.
    pub fn retraced(&self) -> u64 {
        self.ipv4.state.retraced() + self.ipv6.as_ref().map_or(0, |side| side.state.retraced())
    }

    /// Is every packet judged by the snapshot of the last [`Worker::housekeeping`], and none by what an earlier one decided?
    pub fn is_settled(&self) -> bool {
        self.ipv4.state.is_settled() && self.ipv6.as_ref().is_none_or(|side| side.state.is_settled())
    }

    /// Takes a burst that came in from the wire by `port`: at most [`BURST`] packets.
    pub fn receive(
        &mut self,
        snap: &Snapshot,
        now: Time,
        port: InterfaceId,
        burst: impl ExactSizeIterator<Item = O::Buf>,
        out: &mut O,
    ) {
        self.burst(From::Wire, snap, now, port, burst, out);
    }

    /// Takes a burst that the box's own stack sent by the TAP of `port`: at most [`BURST`] packets.
    pub fn from_host(
        &mut self,
        snap: &Snapshot,
        now: Time,
        port: InterfaceId,
        burst: impl ExactSizeIterator<Item = O::Buf>,
        out: &mut O,
    ) {
        self.burst(From::Host, snap, now, port, burst, out);
    }

    /// Takes a burst through its stages, some packets at a time: while these walk, what those behind them will look for is on its way.
    fn burst(
        &mut self,
        from: From,
        snap: &Snapshot,
        now: Time,
        port: InterfaceId,
        mut packets: impl ExactSizeIterator<Item = O::Buf>,
        out: &mut O,
    ) {
        let is_full = packets.len() == BURST;
        self.ipv4.state.begin_burst(is_full);
        if let Some(side) = &mut self.ipv6 {
            side.state.begin_burst(is_full);
        }
        let Self { common, ipv4, ipv6, runs, others } = self;
        // In a flood hardly anything walks: what is looked up takes as long as memory does, and the more the better.
        let together = if ipv4.is_flooded() || ipv6.as_ref().is_some_and(|side| side.is_flooded()) { BURST } else { TOGETHER };
        let mut walked = 0;
        loop {
            let ready = runs.len();
            ipv4.approach_others();
            if let Some(side) = ipv6 {
                side.approach_others();
            }
            if from == From::Wire {
                ipv4.look_up_firsts(&View::ipv4(snap), port, &common.counters);
                if let Some(side) = ipv6 {
                    side.look_up_firsts(&View::ipv6(snap), port, &common.counters);
                }
            }
            let mut sorted = Sorted { runs, ipv4: &mut ipv4.packets, ipv6: ipv6.as_mut().map(|side| &mut *side.packets), others };
            arrive::sort(snap, from, port, packets.by_ref().take(together), &mut sorted, out);
            ipv4.look_ahead(&View::ipv4(snap), from, &common.home);
            if let Some(side) = ipv6 {
                side.look_ahead(&View::ipv6(snap), from, &common.home);
            }
            // Each round ends where a packet of the other family stands, so the order of the burst is kept.
            while walked < ready {
                ipv4.run(common, View::ipv4(snap), now, (from, port), &runs[..ready], &mut walked, others, out);
                match ipv6 {
                    Some(side) => side.run(common, View::ipv6(snap), now, (from, port), &runs[..ready], &mut walked, others, out),
                    // There is no such packet then.
                    None => break,
                }
            }
            if ready == runs.len() {
                break;
            }
            // Those for which nobody walked before them.
            ipv4.state.flows.approach();
            if let Some(side) = ipv6 {
                side.state.flows.approach();
            }
        }
        drop(packets);
        runs.clear();
        ipv4.clear();
        if let Some(side) = ipv6 {
            side.clear();
        }
        self.settle();
    }

    /// As at the end of a burst.
    fn settle(&mut self) {
        self.ipv4.state.settle(&self.common.counters);
        if let Some(side) = &mut self.ipv6 {
            side.state.settle(&self.common.counters);
        }
    }

    /// Brings near what these parcels will look for. They are given to [`Worker::parcel`] next, in this order.
    pub fn look_ahead<'p>(&mut self, parcels: impl Iterator<Item = &'p Parcel<O::Buf>> + Clone)
    where
        O::Buf: 'p,
    {
        let ipv4 = parcels.clone().filter_map(|parcel| match &parcel.0 {
            Either::Ipv4(small) => small.header(),
            Either::Ipv6(_) => None,
        });
        self.ipv4.state.flows.look_ahead_at_once(ipv4);
        if let Some(side) = &mut self.ipv6 {
            let ipv6 = parcels.filter_map(|parcel| match &parcel.0 {
                Either::Ipv6(small) => small.header(),
                Either::Ipv4(_) => None,
            });
            side.state.flows.look_ahead_at_once(ipv6);
        }
    }

    /// Takes what another worker handed over.
    pub fn parcel(&mut self, snap: &Snapshot, now: Time, parcel: Parcel<O::Buf>, out: &mut O) {
        match (parcel.0, &mut self.ipv6) {
            (Either::Ipv4(small), _) => self.ipv4.state.walk(&mut self.common, View::ipv4(snap), now, out).unpack(small),
            (Either::Ipv6(small), Some(side)) => side.state.walk(&mut self.common, View::ipv6(snap), now, out).unpack(small),
            (Either::Ipv6(_), None) => self.common.drops.count(DropReason::Ipv6NotEnforced),
        }
        self.settle();
    }

    /// Takes what another worker posted.
    pub fn letter(&mut self, snap: &Snapshot, now: Time, letter: Letter<O::Buf>, out: &mut O) {
        match (letter.0, &mut self.ipv6) {
            (Either::Ipv4(large), _) => self.ipv4.state.walk(&mut self.common, View::ipv4(snap), now, out).open(large),
            (Either::Ipv6(large), Some(side)) => side.state.walk(&mut self.common, View::ipv6(snap), now, out).open(large),
            (Either::Ipv6(_), None) => self.common.drops.count(DropReason::Ipv6NotEnforced),
        }
        self.settle();
    }

    /// What is due without a packet: the inbox, flows and waiting packets whose time is up, packets whose next hop became known. Called in
    /// every loop of the worker, between bursts; does a bounded amount of work.
    pub fn housekeeping(&mut self, snap: &Snapshot, now: Time, out: &mut O) {
        self.ipv4.state.expire(now);
        if let Some(side) = &mut self.ipv6 {
            side.state.expire(now);
        }
        self.attend(now);
        self.ipv4.state.look_after(&mut self.common, View::ipv4(snap), now, out);
        if let Some(side) = &mut self.ipv6 {
            side.state.look_after(&mut self.common, View::ipv6(snap), now, out);
        }
        let (ipv4, ipv6) = (&self.ipv4.state, self.ipv6.as_ref().map(|side| &side.state));
        let mut flows = *ipv4.flows.kinds();
        if let Some(state) = ipv6 {
            flows.iter_mut().zip(state.flows.kinds()).for_each(|(sum, more)| *sum += more);
        }
        let waiting = ipv4.waits() + ipv6.map_or(0, FamilyState::waits);
        let tally = ipv6.map_or(ipv4.flows.tally(), |state| ipv4.flows.tally().plus(state.flows.tally()));
        let retraced = ipv4.retraced() + ipv6.map_or(0, FamilyState::retraced);
        self.common.gauges.set(&flows, waiting, retraced, tally);
    }

    /// Goes on with the question at hand, or with the next one.
    fn attend(&mut self, now: Time) {
        let Some(mut question) = self.common.asked.take().or_else(|| self.common.inbox.next()) else { return };
        let done = match (&mut question.page, &mut self.ipv6) {
            (Either::Ipv4(page), _) => inquiry::advance(question.wish, page, &mut self.ipv4.state.flows, now),
            (Either::Ipv6(page), Some(side)) => inquiry::advance(question.wish, page, &mut side.state.flows, now),
            // No flow of IPv6 is tracked.
            (Either::Ipv6(page), None) => {
                page.last = true;
                true
            }
        };
        if done {
            self.common.inbox.reply(question);
        } else {
            self.common.asked = Some(question);
        }
    }
}
