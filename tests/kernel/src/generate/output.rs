//! Programs on the box: what they send meets OUTPUT of every table, is rewritten, marked and routed anew, and their conversations are answered.

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::{self, Port};

use super::random::Random;
use super::{Made, Rules, client, filter, server};

/// Rules for what the box says to itself, in every chain that it meets. Rampart never sees it (docs/deviations.md, `loopback`); the rules keep
/// it away from those that are compared.
pub(super) const TO_ITSELF: [(&str, &str); 14] = [
    ("raw", "-A OUTPUT -o lo -j ACCEPT"),
    ("mangle", "-A OUTPUT -o lo -j ACCEPT"),
    ("filter", "-A OUTPUT -o lo -j ACCEPT"),
    ("security", "-A OUTPUT -o lo -j ACCEPT"),
    ("mangle", "-A POSTROUTING -o lo -j ACCEPT"),
    ("nat", "-A OUTPUT -o lo -j ACCEPT"),
    ("nat", "-A POSTROUTING -o lo -j ACCEPT"),
    ("nat", "-A PREROUTING -i lo -j ACCEPT"),
    ("nat", "-A INPUT -i lo -j ACCEPT"),
    ("raw", "-A PREROUTING -i lo -j ACCEPT"),
    ("mangle", "-A PREROUTING -i lo -j ACCEPT"),
    ("mangle", "-A INPUT -i lo -j ACCEPT"),
    ("filter", "-A INPUT -i lo -j ACCEPT"),
    ("security", "-A INPUT -i lo -j ACCEPT"),
];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let refusing = random.chance(20);
    if refusing {
        TO_ITSELF.iter().for_each(|(table, rule)| rules.script(table, rule));
    }
    for table in ["raw", "mangle", "filter", "security"] {
        if random.chance(15) {
            rules.policy(table, "OUTPUT", "DROP");
        }
        for _ in 0..random.between(0, 3) {
            let matches = filter::matches(random, "OUTPUT");
            let target = *random.pick(&["", "", "-j ACCEPT", "-j DROP", "-j RETURN"]);
            rules.add(table, "OUTPUT", &format!("{matches}{target}"));
        }
    }
    if refusing {
        let matches = filter::matches(random, "OUTPUT");
        rules.add("filter", "OUTPUT", &format!("{matches}-j REJECT"));
        rules.add("filter", "OUTPUT", "-p tcp --dport 81 -j REJECT --reject-with tcp-reset");
    }
    if random.chance(40) {
        let target = *random.pick(&[
            "-j MARK --set-mark 0x1",
            "-j TOS --set-tos 0x10/0xff",
            "-j TTL --ttl-set 7",
            "-j TTL --ttl-dec 64",
            "-j CONNMARK --set-mark 0x2",
        ]);
        let matches = filter::matches(random, "OUTPUT");
        rules.add("mangle", "OUTPUT", &format!("{matches}{target}"));
        rules.add("filter", "OUTPUT", "-m mark --mark 0x1");
        rules.add("filter", "OUTPUT", "-m connmark --mark 0x2");
        rules.add("mangle", "POSTROUTING", "-m mark ! --mark 0x1");
    }
    if random.chance(10) {
        rules.add("raw", "OUTPUT", "-p udp --dport 53 -j CT --notrack");
    }
    if random.chance(60) {
        // Never to the box itself: docs/deviations.md, `own-to-self`.
        let rule = match random.below(6) {
            0 => "-d 10.0.1.2 -j DNAT --to-destination 10.0.1.3".to_owned(),
            1 => "-p tcp --dport 80 -j DNAT --to-destination 10.0.1.4:8080".to_owned(),
            // By the other wire.
            2 => "-d 10.0.1.0/24 -p udp -j DNAT --to-destination 10.0.0.4".to_owned(),
            3 => "-d 10.0.0.0/24 -j DNAT --to-destination 203.0.113.2".to_owned(),
            4 => "-p udp -j DNAT --to-destination 10.0.1.2-10.0.1.5 --persistent".to_owned(),
            _ => "-d 203.0.113.0/24 -j NETMAP --to 10.0.0.2/31".to_owned(),
        };
        rules.add("nat", "OUTPUT", &rule);
    }
    if random.chance(40) {
        let rule = *random.pick(&[
            "-o eth1 -j MASQUERADE",
            "-o eth0 -j MASQUERADE",
            "-j SNAT --to-source 10.0.1.77",
            "-p udp -j SNAT --to-source 10.0.1.100:3000-3001",
        ]);
        rules.add("nat", "POSTROUTING", rule);
    }
    for chain in ["INPUT", "OUTPUT"] {
        for state in ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT"] {
            if random.chance(30) {
                rules.add("filter", chain, &format!("-m conntrack --ctstate {state}"));
            }
        }
    }
    if random.chance(30) {
        rules.add("filter", "OUTPUT", "-o eth0");
        rules.add("mangle", "POSTROUTING", "-o eth0");
    }
    (rules, steps(random))
}

