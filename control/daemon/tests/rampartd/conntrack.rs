//! The conntrack command, from its words to its lines.
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use proto::expectation::{self, Expectation, Master};
use proto::flow::{Event, Flow, Half, Kind, L4, Name, Zone};
use proto::public::{Reply, Request};

use crate::fake::{Fake, Kept};
use crate::harness::{LONG, Place, Rampartd, words};

fn flow(slot: u32, src: &str, dst: &str) -> Flow {
    let half = |src: &str, dst: &str, l4| Half { src: src.parse().unwrap(), dst: dst.parse().unwrap(), l4, counts: None };
    Flow {
        name: Name(slot, 1),
        id: 1000 + slot,
        protocol: 6,
        state: "ESTABLISHED".into(),
        timeout: 431_999,
        status: 0x18e,
        mark: slot,
        label: String::new(),
        labels: 0,
        helper: "".into(),
        zone: Zone { id: 0, original: true, reply: true },
        tags: None,
        started: None,
        original: half(src, dst, L4::Ports(1000 + slot as u16, 80)),
        reply: half(dst, src, L4::Ports(80, 1000 + slot as u16)),
    }
}

/// A dataplane with so many connections of IPv4 and two of IPv6.
fn with_flows(place: &Place, count: u32) -> (Fake, Rampartd) {
    let ipv4 = (0..count).map(|slot| flow(slot, "10.0.0.1", "10.0.0.2")).collect();
    let ipv6 = (0..2).map(|slot| flow(slot, "2001:db8::1", "2001:db8::2")).collect();
    let fake = Fake::start_with(&place.path("dataplane.sock"), Kept { flows: [ipv4, ipv6], ..Kept::default() });
    let daemon = place.start(&["--no-mirror-host"]);
    assert_eq!(daemon.wait_ready().exit, 0);
    (fake, daemon)
}

/// All parts of an answer as one.
fn conntrack(daemon: &Rampartd, line: &str) -> Reply {
    let mut stream = BufReader::new(ask(daemon, line));
    let mut whole = Reply::default();
    loop {
        let reply = next(&mut stream).expect("an answer");
        let (stdout, stderr) = (whole.stdout + &reply.stdout, whole.stderr + &reply.stderr);
        whole = Reply { stdout, stderr, ..reply };
        if !whole.more {
            return whole;
        }
    }
}

fn ask(daemon: &Rampartd, line: &str) -> UnixStream {
    let mut stream = UnixStream::connect(&daemon.socket).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(&Request::Conntrack { args: words(line) }.to_line().unwrap()).unwrap();
    stream.write_all(b"\n").unwrap();
    stream
}

fn next(stream: &mut impl BufRead) -> Option<Reply> {
    let mut line = String::new();
    (stream.read_line(&mut line).unwrap() > 0).then(|| serde_json::from_str(&line).unwrap())
}

#[test]
fn a_listing_has_every_connection_of_both_families_once() {
    let place = Place::new();
    let (_fake, daemon) = with_flows(&place, 7);
    let reply = conntrack(&daemon, "-L -o id");
    assert_eq!(reply.stderr, "conntrack v1.4.7 (conntrack-tools): 9 flow entries have been shown.\n");
    let lines: Vec<&str> = reply.stdout.lines().collect();
    assert_eq!(lines.len(), 9);
    assert_eq!(
        lines[3],
        "tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1003 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1003 \
         [ASSURED] mark=3 use=1 id=1003"
    );
    assert_eq!(conntrack(&daemon, "-L -f ipv6").stdout.lines().count(), 2);
    assert_eq!(conntrack(&daemon, "-L -s 2001:db8::/32").stdout.lines().count(), 2);
}

#[test]
fn what_is_deleted_is_shown_and_gone_and_deleting_nothing_fails() {
    let place = Place::new();
    let (fake, daemon) = with_flows(&place, 7);
    let reply = conntrack(&daemon, "-D -p tcp --sport 1003");
    assert_eq!((reply.exit, reply.stdout.lines().count()), (0, 1));
    assert_eq!(reply.stderr, "conntrack v1.4.7 (conntrack-tools): 1 flow entries have been deleted.\n");
    assert_eq!(conntrack(&daemon, "-D -p tcp --sport 1003").exit, 1);
    assert_eq!(conntrack(&daemon, "-F -f ipv4").exit, 0);
    assert_eq!(fake.lock().flows.each_ref().map(Vec::len), [0, 2]);
    assert_eq!(conntrack(&daemon, "-F").exit, 0);
    assert_eq!(fake.lock().flows.each_ref().map(Vec::len), [0, 0]);
}

