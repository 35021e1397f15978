//! ICMP errors about connections, with every kind of quote: right, cut, of the wrong direction, of unknown connections, through NAT.

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, client, malformed, packet, server};

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for state in ["NEW", "ESTABLISHED", "RELATED", "INVALID"] {
        rules.add("filter", "FORWARD", &format!("-m conntrack --ctstate {state}"));
        rules.add("filter", "INPUT", &format!("-m conntrack --ctstate {state}"));
    }
    rules.add("filter", "FORWARD", "-m conntrack --ctdir REPLY");
    match random.below(4) {
        0 => rules.add("nat", "POSTROUTING", "-o eth1 -j MASQUERADE"),
        1 => rules.add("nat", "PREROUTING", "-i eth0 -d 10.0.1.2 -j DNAT --to-destination 10.0.1.3"),
        2 => {
            rules.add("nat", "POSTROUTING", "-o eth1 -p tcp -j SNAT --to-source 10.0.1.100:4000-4003");
            rules.add("nat", "POSTROUTING", "-o eth1 -j SNAT --to-source 10.0.1.100");
        }
        _ => {}
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(1, 4) {
        let (a, b) = (client(random), server(random));
        let sport = random.between(2000, 2003) as u16;
        let first = match random.below(5) {
            0 | 1 => Ip::udp((a, sport), (b, 53), b"question"),
            2 | 3 => Ip::tcp((a, sport), (b, 80), 2, 1000, 0, &[], &[]),
            _ => Ip::icmp(a, b, 8, 0, [0, sport as u8, 0, 1], b"ping"),
        };
        let about = steps.len();
        steps.push(packet(Port::Eth0, &first));
        for _ in 0..random.between(1, 4) {
            let (kind, code) = kind(random);
            if random.chance(70) {
                let quote = *random.pick(&[0, 19, 20, 24, 27, 28, 28, 28, 36, 48, 576]) + if random.ipv6 { 20 } else { 0 };
                steps.push(Step::Answer { to: about, with: Answer::Error { kind, code, quote } });
            } else {
                steps.push(by_hand(random, &first, kind, code));
            }
        }
        if random.chance(50) {
            let with = match first.protocol {
                6 => Answer::Tcp { flags: 0x12, seq: 7000, ack: 1001, data: 0 },
                17 => Answer::Udp { data: 3 },
                _ => Answer::Echo,
            };
            steps.push(Step::Answer { to: about, with });
        }
    }
    (rules, steps)
}

fn kind(random: &mut Random) -> (u8, u8) {
    *random.pick(&[(3, 0), (3, 1), (3, 3), (3, 4), (3, 13), (11, 0), (11, 1), (12, 0), (4, 0), (5, 1), (3, 200)])
}

/// An error whose quote somebody has meddled with.
fn by_hand(random: &mut Random, first: &Ip, kind: u8, code: u8) -> Step {
    let mut quoted = first.clone();
    let (port, mut from, mut to) = (Port::Eth1, first.dst, first.src);
    match random.below(10) {
        // The reply direction.
        0 => (quoted.src, quoted.dst) = (first.dst, first.src),
        // Another connection.
        1 => quoted.dst = random.address(10, 0, 1, 7),
        // A later fragment.
        2 => quoted.fragment = 5,
        3 if random.ipv6 && random.chance(70) => quoted.extensions = malformed::chain(random),
        3 => quoted.options = vec![0x94, 4, 0, 0],
        // An error about an error.
        4 => quoted = Ip::icmp(first.src, first.dst, 3, 1, [0; 4], &first.packet()),
        // From a router on the way.
        5 => from = random.address(203, 0, 113, 77),
        // To somebody else.
        6 => to = random.address(10, 0, 0, 9),
        7 => quoted.ttl = 1,
        8 => quoted.protocol = 47,
        _ => quoted.tos = 0x20,
    }
    let mut quote = quoted.packet();
    if random.chance(10) {
        // A wrong header checksum inside; IPv6 has none, but a protocol.
        quote[if random.ipv6 { 6 } else { 10 }] ^= 1;
    }
    let mut ip = Ip::icmp(from, to, kind, code, [0; 4], &quote);
    if random.chance(8) {
        ip.payload[2] ^= 1;
    }
    packet(port, &ip)
}
