//! Several workers: both directions of a flow are judged by one state, wherever their packets come in.

use engine::sim::{Event, Room, Shape};
use etherparse::{Icmpv4Type, icmpv4};
use proptest::prelude::*;
use rules::TableName::{Filter, Raw};

use crate::fragments::cut;
use crate::lab::crew::CrewLab;
use crate::lab::frames::{Packet, icmp, ping, pong, tcp, udp};
use crate::lab::{ETH0, ETH1, ETH2, Lab};

const OUTWARD: &str = "*raw\n-A PREROUTING -p tcp -j ACCEPT\nCOMMIT\n\
    *filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n\
    -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A FORWARD -i eth0 -m state --state NEW -j ACCEPT\nCOMMIT\n";

#[test]
fn both_directions_meet_at_one_worker_whatever_their_queues() {
    for there in 0..3 {
        for back in 0..3 {
            let mut lab = CrewLab::new(OUTWARD, 3);
            for port in 1..30 {
                let (inside, outside) = (format!("10.0.0.2:{port}"), "8.8.8.8:80");
                assert_eq!(lab.wire(there, ETH0, &tcp(&inside, outside, "S")).len(), 1);
                assert_eq!(lab.wire(back, ETH2, &tcp(outside, &inside, "SA").numbers(9, 1001)).len(), 1);
                assert_eq!(lab.wire(there, ETH0, &tcp(&inside, outside, "A").numbers(1001, 10)).len(), 1);
            }
            assert!(lab.flows().iter().all(|n| *n > 1), "every worker has some: {:?}", lab.flows());
            assert_eq!(lab.flows().iter().sum::<usize>(), 29);
            assert_eq!((lab.count(Filter, "FORWARD", 2).0, lab.count(Filter, "FORWARD", 3).0), (58, 29));
            assert_eq!(lab.count(Raw, "PREROUTING", 1).0, 87, "a packet that changes workers is judged by each rule once");
            assert!(lab.sent() > 0);
            assert_eq!(lab.crew.outside.live(), 0);
        }
    }
}

#[test]
fn an_icmp_error_finds_the_worker_of_the_flow_that_it_quotes() {
    let mut lab = CrewLab::new(OUTWARD, 3);
    for port in 1..20 {
        let sent = udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53");
        lab.wire(0, ETH0, &sent);
        let error = icmp("203.0.113.254", "10.0.0.2", Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit))
            .bytes(&sent.frame()[14..]);
        for worker in 0..3 {
            assert_eq!(lab.wire(worker, ETH2, &error).len(), 1, "about port {port}, at worker {worker}");
        }
    }
}

#[test]
fn a_datagram_is_put_together_from_pieces_at_every_queue_and_meets_its_flow() {
    let rules = "*filter\n:FORWARD DROP\n-A FORWARD -p udp --dport 53 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n";
    let mut lab = CrewLab::new(rules, 3);
    for port in 4000..4020 {
        let frame = udp(&format!("10.0.0.2:{port}"), "192.168.1.2:53").data(3000).frame();
        for (worker, piece) in cut(&frame, &[1000, 2000], false).into_iter().enumerate() {
            lab.arrive(worker, ETH0, piece);
        }
        assert_eq!(lab.settle().len(), 3, "it leaves as it came");
        assert_eq!(lab.wire(2, ETH0, &udp(&format!("10.0.0.2:{port}"), "192.168.1.2:53")).len(), 1);
    }
    assert_eq!(lab.flows().iter().sum::<usize>(), 20);
    assert!(lab.flows().iter().all(|n| *n > 2), "{:?}", lab.flows());
    assert_eq!(lab.count(Filter, "FORWARD", 1).0, 40);
}

#[test]
fn a_datagram_for_the_box_is_put_together_without_tracking_too() {
    let mut lab = CrewLab::new("*filter\n-A INPUT -p udp -j ACCEPT\nCOMMIT\n", 3);
    let frame = udp("10.0.0.2:4000", "10.0.0.1:53").data(3000).frame();
    for (worker, piece) in cut(&frame, &[1000, 2000], false).into_iter().enumerate() {
        lab.arrive(worker, ETH0, piece);
    }
    assert_eq!(lab.settle().len(), 1);
    assert_eq!(lab.count(Filter, "INPUT", 1), (1, 3028));
}

