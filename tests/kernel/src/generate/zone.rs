//! Zones: conversations whose packets are parted by numbers and by marks that change before and behind the rule that asks for them.

use super::random::Random;
use super::{Made, conversation};

pub(super) fn case(random: &mut Random) -> Made {
    let (mut rules, steps) = conversation::case(random);
    // Zones of several kinds beside each other can make a tuple two connections'.
    let option = *random.pick(&["--zone", "--zone", "--zone-orig", "--zone-reply"]);
    for _ in 0..random.between(2, 6) {
        let whose = *random.pick(&["", "", "-i eth0", "-i eth1", "-p udp", "-p tcp", "-p icmp"]);
        let target = match random.below(8) {
            0 => format!("CT {option} {}", random.between(1, 2)),
            1..=3 => format!("CT {option} mark"),
            _ => {
                // Equal and different halves, and zone 0.
                let mark = *random.pick(&["1", "1", "0x10001", "0xffff0001", "2", "0x10000", "0"]);
                format!("MARK --set-xmark {mark}")
            }
        };
        rules.add("raw", "PREROUTING", &format!("{whose} -j {target}"));
    }
    (rules, steps)
}