#[test]
fn an_update_shows_and_counts_whom_it_changed() {
    let place = Place::new();
    let (fake, daemon) = with_flows(&place, 7);
    let updated = |count| format!("conntrack v1.4.7 (conntrack-tools): {count} flow entries have been updated.\n");
    let reply = conntrack(&daemon, "-U -f ipv4 -m 3");
    assert_eq!((reply.exit, reply.stdout.lines().count(), reply.stderr), (0, 6, updated(6)), "one had the mark already");
    for line in ["-U -f ipv4 -m 3", "-U -f ipv4", "-U -f ipv4 --label-del"] {
        let reply = conntrack(&daemon, line);
        assert_eq!((reply.exit, reply.stdout.as_str(), reply.stderr), (1, "", updated(0)), "{line}");
    }
    assert!(fake.lock().flows[0].iter().all(|flow| flow.mark == 3));
    // The words of a host without names of labels.
    let unknown = conntrack(&daemon, "-U --label-add some");
    assert_eq!(
        (unknown.exit, unknown.stderr.lines().next()),
        (2, Some("conntrack v1.4.7 (conntrack-tools): unknown label 'some'"))
    );
    fake.lock().flows[0][0].labels = 1;
    fake.lock().flows[0][5].labels = 5;
    let reply = conntrack(&daemon, "-U -f ipv4 --label-del");
    assert_eq!((reply.exit, reply.stdout.lines().count()), (0, 2));
    assert_eq!(fake.lock().flows[0].iter().map(|flow| flow.labels).sum::<u128>(), 1);
}

#[test]
fn a_dataplane_that_goes_in_the_middle_of_a_listing_is_told_and_the_next_one_is_asked_anew() {
    let place = Place::new();
    let (fake, daemon) = with_flows(&place, 7);
    fake.lock().pages_left = Some(2);
    let reply = conntrack(&daemon, "-L");
    assert_eq!((reply.exit, reply.stdout.lines().count()), (1, 6), "what was there is shown");
    assert!(reply.stderr.contains("Operation failed: connection closed by peer"), "{}", reply.stderr);
    fake.lock().pages_left = None;
    assert_eq!(conntrack(&daemon, "-L").exit, 0);
}

#[test]
fn without_a_dataplane_there_is_nothing_to_list_and_it_is_said() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    for line in ["-L", "-C", "-S", "-F", "-D", "-E"] {
        let reply = conntrack(&daemon, line);
        assert!(reply.exit == 4 && reply.stderr.contains("no connections are tracked: started with --standalone"), "{reply:?}");
    }
    assert_eq!(conntrack(&daemon, "-V").stdout, "conntrack v1.4.7 (conntrack-tools)\n");
}

#[test]
fn clients_that_do_not_read_hold_up_nobody() {
    let place = Place::new();
    let (_fake, daemon) = with_flows(&place, 60_000);
    // Each is stuck with its first lines in the socket; more than may run at once.
    let mut stuck: Vec<UnixStream> = (0..6).map(|_| ask(&daemon, "-L")).collect();
    let started = Instant::now();
    assert_eq!(conntrack(&daemon, "-L -p tcp --sport 1003").stdout.lines().count(), 1);
    assert_eq!(daemon.ask(&Request::Status {}, &[]).exit, 0);
    daemon.ok("-A INPUT -j ACCEPT");
    assert!(started.elapsed() < Duration::from_secs(15));
    // One that goes on reading gets everything; one that hangs up leaves its place.
    let mut late = BufReader::new(stuck.pop().unwrap());
    let mut lines = 0;
    while let Some(reply) = next(&mut late) {
        lines += reply.stdout.lines().count();
        if !reply.more {
            break;
        }
    }
    assert_eq!(lines, 60_002);
    stuck.iter().for_each(|stream| stream.shutdown(Shutdown::Both).unwrap());
    for _ in 0..9 {
        assert_eq!(conntrack(&daemon, "-G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80").exit, 0);
    }
}

fn event(kind: Kind, flow: Flow) -> Event {
    Event {
        kind,
        state_changed: kind == Kind::New,
        mark_written: false,
        labels_written: false,
        by_hand: kind == Kind::Destroy,
        ended: None,
        flow,
    }
}

/// Everything that is told until `enough` says so, and the last words after that.
fn watch(daemon: &Rampartd, line: &str, enough: impl Fn(&str) -> bool) -> (String, Reply) {
    let stream = ask(daemon, line);
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut shown = String::new();
    loop {
        let reply = next(&mut lines).expect("an answer");
        if !reply.more {
            return (shown, reply);
        }
        shown += &reply.stderr;
        shown += &reply.stdout;
        if enough(&shown) {
            // Fails if it is closed already, which is as good.
            let _ = stream.shutdown(Shutdown::Write);
        }
    }
}

