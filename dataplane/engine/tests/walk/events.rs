//! What a listener is told of flows: the events that `conntrack -E` showed beside the kernel for the same packets.

use engine::conntrack::{FlowId, Protocol, Status};
use engine::events::{Changes, Event, Kind};
use engine::inbox::{Page, Question, Wish};
use packet::Ipv4;
use packet::family::Either;

use crate::inquiry::{ask, marked};
use crate::lab::frames::{ping, pong, tcp, udp};
use crate::lab::{ETH0, ETH2, Lab};

const TRACKED: &str = "*filter\n-A FORWARD -p tcp --dport 99 -j DROP\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n";

fn listening(rules: &str) -> Lab {
    let lab = Lab::new(rules);
    lab.sim.worker.inbox().events().flows.listen(true);
    lab
}

fn next(lab: &Lab) -> Option<Event<Ipv4>> {
    match lab.sim.worker.inbox().events().flows.next()? {
        Either::Ipv4(event) => Some(event),
        Either::Ipv6(_) => panic!("no packet of IPv6 was sent"),
    }
}

/// As `conntrack -E` has them: kind, seconds, state where it is told, what is known of the flow.
fn told(lab: &Lab) -> Vec<String> {
    core::iter::from_fn(|| next(lab)).map(|event| describe(&event)).collect()
}

fn describe(event: &Event<Ipv4>) -> String {
    let flow = &event.listed.flow;
    let state = match flow.protocol() {
        Protocol::Tcp(tcp) if event.changes.has(Changes::STATE) || event.kind == Kind::Destroy => tcp.state().name(),
        _ => "-",
    };
    let known = match (flow.status().has(Status::ASSURED), flow.status().has(Status::SEEN_REPLY)) {
        (true, _) => "ASSURED",
        (false, true) => "-",
        (false, false) => "UNREPLIED",
    };
    let by_hand = if event.changes.has(Changes::BY_HAND) { " by hand" } else { "" };
    format!("{:?} {} {state} {known} mark={}{by_hand}", event.kind, flow.remaining_seconds(event.now), { flow.mark })
}

#[test]
fn a_connection_is_told_of_at_each_state_as_the_kernel_tells() {
    let mut lab = listening(TRACKED);
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "S").numbers(100, 0));
    lab.wire(ETH2, &tcp("8.8.8.8:80", "10.0.0.2:4000", "SA").numbers(500, 101));
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "A").numbers(101, 501));
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "A").numbers(101, 501));
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "FA").numbers(101, 501));
    lab.wire(ETH2, &tcp("8.8.8.8:80", "10.0.0.2:4000", "FA").numbers(501, 102));
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "A").numbers(102, 502));
    assert_eq!(
        told(&lab),
        [
            "New 120 SYN_SENT UNREPLIED mark=0",
            "Update 60 SYN_RECV - mark=0",
            "Update 432000 ESTABLISHED ASSURED mark=0",
            "Update 120 FIN_WAIT ASSURED mark=0",
            "Update 30 LAST_ACK ASSURED mark=0",
            "Update 120 TIME_WAIT ASSURED mark=0",
        ]
    );
    lab.advance(121_000);
    assert_eq!(told(&lab), ["Destroy 0 TIME_WAIT ASSURED mark=0"]);
}

#[test]
fn a_refused_connection_ends_before_its_answer_counts() {
    let mut lab = listening(TRACKED);
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:82", "S").numbers(100, 0));
    lab.wire(ETH2, &tcp("8.8.8.8:82", "10.0.0.2:4000", "RA").numbers(0, 101));
    assert_eq!(told(&lab), ["New 120 SYN_SENT UNREPLIED mark=0", "Destroy 120 CLOSE UNREPLIED mark=0"]);
}

