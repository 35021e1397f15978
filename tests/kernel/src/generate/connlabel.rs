//! Labels of connections: rules put them on and ask for them, before tracking and behind it, in both directions of conversations.

use super::random::Random;
use super::{Made, conversation};

/// The first and the last, and those round the middle of all.
const LABELS: [u8; 6] = [0, 3, 3, 63, 64, 127];

pub(super) fn case(random: &mut Random) -> Made {
    let (mut rules, steps) = conversation::case(random);
    for _ in 0..random.between(4, 10) {
        let (table, chain) = *random.pick(&super::ROUND_TRACKING);
        let whose = match random.below(6) {
            0 if chain != "OUTPUT" && chain != "POSTROUTING" => *random.pick(&["-i eth0", "-i eth1"]),
            1 => *random.pick(&["-p tcp", "-p udp", "-p icmp"]),
            2 => "-p tcp -m tcp --tcp-flags PSH PSH",
            3 => "-m conntrack --ctdir REPLY",
            _ => "",
        };
        let not = random.not();
        let set = if random.chance(50) { " --set" } else { "" };
        // What stands behind the test is asked after it: a label may be on by then.
        let more = if random.chance(15) { " -m conntrack --ctstate ESTABLISHED" } else { "" };
        let target = if chain == "FORWARD" && random.chance(15) { " -j DROP" } else { "" };
        let label = random.pick(&LABELS);
        rules.add(table, chain, &format!("{whose} -m connlabel {not}--label {label}{set}{more}{target}"));
    }
    (rules, steps)
}