fn expected(dport: u16, src: &str, dst: &str) -> Expectation {
    let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
    Expectation {
        name: Name(u32::from(dport), 1),
        zone: 0,
        protocol: 6,
        timeout: 299,
        src: Some(src),
        sport: None,
        dst,
        dport,
        master: Master { src: dst, dst: src, sport: 6021, dport: 21 },
        class: 0,
        helper: "ftp".into(),
        permanent: false,
        inactive: false,
    }
}

#[test]
fn events_are_shown_as_they_come_until_the_client_has_seen_enough() {
    let place = Place::new();
    let (fake, daemon) = with_flows(&place, 1);
    let [one, other] = [1, 2].map(|slot| flow(slot, "10.0.0.1", "10.0.0.2"));
    let batch = || vec![event(Kind::New, one.clone()), event(Kind::Update, one.clone()), event(Kind::Destroy, other.clone())];
    fake.lock().happened = vec![(vec![], 0), (batch(), 0)];
    let (shown, last) = watch(&daemon, "-E -o id", |shown| shown.contains("DESTROY"));
    assert_eq!(
        shown,
        "    [NEW] tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1001 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 \
         dport=1001 [ASSURED] mark=1 id=1001\n \
         [UPDATE] tcp      6 431999 src=10.0.0.1 dst=10.0.0.2 sport=1001 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1001 \
         [ASSURED] mark=1 id=1001\n\
         [DESTROY] tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1002 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 \
         dport=1002 [ASSURED] mark=2 id=1002 [USERSPACE]\n"
    );
    let words = "conntrack v1.4.7 (conntrack-tools): 3 flow events have been shown.\n";
    assert_eq!((last.exit, last.stderr.as_str()), (0, words));
    assert_eq!(fake.lock().room, None);
    let notice = |bytes| format!("NOTICE: Netlink socket buffer size has been set to {bytes} bytes.\n");
    for (asked, bytes, room) in [(0, 2304, 2), (100_000, 200_000, 195), (9_999_999_999_u64, 268_435_456, 262_144)] {
        let (shown, _) = watch(&daemon, &format!("-E -b {asked}"), |_| true);
        assert_eq!((shown, fake.lock().room), (notice(bytes), Some(room)), "-b {asked}");
    }
    fake.lock().happened = vec![(batch(), 0), (batch(), 9)];
    let (shown, last) = watch(&daemon, "-E -e NEW,DESTROY -p tcp --sport 1002", |shown| shown.contains("ENOBUFS"));
    assert_eq!((shown.matches("[DESTROY]").count(), shown.matches("[NEW]").count()), (2, 0));
    assert!(shown.contains("WARNING: We have hit ENOBUFS! We are losing events.\n"), "{shown}");
    assert!(last.stderr.ends_with(": 2 flow events have been shown.\n"), "{last:?}");
}

