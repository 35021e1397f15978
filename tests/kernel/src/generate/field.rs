//! Tests of single fields of the IP header (length, TTL, TOS, DSCP, ECN), of address ranges, of TCP's congestion flags and of the frame's source; in
//! packets of all kinds, cut and in pieces, and in connections whose packets differ in nothing else.

use super::random::Random;
use super::{Made, Rules, any_packet, filter, send};
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

/// Lengths of packets that are sent, and beside them.
const LENGTHS: [u32; 14] = [0, 20, 27, 28, 29, 36, 40, 41, 48, 60, 128, 140, 1500, 65535];
/// Values of TTL and hop limit at the edges, and as they arrive and leave.
const TTLS: [u32; 10] = [0, 1, 2, 3, 62, 63, 64, 65, 254, 255];
const TOSES: [u8; 9] = [0, 1, 2, 3, 0x10, 0x08, 0x2e << 2, 0x2e << 2 | 2, 0xff];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for (table, chain) in
        [("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("filter", "FORWARD"), ("filter", "INPUT"), ("mangle", "POSTROUTING")]
    {
        for _ in 0..random.between(0, 5) {
            let header = if random.chance(30) { filter::matches(random, chain) } else { String::new() };
            let (protocol, test) = one(random, chain != "POSTROUTING");
            // Words of the protocol's own match stand behind ours, so that both orders are there.
            let header = if protocol.is_empty() || header.contains("-p ") { header } else { format!("{header}{protocol}") };
            let test =
                if protocol.is_empty() || header.contains("-p tcp") && !header.contains("! -p") { test } else { String::new() };
            let target = target(random, table);
            rules.add(table, chain, &format!("{header}{test}{target}"));
        }
    }
    // With tracking, packets of one connection may leave without being looked at by rules.
    if random.chance(60) {
        for state in ["ESTABLISHED", "NEW"] {
            rules.add("filter", "FORWARD", &format!("-m conntrack --ctstate {state}"));
        }
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(2, 6) {
        if random.chance(50) {
            connection(random, &mut steps);
        } else {
            for _ in 0..random.between(1, 8) {
                let (port, mut ip) = any_packet(random);
                vary(random, &mut ip);
                for piece in pieces(random, ip) {
                    send(random, &mut steps, port, &piece);
                }
            }
        }
    }
    (rules, steps)
}

/// The test, and the `-p` that it needs.
fn one(random: &mut Random, came_by_a_frame: bool) -> (&'static str, String) {
    let not = random.not();
    let test = match random.below(if came_by_a_frame { 9 } else { 8 }) {
        0 | 1 => format!("-m length {not}--length {}", span(random, &LENGTHS)),
        2 => format!("-m ttl {not}--ttl-eq {}", random.pick(&TTLS)),
        3 => format!("-m ttl --ttl-{} {}", random.pick(&["lt", "gt"]), random.pick(&TTLS)),
        4 => match random.below(3) {
            0 => format!("-m dscp {not}--dscp {}", random.pick(&[0, 2, 4, 0x2e, 0x3f])),
            1 => format!("-m tos {not}--tos {:#x}/{:#x}", random.pick(&TOSES), random.pick(&[0xff, 0xfc, 0x1e, 3, 0])),
            _ => format!("-m ecn {not}--ecn-ip-ect {}", random.below(4)),
        },
        5 | 6 => {
            let sides = match random.below(3) {
                0 => vec!["src"],
                1 => vec!["dst"],
                _ => vec!["src", "dst"],
            };
            let range = |random: &mut Random, side: &str| {
                let (net, first, last) = (random.below(2), random.between(0, 5), random.between(0, 10));
                let not = random.not();
                format!("{not}--{side}-range 10.0.{net}.{first}-10.0.{net}.{last}")
            };
            let ranges: Vec<String> = sides.into_iter().map(|side| range(random, side)).collect();
            format!("-m iprange {}", ranges.join(" "))
        }
        7 => {
            let (ece, cwr) = (random.not(), random.not());
            let flags = match random.below(4) {
                0 => format!("{ece}--ecn-tcp-ece"),
                1 => format!("{cwr}--ecn-tcp-cwr"),
                2 => format!("{ece}--ecn-tcp-ece {cwr}--ecn-tcp-cwr"),
                _ => format!("{ece}--ecn-tcp-ece --ecn-ip-ect {}", random.below(4)),
            };
            return ("-p tcp ", format!("-m ecn {flags} "));
        }
        _ => {
            let (port, host) = (random.between(1, 2), random.between(2, 9));
            format!("-m mac {not}--mac-source 02:01:00:00:0{port}:0{host}")
        }
    };
    ("", format!("{test} "))
}

fn span(random: &mut Random, values: &[u32]) -> String {
    let (first, last) = (*random.pick(values), *random.pick(values));
    match random.below(4) {
        0 => first.to_string(),
        1 => format!("{first}:"),
        2 => format!("{first}:{last}"),
        _ => format!("{}:{}", first.min(last), first.max(last)),
    }
}

fn target(random: &mut Random, table: &str) -> &'static str {
    match (table, random.below(6)) {
        (_, 0) => "-j ACCEPT",
        (_, 1) => "-j DROP",
        ("mangle", 2) => "-j TOS --set-tos 0x03/0x03",
        ("mangle", 3) => "-j TTL --ttl-dec 1",
        ("mangle" | "raw", 4) => "-j MARK --set-mark 0x1",
        // It counts.
        _ => "",
    }
}

/// Fields that no other generator gives all values.
fn vary(random: &mut Random, ip: &mut Ip) {
    ip.tos = *random.pick(&TOSES);
    ip.ttl = *random.pick(&[1, 2, 3, 63, 64, 65, 255]);
    if ip.protocol == 6 && random.chance(60) {
        ip.payload[13] |= random.pick(&[0x40, 0x80, 0xc0]);
        ip.seal();
    }
}

/// As it is, cut short, or in pieces of which the later ones carry bytes where flags would be.
fn pieces(random: &mut Random, mut ip: Ip) -> Vec<Ip> {
    match random.below(12) {
        0 => {
            ip.payload.truncate(random.below(24) as usize);
            vec![ip]
        }
        1 => {
            let mut all = ip.fragments(*random.pick(&[8, 24, 40]));
            if random.chance(50) {
                all.truncate(2);
            }
            all
        }
        _ => vec![ip],
    }
}

/// What opens a connection of UDP or TCP, and more that differ in length, TTL, TOS, congestion flags or the frame's source.
fn connection(random: &mut Random, steps: &mut Vec<Step>) {
    let host = 2 + random.below(2) as u8;
    let (client, server) = (random.address(10, 0, 0, 2), random.address(10, 0, 1, host));
    let (here, there) = ((client, random.port()), (server, random.port()));
    let is_tcp = random.chance(50);
    let mut sent = [1001, 5001];
    if is_tcp {
        send(random, steps, Port::Eth0, &Ip::tcp(here, there, 0x02, 1000, 0, &[], b""));
        send(random, steps, Port::Eth1, &Ip::tcp(there, here, 0x12, 5000, 1001, &[], b""));
        send(random, steps, Port::Eth0, &Ip::tcp(here, there, 0x10, 1001, 5001, &[], b""));
    } else {
        send(random, steps, Port::Eth0, &Ip::udp(here, there, b"d"));
        send(random, steps, Port::Eth1, &Ip::udp(there, here, b"d"));
    }
    for _ in 0..random.between(3, 12) {
        let data = vec![b'd'; *random.pick(&[0, 1, 8, 12, 100, 112])];
        let back = random.chance(30);
        let (port, from, to) = if back { (Port::Eth1, there, here) } else { (Port::Eth0, here, there) };
        let mut ip = if is_tcp {
            let flags = 0x10 | random.pick(&[0, 0, 0x40, 0x80, 0xc0]);
            let (seq, ack) = (sent[usize::from(back)], sent[usize::from(!back)]);
            sent[usize::from(back)] += data.len() as u32;
            Ip::tcp(from, to, flags, seq, ack, &[], &data)
        } else {
            Ip::udp(from, to, &data)
        };
        if random.chance(50) {
            ip.tos = *random.pick(&TOSES);
        }
        if random.chance(50) {
            ip.ttl = *random.pick(&[2, 3, 63, 64, 65, 255]);
        }
        let mut frame = ip.frame(port);
        if random.chance(20) {
            frame[11] = 2 + random.below(8) as u8;
        }
        match steps.last_mut() {
            Some(Step::Packets(by, frames)) if *by == port && random.chance(60) => frames.push(frame),
            _ => steps.push(Step::Packets(port, vec![frame])),
        }
    }
}
