//! How many connections an address may have. What the kernel does is in `tests/kernel`; here are time, several workers, reloads and limits.

use engine::sim::{Room, Shape};
use rules::TableName::{Filter, Mangle};

use crate::families::{CLIENT, SERVER, tables, udp6};
use crate::ipv6::{drops, parts, sim_of};
use crate::lab::crew::CrewLab;
use crate::lab::frames::{Packet, tcp, udp};
use crate::lab::{ETH0, ETH1, FLOW_EXTRAS, Lab};

const TWO_EACH: &str = "*filter\n-A FORWARD -p tcp --syn -m connlimit --connlimit-above 2 -j DROP\n-A FORWARD -p udp -m connlimit --connlimit-above 2 -j DROP\nCOMMIT\n";

fn syn(client: &str, port: u16) -> Packet {
    tcp(&format!("{client}:{port}"), "192.168.1.2:80", "S")
}

fn query(client: &str, port: u16) -> Packet {
    udp(&format!("{client}:{port}"), "192.168.1.2:53")
}

fn passes(lab: &mut Lab, packet: &Packet) -> bool {
    lab.wire(ETH0, packet).len() == 1
}

#[test]
fn each_address_has_its_own_connections_and_the_refused_are_none() {
    let mut lab = Lab::new(TWO_EACH);
    for client in ["10.0.0.2", "10.0.0.3"] {
        assert_eq!([1, 2, 3, 4].map(|port| passes(&mut lab, &syn(client, port))), [true, true, false, false], "{client}");
    }
    assert!(passes(&mut lab, &query("10.0.0.2", 1)), "another rule has lists of its own");
    assert_eq!(lab.count(Filter, "FORWARD", 1).0, 4);
    assert_eq!(lab.flows(), 5);
}

#[test]
fn a_connection_that_ends_or_is_over_makes_room() {
    let mut lab = Lab::new(TWO_EACH);
    assert!(passes(&mut lab, &syn("10.0.0.2", 1)) && passes(&mut lab, &syn("10.0.0.2", 2)));
    lab.wire(ETH1, &tcp("192.168.1.2:80", "10.0.0.2:1", "SA").numbers(5000, 1001));
    assert!(!passes(&mut lab, &syn("10.0.0.2", 3)));
    lab.wire(ETH1, &tcp("192.168.1.2:80", "10.0.0.2:1", "RA").numbers(5001, 1001));
    assert!(passes(&mut lab, &syn("10.0.0.2", 4)), "it was reset, and only waits for its time");
    assert!(!passes(&mut lab, &syn("10.0.0.2", 5)));
    // By time.
    assert!(passes(&mut lab, &query("10.0.0.2", 1)) && passes(&mut lab, &query("10.0.0.2", 2)));
    assert!(!passes(&mut lab, &query("10.0.0.2", 3)));
    lab.advance(31_000);
    assert!(passes(&mut lab, &query("10.0.0.2", 4)) && passes(&mut lab, &query("10.0.0.2", 5)));
    assert!(!passes(&mut lab, &query("10.0.0.2", 6)));
}

#[test]
fn a_packet_of_a_known_connection_does_not_count_again() {
    let mut lab = Lab::new("*mangle\n-A PREROUTING -m connlimit --connlimit-above 1 -j DROP\nCOMMIT\n");
    for _ in 0..5 {
        assert!(passes(&mut lab, &query("10.0.0.2", 1)));
    }
    assert!(!passes(&mut lab, &query("10.0.0.2", 2)));
    assert_eq!(lab.count(Mangle, "PREROUTING", 1).0, 1);
    assert!(!passes(&mut lab, &query("10.0.0.2", 1)), "the refused one is counted until the list is looked through");
    lab.wire(ETH1, &udp("192.168.1.2:53", "10.0.0.2:1"));
    lab.advance(2_500);
    lab.wire(ETH1, &udp("192.168.1.2:53", "10.0.0.2:1"));
    assert!(passes(&mut lab, &query("10.0.0.2", 1)), "which a packet of an ASSURED connection does");
}

#[test]
fn a_beginning_counts_as_often_as_its_packet_comes_to_the_rule() {
    let twice =
        ":TWICE - [0:0]\n-A FORWARD -j TWICE\n-A FORWARD -j TWICE\n-A TWICE -p udp -m connlimit --connlimit-above 3 -j DROP";
    let mut lab = Lab::new(&format!("*filter\n{twice}\nCOMMIT\n"));
    assert!(passes(&mut lab, &query("10.0.0.2", 1)) && !passes(&mut lab, &query("10.0.0.2", 2)), "two, and two more");
    assert!(passes(&mut lab, &query("10.0.0.2", 1)), "no packet counts again that is known");
    lab.advance(31_000);
    assert!(
        passes(&mut lab, &query("10.0.0.2", 3)) && !passes(&mut lab, &query("10.0.0.2", 4)),
        "both leave with their connection"
    );
}

