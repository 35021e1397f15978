//! SYNPROXY: clients that bring back the cookie, or another number, or nothing; servers that answer, refuse or say nothing; and what follows, in
//! both directions, with NAT and without.

use std::net::IpAddr;

use super::random::Random;
use super::{Made, Rules, client, packet};
use crate::answer::Answer;
use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const PSH_ACK: u8 = 0x18;
const FIN_ACK: u8 = 0x11;
const SYN_ACK: u8 = 0x12;

/// Lists of options of a SYN. The timestamp is 4096.
const LISTS: [&[u8]; 8] = [
    &[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 16, 0, 0, 0, 0, 0, 1, 3, 3, 7],
    &[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 16, 0, 0, 0, 0, 0, 1, 3, 3, 14],
    &[1, 1, 8, 10, 0, 0, 16, 0, 0, 0, 0, 0],
    &[2, 4, 5, 20, 1, 3, 3, 2],
    &[2, 4, 5, 164, 1, 1, 8, 10, 0, 0, 16, 0, 0, 0, 0, 0],
    &[2, 4, 2, 0, 4, 2, 1, 1],
    &[],
    // The MSS is cut short.
    &[2, 3, 5, 1],
];

/// How the client finds its server.
enum Where {
    /// By its own address.
    Direct,
    /// By one that is translated.
    Translated,
    /// By one of the box's.
    Box,
}

/// The conversation at hand: who, and the numbers that both ends count from.
struct Talk {
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    isn: u32,
    server_isn: u32,
    /// The client's SYN has a timestamp.
    stamps: bool,
    steps: Vec<Step>,
}

impl Talk {
    fn say(&mut self, flags: u8, seq: u32, ack: u32, options: &[u8], data: &[u8]) -> usize {
        self.steps.push(packet(Port::Eth0, &Ip::tcp(self.from, self.to, flags, seq, ack, options, data)));
        self.steps.len() - 1
    }

    fn answer(&mut self, to: usize, with: Answer) -> usize {
        self.steps.push(Step::Answer { to, with });
        self.steps.len() - 1
    }

    /// The client goes on from the greeting of step `to`.
    fn client(&mut self, to: usize, flags: u8, sent: u32, received: u32, data: usize) -> usize {
        let stamp = self.stamps.then_some(0x1001u32.wrapping_add(sent));
        let back = Answer::Back {
            flags,
            seq: self.isn.wrapping_add(1).wrapping_add(sent),
            ahead: received.wrapping_add(1),
            data,
            stamp,
            sack: None,
            scale: None,
        };
        self.answer(to, back)
    }

    /// The server goes on from the SYN of step `to`.
    fn server(&mut self, to: usize, flags: u8, sent: u32, received: u32, data: usize) -> usize {
        let syn = flags & SYN != 0;
        let seq = self.server_isn.wrapping_add(sent).wrapping_add(u32::from(!syn));
        let stamp = self.stamps.then_some(0x7700_0000u32.wrapping_add(sent));
        self.answer(
            to,
            Answer::Back { flags, seq, ahead: received.wrapping_add(1), data, stamp, sack: None, scale: syn.then_some(3) },
        )
    }
}

fn rules(random: &mut Random, place: &Where, notrack: bool) -> Rules {
    let mut rules = Rules::default();
    if notrack {
        rules.add("raw", "PREROUTING", "-p tcp --syn -j CT --notrack");
    }
    let mut target = String::from("-j SYNPROXY");
    for option in ["--sack-perm", "--timestamp", "--wscale 9", "--mss 1400", "--ecn"] {
        if random.chance(75) {
            target.push_str(&format!(" {option}"));
        }
    }
    let chain = if matches!(place, Where::Box) { "INPUT" } else { "FORWARD" };
    if random.chance(30) {
        // So that the client's keep-alives get as far as its connection.
        rules.add("filter", chain, "-m conntrack --ctstatus CONFIRMED -j ACCEPT");
    }
    // The first ACK is NEW where connections are picked up in their middle.
    let states = *random.pick(&["INVALID,UNTRACKED,NEW", "INVALID,UNTRACKED,NEW", "INVALID,UNTRACKED", "INVALID,NEW"]);
    rules.add("filter", chain, &format!("-i eth0 -p tcp --dport 80 -m conntrack --ctstate {states} {target}"));
    if random.chance(50) {
        rules.add("filter", chain, "-m conntrack --ctstate INVALID -j DROP");
    }
    for hook in ["OUTPUT", "POSTROUTING"] {
        for state in ["NEW", "ESTABLISHED", "INVALID", "UNTRACKED"] {
            rules.add("mangle", hook, &format!("-m conntrack --ctstate {state}"));
        }
    }
    // What is not translated would be for the box itself.
    if !matches!(place, Where::Box) && random.chance(15) {
        let untracked = *random.pick(&["-p tcp -j NOTRACK", "-p tcp --tcp-flags SYN,ACK SYN,ACK -j CT --notrack"]);
        rules.add("raw", "OUTPUT", untracked);
    }
    if random.chance(10) {
        let refused = *random.pick(&["-p tcp --tcp-flags SYN,ACK SYN,ACK -j DROP", "-p tcp --syn -j DROP"]);
        rules.add("filter", "OUTPUT", refused);
    }
    if !matches!(place, Where::Direct) {
        let server = random.address(10, 0, 1, 3);
        let server = if server.is_ipv6() { format!("[{server}]:8080") } else { format!("{server}:8080") };
        let translated = format!("-p tcp --dport 80 -j DNAT --to-destination {server}");
        rules.add("nat", "OUTPUT", &translated);
        if random.chance(20) {
            // An ACK that is NEW is another connection's then.
            rules.add("nat", "PREROUTING", &translated);
        }
    }
    if random.chance(25) {
        rules.add("nat", "POSTROUTING", "-o eth1 -j MASQUERADE");
    }
    rules
}

