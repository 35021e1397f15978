//! TEE at every hook: where copies go, what they pass, and what becomes of those that cannot go.

use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, any_packet, filter, output, packet, send};

/// Where packets that come in meet TEE.
const INWARD: [(&str, &str); 7] = [
    ("raw", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("mangle", "INPUT"),
    ("mangle", "FORWARD"),
    ("filter", "FORWARD"),
    ("filter", "INPUT"),
    ("nat", "PREROUTING"),
];

/// Where those that leave do.
const OUTWARD: [(&str, &str); 5] =
    [("raw", "OUTPUT"), ("mangle", "OUTPUT"), ("mangle", "POSTROUTING"), ("filter", "OUTPUT"), ("nat", "POSTROUTING")];

/// Gateways: on either link, behind a router, on a narrow way, and unreachable.
const GATEWAYS: [&str; 7] = ["10.0.0.3", "10.0.0.7", "10.0.1.4", "10.0.1.9", "203.0.113.9", "198.51.100.7", "192.0.2.7"];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    if random.chance(30) {
        rules.add("raw", "PREROUTING", &format!("{}-j MARK --set-mark 0x7", filter::matches(random, "PREROUTING")));
    }
    for _ in 0..random.between(1, 3) {
        let (table, chain) = *random.pick(&INWARD);
        let matches = if random.chance(40) { filter::matches(random, chain) } else { String::new() };
        rules.add(table, chain, &format!("{matches}{}", tee(random)));
    }
    if random.chance(50) {
        // The box's own errors stay out of it: docs/deviations.md, `tee-order`.
        let (table, chain) = *random.pick(&OUTWARD);
        rules.add(table, chain, &format!("-p {} {}", random.pick(&["udp", "tcp"]), tee(random)));
    }
    around(random, &mut rules);
    (rules, steps(random))
}

fn tee(random: &mut Random) -> String {
    let gateway = *random.pick(&GATEWAYS);
    // docs/deviations.md, `tee-oif`: no other route leads there by the interface.
    let by = match (random.below(4), gateway) {
        (0, "10.0.0.3" | "10.0.0.7") => " --oif eth0",
        (0, "203.0.113.9") if random.chance(50) => " --oif eth0",
        (0, _) if gateway != "192.0.2.7" => " --oif eth1",
        (1, _) => " --oif eth7",
        _ => "",
    };
    let by = if by == " --oif eth1" && gateway.starts_with("10.0.0.") { "" } else { by };
    format!("-j TEE --gateway {gateway}{by}")
}

/// What else a copy or its original meets.
fn around(random: &mut Random, rules: &mut Rules) {
    rules.add("raw", "OUTPUT", "-m mark --mark 0x7");
    rules.chain("mangle", "post");
    rules.add("mangle", "POSTROUTING", "-j post");
    rules.add("mangle", "post", "-i eth0");
    rules.add("mangle", "post", "-i eth1 -o eth1");
    rules.add("filter", "OUTPUT", "-o eth0");
    if random.chance(40) {
        rules.add("filter", "OUTPUT", "-m conntrack --ctstate UNTRACKED");
        rules.add("filter", "OUTPUT", "-m conntrack --ctstate NEW,RELATED,INVALID");
    }
    if random.chance(30) {
        rules.add("nat", "POSTROUTING", "-o eth1 -j SNAT --to-source 10.0.1.77");
    }
    match random.below(8) {
        0 => rules.add("filter", "FORWARD", "-p udp -j DROP"),
        1 => rules.add("mangle", "PREROUTING", "-p tcp -j DROP"),
        2 => rules.add("filter", "OUTPUT", "-p udp -m addrtype ! --src-type LOCAL -j REJECT"),
        3 => rules.add("mangle", "OUTPUT", "-p udp -m addrtype ! --dst-type LOCAL -j MARK --set-mark 0x9"),
        4 => rules.add("mangle", "OUTPUT", "-p tcp -m addrtype ! --dst-type LOCAL -j TOS --set-tos 0x10"),
        5 => rules.add("filter", "OUTPUT", "-m ttl --ttl-lt 64 -j DROP"),
        6 => rules.add("raw", "OUTPUT", "-p tcp -j CT --zone 3"),
        _ => {}
    }
}

/// A packet of any kind but of the talk about neighbours and groups, which is kept from the kernel's rules.
fn common(random: &mut Random) -> (Port, Ip) {
    let (port, mut ip) = any_packet(random);
    if ip.protocol == 58 && (130..=143).contains(&ip.payload[0]) {
        ip.payload[0] = 128;
        ip.seal();
    }
    (port, ip)
}

fn steps(random: &mut Random) -> Vec<Step> {
    let mut steps = Vec::new();
    let first_id = random.below(60_000) as u16;
    for nth in 0..random.between(2, 8) {
        match random.below(10) {
            0 => {
                let (port, mut ip) = common(random);
                let (src, dst) = (ip.src, ip.dst);
                ip = Ip { id: first_id + nth as u16, ttl: ip.ttl, ..Ip::udp((src, 1000), (dst, 53), &[b'f'; 40]) };
                steps.extend(ip.fragments(*random.pick(&[16, 24])).iter().take(4).map(|piece| packet(port, piece)));
            }
            1 => steps.push(Step::Local(output::packet(random).packet())),
            _ => {
                let (port, mut ip) = common(random);
                if ip.protocol == 17 && random.chance(20) {
                    let (src, dst) = (ip.src, ip.dst);
                    ip = Ip::udp((src, 1000), (dst, 53), &vec![b'l'; *random.pick(&[1360, 1400, 1440])]);
                }
                if random.chance(10) {
                    ip.fragment = 0x4000;
                }
                send(random, &mut steps, port, &ip);
                if random.chance(30) {
                    send(random, &mut steps, port, &ip);
                }
            }
        }
    }
    steps
}
