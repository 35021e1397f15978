//! `cluster`: shares of conversations, of packets without a connection, of such that a group's hardware address brings, and of what helpers announced.

use super::random::Random;
use super::{Made, conversation, helper};
use crate::case::Step;

pub(super) fn case(random: &mut Random) -> Made {
    let (mut rules, mut steps) = if random.chance(20) { helper::case(random) } else { conversation::case(random) };
    for _ in 0..random.between(4, 10) {
        // All but nat's behind routing.
        let (table, chain) = *random.pick(&super::ROUND_TRACKING[..10]);
        if table == "raw" && random.chance(40) {
            rules.add("raw", "PREROUTING", &format!("-p tcp -j CT --zone {}", random.between(0, 2)));
        }
        let whose = *random.pick(&["", "", "-p tcp", "-p udp", "-p tcp -m tcp --tcp-flags PSH PSH", "-m conntrack --ctdir REPLY"]);
        let total = *random.pick(&[1, 2, 2, 3, 4, 7, 32]);
        let nodes = match random.below(3) {
            0 => format!("{}--cluster-local-node {}", random.not(), random.between(1, total)),
            // The real one takes no mask above 32.
            _ => format!("{}--cluster-local-nodemask {}", random.not(), random.between(1, (1 << total) - 1).min(31)),
        };
        let seed = *random.pick(&[0_u64, 1, 0xdead_beef, 0xffff_ffff, 7]);
        // What stands behind the test is asked after it: who a packet is for may have changed by then.
        let more = *random.pick(&[
            "",
            "",
            " -m conntrack --ctstate ESTABLISHED",
            " -p tcp -m tcp --dport 80",
            " -m pkttype --pkt-type multicast",
        ]);
        let more = if whose.contains("-p ") && more.contains("-p ") { "" } else { more };
        let target = if chain == "FORWARD" && random.chance(15) { " -j DROP" } else { "" };
        rules.add(
            table,
            chain,
            &format!("{whose} -m cluster --cluster-total-nodes {total} {nodes} --cluster-hash-seed {seed}{more}{target}"),
        );
    }
    if random.chance(40) {
        rules.add("mangle", "PREROUTING", "-m pkttype --pkt-type multicast");
    }
    // The frames of a cluster go to all of its nodes.
    let percent = *random.pick(&[0, 0, 30, 100]);
    for step in &mut steps {
        let Step::Packets(_, frames) = step else { continue };
        for frame in frames {
            if random.chance(percent) {
                frame[..6].copy_from_slice(if random.chance(90) { &[1, 0, 0x5e, 0x7f, 0, 1] } else { &[0xff; 6] });
            }
        }
    }
    (rules, steps)
}
