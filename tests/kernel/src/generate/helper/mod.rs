//! Connections that announce others: FTP, TFTP and SIP with their helpers, with and without translation; what is announced, what comes of it, and
//! what only looks like it.

mod sip;

use std::net::{IpAddr, Ipv4Addr};

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::{Ip, octets};
use crate::world::{self, Port};

use super::random::Random;
use super::{Made, Rules, packet};

const SYN: u8 = 2;
const ACK: u8 = 16;
const PSH: u8 = 8;

/// The box on the wires of the servers and of the clients.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 100);
const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// Others on their wires.
const OTHER_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 3);
const OTHER_CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 3);

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let world = World::new(random, &mut rules);
    let mut steps = Vec::new();
    match random.below(10) {
        0..4 => ftp(random, &world, &mut steps),
        4 => tftp(random, &world, &mut steps),
        _ => sip::case(random, &world, &mut steps),
    }
    (rules, steps)
}

/// How each side sees the other.
struct World {
    ipv6: bool,
    client: (IpAddr, u16),
    server: IpAddr,
    /// Where the client sends to.
    service: IpAddr,
    /// Whom the server sees.
    visitor: IpAddr,
}

impl World {
    fn new(random: &mut Random, rules: &mut Rules) -> Self {
        let zone = *random.pick(&["", "", "", " --zone 3", " --zone-orig 4"]);
        if random.chance(95) {
            rules.add("raw", "PREROUTING", &format!("-p tcp --dport 21 -j CT --helper ftp{zone}"));
            rules.add("raw", "PREROUTING", &format!("-p udp --dport 69 -j CT --helper tftp{zone}"));
            rules.add("raw", "PREROUTING", &format!("-p udp --dport 5060 -j CT --helper sip{zone}"));
            rules.add("raw", "PREROUTING", &format!("-p tcp --dport 5060 -j CT --helper sip{zone}"));
        }
        if !zone.is_empty() && random.chance(80) {
            rules.add("raw", "PREROUTING", &format!("-j CT{zone}"));
        }
        for question in [
            "-m conntrack --ctstate RELATED",
            "-m conntrack --ctstate ESTABLISHED",
            "-m conntrack --ctstate NEW",
            "-m conntrack --ctstate INVALID",
            "-m conntrack --ctstatus EXPECTED",
            "-m helper --helper ftp",
            "-m helper --helper sip",
            "-m helper ! --helper tftp",
            "-m helper --helper \"\"",
            "-m connmark --mark 5",
        ] {
            rules.add("filter", "FORWARD", question);
        }
        if random.chance(40) {
            rules.add("mangle", "PREROUTING", &format!("-p tcp --dport 21 -j CONNMARK --set-mark {}", random.pick(&[5, 6])));
        }
        if random.chance(40) {
            rules.add("filter", "FORWARD", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
            rules.add("filter", "FORWARD", "-i eth0 -m conntrack --ctstate NEW -j ACCEPT");
            rules.policy("filter", "FORWARD", "DROP");
        }
        let of = |address| world::in_family(random.ipv6, address);
        let (client, server) = (of(CLIENT), of(SERVER));
        let port = random.between(1025, 1030) as u16;
        let mut world = Self { ipv6: random.ipv6, client: (client, port), server, service: server, visitor: client };
        let manner = random.below(6);
        if manner == 1 || manner >= 3 {
            world.visitor = world.of(OUTSIDE);
            let target = if random.chance(50) { "SNAT --to-source 10.0.1.100" } else { "MASQUERADE" };
            if target == "MASQUERADE" {
                // The address that came last.
                world.visitor = world.of(if random.ipv6 { OUTSIDE } else { Ipv4Addr::new(10, 0, 1, 1) });
            }
            rules.add("nat", "POSTROUTING", &format!("-o eth1 -j {target}"));
        }
        if manner == 2 || manner >= 4 {
            let service = *random.pick(&[INSIDE, Ipv4Addr::new(203, 0, 113, 77), Ipv4Addr::new(10, 0, 1, 9)]);
            world.service = world.of(service);
            rules.add("nat", "PREROUTING", &format!("-d {service} -p tcp -j DNAT --to-destination {SERVER}"));
            rules.add("nat", "PREROUTING", &format!("-d {service} -p udp -j DNAT --to-destination {SERVER}"));
        }
        world
    }

    /// An address in the family of the packets.
    fn of(&self, address: Ipv4Addr) -> IpAddr {
        world::in_family(self.ipv6, address)
    }

    /// A text that names both ends, in the family of the packets.
    fn said(&self, text: &str, form: impl Fn(IpAddr) -> String) -> String {
        if !self.ipv6 {
            return text.to_owned();
        }
        let comma = |address: IpAddr| numbers(address) + ",";
        [(SERVER, "10,0,1,2,"), (CLIENT, "10,0,0,2,")]
            .iter()
            .fold(text.replace("|1|", "|2|").replace("IP4", "IP6"), |text, (end, commas)| {
                text.replace(&end.to_string(), &form(self.of(*end))).replace(commas, &comma(self.of(*end)))
            })
    }
}

/// Both ends of a control connection.
struct Control<'w> {
    world: &'w World,
    /// Next number of each side as it counts.
    next: [u32; 2],
    /// By how much what it sent has grown on the way.
    grown: [i32; 2],
    /// Last text of each side, and where it began.
    last: [(u32, Vec<u8>); 2],
}

