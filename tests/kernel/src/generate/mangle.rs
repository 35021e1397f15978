//! Packets changed and marked on their way: TOS, TTL, MARK, CONNMARK, with nth and limit.

use super::random::Random;
use super::{Made, Rules, any_packet, filter, packet};
use crate::case::Step;

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let connmark = random.chance(40);
    for chain in ["PREROUTING", "FORWARD", "POSTROUTING"] {
        for _ in 0..random.between(0, 4) {
            let matches = filter::matches(random, chain);
            let more = chosen(random);
            let target = target(random, connmark);
            rules.add("mangle", chain, &format!("{matches}{more}{target}"));
        }
    }
    for mark in ["0x1", "0x2/0x3", "0xff/0xf0", "0x0"] {
        rules.add("filter", "FORWARD", &format!("-m mark {}--mark {mark}", random.not()));
        if connmark {
            rules.add("filter", "FORWARD", &format!("-m connmark {}--mark {mark}", random.not()));
        }
    }
    let mut steps = Vec::new();
    let mut last = any_packet(random);
    for _ in 0..random.between(5, 30) {
        if random.chance(60) {
            last = any_packet(random);
        }
        // The same again, in one burst.
        let frame = last.1.frame(last.0);
        let times = if random.chance(20) { random.between(2, 5) as usize } else { 1 };
        steps.push(if times == 1 { packet(last.0, &last.1) } else { Step::Packets(last.0, vec![frame; times]) });
    }
    (rules, steps)
}

fn chosen(random: &mut Random) -> String {
    match random.below(6) {
        0 => {
            let every = random.between(1, 5);
            format!("-m statistic --mode nth {}--every {every} --packet {} ", random.not(), random.below(every))
        }
        1 => format!("-m limit --limit {}/hour --limit-burst {} ", random.between(1, 5), random.between(1, 4)),
        _ => String::new(),
    }
}

fn target(random: &mut Random, connmark: bool) -> &'static str {
    let plain = [
        "-j TOS --set-tos 0x10/0xff",
        "-j TOS --set-tos 0x08/0x1c",
        "-j TOS --and-tos 0x0f",
        "-j TOS --or-tos 0x04",
        "-j TOS --xor-tos 0xff",
        "-j TTL --ttl-set 1",
        "-j TTL --ttl-set 200",
        "-j TTL --ttl-inc 1",
        "-j TTL --ttl-dec 1",
        "-j TTL --ttl-dec 64",
        "-j MARK --set-mark 0x1",
        "-j MARK --set-xmark 0x3/0x2",
        "-j MARK --or-mark 0xf0",
        "-j MARK --and-mark 0x0f",
        "-j MARK --xor-mark 0xff",
        "-j ACCEPT",
        "",
    ];
    let with_connections = [
        "-j CONNMARK --set-mark 0x2",
        "-j CONNMARK --set-xmark 0x10/0xff",
        "-j CONNMARK --save-mark",
        "-j CONNMARK --restore-mark",
        "-j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff",
        "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0x3",
        "-j CONNMARK --and-mark 0x3",
        "-j CONNMARK --or-mark 0x40",
    ];
    if connmark && random.chance(50) { random.pick::<&str>(&with_connections) } else { random.pick::<&str>(&plain) }
}
