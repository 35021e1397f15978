//! The engine in process, as the same router: no DPDK, a given clock, a given seed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use engine::conntrack::{Counts, Dir, Flow, FlowKind, FlowTable, Status};
use engine::host::{Address, FamilyHost, FamilyParts, Host, Interface, Neighbour};
use engine::keys::Keys;
use engine::owner::Home;
use engine::rng::Rng;
use engine::route::{NextHop, Route, RouteKind};
use engine::shared::Shared;
use engine::sim::{Crew, Event, Room, Shape};
use engine::snapshot::{Edition, Settings, Snapshot, TableStates};
use engine::{Time, WorkerConfig};
use packet::tuple::TupleL4;
use packet::{Family, FamilyId, Ipv4, Ipv6};
use program::{CounterSlot, InterfaceId, Program, TimeoutId, TimeoutName};
use rules::{RuleSet, SlotId};

use crate::System;
use crate::case::{Case, Step};
use crate::frame::View;
use crate::observed::{Egress, Entry, Half, Line, Observed};
use crate::policies;
use crate::sets::BothSides;
use crate::world::{self, GATEWAY, NARROW, Port, UNREACHABLE};

const NAMES: [&str; 3] = ["", "eth0", "eth1"];
/// Rules that a case may have, policies included.
const SLOTS: u32 = 4096;
/// Flows that there may be at a time: tables for more would take longer to set aside than most cases to run.
const FLOWS: u32 = 4096;
/// What passes with each step: the kernel is not infinitely fast either.
const STEP_MS: u64 = 1;

/// The engine as a router.
pub struct Rampart {
    /// Without redirects, and with.
    hosts: [Arc<Host>; 2],
    workers: u16,
}

impl Default for Rampart {
    fn default() -> Self {
        Self::with_workers(1)
    }
}

impl Rampart {
    /// With several workers, packets come to the queue of each in turn, whichever flow they are of, one at a time.
    pub fn with_workers(workers: u16) -> Self {
        Self { hosts: [false, true].map(|redirects| Arc::new(host(redirects))), workers }
    }
}

/// The workers, and whose queue is next.
struct Box {
    crew: Crew,
    rng: Rng,
    queue: usize,
}

impl Box {
    fn wire(&mut self, port: InterfaceId, frames: &[Vec<u8>]) {
        let workers = self.crew.workers.len();
        // One worker takes a burst as it came.
        for frames in frames.chunks(if workers == 1 { frames.len().max(1) } else { 1 }) {
            self.crew.wire(self.queue, port, frames, &Shape::default());
            self.crew.settle(&mut self.rng);
            self.queue = (self.queue + 1) % workers;
        }
    }

    /// From a program on the box.
    fn host(&mut self, port: InterfaceId, frame: Vec<u8>) {
        self.crew.host(self.queue, port, &[frame], &Shape::default());
        self.crew.settle(&mut self.rng);
        self.queue = (self.queue + 1) % self.crew.workers.len();
    }

    fn advance(&mut self, millis: u64) {
        self.crew.advance(millis);
        self.crew.settle(&mut self.rng);
    }
}

fn interface(port: Port) -> InterfaceId {
    InterfaceId(port.index() as u16 + 1)
}

fn port(interface: InterfaceId) -> Port {
    Port::ALL[interface.index() - 1]
}

fn host(send_redirects: bool) -> Host {
    let mut interfaces = vec![None];
    for port in Port::ALL {
        interfaces.push(Some(Interface { send_redirects, group: port.group(), ..Interface::new(port.name(), port.mac()) }));
    }
    let ipv4 = family_host::<Ipv4>(24, |address| address.to_bits());
    let ipv6 = family_host::<Ipv6>(64, |address| world::ipv6(address).to_bits());
    Host { interfaces, ipv4: FamilyHost::new(ipv4), ipv6: FamilyHost::new(of_links(ipv6)) }
}