impl Control<'_> {
    fn segment(&self, side: usize, flags: u8, seq: u32, options: &[u8], data: &[u8]) -> Ip {
        let ack = if flags & ACK == 0 { 0 } else { self.next[1 - side].wrapping_add(self.grown[1 - side] as u32) };
        let (from, to) = match side {
            0 => (self.world.client, (self.world.service, 21)),
            _ => ((self.world.server, 21), (self.world.visitor, self.world.client.1)),
        };
        Ip::tcp(from, to, flags, seq, ack, options, data)
    }

    fn send(&mut self, steps: &mut Vec<Step>, side: usize, flags: u8, options: &[u8], data: &[u8]) {
        let seq = self.next[side];
        let ip = self.segment(side, flags, seq, options, data);
        steps.push(packet(Port::ALL[side], &ip));
        self.next[side] = seq.wrapping_add(data.len() as u32 + u32::from(flags & SYN != 0));
        if !data.is_empty() {
            self.last[side] = (seq, data.to_vec());
        }
    }

    /// As [`Control::send`], a text that is filled up to a whole MTU; in IPv6, where nobody cuts it, to one that is whole when it has grown.
    fn send_full(&mut self, steps: &mut Vec<Step>, side: usize, text: &[u8], grows: i32) {
        let mut data = text.to_vec();
        data.resize(if self.world.ipv6 { 1500 - 60 - grows.max(0) as usize } else { 1500 - 40 }, b'.');
        let ip = self.segment(side, ACK | PSH, self.next[side], &[], &data);
        steps.push(packet(Port::ALL[side], &ip));
        self.next[side] = self.next[side].wrapping_add(data.len() as u32);
    }

    fn again(&self, steps: &mut Vec<Step>, side: usize) {
        let (seq, data) = &self.last[side];
        steps.push(packet(Port::ALL[side], &self.segment(side, ACK | PSH, *seq, &[], data)));
    }
}

/// The first four bytes of an address: of one of IPv6 this form names no more.
fn numbers(address: IpAddr) -> String {
    octets(address)[..4].iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

/// An end in this form.
fn end(address: IpAddr, port: u16) -> String {
    format!("{},{},{}", numbers(address), port >> 8, port & 255)
}

/// An end in the form of RFC 2428.
fn extended(address: IpAddr, port: u16) -> String {
    format!("|{}|{address}|{port}|", if address.is_ipv4() { 1 } else { 2 })
}

/// As [`extended`], as the kernel writes it: IPv6 with all its zeroes.
fn extended_in_full(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(_) => extended(address, port),
        IpAddr::V6(address) => {
            let groups: Vec<_> = address.segments().iter().map(|group| format!("{group:04x}")).collect();
            format!("|2|{}|{port}|", groups.join(":"))
        }
    }
}

