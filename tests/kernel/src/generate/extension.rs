//! Extension headers of IPv6 that mean something: routing headers at their end and not, options for the destination and for routers, in packets to
//! and through the router, under rules that track, translate and refuse.

use super::random::Random;
use super::{Made, Rules, any_packet, filter, packet, send};
use crate::answer::Answer;
use crate::case::Step;
use crate::frame::octets;

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for (table, chain) in [("raw", "PREROUTING"), ("filter", "FORWARD"), ("filter", "INPUT")] {
        for _ in 0..random.between(0, 3) {
            let matches = filter::matches(random, chain);
            let target = *random.pick(&["", "", "", "-j DROP"]);
            rules.add(table, chain, &format!("{matches}{target}"));
        }
    }
    match random.below(6) {
        0 | 1 => {
            for state in ["NEW", "INVALID", "ESTABLISHED"] {
                rules.add("filter", "FORWARD", &format!("-m conntrack --ctstate {state}"));
                rules.add("filter", "INPUT", &format!("-m conntrack --ctstate {state}"));
            }
        }
        2 => rules.add("nat", "POSTROUTING", "-o eth1 -j SNAT --to-source 10.0.1.100"),
        3 => rules.add("nat", "PREROUTING", "-i eth0 -j DNAT --to-destination 10.0.1.5"),
        4 => {
            let with = *random.pick(&["icmp-port-unreachable", "icmp-admin-prohibited"]);
            rules.add("filter", "FORWARD", "-p tcp -j REJECT --reject-with tcp-reset");
            rules.add("filter", "FORWARD", &format!("-j REJECT --reject-with {with}"));
        }
        _ => {}
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(4, 15) {
        if !steps.is_empty() && random.chance(20) {
            let to = random.below(steps.len() as u64) as usize;
            let with = match random.below(4) {
                0 => Answer::Tcp { flags: 0x12, seq: 1, ack: 1, data: 0 },
                1 => Answer::Udp { data: 5 },
                2 => Answer::Echo,
                _ => Answer::Error { kind: 3, code: 1, quote: *random.pick(&[48, 60, 72, 100]) },
            };
            steps.push(Step::Answer { to, with });
            continue;
        }
        let (port, mut ip) = any_packet(random);
        ip.extensions = (0..random.between(1, 2)).map(|_| header(random)).collect();
        if random.chance(10) {
            ip.options = option(random);
        }
        if random.chance(70) {
            send(random, &mut steps, port, &ip);
        } else {
            steps.push(packet(port, &ip));
        }
    }
    (rules, steps)
}

fn header(random: &mut Random) -> (u8, Vec<u8>) {
    if random.chance(40) {
        let kind = *random.pick(&[60, 60, 60, 0]);
        let mut options = option(random);
        options.resize((options.len() + 2).next_multiple_of(8) - 2, 0);
        return (kind, [&[(options.len() / 8) as u8][..], &options].concat());
    }
    // By a host on either wire, by the router itself, by nobody.
    let by = match random.below(4) {
        0 => random.address(10, 0, 1, 4),
        1 => random.address(10, 0, 0, 1),
        2 => random.address(10, 0, 0, 3),
        _ => random.address(203, 0, 113, 5),
    };
    let left = *random.pick(&[0, 0, 1, 1, 2]);
    match random.below(6) {
        // Addresses to go by (type 0), home (2), a compressed list (3).
        kind @ (0 | 2 | 3) => (43, [&[2, kind as u8, left, 0, 0, 0, 0][..], &octets(by)].concat()),
        // Segments: the last one's number, flags, a tag.
        4 => (43, [&[2, 4, left, 0, 0, 0, 0][..], &octets(by)].concat()),
        1 => (43, vec![0, 4, 0, 0, 0, 0, 0]),
        // Longer than its type has it.
        _ => (43, [&[1, 0, left, 0, 0, 0, 0][..], &[0; 8]].concat()),
    }
}

fn option(random: &mut Random) -> Vec<u8> {
    let home = octets(random.address(10, 0, 0, 5));
    match random.below(8) {
        // Home address, limit of tunnels, jumbo payload, router alerts, in-situ measurement, a security label, padding.
        0 => [&[1, 0, 201, 16][..], &home].concat(),
        1 => vec![4, 1, 5, 1, 1, 0],
        2 => vec![194, 4, 0, 1, 0, 0],
        3 => vec![5, 2, 0, *random.pick(&[0, 1, 2]), 0, 0],
        4 => vec![49, 4, 0, 0, 0, 0],
        5 => vec![7, 4, 0, 0, 0, 1],
        6 => vec![1, 4, 0, 0, 0, 0],
        _ => vec![0, 0, 1, 2, 0, 7],
    }
}
