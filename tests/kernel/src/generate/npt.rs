//! SNPT and DNPT: a network behind another one's prefix in both directions, with what errors quote of it; and prefixes of any length for each other, for
//! whatever comes by.

use std::net::{IpAddr, Ipv6Addr};

use super::random::Random;
use super::{Made, Rules, any_packet, send};
use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

/// Prefixes of the wires, of a network behind the gateway and of such as nobody has.
const PREFIXES: [&str; 14] = [
    "2001:db8:a00::/64",
    "2001:db8:a00::/48",
    "2001:db8:a00:1::/64",
    "2001:db8:cb00:71::/64",
    "2001:db8:cb00::/48",
    "2001:db8::/32",
    "fd01:203:405::/48",
    "fd01:203:405:6::/64",
    "fd01:203:405:600::/56",
    "fd01:203:404::/47",
    "fd01:203:405:4::/62",
    "fd01::/16",
    "2001:db8:ffff:ffff::/64",
    "2001:db8:f000::/49",
];

/// A prefix that is taken off, and one that is put on.
struct Change {
    from: (Ipv6Addr, u8),
    to: (Ipv6Addr, u8),
}

fn network(text: &str) -> (Ipv6Addr, u8) {
    let (address, len) = text.split_once('/').unwrap_or((text, "128"));
    (address.parse().unwrap_or(Ipv6Addr::UNSPECIFIED), len.parse().unwrap_or(128))
}

impl Change {
    fn new(from: &str, to: &str) -> Self {
        Self { from: network(from), to: network(to) }
    }

    /// Where a packet has to go that is to be found behind the other prefix: RFC 6296, section 3, in its own terms, which are sums of 16 bits whose carry comes
    /// round. What becomes of the packet the kernel says, not this.
    fn of(&self, address: IpAddr) -> IpAddr {
        let IpAddr::V6(address) = address else { return address };
        let len = self.from.1.max(self.to.1);
        let mut words = address.segments();
        for bit in 0..usize::from(len) {
            let one = 0x8000u16 >> (bit % 16);
            words[bit / 16] = words[bit / 16] & !one | self.to.0.segments()[bit / 16] & one;
        }
        // In such sums the complement is the negative.
        let gone = self.to.0.segments().map(|word| !word);
        let adjustment = self.from.0.segments().into_iter().chain(gone).fold(0, add);
        let taker = if len <= 48 { Some(3) } else { words.iter().skip(4).position(|word| *word != 0xffff).map(|at| 4 + at) };
        if let Some(taker) = taker {
            let sum = add(words[taker], adjustment);
            words[taker] = if sum == 0xffff { 0 } else { sum };
        }
        Ipv6Addr::from(words).into()
    }
}

fn add(one: u16, other: u16) -> u16 {
    let (sum, carry) = one.overflowing_add(other);
    sum + u16::from(carry)
}

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    match random.below(4) {
        0 => {
            rules.add("raw", "PREROUTING", "-j CT --notrack");
            rules.add("raw", "OUTPUT", "-j CT --notrack");
            rules.add("filter", "FORWARD", "-m conntrack --ctstate UNTRACKED");
        }
        1 => {
            for state in ["NEW", "INVALID", "ESTABLISHED", "RELATED"] {
                rules.add("filter", "FORWARD", &format!("-m conntrack --ctstate {state}"));
            }
        }
        2 => {
            if random.chance(50) {
                rules.add("nat", "POSTROUTING", "-o eth1 -p udp -j SNAT --to-source 10.0.1.100");
            } else {
                rules.add("nat", "PREROUTING", "-i eth1 -p tcp -j DNAT --to-destination 10.0.0.4");
            }
        }
        _ => {}
    }
    let steps = if random.chance(55) { both_ways(random, &mut rules) } else { any(random, &mut rules) };
    for chain in ["FORWARD", "INPUT"] {
        rules.add("filter", chain, "-s 2001:db8::/32");
        rules.add("filter", chain, "-d 2001:db8:a00::/48");
        rules.add("filter", chain, "-d fd01::/16");
    }
    rules.add("security", "INPUT", "-s fd01::/16");
    (rules, steps)
}

