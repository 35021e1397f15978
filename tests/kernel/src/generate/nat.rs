//! NAT of every kind, with clients whose ports clash.

use std::net::{IpAddr, Ipv4Addr};

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, client, send, server};

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    for _ in 0..random.between(1, 3) {
        let rule = source(random);
        rules.add("nat", "POSTROUTING", &rule);
    }
    for _ in 0..random.between(0, 3) {
        let rule = destination(random);
        rules.add("nat", "PREROUTING", &rule);
    }
    if random.chance(30) {
        let rule = *random.pick(&[
            "-p udp -j SNAT --to-source 10.0.0.77",
            "-i eth0 -j NETMAP --to 10.0.0.64/29",
            "-p tcp -j SNAT --to-source 10.0.0.78-10.0.0.79 --persistent",
            "-p udp -j SNAT --to-source 10.0.0.77:7000-7001",
        ]);
        rules.add("nat", "INPUT", rule);
    }
    if random.chance(25) {
        hairpin(random, &mut rules);
    }
    for question in ["--ctstate SNAT", "--ctstate DNAT", "--ctreplsrcport 8080", "--ctorigdst 10.0.1.2"] {
        if random.chance(30) {
            rules.add("filter", "FORWARD", &format!("-m conntrack {question}"));
        }
    }
    let ranged = rules.text().contains("DNAT --to-destination 10.0.1.5:6000-")
        || rules.text().contains(":5000-5005")
        || rules.text().contains("REDIRECT --to-ports 7000-")
        || rules.text().contains("--random");
    let mut steps = Vec::new();
    let mut open: Vec<(usize, u8)> = Vec::new();
    for _ in 0..random.between(4, 20) {
        if random.chance(40) && !open.is_empty() {
            let (to, protocol) = *random.pick(&open);
            let with = match (random.below(5), protocol) {
                (0, _) => Answer::Error { kind: 3, code: *random.pick(&[1, 3, 4]), quote: *random.pick(&[28, 40, 576]) },
                (_, 6) => Answer::Tcp { flags: *random.pick(&[0x12, 0x12, 0x10]), seq: 9000, ack: 1001, data: 0 },
                (_, 17) => Answer::Udp { data: random.below(20) as usize },
                _ => Answer::Echo,
            };
            steps.push(Step::Answer { to, with });
            continue;
        }
        // Which of a range of destination ports is taken is random, and what is drawn of few ports is now and then one that a packet has; what
        // clashes then must not hang on it.
        let own_port = ranged.then(|| 20_000 + steps.len() as u16);
        let (port, ip) = query(random, own_port);
        send(random, &mut steps, port, &ip);
        if random.chance(20) {
            // Again, before the first one has been answered.
            send(random, &mut steps, port, &ip);
        }
        open.push((steps.len() - 1, ip.protocol));
    }
    (rules, steps)
}

/// A first packet; few ports, many clients.
fn query(random: &mut Random, own_port: Option<u16>) -> (Port, Ip) {
    let sport = own_port.unwrap_or(*random.pick(&[80, 600, 2000, 2000, 2001]));
    let dport = *random.pick(&[53, 80, 80, 8080]);
    let (port, src, dst) = match random.below(10) {
        0 => (Port::Eth0, client(random), random.one_of(&[Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 1, 1)])),
        1 => (Port::Eth1, server(random), random.one_of(&[Ipv4Addr::new(10, 0, 1, 1), Ipv4Addr::new(10, 0, 1, 100)])),
        2 => (Port::Eth1, server(random), client(random)),
        _ => (Port::Eth0, client(random), server(random)),
    };
    let ip = match random.below(8) {
        6 => other(random, src, dst, (sport, dport)),
        0..=2 => {
            let mut ip = Ip::udp((src, sport), (dst, dport), b"query");
            if random.chance(15) {
                ip.payload[6..8].fill(0);
            }
            ip
        }
        3 | 4 => Ip::tcp((src, sport), (dst, dport), *random.pick(&[2, 2, 2, 16]), 1000, 0, &[], &[]),
        _ => Ip::icmp(src, dst, 8, 0, [0, random.below(2) as u8, 0, 1], b"ping"),
    };
    (port, ip)
}

/// Clients and servers on one wire: the box gives both another name.
fn hairpin(random: &mut Random, rules: &mut Rules) {
    let to = random.pick::<&str>(&["10.0.0.3", "10.0.0.3-10.0.0.4 --persistent", "10.0.0.4"]);
    rules.add("nat", "PREROUTING", &format!("-d 10.0.1.1 -j DNAT --to-destination {to}"));
    let from = random.pick::<&str>(&["MASQUERADE", "SNAT --to-source 10.0.0.1", "NETMAP --to 10.0.0.128/28"]);
    rules.add("nat", "POSTROUTING", &format!("-s 10.0.0.0/24 -o eth0 -j {from}"));
}

