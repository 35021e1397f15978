//! Sets of every type that the kernel at hand has, in rules of every hook; with exceptions, lists, counters and times; changed between packets.

use super::random::Random;
use super::{Made, Rules, any_packet, client, filter, send, server};
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

/// A set of a case.
#[derive(Clone)]
pub(super) struct Set {
    pub(super) name: String,
    /// Its parts, as in the type's name.
    pub(super) parts: &'static [&'static str],
    /// What stands behind its type.
    pub(super) options: String,
    pub(super) is_bitmap: bool,
}

const TYPES: &[&[&str]] =
    &[&["ip"], &["net"], &["ip", "port"], &["ip", "port", "ip"], &["ip", "port", "net"], &["net", "port"], &["net", "iface"]];
const BITMAPS: &[&[&str]] = &[&["ip"], &["ip", "mac"], &["port"]];

impl Set {
    pub(super) fn draw(random: &mut Random, number: usize) -> Self {
        let is_bitmap = random.chance(25) && !random.ipv6;
        let is_bitmap = is_bitmap || random.chance(5);
        let kinds = if random.ipv6 && is_bitmap {
            &BITMAPS[2..]
        } else if is_bitmap {
            BITMAPS
        } else {
            TYPES
        };
        let parts = *random.pick(kinds);
        let mut options = String::new();
        if is_bitmap {
            options += match parts {
                ["port"] => " range 0-65535",
                _ if random.chance(50) => " range 10.0.0.0-10.0.3.255",
                _ => " range 10.0.0.0/22",
            };
            if parts == ["ip"] && random.chance(20) {
                options += " netmask 28";
            }
        } else {
            if random.ipv6 {
                options += " family inet6";
            }
            if matches!(parts, ["ip"] | ["ip", "port"]) && random.chance(25) {
                options += match (random.ipv6, random.chance(50)) {
                    (true, true) => " netmask 64",
                    (true, false) => " bitmask ffff:ffff:ffff:ffff::ffff:fffe",
                    (false, true) => " netmask 30",
                    (false, false) => " bitmask 255.255.255.253",
                };
            }
        }
        if random.chance(40) {
            options += " counters";
        }
        // Those of hardware addresses begin otherwise (docs/deviations.md, `set-before-mac`).
        if random.chance(25) && parts != ["ip", "mac"] {
            options += *random.pick(&[" timeout 0", " timeout 60"]);
        }
        Self { name: format!("s{number}"), parts, options, is_bitmap }
    }

    /// Elements of the one may be those of any other that is of the same.
    fn kind(&self) -> (bool, &[&str], &str) {
        (self.is_bitmap, self.parts, &self.options)
    }

    pub(super) fn create(&self) -> String {
        let method = if self.is_bitmap { "bitmap" } else { "hash" };
        format!("create {} {method}:{}{}\n", self.name, self.parts.join(","), self.options)
    }

    /// An element by chance, and what stands behind it.
    pub(super) fn element(&self, random: &mut Random) -> String {
        let parts: Vec<String> = self.parts.iter().map(|part| self.part(random, part)).collect();
        let mut element = parts.join(",");
        let has_mac = self.parts == ["ip", "mac"];
        if has_mac && random.chance(40) {
            element = parts[0].clone();
        }
        element
    }

    fn part(&self, random: &mut Random, part: &str) -> String {
        match part {
            "ip" if self.is_bitmap => {
                let (wire, host) = (random.below(2), random.between(1, 5));
                format!("10.0.{wire}.{host}")
            }
            "ip" => address(random),
            "net" => network(random),
            "mac" => {
                let (wire, host) = (random.between(1, 2), random.between(2, 5));
                format!("02:01:00:00:{wire:02}:{host:02}")
            }
            "port" if self.is_bitmap => random.port().to_string(),
            "port" => {
                let icmp = if random.ipv6 { "icmpv6" } else { "icmp" };
                match random.below(10) {
                    0 => format!("{icmp}:{}/0", random.pick(&[8, 0, 3, 128, 129])),
                    1 => format!("{}:0", random.pick(&["50", "89", "253", "2"])),
                    2..=5 => format!("udp:{}", random.port()),
                    _ => format!("tcp:{}", random.port()),
                }
            }
            _ => (*random.pick(&["eth0", "eth1", "eth0", "eth1", "lo", "eth"])).to_owned(),
        }
    }