fn steps(random: &mut Random) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut open: Vec<(usize, u8)> = Vec::new();
    for _ in 0..random.between(4, 20) {
        match random.below(10) {
            0..=2 if !open.is_empty() => {
                let (to, protocol) = *random.pick(&open);
                let with = match (random.below(5), protocol) {
                    (0, _) => Answer::Error { kind: 3, code: *random.pick(&[1, 3]), quote: *random.pick(&[28, 40, 576]) },
                    (_, 6) => Answer::Tcp { flags: *random.pick(&[0x12, 0x12, 0x10, 0x14]), seq: 9000, ack: 1001, data: 0 },
                    (_, 17) => Answer::Udp { data: random.below(20) as usize },
                    _ => Answer::Echo,
                };
                steps.push(Step::Answer { to, with });
            }
            // Somebody asks the box, and a program there answers.
            3 => {
                let (port, host) = if random.chance(50) { (Port::Eth0, client(random)) } else { (Port::Eth1, server(random)) };
                let own = world::in_family(random.ipv6, port.addresses()[0]);
                let sport = random.between(2000, 2002) as u16;
                let (asked, answer) = if random.chance(50) {
                    let syn = Ip::tcp((host, sport), (own, 80), 2, 1000, 0, &[], &[]);
                    (syn, Ip::tcp((own, 80), (host, sport), 0x12, 5000, 1001, &[], &[]))
                } else {
                    (Ip::udp((host, sport), (own, 53), b"question"), Ip::udp((own, 53), (host, sport), b"answer"))
                };
                steps.push(super::packet(port, &asked));
                steps.push(Step::Local(answer.packet()));
            }
            // A packet in pieces.
            4 => {
                let mut ip = packet(random);
                ip.id = 1000 + steps.len() as u16;
                ip.payload.resize(ip.payload.len().max(48), b'f');
                ip.seal();
                steps.extend(ip.fragments(24).iter().map(|piece| Step::Local(piece.packet())));
            }
            _ => {
                let ip = packet(random);
                open.push((steps.len(), ip.protocol));
                steps.push(Step::Local(ip.packet()));
            }
        }
    }
    steps
}

/// A packet of a program on the box.
pub(super) fn packet(random: &mut Random) -> Ip {
    let to = if random.chance(30) { client(random) } else { server(random) };
    let own = [Port::Eth0.addresses()[0], Port::Eth1.addresses()[0], Port::Eth1.addresses()[1]];
    let own = own.map(|own| world::in_family(random.ipv6, own));
    // Mostly the address of the interface by which it leaves.
    let from = match random.below(5) {
        0 => *random.pick(&own),
        _ if Port::Eth0.neighbours().any(|host| world::in_family(random.ipv6, host) == to) => own[0],
        _ => own[1],
    };
    let (sport, dport) = (*random.pick(&[80, 600, 2000, 2001]), *random.pick(&[53, 80, 81, 8080]));
    let mut ip = match random.below(8) {
        0..=2 => Ip::udp((from, sport), (to, dport), &vec![b'l'; random.below(30) as usize]),
        3..=5 => Ip::tcp((from, sport), (to, dport), *random.pick(&[2, 2, 2, 0x10, 0x11, 0x04]), 1000, 0, &[], &[]),
        6 => Ip::icmp(
            from,
            to,
            *random.pick(if random.ipv6 { &[8, 8, 0, 0] } else { &[8, 8, 0, 13] }),
            0,
            [0, random.below(2) as u8, 0, 1],
            b"ping",
        ),
        _ => Ip::new(from, to, *random.pick(&[47, 50, 253]), vec![1; 30]),
    };
    ip.tos = *random.pick(&[0, 0, 0x10]);
    ip.ttl = *random.pick(&[64, 64, 1, 255]);
    ip.fragment = *random.pick(&[0, 0x4000]);
    ip.id = random.between(1, 65_535) as u16;
    ip
}
