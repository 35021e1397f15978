//! SYNPROXY, from the client's SYN to the server's data.

use std::sync::Arc;

use engine::sim::{Event, Shape};
use engine::snapshot::{Edition, Settings};

use crate::lab::crew::CrewLab;
use crate::lab::frames::{Packet, tcp};
use crate::lab::{ETH0, ETH1, FLOW_EXTRAS, Lab, mac};

const CLIENT: &str = "10.0.0.2:1000";
const SERVER: &str = "192.168.1.2:80";

fn rules(chain: &str, states: &str, more: &str) -> String {
    format!(
        "*raw\n-A PREROUTING -p tcp --syn -j CT --notrack\nCOMMIT\n\
         *filter\n-A {chain} -i eth0 -p tcp -m conntrack --ctstate {states} -j SYNPROXY --sack-perm --timestamp --mss 1460\n\
         -A {chain} -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n{more}"
    )
}

/// As the manual says: connections are not picked up in their middle.
fn strict(chain: &str) -> Lab {
    let mut lab = Lab::new(&rules(chain, "INVALID,UNTRACKED", ""));
    let mut settings = Settings::default();
    settings.conntrack.tcp_loose = false;
    (lab.sim.snapshot.edition, lab.sim.snapshot.settings) = (Edition::new(), Arc::new(settings));
    lab
}

/// Sequence and acknowledgement numbers of a frame without IP options.
fn numbers(frame: &[u8]) -> (u32, u32) {
    let at = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().expect("four bytes"));
    (at(38), at(42))
}

/// What left or was delivered: where, and its numbers.
fn numbered(events: Vec<Event>) -> Vec<(&'static str, u32, u32)> {
    let one = |event: &Event| {
        let (what, frame) = match event {
            Event::Transmit { port, frame } if *port == ETH0 => ("eth0", frame),
            Event::Transmit { frame, .. } => ("eth1", frame),
            Event::Deliver { frame, .. } => ("host", frame),
            _ => panic!("{event:?}"),
        };
        let (seq, ack) = numbers(frame);
        (what, seq, ack)
    };
    events.iter().map(one).collect()
}

fn send(lab: &mut Lab, port: program::InterfaceId, packet: &Packet) -> Vec<(&'static str, u32, u32)> {
    let mut frame = packet.frame();
    frame[..6].copy_from_slice(&mac(port));
    lab.sim.wire(port, &[frame], &Shape::default());
    numbered(lab.sim.events())
}

/// The client's SYN; the cookie.
fn greet(lab: &mut Lab, client: &str, server: &str) -> u32 {
    let answers = send(lab, ETH0, &tcp(client, server, "S").numbers(5000, 0));
    let [("eth0", cookie, 5001)] = answers[..] else { panic!("{answers:?}") };
    cookie
}

#[test]
fn a_connection_is_opened_by_its_cookie_and_its_numbers_are_shifted_both_ways() {
    let mut lab = strict("FORWARD");
    let cookie = greet(&mut lab, CLIENT, SERVER);
    assert_eq!(lab.flows(), 0, "a SYN is not remembered");
    assert_eq!(send(&mut lab, ETH0, &tcp(CLIENT, SERVER, "A").numbers(5001, cookie.wrapping_add(1 << 26))), []);
    assert_eq!(lab.flows(), 0, "nor is who guesses");

    let syn = send(&mut lab, ETH0, &tcp(CLIENT, SERVER, "A").numbers(5001, cookie.wrapping_add(1)));
    assert_eq!(syn, [("eth1", 5000, cookie)]);
    assert_eq!(lab.flows(), 1);
    let next = cookie.wrapping_add(1);
    let opened = send(&mut lab, ETH1, &tcp(SERVER, CLIENT, "SA").numbers(77, 5001));
    assert_eq!(opened, [("eth1", 5001, 78), ("eth0", next, 5001)]);

    assert_eq!(send(&mut lab, ETH0, &tcp(CLIENT, SERVER, "PA").numbers(5001, next).data(10)), [("eth1", 5001, 78)]);
    assert_eq!(send(&mut lab, ETH1, &tcp(SERVER, CLIENT, "PA").numbers(78, 5011).data(20)), [("eth0", next, 5011)]);
    assert_eq!(send(&mut lab, ETH0, &tcp(CLIENT, SERVER, "A").numbers(5011, next.wrapping_add(20))), [("eth1", 5011, 98)]);
    assert_eq!(
        lab.drops(),
        [("SynproxyGreeted", 1), ("SynproxyProven", 1), ("SynproxyCookie", 1), ("SynproxyOpened", 1)],
        "each step is counted by its name"
    );
    lab.advance(6 * 86_400_000);
    assert_eq!((lab.flows(), lab.sim.worker.flows().extras()), (0, 0));
}

