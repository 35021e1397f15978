//! TRACE: every rule that a packet meets, in every table and at every hook, with all that ends a chain.

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;

use super::random::Random;
use super::{Made, Rules, any_packet, filter, log, output, packet, send};

/// Tables, and the chains at which packets enter them.
const TABLES: [(&str, &[&str]); 5] = [
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
    ("security", &["INPUT", "FORWARD", "OUTPUT"]),
];

/// User chains: each may lead to those behind it.
const USERS: [&str; 3] = ["a", "b", "a-name-of-twenty-eight-bytes"];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for (table, chains) in TABLES {
        if table == "raw" || random.chance(60) {
            fill(random, &mut rules, table, chains);
        }
    }
    if random.chance(15) {
        rules.add("nat", "POSTROUTING", "-s 10.0.0.2 -o eth1 -j SNAT --to-source 10.0.1.77");
    }
    if random.chance(20) {
        rules.add("filter", "FORWARD", "-m conntrack --ctstate NEW,RELATED,INVALID");
    }
    if random.chance(20) {
        let answer = *random.pick(&["-p udp -j REJECT", "-p tcp -j REJECT --reject-with tcp-reset"]);
        rules.add("filter", "FORWARD", answer);
    }
    (rules, steps(random))
}

fn fill(random: &mut Random, rules: &mut Rules, table: &'static str, chains: &[&str]) {
    USERS.iter().for_each(|chain| rules.chain(table, chain));
    for chain in chains {
        let traced = table == "raw" && random.chance(if *chain == "OUTPUT" { 40 } else { 85 });
        let at = random.below(3);
        for nth in 0..random.between(u64::from(traced), 4) {
            let rule = if traced && nth == at.min(1) { trace(random, chain) } else { rule(random, table, chain, &USERS) };
            rules.add(table, chain, &rule);
        }
        if table != "nat" && random.chance(10) {
            rules.policy(table, chain, "DROP");
        }
    }
    for (nth, chain) in USERS.iter().enumerate() {
        for _ in 0..random.between(0, 4) {
            let rule =
                if table == "raw" && random.chance(15) { trace(random, "") } else { rule(random, table, "", &USERS[nth + 1..]) };
            rules.add(table, chain, &rule);
        }
    }
}

fn trace(random: &mut Random, chain: &str) -> String {
    let matches = if random.chance(40) { filter::matches(random, chain) } else { String::new() };
    format!("{matches}-j TRACE")
}

fn rule(random: &mut Random, table: &str, chain: &str, users: &[&str]) -> String {
    let matches = match random.below(10) {
        0..=3 => String::new(),
        4 => "-m comment --comment \"of all\" ".to_owned(),
        // docs/deviations.md, `trace-any-protocol`.
        5 if !random.ipv6 && random.chance(25) => "-p all ".to_owned(),
        5 => (*random.pick(&["-s 0.0.0.0/0 ", "-m mark --mark 0/0 ", "! -f ", "! -p 255 "])).to_owned(),
        _ => filter::matches(random, chain),
    };
    let target = match random.below(12) {
        0 | 1 => "-j ACCEPT".to_owned(),
        2 | 3 => "-j RETURN".to_owned(),
        4 if table != "nat" => "-j DROP".to_owned(),
        5..=7 if !users.is_empty() => format!("-j {}", random.pick(users)),
        8 if !users.is_empty() => format!("-g {}", random.pick(users)),
        9 => format!("-j MARK --set-mark {}", random.pick(&["0x1", "0x2a"])),
        10 if random.chance(40) => "-j LOG --log-prefix \"x \"".to_owned(),
        _ if table == "mangle" && random.chance(30) => "-j TOS --set-tos 0x10".to_owned(),
        _ => String::new(),
    };
    format!("{matches}{target}")
}

fn steps(random: &mut Random) -> Vec<Step> {
    let mut steps = Vec::new();
    let first_id = random.below(60_000) as u16;
    for nth in 0..random.between(2, 8) {
        match random.below(10) {
            0 => {
                let (port, mut ip) = any_packet(random);
                ip.id = first_id + nth as u16;
                ip.payload.resize(ip.payload.len().max(40), b'f');
                let mut pieces = ip.fragments(*random.pick(&[16, 24]));
                if random.chance(30) {
                    pieces.reverse();
                }
                steps.extend(pieces.iter().take(4).map(|piece| packet(port, piece)));
            }
            1 => steps.push(Step::Local(output::packet(random).packet())),
            2 | 3 if !steps.is_empty() => {
                let to = random.below(steps.len() as u64) as usize;
                let with = match random.below(4) {
                    0 => Answer::Error { kind: 3, code: *random.pick(&[1, 3]), quote: 28 },
                    1 => Answer::Udp { data: 5 },
                    2 => Answer::Echo,
                    _ => Answer::Tcp { flags: 0x12, seq: 9, ack: 1, data: 0 },
                };
                steps.push(Step::Answer { to, with });
            }
            4 => steps.push(log::error(random)),
            _ => {
                let (port, mut ip): (_, Ip) = any_packet(random);
                if random.chance(30) {
                    log::odd(random, &mut ip);
                }
                send(random, &mut steps, port, &ip);
                // The same again: not the first of its connection.
                if random.chance(30) {
                    send(random, &mut steps, port, &ip);
                }
            }
        }
    }
    steps
}
