//! LOG with all its options at every hook, with every kind of packet: cut, in pieces, with options, errors with what they quote, the box's own.

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, any_packet, client, filter, malformed, output, packet, server};

/// Where LOG may stand.
const PLACES: [(&str, &str); 17] = [
    ("raw", "PREROUTING"),
    ("raw", "OUTPUT"),
    ("mangle", "PREROUTING"),
    ("mangle", "INPUT"),
    ("mangle", "FORWARD"),
    ("mangle", "OUTPUT"),
    ("mangle", "POSTROUTING"),
    ("nat", "PREROUTING"),
    ("nat", "INPUT"),
    ("nat", "OUTPUT"),
    ("nat", "POSTROUTING"),
    ("filter", "INPUT"),
    ("filter", "FORWARD"),
    ("filter", "OUTPUT"),
    ("security", "INPUT"),
    ("security", "FORWARD"),
    ("security", "OUTPUT"),
];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    if random.chance(40) {
        rules.add("raw", "PREROUTING", &format!("-j MARK --set-mark {}", random.pick(&["0x1", "0xffffffff", "0x2a"])));
    }
    for _ in 0..random.between(2, 6) {
        let (table, chain) = *random.pick(&PLACES);
        let matches = if random.chance(30) { filter::matches(random, chain) } else { String::new() };
        let target = target(random);
        rules.add(table, chain, &format!("{matches}{target}"));
    }
    if random.chance(15) {
        rules.add("filter", "FORWARD", "-p udp -j REJECT");
    }
    if random.chance(15) {
        rules.add("nat", "POSTROUTING", "-s 10.0.0.2 -o eth1 -j SNAT --to-source 10.0.1.77");
    }
    let mut steps = Vec::new();
    let first_id = random.below(60_000) as u16;
    for nth in 0..random.between(3, 15) {
        match random.below(10) {
            0 => {
                let (port, mut ip) = any_packet(random);
                ip.id = first_id + nth as u16;
                ip.protocol = *random.pick(&[ip.protocol, ip.protocol, 50, 51, 136, 47]);
                ip.payload.resize(ip.payload.len().max(40), b'f');
                let pieces = ip.fragments(*random.pick(&[8, 16, 24]));
                steps.extend(pieces.iter().take(3).map(|piece| packet(port, piece)));
            }
            1 => steps.push(Step::Local(output::packet(random).packet())),
            2 if !steps.is_empty() => {
                let to = random.below(steps.len() as u64) as usize;
                let (kind, code) = *random.pick(&[(3, 1), (3, 4), (11, 0), (12, 0), (5, 1), (4, 0)]);
                let quote = *random.pick(&[0, 10, 20, 24, 28, 40, 100, 576]);
                steps.push(Step::Answer { to, with: Answer::Error { kind, code, quote } });
            }
            3 => steps.push(error(random)),
            _ => {
                let (port, mut ip) = any_packet(random);
                odd(random, &mut ip);
                steps.push(packet(port, &ip));
            }
        }
    }
    (rules, steps)
}

fn target(random: &mut Random) -> String {
    let mut target = "-j LOG".to_owned();
    if random.chance(60) {
        let prefix = random.pick(&[
            "x",
            "SSH Attempt: ",
            "[UFW BLOCK] ",
            "12345678901234567890123",
            "12345678901234567890123456789",
            "na\u{ef}ve ",
        ]);
        target.push_str(&format!(" --log-prefix \"{prefix}\""));
    }
    if random.chance(40) {
        target.push_str(&format!(" --log-level {}", random.pick(&["debug", "7", "info", "notice", "5", "warning", "error", "4"])));
    }
    for option in ["--log-tcp-sequence", "--log-tcp-options", "--log-ip-options", "--log-macdecode"] {
        if random.chance(40) {
            target.push_str(&format!(" {option}"));
        }
    }
    target
}

/// Makes a packet odd in a way that a line shows.
pub(super) fn odd(random: &mut Random, ip: &mut Ip) {
    match random.below(14) {
        0 => ip.payload.truncate(*random.pick(&[0, 1, 3, 4, 7, 8, 11, 12, 19, 20])),
        1 => ip.options = random.pick(&[&[1, 1, 1, 0][..], &[0x94, 4, 0, 0], &[0x94, 4, 0, 0, 1, 1, 1, 0]]).to_vec(),
        2 if ip.protocol == 6 && ip.payload.len() >= 20 => {
            ip.payload[12] = *random.pick(&[0x00, 0x40, 0x5f, 0x6a, 0xf0, 0x51]);
            ip.seal();
        }
        3 if ip.protocol == 6 && ip.payload.len() >= 20 => {
            ip.payload[13] = random.below(256) as u8;
            ip.payload[18..20].copy_from_slice(&[0x12, 0x34]);
            ip.seal();
        }
        4 => {
            ip.protocol = *random.pick(&[50, 51, 136, 47, 132, 4, 41, 0, 255]);
            ip.payload.resize(*random.pick(&[0, 3, 4, 7, 8, 11, 12, 20, 40]), 0x33);
        }
        5 if random.ipv6 && random.chance(50) => ip.extensions = malformed::chain(random),
        5 => ip.fragment = *random.pick(&[0x8000, 0x4000, 0xc000]),
        6 => ip.ttl = 1,
        7 if ip.protocol == 17 && ip.payload.len() >= 8 => ip.payload[5] = *random.pick(&[0, 7, 200]),
        8 if matches!(ip.protocol, 1 | 58) => {
            ip.payload[0] = *random.pick(&[13, 14, 17, 18, 0, 8, 9, 10, 12, 40]);
            ip.payload.truncate(*random.pick(&[4, 7, 8, 11, 12, 19, 20, 28]));
            ip.seal();
        }
        _ => {}
    }
}

/// An ICMP error out of the blue, with a quote of any kind.
pub(super) fn error(random: &mut Random) -> Step {
    let (a, b) = (client(random), server(random));
    let mut quoted = match random.below(4) {
        0 => Ip::udp((a, 1000), (b, 53), b"x"),
        1 => Ip::icmp(a, b, *random.pick(&[8, 3, 11, 13]), 0, [0, 1, 0, 2], &[0x45; 24]),
        2 => Ip::new(a, b, *random.pick(&[50, 51, 136, 47]), vec![7; 24]),
        _ => Ip::tcp((a, 1000), (b, 80), 2, 7, 0, &[2, 4, 5, 180], &[]),
    };
    match random.below(5) {
        0 => quoted.options = vec![0x94, 4, 0, 0],
        2 if random.ipv6 => quoted.extensions = malformed::chain(random),
        1 => quoted.fragment = *random.pick(&[0x2000, 5, 0x4000]),
        _ => {}
    }
    let mut quote = quoted.packet();
    quote.truncate(*random.pick(&[0, 4, 19, 20, 24, 27, 28, 33, 40, 60]));
    let (kind, code) = *random.pick(&[(3, 1), (3, 4), (11, 0), (12, 0), (5, 1), (4, 0)]);
    packet(Port::Eth1, &Ip::icmp(b, a, kind, code, [10, 0, 1, 7], &quote))
}
