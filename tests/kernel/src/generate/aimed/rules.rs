//! Rules and chains, what targets do, several packets at once, packets in pieces, and what the box answers.

use std::net::Ipv4Addr;

use super::{A, ACK, B, FIN, OWN, RST, S, SYN, Script, WATCH};
use crate::frame::Ip;
use crate::world::Port;

/// `salt` keeps datagrams of one case apart from those of the next, which the kernel may still be waiting for.
pub(super) fn scripts(salt: u16) -> Vec<Script> {
    let mut all = vec![chains(), ports(), negations(), flags_and_codes(), marks(), tos_and_ttl(), remembered()];
    all.extend([burst_of_marks(), burst_of_one_flow(), burst_of_nat(), burst_in_order()]);
    all.extend([cut_headers(), untracked_pieces(), pieces(salt * 8), overlaps(salt * 8)]);
    all.extend([answers(), resets(), bad_checksums(), answers_seen(), ends_of_ways(), long_quotes()]);
    all
}

fn udp(port: u16) -> Ip {
    Ip::udp((A, 5000), (S, port), b"there")
}

fn tcp(flags: u8, port: u16) -> Ip {
    Ip::tcp((A, 5000), (S, port), flags, 1000, if flags & ACK != 0 { 5001 } else { 0 }, &[], b"")
}

fn chains() -> Script {
    let filter = "-P FORWARD DROP
-A FORWARD -p udp -j one
-A FORWARD -p udp --dport 7
-A FORWARD -p udp
-A FORWARD -p tcp -g two
-A FORWARD -j ACCEPT
-A one -p udp --dport 1 -j RETURN
-A one -p udp --dport 2 -j two
-A one -p udp --dport 3 -g two
-A one -p udp --dport 4 -j DROP
-A one
-A two -p udp --dport 3 -j RETURN
-A two -p tcp --dport 9 -j ACCEPT
-A two\n";
    let mut script = Script::new("jumps, gotos, returns, and the policy behind them", &[("filter", filter)]);
    for port in [1, 2, 3, 4, 7] {
        script.send(Port::Eth0, &udp(port));
    }
    script.send(Port::Eth0, &tcp(SYN, 9));
    script.send(Port::Eth0, &tcp(SYN, 10));
    script
}

fn ports() -> Script {
    let filter = "-A FORWARD -p udp --dport 100:200\n-A FORWARD -p udp ! --dport 100:200\n-A FORWARD -p udp --sport 5000:\n-A FORWARD -p udp --sport :4999
-A FORWARD -p udp -m multiport --dports 99,150:200\n-A FORWARD -p udp -m multiport ! --dports 99,150:200\n-A FORWARD -p udp -m multiport --sports 200:5000
-A FORWARD -p udp -m multiport --ports 200,4999\n";
    let mut script = Script::new("edges of port ranges", &[("filter", filter)]);
    for port in [99, 100, 101, 149, 150, 199, 200, 201] {
        script.send(Port::Eth0, &udp(port));
    }
    script
}

fn negations() -> Script {
    let filter = "-A FORWARD ! -s 10.0.0.2\n-A FORWARD -s 10.0.0.2\n-A FORWARD ! -d 10.0.1.0/24\n-A FORWARD ! -i eth0\n-A FORWARD -i eth0\n-A FORWARD ! -o eth0\n-A FORWARD ! -p udp
-A FORWARD -p udp\n-A FORWARD -i eth+\n-A FORWARD -o eth1+\n-A FORWARD ! -i et+\n-A FORWARD ! -f\n-A FORWARD -s 10.0.0.0/30\n-A FORWARD -m mark ! --mark 0\n";
    let mut script = Script::new("each test and its opposite", &[("filter", filter)]);
    script.send(Port::Eth0, &udp(53));
    script.send(Port::Eth0, &Ip::udp((B, 1), (Ipv4Addr::new(8, 8, 8, 8), 1), b""));
    script.send(Port::Eth0, &tcp(SYN, 80));
    script.send(Port::Eth1, &Ip::udp((S, 53), (A, 5000), b"back"));
    script.send(Port::Eth1, &Ip::icmp(S, B, 8, 0, [0; 4], b"ping"));
    script
}