pub(super) fn case(random: &mut Random) -> Made {
    let place = match random.below(10) {
        0..=5 => Where::Direct,
        6 | 7 => Where::Translated,
        _ => Where::Box,
    };
    let notrack = random.chance(90);
    let rules = rules(random, &place, notrack);
    let server = match place {
        Where::Direct => random.address(10, 0, 1, 3),
        Where::Translated => random.address(10, 0, 1, 7),
        Where::Box => random.address(10, 0, 1, 1),
    };
    let from = (client(random), random.between(2000, 2003) as u16);
    let mut talk = Talk { from, to: (server, 80), isn: 0, server_isn: 0, stamps: false, steps: Vec::new() };
    for _ in 0..random.between(1, 2) {
        // Some wrap within the conversation.
        talk.isn = *random.pick(&[5000, 0xffff_fff8, 0x8000_0000]);
        talk.server_isn = *random.pick(&[900_000, 0xffff_fffe, 0]);
        conversation(random, &mut talk, notrack);
        // Where numbers of a greeting meet those of an older connection, chance decides what is in its window.
        talk.from.1 += 1;
    }
    (rules, talk.steps)
}

fn conversation(random: &mut Random, talk: &mut Talk, notrack: bool) {
    let list = *random.pick(&LISTS);
    talk.stamps = list.windows(2).any(|two| two == [8, 10]);
    let isn = talk.isn;
    let greeting = talk.say(*random.pick(&[SYN, SYN, SYN | 0xc0]), isn, 0, list, b"");
    if random.chance(20) {
        // Another number, of another client.
        let wrong =
            [(isn.wrapping_add(1), 1 << 27), (isn.wrapping_add(2), 1), (isn.wrapping_add(1), 0), (isn.wrapping_add(1), 3 << 24)];
        let (seq, ahead) = *random.pick(&wrong);
        talk.answer(greeting, Answer::Back { flags: ACK, seq, ahead, data: 0, stamp: None, sack: None, scale: None });
    }
    let orphan = random.below(30);
    match orphan {
        0 => drop(talk.say(FIN_ACK, isn, 7, &[], b"")),
        1 => drop(talk.say(RST, isn, 0, &[], b"")),
        2 => drop(talk.say(SYN_ACK, isn, 7, &[], b"")),
        _ => {}
    }
    let opened = talk.client(greeting, *random.pick(&[ACK, ACK, PSH_ACK]), 0, 0, *random.pick(&[0, 0, 5]));
    while random.chance(25) {
        // Once more; or a keep-alive.
        match random.below(2) {
            0 => talk.client(greeting, ACK, 0, 0, 0),
            _ => talk.client(greeting, ACK, u32::MAX, 0, 0),
        };
    }
    match random.below(8) {
        0 => {
            // Refused.
            let back = Answer::Back { flags: RST | ACK, seq: 0, ahead: 1, data: 0, stamp: None, sack: None, scale: None };
            talk.answer(opened, back);
            return;
        }
        1 => return,
        _ => drop(talk.server(opened, SYN_ACK, 0, 0, 0)),
    }
    for _ in 0..random.between(1, 6) {
        match random.below(10) {
            0 | 1 => drop(talk.client(greeting, PSH_ACK, 0, 0, 10)),
            2 | 3 => drop(talk.server(opened, PSH_ACK, 0, 10, 20)),
            4 => {
                let sack = Some((7, 12));
                let stamp = talk.stamps.then_some(0x1009);
                let back = Answer::Back { flags: ACK, seq: isn.wrapping_add(11), ahead: 1, data: 0, stamp, sack, scale: None };
                talk.answer(greeting, back);
            }
            5 => drop(talk.server(opened, SYN_ACK, 0, 0, 0)),
            // One that is tracked has the server's next answer shifted by a shift that is another in each system.
            6 if notrack => drop(talk.say(SYN, isn, 0, list, b"")),
            6 | 7 => drop(talk.client(greeting, FIN_ACK, 10, 20, 0)),
            8 => drop(talk.server(opened, FIN_ACK, 20, 10, 0)),
            // What opens the connection again has its first acknowledgement shifted as before, and is in the window or not by chance.
            _ if random.chance(50) => {
                talk.server(opened, *random.pick(&[RST, RST | ACK]), 20, 10, 0);
                return;
            }
            _ => {
                talk.client(greeting, *random.pick(&[RST, RST | ACK]), 10, 20, 0);
                return;
            }
        }
    }
}
