//! A router in memory, for tests that read as stories: rules as text, packets in, lines out.
//!
//! ```text
//! client 10.0.0.2 ---- eth0 10.0.0.1/24 [ box ] eth1 192.168.1.1/24 ---- servers 192.168.1.2, .3, .4
//!                                       [     ] eth2 203.0.113.1/24 ---- the world, by 203.0.113.254
//! ```
//!
//! Every neighbour named above is known, and no other.

pub(crate) mod crew;
pub(crate) mod frames;
mod sets;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use engine::WorkerConfig;
use engine::host::{Address, FamilyHost, FamilyParts, Host, Interface, Neighbour};
use engine::route::{NextHop, Route, RouteKind};
use engine::sim::{Event, Shape, Sim};
use engine::snapshot::{Edition, Settings, Snapshot, TableStates};
use packet::Ipv4;
use program::{CounterSlot, InterfaceId, Program, TimeoutId, TimeoutName};
use rules::RuleSet;

pub(crate) const ETH0: InterfaceId = InterfaceId(1);
pub(crate) const ETH1: InterfaceId = InterfaceId(2);
pub(crate) const ETH2: InterfaceId = InterfaceId(3);
pub(crate) const NAMES: [&str; 4] = ["", "eth0", "eth1", "eth2"];

/// A client at eth0 opens a connection to a server at eth1, and sends so much data, ten bytes at a time.
pub(crate) fn talk(client: &str, server: &str, data: u32) -> Vec<(InterfaceId, frames::Packet)> {
    let opening = [
        (ETH0, frames::tcp(client, server, "S")),
        (ETH1, frames::tcp(server, client, "SA").numbers(5000, 1001)),
        (ETH0, frames::tcp(client, server, "A").numbers(1001, 5001)),
    ];
    let more = (0..data).map(|nth| (ETH0, frames::tcp(client, server, "PA").numbers(1001 + 10 * nth, 5001).data(10)));
    opening.into_iter().chain(more).collect()
}

pub(crate) fn ip(text: &str) -> u32 {
    text.parse::<Ipv4Addr>().expect("an address").to_bits()
}

pub(crate) fn mac(port: InterfaceId) -> [u8; 6] {
    [2, 0, 0, 0, 0, port.0 as u8]
}

/// The box's own description, to be changed before [`Lab::host`] is set.
#[derive(Clone)]
pub(crate) struct Box {
    pub(crate) interfaces: [Interface; 3],
    pub(crate) parts: FamilyParts<Ipv4>,
}

impl Default for Box {
    fn default() -> Self {
        let address = |interface, text| Address::<Ipv4>::new(interface, ip(text), 24);
        let addresses = vec![address(ETH0, "10.0.0.1"), address(ETH1, "192.168.1.1"), address(ETH2, "203.0.113.1")];
        let world = NextHop { interface: ETH2, gateway: Some(ip("203.0.113.254")), weight: 1 };
        let default =
            Route { prefix: 0, len: 0, tos: 0, metric: 0, source: None, mtu: None, kind: RouteKind::Unicast(vec![world]) };
        let routes = addresses.iter().map(Address::connected_route).chain([default]).collect();
        let known = [
            (ETH0, "10.0.0.2"),
            (ETH0, "10.0.0.3"),
            (ETH1, "192.168.1.2"),
            (ETH1, "192.168.1.3"),
            (ETH1, "192.168.1.4"),
            (ETH2, "203.0.113.254"),
        ];
        let neighbours = known
            .iter()
            .map(|(port, text)| (*port, ip(text), Neighbour::Known([2, 1, 0, 0, port.0 as u8, ip(text) as u8])))
            .collect();
        Self {
            interfaces: [ETH0, ETH1, ETH2].map(|port| Interface::new(NAMES[port.index()], mac(port))),
            parts: FamilyParts { addresses, routes, neighbours, ..FamilyParts::default() },
        }
    }
}