fn flags_and_codes() -> Script {
    let filter = "-A FORWARD -p tcp --syn\n-A FORWARD -p tcp ! --syn\n-A FORWARD -p tcp --tcp-flags SYN,ACK,FIN SYN\n-A FORWARD -p tcp --tcp-flags ALL SYN,ACK
-A FORWARD -p icmp --icmp-type 3/1\n-A FORWARD -p icmp --icmp-type 3\n-A FORWARD -p icmp ! --icmp-type 3/1\n-A FORWARD -p icmp --icmp-type any\n";
    let mut script = Script::new("TCP flags, ICMP codes", &[("filter", filter)]);
    for flags in [SYN, SYN | ACK, SYN | FIN, ACK, RST, FIN | ACK] {
        script.send(Port::Eth0, &tcp(flags, 80));
    }
    for (kind, code) in [(3, 0), (3, 1), (3, 2), (8, 0), (11, 1)] {
        script.send(Port::Eth1, &Ip::icmp(S, A, kind, code, [0; 4], &udp(1).packet()));
    }
    script
}

fn marks() -> Script {
    let mangle = "-A PREROUTING -p udp --dport 1 -j MARK --set-mark 0x1f\n-A PREROUTING -p udp --dport 2 -j MARK --set-xmark 0xff/0xf0
-A PREROUTING -m mark --mark 0x10/0x30 -j MARK --xor-mark 0x11\n-A PREROUTING -j MARK --set-xmark 0x3/0x0\n-A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff
-A PREROUTING -p udp --dport 53 -j CONNMARK --set-mark 0xabcd\n-A FORWARD -i eth1 -j CONNMARK --restore-mark --nfmask 0xfff --ctmask 0xf0\n";
    let filter = "-A FORWARD -m mark --mark 0x1f\n-A FORWARD -m mark --mark 0x1/0x1\n-A FORWARD -m mark --mark 0x10/0xf0\n-A FORWARD -m mark --mark 0xd
-A FORWARD -m connmark --mark 0x10/0x10\n-A FORWARD -m connmark --mark 0x3\n-A FORWARD -m mark --mark 0xc0\n-A FORWARD -m mark --mark 0xc0/0xf0\n";
    let mut script = Script::new("marks under masks", &[("mangle", mangle), ("filter", filter)]);
    for port in [1, 2, 53, 1] {
        script.send(Port::Eth0, &udp(port));
    }
    script.send(Port::Eth1, &Ip::udp((S, 53), (A, 5000), b"back"));
    script
}

fn tos_and_ttl() -> Script {
    let mangle = "-A PREROUTING -p udp --dport 1 -j TOS --set-tos 0x10\n-A PREROUTING -p udp --dport 2 -j TOS --set-tos 0xff/0x0f\n-A PREROUTING -p udp --dport 3 -j TTL --ttl-set 5
-A PREROUTING -p udp --dport 4 -j TTL --ttl-inc 5\n-A PREROUTING -p udp --dport 5 -j TTL --ttl-dec 70\n-A POSTROUTING -p udp --dport 6 -j TTL --ttl-inc 250\n";
    let mut script = Script::new("TOS and TTL", &[("mangle", mangle)]);
    for port in 1..=6 {
        let mut ip = udp(port);
        ip.tos = 0xa5;
        script.send(Port::Eth0, &ip);
    }
    script
}

