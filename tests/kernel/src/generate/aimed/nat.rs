//! What is translated, and to what.

use std::net::Ipv4Addr;

use super::{A, ACK, B, OWN, S, SYN, Script, T};
use crate::answer::Answer;
use crate::frame::Ip;
use crate::world::Port;

const MASQUERADE: &str = "-A POSTROUTING -o eth1 -j MASQUERADE\n";

pub(super) fn scripts() -> Vec<Script> {
    vec![
        masqueraded(),
        errors_come_back(),
        without_checksum(),
        clients_that_clash(),
        few_ports(),
        ports_within(),
        pool(),
        pool_by_destination(),
        untranslated_in_the_way(),
        to_a_server(),
        errors_of_a_server(),
        to_several_servers(),
        redirected(),
        order_of_tables(),
        low_ports(),
    ]
}

fn udp(from: Ipv4Addr, port: u16, to: Ipv4Addr) -> Ip {
    Ip::udp((from, port), (to, 53), b"there")
}

fn masqueraded() -> Script {
    let mut script = Script::new("MASQUERADE, there and back", &[("nat", MASQUERADE)]);
    let syn = script.send(Port::Eth0, &Ip::tcp((A, 5000), (S, 80), SYN, 1000, 0, &[], b""));
    script.answer(syn, Answer::Tcp { flags: SYN | ACK, seq: 5000, ack: 1001, data: 0 });
    script.send(Port::Eth0, &Ip::tcp((A, 5000), (S, 80), ACK, 1001, 5001, &[], b"data"));
    script.answer(syn, Answer::Tcp { flags: ACK, seq: 5001, ack: 1005, data: 9 });
    let ping = script.send(Port::Eth0, &Ip::icmp(A, S, 8, 0, [0, 7, 0, 1], b"ping"));
    script.answer(ping, Answer::Echo);
    let datagram = script.send(Port::Eth0, &udp(A, 5000, Ipv4Addr::new(8, 8, 8, 8)));
    script.answer(datagram, Answer::Udp { data: 33 });
    script.send(Port::Eth0, &Ip::new(A, S, 47, vec![0, 0, 8, 0, 1, 2, 3, 4]));
    script
}

fn errors_come_back() -> Script {
    let mut script = Script::new("ICMP errors about masqueraded packets", &[("nat", MASQUERADE)]);
    let sent = [
        script.send(Port::Eth0, &udp(A, 5000, S)),
        script.send(Port::Eth0, &Ip::tcp((A, 5000), (S, 80), SYN, 1000, 0, &[], b"")),
        script.send(Port::Eth0, &Ip::icmp(A, S, 8, 0, [0, 7, 0, 1], b"ping")),
    ];
    for to in sent {
        for (kind, code, quote) in [(3, 3, 28), (11, 0, 28), (3, 4, 400), (5, 1, 28), (3, 3, 24)] {
            script.answer(to, Answer::Error { kind, code, quote });
        }
    }
    script
}

fn without_checksum() -> Script {
    let mut script = Script::new("UDP without a checksum stays without one", &[("nat", MASQUERADE)]);
    let mut there = udp(A, 5000, S);
    there.payload[6..8].fill(0);
    let sent = script.send(Port::Eth0, &there);
    let mut back = Ip::udp((S, 53), (OWN, 5000), b"back");
    back.payload[6..8].fill(0);
    script.send(Port::Eth1, &back);
    script.answer(sent, Answer::Error { kind: 3, code: 3, quote: 28 });
    script
}

fn clients_that_clash() -> Script {
    let mut script = Script::new("two clients with one port, behind one address", &[("nat", MASQUERADE)]);
    for from in [A, B, Ipv4Addr::new(10, 0, 0, 4)] {
        let sent = script.send(Port::Eth0, &udp(from, 5000, S));
        script.answer(sent, Answer::Udp { data: 4 });
    }
    let ping = script.send(Port::Eth0, &Ip::icmp(A, S, 8, 0, [0, 7, 0, 1], b"ping"));
    let other = script.send(Port::Eth0, &Ip::icmp(B, S, 8, 0, [0, 7, 0, 1], b"ping"));
    script.answer(other, Answer::Echo);
    script.answer(ping, Answer::Echo);
    script
}