/// A family's part of it: the router's addresses, as `of` has them.
fn family_host<F: Family>(prefix_len: u8, of: impl Fn(Ipv4Addr) -> F::Addr) -> FamilyParts<F> {
    let mut parts = FamilyParts::<F>::default();
    for port in Port::ALL {
        for (nth, address) in port.addresses().iter().enumerate() {
            let secondary = F::ID == FamilyId::Ipv4 && nth > 0;
            let address = Address { secondary, ..Address::new(interface(port), of(*address), prefix_len) };
            parts.addresses.push(address);
            if nth == 0 {
                parts.routes.push(address.connected_route());
            }
        }
        for host in port.neighbours() {
            parts.neighbours.push((interface(port), of(host), Neighbour::Known(port.neighbour_mac(host))));
        }
    }
    let world = NextHop { interface: interface(Port::Eth1), gateway: Some(of(GATEWAY)), weight: 1 };
    let (narrow, mtu) = NARROW;
    for (prefix, len, mtu) in [(F::Addr::default(), 0, None), (of(narrow), prefix_len, Some(mtu))] {
        let kind = RouteKind::Unicast(vec![world]);
        parts.routes.push(Route { prefix, len, tos: 0, metric: 0, source: None, mtu, kind });
    }
    let (prefix, kind) = (of(UNREACHABLE), RouteKind::Unreachable);
    parts.routes.push(Route { prefix, len: prefix_len, tos: 0, metric: 0, source: None, mtu: None, kind });
    parts
}

/// With what IPv6 has beside: link-local addresses, and groups. The address that came last is listed first.
fn of_links(mut parts: FamilyParts<Ipv6>) -> FamilyParts<Ipv6> {
    parts.addresses.reverse();
    for port in Port::ALL {
        let interface = interface(port);
        let own = Address::new(interface, port.link_local().to_bits(), 64);
        parts.addresses.push(own);
        parts.routes.push(own.connected_route());
        parts.groups.extend(port.groups().map(|group| (interface, group.to_bits())));
    }
    parts
}

/// Reads rules as the control side does and makes the program of them.
fn compiled<F: Family>(
    family: rules::Family,
    text: &str,
    sets: &BothSides,
) -> Result<(RuleSet, program::Root, program::Tables<F>), String> {
    let options = rules::restore::Options::parse(family, &[]).map_err(|e| e.message("restore"))?;
    let names = rules::names::NameFiles::parse("tcp 6\nudp 17\nicmp 1\nsctp 132\nipv6-icmp 58\n", "");
    let names = sets.names(&names);
    let host = rules::command::Host { names: &names, live: None };
    let empty = RuleSet::new(family);
    let outcome = rules::restore::restore(&empty, text, &options, &host).map_err(|e| e.message("restore"))?;
    let mut set = outcome.ruleset.unwrap_or(empty);
    let mut slots = (0..SLOTS).map(SlotId);
    for chain in set.tables_mut().flat_map(rules::Table::chains_mut) {
        if chain.policy.is_some() {
            chain.slot = slots.next();
        }
        for rule in &mut chain.rules {
            rule.slot = slots.next();
        }
    }
    let mut context = compile::Context::new(1024);
    let policies = policies::of_the_engine();
    let mut tables = compile::tables::<F>(&set, &mut context).map_err(|e| e.to_string())?;
    // Rules travel as an image, so what is tested is what the image carries.
    let limits = program::verify::Limits { counters: SLOTS, labels: context.labels().len() as u32 };
    for table in tables.tables.iter_mut().flatten() {
        let image = program::image::encode_table(&**table);
        let mut decoded = program::image::decode_table::<F>(&image, &limits).map_err(|e| e.to_string())?;
        decoded.bind(&NAMES);
        let known = |wanted: &TimeoutName| policies.iter().position(|of| of.name == wanted.name && of.family == F::ID);
        let number = |at: usize| TimeoutId(at as u8 + 1);
        decoded.bind_timeouts(|wanted| known(wanted).map(number).ok_or_else(|| format!("no policy {}", wanted.name)))?;
        decoded.bind_sets(|name| sets.place(name));
        *table = Arc::new(decoded);
    }
    let root = program::Root { generation: 1, labels: context.labels().to_vec() };
    Ok((set, root, tables))
}

