//! Datagrams in pieces, in any order, with pieces missing, doubled or overlapping; with and without tracking.

use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, client, filter, server};

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    match random.below(4) {
        0 => rules.add("filter", "FORWARD", "-m conntrack --ctstate NEW"),
        1 => rules.add("nat", "POSTROUTING", "-o eth1 -j MASQUERADE"),
        _ => {}
    }
    rules.add("filter", "FORWARD", "-f");
    rules.add("filter", "FORWARD", "! -f");
    for _ in 0..random.between(1, 4) {
        let matches = filter::matches(random, "FORWARD");
        rules.add("filter", "FORWARD", &format!("{matches}{}", random.pick(&["", "", "-j DROP", "-j REJECT"])));
    }
    let mut steps = Vec::new();
    let first_id = random.below(65_000) as u16;
    for nth in 0..random.between(1, 5) {
        let data: Vec<u8> = (0..*random.pick(&[30, 100, 600, 2000, 4000])).map(|n: usize| (n * 7 + n / 256) as u8).collect();
        let (from, to) = ((client(random), random.port()), (server(random), random.port()));
        let mut ip = match random.below(3) {
            0 => Ip::tcp(from, to, 16, 1, 1, &[], &data),
            1 => Ip::icmp(from.0, to.0, 8, 0, [0, 1, 0, 1], &data),
            _ => Ip::udp(from, to, &data),
        };
        ip.id = first_id + nth as u16;
        let mut pieces = ip.fragments(*random.pick(&[8, 16, 24, 200, 520, 1480]).max(&(data.len() / 12)));
        match random.below(10) {
            0 => pieces.reverse(),
            1 => {
                pieces.swap_remove(random.below(pieces.len() as u64) as usize);
            }
            2 => {
                let again = random.pick(&pieces).clone();
                pieces.push(again);
            }
            // An overlap.
            3 if pieces.len() > 2 && pieces[0].payload.len() >= 16 => pieces[1].fragment -= 1,
            4 => pieces.iter_mut().for_each(|piece| piece.ttl = 1),
            5 => pieces[0].tos = 3,
            6 => {
                for at in 0..pieces.len() {
                    pieces.swap(at, random.below(at as u64 + 1) as usize);
                }
            }
            _ => {}
        }
        if random.chance(30) && !pieces.is_empty() {
            steps.push(Step::Packets(Port::Eth0, pieces.iter().map(|piece| piece.frame(Port::Eth0)).collect()));
        } else {
            steps.extend(pieces.iter().map(|piece| super::packet(Port::Eth0, piece)));
        }
    }
    (rules, steps)
}