impl Box {
    pub(crate) fn host(&self) -> Arc<Host> {
        let interfaces = core::iter::once(None).chain(self.interfaces.iter().cloned().map(Some)).collect();
        Arc::new(Host { interfaces, ipv4: FamilyHost::new(self.parts.clone()), ..Host::default() })
    }
}

/// Connections of a lab that can have a security label.
pub(crate) const FLOW_EXTRAS: u32 = 32;

pub(crate) struct Lab {
    pub(crate) sim: Sim,
    set: RuleSet,
    sets: engine::sets::Sets,
    slots: u32,
}

fn config() -> WorkerConfig {
    WorkerConfig {
        counters: 1024,
        flows: 4096,
        flow_extras: FLOW_EXTRAS,
        neighbours: 4,
        datagrams: 16,
        seed: 1,
        ..WorkerConfig::default()
    }
}

/// What a text says.
fn read(text: &str) -> RuleSet {
    let options = rules::restore::Options::parse(rules::Family::Ipv4, &[]).expect("no options");
    let names = rules::names::NameFiles::parse("tcp 6\nudp 17\nicmp 1\n", "");
    let host = rules::command::Host { names: &sets::Named(&names), live: None };
    let empty = RuleSet::new(rules::Family::Ipv4);
    let outcome =
        rules::restore::restore(&empty, text, &options, &host).unwrap_or_else(|error| panic!("{}", error.message("restore")));
    outcome.ruleset.unwrap_or(empty)
}

/// A table as an edit of the running one.
fn edited(
    old: &rules::Table,
    now: &rules::Table,
    running: &program::Table<Ipv4>,
    context: &mut compile::Context,
) -> program::Table<Ipv4> {
    let changes = compile::Changes::between(old, now).expect("built-in chains stay");
    let (mut next, edit) = compile::edit(running.clone(), now, &changes, context).expect("the rules can be compiled");
    next.bind_edited(&NAMES, running, &edit);
    next.tree.check_edited(&next, running, &edit.made()).expect("the trees are right");
    next
}

impl Lab {
    /// A box with these rules, as `iptables-restore` reads them.
    pub(crate) fn new(text: &str) -> Self {
        Self::seeded(text, 1)
    }

    /// The same, and it remembers when connections begin.
    pub(crate) fn timed(text: &str) -> Self {
        Self::made(text, WorkerConfig { timestamps: true, ..config() })
    }

    pub(crate) fn seeded(text: &str, seed: u64) -> Self {
        Self::made(text, WorkerConfig { seed, ..config() })
    }

    /// The same, and every packet walks.
    pub(crate) fn walking(text: &str) -> Self {
        Self::made(text, WorkerConfig { traces: 0, ..config() })
    }

    /// The same, and after a change packets may go by what was decided before.
    pub(crate) fn lingering(text: &str) -> Self {
        Self::made(text, WorkerConfig { linger: Duration::from_millis(50), ..config() })
    }

    fn made(text: &str, config: WorkerConfig) -> Self {
        let snapshot = Snapshot {
            edition: Edition::new(),
            program: Program::default(),
            states: TableStates::default(),
            host: Box::default().host(),
            sets: Arc::default(),
            settings: Arc::new(Settings::default()),
        };
        let (set, sets) = (RuleSet::new(rules::Family::Ipv4), engine::sets::Sets::new([1, 2]));
        let mut lab = Self { sim: Sim::new(snapshot, &config), set, sets, slots: 0 };
        lab.make_sets();
        lab.load(text);
        lab
    }

    /// Publishes new rules, with counters of their own.
    pub(crate) fn load(&mut self, text: &str) {
        self.publish(text, &mut []);
    }

    /// Publishes new rules, of which those that were there before keep their counters.
    pub(crate) fn edit(&mut self, text: &str) {
        let chains =
            self.set.tables().flat_map(|table| table.chains().map(|chain| ((table.name, chain.name.clone()), chain.clone())));
        let mut before: Vec<_> = chains.collect();
        self.publish(text, &mut before);
    }