fn few_ports() -> Script {
    let rules = "-A POSTROUTING -o eth1 -p udp -j SNAT --to-source 10.0.1.100:4000-4002\n";
    let mut script = Script::new("three ports for four clients", &[("nat", rules)]);
    for port in 6000..6005 {
        let sent = script.send(Port::Eth0, &udp(A, port, S));
        script.answer(sent, Answer::Udp { data: 2 });
    }
    script
}

fn ports_within() -> Script {
    let rules = "-A POSTROUTING -o eth1 -p udp -j SNAT --to-source 10.0.1.100:4000-4002\n";
    let mut script = Script::new("ports that lie within the range are kept", &[("nat", rules)]);
    for (from, port) in [(A, 4000), (B, 4001), (A, 4002)] {
        let sent = script.send(Port::Eth0, &udp(from, port, T));
        script.answer(sent, Answer::Udp { data: 2 });
    }
    script
}

fn pool() -> Script {
    let rules = "-A POSTROUTING -o eth1 -j SNAT --to-source 10.0.1.100-10.0.1.103\n";
    let mut script = Script::new("a pool of addresses", &[("nat", rules)]);
    for host in 2..=9 {
        script.send(Port::Eth0, &udp(Ipv4Addr::new(10, 0, 0, host), 5000, S));
        script.send(Port::Eth0, &udp(Ipv4Addr::new(10, 0, 0, host), 5001, S));
    }
    script
}

/// The address depends on the destination; a source that has one keeps it all the same.
fn pool_by_destination() -> Script {
    let rules = "-A POSTROUTING -o eth1 -j SNAT --to-source 10.0.1.100-10.0.1.115\n";
    let mut script = Script::new("a pool, and one source towards many destinations", &[("nat", rules)]);
    for host in 2..=9 {
        script.send(Port::Eth0, &udp(A, 5000, Ipv4Addr::new(10, 0, 1, host)));
        script.send(Port::Eth0, &Ip::tcp((B, 6000 + u16::from(host)), (Ipv4Addr::new(10, 0, 1, host), 80), SYN, 1, 0, &[], b""));
    }
    script
}

/// A is given the address of B: B's own packets, that no rule translates, must not be taken for A's.
fn untranslated_in_the_way() -> Script {
    let rules = "-A POSTROUTING -o eth1 -s 10.0.0.2 -j SNAT --to-source 10.0.0.3\n-A POSTROUTING -o lo -j MASQUERADE\n";
    let mut script = Script::new("a flow that no rule translates clashes with a translated one", &[("nat", rules)]);
    let first = script.send(Port::Eth0, &udp(A, 5000, S));
    let second = script.send(Port::Eth0, &udp(B, 5000, S));
    script.answer(second, Answer::Udp { data: 2 });
    script.answer(first, Answer::Udp { data: 3 });
    script
}

fn to_a_server() -> Script {
    let rules = "-A PREROUTING -i eth1 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080
-A PREROUTING -i eth1 -p udp -j DNAT --to-destination 10.0.0.2
-A PREROUTING -i eth1 -p icmp -j DNAT --to-destination 10.0.0.3\n";
    let mut script = Script::new("DNAT, with and without a port", &[("nat", rules)]);
    let syn = script.send(Port::Eth1, &Ip::tcp((S, 4000), (OWN, 80), SYN, 1000, 0, &[], b""));
    script.answer(syn, Answer::Tcp { flags: SYN | ACK, seq: 5000, ack: 1001, data: 0 });
    script.send(Port::Eth1, &Ip::tcp((S, 4000), (OWN, 80), ACK, 1001, 5001, &[], b"data"));
    let datagram = script.send(Port::Eth1, &Ip::udp((S, 4000), (OWN, 53), b"there"));
    script.answer(datagram, Answer::Udp { data: 2 });
    let ping = script.send(Port::Eth1, &Ip::icmp(S, OWN, 8, 0, [0, 7, 0, 1], b"ping"));
    script.answer(ping, Answer::Echo);
    script
}

