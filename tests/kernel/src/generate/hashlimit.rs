//! `hashlimit`: buckets by addresses and ports, in all their ways. In most cases no time passes that matters: rates are slow beside the case. In the others no
//! packet comes within 40 ms of the moment at which a rule would decide otherwise, which is some multiple of the rate's time behind another packet.

use super::random::Random;
use super::{Made, Rules, client, send, server};
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

/// Milliseconds that a packet keeps away from a turn.
const AWAY: u64 = 40;

pub(super) fn case(random: &mut Random) -> Made {
    if random.chance(20) { over_time(random) } else { at_once(random) }
}

/// What packets of one bucket have in common.
fn group(random: &mut Random) -> String {
    let parts: Vec<&str> = ["srcip", "srcport", "dstip", "dstport"].into_iter().filter(|_| random.chance(45)).collect();
    let mode = if parts.is_empty() { String::new() } else { format!(" --hashlimit-mode {}", parts.join(",")) };
    let masks: &[u8] = if random.ipv6 { &[0, 64, 126, 127, 128] } else { &[0, 24, 30, 31, 32] };
    let mask = |random: &mut Random, side: &str| match random.chance(25) {
        true => format!(" --hashlimit-{side}mask {}", random.pick(masks)),
        false => String::new(),
    };
    let (src, dst) = (mask(random, "src"), mask(random, "dst"));
    mode + &src + &dst
}

/// Rules of one way for each name: of another rule of that name only whether it is above counts.
fn at_once(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let way = |random: &mut Random| {
        let rate = match random.below(6) {
            0..=2 => {
                let rate = *random.pick(&["1/min", "3/hour", "20/min", "1/day"]);
                let burst = if rate == "1/day" { 1 } else { random.between(1, 5) };
                (rate.to_owned(), format!("--hashlimit-burst {burst}"))
            }
            3 | 4 => {
                let (rate, burst) = *random.pick(&[("16b/s", 0), ("64b/s", 0), ("64b/s", 200), ("100b/s", 0), ("128b/s", 300)]);
                (rate.to_owned(), if burst == 0 { String::new() } else { format!("--hashlimit-burst {burst}") })
            }
            _ => {
                let bytes = random.chance(50);
                let rate = if bytes { "100b/s".to_owned() } else { format!("{}/s", random.between(1, 3)) };
                let burst = if bytes { String::new() } else { format!("--hashlimit-burst {}", random.between(1, 4)) };
                let interval = *random.pick(&["", "--hashlimit-rate-interval 2", "--hashlimit-rate-interval 60"]);
                (rate, format!("{burst} --hashlimit-rate-match {interval}"))
            }
        };
        let max = if random.chance(15) { " --hashlimit-htable-size 2 --hashlimit-htable-max 3" } else { "" };
        (rate.0, format!("{}{}{max}", rate.1, group(random)))
    };
    let ways: Vec<(String, String)> = (0..3).map(|_| way(random)).collect();
    for _ in 0..random.between(2, 6) {
        let (table, chain) = *random.pick(&[
            ("raw", "PREROUTING"),
            ("mangle", "PREROUTING"),
            ("filter", "INPUT"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("mangle", "POSTROUTING"),
        ]);
        let name = random.below(ways.len() as u64) as usize;
        let (rate, rest) = &ways[name];
        let how = *random.pick(&["upto", "above", "above"]);
        let which = *random.pick(&["", "", "", "-p udp ", "-p tcp ", "-i eth0 "]);
        let target = *random.pick(&["", "", "-j DROP", "-j ACCEPT", "-j RETURN"]);
        let not = random.not();
        rules.add(
            table,
            chain,
            &format!("{which}-m hashlimit {not}--hashlimit-{how} {rate} {rest} --hashlimit-name n{name} {target}"),
        );
    }
    if random.chance(40) {
        rules.add("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED");
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(6, 24) {
        one(random, &mut steps);
    }
    (rules, steps)
}

/// Something comes in.
fn one(random: &mut Random, steps: &mut Vec<Step>) {
    let (from, to) = (client(random), server(random));
    let to = if random.chance(15) { random.address(10, 0, 0, 1) } else { to };
    let data = vec![b'h'; *random.pick(&[0, 0, 1, 4, 19, 20, 200])];
    let (sport, dport) = (*random.pick(&[1025, 1025, 1026]), *random.pick(&[53, 80]));
    let mut ip = match random.below(10) {
        0..=4 => Ip::udp((from, sport), (to, dport), &data),
        5 | 6 => Ip::tcp((from, sport), (to, dport), 2, 5000, 0, &[], &data),
        7 => Ip::icmp(from, to, 8, 0, [0, 7, 0, 1], &data),
        8 => Ip::new(from, to, *random.pick(&[33, 50, 51, 132, 136]), vec![*random.pick(&[1, 2]); *random.pick(&[2, 4, 8, 30])]),
        _ => Ip::new(from, to, *random.pick(&[2, 47, 89, 253]), vec![1; 30]),
    };
    ip.id = random.below(65536) as u16;
    if random.chance(10) && ip.payload.len() > 24 {
        ip.fragments(24).iter().for_each(|piece| send(random, steps, Port::Eth0, piece));
    } else {
        send(random, steps, Port::Eth0, &ip);
    }
}

/// One rate, and time.
fn over_time(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let (each, measured) = *random.pick(&[(500, false), (250, false), (200, false), (200, true)]);
    let rate = 1000 / each;
    let burst = random.between(1, 4);
    let parts = *random.pick(&["--hashlimit-mode srcip", "--hashlimit-mode srcip,dstport", ""]);
    let expire =
        if random.chance(30) && !measured { "--hashlimit-htable-expire 300 --hashlimit-htable-gcinterval 60000" } else { "" };
    let how = *random.pick(&["upto", "above"]);
    let measured_words = if measured { "--hashlimit-rate-match" } else { "" };
    rules.add(
        "filter",
        "FORWARD",
        &format!(
            "-m hashlimit --hashlimit-{how} {rate}/s --hashlimit-burst {burst} {parts} {expire} {measured_words} --hashlimit-name t"
        ),
    );
    let (a, b, to) = (client(random), client(random), server(random));
    let (mut steps, mut times, mut now): (Vec<Step>, Vec<u64>, u64) = (Vec::new(), vec![], 0);
    while steps.len() < 30 && now < 2500 {
        // A measured rate turns with its interval of a second too, and by how much came in how much time.
        let is_near = |time: &u64| {
            let passed = now - time;
            passed != 0 && [each, 1000].iter().any(|turn| (passed + AWAY) % turn < 2 * AWAY)
        };
        if random.chance(35) || times.iter().any(is_near) {
            let millis = *random.pick(&[50, 70, 110, 130, 310]);
            steps.push(Step::Advance(millis));
            now += millis;
            continue;
        }
        times.push(now);
        let ip = Ip::udp((if random.chance(60) { a } else { b }, 1025), (to, *random.pick(&[53, 80])), b"t");
        send(random, &mut steps, Port::Eth0, &ip);
    }
    (rules, steps)
}