#[test]
fn datagrams_and_pings_are_told_of_at_their_first_answer_and_as_streams() {
    let mut lab = listening(TRACKED);
    lab.wire(ETH0, &ping("10.0.0.2", "8.8.8.8", 5));
    lab.wire(ETH2, &pong("8.8.8.8", "10.0.0.2", 5));
    lab.wire(ETH0, &ping("10.0.0.2", "8.8.8.8", 5));
    assert_eq!(told(&lab), ["New 30 - UNREPLIED mark=0", "Update 30 - - mark=0"]);
    let out = udp("10.0.0.2:4000", "8.8.8.8:53");
    let back = udp("8.8.8.8:53", "10.0.0.2:4000");
    lab.wire(ETH0, &out);
    lab.wire(ETH2, &back);
    lab.advance(2_100);
    lab.wire(ETH0, &out);
    assert_eq!(told(&lab), ["New 30 - UNREPLIED mark=0", "Update 30 - - mark=0", "Update 120 - ASSURED mark=0"]);
}

#[test]
fn what_a_dropped_packet_changed_is_told_with_the_next_that_gets_through() {
    let mut lab = listening("*filter\n-A FORWARD -m conntrack --ctdir REPLY -j DROP\nCOMMIT\n");
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    lab.wire(ETH2, &udp("8.8.8.8:53", "10.0.0.2:4000"));
    assert_eq!(told(&lab), ["New 30 - UNREPLIED mark=0"], "the answer was dropped");
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    assert_eq!(told(&lab), ["Update 30 - - mark=0"]);
}

#[test]
fn a_first_packet_that_is_dropped_is_no_event() {
    let mut lab = listening(TRACKED);
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:99", "S"));
    lab.advance(1_000);
    assert_eq!(told(&lab), [""; 0]);
}

#[test]
fn marks_are_told_when_a_rule_writes_another() {
    let mut lab =
        listening("*mangle\n-A FORWARD -i eth0 -j CONNMARK --set-mark 5\n-A FORWARD -i eth2 -j CONNMARK --set-mark 6\nCOMMIT\n");
    let out = udp("10.0.0.2:4000", "8.8.8.8:53");
    lab.wire(ETH0, &out);
    lab.wire(ETH0, &out);
    assert_eq!(told(&lab), ["New 30 - UNREPLIED mark=5"]);
    lab.wire(ETH2, &udp("8.8.8.8:53", "10.0.0.2:4000"));
    lab.wire(ETH0, &out);
    assert_eq!(told(&lab), ["Update 30 - - mark=6", "Update 30 - - mark=5"]);
}

#[test]
fn only_flows_that_began_while_somebody_listened_are_told_of() {
    let mut lab = Lab::new(TRACKED);
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    let events = lab.sim.worker.inbox().events().clone();
    events.flows.listen(true);
    lab.wire(ETH2, &udp("8.8.8.8:53", "10.0.0.2:4000"));
    lab.wire(ETH0, &udp("10.0.0.2:4001", "8.8.8.8:53"));
    assert_eq!(told(&lab).len(), 1, "the second one");
    events.flows.listen(false);
    lab.wire(ETH2, &udp("8.8.8.8:53", "10.0.0.2:4001"));
    lab.advance(200_000);
    assert_eq!((told(&lab), lab.flows()), (vec![], 0), "nobody listened when they ended");
}

#[test]
fn what_an_operator_does_is_told_as_such() {
    let mut lab = listening(TRACKED);
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "S"));
    let Some(Event { listed, .. }) = next(&lab) else { panic!("a new flow") };
    let ask = |lab: &mut Lab, wish, ids: Vec<FlowId>| {
        let inbox = lab.sim.worker.inbox().clone();
        assert!(inbox.ask(Question { ticket: 1, wish, page: Either::Ipv4(Page::of(ids)) }).is_ok());
        (0..1000).any(|_| {
            lab.advance(0);
            inbox.answer().is_some()
        })
    };
    assert!(ask(&mut lab, marked(7, u32::MAX), vec![listed.id]));
    assert_eq!(told(&lab), ["Update 120 SYN_SENT UNREPLIED mark=7 by hand"]);
    assert!(ask(&mut lab, Wish::End, vec![listed.id]));
    assert_eq!(told(&lab), ["Destroy 120 SYN_SENT UNREPLIED mark=7 by hand"]);
    lab.wire(ETH0, &tcp("10.0.0.2:4001", "8.8.8.8:80", "S"));
    assert_eq!(told(&lab).len(), 1, "a new flow");
    assert!(ask(&mut lab, Wish::Flush, vec![]));
    assert_eq!(told(&lab), ["Destroy 120 SYN_SENT UNREPLIED mark=0 by hand"]);
}

