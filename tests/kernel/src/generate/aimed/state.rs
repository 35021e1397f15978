//! What connection tracking says.

use super::{A, ACK, B, FIN, RST, S, SYN, Script, T, WATCH};
use crate::case::Step;
use crate::frame::Ip;
use crate::world::{GATEWAY, Port};

/// A TCP conversation between A and S, both ends in our hands.
struct Talk {
    script: Script,
    window: u16,
    /// Options of SYNs.
    options: Vec<u8>,
}

const SACK_AND_SCALE_4: [u8; 6] = [4, 2, 3, 3, 4, 1];

impl Talk {
    fn new(about: &'static str) -> Self {
        Self { script: Script::new(about, &[("filter", WATCH)]), window: 1000, options: Vec::new() }
    }

    fn segment(&self, from_client: bool, flags: u8, seq: u32, ack: u32, len: usize) -> Ip {
        let (client, server) = ((A, 5000), (S, 80));
        let (from, to) = if from_client { (client, server) } else { (server, client) };
        let options: &[u8] = if flags & SYN != 0 { &self.options } else { &[] };
        let mut ip = Ip::tcp(from, to, flags, seq, ack, options, &vec![b'x'; len]);
        ip.payload[14..16].copy_from_slice(&self.window.to_be_bytes());
        ip.seal();
        ip
    }

    /// The client says something.
    fn c(mut self, flags: u8, seq: u32, ack: u32, len: usize) -> Self {
        let ip = self.segment(true, flags, seq, ack, len);
        self.script.send(Port::Eth0, &ip);
        self
    }

    /// The server says something.
    fn s(mut self, flags: u8, seq: u32, ack: u32, len: usize) -> Self {
        let ip = self.segment(false, flags, seq, ack, len);
        self.script.send(Port::Eth1, &ip);
        self
    }

    /// The handshake: behind it the client is at 1001, the server at 5001.
    fn open(self) -> Self {
        self.c(SYN, 1000, 0, 0).s(SYN | ACK, 5000, 1001, 0).c(ACK, 1001, 5001, 0)
    }

    /// Both sides acknowledge a hundred bytes of the other.
    fn data(self) -> Self {
        self.c(ACK, 1001, 5001, 100).s(ACK, 5001, 1101, 100).c(ACK, 1101, 5101, 0)
    }

    fn window(mut self, window: u16) -> Self {
        self.window = window;
        self
    }

    fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self
    }
}

pub(super) fn scripts() -> Vec<Script> {
    let mut all: Vec<Script> = lives().into_iter().chain(edges()).chain(resets()).map(|talk| talk.script).collect();
    all.extend([udp(), errors(), wrong_errors(), errors_about_replies(), bad_checksums(), dropped_first(), untracked()]);
    all
}

fn lives() -> Vec<Talk> {
    vec![
        Talk::new("a whole life, and the next one")
            .open()
            .data()
            .c(FIN | ACK, 1101, 5101, 0)
            .s(ACK, 5101, 1102, 0)
            .s(FIN | ACK, 5101, 1102, 0)
            .c(ACK, 1102, 5102, 0)
            .c(SYN, 90_000, 0, 0)
            .s(SYN | ACK, 70_000, 90_001, 0)
            .c(ACK, 90_001, 70_001, 0),
        Talk::new("both close at the same time")
            .open()
            .c(FIN | ACK, 1001, 5001, 0)
            .s(FIN | ACK, 5001, 1001, 0)
            .c(ACK, 1002, 5002, 0)
            .s(ACK, 5002, 1002, 0)
            .s(SYN, 9000, 0, 0),
        Talk::new("the first SYN again and again").c(SYN, 1000, 0, 0).c(SYN, 1000, 0, 0).c(SYN, 1000, 0, 0).s(
            SYN | ACK,
            5000,
            1001,
            0,
        ),
        Talk::new("refused").c(SYN, 1000, 0, 0).s(RST | ACK, 0, 1001, 0).c(SYN, 2000, 0, 0).s(RST | ACK, 0, 2001, 0),
        Talk::new("both open at the same time")
            .c(SYN, 1000, 0, 0)
            .s(SYN, 5000, 0, 0)
            .c(SYN | ACK, 1000, 5001, 0)
            .s(SYN | ACK, 5000, 1001, 0)
            .c(ACK, 1001, 5001, 0),
        Talk::new("picked up in the middle").c(ACK, 777, 888, 10).s(ACK, 888, 787, 10).c(ACK, 787, 898, 10).s(
            FIN | ACK,
            898,
            797,
            0,
        ),
        Talk::new("the answer comes first").s(SYN | ACK, 5000, 1001, 0).c(ACK, 1001, 5001, 0).s(ACK, 5001, 1001, 5),
        Talk::new("an acknowledgement of nothing").c(SYN, 1000, 0, 0).c(ACK, 1001, 5001, 0).s(ACK, 5000, 999, 0).c(RST, 999, 0, 0),
        Talk::new("the same acknowledgement four times")
            .open()
            .data()
            .c(ACK, 1101, 5101, 0)
            .c(ACK, 1101, 5101, 0)
            .c(ACK, 1101, 5101, 0)
            .c(ACK, 1101, 5101, 0),
        Talk::new("a SYN inside a connection")
            .open()
            .c(SYN, 3000, 0, 0)
            .s(ACK, 5001, 1001, 0)
            .c(RST, 1001, 0, 0)
            .c(SYN, 4000, 0, 0),
        Talk::new("flags that nobody sends").open().c(0, 1001, 0, 0).c(SYN | FIN, 1001, 0, 0).c(FIN, 1001, 0, 0),
    ]
}

