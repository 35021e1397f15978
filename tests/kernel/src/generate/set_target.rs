//! Packets that change sets of every type that they can, in rules of every hook, among rules that ask the same sets and commands that change them.

use super::random::Random;
use super::set::{Set, change, connection, odd, one, sides};
use super::{Made, Rules, any_packet, filter, send};
use crate::case::Step;

pub(super) fn case(random: &mut Random) -> Made {
    let mut sets: Vec<Set> = Vec::new();
    for number in 0..random.between(1, 3) as usize {
        let next = match sets.last() {
            // One with which it may be exchanged.
            Some(last) if random.chance(30) => Set { name: format!("s{number}"), ..last.clone() },
            _ => open(random, number),
        };
        sets.push(next);
    }
    let mut text: String = sets.iter().map(Set::create).collect();
    for set in &sets {
        // Where few may be in it, commands bring none that could be too many.
        let most = if set.options.contains("maxelem") { 1 } else { 6 };
        for _ in 0..random.between(0, most) {
            text += &format!("-exist add {} {}{}\n", set.name, set.element(random), set.marks(random));
        }
    }
    let names: Vec<(String, usize)> = sets.iter().map(|set| (set.name.clone(), set.parts.len())).collect();
    let mut rules = Rules { sets: text, ..Rules::default() };
    let mut tables = super::ON_THE_WAY.to_vec();
    tables.push(("nat", "PREROUTING"));
    for (table, chain) in tables {
        for _ in 0..random.between(0, 3) {
            let header = if random.chance(25) { filter::matches(random, chain) } else { String::new() };
            let rule = if random.chance(60) {
                let test = if random.chance(25) { one(random, &names) } else { String::new() };
                format!("{header}{test}-j SET{}", target(random, &sets))
            } else {
                let verdict = *random.pick(&["", "", "-j ACCEPT", "-j DROP"]);
                let verdict = if table == "nat" { "" } else { verdict };
                format!("{header}{}{verdict}", one(random, &names))
            };
            rules.add(table, chain, &rule);
        }
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(6, 20) {
        match random.below(12) {
            0 => {
                // One that is full refuses commands.
                let free: Vec<Set> = sets.iter().filter(|set| !set.options.contains("maxelem")).cloned().collect();
                if !free.is_empty() {
                    steps.push(Step::Ipset(change(random, &free)));
                }
            }
            1..=4 => connection(random, &[], &mut steps),
            kind => {
                let (port, ip) = if kind == 5 { odd(random) } else { any_packet(random) };
                // docs/deviations.md, `set-other-icmp`; nor what another header hides of it.
                let other: &[u8] = if random.ipv6 { &[0, 1, 43, 51, 60] } else { &[58] };
                if !other.contains(&ip.protocol) {
                    send(random, &mut steps, port, &ip);
                }
            }
        }
    }
    (rules, steps)
}

/// A set that packets can change, now and then one for few elements.
fn open(random: &mut Random, number: usize) -> Set {
    loop {
        let mut set = Set::draw(random, number);
        if set.parts.contains(&"iface") || set.parts == ["ip", "mac"] {
            continue;
        }
        if !set.is_bitmap && random.chance(20) {
            set.options += &format!(" maxelem {}", random.between(2, 4));
        }
        return set;
    }
}

/// What stands behind the target's name.
fn target(random: &mut Random, sets: &[Set]) -> String {
    let mut words = String::new();
    let adds = random.chance(70);
    if adds {
        let set = random.pick(sets).clone();
        words += &format!(" --add-set {} {}", set.name, sides(random, set.parts.len()));
        if random.chance(40) {
            words += " --exist";
        }
        if random.chance(30) {
            words += *random.pick(&[" --timeout 0", " --timeout 100"]);
        }
    }
    // What bitmaps have counted the kernel does not forget with an element (docs/deviations.md, `set-bitmap-counters`).
    let forgets = |set: &&Set| !(set.is_bitmap && set.options.contains("counters"));
    let from: Vec<Set> = sets.iter().filter(forgets).cloned().collect();
    if !from.is_empty() && (!adds || random.chance(20)) {
        let set = random.pick(&from).clone();
        words += &format!(" --del-set {} {}", set.name, sides(random, set.parts.len()));
    }
    if words.is_empty() {
        let set = random.pick(sets).clone();
        words = format!(" --add-set {} {}", set.name, sides(random, set.parts.len()));
    }
    words
}