#[test]
fn the_box_tells_of_a_datagram_that_was_not_completed_by_the_worker_of_its_flow() {
    let rules =
        "*filter\n-A INPUT -m conntrack --ctstate NEW -j ACCEPT\n-A OUTPUT -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n";
    let mut lab = CrewLab::new(rules, 3);
    for port in 4000..4005 {
        let mut frame = udp(&format!("10.0.0.2:{port}"), "10.0.0.1:53").data(3000).frame();
        frame[18..20].copy_from_slice(&(port as u16).to_be_bytes());
        lab.arrive(0, ETH0, cut(&frame, &[1000], false).swap_remove(0));
    }
    assert_eq!(lab.settle(), [""; 0]);
    let told = lab.advance(31_000);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told.iter().all(|line| line.starts_with("eth0: 10.0.0.1 > 10.0.0.2 icmp 11/1")), "{told:?}");
    assert_eq!(lab.count(Filter, "OUTPUT", 1).0, 5);
    assert_eq!(lab.crew.outside.live(), 0);
}

#[test]
fn the_boxs_own_connections_are_kept_by_one_worker_too() {
    let rules = "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n";
    let mut lab = CrewLab::new(rules, 3);
    for port in 4000..4020u16 {
        let inside = format!("203.0.113.1:{port}");
        assert_eq!(lab.host(usize::from(port % 3), ETH2, &tcp(&inside, "8.8.8.8:22", "S")).len(), 1);
        assert_eq!(lab.wire(usize::from(port % 2), ETH2, &tcp("8.8.8.8:22", &inside, "SA").numbers(9, 1001)).len(), 1);
    }
}

#[test]
fn without_tracking_nothing_changes_workers() {
    let mut lab = CrewLab::new("*filter\n-A FORWARD -p tcp --dport 81 -j DROP\nCOMMIT\n", 3);
    for port in 1..20 {
        assert_eq!(lab.wire(usize::from(port as u16 % 3), ETH0, &tcp(&format!("10.0.0.2:{port}"), "8.8.8.8:80", "S")).len(), 1);
    }
    assert_eq!(lab.sent(), 0);
}

/// [`OUTWARD`] without rules before tracking: packets are passed on as they came.
fn without_raw(rules: &str) -> &str {
    rules.split_once("COMMIT\n").expect("the raw table comes first").1.trim_start()
}