/// Where the window ends: after `open` with windows of 1000 the client may send up to 2001, and has sent up to 1001.
fn edges() -> Vec<Talk> {
    let mut all = Vec::new();
    for edge in [1999, 2000, 2001, 2002, 2003, 2500, 2999, 3000, 3001, 3002, 3003, 9000] {
        all.push(Talk::new("data around the end of the window").open().c(ACK, edge, 5001, 1).s(ACK, 5001, 1001, 0));
        all.push(Talk::new("bare numbers around the end of the window").open().c(ACK, edge, 5001, 0).c(ACK, 1001, 5001, 9));
    }
    for ack in [5000, 5001, 5002, 5003, 6001] {
        all.push(Talk::new("acknowledges what was not sent").open().c(ACK, 1001, ack, 10).s(ACK, 5001, 1001, 0));
    }
    for lag in [66_000, 66_001, 66_002, 66_003] {
        all.push(Talk::new("an old acknowledgement").open().c(ACK, 1001, 5001_u32.wrapping_sub(lag), 10).s(ACK, 5001, 1001, 0));
    }
    for lag in [999, 1000, 1001, 1002, 1003] {
        all.push(Talk::new("data sent again").open().c(ACK, 1001_u32.wrapping_sub(lag), 5001, 0).s(ACK, 5001, 1001, 0));
    }
    for ahead in [900, 15_999, 16_000, 16_001, 16_002, 16_500] {
        let talk = Talk::new("scaled windows").options(&SACK_AND_SCALE_4);
        all.push(talk.open().s(ACK, 5001, 1001, 0).c(ACK, 1001 + ahead, 5001, 1).s(ACK, 5001, 1001, 0));
    }
    all.push(Talk::new("a window of nothing").open().data().window(0).s(ACK, 5101, 1101, 0).window(1000).c(ACK, 1101, 5101, 1));
    all
}

fn resets() -> Vec<Talk> {
    let mut all = Vec::new();
    for seq in [0, 500, 1100, 1101, 1102, 1300, 2100, 2101, 2102, 9000] {
        all.push(Talk::new("a RST").open().data().c(RST, seq, 0, 0).s(ACK, 5101, 1101, 5).c(SYN, 7000, 0, 0));
        all.push(Talk::new("a RST before any data").open().c(RST, seq, 0, 0).s(ACK, 5001, 1001, 5));
    }
    for seq in [0, 5000, 5001, 5101, 5102] {
        all.push(Talk::new("a RST of the server").open().data().s(RST, seq, 0, 0).c(ACK, 1101, 5101, 5).s(RST | ACK, seq, 1101, 0));
    }
    all.push(Talk::new("reset, and opened again").open().data().c(RST, 1101, 0, 0).c(SYN, 8000, 0, 0).s(SYN | ACK, 9000, 8001, 0));
    all.push(Talk::new("reset by the other").open().data().s(RST, 5101, 0, 0).c(SYN, 8000, 0, 0).s(SYN | ACK, 9000, 8001, 0));
    all
}

fn udp() -> Script {
    let mut script = Script::new("UDP becomes a stream after two seconds", &[("filter", WATCH)]);
    let (there, back) = (Ip::udp((A, 5000), (S, 53), b"there"), Ip::udp((S, 53), (A, 5000), b"back"));
    script.send(Port::Eth0, &there);
    script.send(Port::Eth0, &there);
    script.send(Port::Eth1, &back);
    script.send(Port::Eth0, &there);
    script.send(Port::Eth1, &back);
    script.steps.push(Step::Advance(2_100));
    script.send(Port::Eth0, &there);
    script.send(Port::Eth1, &back);
    script
}

/// An ICMP error that quotes so many bytes of a packet.
fn error(src: std::net::Ipv4Addr, dst: std::net::Ipv4Addr, kind: u8, code: u8, about: &Ip, quote: usize) -> Ip {
    let packet = about.packet();
    Ip::icmp(src, dst, kind, code, [0; 4], &packet[..quote.min(packet.len())])
}

