//! Translation in both directions, checksums included, and ICMP errors through it.

use engine::conntrack::Dir;
use etherparse::{Icmpv4Type, icmpv4};
use rules::TableName::Nat;

use crate::lab::frames::{icmp, ping, pong, tcp, udp};
use crate::lab::{Box, ETH0, ETH1, ETH2, Lab, ip};

#[test]
fn a_forwarded_port_works_both_ways() {
    let mut lab = Lab::new("*nat\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\nCOMMIT\n");
    assert_eq!(
        lab.wire(ETH2, &tcp("8.8.8.8:4000", "203.0.113.1:80", "S").data(3)),
        ["eth1: 8.8.8.8:4000 > 192.168.1.2:8080 tcp S ttl 63"]
    );
    assert_eq!(
        lab.wire(ETH1, &tcp("192.168.1.2:8080", "8.8.8.8:4000", "SA").numbers(9, 1001)),
        ["eth2: 203.0.113.1:80 > 8.8.8.8:4000 tcp SA ttl 63"]
    );
    assert_eq!(
        lab.wire(ETH2, &tcp("8.8.8.8:4000", "203.0.113.1:80", "A").numbers(1001, 10)),
        ["eth1: 8.8.8.8:4000 > 192.168.1.2:8080 tcp A ttl 63"]
    );
    assert_eq!(lab.count(Nat, "PREROUTING", 1), (1, 43), "only the first packet of a connection goes through nat");
    assert_eq!(lab.flows(), 1);
}

#[test]
fn many_share_one_address() {
    let mut lab = Lab::new("*nat\n-A POSTROUTING -o eth2 -j SNAT --to-source 203.0.113.1\nCOMMIT\n");
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53")), ["eth2: 203.0.113.1:4000 > 8.8.8.8:53 udp ttl 63"]);
    let second = lab.wire(ETH0, &udp("10.0.0.3:4000", "8.8.8.8:53"));
    let port: u16 = second[0].split([':', ' ']).nth(3).and_then(|port| port.parse().ok()).expect("a port");
    assert!(port != 4000 && port >= 1024, "{second:?}");
    assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:53", "203.0.113.1:4000")), ["eth0: 8.8.8.8:53 > 10.0.0.2:4000 udp ttl 63"]);
    assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:53", &format!("203.0.113.1:{port}"))), ["eth0: 8.8.8.8:53 > 10.0.0.3:4000 udp ttl 63"]);
}

#[test]
fn masquerade_takes_the_address_on_the_next_hops_subnet() {
    let mut lab = Lab::new("*nat\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n");
    let mut host = Box::default();
    let other = engine::host::Address { address: ip("198.51.100.7"), ..host.parts.addresses[2] };
    host.parts.addresses.insert(2, other);
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &ping("10.0.0.2", "8.8.8.8", 77)), ["eth2: 203.0.113.1 > 8.8.8.8 icmp 8/0 id 77 ttl 63"]);
    assert_eq!(lab.wire(ETH2, &pong("8.8.8.8", "203.0.113.1", 77)), ["eth0: 8.8.8.8 > 10.0.0.2 icmp 0/0 id 77 ttl 63"]);
    let unasked = lab.wire(ETH2, &pong("8.8.8.8", "203.0.113.1", 78));
    assert_eq!(unasked, ["tap eth2: 8.8.8.8 > 203.0.113.1 icmp 0/0 id 78"], "nobody's answer is not translated");
}

/// The flows of clients that are masqueraded with 203.0.113.1 and 198.51.100.7, after the host became another.
fn masqueraded_after(change: impl FnOnce(&mut Box)) -> Vec<u16> {
    let mut lab = Lab::new(
        "*nat\n-A POSTROUTING -p udp --dport 53 -j MASQUERADE\n-A POSTROUTING -o eth2 -j SNAT --to-source 203.0.113.1\nCOMMIT\n",
    );
    let mut host = Box::default();
    lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:53"));
    lab.wire(ETH0, &udp("10.0.0.2:2", "192.168.1.2:53"));
    lab.wire(ETH0, &udp("10.0.0.2:3", "8.8.8.8:54"));
    assert_eq!(lab.flows(), 3);
    change(&mut host);
    lab.rehost(&host);
    lab.advance(1);
    let mut ports: Vec<u16> = lab
        .sim
        .worker
        .flows()
        .iter()
        .filter_map(|(_, flow)| match flow.tuple(Dir::Original).l4 {
            packet::TupleL4::Ports { src, .. } => Some(src),
            _ => None,
        })
        .collect();
    ports.sort_unstable();
    ports
}

