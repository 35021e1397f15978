//! Long chains: lists of addresses, networks and ports, with rules of all kinds between them. Their rules are found by trees and hashes here, and in raw for packets of
//! a burst together; the kernel asks one after another.

use super::random::Random;
use super::{Made, Rules, any_packet, conversation, filter, send};

pub(super) fn case(random: &mut Random) -> Made {
    let (mut rules, mut steps) = if random.chance(40) { conversation::case(random) } else { (Rules::default(), Vec::new()) };
    let (table, chain) = *random.pick(&[
        ("raw", "PREROUTING"),
        ("raw", "PREROUTING"),
        ("raw", "PREROUTING"),
        ("mangle", "PREROUTING"),
        ("filter", "FORWARD"),
        ("filter", "INPUT"),
    ]);
    rules.chain(table, "beside");
    rules.add(table, "beside", "-p tcp");
    if random.chance(50) {
        rules.add(table, "beside", "-p udp -j DROP");
    }
    if random.chance(20) {
        rules.policy(table, chain, "DROP");
    }
    let list = random.below(5);
    let others = *random.pick(&[0, 0, 0, 5, 30]);
    for _ in 0..random.between(64, 160) {
        let test = if random.chance(others) { filter::matches(random, chain) } else { listed(random, list) };
        let more = *random.pick(&[
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "-m ttl --ttl-gt 2 ",
            "-m mark --mark 0x1 ",
            "-m length --length 40:60 ",
        ]);
        let target =
            *random.pick(&["-j DROP", "-j DROP", "-j DROP", "-j DROP", "-j ACCEPT", "-j RETURN", "-j beside", "-g beside", ""]);
        rules.add(table, chain, &format!("{test} {more}{target}"));
    }
    for _ in 0..random.between(10, 60) {
        let (port, ip) = any_packet(random);
        send(random, &mut steps, port, &ip);
    }
    (rules, steps)
}

/// What one rule of a list asks.
fn listed(random: &mut Random, list: u64) -> String {
    match list {
        0 => format!("-s {}", host(random)),
        1 => format!("-d {}", host(random)),
        2 => {
            let transport = *random.pick(&["tcp", "udp"]);
            let port = if random.chance(20) { random.port() } else { 2000 + random.below(500) as u16 };
            format!("-p {transport} -m {transport} --dport {port}")
        }
        3 => format!("-s {}/{}", host(random), random.pick(&[32, 32, 32, 31, 30, 24, 23])),
        _ => format!("-s {} -d {}", host(random), host(random)),
    }
}

/// Somebody from whom packets come, or more often nobody.
fn host(random: &mut Random) -> String {
    match random.below(20) {
        0 => format!("10.0.0.{}", random.between(1, 5)),
        1 => format!("10.0.1.{}", random.between(1, 5)),
        2 => format!("203.0.113.{}", random.between(1, 3)),
        _ => format!("198.51.{}.{}", random.between(96, 103), random.below(256)),
    }
}
