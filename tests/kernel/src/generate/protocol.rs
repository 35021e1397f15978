//! Headers that neither TCP nor UDP has: the indexes of IPsec and compression, chunks of SCTP, types and options of DCCP; and in IPv6 all that may stand
//! before them. Whole, cut short and in pieces.

use super::random::Random;
use super::{Made, Rules, client, filter, send, server};
use crate::case::Step;
use crate::frame::{Ip, octets};
use crate::world::Port;

/// Indexes of packets, and beside them.
const INDEXES: [u32; 8] = [0, 1, 2, 255, 256, 500, 0x0100_0000, u32::MAX];
const CHUNKS: [(&str, u8); 8] = [
    ("DATA", 0),
    ("INIT", 1),
    ("SACK", 3),
    ("ABORT", 6),
    ("COOKIE_ACK", 11),
    ("SHUTDOWN_COMPLETE", 14),
    ("I_DATA", 64),
    ("ASCONF", 193),
];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for (table, chain) in [("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("filter", "FORWARD"), ("filter", "INPUT")] {
        for _ in 0..random.between(0, 5) {
            let header = if random.chance(20) { filter::matches(random, chain) } else { String::new() };
            let test = if random.ipv6 && random.chance(60) { extension(random) } else { transport(random) };
            if header.contains("-p ") && test.contains("-p ") {
                continue;
            }
            let target = *random.pick(&["", "", "", "-j ACCEPT", "-j DROP"]);
            rules.add(table, chain, &format!("{header}{test}{target}"));
        }
    }
    if random.chance(30) {
        rules.add("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED");
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(5, 16) {
        let (port, mut ip) = one(random);
        let times = if random.chance(20) { 3 } else { 1 };
        if random.chance(10) {
            ip.id = random.below(65_536) as u16;
            let pieces = ip.fragments(*random.pick(&[8, 16, 24]));
            pieces.iter().take(4).for_each(|piece| send(random, &mut steps, port, piece));
            continue;
        }
        for _ in 0..times {
            if random.ipv6 && random.chance(15) {
                steps.push(Step::Packets(port, vec![made_of_the_frame(ip.frame(port))]));
            } else {
                send(random, &mut steps, port, &ip);
            }
        }
    }
    (rules, steps)
}

/// The source's last half is made of the frame's source, now and then but for a bit. The transport checksum is wrong then: nobody minds.
fn made_of_the_frame(mut frame: Vec<u8>) -> Vec<u8> {
    let [a, b, c, d, e, f] = [6, 7, 8, 9, 10, 11].map(|at| frame[at]);
    frame[30..38].copy_from_slice(&[a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    if f % 3 == 0 {
        frame[30 + usize::from(f) % 8] ^= 1;
    }
    frame
}

fn span(random: &mut Random, values: &[u32]) -> String {
    let (first, last) = (*random.pick(values), *random.pick(values));
    match random.below(3) {
        0 => first.to_string(),
        1 => format!("{first}:{last}"),
        _ => format!("{}:{}", first.min(last), first.max(last)),
    }
}

fn transport(random: &mut Random) -> String {
    let not = random.not();
    match random.below(8) {
        0 => format!("-p 50 -m esp {not}--espspi {} ", span(random, &INDEXES)),
        1 if random.ipv6 => format!("-p 135 -m mh {not}--mh-type {} ", random.pick(&["1", "0:2", "5:7", "16"])),
        1 => format!("-p 51 -m ah {not}--ahspi {} ", span(random, &INDEXES)),
        2 => format!("-p 108 -m ipcomp {not}--ipcompspi {} ", span(random, &[0, 1, 2, 255, 256, 500])),
        3..=5 => {
            let mut words = String::from("-p 132 -m sctp ");
            if random.chance(30) {
                words += &format!("{}--dport {} ", random.not(), random.ports());
            }
            if random.chance(85) {
                let how = *random.pick(&["all", "any", "only"]);
                let list = match random.below(8) {
                    0 => "ALL".to_owned(),
                    1 => "NONE".to_owned(),
                    _ => {
                        let one = |random: &mut Random| match random.below(5) {
                            0 => (*random.pick(&["DATA:B", "DATA:bE", "DATA:u", "ABORT:T", "ABORT:t", "I_DATA:BE"])).to_owned(),
                            _ => random.pick(&CHUNKS).0.to_owned(),
                        };
                        (0..random.between(1, 3)).map(|_| one(random)).collect::<Vec<_>>().join(",")
                    }
                };
                words += &format!("{}--chunk-types {how} {list} ", random.not());
            }
            words
        }
        _ => {
            let mut words = String::from("-p 33 -m dccp ");
            if random.chance(30) {
                words += &format!("{}--sport {} ", random.not(), random.ports());
            }
            if random.chance(60) {
                let types = random.pick(&["REQUEST", "DATA,ACK", "RESET", "SYNC,SYNCACK,CLOSE", "INVALID"]);
                words += &format!("{}--dccp-types {types} ", random.not());
            }
            if random.chance(40) {
                words += &format!("{}--dccp-option {} ", random.not(), random.pick(&[1, 2, 37, 255]));
            }
            words
        }
    }
}

fn extension(random: &mut Random) -> String {
    let not = random.not();
    match random.below(10) {
        0 => {
            let mut words = format!("-m ah {not}--ahspi {} ", span(random, &INDEXES));
            if random.chance(50) {
                words += &format!("{}--ahlen {} ", random.not(), random.pick(&[0, 12, 16, 24]));
            }
            words + if random.chance(30) { "--ahres " } else { "" }
        }
        1 | 2 => {
            let mut words = String::from("-m rt ");
            let addresses = random.chance(40);
            if addresses || random.chance(50) {
                let not = if addresses { "" } else { random.not() };
                let kind = if addresses { 0 } else { *random.pick(&[0, 2, 4, 300]) };
                words += &format!("{not}--rt-type {kind} ");
            }
            if random.chance(40) {
                words += &format!("{}--rt-segsleft {} ", random.not(), span(random, &[0, 1, 2, 255]));
            }
            if random.chance(30) {
                words += &format!("{}--rt-len {} ", random.not(), random.pick(&[8, 16, 24, 40]));
            }
            if addresses {
                if random.chance(30) {
                    words += "--rt-0-res ";
                }
                let hosts = |random: &mut Random| hop(random).to_string();
                let list: Vec<String> = (0..random.between(1, 2)).map(|_| hosts(random)).collect();
                words += &format!("--rt-0-addrs {} ", list.join(","));
                words += if random.chance(50) { "--rt-0-not-strict " } else { "" };
            }
            words
        }
        3 | 4 => {
            let name = *random.pick(&["hbh", "dst"]);
            let mut words = format!("-m {name} ");
            if random.chance(50) {
                words += &format!("{}--{name}-len {} ", random.not(), random.pick(&[8, 16, 24]));
            }
            if random.chance(70) {
                let options = random.pick(&["5:2", "5", "1:4", "1,5:2", "4:1,5", "0,0", "5:2,0,0", "30:1", "201:16", "5:2,1"]);
                words += &format!("--{name}-opts {options} ");
            }
            words
        }
        5 => {
            let mut words = String::from("-m frag ");
            if random.chance(60) {
                words += &format!("{not}--fragid {} ", span(random, &[0, 0x1233, 0x1234, 0x1235, u32::MAX]));
            }
            for word in ["--fragres ", "--fragfirst "] {
                words += if random.chance(30) { word } else { "" };
            }
            words + random.pick::<&str>(&["", "", "--fragmore ", "--fraglast "])
        }
        6 => String::from("-m eui64 "),
        _ => {
            let names = ["hop", "dst", "route", "frag", "auth", "esp", "none", "prot"];
            let chosen: Vec<&str> = (0..random.between(1, 3)).map(|_| *random.pick(&names)).collect();
            let soft = if random.chance(50) { "--soft " } else { "" };
            format!("-m ipv6header {not}--header {} {soft}", chosen.join(","))
        }
    }
}

/// A host that a routing header names.
fn hop(random: &mut Random) -> std::net::IpAddr {
    let host = random.between(4, 5) as u8;
    random.address(10, 0, 1, host)
}

fn one(random: &mut Random) -> (Port, Ip) {
    let (port, src, dst) = match random.below(6) {
        0 => (Port::Eth0, client(random), random.address(10, 0, 0, 1)),
        1 => (Port::Eth1, server(random), client(random)),
        _ => (Port::Eth0, client(random), server(random)),
    };
    let index = *random.pick(&INDEXES);
    let bytes = index.to_be_bytes();
    let mut ip = match random.below(10) {
        0 => Ip::new(src, dst, 50, [&bytes[..], &[0, 0, 0, 1], &[7; 16]].concat()),
        1 if !random.ipv6 => Ip::new(src, dst, 51, [&[17, 4, 0, 0][..], &bytes, &[0, 0, 0, 1], &[7; 12], &[0; 8]].concat()),
        2 => Ip::new(src, dst, 108, [&[6, 0][..], &bytes[2..], &[7; 8]].concat()),
        3 if random.ipv6 => {
            let next = *random.pick(&[59, 59, 59, 17]);
            Ip::new(src, dst, 135, vec![next, 0, *random.pick(&[0, 1, 2, 6, 16]), 0, 0, 0, 0, 0])
        }
        3..=5 => sctp(random, src, dst),
        6 | 7 => dccp(random, src, dst),
        8 => Ip::udp((src, random.port()), (dst, random.port()), b"data"),
        _ => Ip::new(src, dst, 59, vec![1; 8]),
    };
    if random.ipv6 {
        ip.extensions = (0..random.below(3)).map(|_| header(random)).collect();
        if random.chance(20) {
            ip.options =
                random.pick(&[&[5, 2, 0, 0, 1, 0][..], &[1, 4, 0, 0, 0, 0], &[1, 0, 5, 2, 0, 1], &[0, 0, 30, 1, 0, 0]]).to_vec();
        }
        if random.chance(15) {
            // A fragment header round a whole packet.
            ip.fragment = 0x4000;
        }
    }
    if random.chance(12) {
        let len = random.below(ip.payload.len() as u64 + 1) as usize;
        ip.payload.truncate(len);
    }
    (port, ip)
}

fn sctp(random: &mut Random, src: std::net::IpAddr, dst: std::net::IpAddr) -> Ip {
    let chunks: Vec<(u8, u8, &[u8])> = (0..random.between(0, 3))
        .map(|_| {
            (random.pick(&CHUNKS).1, *random.pick(&[0, 1, 2, 3, 4, 7]), *random.pick(&[&[][..], &[1], &[1, 2, 3, 4], &[0; 16]]))
        })
        .collect();
    let mut ip = Ip::sctp((src, random.port()), (dst, random.port()), 7, &chunks);
    if random.chance(15) && ip.payload.len() >= 16 {
        // The first chunk says something else of its length.
        let len = *random.pick(&[0, 1, 3, 5, 17, 400]);
        ip.payload[14..16].copy_from_slice(&u16::to_be_bytes(len));
        ip.seal_sctp();
    }
    if random.chance(5) {
        ip.payload.extend([3, 0]);
        ip.seal_sctp();
    }
    ip
}

fn dccp(random: &mut Random, src: std::net::IpAddr, dst: std::net::IpAddr) -> Ip {
    let (kind, extended) = (random.below(12) as u8, random.below(2) as u8);
    let own = match kind {
        0 => 4,
        2 => 0,
        1 | 7 | 10.. => 12,
        _ => 8,
    };
    let mut packet = [random.port().to_be_bytes(), random.port().to_be_bytes()].concat();
    let options = *random.pick(&[&[][..], &[1, 1, 1, 1], &[37, 4, 0, 2], &[2, 37, 3, 255], &[255, 4, 37, 1]]);
    let offset = match random.below(6) {
        0 => random.below(10) as u8,
        _ => (12 + 4 * extended + own + options.len() as u8) / 4,
    };
    packet.extend([offset, 0, 0, 0, kind << 1 | extended, 0, 0, 1]);
    packet.extend(vec![37; usize::from(extended * 4 + own)]);
    packet.extend(options);
    packet.extend([2; 4]);
    Ip::new(src, dst, 33, packet)
}

/// An extension header.
fn header(random: &mut Random) -> (u8, Vec<u8>) {
    match random.below(6) {
        0 => {
            let reserved = *random.pick(&[0, 0, 1]);
            let spi = random.pick(&INDEXES).to_be_bytes();
            match random.below(3) {
                0 => (51, [&[1, 0, reserved][..], &spi, &[0, 0, 0, 1]].concat()),
                _ => (51, [&[4, 0, reserved][..], &spi, &[0, 0, 0, 1], &[7; 12]].concat()),
            }
        }
        1 | 2 => {
            let (left, reserved) = (*random.pick(&[0, 0, 1, 2]), *random.pick(&[0, 0, 9]));
            let hops: Vec<u8> = (0..random.below(3)).flat_map(|_| octets(hop(random))).collect();
            let kind = *random.pick(&[0, 0, 2, 4]);
            (43, [&[(hops.len() / 8) as u8, kind, left, 0, 0, 0, reserved][..], &hops].concat())
        }
        3 | 4 => {
            let lists: [&[u8]; 8] = [
                &[5, 2, 0, 0, 0, 0],
                &[1, 4, 0, 0, 0, 0],
                &[1, 0, 5, 2, 0, 0],
                &[4, 1, 5, 5, 1, 0],
                &[30, 1, 0, 1, 1, 0],
                &[0, 0, 0, 0, 0, 0],
                &[5, 2, 0, 0, 1, 200],
                &[201, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 2, 0, 0],
            ];
            let mut options = random.pick(&lists).to_vec();
            options.resize((options.len() + 2).next_multiple_of(8) - 2, 0);
            (60, [&[(options.len() / 8) as u8][..], &options].concat())
        }
        _ => (60, vec![0, 1, 4, 0, 0, 0, 0]),
    }
}
