//! `srh`: packets that list segments by which they go, whole and not, with other headers round the list.

use super::random::Random;
use super::{Made, Rules, any_packet, filter, send};
use crate::frame::octets;

/// Hosts that segments name.
fn segment(random: &mut Random) -> std::net::IpAddr {
    match random.below(3) {
        0 => random.address(10, 0, 1, 4),
        1 => random.address(10, 0, 0, 3),
        _ => random.address(203, 0, 113, 5),
    }
}

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for (table, chain) in super::ON_THE_WAY {
        for _ in 0..random.between(0, 5) {
            let header = if random.chance(15) { filter::matches(random, chain) } else { String::new() };
            let test = one(random);
            let target = *random.pick(&["", "", "", "", "-j ACCEPT", "-j DROP"]);
            rules.add(table, chain, &format!("{header}-m srh {test}{target}"));
        }
    }
    if random.chance(30) {
        rules.add("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED");
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(5, 14) {
        let (port, mut ip) = any_packet(random);
        if random.chance(20) {
            ip.extensions.push((*random.pick(&[0, 60]), vec![0, 1, 4, 0, 0, 0, 0]));
        }
        if random.chance(8) {
            // A first piece, a later one, one that is alone.
            ip.extensions.push((44, vec![0, 0, *random.pick(&[1, 8, 0]), 0, 0, 0, 7]));
        }
        if random.chance(92) {
            let listed = list(random);
            ip.extensions.push((43, listed));
        }
        if random.chance(15) {
            let more = if random.chance(50) { (43, list(random)) } else { (51, vec![1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1]) };
            ip.extensions.push(more);
        }
        if random.chance(10) {
            ip.payload.clear();
        }
        send(random, &mut steps, port, &ip);
    }
    (rules, steps)
}

/// What stands behind the number of the next header.
fn list(random: &mut Random) -> Vec<u8> {
    let segments = random.between(0, 3) as u8;
    let padding = if random.chance(15) { 8 } else { 0 };
    let length = match random.below(12) {
        // Longer than the packet, and than the list.
        0 => *random.pick(&[200, 255]),
        1 => 2 * segments + 2,
        2 => 0,
        _ => 2 * segments + padding / 8,
    };
    let kind = if random.chance(90) { 4 } else { *random.pick(&[0, 2, 3, 5]) };
    let left = random.between(0, 3) as u8;
    let last = if random.chance(80) { segments.saturating_sub(1) } else { random.between(0, 4) as u8 };
    let tag = *random.pick(&[[0, 0], [0, 5], [5, 0], [1, 2], [2, 1]]);
    let mut bytes = vec![length, kind, left, last, *random.pick(&[0, 0, 0x10]), tag[0], tag[1]];
    for _ in 0..segments {
        bytes.extend(octets(segment(random)));
    }
    bytes.resize(bytes.len() + usize::from(padding), 0);
    bytes
}

fn one(random: &mut Random) -> String {
    let mut words = String::new();
    let compared = |random: &mut Random, field: &str, values: &[u8], words: &mut String| {
        for way in ["eq", "gt", "lt"] {
            if random.chance(35) {
                let not = random.not();
                *words += &format!("{not}--srh-{field}-{way} {} ", random.pick(values));
            }
        }
    };
    if random.chance(20) {
        let not = random.not();
        words += &format!("{not}--srh-next-hdr {} ", random.pick(&[6, 17, 58, 43, 51, 0]));
    }
    if random.chance(25) {
        compared(random, "hdr-len", &[0, 1, 2, 4, 5, 6, 255], &mut words);
    }
    if random.chance(30) {
        compared(random, "segs-left", &[0, 1, 2, 3, 255], &mut words);
    }
    if random.chance(30) {
        compared(random, "last-entry", &[0, 1, 2, 255], &mut words);
    }
    if random.chance(20) {
        let not = random.not();
        words += &format!("{not}--srh-tag {} ", random.pick(&[0, 5, 1280, 258, 513]));
    }
    for which in ["psid", "nsid", "lsid"] {
        if random.chance(20) {
            let not = random.not();
            let length = *random.pick(&["", "", "/64", "/128", "/48", "/0"]);
            words += &format!("{not}--srh-{which} {}{length} ", segment(random));
        }
    }
    words
}