    pub(super) fn marks(&self, random: &mut Random) -> String {
        let mut marks = String::new();
        if self.parts.contains(&"net") && random.chance(25) {
            marks += " nomatch";
        }
        if self.parts.contains(&"iface") && random.chance(20) {
            marks += " wildcard";
        }
        if self.options.contains("counters") && random.chance(20) {
            marks += &format!(" packets {} bytes {}", random.below(5), random.below(500));
        }
        if self.options.contains("timeout") && random.chance(30) {
            marks += *random.pick(&[" timeout 0", " timeout 100"]);
        }
        marks
    }
}

fn address(random: &mut Random) -> String {
    match random.below(8) {
        0 => random.address(10, 0, 0, 1).to_string(),
        1 => random.address(10, 0, 1, 1).to_string(),
        2..=4 => client(random).to_string(),
        _ => server(random).to_string(),
    }
}

fn network(random: &mut Random) -> String {
    let prefixes: &[u8] = if random.ipv6 { &[128, 128, 127, 126, 64, 63, 48, 32, 1] } else { &[32, 32, 31, 30, 24, 23, 16, 8, 1] };
    format!("{}/{}", address(random), random.pick(prefixes))
}

pub(super) fn case(random: &mut Random) -> Made {
    let mut sets: Vec<Set> = Vec::new();
    for number in 0..random.between(1, 4) as usize {
        let next = match sets.last() {
            // One with which it may be exchanged.
            Some(last) if random.chance(35) => Set { name: format!("s{number}"), ..last.clone() },
            _ => Set::draw(random, number),
        };
        sets.push(next);
    }
    let mut text: String = sets.iter().map(Set::create).collect();
    for set in &sets {
        for _ in 0..random.between(0, 8) {
            text += &format!("-exist add {} {}{}\n", set.name, set.element(random), set.marks(random));
        }
    }
    let mut names: Vec<(String, usize)> = sets.iter().map(|set| (set.name.clone(), set.parts.len())).collect();
    if random.chance(25) {
        text += if random.chance(40) { "create list list:set counters\n" } else { "create list list:set\n" };
        for set in &sets {
            if random.chance(70) {
                text += &format!("add list {}\n", set.name);
            }
        }
        names.push(("list".to_owned(), random.between(1, 3) as usize));
    }
    let mut rules = Rules { sets: text, ..Rules::default() };
    for (table, chain) in super::ON_THE_WAY {
        for _ in 0..random.between(0, 3) {
            let header = if random.chance(15) { filter::matches(random, chain) } else { String::new() };
            let test = one(random, &names);
            let behind = if random.chance(10) { "-p udp -m udp --dport 53 " } else { "" };
            let behind = if header.contains("-p ") { "" } else { behind };
            let target = *random.pick(&["", "", "", "", "-j ACCEPT", "-j DROP"]);
            rules.add(table, chain, &format!("{header}{test}{behind}{target}"));
        }
    }
    match random.below(5) {
        0 => {
            let (name, parts) = random.pick(&names).clone();
            let sides = sides(random, parts);
            rules.add("nat", "PREROUTING", &format!("-p udp -m set --match-set {name} {sides} -j DNAT --to-destination 10.0.1.2"));
        }
        1 => rules.add("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED"),
        _ => {}
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(5, 20) {
        match random.below(12) {
            0 | 1 => steps.push(Step::Ipset(change(random, &sets))),
            2 | 3 => connection(random, &sets, &mut steps),
            4 => {
                let (src, dst) = (random.address(10, 0, 1, 1), server(random));
                steps.push(Step::Local(Ip::udp((src, random.port()), (dst, random.port()), b"d").packet()));
            }
            5 => {
                let (port, ip) = odd(random);
                send(random, &mut steps, port, &ip);
            }
            _ => {
                let (port, ip) = any_packet(random);
                send(random, &mut steps, port, &ip);
            }
        }
    }
    (rules, steps)
}

pub(super) fn sides(random: &mut Random, parts: usize) -> String {
    // One too few or too many, now and then.
    let count = match random.below(12) {
        0 if parts > 1 => parts - 1,
        1 => parts + 1,
        _ => parts,
    };
    (0..count).map(|_| *random.pick(&["src", "dst"])).collect::<Vec<_>>().join(",")
}

pub(super) fn one(random: &mut Random, names: &[(String, usize)]) -> String {
    let (name, parts) = random.pick(names).clone();
    let mut test = format!("-m set {}--match-set {name} {} ", random.not(), sides(random, parts));
    if random.chance(12) {
        test += "--return-nomatch ";
    }
    if random.chance(15) {
        test += "! --update-counters ";
    }
    if random.chance(10) {
        test += "! --update-subcounters ";
    }
    for what in ["packets", "bytes"] {
        if random.chance(12) {
            let count = if what == "packets" { random.below(4) } else { random.between(20, 300) };
            let how = *random.pick(&["eq", "lt", "gt"]);
            let not = if how == "eq" { random.not() } else { "" };
            test += &format!("{not}--{what}-{how} {count} ");
        }
    }
    test
}

/// A command that the sets as they are made cannot refuse.
pub(super) fn change(random: &mut Random, sets: &[Set]) -> String {
    let set = random.pick(sets);
    // What these have counted the kernel does not forget (docs/deviations.md, `set-bitmap-counters`).
    let only_adds = set.is_bitmap && set.options.contains("counters");
    match if only_adds { 9 } else { random.below(10) } {
        0 => format!("flush {}", set.name),
        1 | 2 => match sets.iter().find(|other| other.name != set.name && other.kind() == set.kind()) {
            Some(other) => format!("swap {} {}", set.name, other.name),
            None => format!("flush {}", set.name),
        },
        3..=5 => format!("-exist del {} {}", set.name, set.element(random)),
        _ => format!("-exist add {} {}{}", set.name, set.element(random), set.marks(random)),
    }
}

/// Packets both ways, with changes of sets between them.
pub(super) fn connection(random: &mut Random, sets: &[Set], steps: &mut Vec<Step>) {
    let (here, there) = ((client(random), random.port()), (server(random), random.port()));
    for _ in 0..random.between(2, 4) {
        send(random, steps, Port::Eth0, &Ip::udp(here, there, b"d"));
        send(random, steps, Port::Eth1, &Ip::udp(there, here, b"d"));
        if !sets.is_empty() && random.chance(40) {
            steps.push(Step::Ipset(change(random, sets)));
        }
    }
}

/// A packet that shows no port, or has none.
pub(super) fn odd(random: &mut Random) -> (Port, Ip) {
    let (src, dst) = (client(random), server(random));
    let ip = match random.below(6) {
        0 => Ip::new(src, dst, 6, vec![0; *random.pick(&[0, 3, 19])]),
        1 => Ip::new(src, dst, 17, vec![0; *random.pick(&[0, 3, 7])]),
        2 => Ip::new(src, dst, *random.pick(&[132, 136, 33]), vec![0, 80, 0, 53, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        3 => Ip::new(src, dst, if random.ipv6 { *random.pick(&[1, 58]) } else { 1 }, vec![8, 0, 0, 0, 0, 0, 0, 0, 1]),
        4 => Ip::new(src, dst, 59, vec![1; 8]),
        _ => Ip::new(src, dst, *random.pick(&[0, 50, 51, 47, 4, 41]), vec![1; 30]),
    };
    (Port::Eth0, ip)
}
