//! SCTP associations in every order of chunks, with right and wrong tags; and the protocols that tracking knows but little: GRE, DCCP, UDP-Lite.

use std::net::IpAddr;

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::{self, Ip, checksum};
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, client, packet, server};

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const ABORT: u8 = 6;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;
const ERROR: u8 = 9;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;

const ALL: [u8; 16] = [
    DATA,
    INIT,
    INIT_ACK,
    SACK,
    HEARTBEAT,
    HEARTBEAT_ACK,
    ABORT,
    SHUTDOWN,
    SHUTDOWN_ACK,
    ERROR,
    COOKIE_ECHO,
    COOKIE_ACK,
    SHUTDOWN_COMPLETE,
    13,
    15,
    192,
];

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for state in ["NEW", "ESTABLISHED", "RELATED", "INVALID"] {
        rules.add("filter", "FORWARD", &format!("-m conntrack --ctstate {state}"));
    }
    rules.add("filter", "FORWARD", "-m conntrack --ctdir REPLY");
    rules.add("filter", "FORWARD", "-m conntrack --ctstatus ASSURED");
    for (first, last) in [(0, 1), (2, 5), (6, 15), (16, 100), (101, 400_000)] {
        rules.add("filter", "FORWARD", &format!("-m conntrack --ctstatus CONFIRMED --ctexpire {first}:{last}"));
    }
    match random.below(6) {
        0 => rules.add("nat", "POSTROUTING", "-o eth1 -j MASQUERADE"),
        1 => rules.add("nat", "POSTROUTING", "-o eth1 -p sctp -j SNAT --to-source 10.0.1.100:5000-5003"),
        2 => rules.add("nat", "PREROUTING", "-p sctp -i eth0 -j DNAT --to-destination 10.0.1.3:2905"),
        _ => {}
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(1, 3) {
        if random.chance(80) { association(random, &mut steps) } else { others(random, &mut steps) }
    }
    (rules, steps)
}

/// Both ends' tags as each chunk says and carries them; a script that is right, and what goes wrong with it.
pub(super) fn association(random: &mut Random, steps: &mut Vec<Step>) {
    let ends = [(client(random), random.between(1025, 1026) as u16), (server(random), *random.pick(&[80, 2905]))];
    let tags = [0x1111_0000 + random.below(2) as u32, 0x2222_0000 + random.below(2) as u32];
    let mut script: Vec<(usize, u8)> = match random.below(8) {
        0 => vec![],
        1 => vec![(0, HEARTBEAT), (1, HEARTBEAT_ACK)],
        2 => vec![(0, INIT), (1, INIT), (0, INIT_ACK), (1, INIT_ACK)],
        3 => vec![(0, INIT), (1, INIT_ACK)],
        4 => vec![(0, SHUTDOWN_ACK)],
        _ => vec![(0, INIT), (1, INIT_ACK), (0, COOKIE_ECHO), (1, COOKIE_ACK)],
    };
    match random.below(5) {
        0 => script.extend([(0, SHUTDOWN), (1, SHUTDOWN_ACK), (0, SHUTDOWN_COMPLETE)]),
        1 => script.extend([(1, SHUTDOWN), (0, SHUTDOWN_ACK), (1, SHUTDOWN_COMPLETE)]),
        2 => script.push((random.below(2) as usize, SHUTDOWN)),
        _ => {}
    }
    for _ in 0..random.between(0, 6) {
        let at = random.below(script.len() as u64 + 1) as usize;
        script.insert(at, (random.below(2) as usize, *random.pick(&ALL)));
    }
    for (side, kind) in script {
        let mut tag = match kind {
            INIT => 0,
            _ => tags[1 - side],
        };
        if random.chance(8) {
            tag = *random.pick(&[0, 1, tags[side]]);
        }
        let initiate = if random.chance(5) { 7 } else { tags[side] };
        let mut value = match kind {
            INIT | INIT_ACK => [&initiate.to_be_bytes()[..], &[0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 9]].concat(),
            DATA => vec![b'd'; 13],
            COOKIE_ECHO => vec![b'c'; 9],
            HEARTBEAT | HEARTBEAT_ACK => vec![0, 1, 0, 4],
            SHUTDOWN => vec![0; 4],
            _ => vec![],
        };
        if random.chance(3) {
            value.truncate(random.below(17) as usize);
        }
        let more = random.chance(10).then(|| *random.pick(&ALL));
        let flags = u8::from(random.chance(10));
        let mut chunks = vec![(kind, flags, &value[..])];
        if let Some(more) = more {
            let at = random.below(2) as usize;
            chunks.insert(at, (more, 0, &[]));
        }
        let mut ip = Ip::sctp(ends[side], ends[1 - side], tag, &chunks);
        match random.below(40) {
            // A wrong checksum.
            0 => ip.payload[8] ^= 1,
            // A chunk without a length.
            1 => {
                ip.payload[14..16].fill(0);
                ip.seal_sctp();
            }
            // Cut in the middle of a chunk, or of the header.
            2 => ip.payload.truncate(random.between(1, 20) as usize),
            3 => {
                ip.payload.truncate(random.between(12, 16) as usize);
                ip.seal_sctp();
            }
            _ => {}
        }
        steps.push(packet([Port::Eth0, Port::Eth1][side], &ip));
        if random.chance(4) {
            let quote = *random.pick(&[28, 32, 36, 48, 576]);
            steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Error { kind: 3, code: 1, quote } });
        }
    }
}

pub(super) fn others(random: &mut Random, steps: &mut Vec<Step>) {
    let (a, b) = (client(random), server(random));
    let call = random.between(1, 2) as u8;
    for _ in 0..random.between(1, 5) {
        let side = random.below(2) as usize;
        let (src, dst) = [(a, b), (b, a)][side];
        let ip = match random.below(6) {
            0 => Ip::new(src, dst, 47, [&[0x20, 0, 8, 0, 0, 0, 0, call][..], &[1; 20]].concat()),
            1 | 2 => {
                let protocol = if random.chance(80) { [0x88, 0x0b] } else { [8, 0] };
                let mut header = [&[0x30, 1], &protocol[..], &[0, 4, 0, call], &[2; 12]].concat();
                header.truncate(*random.pick(&[20, 20, 20, 8, 7, 3]));
                Ip::new(src, dst, 47, header)
            }
            3 => {
                let len = *random.pick(&[16, 16, 12, 11, 3]);
                Ip::new(src, dst, 33, [5u8, 1, 0, 80, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0][..len].to_vec())
            }
            _ => udplite(random, src, dst),
        };
        steps.push(packet([Port::Eth0, Port::Eth1][side], &ip));
    }
}

/// The kernel takes the sum for right that has UDP's number in it; others are wrong to it.
fn udplite(random: &mut Random, src: IpAddr, dst: IpAddr) -> Ip {
    let covered = *random.pick(&[0, 8, 9, 12, 7, 13]);
    let mut ip = Ip::new(src, dst, 136, vec![4, 1, 0, 80, 0, covered, 0, 0, b'a', b'b', b'c', b'd']);
    let number = *random.pick(&[17, 17, 136]);
    let mut sum = [&frame::octets(src)[..], &frame::octets(dst), &[0, number, 0, 12]].concat();
    let covered = if covered == 0 { 12 } else { usize::from(covered).min(12) };
    sum.extend(&ip.payload[..covered]);
    ip.payload[6..8].copy_from_slice(&checksum(&sum).to_be_bytes());
    ip
}
