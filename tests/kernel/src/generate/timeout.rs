//! Connections with timeout policies (`CT --timeout`), of every protocol that has one; rules that ask how long each has left.

use crate::case::Step;
use crate::policies;

use super::random::Random;
use super::{Made, Rules, conversation, sctp};

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let name = |of| policies::name(of, random.ipv6);
    let icmp = if random.ipv6 { "ic6" } else { "icm" };
    let lines = [
        ("-p tcp -m tcp --dport 80", name("few")),
        ("-p tcp", name("tcp")),
        ("-p udp", name("udp")),
        ("-p 136", name("lit")),
        ("-p sctp", name("sct")),
        ("-p icmp", name(icmp)),
        ("-p 47", name("gre")),
        ("-p 33", name("gen")),
        ("-p 89", name("gen")),
    ];
    for (whose, policy) in lines {
        if random.chance(75) {
            let more = *random.pick(&["", "", "", "--zone 1 ", "--ctevents new "]);
            rules.add("raw", "PREROUTING", &format!("{whose} -j CT {more}--timeout {policy}"));
        }
    }
    for time in policies::times() {
        rules.add("filter", "FORWARD", &format!("-m conntrack --ctexpire {}:{time}", time - 60));
    }
    for (first, last) in [(0, 0), (1, 130), (131, 900), (10_000, 432_000)] {
        rules.add("filter", "FORWARD", &format!("-m conntrack --ctexpire {first}:{last}"));
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(1, 4) {
        match random.below(8) {
            0..=2 => conversation::tcp(random, &mut steps),
            3 => conversation::udp(random, &mut steps),
            4 => conversation::icmp(random, &mut steps),
            5 | 6 => sctp::association(random, &mut steps),
            _ => sctp::others(random, &mut steps),
        }
    }
    // A stream of UDP is one after two seconds.
    if random.chance(6) {
        let at = random.below(steps.len() as u64 + 1) as usize;
        // Answers name the steps before them by their places.
        if !steps.iter().any(|step| matches!(step, Step::Answer { .. })) {
            steps.insert(at, Step::Advance(2_100));
        }
    }
    (rules, steps)
}
