//! Rule sets of the kinds that classifiers are compared with, and packets that they are about.
//!
//! Three classes after ClassBench (Taylor and Turner, 2007): access lists, firewalls and chains of packet filters, each with its own mix of
//! wildcards, nested prefixes and ranges of ports. Its seed files are not used: the mixes are written here. And three that users have: the
//! services of kube-proxy, a blocklist, and an office where only ports differ. Everything comes from a fixed seed.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use packet::{Header, Ipv4, parse};

use crate::frames;

/// A kind of rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Specific sources and destinations, a destination port.
    Acl,
    /// Many wildcards, ranges on both sides.
    Firewall,
    /// In between.
    Chain,
    /// One address, protocol and port each.
    Services,
    /// One source each.
    Blocklist,
    /// One destination port each.
    Office,
}

impl Class {
    /// All, in this order.
    pub const ALL: [Self; 6] = [Self::Acl, Self::Firewall, Self::Chain, Self::Services, Self::Blocklist, Self::Office];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acl => "acl",
            Self::Firewall => "fw",
            Self::Chain => "ipc",
            Self::Services => "services",
            Self::Blocklist => "blocklist",
            Self::Office => "office",
        }
    }
}

/// What a rule of these sets asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Five {
    src: (u32, u8),
    dst: (u32, u8),
    protocol: u8,
    sports: (u16, u16),
    dports: (u16, u16),
}

/// SplitMix64.
#[derive(Clone, Copy, Debug)]
pub struct Chance(pub u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u32
    }

    /// One that is small more often than not.
    fn skewed(&mut self, n: u32) -> u32 {
        let bound = self.below(n) + 1;
        self.below(bound)
    }

    /// The entry whose share, of a hundred in all, is drawn.
    fn pick<T: Copy>(&mut self, shares: &[(u32, T)]) -> T {
        let mut at = self.below(shares.iter().map(|(share, _)| share).sum());
        for (share, value) in shares {
            match at.checked_sub(*share) {
                Some(left) => at = left,
                None => return *value,
            }
        }
        unreachable!("what is drawn is below the sum")
    }
}

const ANY: (u16, u16) = (0, u16::MAX);
const HIGH: (u16, u16) = (1024, u16::MAX);
const EXACT: (u16, u16) = (1, 0);
const RANGE: (u16, u16) = (2, 0);

/// So many different rules of a class.
pub fn rules(class: Class, count: u32) -> Vec<Five> {
    let mut chance = Chance(0x5eed + class as u64);
    let mut seen = HashSet::new();
    let mut rules = Vec::new();
    while rules.len() < count as usize {
        let rule = rule(class, rules.len() as u32, count, &mut chance);
        if seen.insert(rule) {
            rules.push(rule);
        }
    }
    rules
}

/// The same rules as people order them, what is special before what is general. In the order in which they are drawn a general rule soon leaves
/// nothing to most of those behind it.
pub fn specific_first(mut rules: Vec<Five>) -> Vec<Five> {
    rules.sort_by_key(|rule| core::cmp::Reverse(rule.bits()));
    rules
}

fn rule(class: Class, number: u32, count: u32, chance: &mut Chance) -> Five {
    let any = (0, 0);
    match class {
        Class::Services => {
            let port = chance.pick(&[(40, 80), (40, 443), (10, 53), (10, 9090)]);
            let protocol = if port == 53 { 17 } else { 6 };
            Five { src: any, dst: (0x0a60_0000 + number, 32), protocol, sports: ANY, dports: (port, port) }
        }
        Class::Blocklist => Five { src: (chance.next() as u32, 32), dst: any, protocol: 0, sports: ANY, dports: ANY },
        Class::Office => {
            let port = 1 + (number % 65_000) as u16;
            Five { src: any, dst: any, protocol: 6, sports: ANY, dports: (port, port) }
        }
        Class::Acl => Five {
            src: prefix(chance, count, 0x0a00_0000, &[(15, 0), (20, 16), (20, 24), (10, 27), (35, 32)]),
            dst: prefix(chance, count, 0xac10_0000, &[(2, 0), (10, 16), (38, 24), (10, 28), (40, 32)]),
            protocol: chance.pick(&[(80, 6), (14, 17), (4, 1), (2, 0)]),
            sports: ANY,
            dports: ports(chance, &[(20, ANY), (62, EXACT), (18, RANGE)]),
        }
        .sane(),
        Class::Firewall => Five {
            src: prefix(chance, count, 0x0a00_0000, &[(35, 0), (10, 8), (15, 16), (20, 24), (20, 32)]),
            dst: prefix(chance, count, 0xac10_0000, &[(25, 0), (10, 12), (15, 16), (25, 24), (25, 32)]),
            protocol: chance.pick(&[(60, 6), (25, 17), (5, 1), (10, 0)]),
            sports: ports(chance, &[(60, ANY), (20, HIGH), (10, EXACT), (10, RANGE)]),
            dports: ports(chance, &[(25, ANY), (15, HIGH), (40, EXACT), (20, RANGE)]),
        }
        .sane(),
        Class::Chain => Five {
            src: prefix(chance, count, 0x0a00_0000, &[(15, 0), (10, 12), (25, 20), (25, 24), (25, 32)]),
            dst: prefix(chance, count, 0xac10_0000, &[(10, 0), (15, 16), (30, 24), (15, 28), (30, 32)]),
            protocol: chance.pick(&[(65, 6), (25, 17), (5, 1), (5, 0)]),
            sports: ports(chance, &[(75, ANY), (5, HIGH), (20, EXACT)]),
            dports: ports(chance, &[(40, ANY), (5, HIGH), (40, EXACT), (15, RANGE)]),
        }
        .sane(),
    }
}

