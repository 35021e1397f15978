//! TCP, UDP and ICMP conversations under rules that ask for states: handshakes in every order, odd flags, windows, resets, mid-stream, one by one and
//! several in a burst.

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, client, send, server};

const STATES: [&str; 5] = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let chain = *random.pick(&["FORWARD", "FORWARD", "PREROUTING", "POSTROUTING"]);
    let table = if chain == "FORWARD" { "filter" } else { "mangle" };
    // One counting rule a state and direction shows what every packet was taken for.
    for state in STATES {
        rules.add(table, chain, &format!("-m conntrack --ctstate {state}"));
    }
    for question in [
        "--ctdir ORIGINAL",
        "--ctdir REPLY",
        "--ctstatus SEEN_REPLY",
        "--ctstatus ASSURED",
        "--ctstatus CONFIRMED",
        "--ctstatus NONE",
        "--ctproto tcp",
        "--ctorigdstport 80",
        "! --ctorigsrc 10.0.0.2",
        "--ctreplsrc 10.0.1.0/24",
        // The timeouts lie well inside: the kernel's clock runs. Of a first packet the kernel tells no time (deviation `ctexpire-first`).
        "--ctstatus CONFIRMED --ctexpire 0:20",
        "--ctstatus CONFIRMED --ctexpire 21:50",
        "--ctstatus CONFIRMED --ctexpire 51:100",
        "--ctstatus CONFIRMED --ctexpire 101:200",
        "--ctstatus CONFIRMED --ctexpire 201:400000",
    ] {
        if random.chance(40) {
            rules.add(table, chain, &format!("-m conntrack {question}"));
        }
    }
    if random.chance(30) {
        rules.add("filter", "FORWARD", "-m conntrack --ctstate INVALID -j DROP");
    }
    if random.chance(20) {
        rules.add("filter", "FORWARD", "-m state --state NEW -i eth1 -j DROP");
    }
    if random.chance(15) {
        rules.add("raw", "PREROUTING", "-p udp --dport 53 -j CT --notrack");
        rules.add("raw", "PREROUTING", "-p tcp --dport 81 -j NOTRACK");
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(1, 3) {
        match random.below(6) {
            0..=3 => tcp(random, &mut steps),
            4 => udp(random, &mut steps),
            _ => icmp(random, &mut steps),
        }
    }
    (rules, steps)
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// A walk through TCP's states, mostly right, each side with its own idea of the numbers.
pub(super) fn tcp(random: &mut Random, steps: &mut Vec<Step>) {
    let ends = [(client(random), random.between(1025, 1028) as u16), (server(random), *random.pick(&[80, 80, 22, 81]))];
    let ports = [Port::Eth0, Port::Eth1];
    let scaled = random.chance(40);
    let mut next = [random.below(1 << 32) as u32, random.below(1 << 32) as u32];
    let mut script: Vec<(usize, u8)> = match random.below(8) {
        // Simultaneous open.
        0 => vec![(0, SYN), (1, SYN), (0, SYN | ACK), (1, SYN | ACK)],
        // Mid-stream.
        1 => vec![(0, ACK), (1, ACK), (0, ACK | PSH)],
        // Refused.
        2 => vec![(0, SYN), (1, RST | ACK), (0, SYN)],
        // Lost answer.
        3 => vec![(0, SYN), (0, SYN), (1, SYN | ACK), (1, SYN | ACK), (0, ACK)],
        _ => vec![(0, SYN), (1, SYN | ACK), (0, ACK)],
    };
    for _ in 0..random.between(0, 8) {
        let flags =
            *random.pick(&[ACK, ACK, ACK | PSH, ACK | PSH, FIN | ACK, FIN | ACK, RST, RST | ACK, SYN, SYN | ACK, 0, FIN, ACK | 32]);
        script.push((random.below(2) as usize, flags));
    }
    for (side, flags) in script {
        let data = if flags & (SYN | RST) == 0 { *random.pick(&[0, 0, 1, 100, 1000]) } else { 0 };
        let odd =
            if random.chance(15) { *random.pick(&[1, u32::MAX, 8191, 8192, 8193, 66_000, 0x4000_0000, 0xc000_0000]) } else { 0 };
        let odd_ack = if random.chance(10) { *random.pick(&[1, u32::MAX, 66_000, 0x8000_0000]) } else { 0 };
        let seq = next[side].wrapping_add(odd);
        let ack = if flags & ACK != 0 { next[1 - side].wrapping_add(odd_ack) } else { 0 };
        let options: &[u8] = match (flags & SYN != 0, scaled) {
            (true, true) => &[2, 4, 5, 180, 1, 3, 3, 2, 4, 2],
            (true, false) => &[2, 4, 5, 180],
            _ => &[],
        };
        let mut ip = Ip::tcp(ends[side], ends[1 - side], flags, seq, ack, options, &vec![b'x'; data]);
        if random.chance(3) {
            // A wrong checksum.
            ip.payload[16] ^= 1;
        }
        send(random, steps, ports[side], &ip);
        if odd == 0 {
            next[side] = next[side].wrapping_add(data as u32 + u32::from(flags & FIN) + u32::from(flags & SYN != 0));
        }
    }
}

pub(super) fn udp(random: &mut Random, steps: &mut Vec<Step>) {
    let (a, b) = ((client(random), random.between(1025, 1027) as u16), (server(random), *random.pick(&[53, 80])));
    for _ in 0..random.between(1, 5) {
        let data = vec![b'u'; *random.pick(&[0, 1, 40])];
        let (port, mut ip) =
            if random.chance(60) { (Port::Eth0, Ip::udp(a, b, &data)) } else { (Port::Eth1, Ip::udp(b, a, &data)) };
        match random.below(10) {
            0 => ip.payload[6..8].fill(0),
            1 => ip.payload[7] ^= 1,
            _ => {}
        }
        send(random, steps, port, &ip);
        if random.chance(20) {
            steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Udp { data: 5 } });
        }
    }
}

pub(super) fn icmp(random: &mut Random, steps: &mut Vec<Step>) {
    let (a, b) = (client(random), server(random));
    for _ in 0..random.between(1, 5) {
        let kind = *random.pick(&[8, 8, 0, 13, 14, 15, 17, 10, 30]);
        let rest = [0, random.below(2) as u8, 0, 1];
        let (port, ip) = if random.chance(60) {
            (Port::Eth0, Ip::icmp(a, b, kind, 0, rest, b"ping"))
        } else {
            (Port::Eth1, Ip::icmp(b, a, kind, 0, rest, b"ping"))
        };
        send(random, steps, port, &ip);
        if random.chance(40) {
            steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Echo });
        }
    }
}