fn errors() -> Script {
    let mut script = Script::new("ICMP errors about a connection, of every kind", &[("filter", WATCH)]);
    let there = Ip::udp((A, 5000), (S, 53), b"there and more");
    script.send(Port::Eth0, &there);
    for (kind, code) in [(3, 3), (3, 1), (11, 0), (12, 0), (4, 0), (5, 1)] {
        script.send(Port::Eth1, &error(GATEWAY, A, kind, code, &there, 28));
    }
    script.send(Port::Eth1, &error(S, A, 3, 3, &there, 200));
    script.send(Port::Eth1, &error(S, A, 3, 3, &there, 27));
    script.send(Port::Eth1, &error(S, A, 3, 3, &there, 20));
    let ping = Ip::icmp(A, S, 8, 0, [0, 7, 0, 1], b"ping");
    script.send(Port::Eth1, &error(S, A, 3, 1, &ping, 28));
    script.send(Port::Eth0, &ping);
    script.send(Port::Eth1, &error(S, A, 3, 1, &ping, 28));
    script.send(Port::Eth1, &Ip::icmp(S, A, 0, 0, [0, 7, 0, 1], b"ping"));
    script
}

fn wrong_errors() -> Script {
    let mut script = Script::new("ICMP errors that go to somebody else", &[("filter", WATCH)]);
    let there = Ip::udp((A, 5000), (S, 53), b"there");
    script.send(Port::Eth0, &there);
    script.send(Port::Eth1, &error(S, B, 3, 3, &there, 28));
    script.send(Port::Eth0, &error(A, S, 3, 3, &there, 28));
    script.send(Port::Eth0, &error(B, T, 3, 3, &there, 28));
    script.send(Port::Eth1, &error(S, A, 3, 3, &Ip::udp((A, 5001), (S, 53), b"other"), 28));
    script
}

fn errors_about_replies() -> Script {
    let mut script = Script::new("ICMP errors about the answers", &[("filter", WATCH)]);
    let (there, back) = (Ip::udp((A, 5000), (S, 53), b"there"), Ip::udp((S, 53), (A, 5000), b"back"));
    script.send(Port::Eth0, &there);
    script.send(Port::Eth1, &back);
    script.send(Port::Eth0, &error(A, S, 3, 3, &back, 28));
    script.send(Port::Eth0, &error(B, S, 3, 1, &back, 28));
    script.send(Port::Eth0, &error(A, T, 3, 3, &back, 28));
    script
}

fn bad_checksums() -> Script {
    let mut script = Script::new("transport checksums that are wrong", &[("filter", WATCH)]);
    let spoilt = |mut ip: Ip, at: usize| {
        ip.payload[at] ^= 0x55;
        ip
    };
    script.send(Port::Eth0, &spoilt(Ip::udp((A, 5000), (S, 53), b"there"), 6));
    script.send(Port::Eth0, &spoilt(Ip::tcp((A, 5000), (S, 80), SYN, 1, 0, &[], b""), 16));
    script.send(Port::Eth0, &spoilt(Ip::icmp(A, S, 8, 0, [0; 4], b"ping"), 2));
    script.send(Port::Eth0, &Ip::udp((A, 5000), (S, 53), b"there"));
    script.send(Port::Eth1, &spoilt(Ip::udp((S, 53), (A, 5000), b"back"), 7));
    script
}

fn dropped_first() -> Script {
    let filter = format!("{WATCH}-A FORWARD -p udp --dport 53 -j DROP\n");
    let mut script = Script::new("a first packet that does not get through leaves nothing", &[("filter", &filter)]);
    script.send(Port::Eth0, &Ip::udp((A, 5000), (S, 53), b"there"));
    script.send(Port::Eth0, &Ip::udp((A, 5000), (S, 53), b"there"));
    script.send(Port::Eth1, &Ip::udp((S, 53), (A, 5000), b"back"));
    script.send(Port::Eth0, &Ip::udp((A, 5000), (S, 53), b"there"));
    script
}

fn untracked() -> Script {
    let raw = "-A PREROUTING -p udp --dport 53 -j NOTRACK\n-A PREROUTING -p udp --sport 53 -j CT --notrack\n";
    let mut script = Script::new("NOTRACK comes in time", &[("raw", raw), ("filter", WATCH)]);
    script.send(Port::Eth0, &Ip::udp((A, 5000), (S, 53), b"there"));
    script.send(Port::Eth1, &Ip::udp((S, 53), (A, 5000), b"back"));
    script.send(Port::Eth0, &Ip::udp((A, 5000), (S, 54), b"there"));
    script
}