fn ftp(random: &mut Random, world: &World, steps: &mut Vec<Step>) {
    let start = |random: &mut Random| if random.chance(20) { u32::MAX - 40 } else { random.below(1 << 32) as u32 };
    let mut control = Control { world, next: [start(random), start(random)], grown: [0; 2], last: Default::default() };
    let sack: &[u8] = &[2, 4, 5, 180, 4, 2];
    control.send(steps, 0, SYN, sack, &[]);
    control.send(steps, 1, SYN | ACK, sack, &[]);
    control.send(steps, 0, ACK, &[], &[]);
    if random.chance(90) {
        control.send(steps, 1, ACK | PSH, &[], b"220 ready\r\n");
    }
    if random.chance(90) {
        control.send(steps, 0, ACK | PSH, &[], b"USER a\r\n");
    }
    for _ in 0..random.between(1, 6) {
        match random.below(8) {
            0 | 1 => active(random, &mut control, steps),
            2 | 3 => passive(random, &mut control, steps),
            4 => {
                let side = random.below(2) as usize;
                control.again(steps, side);
            }
            5 => {
                // An acknowledgement with holes.
                let side = random.below(2) as usize;
                let edge = control.next[1 - side].wrapping_add(control.grown[1 - side] as u32);
                let mut options = random.pick(&[&[1u8, 1, 5, 10][..], &[5, 10], &[1, 1, 5, 9], &[1, 1, 0, 10]]).to_vec();
                options.extend(edge.wrapping_sub(30).to_be_bytes());
                options.extend(edge.to_be_bytes());
                control.send(steps, side, ACK, &options, &[]);
            }
            6 => odd(random, &mut control, steps),
            _ => {
                let side = random.below(2) as usize;
                let text = *random.pick(&["NOOP\r\n", "200 fine\r\n", "no end", "221-more\r\n227 ", "x"]);
                control.send(steps, side, ACK | PSH, &[], text.as_bytes());
            }
        }
    }
}

/// `PORT` or `EPRT`, and the server's connection.
fn active(random: &mut Random, control: &mut Control<'_>, steps: &mut Vec<Step>) {
    let world = control.world;
    let (client, visitor) = (world.client.0, world.visitor);
    let port = *random.pick(&[2000, 2001, 20, 65535, 9]);
    let told = if random.chance(90) { client } else { world.of(OTHER_CLIENT) };
    let written = |address, extended: fn(IpAddr, u16) -> String| {
        [
            format!("PORT {}\r\n", end(address, port)),
            format!("EPRT {}\r\n", extended(address, port)),
            format!("port  {}\r", end(address, port)),
        ]
    };
    let form = *random.pick(&[0, 0, 0, 1, 1, 2]);
    let text = &written(told, extended)[form];
    let is_rewritten = told == client && (visitor != client || world.service != world.server);
    let grows = if is_rewritten { written(visitor, extended_in_full)[form].len() as i32 - text.len() as i32 } else { 0 };
    if random.chance(15) {
        control.send_full(steps, 0, text.as_bytes(), grows);
    } else {
        control.send(steps, 0, ACK | PSH, &[], text.as_bytes());
    }
    control.grown[0] += grows;
    if random.chance(20) {
        control.again(steps, 0);
    }
    if random.chance(60) {
        control.send(steps, 1, ACK | PSH, &[], b"200 ok\r\n");
    }
    let from = if random.chance(90) { world.server } else { world.of(OTHER_SERVER) };
    let from = (from, *random.pick(&[20, 1025]));
    data(random, steps, Port::Eth1, from, (visitor, port));
}

/// `227` or `229`, and the client's connection.
fn passive(random: &mut Random, control: &mut Control<'_>, steps: &mut Vec<Step>) {
    let world = control.world;
    let (client, service) = (world.client, world.service);
    let port = *random.pick(&[3000, 3001, 443, 65535]);
    let written = |address| {
        [
            format!("227 Entering Passive Mode ({}).\r\n", end(address, port)),
            format!("227 here {}\r\n", end(address, port)),
            format!("229 Extended (|||{port}|)\r\n"),
        ]
    };
    let form = random.below(3) as usize;
    let told = if random.chance(90) { world.server } else { world.of(OTHER_SERVER) };
    control.send(steps, 0, ACK | PSH, &[], if form == 2 { b"EPSV\r\n" } else { b"PASV\r\n" });
    let text = &written(told)[form];
    control.send(steps, 1, ACK | PSH, &[], text.as_bytes());
    if told == world.server {
        control.grown[1] += written(service)[form].len() as i32 - text.len() as i32;
    }
    if random.chance(20) {
        control.again(steps, 1);
    }
    if random.chance(60) {
        control.send(steps, 0, ACK | PSH, &[], b"LIST\r\n");
    }
    let from = if random.chance(90) { client.0 } else { world.of(OTHER_CLIENT) };
    let from = (from, random.between(4000, 4002) as u16);
    data(random, steps, Port::Eth0, from, (service, port));
}