fn remembered() -> Script {
    let filter = "-A FORWARD -m statistic --mode nth --every 3 --packet 1\n-A FORWARD -m statistic --mode nth --every 2 --packet 0 -j one\n-A FORWARD -m limit --limit 1/hour --limit-burst 4
-A FORWARD -p udp --dport 2 -m limit --limit 1/hour --limit-burst 1\n-A one -m statistic ! --mode nth --every 4 --packet 3\n";
    let mut script = Script::new("what rules remember", &[("filter", filter)]);
    for port in [1, 2, 1, 2, 1, 2, 1] {
        script.send(Port::Eth0, &udp(port));
    }
    script
}

fn burst_of_marks() -> Script {
    let mangle = "-A PREROUTING -p udp --dport 1 -j MARK --set-mark 1\n-A PREROUTING -p udp --dport 2 -j MARK --set-mark 2\n-A POSTROUTING -m mark --mark 2 -j TOS --set-tos 0x10\n";
    let filter = "-A FORWARD -m mark --mark 1\n-A FORWARD -m mark --mark 2 -p udp --dport 3 -j DROP\n-A FORWARD -m mark --mark 0\n";
    let mut script = Script::new("marks of several packets at once", &[("mangle", mangle), ("filter", filter)]);
    script.burst(Port::Eth0, &[udp(2), udp(3), udp(1), udp(2)]);
    script.burst(Port::Eth0, &[udp(1), udp(3)]);
    script
}

fn burst_of_one_flow() -> Script {
    let mut script = Script::new("several packets of a new flow at once", &[("filter", WATCH)]);
    script.burst(Port::Eth0, &[udp(53), udp(53), udp(53)]);
    script.burst(Port::Eth1, &[Ip::udp((S, 53), (A, 5000), b"1"), Ip::udp((S, 53), (A, 5000), b"2")]);
    script.burst(Port::Eth0, &[tcp(SYN, 80), tcp(SYN, 80), udp(53), tcp(SYN, 81)]);
    script.burst(Port::Eth0, &[Ip::icmp(A, S, 8, 0, [0, 1, 0, 1], b"a"), Ip::icmp(A, S, 8, 0, [0, 1, 0, 2], b"b")]);
    script
}

fn burst_of_nat() -> Script {
    let nat = "-A POSTROUTING -o eth1 -p udp -j SNAT --to-source 10.0.1.100\n-A POSTROUTING -o eth1 -j MASQUERADE\n";
    let mut script = Script::new("several packets of new translated flows at once", &[("nat", nat), ("filter", WATCH)]);
    script.burst(Port::Eth0, &[udp(53), udp(53), tcp(SYN, 80), udp(54), tcp(SYN, 80)]);
    script.burst(Port::Eth0, &[udp(54), udp(55), udp(55)]);
    script
}

fn burst_in_order() -> Script {
    let filter =
        "-A FORWARD -p udp --dport 1 -m limit --limit 1/hour --limit-burst 1 -j ACCEPT\n-A FORWARD -p udp --dport 1 -j DROP
-A FORWARD -m statistic --mode nth --every 2 --packet 0 -j DROP\n";
    let mut script = Script::new("the order within a burst", &[("filter", filter)]);
    let numbered = |n: u8| Ip::udp((A, 5000), (S, 1), &[n]);
    script.burst(Port::Eth0, &[numbered(1), numbered(2)]);
    script.burst(Port::Eth0, &[udp(2), udp(3), udp(4), udp(5)]);
    script
}

fn cut_headers() -> Script {
    let filter = "-P FORWARD DROP\n-A FORWARD -p tcp --dport 80\n-A FORWARD -p udp --dport 53\n-A FORWARD -p icmp --icmp-type 8\n-A FORWARD -p tcp\n-A FORWARD -p udp\n-A FORWARD -j ACCEPT\n";
    let mut script = Script::new("transport headers that are cut short", &[("filter", filter)]);
    for (protocol, len) in [(6, 19), (6, 10), (6, 3), (6, 0), (17, 7), (17, 4), (17, 0), (1, 7), (1, 3), (1, 0), (47, 1)] {
        let whole = [0x13, 0x88, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0, 9, 0, 0, 0, 0];
        script.send(Port::Eth0, &Ip::new(A, S, protocol, whole[..len].to_vec()));
    }
    script
}