#[test]
fn a_flood_of_syns_leaves_nothing_behind() {
    const BURSTS: u32 = 15_625;
    let mut lab = strict("FORWARD");
    let mut frame = tcp(CLIENT, SERVER, "S").frame();
    frame[..6].copy_from_slice(&mac(ETH0));
    let mut seed = engine::rng::Rng::new(1);
    for _ in 0..BURSTS {
        let frames: Vec<Vec<u8>> = (0..64)
            .map(|_| {
                let mut frame = frame.clone();
                // Of other ports and numbers each; a checksum of 0xffff over both is mended by adding what they are less.
                let (port, seq) = (seed.next_u64() as u16, seed.next_u64() as u32);
                let old = [34, 38, 40].map(|at| u16::from_be_bytes([frame[at], frame[at + 1]]));
                let new = [port, (seq >> 16) as u16, seq as u16];
                let mut sum = u32::from(!u16::from_be_bytes([frame[50], frame[51]]));
                old.iter().for_each(|word| sum += u32::from(!word));
                new.iter().for_each(|word| sum += u32::from(*word));
                while sum >> 16 != 0 {
                    sum = (sum & 0xffff) + (sum >> 16);
                }
                frame[34..36].copy_from_slice(&port.to_be_bytes());
                frame[38..42].copy_from_slice(&seq.to_be_bytes());
                frame[50..52].copy_from_slice(&(!(sum as u16)).to_be_bytes());
                frame
            })
            .collect();
        lab.sim.wire(ETH0, &frames, &Shape::default());
        assert_eq!(lab.sim.events().len(), 64, "each is answered");
        assert_eq!((lab.flows(), lab.sim.worker.flows().extras()), (0, 0));
    }
    assert_eq!(lab.drops(), [("SynproxyGreeted", 64 * u64::from(BURSTS))]);
}

#[test]
fn a_cookie_does_not_hold_for_ever() {
    let mut lab = strict("FORWARD");
    let cookie = greet(&mut lab, CLIENT, SERVER);
    lab.advance(121_000);
    assert_eq!(send(&mut lab, ETH0, &tcp(CLIENT, SERVER, "A").numbers(5001, cookie.wrapping_add(1))), []);
    assert_eq!(lab.drops(), [("SynproxyGreeted", 1), ("SynproxyCookie", 1)]);
}

#[test]
fn a_refusal_reaches_the_client_behind_its_cookie_and_nothing_is_left() {
    let mut lab = strict("FORWARD");
    let cookie = greet(&mut lab, CLIENT, SERVER);
    send(&mut lab, ETH0, &tcp(CLIENT, SERVER, "A").numbers(5001, cookie.wrapping_add(1)));
    let refused = send(&mut lab, ETH1, &tcp(SERVER, CLIENT, "RA").numbers(0, 5001));
    assert_eq!(refused, [("eth0", cookie.wrapping_add(1), 5001)]);
    lab.advance(1);
    assert_eq!((lab.flows(), lab.sim.worker.flows().extras()), (0, 0));
}

#[test]
fn a_connection_without_room_for_what_is_remembered_of_its_cookie_is_refused_by_name() {
    let mut lab = strict("FORWARD");
    for port in 0..=FLOW_EXTRAS {
        let client = format!("10.0.0.2:{}", 2000 + port);
        let cookie = greet(&mut lab, &client, SERVER);
        let syn = send(&mut lab, ETH0, &tcp(&client, SERVER, "A").numbers(5001, cookie.wrapping_add(1)));
        assert_eq!(syn.len(), usize::from(port < FLOW_EXTRAS));
    }
    assert_eq!(lab.flows(), FLOW_EXTRAS as usize);
    assert!(lab.drops().contains(&("ConntrackExtrasFull", 1)), "{:?}", lab.drops());
}