/// The sets that packets change by rules of these tables.
fn changed_sets<F: Family>(tables: &program::Tables<F>) -> impl Iterator<Item = program::SetId> {
    let all = tables.tables.iter().flatten().flat_map(|table| table.bound_changes.iter().flatten());
    all.copied().filter(|id| *id != program::SetId::NONE)
}

impl System for Rampart {
    fn run(&mut self, case: &Case) -> Result<Observed> {
        let rules = case.all_tables();
        let mut sets = BothSides::new(case.seed);
        let mut directory = sets.restore(&case.sets, Time(1_000_000_000_000))?.unwrap_or_default();
        let compiled = if case.ipv6 {
            compiled(rules::Family::Ipv6, &rules, &sets)
                .map(|(set, root, ipv6)| (set, Program { root, ipv6, ..Program::default() }))
        } else {
            compiled(rules::Family::Ipv4, &rules, &sets)
                .map(|(set, root, ipv4)| (set, Program { root, ipv4, ..Program::default() }))
        };
        let (set, program) = match compiled {
            Ok(compiled) => compiled,
            Err(reason) => return Ok(Observed { refused: Some(reason), ..Observed::default() }),
        };
        let changed = changed_sets(&program.ipv4).chain(changed_sets(&program.ipv6)).collect();
        directory = sets.open(changed).unwrap_or(directory);
        // Whether packets find what others have changed in the tables or not yet must be all the same.
        let follows = case.seed.is_multiple_of(2);
        let states = TableStates::following(&Program::default(), &TableStates::default(), &program);
        let mut settings = Settings { icmp_ratelimit: 0, icmpv6_ratelimit: 0, ..Settings::default() };
        settings.conntrack.policies = policies::of_the_engine().into();
        let settings = Arc::new(settings);
        let host = self.hosts[usize::from(case.redirects)].clone();
        let snapshot = Snapshot { edition: Edition::new(), program, states, host, sets: directory, settings };
        let config = WorkerConfig {
            counters: SLOTS as usize,
            flows: FLOWS,
            flow_extras: FLOWS,
            neighbours: 64,
            datagrams: 64,
            traces: 64,
            linger: Duration::ZERO,
            timestamps: false,
            seed: case.seed,
            secret: [case.seed, 0],
            ipv6: case.ipv6,
            home: Home::alone(),
            shared: Arc::new(Shared::new(1, 1, 1, &mut Keys::new([0; 2]))), // `Crew` makes one of its own for all its workers.
        };
        let crew = Crew::new(snapshot, &config, self.workers, Room::default());
        if let Some(clock) = case.clock {
            let nanoseconds = i64::try_from(clock)?.saturating_mul(1_000_000_000);
            crew.workers[0].wall().set(crew.now, nanoseconds, 0);
        }
        let mut sim = Box { crew, rng: Rng::new(case.seed), queue: 0 };
        let mut observed = Observed::default();
        for (number, step) in case.steps.iter().enumerate() {
            sim.advance(STEP_MS);
            match step {
                Step::Packets(port, frames) => sim.wire(interface(*port), frames),
                Step::Answer { to, with } => {
                    let sent = observed.steps[*to].first();
                    if let Some((port, frame)) = sent.and_then(|(port, frame)| Some((*port, with.to(*port, frame)?))) {
                        sim.wire(interface(port), &[frame]);
                    }
                }
                Step::Local(packet) => {
                    if let Some((port, frame)) = world::leaves(packet) {
                        sim.host(interface(port), frame);
                    }
                }
                Step::Advance(millis) => sim.advance(*millis),
                Step::Ipset(command) => {
                    sets.tell(sim.crew.now, &mut sim.crew.snapshot)?;
                    if let Some(directory) = sets.restore(command, sim.crew.now)? {
                        sim.crew.snapshot.sets = directory;
                        sets.settle();
                    }
                }
            }
            if follows {
                sets.follow_packets(sim.crew.now, &mut sim.crew.snapshot);
            }
            let mut out: [Vec<Egress>; 2] = Default::default();
            for event in sim.crew.events() {
                match event {
                    Event::Transmit { port: by, frame } => out[port(by).index()].push((port(by), frame)),
                    Event::Deliver { frame, .. } if View::of_frame(&frame).is_some() => observed.delivered += 1,
                    Event::Log(record) => {
                        let text = record.line(|id| NAMES[id.index()]);
                        observed.logs.push(Line { step: number, level: Some(record.level), text });
                    }
                    Event::Deliver { .. } | Event::Resolve { .. } => {}
                }
            }
            observed.steps.push(out.concat());
        }
        for table in set.tables() {
            for chain in table.chains() {
                let slots = [chain.slot].into_iter().chain(chain.rules.iter().map(|rule| rule.slot));
                for (number, slot) in slots.enumerate().filter_map(|(number, slot)| Some((number, slot?))) {
                    let count = sim.crew.count(CounterSlot(slot.0));
                    let name = format!("{} {} {number}", table.name.as_str(), chain.name.as_str());
                    observed.counters.insert(name, (count.packets, count.bytes));
                }
            }
        }
        if !case.sets.is_empty() {
            sets.tell(sim.crew.now, &mut sim.crew.snapshot)?;
            observed.sets = sets.saved(sim.crew.now)?;
        }
        let now = case.names_policies().then_some(sim.crew.now);
        for worker in &sim.crew.workers {
            let ipv4 = worker.flows();
            observed.entries.extend(entries(ipv4, now, |address| Ipv4Addr::from(address).into()));
            let ipv6 = worker.flows_ipv6().into_iter();
            observed.entries.extend(ipv6.flat_map(|flows| entries(flows, now, |address| Ipv6Addr::from(address).into())));
        }
        observed.entries.sort();
        Ok(observed)
    }
}