    /// Publishes new rules as the daemons do after `iptables-restore`: a table that was there before is edited, and rules that are said again stay.
    pub(crate) fn restore(&mut self, text: &str) {
        let mut set = read(text);
        let mut context = compile::Context::with_labels(1024, self.sim.snapshot.program.root.labels.clone());
        let running = self.sim.snapshot.program.ipv4.clone();
        let mut ipv4 = program::Tables::default();
        for table in set.tables_mut() {
            let old = self.set.table(table.name);
            old.into_iter().for_each(|old| drop(table.resume(old)));
            let old_slot = |chain: &rules::Chain| old.and_then(|old| old.chain(&chain.name)?.slot);
            for chain in table.chains_mut() {
                let mut slot = || {
                    self.slots += 1;
                    Some(rules::SlotId(self.slots - 1))
                };
                if chain.policy.is_some() {
                    chain.slot = old_slot(chain).or_else(&mut slot);
                }
                chain.rules.change(0..chain.rules.len(), |rule| rule.slot.is_none(), |rule| rule.slot = slot());
            }
            let kind = program::TableKind::ALL[table.name as usize];
            let edited = old.zip(running.get(kind)).map(|(old, running)| edited(old, table, running, &mut context));
            let next = edited.unwrap_or_else(|| {
                let mut next = compile::table(table, &mut context).unwrap_or_else(|error| panic!("{error}"));
                next.bind(&NAMES);
                next
            });
            ipv4.tables[kind as usize] = Some(Arc::new(next));
        }
        self.run(set, ipv4, &context);
    }

    fn publish(&mut self, text: &str, before: &mut [((rules::TableName, rules::ChainName), rules::Chain)]) {
        let mut set = read(text);
        for table in set.tables_mut() {
            let kind = table.name;
            for chain in table.chains_mut() {
                let old = before.iter_mut().find(|(name, _)| *name == (kind, chain.name.clone())).map(|(_, chain)| chain);
                let mut slot = || {
                    self.slots += 1;
                    Some(rules::SlotId(self.slots - 1))
                };
                if chain.policy.is_some() {
                    chain.slot = old.as_ref().map_or_else(&mut slot, |old| old.slot);
                }
                let old: Vec<rules::Rule> = old.into_iter().flat_map(|old| old.rules.iter().cloned()).collect();
                let mut old = &old[..];
                for rule in &mut chain.rules {
                    let is_same = |old: &rules::Rule| rules::Rule { slot: None, ..old.clone() } == *rule;
                    let kept = old.iter().position(is_same);
                    rule.slot = kept.map_or_else(&mut slot, |at| old[at].slot);
                    old = &old[kept.map_or(0, |at| at + 1)..];
                }
            }
        }
        let mut context = compile::Context::new(1024);
        let mut ipv4 = compile::tables(&set, &mut context).unwrap_or_else(|error| panic!("{error}"));
        for table in ipv4.tables.iter_mut().flatten() {
            Arc::make_mut(table).bind(&NAMES);
        }
        self.run(set, ipv4, &context);
    }

    /// Has the workers run these tables of a rule set.
    fn run(&mut self, set: RuleSet, mut ipv4: program::Tables<Ipv4>, context: &compile::Context) {
        let policies = self.sim.snapshot.settings.conntrack.policies.clone();
        for table in ipv4.tables.iter_mut().flatten() {
            let table = Arc::make_mut(table);
            let known = |wanted: &TimeoutName| policies.iter().position(|policy| policy.name == wanted.name);
            let resolve = |wanted: &TimeoutName| known(wanted).map(|at| TimeoutId(at as u8 + 1)).ok_or_else(|| wanted.name.clone());
            table.bind_timeouts(resolve).unwrap_or_else(|name| panic!("no policy {name}"));
            table.bind_sets(|name| self.sets.place_of(name));
        }
        let changed = ipv4.tables.iter().flatten().flat_map(|table| table.bound_changes.iter().flatten());
        self.sets.open(changed.copied().filter(|id| *id != program::SetId::NONE).collect());
        if let Some(directory) = self.sets.directory() {
            self.sim.snapshot.sets = directory;
        }
        let old = &self.sim.snapshot;
        let root = program::Root { generation: old.program.root.generation + 1, labels: context.labels().to_vec() };
        let program = Program { root, ipv4, ..Program::default() };
        let states = TableStates::following(&old.program, &old.states, &program);
        let snapshot = &mut self.sim.snapshot;
        let edition = snapshot.edition.after(&snapshot.program, &program);
        (snapshot.edition, snapshot.program, snapshot.states) = (edition, program, states);
        self.set = set;
    }