#[test]
fn a_full_way_drops_by_name_and_leaks_nothing() {
    for rules in [OUTWARD, without_raw(OUTWARD)] {
        let mut lab = CrewLab::with(rules, 2, 1, Room { parcels: 4, letters: 4 });
        for port in 1..60 {
            lab.arrive(0, ETH0, udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53").frame());
        }
        let out = lab.settle().len() as u64;
        let [("HandoffFull", lost)] = lab.drops()[..] else { panic!("{:?}", lab.drops()) };
        assert_eq!(out + lost, 59);
        assert!(lost > 10 && lab.sent() == 4, "{lost} lost, {} sent", lab.sent());
        assert_eq!(lab.crew.outside.live(), 0);
    }
}

#[test]
fn a_policy_before_tracking_counts_a_packet_once_or_ends_it_where_it_came() {
    let rest = without_raw(OUTWARD);
    let mut lab = CrewLab::new(&format!("*raw\n:PREROUTING ACCEPT\nCOMMIT\n{rest}"), 3);
    for port in 1..30 {
        assert_eq!(lab.wire(0, ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53")).len(), 1);
    }
    assert_eq!((lab.count(Raw, "PREROUTING", 0).0, lab.count(Filter, "FORWARD", 3).0), (29, 29));
    assert!(lab.sent() > 10, "{} sent", lab.sent());
    let mut lab = CrewLab::new(&format!("*raw\n:PREROUTING DROP\nCOMMIT\n{rest}"), 3);
    for port in 1..30 {
        assert_eq!(lab.wire(0, ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53")).len(), 0);
    }
    assert_eq!((lab.count(Raw, "PREROUTING", 0).0, lab.sent()), (29, 0));
}

/// A frame, with an option of IP's that says nothing.
fn with_options(frame: &[u8]) -> Vec<u8> {
    let (mut frame, rest) = (frame[..34].to_vec(), &frame[34..]);
    frame[14] += 1;
    let len = u16::from_be_bytes([frame[16], frame[17]]) + 4;
    frame[16..18].copy_from_slice(&len.to_be_bytes());
    frame[24..26].fill(0);
    frame.extend([1, 1, 1, 0]);
    let words = frame[14..].chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    frame[24..26].copy_from_slice(&(!((sum & 0xffff) + (sum >> 16)) as u16).to_be_bytes());
    frame.extend(rest);
    frame
}

#[test]
fn a_flows_packets_stay_in_their_order_whichever_way_they_go_to_its_worker() {
    for rules in [OUTWARD, without_raw(OUTWARD)] {
        let mut lab = CrewLab::new(rules, 3);
        let frames: Vec<_> = (0..240u16)
            .map(|n| {
                let mut frame = udp(&format!("10.0.0.2:{}", 1000 + n % 7), "8.8.8.8:53").data(usize::from(n) + 20).frame();
                frame[..6].copy_from_slice(&crate::lab::mac(ETH0));
                if n % 3 == 0 { with_options(&frame) } else { frame }
            })
            .collect();
        lab.crew.wire(0, ETH0, &frames, &Shape::default());
        lab.crew.settle(&mut lab.rng);
        let mut last = [0; 7];
        let mut left = 0;
        for event in lab.crew.events() {
            let Event::Transmit { frame, .. } = event else { panic!("{event:?}") };
            let l4 = 14 + usize::from(frame[14] & 15) * 4;
            let [port, len] = [l4, l4 + 4].map(|at| u16::from_be_bytes([frame[at], frame[at + 1]]));
            let last = &mut last[usize::from(port - 1000)];
            assert!(*last < len, "{port}: {len} behind {last}");
            *last = len;
            left += 1;
        }
        assert_eq!(left, 240, "{:?}", lab.drops());
        assert!(lab.sent() > 60, "{} sent", lab.sent());
    }
}

#[test]
fn the_limit_of_flows_is_one_for_all_workers_and_used_to_the_last() {
    let mut lab = CrewLab::limited(OUTWARD, 3, 50);
    let out: usize = (1..=80).map(|port| lab.wire(0, ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53")).len()).sum();
    let refused = lab.crew.drops(engine::drop::DropReason::ConntrackFull) as usize;
    let gave_way: u64 = lab.crew.workers.iter().map(|worker| worker.flows().early_drops()).sum();
    // The sweep through a crowded table may have ended some more.
    assert!((45..=50).contains(&lab.flows().iter().sum::<usize>()), "{:?}", lab.flows());
    assert_eq!(out + refused, 80);
    assert!(refused + gave_way as usize >= 30, "{refused} refused, {gave_way} gave way");
    lab.advance(1000 * 86_400);
    assert_eq!(lab.flows(), [0, 0, 0]);
    for port in 1..=50 {
        assert_eq!(lab.wire(1, ETH0, &udp(&format!("10.0.0.3:{port}"), "8.8.8.8:53")).len(), 1, "flows that ended make room");
    }
}

#[test]
fn the_boxs_refusals_are_of_the_flow_of_their_cause_and_as_rare_as_with_one_worker() {
    let rules =
        "*filter\n-A FORWARD -m conntrack --ctstate NEW -j REJECT\n-A OUTPUT -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n";
    let mut lab = CrewLab::new(rules, 3);
    let said = (1..40).filter(|port| !lab.wire(0, ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53")).is_empty()).count();
    assert_eq!(said, 6, "one sender gets six errors at once, and not six of each worker");
    assert_eq!(lab.count(Filter, "OUTPUT", 1).0, 6);
    assert_eq!(lab.flows(), [0, 0, 0]);
}

/// Rules that remember, refuse, log and count; no translation.
const RULES: &str = "*raw\n-A PREROUTING -p udp --dport 9 -j NOTRACK\n-A PREROUTING -m statistic --mode nth --every 5 --packet 0 -j MARK --set-mark 7\n-A OUTPUT -p icmp\nCOMMIT\n\
    *mangle\n-A PREROUTING -p tcp -m statistic --mode nth --every 3 --packet 1 -j MARK --set-mark 2\n\
    -A FORWARD -m mark --mark 7 -j CONNMARK --set-mark 9\n-A FORWARD -m connmark --mark 9 -j TOS --set-tos 0x10\nCOMMIT\n\
    *filter\n:FORWARD DROP\n-A FORWARD -m limit --limit 10/second --limit-burst 4 -j LOG --log-prefix \"seen \"\n\
    -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A FORWARD -p tcp --dport 81 -j REJECT --reject-with tcp-reset\n\
    -A FORWARD -p udp --dport 7 -j REJECT\n-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -i eth1 -m conntrack --ctstate NEW -j ACCEPT\n\
    -A INPUT -p icmp -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n";

/// A packet from inside to a server, or the other way.
fn packets() -> impl Strategy<Value = (bool, Packet)> {
    let ends = (1u16..6, prop::sample::select(vec![7u16, 9, 53, 80, 81]), prop::sample::select(vec!["192.168.1.2", "192.168.1.3"]));
    let flags = prop::sample::select(vec!["S", "SA", "A", "FA", "R"]);
    (ends, flags, 0..5, any::<bool>()).prop_map(|((port, dport, server), flags, kind, back)| {
        let (inside, outside) = (format!("10.0.0.2:{port}"), format!("{server}:{dport}"));
        let (src, dst) = if back { (outside, inside) } else { (inside, outside) };
        let host = |end: &str| end.split(':').next().expect("an address").to_owned();
        let packet = match kind {
            0 | 1 => tcp(&src, &dst, flags),
            2 => udp(&src, &dst),
            3 if back => pong(&host(&src), &host(&dst), port),
            3 => ping(&host(&src), &host(&dst), port),
            _ => icmp(&host(&src), &host(&dst), Icmpv4Type::DestinationUnreachable(icmpv4::DestUnreachableHeader::Port))
                .bytes(&udp(&dst, &src).frame()[14..]),
        };
        (back, packet)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_workers_give_what_one_gives(
        packets in prop::collection::vec((packets(), 0usize..3, any::<bool>()), 1..120),
        workers in 1u16..4,
        before_tracking: bool,
        seed: u64,
    ) {
        let rules = if before_tracking { RULES } else { without_raw(RULES) };
        let mut one = Lab::new(rules);
        let mut many = CrewLab::with(rules, workers, seed, Room::default());
        for ((back, packet), queue, fragmented) in &packets {
            let port = if *back { ETH1 } else { ETH0 };
            let frame = packet.clone().data(40).frame();
            let pieces = if *fragmented { cut(&frame, &[24], false) } else { vec![frame] };
            let mut seen = Vec::new();
            for (nth, mut piece) in pieces.into_iter().enumerate() {
                piece[..6].copy_from_slice(&crate::lab::mac(port));
                seen.extend(one.wire_frame(port, piece.clone()));
                many.arrive((*queue + nth) % usize::from(workers), port, piece);
            }
            prop_assert_eq!(seen, many.settle());
        }
        prop_assert_eq!(one.drops(), many.drops());
        let raw = before_tracking.then_some((Raw, "PREROUTING", 2));
        for (table, chain, rules) in raw.into_iter().chain([(Filter, "FORWARD", 6), (Filter, "INPUT", 2), (rules::TableName::Mangle, "FORWARD", 2)]) {
            for rule in 0..=rules {
                prop_assert_eq!(one.count(table, chain, rule), many.count(table, chain, rule), "{:?} {} {}", table, chain, rule);
            }
        }
        let flows = |flows: &mut dyn Iterator<Item = String>| { let mut flows: Vec<String> = flows.collect(); flows.sort(); flows };
        let alone = flows(&mut one.sim.worker.flows().iter().map(|(_, flow)| format!("{flow:?}")));
        let spread = flows(&mut many.crew.workers.iter().flat_map(|w| w.flows().iter().map(|(_, flow)| format!("{flow:?}")).collect::<Vec<_>>()));
        prop_assert_eq!(alone, spread);
        prop_assert_eq!(many.crew.outside.live(), 0);
    }
}
