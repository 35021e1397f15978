//! Translated flows on several workers: the tuples that their replies come by are one worker's to keep, and nobody has one twice.

use std::collections::{BTreeMap, BTreeSet};

use engine::sim::{Event, Room};
use proptest::prelude::*;

use crate::lab::crew::CrewLab;
use crate::lab::frames::{Packet, icmp, ping, pong, tcp, udp};
use crate::lab::{ETH0, ETH1, ETH2, Lab};

const MASQUERADE: &str = "*nat\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n";
const FORWARDED: &str = "*nat\n-A PREROUTING -i eth2 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\nCOMMIT\n";

fn drops(lab: &CrewLab) -> u64 {
    lab.drops().iter().map(|(_, n)| n).sum()
}

#[test]
fn a_masqueraded_port_is_one_whose_replies_come_home_and_is_the_same_towards_everybody() {
    let mut lab = CrewLab::new(MASQUERADE, 3);
    for port in [2000, 2001, 2002, 40_000] {
        let mut seen = BTreeSet::new();
        for (queue, server) in ["8.8.8.8:53", "9.9.9.9:53", "1.1.1.1:3478", "4.4.4.4:99"].iter().enumerate() {
            let inside = format!("10.0.0.2:{port}");
            let lines = lab.wire(queue % 3, ETH0, &udp(&inside, server));
            let outside = lines[0].split(' ').nth(1).expect("a source").to_owned();
            let mapped: u16 = outside.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
            assert!(mapped >= 1024, "the class is kept: {lines:?}");
            seen.insert(mapped);
            let back = lab.wire((queue + 1) % 3, ETH2, &udp(server, &outside));
            assert_eq!(back, [format!("eth0: {server} > {inside} udp ttl 63")]);
        }
        assert_eq!(seen.len(), 1, "one port towards everybody");
    }
    assert!(lab.flows().iter().all(|n| *n > 0), "{:?}", lab.flows());
    let claims: u64 = lab.crew.workers.iter().map(|worker| worker.handoffs().get().claims).sum();
    assert_eq!((claims, drops(&lab)), (0, 0), "nobody has to be asked for a port");
}

