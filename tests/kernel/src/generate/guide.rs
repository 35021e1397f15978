//! The rules of the guide from which users learn iptables, any of them together, with the packets that they speak of. The addresses are this world's:
//! the guide's private networks are the wires of eth0 and eth1, its public addresses the box's own on eth1 and the world behind it.

use std::net::Ipv4Addr;

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, any_packet, client, output, send, server};

/// Table and rule, in the guide's order. `selinux` is left out: the kernel has no policy.
const RULES: &[(&str, &str)] = &[
    ("raw", "-A PREROUTING -p tcp --dport 80 -j NOTRACK"),
    ("mangle", "-A PREROUTING -p tcp --dport 80 -j TOS --set-tos 0x10"),
    ("mangle", "-A PREROUTING -j TTL --ttl-set 64"),
    ("mangle", "-A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 0 -j MARK --set-mark 1"),
    ("mangle", "-A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 1 -j MARK --set-mark 2"),
    ("mangle", "-A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 2 -j MARK --set-mark 3"),
    ("nat", "-A PREROUTING -p tcp --dport 80 -m mark --mark 1 -j DNAT --to-destination 10.0.0.2:80"),
    ("nat", "-A PREROUTING -p tcp --dport 80 -m mark --mark 2 -j DNAT --to-destination 10.0.0.3:80"),
    ("nat", "-A PREROUTING -p tcp --dport 80 -m mark --mark 3 -j DNAT --to-destination 10.0.0.4:80"),
    ("nat", "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080"),
    ("nat", "-A PREROUTING -p tcp --dport 22 -j DNAT --to-destination 10.0.0.3:22"),
    ("nat", "-A PREROUTING -j KUBE-SERVICES"),
    ("nat", "-A KUBE-SERVICES -d 10.0.1.1/32 -p tcp --dport 80 -j KUBE-SVC-XYZ123"),
    ("nat", "-A KUBE-SERVICES -d 203.0.113.2/32 -p tcp --dport 80 -j KUBE-MARK-MASQ"),
    ("nat", "-A KUBE-SERVICES -d 203.0.113.2/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.1.2:30080"),
    ("nat", "-A KUBE-SERVICES -j KUBE-NODEPORTS"),
    ("nat", "-A KUBE-NODEPORTS -p tcp --dport 30080 -j DNAT --to-destination 10.0.1.3:80"),
    ("nat", "-A POSTROUTING -o eth1 -j SNAT --to-source 10.0.1.100"),
    ("nat", "-A POSTROUTING -o eth1 -j MASQUERADE"),
    ("nat", "-A POSTROUTING -p tcp --sport 80 -d 10.0.0.2 -j SNAT --to-source 10.0.1.100"),
    ("nat", "-A POSTROUTING -p tcp --sport 80 -d 10.0.0.3 -j SNAT --to-source 10.0.1.100"),
    ("nat", "-A POSTROUTING -p tcp --sport 80 -d 10.0.0.4 -j SNAT --to-source 10.0.1.100"),
    ("filter", "-A INPUT -s 10.0.0.5 -j ACCEPT"),
    ("filter", "-A INPUT -s 10.0.0.5 -j DROP"),
    ("filter", "-A INPUT -p tcp --dport 80 -j ACCEPT"),
    ("filter", "-A INPUT -p tcp --dport 22 -j LOG --log-prefix \"SSH Attempt: \""),
    ("filter", "-A INPUT -p tcp --dport 22 -j ACCEPT"),
    ("filter", "-A INPUT -p icmp -j ACCEPT"),
    ("filter", "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"),
    ("filter", "-A INPUT -p tcp --dport 80 -j REJECT"),
    ("filter", "-A OUTPUT -p tcp --dport 80 -j ACCEPT"),
    ("filter", "-A FORWARD -s 10.0.0.0/24 -d 10.0.1.0/24 -j ACCEPT"),
];

/// Chains that the rules name.
const CHAINS: [&str; 4] = ["KUBE-NODEPORTS", "KUBE-SERVICES", "KUBE-SVC-XYZ123", "KUBE-MARK-MASQ"];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    CHAINS.iter().for_each(|chain| rules.chain("nat", chain));
    for chain in ["INPUT", "FORWARD", "OUTPUT"] {
        if random.chance(25) {
            rules.policy("filter", chain, "DROP");
        }
    }
    let most = *random.pick(&[20, 50, 90]);
    for (table, rule) in RULES {
        // What is not tracked is not translated either: now and then is enough.
        if random.chance(if *table == "raw" { 10 } else { most }) {
            rules.script(table, rule);
        }
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(5, 25) {
        match random.below(10) {
            0..=2 if !steps.is_empty() => {
                let to = random.below(steps.len() as u64) as usize;
                let with = match random.below(5) {
                    0 | 1 => Answer::Tcp { flags: 0x12, seq: 9000, ack: 1001, data: 0 },
                    2 => Answer::Tcp { flags: 0x10, seq: 1001, ack: 9001, data: 30 },
                    3 => Answer::Echo,
                    _ => Answer::Error { kind: 3, code: 3, quote: 48 },
                };
                steps.push(Step::Answer { to, with });
            }
            3 => {
                let (port, ip) = any_packet(random);
                send(random, &mut steps, port, &ip);
            }
            4 => steps.push(Step::Local(output::packet(random).packet())),
            _ => {
                let (port, ip) = spoken_of(random);
                send(random, &mut steps, port, &ip);
            }
        }
    }
    (rules, steps)
}

/// A packet that the rules are about.
fn spoken_of(random: &mut Random) -> (Port, Ip) {
    let public =
        [Ipv4Addr::new(10, 0, 1, 1), Ipv4Addr::new(10, 0, 1, 100), Ipv4Addr::new(203, 0, 113, 2), Ipv4Addr::new(10, 0, 0, 1)];
    let (port, src) = if random.chance(50) { (Port::Eth0, client(random)) } else { (Port::Eth1, server(random)) };
    let dst = match random.below(3) {
        0 => random.one_of(&public),
        _ if port == Port::Eth0 => server(random),
        _ => client(random),
    };
    let (sport, dport) = (random.between(2000, 2005) as u16, *random.pick(&[80, 80, 80, 22, 8080, 30_080]));
    let ip = match random.below(8) {
        0 => Ip::icmp(src, dst, 8, 0, [0, 1, 0, 1], b"ping"),
        1 => Ip::tcp((src, 80), (dst, sport), 0x12, 5000, 1001, &[], &[]),
        2 => Ip::tcp((src, sport), (dst, dport), 0x10, 1001, 9001, &[], &[b'g'; 20]),
        _ => Ip::tcp((src, sport), (dst, dport), 2, 1000, 0, &[2, 4, 5, 180], &[]),
    };
    (port, ip)
}
