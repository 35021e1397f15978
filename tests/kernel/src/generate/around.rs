//! What the router's addresses and routes say of a packet, and its frame: `addrtype`, `rpfilter`, `pkttype`; with addresses of every type on both sides,
//! and frames to all and to groups.

use std::net::{IpAddr, Ipv4Addr};

use super::output::TO_ITSELF;
use super::random::Random;
use super::{Made, Rules, client, filter, send, server};
use crate::case::Step;
use crate::frame::Ip;
use crate::world::{Port, ipv6};

const TYPES: [&str; 12] = [
    "UNSPEC",
    "UNICAST",
    "LOCAL",
    "BROADCAST",
    "ANYCAST",
    "MULTICAST",
    "BLACKHOLE",
    "UNREACHABLE",
    "PROHIBIT",
    "THROW",
    "NAT",
    "XRESOLVE",
];
/// Those that ip6tables takes.
const TYPES6: [&str; 6] = ["UNSPEC", "UNICAST", "LOCAL", "ANYCAST", "MULTICAST", "UNREACHABLE"];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    // Its rules of nat would have connections tracked in every case.
    let untracked = TO_ITSELF.iter().filter(|(table, _)| *table != "nat");
    untracked.for_each(|(table, rule)| rules.script(table, rule));
    for (table, chain) in super::ON_THE_WAY {
        for _ in 0..random.between(0, 4) {
            let header = if random.chance(20) { filter::matches(random, chain) } else { String::new() };
            let test = one(random, table, chain);
            let target = *random.pick(&["", "", "", "", "-j ACCEPT", "-j DROP"]);
            rules.add(table, chain, &format!("{header}{test}{target}"));
        }
    }
    if random.chance(40) {
        // As docker has it.
        rules.add("nat", "PREROUTING", "-m addrtype --dst-type LOCAL -p udp --dport 80 -j DNAT --to-destination 10.0.1.2:8080");
        rules.add("nat", "POSTROUTING", "-m addrtype --src-type LOCAL -j ACCEPT");
    } else if random.chance(50) {
        rules.add("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED");
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(4, 16) {
        match random.below(8) {
            0 => connection(random, &mut steps),
            1 => local(random, &mut steps),
            _ => single(random, &mut steps),
        }
    }
    (rules, steps)
}

fn one(random: &mut Random, table: &str, chain: &str) -> String {
    let kind = random.below(10);
    match (kind, chain) {
        (0..=2, "PREROUTING") if table != "nat" => {
            let flags: String =
                ["--loose ", "--validmark ", "--accept-local ", "--invert "].into_iter().filter(|_| random.chance(35)).collect();
            format!("-m rpfilter {flags}")
        }
        (3, _) => {
            let not = random.not();
            format!("-m pkttype {not}--pkt-type {} ", random.pick(&["unicast", "broadcast", "multicast", "otherhost"]))
        }
        _ => {
            let types = |random: &mut Random, side: &str| {
                let known: &[&str] = if random.ipv6 { &TYPES6 } else { &TYPES };
                let chosen: Vec<&str> = (0..random.between(1, 2)).map(|_| *random.pick(known)).collect();
                let not = random.not();
                format!("{not}--{side}-type {} ", chosen.join(","))
            };
            let mut words = String::from("-m addrtype ");
            let side = random.below(3);
            if side != 0 {
                words += &types(random, "src");
            }
            if side != 1 {
                words += &types(random, "dst");
            }
            let limits: &[&str] = match chain {
                "PREROUTING" | "INPUT" => &["", "--limit-iface-in "],
                "FORWARD" => &["", "--limit-iface-in ", "--limit-iface-out "],
                _ => &["", "--limit-iface-out "],
            };
            words + *random.pick(limits)
        }
    }
}

