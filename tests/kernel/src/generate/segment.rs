//! What is done to TCP's options and to the bits of congestion and of service classes (TCPMSS, TCPOPTSTRIP, DSCP, ECN), and `tcpmss`: lists of options of
//! all shapes, by ways of which some are narrow, and connections whose later packets meet the same rules.

use super::random::Random;
use super::{Made, Rules, client, filter, send, server};
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

/// Values of the option at the edges of what rules and ways allow: 1460 and 1360 fit the ways in IPv4, 1440 and 1340 in IPv6.
const SIZES: [u16; 17] = [0, 1, 535, 536, 537, 1219, 1220, 1221, 1339, 1340, 1341, 1360, 1361, 1440, 1460, 1461, 65535];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    // An MSS at an odd place is the kernel's to spoil (docs/deviations.md, `mss-at-odd`): where there is one, nothing changes it.
    let odd = random.chance(30);
    for chain in ["PREROUTING", "FORWARD", "OUTPUT", "POSTROUTING"] {
        for _ in 0..random.between(0, 3) {
            let header = if random.chance(30) { filter::matches(random, chain) } else { String::new() };
            if let Some(rule) = change(random, &header, chain, odd) {
                rules.add("mangle", chain, &rule);
            }
        }
    }
    for (table, chain) in [("raw", "PREROUTING"), ("filter", "FORWARD"), ("nat", "POSTROUTING"), ("raw", "OUTPUT")] {
        if !odd && random.chance(15) {
            rules.add(table, chain, &format!("-p tcp --syn -j TCPMSS --set-mss {}", random.pick(&SIZES[..15])));
        }
    }
    for (table, chain) in [("raw", "PREROUTING"), ("mangle", "POSTROUTING"), ("filter", "FORWARD"), ("filter", "INPUT")] {
        for _ in 0..random.between(0, 2) {
            let target = *random.pick(&["", "", "", "-j DROP", "-j ACCEPT"]);
            let test = mss(random);
            rules.add(table, chain, &format!("-p tcp {test}{target}"));
        }
    }
    if random.chance(60) {
        rules.add("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED");
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(3, 9) {
        match random.below(4) {
            0 => connection(random, &mut steps, odd),
            1 if random.chance(50) => local(random, &mut steps, odd),
            _ => single(random, &mut steps, odd),
        }
    }
    (rules, steps)
}

/// A rule that changes something. Headers that ask for another protocol are kept for what is of all protocols.
fn change(random: &mut Random, header: &str, chain: &str, odd: bool) -> Option<String> {
    let of_all = |random: &mut Random| match random.below(if random.ipv6 { 1 } else { 2 }) {
        0 => format!("{header}-j DSCP --set-dscp {:#x}", random.pick(&[0, 1, 0x2e, 0x3f])),
        _ => format!("{header}-j ECN --ecn-ip-ect {}", random.below(4)),
    };
    if header.contains("-p ") {
        return Some(of_all(random));
    }
    let test = if random.chance(30) { mss(random) } else { String::new() };
    Some(match random.below(8) {
        0..=3 if odd => return None,
        0 | 1 => {
            let flags = random.pick(&["--syn", "--tcp-flags SYN,RST SYN", "--tcp-flags SYN SYN"]);
            format!("{header}-p tcp -m tcp {flags} {test}-j TCPMSS --set-mss {}", random.pick(&SIZES).min(&65495))
        }
        2 | 3 if chain == "PREROUTING" => return None,
        2 | 3 => format!("{header}-p tcp -m tcp --tcp-flags SYN,RST SYN {test}-j TCPMSS --clamp-mss-to-pmtu"),
        4 | 5 => {
            let kinds = random.pick(&["2", "3,4", "8", "2,5,19", "9", "4,8,30", "255"]);
            format!("{header}-p tcp {test}-j TCPOPTSTRIP --strip-options {kinds}")
        }
        6 if !random.ipv6 => {
            let what = random.pick(&[
                "--ecn-tcp-remove",
                "--ecn-tcp-ece 1",
                "--ecn-tcp-cwr 1 --ecn-tcp-ece 0",
                "--ecn-tcp-cwr 0",
                "--ecn-tcp-ece 1 --ecn-ip-ect 2",
            ]);
            format!("{header}-p tcp {test}-j ECN {what}")
        }
        _ => of_all(random),
    })
}

fn mss(random: &mut Random) -> String {
    let (first, last) = (*random.pick(&SIZES), *random.pick(&SIZES));
    let not = random.not();
    match random.below(3) {
        0 => format!("-m tcpmss {not}--mss {first} "),
        _ => format!("-m tcpmss {not}--mss {}:{} ", first.min(last), first.max(last)),
    }
}

