//! `recent`: addresses that were seen, on lists that rules of all tables share; and `quota`. Where times are asked for no packet comes within 60 ms of the
//! moment at which a rule would decide otherwise.

use std::net::{IpAddr, Ipv4Addr};

use super::random::Random;
use super::{Made, Rules, client, packet, send, server};
use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::{self, Port};

/// Milliseconds that a packet keeps away from a turn.
const AWAY: u64 = 60;
/// Addresses of a list.
const ADDRESSES: u16 = 100;

pub(super) fn case(random: &mut Random) -> Made {
    let is_timed = random.chance(25);
    // Nobody tells so many addresses at once that they are refused: there is a limit for all together.
    let is_crowded = !is_timed && random.chance(6);
    let mut rules = Rules::default();
    // The bits that count are those that the first rule says; which one that is hangs on the order in which tables are restored.
    let is_masked = random.chance(25);
    for _ in 0..random.between(2, 7) {
        let (table, chain) = *random.pick(&[
            ("raw", "PREROUTING"),
            ("mangle", "PREROUTING"),
            ("filter", "INPUT"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("filter", "OUTPUT"),
            ("mangle", "POSTROUTING"),
            ("nat", "PREROUTING"),
        ]);
        let (table, chain) = if is_masked && table != "filter" { ("filter", "FORWARD") } else { (table, chain) };
        let which =
            *random.pick(&["", "", "", "-p udp ", "-p tcp ", "-p tcp --dport 22 ", "-m conntrack --ctstate NEW ", "-i eth0 "]);
        let which = if which.contains("-i") && chain == "OUTPUT" || which.contains("-m") && table == "raw" { "" } else { which };
        let (first, second) = (test(random, is_timed, is_masked), random.chance(15).then(|| test(random, is_timed, is_masked)));
        let target = match random.below(10) {
            0..=2 if table != "nat" => "-j DROP",
            3 if table == "filter" && chain != "OUTPUT" && !is_crowded => "-p tcp -j REJECT --reject-with tcp-reset",
            4 if table == "filter" && chain != "OUTPUT" && !is_crowded => "-j REJECT",
            5 => "-j RETURN",
            _ => "",
        };
        // A rule says its protocol once.
        let target = if which.contains("-p") { target.trim_start_matches("-p tcp ") } else { target };
        let target = if target.contains("tcp-reset") && which.contains("udp") { "" } else { target };
        rules.add(table, chain, &format!("{which}{first}{} {target}", second.unwrap_or_default()));
    }
    if random.chance(30) {
        let (bytes, not) = (*random.pick(&[0, 27, 28, 29, 60, 100, 200, 500]), random.not());
        let target = *random.pick(&["", "-j DROP"]);
        rules.add("filter", "FORWARD", &format!("-m quota {not}--quota {bytes} {target}"));
    }
    let mut steps = Vec::new();
    if is_crowded {
        crowd(random, &mut steps);
    }
    let (mut now, mut times) = (0, Vec::new());
    for _ in 0..random.between(4, 14) {
        if is_timed {
            let is_near = |time: &u64| [1000, 2000].iter().any(|turn: &u64| (now - time).abs_diff(*turn) < AWAY);
            if now < 2600 && random.chance(60) || times.iter().any(is_near) {
                let millis = *random.pick(&[110, 270, 430, 890]);
                steps.push(Step::Advance(millis));
                now += millis;
                continue;
            }
            times.push(now);
        }
        one(random, &mut steps);
    }
    (rules, steps)
}

/// One test with its own name, mask and side.
fn test(random: &mut Random, is_timed: bool, is_masked: bool) -> String {
    let action = *random.pick(&["--set", "--set", "--set", "--rcheck", "--rcheck", "--update", "--update", "--remove"]);
    let mut words = format!("-m recent {}{action}", random.not());
    if matches!(action, "--rcheck" | "--update") {
        if is_timed && random.chance(70) {
            words += &format!(" --seconds {}", random.between(1, 2));
            words += if random.chance(40) { " --reap" } else { "" };
        } else if random.chance(10) {
            words += " --seconds 1000";
        }
        if random.chance(60) {
            words += &format!(" --hitcount {}", random.pick(&[1, 1, 2, 2, 3, 4, 5, 33]));
        }
        words += if random.chance(20) { " --rttl" } else { "" };
    }
    words += *random.pick(&["", "", " --name a", " --name b"]);
    if is_masked && random.chance(60) {
        let masks = if random.ipv6 { ["ffff:ffff:ffff:ffff::", "::", "::ff"] } else { ["255.255.255.0", "0.0.0.0", "0.0.0.7"] };
        words += &format!(" --mask {}", random.pick(&masks));
    }
    words + *random.pick(&["", "", "", " --rdest", " --rsource"]) + " "
}

/// Something comes in, or a program on the box sends it.
fn one(random: &mut Random, steps: &mut Vec<Step>) {
    let (from, to) = (client(random), server(random));
    let router = random.address(10, 0, 0, 1);
    let to = if random.chance(15) { router } else { to };
    let data = vec![b'r'; *random.pick(&[0, 0, 1, 32])];
    let mut ip = match random.below(8) {
        0..=2 => Ip::tcp((from, 1025), (to, *random.pick(&[22, 80])), 2, 5000, 0, &[], &data),
        3 => Ip::icmp(from, to, 8, 0, [0, 7, 0, 1], &data),
        _ => Ip::udp((from, 1025), (to, *random.pick(&[22, 53])), &data),
    };
    ip.ttl = *random.pick(&[64, 64, 64, 63, 255, 1]);
    match random.below(10) {
        0 => {
            ip.src = random.address(10, 0, 1, 1);
            ip.dst = server(random);
            steps.push(Step::Local(Ip::udp((ip.src, 1025), (ip.dst, 53), &data).packet()));
        }
        1 | 2 => {
            steps.push(packet(Port::Eth0, &ip));
            steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Udp { data: 1 } });
        }
        _ => send(random, steps, Port::Eth0, &ip),
    }
}

/// About as many addresses as a list holds, most of them once.
fn crowd(random: &mut Random, steps: &mut Vec<Step>) {
    let to = server(random);
    let address = |random: &Random, number: u16| -> IpAddr {
        let [high, low] = number.to_be_bytes();
        world::in_family(random.ipv6, Ipv4Addr::new(172, 16, high, low))
    };
    let mut frames = Vec::new();
    for number in 0..random.between(u64::from(ADDRESSES) - 2, u64::from(ADDRESSES) + 4) as u16 {
        let number = if random.chance(5) { number / 2 } else { number };
        frames.push(Ip::udp((address(random, number), 1025), (to, 53), b"").frame(Port::Eth0));
    }
    for frames in frames.chunks(8) {
        steps.push(Step::Packets(Port::Eth0, frames.to_vec()));
    }
    for _ in 0..6 {
        let number = *random.pick(&[0, 1, 2, 3, 4, 5, 50, 99, 100, 101]);
        let from = address(random, number);
        steps.push(packet(Port::Eth0, &Ip::udp((from, 1025), (to, 53), b"")));
    }
}