/// Addresses of every type. As a source none that is all of a subnet (docs/deviations.md, `loopback`).
fn address(random: &mut Random, is_source: bool) -> IpAddr {
    let v4 = |a, b, c, d| Ipv4Addr::new(a, b, c, d);
    let own = [v4(10, 0, 0, 1), v4(10, 0, 1, 1), v4(10, 0, 1, 100)];
    let to_many =
        [v4(255, 255, 255, 255), v4(224, 0, 0, 1), v4(224, 0, 0, 5), v4(239, 1, 1, 1), v4(10, 0, 0, 255), v4(10, 0, 1, 255)];
    let odd = [v4(0, 0, 0, 0), v4(0, 1, 2, 3), v4(127, 0, 0, 1), v4(10, 0, 0, 0), v4(240, 0, 0, 1)];
    let odd6 = [
        "::",
        if is_source { "fe80::5" } else { *random.pick(&["fe80::1", "fe80::2"]) },
        "fec0::1",
        "fd00::1",
        "::ffff:1.2.3.4",
        "2001:db8:a00::",
        "2001:db8:a00:1::",
    ];
    let many6 = ["ff02::1", "ff02::2", "ff05::2", "ff02::5", "ff0e::1"];
    match random.below(if is_source { 6 } else { 8 }) {
        0 => random.one_of(&own),
        1 if random.ipv6 && !is_source && random.chance(10) => "fe80::".parse().unwrap_or(ipv6(own[0]).into()),
        1 if random.ipv6 => random.pick(&odd6).parse().unwrap_or(ipv6(own[0]).into()),
        // Errors about where nothing leads are paced in IPv4, for all cases together.
        1 if is_source && random.chance(30) => random.address(192, 0, 2, 1),
        1 => (*random.pick(&odd)).into(),
        2 => random.address(198, 51, 100, 1),
        3 if random.ipv6 => random.one_of(&[v4(192, 0, 2, 1)]),
        6 | 7 if random.ipv6 => random.pick(&many6).parse().unwrap_or(ipv6(own[0]).into()),
        6 | 7 => (*random.pick(&to_many)).into(),
        _ if random.chance(50) => client(random),
        _ => server(random),
    }
}

fn single(random: &mut Random, steps: &mut Vec<Step>) {
    let (src, dst) = (address(random, true), address(random, false));
    // Not by the interface by which it would go on: redirects are another generator's.
    let near = |host: IpAddr| Port::Eth0.neighbours().any(|near| [near.into(), ipv6(near).into()].contains(&host));
    let port = match dst {
        _ if near(dst) => Port::Eth1,
        // What is on a link goes on by it.
        IpAddr::V6(dst) if dst == Port::Eth1.link_local() => Port::Eth1,
        IpAddr::V6(dst) if dst == Port::Eth0.link_local() => Port::Eth0,
        IpAddr::V6(dst) if dst.is_multicast() || dst.is_unicast_link_local() => *random.pick(&Port::ALL),
        IpAddr::V4(dst) if dst.is_multicast() || dst.is_broadcast() => *random.pick(&Port::ALL),
        _ => Port::Eth0,
    };
    let mut ip = Ip::udp((src, random.port()), (dst, random.port()), b"d");
    ip.tos = *random.pick(&[0, 0, 0x10]);
    let mut frame = ip.frame(port);
    let to: Option<[u8; 6]> = match dst {
        IpAddr::V4(dst) if dst.is_multicast() => {
            let [_, b, c, d] = dst.octets();
            Some([1, 0, 0x5e, b & 127, c, d])
        }
        IpAddr::V6(dst) if dst.is_multicast() => {
            let [.., a, b, c, d] = dst.octets();
            Some([0x33, 0x33, a, b, c, d])
        }
        IpAddr::V4(dst) if dst.is_broadcast() || dst.octets()[3] == 255 => Some([0xff; 6]),
        _ => None,
    };
    if let Some(to) = to.filter(|_| random.chance(85)) {
        frame[..6].copy_from_slice(&to);
    } else if random.chance(12) {
        let to: [u8; 6] = *random.pick(&[[0xff; 6], [1, 0, 0x5e, 0, 0, 1], [2, 0, 0, 0, 0, 9]]);
        frame[..6].copy_from_slice(&to);
    }
    match steps.last_mut() {
        Some(Step::Packets(by, frames)) if *by == port && random.chance(40) => frames.push(frame),
        _ => steps.push(Step::Packets(port, vec![frame])),
    }
}

/// A program on the box sends something.
fn local(random: &mut Random, steps: &mut Vec<Step>) {
    let (src, dst) = match random.below(2) {
        0 => (random.address(10, 0, 0, 1), client(random)),
        _ => (random.address(10, 0, 1, 1), server(random)),
    };
    let sport = random.between(2000, 2004) as u16;
    steps.push(Step::Local(Ip::udp((src, sport), (dst, random.port()), b"d").packet()));
}

/// Packets both ways, of which the later ones need not walk.
fn connection(random: &mut Random, steps: &mut Vec<Step>) {
    let (here, there) = ((client(random), random.port()), (server(random), random.port()));
    for _ in 0..random.between(2, 4) {
        send(random, steps, Port::Eth0, &Ip::udp(here, there, b"d"));
        send(random, steps, Port::Eth1, &Ip::udp(there, here, b"d"));
    }
}
