//! TEE: where a copy goes, what it passes, and what becomes of one that cannot go. As Linux 6.18 does it.

use rules::TableName::{Filter, Mangle, Raw};

use crate::fragments::cut;
use crate::lab::frames::{ping, udp};
use crate::lab::{Box, ETH0, ETH1, Lab, mac, talk};

/// The box with a rule in the mangle table, and others that count copies.
fn with(rule: &str) -> Lab {
    Lab::new(&format!(
        "*raw\n-A OUTPUT -p udp\nCOMMIT\n*mangle\n{rule}\nCOMMIT\n\
         *filter\n-A FORWARD -m conntrack --ctstate NEW\n-A OUTPUT -m conntrack --ctstate UNTRACKED\nCOMMIT\n\
         *nat\n-A POSTROUTING -o eth1 -j SNAT --to-source 192.168.1.1\nCOMMIT\n"
    ))
}

#[test]
fn a_copy_leaves_for_its_gateway_before_the_packet_goes_on() {
    for (chain, ttl) in [("PREROUTING", 63), ("FORWARD", 63), ("POSTROUTING", 63)] {
        let mut lab = with(&format!("-A {chain} -p udp -j TEE --gateway 192.168.1.3"));
        let lines = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7"));
        let copy = format!("eth1: 10.0.0.2:1 > 192.168.1.2:7 udp ttl {ttl}");
        assert_eq!(lines, [copy.as_str(), "eth1: 192.168.1.1:1 > 192.168.1.2:7 udp ttl 63"], "{chain}");
        assert_eq!(lab.count(Raw, "OUTPUT", 1).0, 1, "{chain}");
        assert_eq!(lab.count(Filter, "OUTPUT", 1).0, 1, "no connection is the copy's: {chain}");
        assert_eq!(lab.count(Filter, "FORWARD", 1).0, 1, "{chain}");
        assert_eq!(lab.drops(), []);
    }
}

/// Where packets come in a hop is taken off the copy, and it leaves even when none is left.
#[test]
fn a_copy_of_what_comes_in_has_a_hop_less() {
    let mut lab = with("-A INPUT -p udp -j TEE --gateway 10.0.0.3");
    let lines = lab.wire(ETH0, &udp("10.0.0.2:1", "10.0.0.1:7").ttl(9));
    assert_eq!(lines[0], "eth0: 10.0.0.2:1 > 10.0.0.1:7 udp ttl 8");
    assert_eq!(lines[1], "tap eth0: 10.0.0.2:1 > 10.0.0.1:7 udp ttl 9");
    let mut lab = with("-A PREROUTING -p udp -j TEE --gateway 10.0.0.3");
    let lines = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7").ttl(1));
    assert_eq!(lines[0], "eth0: 10.0.0.2:1 > 192.168.1.2:7 udp ttl 0");
    assert!(lines[1].contains("icmp 11/0"), "{lines:?}");
    let mut lab = with("-A OUTPUT -p icmp -j TEE --gateway 10.0.0.3");
    let lines = lab.host(ETH0, &ping("10.0.0.1", "10.0.0.2", 1));
    assert_eq!(lines, ["eth0: 10.0.0.1 > 10.0.0.2 icmp 8/0 id 1"; 2], "the box's own has all of its hops");
}