/// A connection that may have been announced, and its answer.
fn data(random: &mut Random, steps: &mut Vec<Step>, by: Port, from: (IpAddr, u16), to: (IpAddr, u16)) {
    for _ in 0..*random.pick(&[0, 1, 1, 1, 2]) {
        let flags = *random.pick(&[SYN, SYN, SYN, SYN, ACK, 4]);
        steps.push(packet(by, &Ip::tcp(from, to, flags, 7000, 0, &[], &[])));
        if random.chance(70) {
            steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Tcp { flags: SYN | ACK, seq: 100, ack: 7001, data: 0 } });
            steps.push(packet(by, &Ip::tcp(from, to, ACK | PSH, 7001, 101, &[], b"data")));
        }
    }
}

/// What begins like a command.
fn odd(random: &mut Random, control: &mut Control<'_>, steps: &mut Vec<Step>) {
    const CLIENTS: [&str; 14] = [
        "P",
        "PO",
        "PORT",
        "PORT \r\n",
        "PORT 10,0,0,2,7\r\n",
        "PORT 10,0,0,2,7,208",
        "PORT 10,0,0,2,7,208\n",
        "PORT 10,0,0,2,7,208,1\r\n",
        "PORT 10,0,0,258,7,208\r\n",
        "PORT 10,0,0,2,0,0\r\n",
        "EPRT |1|10.0.0.2|0|\r\n",
        "EPRT |2|::1|2000|\r\n",
        "EPRT 1110.0.0.212000\r\n",
        "EPRT |1|10.0.0.2|70000|\r\n",
    ];
    const SERVERS: [&str; 10] = [
        "2",
        "227",
        "227 ",
        "227 none\r\n",
        "227 (10,0,1,2,11,184",
        "227 (10,0,1,2,11,184)",
        "229 (|||3000|",
        "229 (|||3000|\r\n",
        "229 (!!!3000!)\r\n",
        "229 (||3000|)\r\n",
    ];
    let side = random.below(2) as usize;
    let text = if side == 0 { *random.pick(&CLIENTS) } else { *random.pick(&SERVERS) };
    let text = control.world.said(text, |address| address.to_string());
    control.send(steps, side, ACK | PSH, &[], text.as_bytes());
    if random.chance(50) {
        // As if it had been lost: the text goes on.
        control.send(steps, side, ACK | PSH, &[], b"\r\n");
    }
}

fn tftp(random: &mut Random, world: &World, steps: &mut Vec<Step>) {
    for _ in 0..random.between(1, 3) {
        let from = (world.client.0, random.between(5000, 5002) as u16);
        let opcode = *random.pick(&[1, 1, 2, 2, 2, 3, 4, 5, 0x0100]) as u16;
        let mut request = opcode.to_be_bytes().to_vec();
        request.extend(b"file\0octet\0");
        request.truncate(*random.pick(&[20, 20, 2, 1, 0]));
        steps.push(packet(Port::Eth0, &Ip::udp(from, (world.service, 69), &request)));
        let to = (world.visitor, from.1);
        let source = if random.chance(85) { world.server } else { world.of(OTHER_SERVER) };
        for _ in 0..random.between(0, 2) {
            let answer = Ip::udp((source, random.between(6000, 6001) as u16), to, b"\0\x03\0\x01data");
            steps.push(packet(Port::Eth1, &answer));
            if random.chance(60) {
                steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Udp { data: 4 } });
            }
        }
        if random.chance(20) {
            // A request in the other direction.
            steps.push(packet(Port::Eth1, &Ip::udp((world.server, 69), to, b"\0\x01f\0octet\0")));
        }
    }
}