#[test]
fn lines_of_xml_stand_in_one_frame_whatever_the_number_of_pages() {
    let place = Place::new();
    let (fake, daemon) = with_flows(&place, 7);
    let framed = |text: &str, table: &str| {
        let lines: Vec<&str> = text.lines().collect();
        let [begin, name, flows @ .., end] = &lines[..] else { panic!("{text}") };
        assert_eq!(*begin, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
        assert_eq!((*name, *end), (&*format!("<{table}>"), &*format!("</{table}>")));
        assert!(flows.iter().all(|line| line.starts_with("<flow") && line.contains("</flow>")), "{text}");
        flows.len()
    };
    assert_eq!(framed(&conntrack(&daemon, "-L -o xml").stdout, "conntrack"), 9);
    assert_eq!(conntrack(&daemon, "-L -o xml -p udp").stdout, "");
    let got = conntrack(&daemon, "-G -o xml -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80").stdout;
    assert!(got.starts_with("<?xml ") && got.ends_with("</flow>\n"), "the reference leaves it open: {got}");
    assert!(conntrack(&daemon, "-D -o xml -p tcp --sport 1003").stdout.starts_with("<flow>"));
    let batch = vec![event(Kind::New, flow(1, "10.0.0.1", "10.0.0.2")), event(Kind::Destroy, flow(1, "10.0.0.1", "10.0.0.2"))];
    fake.lock().happened = vec![(batch.clone(), 0), (batch, 0)];
    let (shown, last) = watch(&daemon, "-E -o xml", |shown| shown.matches("destroy").count() == 2);
    assert_eq!(framed(&(shown + &last.stdout), "conntrack"), 4);
}

#[test]
fn statistics_are_those_of_the_workers() {
    let place = Place::new();
    let (_fake, daemon) = with_flows(&place, 1);
    let reply = conntrack(&daemon, "-S");
    assert!(reply.exit == 0 && reply.stdout.starts_with("cpu=0   \tfound=0 invalid=8 insert=0 "), "{reply:?}");
    assert_eq!(reply.stdout.lines().count(), 1);
}

#[test]
fn those_who_watch_are_few_and_hold_up_no_other_command() {
    let place = Place::new();
    let (_fake, daemon) = with_flows(&place, 1);
    let watchers: Vec<UnixStream> = (0..4).map(|_| ask(&daemon, "-E")).collect();
    for stream in &watchers {
        assert!(next(&mut BufReader::new(stream.try_clone().unwrap())).expect("it listens").more);
    }
    let fifth = conntrack(&daemon, "-E");
    assert!(fifth.exit == 1 && fifth.stderr.contains("too many conntrack commands at once"), "{fifth:?}");
    assert_eq!(conntrack(&daemon, "-L").exit, 0);
    watchers.iter().for_each(|stream| stream.shutdown(Shutdown::Write).unwrap());
    for stream in watchers {
        assert!(!next(&mut BufReader::new(stream)).expect("its last words").more);
    }
    let (_, last) = watch(&daemon, "-E", |_| true);
    assert_eq!(last.exit, 0);
}

#[test]
fn what_is_expected_is_listed_counted_and_forgotten() {
    let place = Place::new();
    let ipv4 = (1..=5).map(|dport| expected(dport, "10.0.0.1", "10.0.0.2")).collect();
    let ipv6 = vec![expected(6, "2001:db8::1", "2001:db8::2")];
    let kept = Kept { expectations: [ipv4, ipv6], ..Kept::default() };
    let fake = Fake::start_with(&place.path("dataplane.sock"), kept);
    let daemon = place.start(&["--no-mirror-host"]);
    assert_eq!(daemon.wait_ready().exit, 0);
    let reply = conntrack(&daemon, "-L expect");
    assert_eq!(reply.stderr, "conntrack v1.4.7 (conntrack-tools): 5 expectations have been shown.\n");
    let ports: Vec<&str> =
        reply.stdout.lines().filter_map(|line| line.split(' ').find(|word| word.starts_with("dport="))).collect();
    assert_eq!(ports, ["dport=1", "dport=2", "dport=3", "dport=4", "dport=5"]);
    assert!(conntrack(&daemon, "-L expect -f ipv6").stdout.contains("src=2001:db8::1 dst=2001:db8::2 sport=0 dport=6 "));
    assert_eq!(conntrack(&daemon, "-C expect").stdout, "5\n");
    assert_eq!(conntrack(&daemon, "-Lexpect").stdout, "", "what is attached is not looked at: there are no connections");
    // One that is named: by any source port, as it was announced.
    let tuple = "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 77 --dport 4 --reply-port-src 1 --reply-port-dst 2";
    let shown = conntrack(&daemon, &format!("-G expect {tuple}"));
    assert!(shown.exit == 0 && shown.stdout.contains(" dport=4 ") && shown.stderr.is_empty(), "{shown:?}");
    let ended = conntrack(&daemon, &format!("-D expect {tuple}"));
    assert_eq!((ended.exit, ended.stderr.as_str()), (1, "conntrack v1.4.7 (conntrack-tools): 0 expectations have been shown.\n"));
    assert_eq!(conntrack(&daemon, "-C expect").stdout, "4\n");
    for command in ["-G", "-D"] {
        let none = conntrack(&daemon, &format!("{command} expect {tuple}"));
        assert!(none.exit == 1 && none.stderr.ends_with("Operation failed: No such file or directory\n"), "{none:?}");
    }
    let announced = |kind| expectation::Event { kind, expectation: expected(7, "10.0.0.1", "10.0.0.2") };
    fake.lock().announced = vec![announced(Kind::New), announced(Kind::Destroy)];
    let (shown, last) = watch(&daemon, "-E expect", |shown| shown.contains("DESTROY"));
    assert!(shown.starts_with("    [NEW] 299 proto=6 src=10.0.0.1 dst=10.0.0.2 sport=0 dport=7 "), "{shown}");
    assert_eq!(last.stderr, "conntrack v1.4.7 (conntrack-tools): 2 expectation events have been shown.\n");
    assert_eq!(conntrack(&daemon, "-S expect").stdout, "cpu=0   \texpect_new=0 expect_create=0 expect_delete=0 \n");
    assert_eq!(conntrack(&daemon, "-F expect").stderr, "conntrack v1.4.7 (conntrack-tools): expectation table has been emptied.\n");
    assert_eq!(conntrack(&daemon, "-C expect").stdout, "0\n");
    drop(fake);
}