fn entries<F: Family>(
    flows: &FlowTable<F>,
    now: Option<Time>,
    address: impl Fn(F::Addr) -> IpAddr + Copy,
) -> impl Iterator<Item = Entry> {
    flows.iter().map(move |(id, flow)| entry(flow, flows.counts(id).unwrap_or_default(), now, address))
}

fn entry<F: Family>(flow: &Flow<F>, counts: [Counts; 2], now: Option<Time>, address: impl Fn(F::Addr) -> IpAddr) -> Entry {
    let half = |dir: Dir| {
        let (tuple, Counts { packets, bytes }) = (flow.tuple(dir), counts[dir.index()]);
        let l4 = match tuple.l4 {
            TupleL4::Ports { src, dst } | TupleL4::Calls { src, dst } => (src, dst),
            TupleL4::Icmp { kind, code, id } => (u16::from(kind) * 256 + u16::from(code), id),
            TupleL4::Other => (0, 0),
        };
        Half { src: address(tuple.src), dst: address(tuple.dst), l4, packets, bytes }
    };
    Entry {
        protocol: flow.tuple(Dir::Original).protocol,
        state: if matches!(flow.kind(), FlowKind::Tcp(_) | FlowKind::Sctp(_)) {
            flow.kind().names().1.to_owned()
        } else {
            String::new()
        },
        halves: [half(Dir::Original), half(Dir::Reply)],
        unreplied: !flow.status().has(Status::SEEN_REPLY),
        assured: flow.status().has(Status::ASSURED),
        mark: flow.mark,
        timeout: now.map(|now| policies::rounded(flow.remaining_seconds(now))),
    }
}