/// A prefix of one of the lengths, in one of the networks of 8 bits that the class has; some networks are in many rules.
fn prefix(chance: &mut Chance, count: u32, base: u32, lengths: &[(u32, u8)]) -> (u32, u8) {
    let length = chance.pick(lengths);
    let network = chance.skewed(count / 4 + 16);
    let address = base.wrapping_add(network << 8) | chance.below(256);
    (address & mask(length), length)
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

fn ports(chance: &mut Chance, kinds: &[(u32, (u16, u16))]) -> (u16, u16) {
    match chance.pick(kinds) {
        EXACT => {
            let port = chance.pick(&[(15, 80), (15, 443), (6, 22), (6, 25), (6, 53), (4, 123), (4, 389), (4, 3306), (40, 0)]);
            let port = if port == 0 { 1 + chance.skewed(50_000) as u16 } else { port };
            (port, port)
        }
        RANGE => {
            let first = 1 + chance.below(60_000) as u16;
            (first, first + chance.skewed(4000) as u16)
        }
        other => other,
    }
}

impl Five {
    /// Only TCP and UDP have ports.
    fn sane(self) -> Self {
        if matches!(self.protocol, 6 | 17) { self } else { Self { sports: ANY, dports: ANY, ..self } }
    }

    fn line(&self, text: &mut String) {
        let prefix = |(address, length): (u32, u8)| format!("{}/{length}", Ipv4Addr::from(address));
        let mut put = |option: &str, value: String| {
            // Writing to a String cannot fail.
            let _ = write!(text, " {option} {value}");
        };
        if self.src.1 != 0 {
            put("-s", prefix(self.src));
        }
        if self.dst.1 != 0 {
            put("-d", prefix(self.dst));
        }
        if let Some(name) = [(6, "tcp"), (17, "udp"), (1, "icmp")].iter().find(|(number, _)| *number == self.protocol) {
            put("-p", name.1.into());
            if (self.sports, self.dports) != (ANY, ANY) {
                put("-m", name.1.into());
            }
        }
        for (option, (first, last)) in [("--sport", self.sports), ("--dport", self.dports)] {
            if (first, last) != ANY {
                put(option, if first == last { first.to_string() } else { format!("{first}:{last}") });
            }
        }
    }

    /// How many bits of a packet it asks.
    fn bits(&self) -> u32 {
        let ports = |(first, last): (u16, u16)| 16 - (u32::from(last - first) + 1).ilog2();
        let protocol = if self.protocol == 0 { 0 } else { 8 };
        u32::from(self.src.1) + u32::from(self.dst.1) + protocol + ports(self.sports) + ports(self.dports)
    }

    /// A packet that the rule is about.
    fn packet(&self, chance: &mut Chance) -> Header<Ipv4> {
        let within =
            |(address, length): (u32, u8), chance: &mut Chance| Ipv4Addr::from(address | chance.next() as u32 & !mask(length));
        let port = |(first, last): (u16, u16), chance: &mut Chance| first + chance.below(u32::from(last - first) + 1) as u16;
        let src = (within(self.src, chance), port(self.sports, chance));
        let dst = (within(self.dst, chance), port(self.dports, chance));
        let frame = if self.protocol == 17 { frames::udp(src, dst, 18) } else { frames::tcp(src, dst, 0) };
        parse::ip(&frame, 14, frame.len() - 14).expect("a right packet")
    }
}

/// The rules as a filter table: in FORWARD, each one with ACCEPT or DROP, policy DROP.
pub fn text(rules: &[Five]) -> String {
    let mut text = String::from("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n");
    for (number, rule) in rules.iter().enumerate() {
        text.push_str("-A FORWARD");
        rule.line(&mut text);
        text.push_str(if number % 3 == 0 { " -j DROP\n" } else { " -j ACCEPT\n" });
    }
    text.push_str("COMMIT\n");
    text
}

/// So many packets, each about one of the rules.
pub fn packets(rules: &[Five], count: usize) -> Vec<Header<Ipv4>> {
    let mut chance = Chance(0x00b5_eed5);
    (0..count).map(|_| rules[chance.below(rules.len() as u32) as usize].packet(&mut chance)).collect()
}