#[test]
fn of_a_copy_no_copy_is_made() {
    let mut lab = with(
        "-A PREROUTING -p udp -j TEE --gateway 192.168.1.3\n-A OUTPUT -j TEE --gateway 192.168.1.4\n\
         -A POSTROUTING -p udp -j TEE --gateway 192.168.1.4",
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7")).len(), 3, "the packet, and a copy by each rule that it met");
    assert_eq!(lab.count(Mangle, "OUTPUT", 1).0, 2, "the copies meet the rule all the same");
    let mut lab = Lab::new(
        "*mangle\n-A PREROUTING -p udp -j TEE --gateway 192.168.1.3\n-A OUTPUT -j TEE --gateway 192.168.1.4\nCOMMIT\n\
         *filter\n-A OUTPUT -p udp -j REJECT\nCOMMIT\n",
    );
    let lines = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7"));
    assert_eq!(lines.len(), 2, "nor of what is said about one: {lines:?}");
}

#[test]
fn a_copy_that_a_rule_marks_goes_where_its_destination_is() {
    let mut lab = with("-A FORWARD -p udp -j TEE --gateway 10.0.0.3\n-A OUTPUT -j MARK --set-mark 9");
    let lines = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7"));
    assert_eq!(lines, ["eth1: 10.0.0.2:1 > 192.168.1.2:7 udp ttl 63", "eth1: 192.168.1.1:1 > 192.168.1.2:7 udp ttl 63"]);
}

#[test]
fn the_named_interface_is_taken_if_it_is_there() {
    for (words, lines) in [
        ("--gateway 192.168.1.3 --oif eth1", &["eth1: 10.0.0.2:1 > 192.168.1.2:7 udp ttl 63"][..]),
        ("--gateway 192.168.1.3 --oif eth9", &["eth1: 10.0.0.2:1 > 192.168.1.2:7 udp ttl 63"]),
    ] {
        let mut lab = with(&format!("-A FORWARD -p udp -j TEE {words}"));
        let seen = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7"));
        assert_eq!(seen[..seen.len() - 1], *lines, "{words}");
    }
}

/// The packet itself goes on whatever becomes of its copy.
#[test]
fn a_copy_that_cannot_go_is_counted_by_name() {
    for (gateway, reason) in [("10.0.0.1", "TeeGateway"), ("10.0.0.255", "TeeGateway"), ("224.0.0.9", "TeeGateway")] {
        let mut lab = with(&format!("-A PREROUTING -p udp -j TEE --gateway {gateway}"));
        assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7")).len(), 1, "{gateway}");
        assert_eq!(lab.drops(), [(reason, 1)], "{gateway}");
    }
    let mut lab = with("-A PREROUTING -p udp -j TEE --gateway 192.168.1.3");
    lab.sim.outside = engine::sim::Recorder::new(1);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7")).len(), 1);
    assert_eq!(lab.drops(), [("NoBuffer", 1)], "without a spare buffer there is no copy");
    let mut lab = with(&format!("{}-A PREROUTING -p udp", "-A PREROUTING -p udp -j TEE --gateway 192.168.1.3\n".repeat(10)));
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7")).len(), 9);
    assert_eq!(lab.drops(), [("OwnQueueFull", 2)], "so many copies wait at once");
    assert_eq!(lab.sim.outside.live(), 0);
}

/// It may not be cut: the sender is told, as of any packet.
#[test]
fn a_copy_that_is_too_long_is_told_of() {
    let mut lab = with("-A FORWARD -p udp -j TEE --gateway 192.168.1.3");
    let mut parts = Box::default();
    parts.interfaces[ETH1.index() - 1].mtu = 1000;
    lab.sim.snapshot.host = parts.host();
    lab.sim.snapshot.edition = engine::snapshot::Edition::new();
    let lines = lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:7").data(1400));
    assert_eq!(
        lines,
        [
            "eth0: 10.0.0.1 > 10.0.0.2 icmp 3/4 mtu 1000 [10.0.0.2:1 > 8.8.8.8:7 ttl 63] tos 0xc0",
            "eth2: 10.0.0.2:1 > 8.8.8.8:7 udp ttl 63"
        ]
    );
    assert_eq!(lab.drops(), [("MtuExceeded", 1)]);
}

#[test]
fn a_copy_says_that_it_may_not_be_cut() {
    let mut lab = with("-A FORWARD -p udp -j TEE --gateway 192.168.1.3");
    let mut frame = udp("10.0.0.2:1", "8.8.8.8:7").frame();
    frame[..6].copy_from_slice(&mac(ETH0));
    lab.sim.wire(ETH0, &[frame], &Default::default());
    let flags: Vec<u8> = lab
        .sim
        .events()
        .iter()
        .filter_map(|event| match event {
            engine::sim::Event::Transmit { frame, .. } => Some(frame[20] & 0x40),
            _ => None,
        })
        .collect();
    assert_eq!(flags, [0x40, 0]);
}

/// Packets of one connection are copied each, those whose way behind tracking is known as well.
#[test]
fn every_packet_of_a_connection_is_copied() {
    for (table, chain) in [("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("filter", "FORWARD"), ("mangle", "POSTROUTING")] {
        let mut lab = Lab::new(&format!(
            "*{table}\n-A {chain} -p tcp -j TEE --gateway 10.0.0.3\nCOMMIT\n*security\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n"
        ));
        for (port, packet) in talk("10.0.0.2:1024", "192.168.1.2:80", 2) {
            let lines = lab.wire(port, &packet);
            assert_eq!(lines.len(), 2, "{table} {chain} {lines:?}");
            assert!(lines[0].starts_with("eth0"), "the copy is the first: {lines:?}");
        }
    }
}

/// In pieces as long as the longest that came, if connections are tracked; without, a copy that waited for its pieces may not be cut.
#[test]
fn a_copy_of_a_datagram_that_came_in_pieces() {
    let pieces = cut(&udp("10.0.0.2:1", "10.0.0.1:9").data(40).frame(), &[24], false);
    let lines = |rules: &str| {
        let mut lab = Lab::new(rules);
        let last: Vec<String> = pieces.iter().flat_map(|piece| lab.wire_frame(ETH0, piece.clone())).collect();
        last.into_iter().filter(|line| line.starts_with("eth1")).collect::<Vec<_>>()
    };
    let tee = "*mangle\n-A INPUT -p udp -j TEE --gateway 192.168.1.3\nCOMMIT\n";
    let tracked = lines(&format!("{tee}*filter\n-A INPUT -m conntrack --ctstate NEW\nCOMMIT\n"));
    assert_eq!(tracked.len(), 2, "{tracked:?}");
    assert_eq!(lines(tee), [""; 0]);
}
