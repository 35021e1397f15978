//! SIP: registrations, calls with descriptions of their media, the media, and messages that are not quite right.

use std::net::IpAddr;

use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::super::packet;
use super::super::random::Random;
use super::{ACK, OTHER_CLIENT, OTHER_SERVER, PSH, SYN, World};

/// A dialogue as both sides speak it.
struct Dialogue<'w> {
    world: &'w World,
    /// The client sends from this port and listens on that one.
    from: u16,
    listens: u16,
    tcp: Option<[u32; 2]>,
    number: u32,
    short: bool,
}

impl Dialogue<'_> {
    fn send(&mut self, steps: &mut Vec<Step>, side: usize, text: &str) {
        let (from, to) = match side {
            0 => ((self.world.client.0, self.from), (self.world.service, 5060)),
            _ => ((self.world.server, 5060), (self.world.visitor, self.from)),
        };
        let ip = match &mut self.tcp {
            None => Ip::udp(from, to, text.as_bytes()),
            Some(next) => {
                let ip = Ip::tcp(from, to, ACK | PSH, next[side], next[1 - side], &[], text.as_bytes());
                next[side] = next[side].wrapping_add(text.len() as u32);
                ip
            }
        };
        steps.push(packet(Port::ALL[side], &ip));
    }

    fn transport(&self) -> &'static str {
        if self.tcp.is_some() { "TCP" } else { "UDP" }
    }

    /// A message: its first line, whose it is, and what is special about it.
    fn message(&self, side: usize, line: &str, method: &str, contact: &str, body: &str) -> String {
        let world = self.world;
        let (me, you) = if side == 0 { (world.client.0, world.service) } else { (world.server, world.visitor) };
        let (via, from, to, length) = if self.short { ("v", "f", "t", "l") } else { ("Via", "From", "To", "Content-Length") };
        let is_answer = line.starts_with("SIP/2.0");
        let (sender, port) = if is_answer {
            (you, if side == 0 { 5060 } else { self.listens })
        } else {
            (me, if side == 0 { self.listens } else { 5060 })
        };
        let parameters =
            if is_answer { format!(";rport={};received={you}", self.from) } else { ";rport;branch=z9hG4bK".to_owned() };
        let (sender, me, you) = (uri(sender), uri(me), uri(you));
        format!(
            "{line}\r\n{via}: SIP/2.0/{} {sender}:{port}{parameters}\r\n{from}: <sip:a@{me}:{}>;tag=1\r\n{to}: <sip:b@{you}>\r\nCSeq: {} {method}\r\n{contact}{length}: {}\r\n\r\n{body}",
            self.transport(),
            if side == 0 { self.listens } else { 5060 },
            self.number,
            body.len()
        )
    }
}

/// An address as URIs have it.
fn uri(address: IpAddr) -> String {
    if address.is_ipv4() { address.to_string() } else { format!("[{address}]") }
}

fn description(random: &mut Random, owner: IpAddr, media: IpAddr, port: u16) -> String {
    let family = if owner.is_ipv4() { "IP4" } else { "IP6" };
    let mut text = format!("v=0\r\no=- 1 1 IN {family} {owner}\r\ns=-\r\n");
    let in_session = random.chance(70);
    if in_session {
        text.push_str(&format!("c=IN {family} {media}\r\n"));
    }
    text.push_str("t=0 0\r\n");
    for (nth, kind) in ["audio", "video", "text", "image"].iter().enumerate() {
        if nth > 0 && !random.chance(25) {
            continue;
        }
        let port = match random.below(20) {
            0 => 0,
            1 => 80,
            _ => port + 2 * nth as u16,
        };
        text.push_str(&format!("m={kind} {port} RTP/AVP 0\r\n"));
        if !in_session || random.chance(15) {
            text.push_str(&format!("c=IN {family} {media}\r\n"));
        }
    }
    text
}

pub(super) fn case(random: &mut Random, world: &World, steps: &mut Vec<Step>) {
    let from = *random.pick(&[5060, 5060, 5070, 1100]);
    let mut talk = Dialogue {
        world,
        from,
        listens: if random.chance(85) { from } else { 5060 },
        tcp: None,
        number: random.below(9) as u32 + 1,
        short: random.chance(25),
    };
    if random.chance(25) {
        let (a, b) = ((world.client.0, from), (world.service, 5060));
        let (seen, server) = ((world.visitor, from), (world.server, 5060));
        steps.push(packet(Port::Eth0, &Ip::tcp(a, b, SYN, 999, 0, &[], &[])));
        steps.push(packet(Port::Eth1, &Ip::tcp(server, seen, SYN | ACK, 4999, 1000, &[], &[])));
        steps.push(packet(Port::Eth0, &Ip::tcp(a, b, ACK, 1000, 5000, &[], &[])));
        talk.tcp = Some([1000, 5000]);
        talk.listens = from;
    }
    if talk.tcp.is_none() && world.visitor != world.client.0 {
        // The client's port is taken before the server speaks: in texts, one that is chosen freely could not be compared.
        talk.send(steps, 0, "OPTIONS sip:b SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n");
    }
    for _ in 0..random.between(1, 3) {
        talk.number += 1;
        match random.below(10) {
            0..=3 => registration(random, &mut talk, steps),
            4..=8 => call(random, &mut talk, steps),
            _ => odd(random, &mut talk, steps),
        }
    }
}