#[test]
fn any_change_of_its_table_begins_new_lists_and_of_another_none() {
    let mut lab = Lab::new(TWO_EACH);
    assert_eq!([1, 2, 3].map(|port| passes(&mut lab, &syn("10.0.0.2", port))), [true, true, false]);
    let program = lab.sim.snapshot.program.clone();
    let states = engine::snapshot::TableStates::following(&program, &lab.sim.snapshot.states, &program);
    (lab.sim.snapshot.edition, lab.sim.snapshot.states) = (engine::snapshot::Edition::new(), states);
    assert!(!passes(&mut lab, &syn("10.0.0.2", 4)), "the table is the same");
    for round in 1..10 {
        lab.load(TWO_EACH);
        let again = [10 * round, 10 * round + 1, 10 * round + 2].map(|port| passes(&mut lab, &syn("10.0.0.2", port)));
        assert_eq!(again, [true, true, false]);
    }
    assert_eq!(lab.drops(), [("FilterRule", 11)]);
    // A connection that is not ASSURED yet comes on the new lists with its next packet, and is on no more of them than before.
    for _ in 0..40 {
        lab.load(TWO_EACH);
        assert_eq!([1, 2, 3].map(|port| passes(&mut lab, &syn("10.0.0.2", port))), [true, true, false]);
    }
}

#[test]
fn zones_have_lists_of_their_own() {
    let mut lab = Lab::new(
        "*raw\n-A PREROUTING -p tcp --dport 81 -j CT --zone 3\nCOMMIT\n\
         *filter\n-A FORWARD -p tcp -m connlimit --connlimit-above 1 -j DROP\nCOMMIT\n",
    );
    let to = |port: u16, server: &str| tcp(&format!("10.0.0.2:{port}"), server, "S");
    let said = ["192.168.1.2:80", "192.168.1.2:81", "192.168.1.2:80", "192.168.1.2:81"];
    let passed: Vec<bool> = (1..).zip(said).map(|(port, server)| passes(&mut lab, &to(port, server))).collect();
    assert_eq!(passed, [true, true, false, false]);
}

#[test]
fn several_workers_count_together() {
    let mut lab = CrewLab::with(TWO_EACH, 3, 7, Room::default());
    for client in 2..60 {
        let client = format!("10.0.0.{client}");
        let passed = (1..=9u16).filter(|port| lab.wire(usize::from(port % 3), ETH0, &syn(&client, *port)).len() == 1);
        assert_eq!(passed.count(), 2, "{client}");
    }
    assert!(lab.flows().iter().all(|flows| *flows > 10), "they are of all workers: {:?}", lab.flows());
    lab.advance(1000 * 86_400);
    for client in 2..60 {
        assert_eq!(lab.wire(1, ETH0, &syn(&format!("10.0.0.{client}"), 1)).len(), 1, "all have gone");
    }
}

#[test]
fn what_finds_no_room_is_dropped_by_name_and_leaves_nothing() {
    // As many rules as a connection can be on lists of, and one more.
    let rules: String = (0..33).map(|limit| format!("-A FORWARD -m connlimit --connlimit-above {}\n", 1000 + limit)).collect();
    let mut lab = Lab::new(&format!("*filter\n{rules}COMMIT\n"));
    assert!(!passes(&mut lab, &syn("10.0.0.2", 1)));
    assert_eq!((lab.drops(), lab.flows()), (vec![("ConnlimitFull", 1)], 0));
    // As many connections as can have rare attributes.
    let mut lab = Lab::new("*filter\n-A FORWARD -m connlimit --connlimit-above 1000\nCOMMIT\n");
    let passed = (1..=FLOW_EXTRAS as u16 + 3).filter(|port| passes(&mut lab, &syn("10.0.0.2", *port))).count();
    assert_eq!(passed, FLOW_EXTRAS as usize);
    assert_eq!((lab.drops(), lab.flows()), (vec![("ConntrackExtrasFull", 3)], FLOW_EXTRAS as usize));
    lab.advance(1000 * 86_400);
    assert_eq!(lab.sim.worker.flows().extras(), 0);
    let passed = (1..=FLOW_EXTRAS as u16).filter(|port| passes(&mut lab, &syn("10.0.0.2", *port))).count();
    assert_eq!(passed, FLOW_EXTRAS as usize, "they make room when they end");
}

#[test]
fn ipv6_counts_by_prefix() {
    let rules = "*filter\n-A FORWARD -m connlimit --connlimit-above 2 --connlimit-mask 64 -j DROP\nCOMMIT\n";
    let mut sim = sim_of(parts(), tables(rules::Family::Ipv6, rules));
    let mut sent = |src: &str, sport| {
        let mut frame = udp6(CLIENT, SERVER, sport, 53);
        let src: std::net::Ipv6Addr = src.parse().expect("an address");
        frame[14 + 8..14 + 24].copy_from_slice(&src.octets());
        // The checksum holds whatever the order of its words.
        frame[60..62].copy_from_slice(&[0, 0]);
        let sum = checksum(&frame[14..]);
        frame[60..62].copy_from_slice(&sum.to_be_bytes());
        sim.wire(ETH0, &[frame], &Shape::default());
        sim.events().len()
    };
    let ends = [("2001:db8::2", 1), ("2001:db8::3", 1), ("2001:db8::4", 1), ("2001:db8:0:1::4", 1), ("2001:db8::2", 1)];
    assert_eq!(
        ends.map(|(src, port)| sent(src, port)),
        [1, 1, 0, 1, 0],
        "the refused one is counted until the list is looked through"
    );
    assert_eq!(drops(&sim), ["FilterRule"]);
}

/// Of a UDP datagram in an IPv6 packet, whose own is zero.
fn checksum(packet: &[u8]) -> u16 {
    let pseudo = u32::from(u16::from_be_bytes([packet[4], packet[5]])) + 17;
    let sum = packet[8..].chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum::<u32>() + pseudo;
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}
