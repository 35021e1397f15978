//! Stateless rules: all header matches, user chains, jumps, goto and return.

use super::random::Random;
use super::{FLAGS, Made, Rules, any_packet, packet};

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let users = ["one", "two", "three"];
    let table = *random.pick(&["filter", "filter", "filter", "mangle", "raw", "security"]);
    users.iter().for_each(|chain| rules.chain(table, chain));
    let hooks: &[&str] = match table {
        "raw" => &["PREROUTING"],
        "mangle" => &["PREROUTING", "FORWARD", "POSTROUTING", "INPUT"],
        _ => &["FORWARD", "INPUT"],
    };
    for hook in hooks {
        if random.chance(30) {
            rules.policy(table, hook, "DROP");
        }
        for _ in 0..random.between(1, 6) {
            let rule = format!("{} {}", matches(random, hook), target(random, &users));
            rules.add(table, hook, &rule);
        }
    }
    for (n, chain) in users.iter().enumerate() {
        for _ in 0..random.between(0, 4) {
            // Only forward: no loops.
            let rule = format!("{} {}", matches(random, ""), target(random, &users[n + 1..]));
            rules.add(table, chain, &rule);
        }
    }
    let steps = (0..random.between(5, 40)).map(|_| any_packet(random)).map(|(port, ip)| packet(port, &ip)).collect();
    (rules, steps)
}

fn target(random: &mut Random, users: &[&str]) -> String {
    match random.below(8) {
        0 | 1 => "-j ACCEPT".to_owned(),
        2 => "-j DROP".to_owned(),
        3 => "-j RETURN".to_owned(),
        4 | 5 if !users.is_empty() => format!("-j {}", random.pick(users)),
        6 if !users.is_empty() => format!("-g {}", random.pick(users)),
        // A rule without a target counts.
        _ => String::new(),
    }
}

/// Header matches for a rule that may stand at this hook (empty: in a user chain).
pub(super) fn matches(random: &mut Random, hook: &str) -> String {
    let mut rule = String::new();
    let mut put = |word: String| {
        rule.push_str(&word);
        rule.push(' ');
    };
    if random.chance(25) {
        put(format!("{}-s {}", random.not(), address(random)));
    }
    if random.chance(25) {
        put(format!("{}-d {}", random.not(), address(random)));
    }
    let interface = |random: &mut Random| *random.pick(&["eth0", "eth1", "eth+", "eth", "e+", "lo"]);
    if random.chance(15) && hook != "POSTROUTING" && hook != "OUTPUT" {
        put(format!("{}-i {}", random.not(), interface(random)));
    }
    if random.chance(15) && !matches!(hook, "PREROUTING" | "INPUT") {
        put(format!("{}-o {}", random.not(), interface(random)));
    }
    match random.below(8) {
        0 | 1 => {
            put("-p tcp".to_owned());
            put(tcp(random));
        }
        2 => {
            put("-p udp".to_owned());
            for side in ["--sport", "--dport"] {
                if random.chance(40) {
                    put(format!("-m udp {}{side} {}", random.not(), random.ports()));
                }
            }
        }
        3 => {
            put("-p icmp".to_owned());
            if random.chance(80) {
                let kind =
                    *random.pick(&["any", "8", "0", "3", "3/1", "echo-request", "echo-reply", "time-exceeded", "255", "13", "8/1"]);
                put(format!("-m icmp {}--icmp-type {kind}", if kind == "any" { "" } else { random.not() }));
            }
        }
        4 => put(format!("{}-p {}", random.not(), random.pick(&["tcp", "udp", "icmp", "50", "253", "89"]))),
        5 => {
            put(format!("-p {}", random.pick(&["tcp", "udp"])));
            let list: Vec<String> = (0..random.between(1, 3)).map(|_| several(random)).collect();
            put(format!("-m multiport {}{} {}", random.not(), random.pick(&["--sports", "--dports", "--ports"]), list.join(",")));
        }
        _ => {}
    }
    if random.chance(5) {
        put(format!("{}-f", random.not()));
    }
    if random.chance(5) {
        put(format!("-m mark {}--mark 0x0/0x1", random.not()));
    }
    if random.chance(5) {
        put("-m comment --comment \"a b\"".to_owned());
    }
    rule
}

/// A port or a real range: multiport takes no range of one.
fn several(random: &mut Random) -> String {
    let ports = random.ports();
    match ports.split_once(':') {
        Some((from, to)) if from == to => from.to_owned(),
        _ => ports,
    }
}

fn tcp(random: &mut Random) -> String {
    let mut rule = String::from("-m tcp");
    for side in ["--sport", "--dport"] {
        if random.chance(30) {
            rule.push_str(&format!(" {}{side} {}", random.not(), random.ports()));
        }
    }
    match random.below(5) {
        0 => rule.push_str(&format!(" {}--syn", random.not())),
        1 => {
            let mask: Vec<&str> = FLAGS.into_iter().filter(|_| random.chance(50)).collect();
            let set: Vec<&str> = mask.iter().copied().filter(|_| random.chance(50)).collect();
            let text = |flags: &[&str]| if flags.is_empty() { "NONE".to_owned() } else { flags.join(",") };
            rule.push_str(&format!(" {}--tcp-flags {} {}", random.not(), text(&mask), text(&set)));
        }
        2 => rule.push_str(&format!(" {}--tcp-option {}", random.not(), random.pick(&[2, 3, 4, 8, 1, 30]))),
        _ => {}
    }
    rule
}

fn address(random: &mut Random) -> &'static str {
    random.pick::<&str>(&[
        "10.0.0.2",
        "10.0.0.0/24",
        "10.0.0.2/31",
        "10.0.0.4/30",
        "10.0.1.3",
        "10.0.1.0/24",
        "10.0.0.0/23",
        "0.0.0.0/0",
        "203.0.113.0/24",
        "10.0.1.2/255.255.0.255",
        "10.0.0.1",
    ])
}
