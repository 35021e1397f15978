//! Marks of connections: set, saved and restored, through masks and shifted to either side, before tracking and behind it, and looked at bit by bit.

use super::random::Random;
use super::{Made, conversation};

/// Bits at both ends, and patterns that a shift or a mask shows in.
const WORDS: [u32; 8] = [0, 1, 0x8000_0000, 0xffff_ffff, 0x1234_5678, 0xf0f0_f0f0, 0x0000_ffff, 0x8000_0001];

pub(super) fn case(random: &mut Random) -> Made {
    let (mut rules, steps) = conversation::case(random);
    for _ in 0..random.between(4, 10) {
        let (table, chain) = *random.pick(&super::ROUND_TRACKING);
        let whose = match random.below(8) {
            0 => *random.pick(&["-p tcp", "-p udp", "-p icmp"]),
            1 => "-p tcp -m tcp --tcp-flags PSH PSH",
            2 => "-m conntrack --ctdir REPLY",
            3 => "-m connmark --mark 0x1/0x1",
            _ => "",
        };
        let target = target(random);
        rules.add(table, chain, &format!("{whose} -j {target}"));
        for _ in 0..random.between(0, 4) {
            let what = *random.pick(&["mark", "connmark", "connmark"]);
            let bit = 1u32 << random.below(32);
            rules.add(table, chain, &format!("-m {what} {}--mark {bit:#x}/{bit:#x}", random.not()));
        }
    }
    for what in ["mark", "connmark"] {
        for _ in 0..random.between(3, 10) {
            let bit = 1u32 << random.below(32);
            rules.add("security", "FORWARD", &format!("-m {what} --mark {bit:#x}/{bit:#x}"));
        }
    }
    (rules, steps)
}

fn target(random: &mut Random) -> String {
    let (one, other) = (*random.pick(&WORDS), *random.pick(&WORDS));
    let action = match random.below(6) {
        0 => return format!("MARK --set-xmark {one:#x}/{other:#x}"),
        1 => format!("--set-xmark {one:#x}/{other:#x}"),
        2 => format!("--set-mark {one:#x} --ctmask {other:#x}"),
        3 => String::from(*random.pick(&["--save-mark", "--restore-mark"])),
        _ => format!("{} --nfmask {one:#x} --ctmask {other:#x}", random.pick(&["--save-mark", "--restore-mark"])),
    };
    let shift = match random.below(5) {
        0 | 1 => format!(" --left-shift-mark {}", random.pick(&[1, 4, 15, 31])),
        2 | 3 => format!(" --right-shift-mark {}", random.pick(&[1, 4, 15, 31])),
        _ => String::new(),
    };
    format!("CONNMARK {action}{shift}")
}