    /// Publishes another description of the box.
    pub(crate) fn rehost(&mut self, host: &Box) {
        (self.sim.snapshot.edition, self.sim.snapshot.host) = (Edition::new(), host.host());
    }

    /// One packet from the wire; what came of it.
    pub(crate) fn wire(&mut self, port: InterfaceId, packet: &frames::Packet) -> Vec<String> {
        self.wire_frame(port, packet.frame())
    }

    /// One frame from the wire, addressed to the port unless it is addressed already.
    pub(crate) fn wire_frame(&mut self, port: InterfaceId, frame: Vec<u8>) -> Vec<String> {
        self.wire_shaped(port, frame, &Shape::default())
    }

    pub(crate) fn wire_shaped(&mut self, port: InterfaceId, mut frame: Vec<u8>, shape: &Shape) -> Vec<String> {
        if frame[..6] == [0; 6] {
            frame[..6].copy_from_slice(&mac(port));
        }
        self.sim.wire(port, &[frame], shape);
        self.lines()
    }

    /// One packet of the box's own stack, addressed to the gateway of the port.
    pub(crate) fn host(&mut self, port: InterfaceId, packet: &frames::Packet) -> Vec<String> {
        let mut frame = packet.frame();
        frame[..6].copy_from_slice(&GATEWAY);
        frame[6..12].copy_from_slice(&mac(port));
        self.sim.host(port, &[frame], &Shape::default());
        self.lines()
    }

    /// Time passes.
    pub(crate) fn advance(&mut self, millis: u64) -> Vec<String> {
        self.sim.advance(millis);
        self.lines()
    }

    /// Packets and bytes of a rule (counted from 1) or, with rule 0, of the chain's policy.
    pub(crate) fn count(&self, table: rules::TableName, chain: &str, rule: usize) -> (u64, u64) {
        let count = self.sim.worker.counters().get(self.slot(table, chain, rule));
        (count.packets, count.bytes)
    }

    pub(crate) fn slot(&self, table: rules::TableName, chain: &str, rule: usize) -> CounterSlot {
        let chain = self.set.table(table).and_then(|table| table.chain(chain)).expect("a chain");
        let slot = if rule == 0 { chain.slot } else { chain.rules[rule - 1].slot }.expect("a slot");
        CounterSlot(slot.0)
    }

    /// Drops so far, by name.
    pub(crate) fn drops(&self) -> Vec<(&'static str, u64)> {
        self.sim.worker.drops().occurred().map(|(reason, n)| (reason.name(), n)).collect()
    }

    /// What happened since the last call, a line each. No buffer may be left over but those that wait.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        let events = self.sim.events();
        events.iter().map(describe).collect()
    }

    pub(crate) fn flows(&self) -> usize {
        self.sim.worker.flows().len()
    }
}

/// The station that the box's own stack sends to.
pub(crate) const GATEWAY: [u8; 6] = [2, 1, 0, 0, 0, 0xfe];

pub(crate) fn describe(event: &Event) -> String {
    let name = |port: &InterfaceId| NAMES[port.index()];
    match event {
        Event::Transmit { port, frame } => format!("{}: {}", name(port), frames::describe(frame)),
        Event::Deliver { port, frame } => format!("tap {}: {}", name(port), frames::describe(frame)),
        Event::Log(record) => format!("log: {}", record.line(|port| NAMES[port.index()])),
        Event::Resolve { port, next_hop } => format!("{}: who has {next_hop}?", name(port)),
    }
}