#[test]
fn a_listener_that_does_not_read_loses_events_and_the_worker_goes_on() {
    let mut lab = listening(TRACKED);
    let (mut sent, mut passed) = (0, 0);
    for host in 0..20 {
        for port in 1..=250 {
            sent += 1;
            passed += lab.wire(ETH0, &udp(&format!("10.0.0.2:{port}"), &format!("8.8.8.{host}:53"))).len();
        }
        (0..40).for_each(|_| drop(lab.advance(1_000)));
    }
    assert_eq!(lab.flows(), 0);
    let events = lab.sim.worker.inbox().events().clone();
    let kept = told(&lab).len() as u64;
    assert_eq!((passed, kept + events.flows.take_lost()), (sent, 2 * sent as u64), "each began and ended");
    assert!(kept < 2 * sent as u64);
    assert_eq!(events.flows.take_lost(), 0, "told once");
}

/// A connection of TCP, a ping that is answered and marked, and a query, up to their ends by hand; a few letters for what was told.
fn heard(target: &str) -> String {
    let rules = format!(
        "*raw\n-A PREROUTING {target}\nCOMMIT\n*mangle\n-A FORWARD -i eth2 -p icmp -j CONNMARK --set-mark 7\nCOMMIT\n{TRACKED}"
    );
    let mut lab = listening(&rules);
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "S").numbers(100, 0));
    lab.wire(ETH2, &tcp("8.8.8.8:80", "10.0.0.2:4000", "SA").numbers(500, 101));
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "A").numbers(101, 501));
    lab.wire(ETH0, &ping("10.0.0.2", "8.8.8.8", 7));
    lab.wire(ETH2, &pong("8.8.8.8", "10.0.0.2", 7));
    lab.wire(ETH0, &udp("10.0.0.2:5000", "8.8.8.8:53"));
    for wish in [marked(9, !0), Wish::End] {
        let flows = lab.sim.worker.flows().iter().map(|(id, _)| id).collect();
        ask(&mut lab, wish, Page::of(flows));
    }
    let letter = |event: Event<Ipv4>| {
        let letter = match event.listed.flow.protocol() {
            Protocol::Tcp(tcp) => tcp.state().name().chars().next().unwrap_or_default(),
            Protocol::Udp(_) => 'u',
            _ => 'i',
        };
        match event.kind {
            Kind::New => format!("+{letter}"),
            Kind::Update if event.changes.has(Changes::BY_HAND) => format!("!{letter}"),
            Kind::Update => format!("~{letter}"),
            Kind::Destroy => format!("-{letter}"),
        }
    };
    core::iter::from_fn(|| next(&lab)).map(letter).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_rule_says_what_is_told_as_in_the_kernel() {
    for (target, all) in [
        ("-j CT --zone 0", "+S ~S ~E +i ~i +u !E !i !u -E -i -u"),
        ("-j CT --ctevents new", "+S +i +u"),
        ("-j CT --ctevents destroy", "-E -i -u"),
        ("-j CT --ctevents new,destroy", "+S +i +u -E -i -u"),
        ("-j CT --ctevents reply", "~S ~i !E !i !u"),
        ("-j CT --ctevents assured", "~E !E !i !u"),
        ("-j CT --ctevents protoinfo", "+S ~S ~E !E !i !u"),
        ("-j CT --ctevents mark", "~i !E !i !u"),
        ("-j CT --ctevents helper", "!E !i !u"),
        ("-p tcp --dport 80 -j CT --helper ftp --ctevents helper", "+S +i ~i +u !E !i !u -i -u"),
        ("-j CT --ctevents natseqinfo", "!E !i !u"),
        ("-j CT --ctevents secmark", ""),
        ("-j CT --ctevents related", ""),
        ("-j CT --expevents new", ""),
        ("-p udp -j CT --ctevents secmark", "+S ~S ~E +i ~i !E !i -E -i"),
    ] {
        assert_eq!(heard(target), all, "{target}");
    }
}
