//! `devgroup`: the groups of the two interfaces, under masks, on every way through the box.

use super::random::Random;
use super::{Made, Rules, any_packet, client, filter, send, server};
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let chains =
        [("mangle", "INPUT"), ("mangle", "OUTPUT"), ("security", "FORWARD"), ("nat", "PREROUTING"), ("nat", "POSTROUTING")];
    for (table, chain) in super::ON_THE_WAY.into_iter().chain(chains) {
        for _ in 0..random.between(0, 3) {
            // As what connections go by, and translations, is another generator's, most cases have neither.
            if table == "nat" && random.chance(80) {
                continue;
            }
            let header = if random.chance(20) { filter::matches(random, chain) } else { String::new() };
            let test = one(random, chain);
            let target = *random.pick(if table == "nat" { &["", "-j ACCEPT"] } else { &["", "", "", "-j ACCEPT", "-j DROP"] });
            rules.add(table, chain, &format!("{header}{test}{target}"));
        }
    }
    if random.chance(30) {
        // A chain that is come to where packets have both.
        rules.chain("filter", "GROUPS");
        rules.add("filter", "FORWARD", "-j GROUPS");
        let test = one(random, "FORWARD");
        rules.add("filter", "GROUPS", &format!("{test}-j DROP"));
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(4, 12) {
        match random.below(4) {
            0 => {
                let (src, dst) = if random.chance(50) {
                    (random.address(10, 0, 0, 1), client(random))
                } else {
                    (random.address(10, 0, 1, 1), server(random))
                };
                steps.push(Step::Local(Ip::udp((src, 2000), (dst, random.port()), b"d").packet()));
            }
            1 => {
                let (here, there) = ((client(random), random.port()), (server(random), random.port()));
                for _ in 0..random.between(1, 3) {
                    send(random, &mut steps, Port::Eth0, &Ip::udp(here, there, b"d"));
                    send(random, &mut steps, Port::Eth1, &Ip::udp(there, here, b"d"));
                }
            }
            _ => {
                let (port, ip) = any_packet(random);
                send(random, &mut steps, port, &ip);
            }
        }
    }
    (rules, steps)
}

fn one(random: &mut Random, chain: &str) -> String {
    let sides = match chain {
        "PREROUTING" | "INPUT" => [true, false],
        "OUTPUT" | "POSTROUTING" => [false, true],
        _ => *random.pick(&[[true, false], [false, true], [true, true]]),
    };
    let mut words = String::from("-m devgroup ");
    for side in ["src", "dst"].into_iter().zip(sides).filter_map(|(side, wanted)| wanted.then_some(side)) {
        let not = random.not();
        let group = match random.below(4) {
            0 => 0,
            1 => *random.pick(&[2, 4, 0x4000_0000, 0xffff_ffff]),
            _ => random.pick(&Port::ALL).group(),
        };
        let mask = *random.pick(&["", "", "/0xffffffff", "/0", "/1", "/7", "/0x40000000", "/0xbfffffff"]);
        words += &format!("{not}--{side}-group {group}{mask} ");
    }
    words
}