#[test]
fn masqueraded_flows_end_with_their_address_or_interface() {
    assert_eq!(masqueraded_after(|_| {}), [1, 2, 3]);
    let gone = masqueraded_after(|host| host.parts.addresses.retain(|a| a.address != ip("203.0.113.1")));
    assert_eq!(gone, [2, 3], "what SNAT translated stays");
    let moved = masqueraded_after(|host| {
        let other = engine::host::Address { address: ip("203.0.113.7"), ..host.parts.addresses[2] };
        host.parts.addresses[2].interface = ETH1;
        host.parts.addresses.push(other);
    });
    assert_eq!(moved, [2, 3], "an address that another interface has now is gone from this one");
    assert_eq!(masqueraded_after(|host| host.interfaces[1].up = false), [1, 3]);
}

#[test]
fn redirect_leads_to_the_box() {
    let mut lab = Lab::new("*nat\n-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3128\nCOMMIT\n");
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "S")), ["tap eth0: 10.0.0.2:4000 > 10.0.0.1:3128 tcp S"]);
    assert_eq!(
        lab.host(ETH0, &tcp("10.0.0.1:3128", "10.0.0.2:4000", "SA").numbers(9, 1001)),
        ["eth0: 8.8.8.8:80 > 10.0.0.2:4000 tcp SA"]
    );
}

#[test]
fn masquerade_without_an_address_ends_by_name() {
    let mut lab = Lab::new("*nat\n-A PREROUTING -p udp -j REDIRECT\nCOMMIT\n");
    let mut host = Box::default();
    host.parts.addresses.remove(0);
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:80")), [""; 0]);
    assert_eq!(lab.drops(), [("NatNoAddress", 1)]);
    assert_eq!(lab.flows(), 0);
}

#[test]
fn source_and_destination_can_both_be_translated() {
    let mut lab = Lab::new(
        "*nat\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n",
    );
    assert_eq!(
        lab.wire(ETH2, &tcp("8.8.8.8:4000", "203.0.113.1:80", "S")),
        ["eth1: 192.168.1.1:4000 > 192.168.1.2:8080 tcp S ttl 63"]
    );
    assert_eq!(
        lab.wire(ETH1, &tcp("192.168.1.2:8080", "192.168.1.1:4000", "SA").numbers(9, 1001)),
        ["eth2: 203.0.113.1:80 > 8.8.8.8:4000 tcp SA ttl 63"]
    );
}

#[test]
fn the_boxs_own_packets_can_be_given_another_source() {
    let mut lab = Lab::new("*nat\n-A POSTROUTING -o eth2 -j SNAT --to-source 203.0.113.9\nCOMMIT\n");
    assert_eq!(lab.host(ETH2, &udp("203.0.113.1:5", "8.8.8.8:53")), ["eth2: 203.0.113.9:5 > 8.8.8.8:53 udp"]);
    assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:53", "203.0.113.9:5")), ["tap eth2: 8.8.8.8:53 > 203.0.113.1:5 udp"]);
}

#[test]
fn input_can_give_another_source() {
    let mut lab = Lab::new("*nat\n-A INPUT -p udp -j SNAT --to-source 10.9.9.9\nCOMMIT\n");
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:5", "10.0.0.1:53")), ["tap eth0: 10.9.9.9:5 > 10.0.0.1:53 udp"]);
}

