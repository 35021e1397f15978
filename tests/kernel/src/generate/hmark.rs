//! HMARK: marks made of all kinds of packets, of their parts and of their connections, and looked at bit by bit.

use super::random::Random;
use super::{Made, conversation, error, extension, fragment, malformed, protocol, segment};

pub(super) fn case(random: &mut Random) -> Made {
    let (mut rules, steps) = match random.below(8) {
        0 | 1 => conversation::case(random),
        2 => error::case(random),
        3 | 4 => protocol::case(random),
        5 => fragment::case(random),
        6 if random.ipv6 => extension::case(random),
        6 => segment::case(random),
        _ => malformed::case(random),
    };
    if let Some(chains) = rules.tables.get_mut("nat") {
        // Which of several ports is taken is free, and marks are made of it.
        let is_free = |rule: &String| ["--random", "--to-ports", ":"].iter().any(|word| rule.contains(word));
        chains.rules.retain(|rule| !is_free(rule));
    }
    for (table, chain) in [
        ("raw", "PREROUTING"),
        ("mangle", "PREROUTING"),
        ("mangle", "FORWARD"),
        ("mangle", "INPUT"),
        ("mangle", "OUTPUT"),
        ("filter", "FORWARD"),
        ("mangle", "POSTROUTING"),
    ] {
        if random.chance(45) {
            continue;
        }
        let made = one(random);
        rules.add(table, chain, &format!("-j HMARK {made}"));
        for _ in 0..random.between(2, 8) {
            let bit = 1u32 << random.below(32);
            rules.add(table, chain, &format!("-m mark --mark {bit:#x}/{bit:#x}"));
        }
        if random.chance(50) {
            rules.add(table, chain, &format!("-m mark --mark {}", random.below(9)));
        }
    }
    (rules, steps)
}

fn one(random: &mut Random) -> String {
    let mut words = String::new();
    // Ports, or the index, never both.
    let has_index = random.chance(25);
    if random.chance(50) {
        let known: &[&str] =
            if has_index { &["src", "dst", "spi", "proto", "ct"] } else { &["src", "dst", "sport", "dport", "proto", "ct"] };
        let mut chosen: Vec<&str> = known.iter().copied().filter(|_| random.chance(60)).collect();
        if chosen.iter().all(|word| *word == "ct") {
            chosen.push("src");
        }
        words += &format!("--hmark-tuple {} ", chosen.join(","));
    } else {
        let lengths: &[u8] = if random.ipv6 { &[0, 1, 32, 63, 64, 96, 127, 128] } else { &[0, 1, 8, 24, 31, 32] };
        words += &format!("--hmark-src-prefix {} ", random.pick(lengths));
        if random.chance(60) {
            words += &format!("--hmark-dst-prefix {} ", random.pick(lengths));
        }
        let fields: &[&str] = if has_index { &["spi-mask"] } else { &["sport-mask", "dport-mask"] };
        for field in fields {
            if random.chance(60) {
                words += &format!("--hmark-{field} {} ", random.pick(&["0xffff", "0xff", "1", "0", "0xfff0"]));
            }
        }
        if random.chance(60) {
            words += &format!("--hmark-proto-mask {} ", random.pick(&["0xff", "0xffff", "6", "0"]));
        }
        if random.chance(20) {
            words += "--hmark-tuple ct ";
        }
    }
    let sets: &[&str] = if has_index { &["spi"] } else { &["sport", "dport"] };
    for set in sets {
        if random.chance(20) {
            words += &format!("--hmark-{set} {} ", random.pick(&["0x8000", "1", "80"]));
        }
    }
    if random.chance(40) {
        words += &format!("--hmark-offset {} ", random.pick(&["1", "10000", "0xfffffff0"]));
    }
    let modulus = *random.pick(&["1", "2", "3", "8", "1000", "0xffffffff", "0xffffffff", "0x80000000"]);
    words + &format!("--hmark-mod {modulus} --hmark-rnd {}", random.pick(&["0", "1", "0xdeadbeef", "0xffffffff"]))
}
