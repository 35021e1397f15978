//! How many connections there are of an address: `connlimit` by source and destination, under masks and in zones. Clients open connections, are
//! answered, refused, go silent and come back. Nobody answers what he did not get: what was refused is not
//! heard of again.

use std::net::IpAddr;

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, packet};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
/// Both sides' first number.
const START: u32 = 5000;

type End = (IpAddr, u16);

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    if random.chance(25) {
        rules.add("raw", "PREROUTING", "-s 10.0.0.2 -j CT --zone 1");
        rules.add("raw", "PREROUTING", "-d 10.0.0.2 -j CT --zone 1");
    }
    let twice = random.chance(25);
    if twice {
        // Who goes on meets these rules a second time. What has no connection, or is refused, is not among them: docs/deviations.md, `connlimit-ghosts`.
        rules.chain("filter", "AGAIN");
        rules.add("filter", "FORWARD", "-j AGAIN");
        rules.add("filter", "FORWARD", "-i eth0 -j AGAIN");
    }
    if random.chance(20) && !twice {
        // Nobody's packets, in both directions: none of them is heard of again as a connection.
        let which = *random.pick(&["-p udp", "-p tcp"]);
        rules.add("raw", "PREROUTING", &format!("{which} -j CT --notrack"));
    }
    for _ in 0..random.between(2, 6) {
        let again = random.chance(30);
        let (table, chain) = *random.pick(&[
            ("mangle", "PREROUTING"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("mangle", "POSTROUTING"),
            ("nat", "PREROUTING"),
            ("filter", "INPUT"),
        ]);
        let which =
            *random.pick(&["", "", "-p tcp --syn", "-p tcp --syn", "-p udp", "-m conntrack --ctstate NEW", "-i eth0", "-p tcp"]);
        let how = *random.pick(&["above", "above", "upto"]);
        let limit = random.below(4);
        // One address, a network, all, or two neighbours.
        let masks = if random.ipv6 { ["128", "64", "0", "127"] } else { ["32", "24", "0", "31"] };
        let mask = match *random.pick(&[0, 0, 1, 2, 3]) {
            0 => String::new(),
            which => format!("--connlimit-mask {}", masks[which]),
        };
        let side = *random.pick(&["", "", "--connlimit-daddr"]);
        let target = if chain == "FORWARD" && random.chance(40) { *random.pick(&["-j DROP", "-j REJECT"]) } else { "" };
        let not = random.not();
        let chain = if again && twice && (table, chain) == ("filter", "FORWARD") { "AGAIN" } else { chain };
        rules.add(table, chain, &format!("{which} -m connlimit {not}--connlimit-{how} {limit} {mask} {side} {target}"));
    }
    let (mut steps, mut asked) = (Vec::new(), Vec::new());
    // Known connections are counted together with a refused one behind them. In such cases none ends: what ended the kernel counts too.
    let nobody_answers = random.chance(25) && !twice;
    for port in 0..random.between(4, 10) {
        let host = random.between(2, 3) as u8;
        let client = (random.address(10, 0, 0, host), 1025 + port as u16);
        let host = if random.chance(10) { 1 } else { random.between(2, 3) as u8 };
        let server = random.address(10, 0, 1, host);
        if !nobody_answers {
            if random.chance(25) {
                udp(random, client, (server, 53), &mut steps)
            } else {
                tcp(random, client, (server, 80), twice, &mut steps)
            }
            continue;
        }
        asked.push(match random.chance(50) {
            true => Ip::udp(client, (server, 53), b"?"),
            false => Ip::tcp(client, (server, 80), SYN, START, 0, &[], b""),
        });
        steps.push(packet(Port::Eth0, &asked[asked.len() - 1]));
        if random.chance(60) {
            steps.push(packet(Port::Eth0, random.pick(&asked)));
        }
    }
    (rules, steps)
}

/// A connection begins, and each side answers what it gets.
fn tcp(random: &mut Random, client: End, server: End, twice: bool, steps: &mut Vec<Step>) {
    // Flags, and by how much each side's number has grown.
    let open = [(SYN | ACK, 0, 1), (ACK, 1, 1)];
    let ends: [&[(u8, u32, u32)]; 4] = [
        &[],
        &[(ACK, 1, 1), (ACK, 1, 1)],
        &[(FIN | ACK, 1, 1), (FIN | ACK, 1, 2), (ACK, 2, 2), (ACK, 2, 2), (ACK, 2, 2)],
        &[(RST | ACK, 1, 1), (ACK, 1, 1)],
    ];
    let then = *random.pick(&ends);
    let syn = Ip::tcp(client, server, SYN, START, 0, &[], b"");
    let mut first = syn.clone();
    let answers = match random.below(16).max(if twice { 2 } else { 0 }) {
        // Nothing begins with a reset or with a wrong checksum.
        0 => {
            first = Ip::tcp(client, server, RST, START, 0, &[], b"");
            vec![]
        }
        1 => {
            first.payload[16] ^= 1;
            vec![]
        }
        2 | 3 => vec![(RST | ACK, 0, 1)],
        4 | 5 => vec![],
        6 | 7 => vec![open[0]],
        8 => {
            // It is sent again.
            steps.push(packet(Port::Eth0, &syn));
            open.to_vec()
        }
        _ => [&open, then].concat(),
    };
    steps.push(packet(Port::Eth0, &first));
    for (flags, seq, ack) in answers {
        let with = Answer::Tcp { flags, seq: START + seq, ack: START + ack, data: 0 };
        steps.push(Step::Answer { to: steps.len() - 1, with });
    }
    if random.chance(15) && !twice {
        // INVALID, with the tuple of a connection that may be there.
        let mut broken = Ip::tcp(client, server, ACK, START + 1, START + 1, &[], b"");
        broken.payload[16] ^= 1;
        steps.push(packet(Port::Eth0, &broken));
    }
}

fn udp(random: &mut Random, client: End, server: End, steps: &mut Vec<Step>) {
    steps.push(packet(Port::Eth0, &Ip::udp(client, server, b"?")));
    for _ in 0..random.below(4) {
        steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Udp { data: 1 } });
    }
}
