//! `--fullcone`: one outside port for an inside one, towards everybody and open to everybody.

use std::sync::Arc;

use crate::lab::crew::CrewLab;
use crate::lab::frames::{icmp, tcp, udp};
use crate::lab::{Box, ETH0, ETH1, ETH2, Lab, ip};
use engine::snapshot::Settings;
use etherparse::{Icmpv4Type, icmpv4};

const CONE: &str = "*nat\n-A POSTROUTING -o eth2 -p udp -j MASQUERADE --fullcone\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n";

/// The source port of the one packet that left.
fn port(lines: &[String]) -> u16 {
    lines[0].split([':', ' ']).nth(3).and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{lines:?}"))
}

#[test]
fn an_inside_end_has_one_outside_end_towards_everybody_and_shares_it_with_nobody() {
    let mut lab = Lab::new(CONE);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53")), ["eth2: 203.0.113.1:4000 > 8.8.8.8:53 udp ttl 63"]);
    // Towards another destination its port would be free for a second client: not here.
    let other = port(&lab.wire(ETH0, &udp("10.0.0.3:4000", "9.9.9.9:53")));
    assert_ne!(other, 4000);
    for server in 1..20 {
        let to = format!("9.9.9.{server}:{server}");
        assert_eq!(port(&lab.wire(ETH0, &udp("10.0.0.2:4000", &to))), 4000);
        assert_eq!(port(&lab.wire(ETH0, &udp("10.0.0.3:4000", &to))), other);
    }
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.3:4000", "9.9.9.9:80", "S")), ["eth2: 203.0.113.1:4000 > 9.9.9.9:80 tcp S ttl 63"]);
}

#[test]
fn whoever_sends_to_the_outside_end_reaches_the_inside_one_if_the_rules_let_him() {
    let mut lab = Lab::new(CONE);
    assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:99", "203.0.113.1:4000")), ["tap eth2: 9.9.9.9:99 > 203.0.113.1:4000 udp"]);
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:98", "203.0.113.1:4000")), ["eth0: 9.9.9.9:98 > 10.0.0.2:4000 udp ttl 63"]);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:4000", "9.9.9.9:98")), ["eth2: 203.0.113.1:4000 > 9.9.9.9:98 udp ttl 63"]);
    assert_eq!(lab.wire(ETH2, &tcp("9.9.9.9:97", "203.0.113.1:4000", "S")), ["tap eth2: 9.9.9.9:97 > 203.0.113.1:4000 tcp S"]);
    assert_eq!(lab.wire(ETH1, &udp("192.168.1.2:7", "203.0.113.1:4000")), ["eth0: 192.168.1.2:7 > 10.0.0.2:4000 udp ttl 63"]);
    let error = icmp("9.9.9.9", "203.0.113.1", Icmpv4Type::DestinationUnreachable(icmpv4::DestUnreachableHeader::Port));
    let quoted = udp("203.0.113.1:4000", "9.9.9.9:98").ttl(1).frame();
    assert_eq!(
        lab.wire(ETH2, &error.bytes(&quoted[14..])),
        ["eth0: 9.9.9.9 > 10.0.0.2 icmp 3/3 [10.0.0.2:4000 > 9.9.9.9:98 ttl 1] ttl 63"]
    );
    let strict = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n";
    lab.load(&format!("{CONE}{strict}"));
    assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:96", "203.0.113.1:4000")), [""; 0], "the filter has the last word");
    lab.load(&format!("{CONE}{}", strict.replace("ESTABLISHED", "ESTABLISHED,DNAT")));
    assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:96", "203.0.113.1:4000")).len(), 1);
}

#[test]
fn a_rule_of_the_operator_comes_before_a_cone() {
    let mut lab =
        Lab::new(&CONE.replace("COMMIT", "-A PREROUTING -p udp --dport 4000 -j DNAT --to-destination 192.168.1.2\nCOMMIT"));
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:98", "203.0.113.1:4000")), ["eth1: 9.9.9.9:98 > 192.168.1.2:4000 udp ttl 63"]);
}

#[test]
fn a_cone_lives_as_long_as_a_flow_of_it_and_a_little_more() {
    let mut lab = Lab::new(CONE);
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    // Peers of both kinds keep it, for minutes; then nobody does.
    for round in 0..20 {
        lab.advance(20_000);
        assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:98", "203.0.113.1:4000")).len(), 1, "round {round}");
        assert_eq!(
            lab.wire(ETH2, &udp(&format!("9.9.9.9:{}", 100 + round), "203.0.113.1:4000")),
            [format!("eth0: 9.9.9.9:{} > 10.0.0.2:4000 udp ttl 63", 100 + round)]
        );
    }
    for _ in 0..10 {
        lab.advance(20_000);
    }
    assert_eq!(lab.flows(), 0);
    assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:98", "203.0.113.1:4000")), ["tap eth2: 9.9.9.9:98 > 203.0.113.1:4000 udp"]);
}