/// Protocols whose ports are not where TCP's rules know them, or that have none: UDP-Lite, DCCP, GRE, ESP.
fn other(random: &mut Random, src: IpAddr, dst: IpAddr, (sport, dport): (u16, u16)) -> Ip {
    let ports = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
    match random.below(4) {
        0 => {
            let mut ip = Ip::new(src, dst, 136, [&ports[..], &[0, 12, 0, 0], b"lite"].concat());
            ip.seal();
            ip
        }
        1 => Ip::new(src, dst, 47, vec![0, 0, 8, 0, 1, 2, 3, 4]),
        2 => Ip::new(src, dst, 50, vec![0, 0, 0, 9, 0, 0, 0, 1, 7, 7, 7, 7]),
        _ => Ip::sctp((src, sport), (dst, dport), 0, &[(1, 0, &[0, 0, 0, 9, 0, 0, 16, 0, 0, 1, 0, 1, 0, 0, 0, 5])]),
    }
}

fn protocol(random: &mut Random) -> &'static str {
    random.pick::<&str>(&["-p tcp", "-p udp"])
}

fn persistent(random: &mut Random) -> &'static str {
    random.pick::<&str>(&["", "", " --persistent", " --random"])
}

fn source(random: &mut Random) -> String {
    match random.below(12) {
        8 => "-o eth1 -j MASQUERADE --random".to_owned(),
        9 => format!("-o eth1 {} -j MASQUERADE --to-ports 3000-3020 --random-fully", protocol(random)),
        0 | 1 => "-o eth1 -j MASQUERADE".to_owned(),
        2 => format!("-o eth1 {} -j MASQUERADE --to-ports {}", protocol(random), random.pick(&["3000-3001", "3000-3010", "80"])),
        3 => format!("-o eth1 -j SNAT --to-source 10.0.1.100{}", random.pick(&["", " --persistent"])),
        4 => format!("-o eth1 -j SNAT --to-source 10.0.1.101-10.0.1.104{}", random.pick(&["", " --persistent"])),
        5 => format!(
            "-o eth1 {} -j SNAT --to-source 10.0.1.100:{}",
            protocol(random),
            random.pick(&["2000", "4000-4002", "520-590"])
        ),
        7 => format!("-o eth1 -j NETMAP --to 10.0.1.{}", random.pick(&["96/29", "128/25", "0/24", "100"])),
        6 => format!("-s {} -o eth1 -j SNAT --to-source 10.0.1.55", client(random)),
        _ => format!("-o eth1 {} -j RETURN", protocol(random)),
    }
}

fn destination(random: &mut Random) -> String {
    match random.below(13) {
        9 => format!("-i eth0 {} --dport 8080:8085 -j DNAT --to-destination 10.0.1.5:9000-9005/8080", protocol(random)),
        10 => {
            format!("-i eth0 {} --dport 80 -j REDIRECT --to-ports 7000-7001{}", protocol(random), random.pick(&["", " --random"]))
        }
        11 => format!("-i eth0 -p icmp -j {}", random.pick(&["REDIRECT", "DNAT --to-destination 10.0.1.3:5-6"])),
        0 => format!("-d {} -j DNAT --to-destination 10.0.1.2", server(random)),
        1 => format!("-i eth0 {} --dport 80 -j DNAT --to-destination 10.0.1.3:8080", protocol(random)),
        2 => format!(
            "-i eth0 {} -j DNAT --to-destination 10.0.1.2-10.0.1.5{}",
            protocol(random),
            random.pick(&["", " --persistent"])
        ),
        3 => format!("-i eth0 {} --dport 8080 -j DNAT --to-destination :{}", protocol(random), random.pick(&["80", "5000-5005"])),
        4 => format!("-i eth0 {} --dport 53 -j REDIRECT{}", protocol(random), random.pick(&["", " --to-ports 5353"])),
        5 => format!("-i eth1 -d 10.0.1.100 {} -j DNAT --to-destination 10.0.0.2", protocol(random)),
        7 => format!("-i eth0 {} -j NETMAP --to 10.0.1.{}", protocol(random), random.pick(&["0/29", "2/31", "4"])),
        8 => "-i eth1 -d 10.0.1.96/29 -j NETMAP --to 10.0.0.0/29".to_owned(),
        6 => format!("-i eth1 {} -d 10.0.1.1 --dport 80 -j DNAT --to-destination 10.0.0.3:22", protocol(random)),
        _ => format!("-d 10.0.1.4 {} -j DNAT --to-destination 10.0.1.5:6000-6003{}", protocol(random), persistent(random)),
    }
}
