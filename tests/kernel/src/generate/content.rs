//! `string` and `u32`: bytes and words of packets of all kinds, of connections whose packets differ in their data alone, and of datagrams in pieces.

use super::random::Random;
use super::{Made, Rules, any_packet, client, send, server};
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

/// Where headers end and data begin, and beside them.
const PLACES: [u64; 16] = [0, 1, 9, 12, 19, 20, 24, 27, 28, 39, 40, 47, 48, 60, 68, 1000];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let letters = *random.pick(&[&b"ab"[..], b"abAB", b"aA@`[{", b"a\xe4\xc4\xf7\xd7", b"\x00\xff\x01\xdf"]);
    // What lies over the edge of two pieces the kernel finds by the other way alone.
    let ways: &[&str] = if random.chance(60) { &["bm", "kmp"] } else { &["kmp"] };
    for _ in 0..random.between(2, 8) {
        let (table, chain) = *random.pick(&[
            ("raw", "PREROUTING"),
            ("mangle", "PREROUTING"),
            ("mangle", "FORWARD"),
            ("filter", "INPUT"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("nat", "PREROUTING"),
        ]);
        let which = *random.pick(&["", "", "", "-p udp ", "-p tcp ", "-p tcp -m tcp --dport 80 ", "-m mark --mark 1 "]);
        let target = match random.below(8) {
            0 | 1 if table != "nat" => "-j DROP",
            2 if table == "mangle" || table == "raw" => "-j MARK --set-mark 1",
            3 => "-j RETURN",
            4 => "-j ACCEPT",
            _ => "",
        };
        // A transport test may stand behind it as well.
        let behind = if which.is_empty() && random.chance(20) { "-p udp -m udp --dport 53 " } else { "" };
        let test = if random.chance(55) { string(random, letters, ways) } else { words(random) };
        rules.add(table, chain, &format!("{which}{test}{behind}{target}"));
    }
    if random.chance(60) {
        rules.add("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED -j ACCEPT");
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(2, 5) {
        match random.below(5) {
            0 | 1 => connection(random, letters, &mut steps),
            2 | 3 if ways.len() == 1 => datagram(random, letters, &mut steps),
            _ => {
                for _ in 0..random.between(1, 6) {
                    let (port, mut ip) = any_packet(random);
                    vary(random, letters, &mut ip);
                    send(random, &mut steps, port, &ip);
                }
            }
        }
    }
    (rules, steps)
}

/// A test of bytes: mostly of such as packets have, which come again within themselves.
fn string(random: &mut Random, letters: &[u8], ways: &[&str]) -> String {
    // Written in hexadecimal, a byte less than the longest one.
    let len = *random.pick(&[1, 1, 2, 2, 3, 3, 4, 5, 8, 13, 127]);
    let mut pattern = data(random, letters, len);
    if random.chance(10) {
        pattern = vec![*random.pick(letters); len];
    }
    let mut words = format!("-m string {}--hex-string |", random.not());
    pattern.iter().for_each(|byte| words += &format!("{byte:02x}"));
    // One of the kernel's ways misses some letters that have no large one.
    let ignore_case = random.chance(30);
    let way = if ignore_case && letters.contains(&0xdf) { "kmp" } else { *random.pick(ways) };
    words += &format!("| --algo {way} ");
    let from = random.pick(&PLACES) + random.below(4);
    if random.chance(50) {
        words += &format!("--from {from} ");
    }
    if random.chance(50) {
        let least = if words.contains("--from") { from } else { 0 };
        let more = *random.pick(&[0, len as u64 - 1, len as u64, len as u64 + 1, 9, 40]);
        words += &format!("--to {} ", (least + more).min(65_535));
    }
    words + if ignore_case { "--icase " } else { "" }
}

/// A test of words: such as people write, and any.
fn words(random: &mut Random) -> String {
    let parts: Vec<String> = (0..random.between(1, 3)).map(|_| part(random)).collect();
    format!("-m u32 {}--u32 {} ", random.not(), parts.join("&&"))
}

fn part(random: &mut Random) -> String {
    let begin = match (random.below(6), random.ipv6) {
        (0, false) => "6&0xff".to_owned(),
        (0, true) => "6>>8&0xff".to_owned(),
        // Behind IPv4's header, at a byte of what is there.
        (1 | 2, false) => format!("0>>22&0x3c@{}", random.pick(&[0, 2, 4, 8, 12, 20, 21])),
        (3, _) => "0&0xffff".to_owned(),
        _ => {
            let start = *random.pick(&PLACES) + random.below(4);
            let start = if random.chance(5) { *random.pick(&[0xffff_fffc, 0xffff_fffd, 0xffff_ffff, 0x7fff_ffff]) } else { start };
            format!("{start:#x}")
        }
    };
    let mut words = begin;
    for _ in 0..random.below(4) {
        words += &match random.below(6) {
            0 => format!("&{:#x}", random.pick(&[0xffff_u64, 0xff, 0x3c, 1, 0xffff_0000, 0x2020_2020, 0])),
            1 => format!("<<{}", random.pick(&[0, 1, 8, 16, 31])),
            2 | 3 => format!(">>{}", random.pick(&[0, 1, 8, 16, 24, 31])),
            _ => format!("@{}", random.pick(&[0_u64, 1, 2, 4, 8, 20, 0xffff_fffc, 0xffff_ffff])),
        };
    }
    let values: Vec<String> = (0..random.between(1, 3)).map(|_| values(random)).collect();
    format!("{words}={}", values.join(","))
}

fn values(random: &mut Random) -> String {
    const VALUES: [u64; 18] =
        [0, 1, 4, 6, 17, 28, 40, 53, 58, 80, 100, 0x61, 0x6162, 0x6161_6161, 0x4500_0000, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff];
    let (first, last) = (*random.pick(&VALUES), *random.pick(&VALUES));
    match random.below(4) {
        0 => format!("{first:#x}:{last:#x}"),
        1 | 2 => format!("{:#x}:{:#x}", first.min(last), first.max(last)),
        _ => format!("{first}"),
    }
}

fn data(random: &mut Random, letters: &[u8], len: usize) -> Vec<u8> {
    (0..len).map(|_| *random.pick(letters)).collect()
}

/// Data of letters, and now and then options, so that it begins further behind; cut short.
fn vary(random: &mut Random, letters: &[u8], ip: &mut Ip) {
    let headers = match ip.protocol {
        6 => usize::from(ip.payload[12] >> 4) * 4,
        17 | 1 | 58 => 8,
        _ => 0,
    };
    let len = *random.pick(&[0, 1, 3, 8, 20, 100]);
    ip.payload.truncate(headers);
    ip.payload.extend(data(random, letters, len));
    if ip.protocol == 17 {
        ip.payload[4..6].copy_from_slice(&(8 + len as u16).to_be_bytes());
    }
    if random.chance(15) {
        ip.options = if random.ipv6 { vec![1, 4, 0, 0, 0, 0] } else { vec![1; *random.pick(&[4, 12])] };
    }
    ip.seal();
    if random.chance(10) {
        ip.payload.truncate(random.below(ip.payload.len() as u64 + 1) as usize);
    }
}

/// What opens a connection, and more of it, each packet with other data.
fn connection(random: &mut Random, letters: &[u8], steps: &mut Vec<Step>) {
    let (here, there) = ((client(random), random.port()), (server(random), random.port()));
    let is_tcp = random.chance(60);
    let mut sent = [1001, 5001];
    if is_tcp {
        send(random, steps, Port::Eth0, &Ip::tcp(here, there, 0x02, 1000, 0, &[], b""));
        send(random, steps, Port::Eth1, &Ip::tcp(there, here, 0x12, 5000, 1001, &[], b""));
        send(random, steps, Port::Eth0, &Ip::tcp(here, there, 0x10, 1001, 5001, &[], b""));
    }
    for _ in 0..random.between(2, 10) {
        let len = *random.pick(&[0, 1, 2, 5, 8, 13, 60, 1000]);
        let data = data(random, letters, len);
        let back = random.chance(30);
        let (port, from, to) = if back { (Port::Eth1, there, here) } else { (Port::Eth0, here, there) };
        let ip = if is_tcp {
            let (seq, ack) = (sent[usize::from(back)], sent[usize::from(!back)]);
            sent[usize::from(back)] += data.len() as u32;
            Ip::tcp(from, to, 0x10, seq, ack, &[], &data)
        } else {
            Ip::udp(from, to, &data)
        };
        send(random, steps, port, &ip);
    }
}

/// A datagram in pieces, which rules see whole where connections are tracked.
fn datagram(random: &mut Random, letters: &[u8], steps: &mut Vec<Step>) {
    let len = *random.pick(&[40, 100, 600, 3000]);
    let data = data(random, letters, len);
    let (from, to) = ((client(random), random.port()), (server(random), random.port()));
    let mut ip = if random.chance(70) { Ip::udp(from, to, &data) } else { Ip::icmp(from.0, to.0, 8, 0, [0, 1, 0, 1], &data) };
    ip.id = random.below(65_536) as u16;
    for piece in ip.fragments((len / 3).max(16)) {
        send(random, steps, Port::Eth0, &piece);
    }
}