/// A network behind a prefix, as it is meant.
fn both_ways(random: &mut Random, rules: &mut Rules) -> Vec<Step> {
    let inside = *random.pick(&["2001:db8:a00::/64", "2001:db8:a00::/64", "2001:db8:a00::/48", "2001:db8:a00::/60"]);
    let outside = *random.pick(&["2001:db8:cb00:99::/64", "2001:db8:bad::/48", "fd01:203:405:10::/60", "fd01:203:405::/48"]);
    let out = Change::new(inside, outside);
    rules.add("mangle", "POSTROUTING", &format!("-o eth1 -s {inside} -j SNPT --src-pfx {inside} --dst-pfx {outside}"));
    let whom = random.pick(&[format!("-i eth1 -d {outside} "), format!("-d {outside} "), String::from("-i eth1 ")]).clone();
    rules.add("mangle", "PREROUTING", &format!("{whom}-j DNPT --src-pfx {outside} --dst-pfx {inside}"));
    if random.chance(30) {
        rules.add("mangle", "INPUT", &format!("-j SNPT --src-pfx {outside} --dst-pfx {inside}"));
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(4, 14) {
        if !steps.is_empty() && random.chance(50) {
            let to = random.below(steps.len() as u64) as usize;
            let with = match random.below(5) {
                0 => Answer::Tcp { flags: 0x12, seq: 1, ack: 1, data: 0 },
                1 => Answer::Udp { data: 5 },
                2 => Answer::Echo,
                _ => Answer::Error { kind: 3, code: 1, quote: *random.pick(&[8, 39, 40, 48, 60, 100]) },
            };
            steps.push(Step::Answer { to, with });
            continue;
        }
        let (port, mut ip) = any_packet(random);
        if port == Port::Eth1 && random.chance(70) {
            ip.dst = out.of(ip.dst);
            ip.seal();
        }
        spread(random, &mut ip);
        send(random, &mut steps, port, &ip);
    }
    if random.chance(20) {
        // An error in pieces, which may part the header that it quotes. Nobody answers them: identifications are random.
        let (here, there) = (out.of(super::client(random)), super::server(random));
        let quoted = Ip::udp((here, 2000), (there, 53), b"data").packet();
        let error = Ip::icmp(there, here, 3, 1, [0; 4], &quoted);
        let size = *random.pick(&[8, 24, 40, 48, 56]);
        let frames = error.fragments(size).iter().map(|piece| piece.frame(Port::Eth1)).collect();
        steps.push(Step::Packets(Port::Eth1, frames));
    }
    steps
}

/// Any prefix for any other, for whoever comes by.
fn any(random: &mut Random, rules: &mut Rules) -> Vec<Step> {
    let ways = [("PREROUTING", "DNPT"), ("OUTPUT", "DNPT"), ("INPUT", "SNPT"), ("POSTROUTING", "SNPT")];
    for (chain, target) in ways {
        for _ in 0..random.between(0, 2) {
            let (from, to) = (*random.pick(&PREFIXES), *random.pick(&PREFIXES));
            let side = if target == "DNPT" { "d" } else { "s" };
            let whom = match random.below(4) {
                0 => String::new(),
                1 => (*random.pick(&["-p tcp ", "-p udp ", "-p ipv6-icmp "])).to_owned(),
                _ => format!("-{side} {from} "),
            };
            rules.add("mangle", chain, &format!("{whom}-j {target} --src-pfx {from} --dst-pfx {to}"));
        }
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(4, 12) {
        if random.chance(15) {
            let (src, dst) = (random.address(10, 0, 1, 1), super::server(random));
            steps.push(Step::Local(Ip::udp((src, 2000), (dst, random.port()), b"d").packet()));
            continue;
        }
        let (port, mut ip) = any_packet(random);
        if random.chance(30) {
            ip.dst = Change::new(PREFIXES[0], random.pick::<&str>(&PREFIXES)).of(ip.dst);
            ip.seal();
        }
        spread(random, &mut ip);
        send(random, &mut steps, port, &ip);
    }
    steps
}

/// Words of all ones, which take no difference, in either address.
fn spread(random: &mut Random, ip: &mut Ip) {
    let mut ones = |address: &mut IpAddr| {
        if let IpAddr::V6(old) = *address
            && random.chance(25)
        {
            let words: u128 = (0..5).filter(|_| random.chance(60)).map(|at| 0xffff << (16 * at)).sum();
            *address = Ipv6Addr::from_bits(old.to_bits() | words).into();
        }
    };
    // Who is on a wire is found there by his address.
    let is_near = matches!(ip.dst, IpAddr::V6(dst) if dst.segments()[..3] == [0x2001, 0xdb8, 0xa00] && dst.segments()[3] < 2);
    ones(&mut ip.src);
    if !is_near {
        ones(&mut ip.dst);
    }
    ip.seal();
}
