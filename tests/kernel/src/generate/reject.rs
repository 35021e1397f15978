//! REJECT with every answer, in INPUT, FORWARD and OUTPUT.

use super::random::Random;
use super::{Made, Rules, any_packet, filter, packet};

const ANSWERS: [&str; 7] = [
    "icmp-net-unreachable",
    "icmp-host-unreachable",
    "icmp-port-unreachable",
    "icmp-proto-unreachable",
    "icmp-net-prohibited",
    "icmp-host-prohibited",
    "icmp-admin-prohibited",
];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    if random.chance(40) {
        rules.add("filter", "OUTPUT", "-m conntrack --ctstate RELATED");
        rules.add("filter", "OUTPUT", "-m conntrack --ctstate ESTABLISHED");
        rules.add("filter", "OUTPUT", "-m conntrack --ctstate INVALID");
    }
    if random.chance(20) {
        rules.add("mangle", "OUTPUT", "-j TOS --set-tos 0x04/0xff");
    }
    if random.chance(20) {
        rules.add("filter", "OUTPUT", "-p icmp -d 10.0.0.3 -j DROP");
    }
    for chain in ["FORWARD", "INPUT"] {
        for _ in 0..random.between(1, 4) {
            let matches = filter::matches(random, chain);
            rules.add("filter", chain, &format!("{matches} -j REJECT --reject-with {}", random.pick(&ANSWERS)));
            let port = random.port();
            rules.add("filter", chain, &format!("-p tcp --dport {port} -j REJECT --reject-with tcp-reset"));
        }
        if random.chance(50) {
            rules.add("filter", chain, "-p tcp -j REJECT --reject-with tcp-reset");
        }
        rules.add("filter", chain, "-j REJECT");
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(5, 30) {
        let (port, mut ip) = any_packet(random);
        match random.below(12) {
            0 => ip.payload.extend(vec![0x55; 900]),
            1 if ip.protocol == 6 => ip.payload[16] ^= 1,
            2 if ip.protocol == 17 => ip.payload[7] ^= 1,
            _ => {}
        }
        if ip.payload.len() > 900 && ip.protocol != 17 {
            ip.seal();
        }
        steps.push(packet(port, &ip));
    }
    (rules, steps)
}