#[test]
fn a_reserved_port_stays_reserved() {
    let mut lab = CrewLab::new(MASQUERADE, 3);
    for port in [53u16, 123, 500, 700, 1000] {
        let lines = lab.wire(0, ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53"));
        let mapped: u16 = lines[0].split([':', ' ']).nth(3).and_then(|port| port.parse().ok()).expect("a port");
        assert_eq!((mapped < 512, mapped < 1024), (port < 512, port < 1024), "{port} became {mapped}");
    }
}

#[test]
fn a_forwarded_port_is_claimed_and_its_answers_find_the_flow() {
    let mut lab = CrewLab::new(FORWARDED, 3);
    for port in 4000..4030u16 {
        let client = format!("8.8.8.8:{port}");
        let queue = usize::from(port % 3);
        let there = lab.wire(queue, ETH2, &tcp(&client, "203.0.113.1:80", "S"));
        assert_eq!(there, [format!("eth1: {client} > 192.168.1.2:8080 tcp S ttl 63")], "no port changes where none has to");
        let back = lab.wire((queue + 1) % 3, ETH1, &tcp("192.168.1.2:8080", &client, "SA").numbers(9, 1001));
        assert_eq!(back, [format!("eth2: 203.0.113.1:80 > {client} tcp SA ttl 63")]);
        let on = lab.wire((queue + 2) % 3, ETH2, &tcp(&client, "203.0.113.1:80", "A").numbers(1001, 10));
        assert_eq!(on, [format!("eth1: {client} > 192.168.1.2:8080 tcp A ttl 63")]);
    }
    let claimed: usize = lab.crew.workers.iter().map(|worker| worker.flows().claimed()).sum();
    assert!((10..30).contains(&claimed), "{claimed} of 30 are kept by another worker");
    assert_eq!((drops(&lab), lab.count(rules::TableName::Nat, "PREROUTING", 1).0), (0, 30));
    lab.advance(1000 * 86_400 * 6);
    let left: usize = lab.crew.workers.iter().map(|worker| worker.flows().claimed()).sum();
    assert_eq!((left, lab.flows()), (0, vec![0, 0, 0]), "claims end with their flows");
}

#[test]
fn a_network_that_is_mapped_to_another_keeps_its_ports() {
    let mut lab = CrewLab::new("*nat\n-A POSTROUTING -o eth2 -j NETMAP --to 203.0.113.0/24\nCOMMIT\n", 3);
    for port in 4000..4012u16 {
        let inside = format!("10.0.0.2:{port}");
        assert_eq!(lab.wire(0, ETH0, &udp(&inside, "8.8.8.8:53")), [format!("eth2: 203.0.113.2:{port} > 8.8.8.8:53 udp ttl 63")]);
        let back = lab.wire(usize::from(port % 3), ETH2, &udp("8.8.8.8:53", &format!("203.0.113.2:{port}")));
        assert_eq!(back, [format!("eth0: 8.8.8.8:53 > {inside} udp ttl 63")]);
    }
    assert_eq!(drops(&lab), 0);
}

#[test]
fn one_tuple_is_claimed_in_two_zones() {
    // Two networks that use the same addresses: the port by which a packet comes says which is meant.
    let rules = "*raw\n-A PREROUTING -i eth0 -j CT --zone 1\n-A PREROUTING -i eth2 -j CT --zone 2\nCOMMIT\n\
                 *nat\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\nCOMMIT\n";
    let mut lab = CrewLab::new(rules, 3);
    for port in 4000..4010u16 {
        let client = format!("10.0.0.2:{port}");
        for (queue, from) in [ETH0, ETH2].into_iter().enumerate() {
            let there = lab.wire(queue, from, &tcp(&client, "203.0.113.1:80", "S"));
            assert_eq!(there, [format!("eth1: {client} > 192.168.1.2:8080 tcp S ttl 63")]);
        }
    }
    assert_eq!((drops(&lab), lab.flows().iter().sum::<usize>()), (0, 20));
    assert!(lab.crew.workers.iter().map(|worker| worker.flows().claimed()).sum::<usize>() > 4);
    lab.advance(1000 * 86_400 * 6);
    assert_eq!(lab.crew.workers.iter().map(|worker| worker.flows().claimed()).sum::<usize>(), 0);
}

#[test]
fn a_flow_that_begins_again_claims_its_tuple_again() {
    let mut lab = CrewLab::new(FORWARDED, 3);
    for port in 4000..4020u16 {
        let client = format!("8.8.8.8:{port}");
        for _ in 0..3 {
            let there = lab.wire(0, ETH2, &tcp(&client, "203.0.113.1:80", "S"));
            assert_eq!(there, [format!("eth1: {client} > 192.168.1.2:8080 tcp S ttl 63")]);
            lab.wire(1, ETH1, &tcp("192.168.1.2:8080", &client, "RA").numbers(0, 1001));
        }
    }
    assert_eq!(drops(&lab), 0);
}

#[test]
fn an_answer_that_comes_after_its_flow_ended_begins_anew_where_it_belongs() {
    for port in 4000..4020u16 {
        let mut lab = CrewLab::new(FORWARDED.replace("-p tcp", "-p udp").as_str(), 3);
        let client = format!("8.8.8.8:{port}");
        lab.wire(0, ETH2, &udp(&client, "203.0.113.1:80"));
        // Its time is up, and nobody has looked.
        lab.crew.now = lab.crew.now.plus_millis(40_000);
        let late = lab.wire(usize::from(port % 3), ETH1, &udp("192.168.1.2:8080", &client));
        assert_eq!(late, [format!("eth2: 192.168.1.2:8080 > {client} udp ttl 63")], "as a packet of no flow, untranslated");
        assert_eq!((drops(&lab), lab.flows().iter().sum::<usize>()), (0, 1), "{:?}", lab.drops());
        for (number, worker) in lab.crew.workers.iter().enumerate() {
            for (_, flow) in worker.flows().iter() {
                assert_eq!(usize::from(engine::owner::Owners::new(3).of(&flow.tuple(engine::conntrack::Dir::Original))), number);
            }
        }
    }
}

#[test]
fn an_icmp_error_about_a_claimed_flow_is_translated() {
    let mut lab = CrewLab::new(FORWARDED, 3);
    for port in 4000..4010u16 {
        let client = format!("8.8.8.8:{port}");
        lab.wire(0, ETH2, &tcp(&client, "203.0.113.1:80", "S"));
        let quoted = tcp(&client, "192.168.1.2:8080", "S").ttl(63).frame();
        let error = icmp(
            "192.168.1.2",
            "8.8.8.8",
            etherparse::Icmpv4Type::DestinationUnreachable(etherparse::icmpv4::DestUnreachableHeader::Host),
        )
        .bytes(&quoted[14..]);
        let lines = lab.wire(usize::from(port % 3), ETH1, &error);
        assert!(lines.len() == 1 && lines[0].contains(&format!("[{client} > 203.0.113.1:80")), "{lines:?}");
    }
}

#[test]
fn pings_share_an_address_and_each_answer_goes_to_its_sender() {
    let mut lab = CrewLab::new(MASQUERADE, 3);
    for (queue, (sender, server)) in [
        ("10.0.0.2", "8.8.8.8"),
        ("10.0.0.3", "8.8.8.8"),
        ("10.0.0.2", "9.9.9.9"),
        ("10.0.0.3", "9.9.9.9"),
        ("10.0.0.2", "1.1.1.1"),
    ]
    .into_iter()
    .enumerate()
    {
        let line = lab.wire(queue % 3, ETH0, &ping(sender, server, 77)).remove(0);
        let id: u16 = line.split(' ').skip_while(|word| *word != "id").nth(1).and_then(|id| id.parse().ok()).expect("an id");
        let back = lab.wire((queue + 1) % 3, ETH2, &pong(server, "203.0.113.1", id));
        assert_eq!(back, [format!("eth0: {server} > {sender} icmp 0/0 id 77 ttl 63")]);
    }
    assert_eq!(drops(&lab), 0);
}

#[test]
fn every_port_of_a_small_range_is_used_before_it_is_exhausted() {
    let rules = "*nat\n-A POSTROUTING -o eth2 -p udp -j SNAT --to-source 203.0.113.1:5000-5004\nCOMMIT\n";
    for workers in 2..5 {
        let mut lab = CrewLab::new(rules, workers);
        for port in 1..=5 {
            assert_eq!(
                lab.wire(0, ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53")).len(),
                1,
                "{workers} {port} {:?}",
                lab.drops()
            );
        }
        assert_eq!(lab.wire(0, ETH0, &udp("10.0.0.2:6", "8.8.8.8:53")), [""; 0]);
        assert_eq!((lab.drops(), lab.flows().iter().sum()), (vec![("NatExhausted", 1)], 5));
    }
}

#[test]
fn a_reverse_of_which_the_zone_alone_differs_is_left_to_confirmation_at_any_number_of_workers() {
    let rules = "*raw\n-A PREROUTING -i eth0 -j CT --zone-reply 7\nCOMMIT\n*nat\nCOMMIT\n*filter\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n";
    for workers in 1..4 {
        let mut lab = CrewLab::new(rules, workers);
        assert_eq!(lab.wire(0, ETH0, &udp("10.0.0.2:2000", "8.8.8.8:3000")).len(), 1);
        assert_eq!(lab.wire(0, ETH2, &udp("8.8.8.8:3000", "10.0.0.2:2000")), [""; 0], "with {workers} workers");
        assert_eq!((lab.drops(), lab.flows().iter().sum()), (vec![("ConntrackClash", 1)], 1));
        // TCP is given another port.
        assert_eq!(lab.wire(0, ETH0, &tcp("10.0.0.2:2000", "8.8.8.8:3000", "S")).len(), 1);
        let moved = lab.wire(0, ETH2, &tcp("8.8.8.8:3000", "10.0.0.2:2000", "S"));
        assert!(moved.len() == 1 && !moved[0].contains(":3000"), "{moved:?}");
    }
}

#[test]
fn two_flows_race_for_one_reply_tuple_and_both_live() {
    // Two addresses of the box lead to one server, and the client uses one port towards both.
    let rules = "*nat\n-A PREROUTING -i eth2 -p udp --dport 53 -j DNAT --to-destination 192.168.1.2:53\nCOMMIT\n";
    for seed in 0..40 {
        let mut lab = CrewLab::with(rules, 3, seed, Room::default());
        lab.arrive(0, ETH2, udp("8.8.8.8:4000", "203.0.113.1:53").frame());
        lab.arrive(1, ETH2, udp("8.8.8.8:4000", "203.0.113.9:53").frame());
        let lines = lab.settle();
        assert_eq!((lines.len(), lab.flows().iter().sum::<usize>(), drops(&lab)), (2, 2, 0), "{lines:?}");
        let clients: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(clients.len(), 2, "one of them got another port: {lines:?}");
        for (queue, client) in clients.iter().enumerate() {
            assert_eq!(lab.wire(queue, ETH1, &udp("192.168.1.2:53", client)).len(), 1);
        }
    }
}

#[test]
fn packets_behind_the_first_wait_for_its_claim() {
    let mut waited = 0;
    for port in 4000..4020u16 {
        let mut lab = CrewLab::new(FORWARDED.replace("-p tcp", "-p udp").as_str(), 3);
        for _ in 0..8 {
            lab.arrive(usize::from(port % 3), ETH2, udp(&format!("8.8.8.8:{port}"), "203.0.113.1:80").frame());
        }
        let out = lab.settle().len() as u64;
        let lost = drops(&lab);
        assert_eq!(out + lost, 8);
        assert_eq!(lab.flows().iter().sum::<usize>(), 1);
        if lost > 0 {
            assert_eq!(lab.drops(), [("ClaimsFull", 3)], "one travels, four wait");
            waited += 1;
        }
        assert_eq!(lab.crew.outside.live(), 0);
    }
    assert!(waited > 0, "some claims were on their way when the rest came");
}

#[test]
fn packets_behind_the_first_wait_where_a_helper_reads_the_flow_too() {
    let rules = format!("*raw\n-A PREROUTING -p udp -j CT --helper tftp\nCOMMIT\n{}", FORWARDED.replace("-p tcp", "-p udp"));
    for port in 4000..4012u16 {
        let mut lab = CrewLab::new(&rules, 3);
        for _ in 0..3 {
            lab.arrive(usize::from(port % 3), ETH2, udp(&format!("8.8.8.8:{port}"), "203.0.113.1:80").frame());
        }
        assert_eq!((lab.settle().len(), lab.flows().iter().sum(), drops(&lab)), (3, 1, 0), "{:?}", lab.drops());
    }
}

#[test]
fn claims_one_after_another_are_never_too_many() {
    let mut lab = CrewLab::new(FORWARDED, 2);
    for port in 4000..4400u16 {
        assert_eq!(lab.wire(0, ETH2, &tcp(&format!("8.8.8.8:{port}"), "203.0.113.1:80", "S")).len(), 1, "{port} {:?}", lab.drops());
    }
}

#[test]
fn more_claims_than_there_is_room_for_are_refused_by_name() {
    let mut lab = CrewLab::new(FORWARDED, 2);
    for port in 4000..4400u16 {
        lab.arrive(usize::from(port % 2), ETH2, tcp(&format!("8.8.8.8:{port}"), "203.0.113.1:80", "S").frame());
    }
    let out = lab.settle().len();
    let [("ClaimsFull", lost)] = lab.drops()[..] else { panic!("{:?}", lab.drops()) };
    assert_eq!(out + lost as usize, 400);
    assert_eq!(lab.flows().iter().sum::<usize>(), out, "a refused flow leaves nothing behind");
    assert_eq!(lab.crew.outside.live(), 0);
}

#[test]
fn a_datagram_keeps_how_it_was_cut_while_its_flow_is_claimed() {
    let mut lab = CrewLab::new(FORWARDED.replace("-p tcp", "-p udp").as_str(), 3);
    for port in 4000..4010 {
        let frame = udp(&format!("8.8.8.8:{port}"), "203.0.113.1:80").data(2000).frame();
        for (queue, mut piece) in crate::fragments::cut(&frame, &[800, 1600], false).into_iter().enumerate() {
            piece[..6].copy_from_slice(&crate::lab::mac(ETH2));
            lab.arrive(queue, ETH2, piece);
        }
        lab.crew.settle(&mut lab.rng);
        let sizes: Vec<usize> = lab
            .crew
            .events()
            .iter()
            .map(|event| match event {
                Event::Transmit { port: ETH1, frame } => frame.len() - 34,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(sizes, [800, 800, 408]);
    }
}

/// Who talks to whom: protocol, then source and destination with port or identifier.
type Ends = (u8, u32, u16, u32, u16);

fn ends(frame: &[u8]) -> Ends {
    let word = |at: usize| u32::from_be_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]]);
    let half = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    let (a, b) = if frame[23] == 1 { (half(38), half(38)) } else { (half(34), half(36)) };
    (frame[23], word(26), a, word(30), b)
}

fn back((protocol, src, a, dst, b): Ends) -> Ends {
    (protocol, dst, b, src, a)
}

fn text(address: u32, port: u16) -> String {
    format!("{}:{port}", std::net::Ipv4Addr::from_bits(address))
}

/// What the other end answers to a packet that left the box.
fn answer(ends: Ends) -> Packet {
    let (protocol, src, a, dst, b) = back(ends);
    let host = |address| std::net::Ipv4Addr::from_bits(address).to_string();
    match protocol {
        1 => pong(&host(src), &host(dst), a),
        6 => tcp(&text(src, a), &text(dst, b), "SA").numbers(9, 1001),
        _ => udp(&text(src, a), &text(dst, b)),
    }
}

/// Translations of every kind, with clashes.
const RULES: &str = "*nat\n-A PREROUTING -i eth2 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\n\
    -A PREROUTING -i eth2 -p udp --dport 53 -j DNAT --to-destination 192.168.1.2-192.168.1.4:5300-5301\n\
    -A PREROUTING -i eth0 -p tcp --dport 3128 -j DNAT --to-destination 192.168.1.3\n\
    -A POSTROUTING -o eth1 -p tcp -s 10.0.0.0/24 -j SNAT --to-source 192.168.1.1:6000-6003\n\
    -A POSTROUTING -o eth2 -p udp --dport 5 -j SNAT --to-source 203.0.113.1:7000-7001\n\
    -A POSTROUTING -o eth2 -p udp --dport 6 -j MASQUERADE --random-fully\n\
    -A POSTROUTING -o eth2 -p icmp -j SNAT --to-source 203.0.113.50-203.0.113.51\n\
    -A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n";

#[derive(Clone, Debug)]
enum Move {
    /// An original packet, by its kind and ends.
    Begin { kind: u8, host: u8, port: u16, server: u8, queue: usize },
    /// An answer to something that left.
    Answer { which: prop::sample::Index, queue: usize },
    /// So many steps of somebody.
    Steps(u8),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0u8..6, 2u8..4, 1u16..5, 0u8..3, 0usize..3)
            .prop_map(|(kind, host, port, server, queue)| Move::Begin { kind, host, port, server, queue }),
        3 => (any::<prop::sample::Index>(), 0usize..3).prop_map(|(which, queue)| Move::Answer { which, queue }),
        2 => (0u8..6).prop_map(Move::Steps),
    ]
}

