//! A dataplane that speaks the protocol, keeps what it is given, and forwards nothing.
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use packet::{Ipv4, Ipv6};
use program::Table;
use program::verify::Limits;
use proto::expectation::{self, Expectation};
use proto::flow::{self, Change, Flow};
use proto::host::{Mac, Snapshot};
use proto::private::{Event, Family, Form, Interface, Place, Publish, Reply, Request, Role, VERSION};
use proto::stats::{Flows, Stats, Tracking, Traffic};
use proto::wire::{self, Listener, Socket, WireError};

/// What it keeps, and how it is to misbehave.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) generation: u64,
    pub(crate) tables: BTreeMap<String, Table<Ipv4>>,
    pub(crate) tables_ipv6: BTreeMap<String, Table<Ipv6>>,
    /// It drops every IPv6 packet.
    pub(crate) no_ipv6: bool,
    /// Names of tables that the last publication changed; those of IPv6 begin with `6`.
    pub(crate) changed: Vec<String>,
    /// How many tables came as edits.
    pub(crate) edits: usize,
    pub(crate) labels: Vec<String>,
    pub(crate) source: Option<Vec<u8>>,
    pub(crate) counters: Vec<(u64, u64)>,
    /// Each rule and policy that runs meets so many packets while a publication is under way.
    pub(crate) meanwhile: u64,
    pub(crate) hosts: Vec<Snapshot>,
    /// What it was told of sets: whether it was all of them, and what.
    pub(crate) sets: Vec<(bool, Vec<program::SetEdit>)>,
    /// What it says that they have counted.
    pub(crate) set_counts: program::set::Counts,
    /// What packets have changed of sets, and what was known of it when it was asked for.
    pub(crate) by_packets: program::set::ByPackets,
    pub(crate) known: Vec<u64>,
    /// Answers publications so.
    pub(crate) refuse: Option<String>,
    /// Hangs up instead of acknowledging a publication, which it has taken.
    pub(crate) die_after_publish: bool,
    /// Gives its source in a memfd without seals.
    pub(crate) unsealed: bool,
    /// Speaks another version of the protocol.
    pub(crate) version: Option<u32>,
    /// Connections of each family, by slot; they are given out three at a time.
    pub(crate) flows: [Vec<Flow>; 2],
    /// What is expected in each family; given out two at a time.
    pub(crate) expectations: [Vec<Expectation>; 2],
    /// How many events may wait, as was last asked for.
    pub(crate) room: Option<u32>,
    /// What became of expectations.
    pub(crate) announced: Vec<expectation::Event>,
    /// Hangs up when it has given so many pages.
    pub(crate) pages_left: Option<usize>,
    /// What became of connections: each batch, and how many events were lost before it.
    pub(crate) happened: Vec<(Vec<flow::Event>, u64)>,
    /// Sent to subscribers.
    pub(crate) events: Vec<Event>,
    pub(crate) controlled: bool,
}

/// The running thread.
pub(crate) struct Fake {
    pub(crate) kept: Arc<Mutex<Kept>>,
    stop: Arc<AtomicBool>,
    path: PathBuf,
    thread: Option<JoinHandle<()>>,
}

const SLOTS: u32 = 1000;
const BOOT: u64 = 77;

impl Fake {
    pub(crate) fn start(path: &Path) -> Fake {
        Fake::start_with(path, Kept::default())
    }