fn errors_of_a_server() -> Script {
    let rules = "-A PREROUTING -i eth1 -j DNAT -p udp --to-destination 10.0.0.2:5353\n";
    let mut script = Script::new("ICMP errors about packets that DNAT sent", &[("nat", rules)]);
    let datagram = script.send(Port::Eth1, &Ip::udp((S, 4000), (OWN, 53), b"there"));
    script.answer(datagram, Answer::Error { kind: 3, code: 3, quote: 28 });
    script.answer(datagram, Answer::Error { kind: 3, code: 4, quote: 33 });
    let back = script.answer(datagram, Answer::Udp { data: 40 });
    script.answer(back, Answer::Error { kind: 3, code: 1, quote: 28 });
    script.answer(back, Answer::Error { kind: 11, code: 0, quote: 68 });
    script
}

fn to_several_servers() -> Script {
    let rules = "-A PREROUTING -i eth1 -p udp -j DNAT --to-destination 10.0.0.2-10.0.0.5
-A PREROUTING -i eth1 -p tcp -j DNAT --to-destination 10.0.0.2:8000-8003\n";
    let mut script = Script::new("DNAT to ranges", &[("nat", rules)]);
    for host in 2..=9 {
        script.send(Port::Eth1, &Ip::udp((Ipv4Addr::new(10, 0, 1, host), 4000), (OWN, 53), b"there"));
    }
    script.send(Port::Eth1, &Ip::tcp((S, 4000), (OWN, 8002), SYN, 1000, 0, &[], b""));
    script
}

fn redirected() -> Script {
    let rules = "-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3128\n-A PREROUTING -p udp -j REDIRECT\n";
    let watch = "-A INPUT -p tcp --dport 3128\n-A INPUT -d 10.0.0.1\n-A INPUT -d 10.0.1.1\n-A INPUT -p udp --dport 53\n";
    let mut script = Script::new("REDIRECT", &[("nat", rules), ("filter", watch)]);
    script.send(Port::Eth0, &Ip::tcp((A, 5000), (S, 80), SYN, 1000, 0, &[], b""));
    script.send(Port::Eth0, &udp(A, 5000, S));
    script.send(Port::Eth1, &udp(S, 5000, OWN));
    script
}

/// Tables before and behind nat see different addresses.
fn order_of_tables() -> Script {
    let nat = "-A PREROUTING -i eth1 -d 10.0.1.1 -j DNAT --to-destination 10.0.0.2\n-A POSTROUTING -o eth1 -j MASQUERADE\n";
    let mangle = "-A PREROUTING -d 10.0.1.1\n-A PREROUTING -d 10.0.0.2\n-A PREROUTING -m conntrack --ctstate DNAT
-A FORWARD -d 10.0.0.2 -j MARK --set-mark 4\n-A FORWARD -s 10.0.0.2\n-A POSTROUTING -s 10.0.0.2\n-A POSTROUTING -s 10.0.1.1
-A INPUT -d 10.0.1.1\n";
    let filter = "-A FORWARD -d 10.0.0.2\n-A FORWARD -m mark --mark 4\n-A FORWARD -s 10.0.0.2\n-A INPUT -d 10.0.1.1\n";
    let mut script = Script::new("what each table sees", &[("nat", nat), ("mangle", mangle), ("filter", filter)]);
    script.send(Port::Eth1, &udp(S, 4000, OWN));
    let out = script.send(Port::Eth0, &udp(A, 4001, S));
    script.answer(out, Answer::Udp { data: 2 });
    script.send(Port::Eth0, &Ip::udp((A, 53), (S, 4000), b"back"));
    script
}

fn low_ports() -> Script {
    let mut script = Script::new("ports keep their class when they clash", &[("nat", MASQUERADE)]);
    for port in [100, 700, 3000] {
        script.send(Port::Eth0, &udp(A, port, S));
        script.send(Port::Eth0, &udp(B, port, S));
    }
    script
}