fn untracked_pieces() -> Script {
    let filter = "-A FORWARD -p udp --dport 53\n-A FORWARD -p udp ! --dport 53\n-A FORWARD -p udp -m multiport --dports 53\n-A FORWARD -p tcp --dport 80\n-A FORWARD -f\n-A FORWARD ! -f
-A FORWARD -p icmp --icmp-type 8\n";
    let mut script = Script::new("fragments, nothing tracked", &[("filter", filter)]);
    for piece in Ip::udp((A, 5000), (S, 53), &[7; 40]).fragments(16) {
        script.send(Port::Eth0, &piece);
    }
    for piece in Ip::tcp((A, 5000), (S, 80), SYN, 1, 0, &[], &[7; 20]).fragments(24) {
        script.send(Port::Eth0, &piece);
    }
    for piece in Ip::tcp((A, 5000), (S, 80), SYN, 1, 0, &[], &[7; 20]).fragments(8) {
        script.send(Port::Eth0, &piece);
    }
    for piece in Ip::icmp(A, S, 8, 0, [0; 4], &[7; 20]).fragments(8) {
        script.send(Port::Eth0, &piece);
    }
    script
}

fn numbered(mut ip: Ip, id: u16) -> Ip {
    ip.id = id;
    ip
}

fn pieces(first: u16) -> Script {
    let mut script = Script::new("fragments of tracked datagrams", &[("filter", WATCH)]);
    let datagram = |id| numbered(Ip::udp((A, 5000), (S, 53), &[7; 100]), first + id);
    for piece in datagram(1).fragments(40) {
        script.send(Port::Eth0, &piece);
    }
    for piece in datagram(2).fragments(24).iter().rev() {
        script.send(Port::Eth0, piece);
    }
    script.burst(Port::Eth0, &datagram(3).fragments(16));
    let uneven = datagram(7);
    let mut from = 0;
    for (len, more) in [(16, 0x2000), (48, 0x2000), (24, 0x2000), (20, 0)] {
        let payload = uneven.payload[from..from + len].to_vec();
        script.send(Port::Eth0, &Ip { fragment: more | (from / 8) as u16, payload, ..uneven.clone() });
        from += len;
    }
    let long = numbered(Ip::udp((A, 5000), (S, 53), &[9; 3000]), first + 4);
    script.burst(Port::Eth0, &long.fragments(1480));
    script
}

fn overlaps(first: u16) -> Script {
    let mut script = Script::new("fragments that overlap", &[("filter", WATCH)]);
    let mut pieces = numbered(Ip::udp((A, 5000), (S, 53), &[7; 72]), first + 5).fragments(16);
    let overlapping = Ip { fragment: 0x2001, payload: vec![1; 24], ..pieces[0].clone() };
    script.send(Port::Eth0, &pieces.remove(0));
    script.send(Port::Eth0, &overlapping);
    for piece in &pieces {
        script.send(Port::Eth0, piece);
    }
    let pieces = numbered(Ip::udp((A, 5000), (S, 53), &[7; 72]), first + 6).fragments(16);
    script.send(Port::Eth0, &pieces[0]);
    script.send(Port::Eth0, &pieces[0]);
    for piece in &pieces[1..] {
        script.send(Port::Eth0, piece);
    }
    script
}