    pub(crate) fn start_with(path: &Path, mut kept: Kept) -> Fake {
        kept.counters.resize(SLOTS as usize, (0, 0));
        let kept = Arc::new(Mutex::new(kept));
        let stop = Arc::new(AtomicBool::new(false));
        let listener = Listener::bind(path).unwrap();
        let thread = std::thread::spawn({
            let (kept, stop) = (Arc::clone(&kept), Arc::clone(&stop));
            move || {
                let mut connections = Vec::new();
                loop {
                    let socket = listener.accept().unwrap();
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let (kept, stop) = (Arc::clone(&kept), Arc::clone(&stop));
                    connections.push(std::thread::spawn(move || serve(&socket, &kept, &stop)));
                }
                connections.into_iter().for_each(|thread| thread.join().unwrap());
            }
        });
        Fake { kept, stop, path: path.to_owned(), thread: Some(thread) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// The rule at `index` (from 0) of a chain of filter, or its policy, meets packets of 100 bytes.
    pub(crate) fn meet(&self, chain: &str, index: Option<usize>, packets: u64) {
        let slot = slot_of(&self.lock().tables["filter"], chain, index);
        self.count(slot, packets);
    }

    /// As [`Fake::meet`], for IPv6.
    pub(crate) fn meet_ipv6(&self, chain: &str, index: Option<usize>, packets: u64) {
        let slot = slot_of(&self.lock().tables_ipv6["filter"], chain, index);
        self.count(slot, packets);
    }

    fn count(&self, slot: usize, packets: u64) {
        let counter = &mut self.lock().counters[slot];
        counter.0 += packets;
        counter.1 += packets * 100;
    }

    /// Dies, and gives what it had.
    pub(crate) fn stop(mut self) -> Kept {
        self.end();
        std::mem::take(&mut *self.kept.lock().unwrap())
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(Socket::connect(&self.path));
            thread.join().unwrap();
            std::fs::remove_file(&self.path).unwrap();
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

fn serve(socket: &Socket, kept: &Mutex<Kept>, stop: &AtomicBool) {
    socket.set_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut role = Role::Observer;
    let mut subscribed = false;
    while !stop.load(Ordering::Relaxed) {
        if subscribed {
            let events = std::mem::take(&mut kept.lock().unwrap().events);
            for event in events {
                socket.send(&event, &[]).unwrap();
            }
        }
        let (request, fds) = match socket.recv::<Request>() {
            Ok(request) => request,
            Err(WireError::TimedOut) => continue,
            Err(WireError::Closed) => break,
            Err(error) => panic!("{error}"),
        };
        let mut kept = kept.lock().unwrap();
        let mut segment = None;
        let reply = match request {
            Request::Hello { role: Role::Controller, .. } if kept.controlled => {
                Reply::Refused { reason: "there is a controller".into() }
            }
            Request::Hello { role: wanted, .. } => {
                role = wanted;
                kept.controlled |= role == Role::Controller;
                hello(&kept)
            }
            Request::Publish(publish) => {
                let reply = publish_to(&mut kept, &publish, &fds);
                if kept.die_after_publish {
                    break;
                }
                reply
            }
            Request::Source {} => {
                if let Some(source) = &kept.source {
                    segment = Some(if kept.unsealed { unsealed(source) } else { wire::sealed("s", source).unwrap() });
                }
                Reply::Source { generation: kept.generation }
            }
            Request::Host {} => {
                kept.hosts.push(serde_json::from_slice(&wire::read_sealed(&fds[0], wire::MAX_SEGMENT).unwrap()).unwrap());
                Reply::Ok {}
            }
            Request::Sets { whole } => {
                let edits = program::set::decode(&wire::read_sealed(&fds[0], wire::MAX_SEGMENT).unwrap()).unwrap();
                kept.sets.push((whole, edits));
                Reply::Ok {}
            }
            Request::SetCounts { .. } => {
                segment = Some(wire::sealed("c", &program::set::encode_counts(&kept.set_counts)).unwrap());
                Reply::SetCounts {}
            }
            Request::SetsByPackets { known } => {
                kept.known.push(known);
                segment = Some(wire::sealed("c", &program::set::encode_by_packets(&kept.by_packets)).unwrap());
                Reply::SetsByPackets {}
            }
            Request::RecentLists {} => Reply::RecentLists { names: vec!["seen".into()] },
            Request::Recent { list, .. } => Reply::Refused { reason: format!("no rule names a list {list:?}") },
            Request::Counters {} => {
                let bytes: Vec<u8> = kept.counters.iter().flat_map(|(p, b)| [p.to_ne_bytes(), b.to_ne_bytes()]).flatten().collect();
                segment = Some(wire::sealed("c", &bytes).unwrap());
                Reply::Counters { slots: SLOTS }
            }
            Request::CountersOf { slots } => {
                let of = |slot: &u32| kept.counters[*slot as usize];
                let bytes: Vec<u8> = slots.iter().map(of).flat_map(|(p, b)| [p.to_ne_bytes(), b.to_ne_bytes()]).flatten().collect();
                segment = Some(wire::sealed("c", &bytes).unwrap());
                Reply::Counters { slots: slots.len() as u32 }
            }
            Request::Stats {} => {
                segment = Some(wire::sealed("s", &serde_json::to_vec(&stats(kept.generation)).unwrap()).unwrap());
                Reply::Stats {}
            }
            Request::Flows { .. }
            | Request::EndFlows { .. }
            | Request::ChangeFlows { .. }
            | Request::FlushFlows { .. }
            | Request::Events { .. }
            | Request::Expectations { .. }
            | Request::FlushExpectations {}
            | Request::EndExpectation { .. }
            | Request::ExpectationEvents {}
                if role != Role::Conntrack =>
            {
                Reply::Refused { reason: "not yours".into() }
            }
            Request::Flows { from, .. } => {
                if kept.pages_left.as_mut().is_some_and(|left| left.checked_sub(1).map(|rest| *left = rest).is_none()) {
                    break;
                }
                let all = &kept.flows[from.family as usize];
                let end = all.len().min(from.slot as usize + 3);
                segment = Some(wire::sealed("f", &flow::encode(&all[from.slot as usize..end])).unwrap());
                Reply::Flows { next: (end < all.len()).then_some(Place { slot: end as u32, ..from }) }
            }
            Request::EndFlows { table, flows } => {
                let named = |flow: &Flow| flows.contains(&flow.name);
                let (ended, left) = kept.flows[table.family as usize].iter().cloned().partition::<Vec<_>, _>(named);
                kept.flows[table.family as usize] = left;
                segment = Some(wire::sealed("f", &flow::encode(&ended)).unwrap());
                Reply::Flows { next: None }
            }
            Request::ChangeFlows { table, flows, change: Change { timeout, status, clear, flip, take_off, put_on } } => {
                let bits = |[low, high]: [u64; 2]| u128::from(high) << 64 | u128::from(low);
                let mut changed = Vec::new();
                for flow in &mut kept.flows[table.family as usize] {
                    if flows.contains(&flow.name) {
                        flow.mark = (flow.mark & !clear) ^ flip;
                        flow.timeout = timeout.unwrap_or(flow.timeout);
                        flow.status |= status;
                        // For labels of the first one there is no room.
                        if flow.name.0 > 0 {
                            flow.labels = flow.labels & !bits(take_off) | bits(put_on);
                        }
                        changed.push(flow.clone());
                    }
                }
                segment = Some(wire::sealed("f", &flow::encode(&changed)).unwrap());
                Reply::Flows { next: None }
            }
            Request::FlushFlows { family } => {
                for of in [Family::Ipv4, Family::Ipv6] {
                    if family.is_none_or(|family| family == of) {
                        kept.flows[of as usize].clear();
                    }
                }
                Reply::Ok {}
            }
            Request::Events { room } => {
                kept.room = room;
                let (events, lost) = if kept.happened.is_empty() { Default::default() } else { kept.happened.remove(0) };
                segment = Some(wire::sealed("e", &flow::encode(&events)).unwrap());
                Reply::Events { lost }
            }
            Request::Expectations { from } => {
                let all = &kept.expectations[from.family as usize];
                let end = all.len().min(from.slot as usize + 2);
                segment = Some(wire::sealed("e", &flow::encode(&all[from.slot as usize..end])).unwrap());
                Reply::Expectations { next: (end < all.len()).then_some(Place { slot: end as u32, ..from }) }
            }
            Request::EndExpectation { family, name } => {
                let all = &mut kept.expectations[family as usize];
                let at = all.iter().position(|one| one.name == name);
                let ended: Vec<Expectation> = at.map(|at| all.remove(at)).into_iter().collect();
                segment = Some(wire::sealed("e", &flow::encode(&ended)).unwrap());
                Reply::Expectations { next: None }
            }
            Request::ExpectationEvents {} => {
                let events = std::mem::take(&mut kept.announced);
                segment = Some(wire::sealed("e", &flow::encode(&events)).unwrap());
                Reply::Events { lost: 0 }
            }
            Request::FlushExpectations {} => {
                kept.expectations = Default::default();
                Reply::Ok {}
            }
            Request::Subscribe {} => {
                subscribed = true;
                Reply::Ok {}
            }
        };
        drop(kept);
        let fds: Vec<_> = segment.iter().map(AsFd::as_fd).collect();
        if socket.send(&reply, &fds).is_err() {
            break;
        }
    }
    if role == Role::Controller {
        kept.lock().unwrap().controlled = false;
    }
}

fn hello(kept: &Kept) -> Reply {
    let port = |id, name: &str, tap: &str| Interface {
        id,
        name: name.into(),
        mac: Mac([2, 0, 0, 0, 0, id as u8]),
        mtu: 1500,
        tap: tap.into(),
    };
    Reply::Hello {
        version: kept.version.unwrap_or(VERSION),
        software: "fake 1".into(),
        generation: kept.generation,
        interfaces: vec![port(1, "eth0", "lo"), port(2, "eth1", "eth1")],
        counter_slots: SLOTS,
        boot_id: BOOT,
        ipv6: !kept.no_ipv6,
    }
}

fn publish_to(kept: &mut Kept, publish: &Publish, fds: &[OwnedFd]) -> Reply {
    if let Some(reason) = &kept.refuse {
        return Reply::Refused { reason: reason.clone() };
    }
    assert_eq!(publish.based_on, kept.generation, "rampartd knows what is running");
    let limits = Limits { counters: SLOTS, labels: publish.labels.len() as u32 };
    for slot in kept.tables.values().flat_map(slots_of).chain(kept.tables_ipv6.values().flat_map(slots_of)).collect::<Vec<_>>() {
        kept.counters[slot].0 += kept.meanwhile;
        kept.counters[slot].1 += kept.meanwhile * 100;
    }
    let mut segments = fds.iter();
    let (mut tables, mut tables_ipv6) = (BTreeMap::new(), BTreeMap::new());
    kept.changed.clear();
    for table in &publish.tables {
        let name = format!("{:?}", table.kind).to_lowercase();
        let mut segment = || wire::read_sealed(segments.next().unwrap(), wire::MAX_SEGMENT).unwrap();
        let image = (table.form != Form::Unchanged).then(|| (table.form, segment()));
        kept.edits += usize::from(table.form == Form::Edit);
        match table.family {
            Family::Ipv4 => {
                kept.changed.extend(image.is_some().then(|| name.clone()));
                tables.insert(name.clone(), take(&mut kept.tables, &name, image, &limits));
            }
            Family::Ipv6 => {
                assert!(!kept.no_ipv6, "it drops them all");
                kept.changed.extend(image.is_some().then(|| format!("6{name}")));
                tables_ipv6.insert(name.clone(), take(&mut kept.tables_ipv6, &name, image, &limits));
            }
        }
    }
    (kept.tables, kept.tables_ipv6) = (tables, tables_ipv6);
    kept.labels = publish.labels.clone();
    if publish.begins_counters {
        let slots = wire::read_sealed(segments.next().unwrap(), wire::MAX_SEGMENT).unwrap();
        for slot in slots.as_chunks::<4>().0 {
            kept.counters[u32::from_ne_bytes(*slot) as usize] = (0, 0);
        }
    }
    let source = wire::read_sealed(segments.next().unwrap(), wire::MAX_SEGMENT).unwrap();
    match &mut kept.source {
        Some(before) if publish.source_goes_on => before.extend_from_slice(&source),
        before => *before = Some(source),
    }
    assert!(segments.next().is_none());
    kept.generation += 1;
    Reply::Published { generation: kept.generation }
}

/// The slots of its policies and rules.
pub(crate) fn slots_of<F: packet::Family>(table: &Table<F>) -> Vec<usize> {
    let policies = table.chains.iter().filter_map(|chain| chain.policy).map(|policy| policy.counter.index());
    policies.chain(table.rules.iter().map(|rule| rule.counter.index())).collect()
}

fn slot_of<F: packet::Family>(table: &Table<F>, chain: &str, index: Option<usize>) -> usize {
    let chain = table.chains.iter().find(|c| c.name == chain).unwrap();
    let slot = match index {
        Some(index) => table.rules[chain.rules.first as usize + index].counter,
        None => chain.policy.unwrap().counter,
    };
    slot.index()
}

fn take<F: packet::Family>(
    running: &mut BTreeMap<String, Table<F>>,
    name: &str,
    image: Option<(Form, Vec<u8>)>,
    limits: &Limits,
) -> Table<F> {
    match image {
        Some((Form::Edit, image)) => {
            let edit = program::image::decode_edit(&image).unwrap();
            running.remove(name).expect("only a running table can be edited").edited(&edit, limits).unwrap()
        }
        Some((_, image)) => program::image::decode_table(&image, limits).unwrap(),
        None => running.remove(name).expect("only a running table can be unchanged"),
    }
}

fn unsealed(bytes: &[u8]) -> OwnedFd {
    let fd = rustix::fs::memfd_create("u", rustix::fs::MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::io::write(&fd, bytes).unwrap();
    fd
}

fn stats(generation: u64) -> Stats {
    Stats {
        generation,
        traffic: vec![Traffic { port: "eth0".into(), worker: 0, rx_packets: 5, rx_bytes: 500, tx_packets: 3, tx_bytes: 300 }],
        drops: BTreeMap::from([("TtlExpired".into(), 2)]),
        flows: vec![Flows { protocol: "tcp".into(), state: "ESTABLISHED".into(), count: 4 }],
        flow_capacity: 100,
        early_drops: 3,
        retraced: 17,
        tracking: vec![Tracking { worker: 0, invalid: 8, ..Tracking::default() }],
        ..Stats::default()
    }
}
