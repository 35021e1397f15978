use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use engine::drop::DropReason;
use engine::keys::Keys;
use engine::sets::Sets;
use program::InterfaceId;
use proto::flow::{Change, NAMES, Name};
use proto::private::{Family, Form, Place, Publish, TableKind, TableRef};
use rtrb::{Producer, RingBuffer};
use tempfile::TempDir;

use super::*;
use crate::config::Config;
use crate::control::publication::tests::filter;
use crate::host::PortIdentity;

/// Ports without devices: the carrier follows a switch.
struct FakePorts(Arc<AtomicBool>);

impl Ports for FakePorts {
    fn stats(&self) -> Vec<stats::Port> {
        vec![stats::Port { name: "eth0".into(), rx_packets: 5, ..Default::default() }]
    }

    fn carriers(&self) -> Vec<bool> {
        vec![self.0.load(Ordering::Relaxed)]
    }
}

struct Running {
    _folder: TempDir,
    path: PathBuf,
    stop: Arc<AtomicBool>,
    carrier: Arc<AtomicBool>,
    counters: Arc<Counters>,
    drops: Arc<DropCounters>,
    unresolved: Producer<Unresolved>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn start() -> Running {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dataplane.sock");
    let text = "[dataplane.limits]\ncounters = 1024\n[[dataplane.port]]\nname = \"eth0\"\ndevice = \"net_null0\"\n";
    let config = Config::parse(Path::new("t.toml"), text).unwrap();
    let port = PortIdentity { id: InterfaceId(1), name: "eth0".into(), mac: [2; 6], mtu: 1500, tap: "tap0".into() };
    let publication =
        Publication::new(vec![port], Arc::new(config), engine::snapshot::Settings::default(), Sets::new([1, 2])).unwrap();
    let (counters, drops) = (Arc::new(Counters::new(1024)), Arc::new(DropCounters::default()));
    let telemetry = Telemetry {
        shortages: Vec::new(),
        counters: vec![counters.clone()],
        gauges: vec![Arc::default()],
        inboxes: vec![Arc::default()],
        drops: vec![drops.clone()],
        handoffs: vec![Arc::default()],
        traffic: vec![vec![Arc::default()]],
        logs_lost: vec![Arc::new(AtomicU64::new(2)), Arc::new(AtomicU64::new(3))],
        flow_capacity: 9,
        shared: Arc::new(Shared::new(1, 9, 9, &mut Keys::new([1, 2]))),
    };
    let (unresolved, ring) = RingBuffer::new(16);
    let (stop, carrier) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    let listener = Listener::bind(&path).unwrap();
    let ports = FakePorts(carrier.clone());
    let control =
        ControlThread::new(listener, publication, telemetry, ports, vec![ring], (77, Box::new(|| Time(1))), stop.clone()).unwrap();
    let thread = Some(thread::spawn(move || control.run()));
    Running { _folder: folder, path, stop, carrier, counters, drops, unresolved, thread }
}

fn connect(running: &Running) -> Socket {
    let socket = Socket::connect(&running.path).unwrap();
    socket.set_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

fn ask(socket: &Socket, request: &Request, fds: &[&OwnedFd]) -> (Reply, Vec<OwnedFd>) {
    socket.send(request, &fds.iter().map(AsFd::as_fd).collect::<Vec<_>>()).unwrap();
    socket.recv().unwrap()
}

fn greet(running: &Running, role: Role) -> (Socket, Reply) {
    let socket = connect(running);
    let (reply, _) = ask(&socket, &Request::Hello { version: VERSION, role }, &[]);
    (socket, reply)
}

#[track_caller]
fn assert_refused(reply: &Reply, words: &str) {
    assert!(matches!(reply, Reply::Refused { reason } if reason.contains(words)), "{words:?} in {reply:?}");
}

fn publish(socket: &Socket, based_on: u64) -> Reply {
    let image = wire::sealed("t", &program::image::encode_table(&filter(5))).unwrap();
    let source = wire::sealed("t", b"the source").unwrap();
    let tables = vec![TableRef { family: Family::Ipv4, kind: TableKind::Filter, form: Form::Whole }];
    let request =
        Request::Publish(Publish { based_on, labels: vec![String::new()], tables, source_goes_on: false, begins_counters: false });
    ask(socket, &request, &[&image, &source]).0
}

#[test]
fn hello_names_the_ports_and_the_limits() {
    let running = start();
    let (_socket, reply) = greet(&running, Role::Controller);
    let Reply::Hello { version, generation, interfaces, counter_slots, boot_id, .. } = reply else { panic!("{reply:?}") };
    assert_eq!((version, generation, counter_slots, boot_id), (VERSION, 0, 1024, 77));
    assert_eq!((interfaces[0].id, interfaces[0].name.as_str(), interfaces[0].tap.as_str()), (1, "eth0", "tap0"));
}

#[test]
fn there_is_one_controller_and_the_next_may_come_when_it_is_gone() {
    let running = start();
    let (first, _) = greet(&running, Role::Controller);
    let (_second, reply) = greet(&running, Role::Controller);
    assert_refused(&reply, "another rampartd");
    drop(first);
    let again = (0..50).any(|_| {
        thread::sleep(Duration::from_millis(20));
        matches!(greet(&running, Role::Controller).1, Reply::Hello { .. })
    });
    assert!(again);
}

#[test]
fn a_program_is_published_and_its_source_given_back() {
    let running = start();
    let (socket, _) = greet(&running, Role::Controller);
    assert_eq!(ask(&socket, &Request::Source {}, &[]).0, Reply::Source { generation: 0 });
    assert_eq!(publish(&socket, 0), Reply::Published { generation: 1 });
    let (reply, fds) = ask(&socket, &Request::Source {}, &[]);
    assert_eq!(reply, Reply::Source { generation: 1 });
    assert_eq!(wire::read_sealed(&fds[0], 100).unwrap(), b"the source");
    assert_refused(&publish(&socket, 0), "generation 1 is running");
}

#[test]
fn counters_are_summed_up_to_the_last_slot_in_use() {
    let running = start();
    let (socket, _) = greet(&running, Role::Controller);
    publish(&socket, 0);
    running.counters.count(CounterSlot(5), 60);
    let (reply, fds) = ask(&socket, &Request::Counters {}, &[]);
    assert_eq!(reply, Reply::Counters { slots: 6 });
    let bytes = wire::read_sealed(&fds[0], 1000).unwrap();
    assert_eq!(bytes.len(), 6 * 16);
    assert_eq!(bytes[80..96], [1u64.to_ne_bytes(), 60u64.to_ne_bytes()].concat());
}

#[test]
fn statistics_name_ports_drops_and_lost_log_lines() {
    let running = start();
    running.drops.add(DropReason::NoProgram, 4);
    let (socket, _) = greet(&running, Role::Observer);
    let (reply, fds) = ask(&socket, &Request::Stats {}, &[]);
    assert_eq!(reply, Reply::Stats {});
    let stats: stats::Stats = serde_json::from_slice(&wire::read_sealed(&fds[0], 1 << 20).unwrap()).unwrap();
    assert_eq!((stats.drops["NoProgram"], stats.logs_lost, stats.flow_capacity), (4, 5, 9));
    assert_eq!((stats.ports[0].rx_packets, stats.traffic[0].port.as_str()), (5, "eth0"));
}

#[test]
fn an_observer_may_not_change_anything() {
    let running = start();
    let (socket, _) = greet(&running, Role::Observer);
    assert_refused(&publish(&socket, 0), "only a controller");
    assert_refused(&ask(&socket, &Request::Host {}, &[]).0, "only a controller");
}

#[test]
fn who_asks_about_connections_does_nothing_else_and_nobody_else_does_it() {
    let running = start();
    let from = Place::first(Family::Ipv4);
    let about_connections = [
        Request::Flows { from, zero: false },
        Request::EndFlows { table: from, flows: vec![] },
        Request::ChangeFlows { table: from, flows: vec![], change: Change::default() },
        Request::FlushFlows { family: None },
        Request::Expectations { from },
        Request::FlushExpectations {},
        Request::EndExpectation { family: Family::Ipv4, name: Name(1, 1) },
        Request::ExpectationEvents {},
        Request::Events { room: None },
    ];
    for role in [Role::Controller, Role::Observer] {
        let (socket, _) = greet(&running, role);
        for request in &about_connections {
            assert_refused(&ask(&socket, request, &[]).0, "with the role conntrack");
        }
    }
    let (socket, _) = greet(&running, Role::Conntrack);
    let others = [Request::Source {}, Request::Counters {}, Request::Stats {}, Request::Host {}, Request::Subscribe {}];
    for request in &others {
        assert_refused(&ask(&socket, request, &[]).0, "no question about connections");
    }
    assert_refused(&publish(&socket, 0), "no question about connections");
    let elsewhere = Place { worker: 1, ..from };
    for request in [Request::Flows { from: elsewhere, zero: true }, Request::Expectations { from: elsewhere }] {
        assert_refused(&ask(&socket, &request, &[]).0, "there is no worker 1");
    }
    let many = vec![Name(1, 1); NAMES + 1];
    assert_refused(&ask(&socket, &Request::EndFlows { table: from, flows: many }, &[]).0, "1024 may be");
    assert!(
        matches!(ask(&socket, &Request::Events { room: Some(9) }, &[]).0, Reply::Events { lost: 0 }),
        "its own question is answered still"
    );
    assert_refused(&ask(&socket, &Request::ExpectationEvents {}, &[]).0, "no question about connections");
    let (socket, _) = greet(&running, Role::Conntrack);
    for _ in 0..2 {
        assert!(matches!(ask(&socket, &Request::ExpectationEvents {}, &[]).0, Reply::Events { lost: 0 }));
    }
}

#[test]
fn garbage_costs_its_sender_the_connection_and_nobody_else() {
    let running = start();
    let (controller, _) = greet(&running, Role::Controller);
    for garbage in [&b"{"[..], b"\xff\xfe", br#"{"type":"hello"}"#, br#"{"type":"stats"}"#, &[b'['; 60_000]] {
        let socket = connect(&running);
        socket.send_bytes(garbage, &[]).unwrap();
        assert_refused(&socket.recv::<Reply>().unwrap().0, "");
        assert!(matches!(socket.recv::<Reply>(), Err(WireError::Closed)));
    }
    let (_, other) = greet_with(&running, VERSION + 1);
    assert_refused(&other, "is spoken here");
    assert_eq!(publish(&controller, 0), Reply::Published { generation: 1 });
}

fn greet_with(running: &Running, version: u32) -> (Socket, Reply) {
    let socket = connect(running);
    let (reply, _) = ask(&socket, &Request::Hello { version, role: Role::Observer }, &[]);
    (socket, reply)
}

#[test]
fn a_client_that_never_reads_is_closed_and_holds_nobody_up() {
    let running = start();
    let (controller, _) = greet(&running, Role::Controller);
    let (silent, _) = greet(&running, Role::Observer);
    silent.set_timeout(Some(Duration::from_millis(50))).unwrap();
    let closed = (0..100_000).any(|_| matches!(silent.send(&Request::Source {}, &[]), Err(WireError::Closed)));
    assert!(closed);
    assert_eq!(publish(&controller, 0), Reply::Published { generation: 1 });
}

#[test]
fn more_connections_than_there_is_room_for_are_refused() {
    let running = start();
    let kept: Vec<_> = (0..MAX_CLIENTS).map(|_| greet(&running, Role::Observer)).collect();
    let one_more = connect(&running);
    assert_refused(&one_more.recv::<Reply>().unwrap().0, "too many");
    assert_eq!(ask(&kept[0].0, &Request::Source {}, &[]).0, Reply::Source { generation: 0 });
}

#[test]
fn what_was_unresolved_before_anybody_subscribed_is_told_to_the_first_who_does() {
    let mut running = start();
    let address = "10.0.0.9".parse().unwrap();
    running.unresolved.push((InterfaceId(1), address)).unwrap();
    let (socket, _) = greet(&running, Role::Observer);
    // The control thread has gone round since, with nobody to tell.
    assert_eq!(ask(&socket, &Request::Source {}, &[]).0, Reply::Source { generation: 0 });
    assert_eq!(ask(&socket, &Request::Subscribe {}, &[]).0, Reply::Ok {});
    assert_eq!(socket.recv::<Event>().unwrap().0, Event::Resolve { interface: "eth0".into(), address });
}

#[test]
fn a_subscriber_hears_of_unresolved_neighbours_and_links() {
    let mut running = start();
    let (socket, _) = greet(&running, Role::Observer);
    assert_eq!(ask(&socket, &Request::Subscribe {}, &[]).0, Reply::Ok {});
    let address = "10.0.0.9".parse().unwrap();
    running.unresolved.push((InterfaceId(1), address)).unwrap();
    assert_eq!(socket.recv::<Event>().unwrap().0, Event::Resolve { interface: "eth0".into(), address });
    running.carrier.store(false, Ordering::Relaxed);
    assert_eq!(socket.recv::<Event>().unwrap().0, Event::Link { interface: "eth0".into(), up: false });
}