#[test]
fn netmap_maps_a_network_both_ways_and_keeps_hosts_and_ports() {
    let mut lab = Lab::new(
        "*nat\n-A PREROUTING -d 203.0.113.0/25 -j NETMAP --to 192.168.1.0/25\n-A POSTROUTING -o eth2 -j NETMAP --to 203.0.113.0/25\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:4000", "203.0.113.2:53")), ["eth1: 8.8.8.8:4000 > 192.168.1.2:53 udp ttl 63"]);
    assert_eq!(lab.wire(ETH1, &udp("192.168.1.2:53", "8.8.8.8:4000")), ["eth2: 203.0.113.2:53 > 8.8.8.8:4000 udp ttl 63"]);
    assert_eq!(lab.wire(ETH1, &ping("192.168.1.2", "8.8.8.8", 77)), ["eth2: 203.0.113.2 > 8.8.8.8 icmp 8/0 id 77 ttl 63"]);
    let sent = ping("203.0.113.2", "8.8.8.8", 77).ttl(1).frame();
    assert_eq!(
        lab.wire(ETH2, &unreachable("203.0.113.254", "203.0.113.2", &sent[14..])),
        ["eth1: 203.0.113.254 > 192.168.1.2 icmp 3/3 [192.168.1.2 > 8.8.8.8 icmp 8/0 id 77 ttl 1] ttl 63"]
    );
}

#[test]
fn netmap_serves_the_box_too() {
    let mut lab = Lab::new(
        "*nat\n-A OUTPUT -d 9.9.9.0/24 -j NETMAP --to 8.8.8.0/24\n-A INPUT -s 10.0.0.0/24 -j NETMAP --to 10.9.9.0/24\nCOMMIT\n",
    );
    assert_eq!(lab.host(ETH2, &udp("203.0.113.1:5", "9.9.9.8:53")), ["eth2: 203.0.113.1:5 > 8.8.8.8:53 udp"]);
    assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:53", "203.0.113.1:5")), ["tap eth2: 9.9.9.8:53 > 203.0.113.1:5 udp"]);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:5", "10.0.0.1:53")), ["tap eth0: 10.9.9.2:5 > 10.0.0.1:53 udp"]);
    assert_eq!(lab.host(ETH0, &udp("10.0.0.1:53", "10.9.9.2:5")), ["eth0: 10.0.0.1:53 > 10.0.0.2:5 udp"]);
}

