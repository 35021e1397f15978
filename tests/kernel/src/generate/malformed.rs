//! Packets that are wrong in one place, IP options, the ends of TTL, and addresses that nobody may have.

use std::net::Ipv4Addr;

use crate::case::Step;
use crate::frame::ETHERNET;
use crate::frame::checksum;
use crate::world;

use super::random::Random;
use super::{Made, Rules, any_packet, filter};

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for (table, chain) in [("raw", "PREROUTING"), ("filter", "FORWARD"), ("filter", "INPUT")] {
        for _ in 0..random.between(0, 3) {
            let matches = filter::matches(random, chain);
            let target = *random.pick(&["", "", "-j DROP"]);
            rules.add(table, chain, &format!("{matches}{target}"));
        }
    }
    if random.chance(50) {
        for state in ["NEW", "INVALID", "ESTABLISHED"] {
            rules.add("filter", "FORWARD", &format!("-m conntrack --ctstate {state}"));
        }
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(5, 30) {
        let (port, mut ip) = any_packet(random);
        match random.below(16) {
            0 => ip.ttl = *random.pick(&[0, 1]),
            1 if random.ipv6 && random.chance(80) => ip.extensions = chain(random),
            1 => ip.options = random.pick(&[&[1, 1, 1, 0][..], &[0x94, 4, 0, 0], &[0x94, 4, 0, 0, 1, 1, 1, 0]]).to_vec(),
            2 => {
                ip.src = random.wrong(&[
                    Ipv4Addr::new(10, 0, 0, 1),
                    Ipv4Addr::BROADCAST,
                    Ipv4Addr::new(224, 0, 0, 5),
                    Ipv4Addr::new(127, 0, 0, 1),
                    Ipv4Addr::UNSPECIFIED,
                    Ipv4Addr::new(240, 0, 0, 1),
                ])
            }
            3 => {
                ip.dst = random.wrong(&[
                    Ipv4Addr::BROADCAST,
                    Ipv4Addr::new(224, 0, 0, 5),
                    Ipv4Addr::new(127, 0, 0, 1),
                    Ipv4Addr::UNSPECIFIED,
                    Ipv4Addr::new(240, 0, 0, 1),
                    Ipv4Addr::new(10, 0, 1, 255),
                    Ipv4Addr::new(169, 254, 1, 1),
                ])
            }
            4 => ip.fragment = *random.pick(&[0x8000, 0x4000]),
            // The transport header is cut.
            5 => ip.payload.truncate(*random.pick(&[0, 3, 4, 7, 8, 12, 13, 19])),
            6 if ip.protocol == 6 && ip.payload.len() >= 20 => ip.payload[12] = *random.pick(&[0x00, 0x40, 0x60, 0xf0]),
            7 if ip.protocol == 17 => {
                let len: u16 = *random.pick(&[0, 7, 8, 9, 200]);
                ip.payload[4..6].copy_from_slice(&len.to_be_bytes());
            }
            8 if ip.payload.len() > 3 => ip.payload[2] ^= 0x40,
            // The router would answer itself: docs/deviations.md, `answers-to-self`.
            9 if !random.ipv6 || !world::is_own(ip.dst) => (ip.src, ip.dst) = (ip.dst, ip.dst),
            _ => {}
        }
        let mut frame = ip.frame(port);
        match random.below(14) {
            what @ 0..=4 if random.ipv6 => spoil(random, &mut frame, what),
            // The header checksum.
            0 => frame[ETHERNET + 10] ^= 1,
            1 => header(&mut frame, 0, *random.pick(&[0x44, 0x55, 0x65])),
            // Longer or shorter than it says.
            2 => header(&mut frame, 3, *random.pick(&[0, 19, 20, 24, 200])),
            3 => frame.extend([0; 6]),
            4 => frame.truncate(ETHERNET + *random.pick(&[0, 10, 19, 20, 23])),
            // Not to the router.
            5 => frame[..6].copy_from_slice(random.pick::<[u8; 6]>(&[[2, 0, 0, 0, 0, 0x99], [255; 6], [1, 0, 0x5e, 0, 0, 5]])),
            6..=8 if random.ipv6 => {
                ip.extensions = chain(random);
                frame = ip.frame(port);
            }
            _ => {}
        }
        steps.push(Step::Packets(port, vec![frame]));
    }
    (rules, steps)
}

/// Extension headers of IPv6, in their order or not, right and wrong.
pub(super) fn chain(random: &mut Random) -> Vec<(u8, Vec<u8>)> {
    (0..random.between(1, 3)).map(|_| extension(random)).collect()
}

fn extension(random: &mut Random) -> (u8, Vec<u8>) {
    // Padding; a router alert; unknown ones: to be passed over, and to be dropped with each of the answers.
    let options: [[u8; 6]; 7] = [
        [1, 4, 0, 0, 0, 0],
        [5, 2, 0, 0, 1, 0],
        [0x1e, 4, 0, 0, 0, 0],
        [0x5e, 4, 0, 0, 0, 0],
        [0x9e, 4, 0, 0, 0, 0],
        [0xde, 4, 0, 0, 0, 0],
        // Longer than its header.
        [1, 9, 0, 0, 0, 0],
    ];
    let with = |length: u8, body: &[u8]| [&[length][..], body].concat();
    match random.below(10) {
        0..=2 => (0, with(0, &random.pick(&options)[..])),
        3..=5 => (60, with(0, &random.pick(&options)[..])),
        // Routing: of an unknown type, at its end and not.
        6 => (43, with(0, &random.pick(&[[0, 0, 0, 0, 0, 0], [253, 0, 0, 0, 0, 0], [253, 1, 0, 0, 0, 0]])[..])),
        // A fragment header round a whole packet.
        7 => (44, vec![0, 0, 0, 0, 0, 0, 7]),
        8 => (51, [&[2, 0, 0, 0, 0, 1, 0][..], &[0; 8]].concat()),
        // Longer than the packet.
        _ => (60, with(200, &[1, 4, 0, 0, 0, 0])),
    }
}

/// Makes an IPv6 header, or where the packet ends, wrong.
fn spoil(random: &mut Random, frame: &mut Vec<u8>, what: u64) {
    match what {
        // The version and the flow label.
        0 => frame[ETHERNET + random.below(4) as usize] ^= *random.pick(&[0x10, 0x20, 1]),
        // No next header, or one that is cut.
        1 => frame[ETHERNET + 6] = *random.pick(&[59, 0, 43, 44, 51, 60, 135, 255]),
        // Longer or shorter than it says.
        2 => frame[ETHERNET + 5] = *random.pick(&[0, 1, 7, 8, 19, 20, 200]),
        3 => frame.extend([0; 6]),
        _ => frame.truncate(ETHERNET + *random.pick(&[0, 10, 39, 40, 41, 44, 47])),
    }
}

/// Sets a byte of the IP header and makes its checksum right again.
fn header(frame: &mut [u8], at: usize, value: u8) {
    let ip = &mut frame[ETHERNET..];
    ip[at] = value;
    ip[10..12].fill(0);
    let len = (usize::from(ip[0] & 15) * 4).clamp(20, ip.len());
    let sum = checksum(&ip[..len]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
}