/// A list of options: all of even length, unless odd places are wanted.
fn options(random: &mut Random, odd: bool) -> Vec<u8> {
    let mut list = Vec::new();
    for _ in 0..random.between(0, 4) {
        let [high, low] = random.pick(&SIZES).to_be_bytes();
        let even: [&[u8]; 13] = [
            &[2, 4, high, low],
            &[2, 4, high, low],
            &[2, 4, high, low],
            &[4, 2],
            &[8, 10, 1, 2, 3, 4, 5, 6, 7, 8],
            &[1, 3, 3, 7],
            &[1, 1],
            &[0, 0],
            &[9, 0],
            &[30, 1],
            &[30, 4, 2, 4],
            &[2, 6, 5, 180, 1, 1],
            &[19, 18, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255],
        ];
        list.extend(*random.pick(&even));
        if odd && random.chance(40) {
            list.extend(*random.pick(&[&[1_u8][..], &[3, 3, 7], &[0], &[255, 3, 9], &[30, 200, 1]]));
        }
    }
    if random.chance(5) {
        list.extend([2, 200]);
    }
    if random.chance(3) {
        list.resize(40, 1);
    }
    list.truncate(40);
    list
}

/// A host on the narrow way, or on another one.
fn beyond(random: &mut Random) -> std::net::IpAddr {
    let host = random.between(1, 3) as u8;
    if random.chance(40) { random.address(198, 51, 100, host) } else { server(random) }
}

/// What opens a connection, as it may and as it may not be.
fn single(random: &mut Random, steps: &mut Vec<Step>, odd: bool) {
    let (port, src, dst) = match random.below(8) {
        0 => (Port::Eth0, client(random), random.address(10, 0, 0, 1)),
        1 | 2 => (Port::Eth1, beyond(random), client(random)),
        _ => (Port::Eth0, client(random), beyond(random)),
    };
    let (here, there) = ((src, random.port()), (dst, random.port()));
    let flags = *random.pick(&[0x02, 0x02, 0x02, 0x12, 0xc2, 0x10, 0x06, 0x52]);
    let data = vec![b'd'; *random.pick(&[0, 0, 0, 0, 1, 40])];
    let options = options(random, odd);
    let mut ip = Ip::tcp(here, there, flags, 1000, 0, &options, &data);
    ip.tos = *random.pick(&[0, 0, 1, 2, 3, 0xb8, 0xff]);
    match random.below(16) {
        0 => {
            ip.payload[12] = (random.below(16) as u8) << 4;
            ip.seal();
        }
        1 => ip.payload.truncate(random.between(16, 28) as usize),
        2 if !random.ipv6 => ip.options = vec![1; *random.pick(&[1, 8])],
        _ => {}
    }
    if random.chance(8) {
        // What stands behind the header is taken for one in later pieces.
        ip.payload.resize(ip.payload.len() + 80, 0x51);
        ip.id = random.below(65_536) as u16;
        for piece in ip.fragments(*random.pick(&[8, 24, 40])).into_iter().take(3) {
            send(random, steps, port, &piece);
        }
        return;
    }
    send(random, steps, port, &ip);
}

/// A program on the box opens one.
fn local(random: &mut Random, steps: &mut Vec<Step>, odd: bool) {
    let (src, dst) = match random.below(3) {
        0 => (random.address(10, 0, 0, 1), client(random)),
        _ => (random.address(10, 0, 1, 1), beyond(random)),
    };
    let (sport, dport) = (random.between(2000, 2004) as u16, random.port());
    let options = options(random, odd);
    steps.push(Step::Local(Ip::tcp((src, sport), (dst, dport), 0x02, 1000, 0, &options, b"").packet()));
}

/// A whole opening, and some data both ways.
fn connection(random: &mut Random, steps: &mut Vec<Step>, odd: bool) {
    let (here, there) = ((client(random), random.port()), (beyond(random), random.port()));
    let (first, second) = (options(random, odd), options(random, odd));
    send(random, steps, Port::Eth0, &Ip::tcp(here, there, 0xc2, 1000, 0, &first, b""));
    send(random, steps, Port::Eth1, &Ip::tcp(there, here, 0x52, 5000, 1001, &second, b""));
    send(random, steps, Port::Eth0, &Ip::tcp(here, there, 0x10, 1001, 5001, &[], b""));
    let mut sent = 1001;
    for _ in 0..random.between(1, 5) {
        let stamps: &[u8] = if random.chance(40) { &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2] } else { &[] };
        let mut ip = Ip::tcp(here, there, 0x18 | random.pick(&[0, 0x40, 0x80]), sent, 5001, stamps, b"data");
        ip.tos = *random.pick(&[0, 0, 2, 3]);
        sent += 4;
        send(random, steps, Port::Eth0, &ip);
        send(random, steps, Port::Eth1, &Ip::tcp(there, here, 0x10, 5001, sent, stamps, b""));
    }
}