#[test]
fn an_exhausted_range_ends_by_name() {
    let mut lab = Lab::new("*nat\n-A POSTROUTING -o eth2 -p udp -j SNAT --to-source 203.0.113.1:5000-5001\nCOMMIT\n");
    for port in 1..=2 {
        assert_eq!(lab.wire(ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53")).len(), 1);
    }
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:3", "8.8.8.8:53")), [""; 0]);
    assert_eq!((lab.drops(), lab.flows()), (vec![("NatExhausted", 1)], 2));
    let tally = lab.sim.worker.flows().tally();
    assert_eq!((tally.insert_failed, tally.drop), (1, 1), "as the kernel counts it, which finds out at confirmation");
}

/// What an operator is told of pools that ran out.
fn shortages(lab: &Lab) -> Vec<String> {
    core::iter::from_fn(|| lab.sim.worker.shortages().take()).map(|shortage| shortage.to_string()).collect()
}

#[test]
fn an_exhausted_pool_is_named_with_those_who_use_it_and_not_for_every_packet() {
    let mut lab = Lab::new("*nat\n-A POSTROUTING -o eth2 -p udp -j SNAT --to-source 203.0.113.1:5000-5004\nCOMMIT\n");
    for (client, port) in [("10.0.0.3", 1), ("10.0.0.2", 1), ("10.0.0.2", 2), ("10.0.0.2", 3), ("10.0.0.3", 2)] {
        lab.wire(ETH0, &udp(&format!("{client}:{port}"), "8.8.8.8:53"));
    }
    lab.advance(1);
    assert_eq!(shortages(&lab), [""; 0], "nobody was refused");
    for port in 10..17 {
        lab.wire(ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53"));
    }
    lab.advance(1);
    let named = "no free port in -p udp -j SNAT --to-source 203.0.113.1:5000-5004: 7 refused, 5 in use, \
                 most by 10.0.0.2 (at least 3), 10.0.0.3 (at least 2)";
    assert_eq!(shortages(&lab), [named]);
    lab.wire(ETH0, &udp("10.0.0.2:20", "8.8.8.8:53"));
    lab.advance(5000);
    assert_eq!(shortages(&lab), [""; 0], "at most one report every ten seconds");
    lab.advance(5001);
    assert_eq!(shortages(&lab), [named.replace("7 refused", "1 refused")]);
    lab.advance(20_000);
    assert_eq!(shortages(&lab), [""; 0]);
    assert_eq!(lab.drops(), [("NatExhausted", 8)], "each refusal is counted");
}

/// The source port of the one packet that left.
fn source_port(lines: &[String]) -> u16 {
    lines[0].split([':', ' ']).nth(3).and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{lines:?}"))
}

#[test]
fn a_port_at_which_the_box_listens_is_given_to_nobody() {
    let mut lab = Lab::new(
        "*nat\n-A POSTROUTING -o eth2 -p tcp -j SNAT --to-source 203.0.113.1:2000-2003\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n",
    );
    let mut host = Box::default();
    host.parts.listening = vec![(17, 0, 5060), (17, ip("203.0.113.1"), 4500), (17, ip("10.0.0.1"), 7000), (6, 0, 2001)];
    lab.rehost(&host);
    for (port, taken) in [(5060, false), (4500, false), (7000, true), (2001, true), (1194, true)] {
        let left = source_port(&lab.wire(ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53")));
        assert_eq!(left == port, taken, "{port} became {left}");
        assert!(left > 1023, "{port} became {left}, which is of another class");
    }
    let ports = [1, 2, 3, 4].map(|client| lab.wire(ETH0, &tcp(&format!("10.0.0.2:200{client}"), "8.8.8.8:80", "S")));
    let mut ports: Vec<_> = ports.iter().filter(|lines| !lines.is_empty()).map(|lines| source_port(lines)).collect();
    ports.sort_unstable();
    assert_eq!(ports, [2000, 2002, 2003]);
    assert_eq!(lab.drops(), [("NatExhausted", 1)]);
    let own = lab.host(ETH2, &udp("203.0.113.1:4500", "8.8.8.8:4500"));
    assert_eq!(own, ["eth2: 203.0.113.1:4500 > 8.8.8.8:4500 udp"], "the program itself keeps its port");
}

fn unreachable(src: &str, dst: &str, quoted: &[u8]) -> crate::lab::frames::Packet {
    icmp(src, dst, Icmpv4Type::DestinationUnreachable(icmpv4::DestUnreachableHeader::Port)).bytes(quoted)
}

#[test]
fn an_icmp_error_finds_its_way_back_through_source_nat() {
    let mut lab = Lab::new("*nat\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n");
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    let sent = udp("203.0.113.1:4000", "8.8.8.8:53").ttl(1).frame();
    assert_eq!(
        lab.wire(ETH2, &unreachable("203.0.113.254", "203.0.113.1", &sent[14..])),
        ["eth0: 203.0.113.254 > 10.0.0.2 icmp 3/3 [10.0.0.2:4000 > 8.8.8.8:53 ttl 1] ttl 63"]
    );
}

#[test]
fn an_icmp_error_finds_its_way_back_through_destination_nat() {
    let mut lab = Lab::new("*nat\n-A PREROUTING -p udp --dport 53 -j DNAT --to-destination 192.168.1.2:5353\nCOMMIT\n");
    lab.wire(ETH2, &udp("8.8.8.8:4000", "203.0.113.1:53"));
    let got = udp("8.8.8.8:4000", "192.168.1.2:5353").ttl(62).frame();
    assert_eq!(
        lab.wire(ETH1, &unreachable("192.168.1.2", "8.8.8.8", &got[14..])),
        ["eth2: 203.0.113.1 > 8.8.8.8 icmp 3/3 [8.8.8.8:4000 > 203.0.113.1:53 ttl 62] ttl 63"]
    );
}

#[test]
fn the_boxs_refusals_are_translated_back() {
    let mut lab = Lab::new(
        "*nat\n-A PREROUTING -d 203.0.113.1 -j DNAT --to-destination 192.168.1.2\nCOMMIT\n\
         *filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n-A FORWARD -j REJECT\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH2, &tcp("8.8.8.8:4000", "203.0.113.1:80", "S")), ["eth2: 203.0.113.1:80 > 8.8.8.8:4000 tcp AR"]);
    assert_eq!(
        lab.wire(ETH2, &udp("8.8.8.8:4000", "203.0.113.1:80")),
        ["eth2: 203.0.113.1 > 8.8.8.8 icmp 3/3 [8.8.8.8:4000 > 203.0.113.1:80 ttl 63] tos 0xc0"]
    );
    assert_eq!(lab.flows(), 0);
}

#[test]
fn a_reset_to_a_refused_first_packet_is_counted_by_nat_as_in_the_kernel() {
    let mut lab = Lab::new(
        "*nat\n-A PREROUTING -d 1.1.1.1 -j DNAT --to-destination 2.2.2.2\n-A OUTPUT -j ACCEPT\n-A POSTROUTING -p tcp -j ACCEPT\n-A POSTROUTING -p icmp -j ACCEPT\nCOMMIT\n\
         *filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n-A FORWARD -j REJECT\nCOMMIT\n",
    );
    lab.wire(ETH2, &tcp("8.8.8.8:4000", "192.168.1.2:80", "S"));
    lab.wire(ETH2, &udp("8.8.8.8:4000", "192.168.1.2:80"));
    assert_eq!(lab.count(Nat, "OUTPUT", 1), (0, 0));
    assert_eq!(lab.count(Nat, "POSTROUTING", 1), (1, 40));
    assert_eq!(lab.count(Nat, "POSTROUTING", 2), (0, 0));
    assert_eq!(lab.flows(), 0);
}

#[test]
fn a_ttl_that_ends_after_translation_is_told_as_the_sender_knows_it() {
    let mut lab = Lab::new("*nat\n-A PREROUTING -d 203.0.113.1 -j DNAT --to-destination 192.168.1.2\nCOMMIT\n");
    let lines = lab.wire(ETH2, &udp("8.8.8.8:4000", "203.0.113.1:80").ttl(1));
    assert!(lines[0].contains("> 8.8.8.8 icmp 11/0 [8.8.8.8:4000 > 203.0.113.1:80 ttl 1]"), "{lines:?}");
}

#[test]
fn multi_segment_packets_are_translated_in_any_shape() {
    let rules = "*nat\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\nCOMMIT\n";
    let mut host = Box::default();
    for interface in &mut host.interfaces {
        interface.mtu = 9000;
    }
    for segments in [vec![], vec![1, 1, 1], vec![14, 20, 20], vec![33, 5], vec![2048, 2048, 2048, 2048]] {
        let mut lab = Lab::new(rules);
        lab.rehost(&host);
        let packet = tcp("8.8.8.8:4000", "203.0.113.1:80", "S").data(8960);
        let shape = engine::sim::Shape { segments, ..Default::default() };
        assert_eq!(lab.wire_shaped(ETH2, packet.frame(), &shape), ["eth1: 8.8.8.8:4000 > 192.168.1.2:8080 tcp S ttl 63"]);
        assert_eq!(lab.sim.outside.live(), 0);
    }
}

#[test]
fn a_masqueraded_flow_that_moves_ends() {
    let mut lab = Lab::new("*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n");
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    let mut host = Box::default();
    let by_eth1 = engine::route::NextHop { interface: ETH1, gateway: Some(ip("192.168.1.2")), weight: 1 };
    host.parts.routes.last_mut().expect("the default route").kind = engine::route::RouteKind::Unicast(vec![by_eth1]);
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53")), [""; 0]);
    assert_eq!(lab.drops(), [("MasqueradeMoved", 1)]);
    lab.advance(1);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53")), ["eth1: 192.168.1.1:4000 > 8.8.8.8:53 udp ttl 63"]);
}
