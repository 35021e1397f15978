//! A burst gives exactly the result of its packets one by one, whatever its size.

use engine::sim::{Event, Shape};
use proptest::prelude::*;

use crate::lab::frames::{Packet, ping, pong, tcp, udp};
use crate::lab::{ETH0, Lab, mac};

/// Rules that remember, translate, log, refuse and count.
const RULES: &str = "*raw\n-A PREROUTING -p udp --dport 9 -j NOTRACK\nCOMMIT\n\
    *mangle\n-A PREROUTING -p tcp -m statistic --mode nth --every 3 --packet 1 -j MARK --set-mark 2\n\
    -A PREROUTING -m statistic --mode random --probability 0.3 -j TOS --set-tos 0x10\nCOMMIT\n\
    *nat\n-A PREROUTING -p tcp --dport 80 -m mark --mark 2 -j DNAT --to-destination 192.168.1.3:8080\n\
    -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\n-A POSTROUTING -o eth2 -j MASQUERADE --random-fully\nCOMMIT\n\
    *filter\n:FORWARD DROP\n-A FORWARD -m limit --limit 10/second --limit-burst 4 -j LOG --log-prefix \"seen \"\n\
    -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A FORWARD -p tcp --dport 81 -j REJECT --reject-with tcp-reset\n\
    -A FORWARD -p udp --dport 7 -j REJECT\n-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -p tcp --dport 8080 -j ACCEPT\n\
    -A INPUT -p icmp -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n";

/// The same behind a raw table that is long enough to be looked up for packets together.
fn behind_a_long_raw_table() -> String {
    let rules: String = (0..100).map(|i| format!("-A PREROUTING -p udp --dport {} -j DROP\n", 1000 + i)).collect();
    let some = "-A PREROUTING -p udp --sport 2 --dport 53 -m ttl --ttl-gt 1 -j DROP\n-A PREROUTING -p udp --sport 3 --dport 53 -j DROP\n-A PREROUTING -p tcp --dport 82 -j MARK --set-mark 5\n\
                -A PREROUTING -p icmp -j ACCEPT\n";
    RULES.replacen("*raw\n", &format!("*raw\n{some}{rules}"), 1)
}

/// And behind one of which most rules stand in a chain of their own, so that nothing is looked up for packets together.
fn behind_a_raw_chain(raw: &str) -> String {
    raw.split_once("COMMIT\n").map_or_else(String::new, |(table, others)| {
        let rules = table.replacen("*raw\n", "", 1).replace("-A PREROUTING", "-A LONG");
        format!("*raw\n:LONG - [0:0]\n-A PREROUTING -j LONG\n{rules}COMMIT\n{others}")
    })
}

fn packets() -> impl Strategy<Value = Packet> {
    let inside = (1u16..4, prop::sample::select(vec!["S", "A", "FA", "R", "SA"]), prop::sample::select(vec![80u16, 81, 82]));
    let dst = prop::sample::select(vec!["8.8.8.8", "192.168.1.2", "10.0.0.1", "192.168.1.77"]);
    prop_oneof![
        (inside, dst.clone()).prop_map(|((port, flags, dport), dst)| tcp(
            &format!("10.0.0.2:{port}"),
            &format!("{dst}:{dport}"),
            flags
        )),
        (1u16..4, prop::sample::select(vec![7u16, 9, 53]), dst.clone(), 1u8..3).prop_map(|(port, dport, dst, ttl)| udp(
            &format!("10.0.0.2:{port}"),
            &format!("{dst}:{dport}")
        )
        .ttl(ttl)),
        (1u16..4, dst.clone()).prop_map(|(id, dst)| ping("10.0.0.2", dst, id)),
        (1u16..4, dst).prop_map(|(id, dst)| pong("10.0.0.2", dst, id)),
    ]
}

type Outcome = (Vec<Event>, Vec<(&'static str, u64)>, Vec<(u64, u64)>, Vec<String>);

fn run(rules: &str, frames: &[Vec<u8>], size: usize) -> Outcome {
    let mut lab = Lab::seeded(rules, 42);
    let mut events = Vec::new();
    for burst in frames.chunks(size) {
        lab.sim.wire(ETH0, burst, &Shape::default());
        events.extend(lab.sim.events());
    }
    let counters = lab.sim.worker.counters();
    let counts = (0..256).map(|slot| counters.get(program::CounterSlot(slot))).map(|c| (c.packets, c.bytes)).collect();
    let flows = lab.sim.worker.flows().iter().map(|(_, flow)| format!("{flow:?}")).collect();
    (events, lab.drops(), counts, flows)
}

/// These packets behind a full burst of others, which the long raw table drops: what comes behind such a flood goes through the stages all together.
fn behind_a_flood(packets: Vec<Packet>) -> Vec<Packet> {
    let flood = (0..64).map(|_| udp("10.0.0.2:3", "8.8.8.8:53"));
    flood.chain(packets).collect()
}

fn frames(packets: &[Packet]) -> Vec<Vec<u8>> {
    let to_the_box = |packet: &Packet| {
        let mut frame = packet.frame();
        frame[..6].copy_from_slice(&mac(ETH0));
        frame
    };
    packets.iter().map(to_the_box).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bursts_of_every_size_give_the_same(packets in prop::collection::vec(packets(), 1..150).prop_map(behind_a_flood)) {
        let frames = frames(&packets);
        for rules in [RULES, &behind_a_long_raw_table()] {
            let one_by_one = run(rules, &frames, 1);
            prop_assert_eq!(&one_by_one, &run(rules, &frames, 7));
            prop_assert_eq!(&one_by_one, &run(rules, &frames, 64));
            prop_assert_eq!(&one_by_one, &run(rules, &frames, 64), "and the same again");
        }
    }

    #[test]
    fn what_a_long_raw_table_drops_at_once_is_dropped_and_counted(
        packets in prop::collection::vec(packets(), 1..150).prop_map(behind_a_flood)
    ) {
        let frames = frames(&packets);
        let raw = behind_a_long_raw_table();
        let (events, drops, counts, flows) = run(&raw, &frames, 64);
        let (walked_events, walked_drops, walked_counts, walked_flows) = run(&behind_a_raw_chain(&raw), &frames, 64);
        prop_assert_eq!((events, drops, flows), (walked_events, walked_drops, walked_flows));
        let sorted = |mut counts: Vec<(u64, u64)>| {
            counts.retain(|(packets, _)| *packets > 0);
            counts.sort_unstable();
            counts
        };
        // The jump counts all.
        let (jumped, bytes) = (frames.len() as u64, packets.iter().map(|packet| packet.frame().len() as u64 - 14).sum::<u64>());
        prop_assert_eq!(sorted([counts, vec![(jumped, bytes)]].concat()), sorted(walked_counts));
    }
}