fn answers() -> Script {
    let filter = "-A FORWARD -p udp --dport 1 -j REJECT\n-A FORWARD -p udp --dport 2 -j REJECT --reject-with icmp-admin-prohibited\n-A FORWARD -p tcp -j REJECT --reject-with icmp-host-unreachable
-A FORWARD -p icmp -j REJECT\n-A INPUT -p udp -j REJECT\n";
    let mut script = Script::new("REJECT with ICMP errors", &[("filter", filter)]);
    for port in [1, 2] {
        let mut ip = udp(port);
        ip.tos = 0xbf;
        script.send(Port::Eth0, &ip);
    }
    script.send(Port::Eth0, &tcp(SYN, 80));
    script.send(Port::Eth0, &Ip::icmp(A, S, 8, 0, [0; 4], b"ping"));
    script.send(Port::Eth0, &Ip::icmp(A, S, 3, 1, [0; 4], &udp(9).packet()));
    script.send(Port::Eth1, &Ip::udp((S, 9), (OWN, 9), b"to the box"));
    script
}

fn resets() -> Script {
    let filter = "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n";
    let mut script = Script::new("REJECT with RST", &[("filter", filter)]);
    for flags in [SYN, FIN, SYN | FIN, ACK, FIN | ACK, RST, 0] {
        script.send(Port::Eth0, &tcp(flags, 80));
    }
    script.send(Port::Eth0, &Ip::tcp((A, 5000), (S, 80), 8, 1000, 0, &[], b"data"));
    script.send(Port::Eth1, &Ip::tcp((S, 5000), (OWN, 22), SYN, u32::MAX, 0, &[], b"data"));
    script
}

fn bad_checksums() -> Script {
    let filter = "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n-A FORWARD -j REJECT\n";
    let mut script = Script::new("REJECT of wrong checksums", &[("filter", filter)]);
    for (mut ip, at) in [(tcp(SYN, 80), 16), (udp(53), 6), (Ip::icmp(A, S, 8, 0, [0; 4], b"ping"), 2)] {
        script.send(Port::Eth0, &ip);
        ip.payload[at] ^= 0x5a;
        script.send(Port::Eth0, &ip);
    }
    script
}

fn answers_seen() -> Script {
    let filter = format!(
        "{WATCH}-A FORWARD -p udp -j REJECT\n-A OUTPUT -m conntrack --ctstate RELATED\n-A OUTPUT -m conntrack --ctstate NEW\n-A OUTPUT -p icmp\n-A OUTPUT -o eth0\n"
    );
    let nat = "-A PREROUTING -i eth1 -d 10.0.1.1 -p udp -j DNAT --to-destination 10.0.0.2:5353\n";
    let mut script = Script::new("answers as OUTPUT sees them, and as they leave behind nat", &[("nat", nat), ("filter", &filter)]);
    script.send(Port::Eth0, &udp(53));
    script.send(Port::Eth1, &Ip::udp((S, 4000), (OWN, 53), b"there"));
    script
}

fn ends_of_ways() -> Script {
    let filter = "-A FORWARD\n-A FORWARD -d 8.8.8.8\n";
    let mut script = Script::new("TTL, MTU and routes", &[("filter", filter)]);
    for ttl in [0, 1, 2] {
        script.send(Port::Eth0, &Ip { ttl, ..udp(53) });
    }
    for len in [1472, 1473, 1474, 1475] {
        let long = Ip::udp((A, 5000), (S, 53), &vec![7; len]);
        script.send(Port::Eth0, &Ip { fragment: 0x4000, ..long.clone() });
        script.send(Port::Eth0, &numbered(long, 5));
    }
    script.send(Port::Eth0, &Ip::udp((A, 5000), (Ipv4Addr::new(8, 8, 8, 8), 53), b"far"));
    script.send(Port::Eth1, &Ip::udp((Ipv4Addr::new(8, 8, 8, 8), 53), (A, 5000), b"back"));
    script
}

fn long_quotes() -> Script {
    let mut script = Script::new("how much an ICMP error quotes", &[("filter", "-A FORWARD -j REJECT\n")]);
    for len in [0, 1, 500, 519, 520, 521, 900] {
        script.send(Port::Eth0, &Ip::udp((A, 5000), (S, 53), &vec![7; len]));
    }
    script
}
