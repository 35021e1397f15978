//! How much connections have carried: `connbytes` in all its modes, round what the packets of a conversation add up to.

use super::random::Random;
use super::{Made, conversation};

pub(super) fn case(random: &mut Random) -> Made {
    let (mut rules, steps) = conversation::case(random);
    for _ in 0..random.between(3, 8) {
        let (table, chain) = *random.pick(&[
            ("mangle", "PREROUTING"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("mangle", "POSTROUTING"),
            ("filter", "INPUT"),
            ("filter", "OUTPUT"),
        ]);
        let mode = *random.pick(&["packets", "packets", "bytes", "avgpkt"]);
        let counts: [u64; 2] = match mode {
            "packets" => [random.below(6), random.below(9)],
            "bytes" => [random.below(400), random.below(1500)],
            _ => [random.between(20, 60), random.between(20, 120)],
        };
        let (low, high) = (counts[0].min(counts[1]), counts[0].max(counts[1]));
        let range = if random.chance(30) { low.to_string() } else { format!("{low}:{high}") };
        let direction = *random.pick(&["original", "reply", "both"]);
        let target = if chain == "FORWARD" && random.chance(25) { "-j DROP" } else { "" };
        let not = random.not();
        rules.add(
            table,
            chain,
            &format!("-m connbytes {not}--connbytes {range} --connbytes-dir {direction} --connbytes-mode {mode} {target}"),
        );
    }
    (rules, steps)
}