fn registration(random: &mut Random, talk: &mut Dialogue<'_>, steps: &mut Vec<Step>) {
    let world = talk.world;
    let (visitor, service, client) = (world.visitor, uri(world.service), world.client.0);
    let expires = *random.pick(&["", "", "Expires: 3600\r\n", "Expires: 0\r\n"]);
    let parameter = *random.pick(&["", ";expires=60", ";expires=0", ";transport=tcp", ";transport=UDP;expires=90"]);
    let told = if random.chance(90) { client } else { world.of(OTHER_CLIENT) };
    let port = *random.pick(&[talk.listens, talk.listens, 5099]);
    let contact = format!("Contact: <sip:a@{}:{port}>{parameter}\r\n{expires}", uri(told));
    let text = talk.message(0, &format!("REGISTER sip:{service}:5060 SIP/2.0"), "REGISTER", &contact, "");
    talk.send(steps, 0, &text);
    if random.chance(80) {
        let code = *random.pick(&["200 OK", "200 OK", "200 OK", "401 No", "100 Wait"]);
        let told = uri(if told == client { visitor } else { told });
        let other = if world.ipv6 { "[2001:db8:9::9]" } else { "9.9.9.9" };
        let contact = match random.below(4) {
            0 => format!("Contact: <sip:a@{told}:{port}>;expires=50\r\n"),
            1 => format!("Contact: <sip:x@{other}:5060>;expires=9, <sip:a@{told}:{port}>;expires=50\r\n"),
            2 => format!("Contact: <sip:x@{other}:5060>\r\nContact: <sip:a@{told}:{port}>\r\nExpires: 40\r\n"),
            _ => format!("Contact: <sip:a@{told}:{port}>;expires=0\r\n"),
        };
        let text = talk.message(1, &format!("SIP/2.0 {code}"), "REGISTER", &contact, "");
        talk.send(steps, 1, &text);
    }
    // Somebody calls.
    let caller = if random.chance(80) { world.server } else { world.of(OTHER_SERVER) };
    let ip = Ip::udp((caller, 5061), (visitor, port), b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n");
    steps.push(packet(Port::Eth1, &ip));
    if random.chance(50) {
        steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Udp { data: 20 } });
    }
}

fn call(random: &mut Random, talk: &mut Dialogue<'_>, steps: &mut Vec<Step>) {
    let world = talk.world;
    let (visitor, service, client, server) = (world.visitor, world.service, world.client.0, world.server);
    let (at_service, at_server) = (uri(service), uri(server));
    let port = *random.pick(&[7000, 7000, 7002, 7001, 40_000]);
    let media = if random.chance(90) { client } else { world.of(OTHER_CLIENT) };
    let method = *random.pick(&["INVITE", "INVITE", "INVITE", "UPDATE", "ACK", "PRACK"]);
    let contact = format!("Contact: <sip:a@{}:{}>\r\n", uri(client), talk.listens);
    let body = if random.chance(90) { description(random, client, media, port) } else { String::new() };
    let text = talk.message(0, &format!("{method} sip:b@{at_service}:5060 SIP/2.0"), method, &contact, &body);
    talk.send(steps, 0, &text);
    if random.chance(20) {
        talk.send(steps, 0, &text);
    }
    if random.chance(75) {
        let code = *random.pick(&["200 OK", "183 Soon", "486 Busy"]);
        let body = if random.chance(80) { description(random, server, server, 8000) } else { String::new() };
        let text = talk.message(1, &format!("SIP/2.0 {code}"), method, &format!("Contact: <sip:b@{at_server}:5060>\r\n"), &body);
        talk.send(steps, 1, &text);
    }
    if random.chance(20) {
        let text = talk.message(0, &format!("BYE sip:b@{at_service}:5060 SIP/2.0"), "BYE", "", "");
        talk.send(steps, 0, &text);
    }
    // The media, both ways.
    for _ in 0..random.between(0, 4) {
        let rtcp = random.below(2) as u16;
        let (by, from, to) = if random.chance(50) {
            let from = if random.chance(85) { server } else { world.of(OTHER_SERVER) };
            (Port::Eth1, (from, *random.pick(&[8000, 8000, 8001, 9000])), (visitor, (port & !1) + rtcp))
        } else {
            (Port::Eth0, (client, *random.pick(&[port, port, 9001])), (service, 8000 + rtcp))
        };
        steps.push(packet(by, &Ip::udp(from, to, b"media")));
        if random.chance(40) {
            steps.push(Step::Answer { to: steps.len() - 1, with: Answer::Udp { data: 5 } });
        }
    }
}

/// What is not quite a message.
fn odd(random: &mut Random, talk: &mut Dialogue<'_>, steps: &mut Vec<Step>) {
    const TEXTS: [&str; 12] = [
        "INVITE",
        "INVITE sip:b@10.0.1.2 SIP/2.0\r\n",
        "INVITE sip:b@10.0.1.2 SIP/2.0\r\nCSeq: x INVITE\r\n\r\n",
        "REGISTER sip:b@10.0.1.2 SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@here>\r\n\r\n",
        "REGISTER sip:b@10.0.1.2 SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact: *\r\nExpires: 0\r\n\r\n",
        "REGISTER sip:b@10.0.1.2 SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@10.0.0.2:80>;expires=5\r\n\r\n",
        "REGISTER sip:b@10.0.1.2 SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact:\r\n <sip:a@10.0.0.2:5060>;expires=x\r\n\r\n",
        "SIP/2.0 abc\r\nCSeq: 1 INVITE\r\n\r\n",
        "SIP/2.0 200 OK\r\n\r\n\r\n",
        "SIP/2.0 200 OK\r\nCSeq: 0 INVITE\r\n\r\n",
        "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
        "OPTIONS sip:b@10.0.1.2:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;maddr=10.0.0.2\r\nm: <sip:a@10.0.0.2>,<sip:c@10.0.0.2:5060>\r\n\r\n",
    ];
    let side = random.below(2) as usize;
    let text = *random.pick(&TEXTS);
    let text = talk.world.said(text, uri);
    talk.send(steps, side, &text);
}