/// The packet that begins a flow, and by which port it comes.
fn begin(kind: u8, host: u8, port: u16, server: u8) -> (program::InterfaceId, Packet) {
    let inside = format!("10.0.0.{host}:{}", 1999 + port);
    let server = ["8.8.8.8", "9.9.9.9", "1.1.1.1"][usize::from(server)];
    let outer = format!("{server}:{}", 1999 + port);
    let to = if host == 2 { "203.0.113.1" } else { "10.0.0.1" };
    match kind {
        0 => (ETH0, tcp(&inside, &format!("{server}:443"), "S")),
        1 => (ETH0, udp(&inside, &format!("{server}:{}", 4 + host))),
        2 => (ETH0, ping(&format!("10.0.0.{host}"), server, port)),
        3 => (ETH0, tcp(&inside, &format!("{server}:3128"), "S")),
        4 => (ETH2, tcp(&outer, &format!("{to}:80"), "S")),
        _ => (ETH2, udp(&outer, &format!("{to}:53"))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_order_of_workers_no_tuple_is_had_twice_and_nothing_is_lost_unnamed(
        moves in prop::collection::vec(moves(), 1..150),
        workers in 1u16..4,
        seed: u64,
    ) {
        let mut lab = CrewLab::with(RULES, workers, seed, Room::default());
        let (mut sent, mut received) = (0u64, 0u64);
        let mut gone: Vec<(program::InterfaceId, Ends)> = Vec::new();
        let queue_of = |queue: usize| queue % usize::from(workers);
        for step in moves.iter().chain(core::iter::once(&Move::Steps(u8::MAX))) {
            match step {
                Move::Begin { kind, host, port, server, queue } => {
                    let (input, packet) = begin(*kind, *host, *port, *server);
                    lab.arrive(queue_of(*queue), input, packet.frame());
                    sent += 1;
                }
                Move::Answer { which, queue } if !gone.is_empty() => {
                    let (port, out) = gone[which.index(gone.len())];
                    lab.arrive(queue_of(*queue), port, answer(out).frame());
                    sent += 1;
                }
                Move::Answer { .. } => {}
                Move::Steps(u8::MAX) => lab.crew.settle(&mut lab.rng),
                Move::Steps(n) => (0..*n).for_each(|_| { lab.crew.step(&mut lab.rng); }),
            }
            for event in lab.crew.events() {
                let (port, frame) = match event {
                    Event::Transmit { port, frame } | Event::Deliver { port, frame } => (port, frame),
                    other => panic!("{other:?}"),
                };
                received += 1;
                gone.push((port, ends(&frame)));
            }
        }
        prop_assert_eq!(sent, received + drops(&lab), "{:?}", lab.drops());
        prop_assert_eq!(lab.crew.outside.live(), 0);
        // Every tuple is one flow's, over all workers; and what is kept for others is exactly what they have claimed.
        let mut tuples = BTreeMap::new();
        let mut claimed = 0;
        for (worker, state) in lab.crew.workers.iter().enumerate() {
            for (_, flow) in state.flows().iter() {
                for dir in [engine::conntrack::Dir::Original, engine::conntrack::Dir::Reply] {
                    prop_assert!(tuples.insert(format!("{:?}", flow.tuple(dir)), worker).is_none(), "{:?} is had twice", flow.tuple(dir));
                }
                let owners = engine::owner::Owners::new(workers);
                prop_assert_eq!(usize::from(owners.of(&flow.tuple(engine::conntrack::Dir::Original))), worker);
                claimed += usize::from(usize::from(owners.of(&flow.tuple(engine::conntrack::Dir::Reply))) != worker);
            }
        }
        prop_assert_eq!(claimed, lab.crew.workers.iter().map(|worker| worker.flows().claimed()).sum::<usize>());
        // An answer to each flow comes back to who began it, whichever queue it comes to.
        let flows: Vec<_> = lab.crew.workers.iter().flat_map(|worker| worker.flows().iter().map(|(_, flow)| *flow).collect::<Vec<_>>()).collect();
        for (nth, flow) in flows.iter().enumerate() {
            let reply = flow.tuple(engine::conntrack::Dir::Reply);
            let (src, dst) = match reply.l4 {
                packet::TupleL4::Ports { src, dst } => (src, dst),
                packet::TupleL4::Icmp { id, .. } => (id, id),
                packet::TupleL4::Calls { .. } | packet::TupleL4::Other => continue,
            };
            let came = (reply.protocol, reply.src, src, reply.dst, dst);
            let port = if reply.src >> 8 == 0xc0a801 { ETH1 } else { ETH2 };
            lab.arrive(queue_of(nth), port, answer(back(came)).frame());
            lab.crew.settle(&mut lab.rng);
            let events = lab.crew.events();
            let [Event::Transmit { frame, .. }] = &events[..] else { panic!("an answer to {flow:?} gave {events:?} {:?}", lab.drops()) };
            let original = flow.tuple(engine::conntrack::Dir::Original);
            prop_assert_eq!((ends(frame).1, ends(frame).3), (original.dst, original.src));
        }
        lab.advance(1000 * 86_400 * 6);
        prop_assert_eq!(lab.flows().iter().sum::<usize>(), 0);
        prop_assert_eq!(lab.crew.workers.iter().map(|worker| worker.flows().claimed()).sum::<usize>(), 0);
    }
}

#[test]
fn one_worker_of_a_crew_translates_as_a_worker_alone() {
    let mut crew = CrewLab::new(RULES, 1);
    let mut alone = Lab::new(RULES);
    for port in 1..5 {
        for kind in [0, 2, 4] {
            let (input, packet) = begin(kind, 2, port, 0);
            assert_eq!(crew.wire(0, input, &packet), alone.wire(input, &packet));
        }
    }
}