#[test]
fn a_server_on_the_box_itself_is_reached_by_the_tap_on_which_the_client_is() {
    const SELF: &str = "10.0.0.1:80";
    let mut lab = strict("INPUT");
    let cookie = greet(&mut lab, CLIENT, SELF);
    let next = cookie.wrapping_add(1);
    assert_eq!(send(&mut lab, ETH0, &tcp(CLIENT, SELF, "A").numbers(5001, next)), [("host", 5000, cookie)]);
    let mut from_host = |packet: &Packet| {
        let mut frame = packet.frame();
        frame[..6].copy_from_slice(&[2, 1, 0, 0, 1, 2]);
        frame[6..12].copy_from_slice(&mac(ETH0));
        lab.sim.host(ETH0, &[frame], &Shape::default());
        numbered(lab.sim.events())
    };
    assert_eq!(from_host(&tcp(SELF, CLIENT, "SA").numbers(77, 5001)), [("host", 5001, 78), ("eth0", next, 5001)]);
    assert_eq!(from_host(&tcp(SELF, CLIENT, "PA").numbers(78, 5001).data(20)), [("eth0", next, 5001)]);
    let ack = send(&mut lab, ETH0, &tcp(CLIENT, SELF, "A").numbers(5001, next.wrapping_add(20)));
    assert_eq!(ack, [("host", 5001, 98)]);
}

#[test]
fn an_ack_may_come_to_any_worker_and_its_flow_is_where_its_tuple_belongs() {
    let dnat = "*nat\n-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 192.168.1.3:8080\nCOMMIT\n";
    for (more, from) in [("", SERVER), (dnat, "192.168.1.3:8080")] {
        let mut lab = CrewLab::new(&rules("FORWARD", "INVALID,UNTRACKED,NEW", more), 3);
        let mut wire = |queue: usize, port, packet: &Packet| {
            lab.arrive(queue % 3, port, packet.frame());
            lab.crew.settle(&mut lab.rng);
            let mut seen = numbered(lab.crew.events());
            seen.sort_unstable();
            seen
        };
        for n in 0..30usize {
            let client = format!("10.0.0.2:{}", 3000 + n);
            let greeting = wire(n, ETH0, &tcp(&client, SERVER, "S").numbers(5000, 0));
            let [("eth0", cookie, 5001)] = greeting[..] else { panic!("{greeting:?}") };
            let next = cookie.wrapping_add(1);
            assert_eq!(wire(n + 1, ETH0, &tcp(&client, SERVER, "A").numbers(5001, next)), [("eth1", 5000, cookie)]);
            let opened = wire(n / 3, ETH1, &tcp(from, &client, "SA").numbers(77, 5001));
            assert_eq!(opened, [("eth0", next, 5001), ("eth1", 5001, 78)]);
            let there = wire(n + 2, ETH0, &tcp(&client, SERVER, "PA").numbers(5001, next).data(10));
            assert_eq!(there, [("eth1", 5001, 78)]);
            let back = wire(n / 2, ETH1, &tcp(from, &client, "PA").numbers(78, 5011).data(20));
            assert_eq!(back, [("eth0", next, 5011)]);
        }
        assert_eq!(lab.flows().iter().sum::<usize>(), 30);
        assert!(lab.flows().iter().all(|flows| *flows > 0), "{:?}", lab.flows());
        let drops = lab.drops();
        assert_eq!(drops, [("SynproxyGreeted", 30), ("SynproxyProven", 30), ("SynproxyOpened", 30)]);
        lab.advance(6 * 86_400_000);
        let extras: usize = lab.crew.workers.iter().map(|worker| worker.flows().extras()).sum();
        assert_eq!((lab.flows(), extras), (vec![0, 0, 0], 0));
    }
}
