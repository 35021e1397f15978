//! What Linux did, packet by packet, and whether we do the same.
//!
//! `recorded/tcp.txt` holds TCP conversations as they went through a Linux 6.18 router, with what its `-m conntrack` matches and
//! `conntrack -G` showed after each packet:
//!
//! ```text
//! = name of the conversation
//! set sysctl value                                        (for this conversation)
//! o|r flags seq ack window length options -> info state seconds A|R|U packets/bytes packets/bytes
//! ```
//!
//! `o` and `r` are the directions; `A`, `R`, `U`: ASSURED, replied, UNREPLIED; `-` no entry. Seconds are rounded to ten.

use super::frames::{Frame, Tcp};
use super::{CtInfo, Dir, FlowConfig, FlowTable, Packet, Protocol, Settings, Status};
use crate::time::Time;
use packet::Ipv4;
use program::{CtAction, TimeoutId};

const CLIENT: u32 = 0x0a01_0002;
const SERVER: u32 = 0x0a02_0002;

fn flags(text: &str) -> u8 {
    text.chars().filter(|c| *c != '-').map(|c| 1 << "FSRPAUEC".find(c).expect("a flag")).sum()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn info(info: CtInfo) -> &'static str {
    match info {
        CtInfo::Invalid => "INVALID",
        CtInfo::Untracked => "UNTRACKED",
        CtInfo::New => "NEW",
        CtInfo::Established(Dir::Original) => "EST-O",
        CtInfo::Established(Dir::Reply) => "EST-R",
        CtInfo::Related(Dir::Original) => "REL-O",
        CtInfo::Related(Dir::Reply) => "REL-R",
    }
}

/// One conversation's table; the client's port tells conversations apart in a recording, here each has a table of its own.
struct Replay {
    table: FlowTable<Ipv4>,
    settings: Settings,
    now: Time,
}

impl Replay {
    fn new() -> Self {
        let table = FlowTable::new(FlowConfig { capacity: 4, extras: 4, hash_key: [1, 2] });
        Self { table, settings: Settings::default(), now: Time(1_000_000_000) }
    }

    /// One step; gives the line's right side as we see it.
    fn step(&mut self, words: &[&str]) -> String {
        let &[dir, bits, seq, ack, window, len, options] = words else { panic!("a step has seven words: {words:?}") };
        let number = |text: &str| text.parse::<u32>().expect("a number");
        let options = hex(options);
        let segment = Tcp {
            flags: flags(bits),
            seq: number(seq),
            ack: number(ack),
            window: number(window) as u16,
            options: &options,
            data: number(len) as usize,
        };
        let frame = match dir {
            "o" => Frame::tcp(CLIENT, SERVER, 1025, 80, &segment),
            _ => Frame::tcp(SERVER, CLIENT, 80, 1025, &segment),
        };
        assert!(frame.is_sound());
        self.now = self.now.plus_millis(1);
        let header = frame.header();
        let packet = Packet {
            header: &header,
            head: &frame.bytes,
            checksum_ok: true,
            zone: CtAction::default(),
            timeouts: TimeoutId::NONE,
            said: Default::default(),
            now: self.now,
        };
        let tracked = self.table.track(&packet, &self.settings).expect("there is room");
        if let Some(id) = tracked.flow
            && tracked.dir == Dir::Original
        {
            self.table.confirm(id, self.now).expect("the only flow");
        }
        self.table.expire(self.now, 16);
        format!("{} {}", info(tracked.info), self.entry())
    }

    /// The entry under the original tuple, as the recording has it. The recorder looked from the client's side only.
    fn entry(&mut self) -> String {
        let tuple = packet::Tuple::of(&Frame::tcp(CLIENT, SERVER, 1025, 80, &Tcp::default()).header()).expect("has ports");
        let Some((id, Dir::Original)) = self.table.find(&tuple, CtAction::default(), self.now) else { return "-".into() };
        let flow = self.table.get(id).expect("just found");
        let Protocol::Tcp(tcp) = flow.protocol() else { panic!("not TCP") };
        let seen = match flow.status() {
            status if status.has(Status::ASSURED) => 'A',
            status if status.has(Status::SEEN_REPLY) => 'R',
            _ => 'U',
        };
        let seconds = (flow.remaining_seconds(self.now) + 5) / 10 * 10;
        let [original, reply] =
            self.table.counts(id).expect("just found").map(|counts| format!("{}/{}", counts.packets, counts.bytes));
        format!("{} {seconds} {seen} {original} {reply}", tcp.state().name())
    }
}

#[test]
fn tcp_conversations_go_as_in_linux() {
    let mut conversation = "";
    let mut replay = Replay::new();
    let (mut steps, mut wrong) = (0, Vec::new());
    for (number, line) in include_str!("recorded/tcp.txt").lines().enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["#", ..] => {}
            ["=", ..] => {
                conversation = line;
                replay = Replay::new();
            }
            ["set", name, value] => replay.settings.set(name, value.parse().expect("a number")).expect("a setting"),
            _ => {
                let (step, expected) = line.split_once(" -> ").expect("an arrow");
                let seen = replay.step(&step.split(' ').collect::<Vec<_>>());
                steps += 1;
                if seen != expected {
                    wrong.push(format!("line {}, {conversation}\n  {step}\n  Linux: {expected}\n  here:  {seen}", number + 1));
                }
            }
        }
    }
    assert!(steps > 1000, "the recording is there");
    assert!(wrong.is_empty(), "{} of {steps} steps differ\n{}", wrong.len(), wrong.join("\n"));
}