#[test]
fn a_flow_of_either_way_keeps_its_cone_for_as_long_as_it_lives() {
    for inward in [false, true] {
        let mut lab = Lab::new(CONE);
        lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
        if inward {
            lab.wire(ETH2, &udp("9.9.9.9:98", "203.0.113.1:4000"));
        }
        for _ in 0..20 {
            lab.advance(20_000);
            match inward {
                true => lab.wire(ETH2, &udp("9.9.9.9:98", "203.0.113.1:4000")),
                false => lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53")),
            };
        }
        assert_eq!(lab.flows(), 1);
        assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:99", "203.0.113.1:4000")), ["eth0: 9.9.9.9:99 > 10.0.0.2:4000 udp ttl 63"]);
    }
}

/// A flow may begin and end between two of the rounds in which the worker speaks for those it has.
#[test]
fn each_new_flow_keeps_its_cone_however_short_its_life() {
    for inward in [false, true] {
        let mut lab = Lab::new(CONE);
        let mut settings = Settings::default();
        settings.conntrack.timeouts.udp = 2;
        lab.sim.snapshot.settings = Arc::new(settings);
        lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
        lab.advance(50_000);
        assert_eq!(lab.flows(), 0);
        match inward {
            true => {
                assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:98", "203.0.113.1:4000")), ["eth0: 9.9.9.9:98 > 10.0.0.2:4000 udp ttl 63"])
            }
            false => assert_eq!(port(&lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:54"))), 4000),
        }
        lab.advance(2_000);
        lab.advance(48_000);
        assert_eq!(lab.flows(), 0);
        assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:99", "203.0.113.1:4000")), ["eth0: 9.9.9.9:99 > 10.0.0.2:4000 udp ttl 63"]);
        for seconds in [2, 61] {
            lab.advance(seconds * 1000);
        }
        assert_eq!(lab.wire(ETH2, &udp("9.9.9.9:99", "203.0.113.1:4000")), ["tap eth2: 9.9.9.9:99 > 203.0.113.1:4000 udp"]);
    }
}

#[test]
fn a_cone_follows_the_rule_and_keeps_off_the_boxs_own_ports() {
    let mut lab = Lab::new(CONE);
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    lab.load("*nat\n-A POSTROUTING -o eth2 -p udp -j SNAT --to-source 203.0.113.9:5000-5001 --fullcone\nCOMMIT\n");
    let left = lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:54"));
    assert!(left[0].starts_with("eth2: 203.0.113.9:500"), "{left:?}");
    assert_eq!(port(&lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:55"))), port(&left));
    lab.wire(ETH0, &udp("10.0.0.2:4001", "8.8.8.8:54"));
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:4002", "8.8.8.8:54")), [""; 0], "two ports, two cones");
    assert_eq!(lab.drops(), [("NatExhausted", 1)]);

    let mut lab = Lab::new(CONE);
    let mut host = Box::default();
    host.parts.listening = vec![(17, ip("203.0.113.1"), 4000)];
    lab.rehost(&host);
    assert_ne!(port(&lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"))), 4000);
}

#[test]
fn workers_share_cones() {
    let mut lab = CrewLab::new(CONE, 3);
    let mut ports = Vec::new();
    for server in 1..30 {
        let left = lab.wire(server % 3, ETH0, &udp("10.0.0.2:4000", &format!("8.8.8.8:{server}")));
        ports.push(port(&left));
    }
    assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    for peer in 1..30 {
        let came = lab.wire(peer % 3, ETH2, &udp(&format!("9.9.9.9:{peer}"), &format!("203.0.113.1:{}", ports[0])));
        assert_eq!(came, [format!("eth0: 9.9.9.9:{peer} > 10.0.0.2:4000 udp ttl 63")]);
        let back = lab.wire(peer % 2, ETH0, &udp("10.0.0.2:4000", &format!("9.9.9.9:{peer}")));
        assert_eq!(back, [format!("eth2: 203.0.113.1:{} > 9.9.9.9:{peer} udp ttl 63", ports[0])]);
    }
}
