//! Connections with timeout policies (`CT --timeout`), of every protocol that has one; rules that ask how long each has left.

use crate::case::Step;
use crate::frame::Ip;
use crate::policies;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, client, conversation, packet, sctp, server};

const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let name = |of| policies::name(of, random.ipv6);
    let icmp = if random.ipv6 { "ic6" } else { "icm" };
    let lines = [
        ("-p tcp -m tcp --dport 80", name("few")),
        ("-p tcp", name("tcp")),
        ("-p udp", name("udp")),
        ("-p 136", name("lit")),
        ("-p sctp", name("sct")),
        ("-p icmp", name(icmp)),
        ("-p 47", name("gre")),
        ("-p 33", name("gen")),
        ("-p 89", name("gen")),
    ];
    for (whose, policy) in lines {
        if random.chance(75) {
            let more = *random.pick(&["", "", "", "--zone 1 ", "--ctevents new "]);
            rules.add("raw", "PREROUTING", &format!("{whose} -j CT {more}--timeout {policy}"));
        }
    }
    // Of a first packet the kernel tells no time (deviation `ctexpire-first`).
    for time in policies::times() {
        rules.add("filter", "FORWARD", &format!("-m conntrack --ctstatus CONFIRMED --ctexpire {}:{time}", time - 60));
    }
    for (first, last) in [(0, 0), (1, 130), (131, 900), (10_000, 432_000)] {
        rules.add("filter", "FORWARD", &format!("-m conntrack --ctstatus CONFIRMED --ctexpire {first}:{last}"));
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(1, 4) {
        match random.below(10) {
            0..=2 => conversation::tcp(random, &mut steps),
            3 => conversation::udp(random, &mut steps),
            4 => conversation::icmp(random, &mut steps),
            5 | 6 => sctp::association(random, &mut steps),
            7 => sctp::others(random, &mut steps),
            8 => retransmits(random, &mut steps),
            _ => stream(random, &mut steps),
        }
    }
    (rules, steps)
}

/// Segments that are sent again and again: from some number on the connection has less time.
fn retransmits(random: &mut Random, steps: &mut Vec<Step>) {
    let ends = [(client(random), random.between(1025, 1028) as u16), (server(random), *random.pick(&[80, 22, 22]))];
    let segment = |side: usize, flags, seq, ack, data: &[u8]| {
        packet([Port::Eth0, Port::Eth1][side], &Ip::tcp(ends[side], ends[1 - side], flags, seq, ack, &[], data))
    };
    steps.push(segment(0, SYN, 100, 0, b""));
    if random.chance(80) {
        steps.push(segment(1, SYN | ACK, 500, 101, b""));
        steps.push(segment(0, ACK, 101, 501, b""));
    }
    let sends = random.below(2) as usize;
    let again = if sends == 0 { segment(0, PSH | ACK, 101, 501, b"data") } else { segment(1, PSH | ACK, 501, 101, b"data") };
    steps.extend((0..random.between(3, 6)).map(|_| again.clone()));
    if random.chance(40) {
        // It has arrived.
        steps.push(if sends == 0 { segment(1, ACK, 501, 105, b"") } else { segment(0, ACK, 101, 505, b"") });
    }
}

/// Something without states that is answered. UDP is a stream after two seconds.
fn stream(random: &mut Random, steps: &mut Vec<Step>) {
    let ends = [(client(random), random.between(1025, 1028) as u16), (server(random), 53)];
    let udp = random.chance(60);
    let waits = udp && random.chance(40);
    for (place, side) in [0, 1, 0, 1].into_iter().enumerate() {
        let (from, to) = (ends[side], ends[1 - side]);
        let ip = if udp { Ip::udp(from, to, b"d") } else { Ip::new(from.0, to.0, 47, vec![0x20, 0, 8, 0, 0, 0, 0, 1, 7, 7, 7, 7]) };
        steps.push(packet([Port::Eth0, Port::Eth1][side], &ip));
        if waits && place == 1 {
            steps.push(Step::Advance(2_100));
        }
    }
}
