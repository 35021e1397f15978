//! What a router does otherwise with IPv6 than with IPv4, as Linux 6.18 was seen to do it.

use std::net::Ipv6Addr;
use std::sync::Arc;

use engine::host::{Address, FamilyHost, FamilyParts, Host, Neighbour, RpFilter};
use engine::route::{NextHop, Route, RouteKind};
use engine::sim::{Event, Shape, Sim};
use engine::snapshot::{Edition, Settings, Snapshot, TableStates};
use engine::{WorkerConfig, host};
use etherparse::PacketBuilder;
use packet::Ipv6;
use program::{InterfaceId, Program, Root, Tables};

use crate::families::ip6;
use crate::lab::{Box as Router, ETH0, ETH1, NAMES, mac};

pub(crate) const CLIENT: &str = "2001:db8::2";
pub(crate) const SERVER: &str = "2001:db8:1::2";

fn address(interface: InterfaceId, text: &str) -> Address<Ipv6> {
    Address::new(interface, ip6(text), 64)
}

pub(crate) fn parts() -> FamilyParts<Ipv6> {
    let addresses =
        vec![address(ETH0, "2001:db8::1"), address(ETH0, "fe80::1"), address(ETH1, "2001:db8:1::1"), address(ETH1, "fe80::2")];
    let mut routes: Vec<Route<Ipv6>> = addresses.iter().map(Address::connected_route).collect();
    let refusing = |text, kind| Route { prefix: ip6(text), len: 48, kind, source: None, ..routes[0].clone() };
    routes.extend([refusing("2001:db8:8::", RouteKind::Unreachable), refusing("2001:db8:9::", RouteKind::Prohibit)]);
    let known = |port, text, last| (port, ip6(text), Neighbour::Known([2, 1, 0, 0, 6, last]));
    let neighbours = vec![
        known(ETH0, CLIENT, 2),
        known(ETH0, "fe80::9", 9),
        known(ETH1, "fe80::9", 8),
        known(ETH1, SERVER, 3),
        (ETH1, ip6("2001:db8:1::77"), Neighbour::Failed),
    ];
    let groups = vec![(ETH0, ip6("ff02::1:ff00:1"))];
    FamilyParts { addresses, routes, neighbours, groups, ..FamilyParts::default() }
}

fn sim() -> Sim {
    sim_of(parts(), Tables::default())
}

/// A router with these addresses and routes, under these rules.
pub(crate) fn sim_of(parts: FamilyParts<Ipv6>, tables: Tables<Ipv6>) -> Sim {
    Sim::new(snapshot_of(parts, tables), &config())
}

pub(crate) fn config() -> WorkerConfig {
    WorkerConfig { counters: 1024, flows: 16, neighbours: 4, datagrams: 4, seed: 1, ipv6: true, ..WorkerConfig::default() }
}

/// What its workers read.
pub(crate) fn snapshot_of(parts: FamilyParts<Ipv6>, mut tables: Tables<Ipv6>) -> Snapshot {
    for table in tables.tables.iter_mut().flatten() {
        Arc::make_mut(table).bind(&NAMES);
    }
    let mut host = Host { ipv6: FamilyHost::new(parts), ..(*Router::default().host()).clone() };
    for interface in host.interfaces.iter_mut().flatten() {
        // IPv6 has no such sysctls.
        (interface.rp_filter, interface.accept_local) = (RpFilter::Strict, false);
    }
    let program = Program { root: Root { generation: 1, ..Root::default() }, ipv6: tables, ..Program::default() };
    let states = TableStates::following(&Program::default(), &TableStates::default(), &program);
    Snapshot {
        edition: Edition::new(),
        program,
        states,
        host: Arc::new(host),
        sets: Arc::default(),
        settings: Arc::new(Settings::default()),
    }
}

fn udp(dst_mac: [u8; 6], src: &str, dst: &str) -> Vec<u8> {
    let octets = |text: &str| text.parse::<Ipv6Addr>().expect("an address").octets();
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 0x99], dst_mac)
        .ipv6(octets(src), octets(dst), 64)
        .udp(4000, 53)
        .write(&mut frame, b"data")
        .expect("a packet that fits");
    frame
}

/// What becomes of a packet that comes in by eth0.
fn fate(sim: &mut Sim, src: &str, dst: &str) -> Vec<Event> {
    sim.wire(ETH0, &[udp(mac(ETH0), src, dst)], &Shape::default());
    sim.events()
}

/// Source, destination, type and code of the one ICMPv6 error that left by eth0.
fn error(events: &[Event]) -> (u128, u128, u8, u8) {
    let [Event::Transmit { port: ETH0, frame }] = events else { panic!("{events:?}") };
    assert_eq!(frame[14 + 6], 58, "ICMPv6");
    let at = |from: usize| u128::from_be_bytes(frame[from..from + 16].try_into().expect("sixteen bytes"));
    (at(14 + 8), at(14 + 24), frame[54], frame[55])
}

pub(crate) fn drops(sim: &Sim) -> Vec<&'static str> {
    sim.worker.drops().occurred().map(|(reason, _)| reason.name()).collect()
}

#[test]
fn routes_that_refuse_are_told_by_their_icmpv6_codes() {
    for (dst, code, reason) in [
        ("2001:db8:8::1", 0, "RouteUnreachable"),
        ("2001:db8:9::1", 1, "RouteProhibit"),
        ("2001:db8:7::1", 0, "NoRoute"),
        ("2001:db8:1::77", 3, "NeighbourUnreachable"),
    ] {
        let mut sim = sim();
        let mut events = fate(&mut sim, CLIENT, dst);
        for _ in 0..8 {
            sim.advance(1000);
            events.extend(sim.events());
        }
        events.retain(|event| matches!(event, Event::Transmit { .. }));
        assert_eq!(error(&events), (ip6("2001:db8::1"), ip6(CLIENT), 1, code), "{dst}");
        assert_eq!(drops(&sim), [reason], "{dst}");
    }
}

#[test]
fn a_link_local_source_does_not_leave_its_link() {
    let mut sim = sim();
    let events = fate(&mut sim, "fe80::9", SERVER);
    assert_eq!(error(&events), (ip6("fe80::1"), ip6("fe80::9"), 1, 2), "beyond the scope of its source");
    let [Event::Transmit { frame, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(frame[..6], [2, 1, 0, 0, 6, 9], "to the neighbour of that name on the link that the packet came by");
    assert_eq!(drops(&sim), ["SourceScope"]);
}

#[test]
fn a_link_local_destination_is_of_the_link_that_the_packet_came_by() {
    let mut sim = sim();
    assert!(matches!(fate(&mut sim, CLIENT, "fe80::1")[..], [Event::Deliver { port: ETH0, .. }]));
    // eth1 has it, eth0 has not: it is somebody else's there.
    let events = fate(&mut sim, CLIENT, "fe80::9");
    let [Event::Transmit { port: ETH0, frame: redirect }, Event::Transmit { port: ETH0, frame }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((&frame[..6], redirect[54]), (&[2, 1, 0, 0, 6, 9][..], 137));
    assert!(fate(&mut sim, CLIENT, "fe80::2").iter().all(|event| !matches!(event, Event::Deliver { .. })));
}

#[test]
fn the_address_of_every_router_of_a_network_is_one_of_the_box() {
    let delivered = |sim: &mut Sim, dst| matches!(fate(sim, CLIENT, dst)[..], [Event::Deliver { .. }]);
    for dst in ["2001:db8::", "2001:db8:1::", "fe80::"] {
        assert!(delivered(&mut sim(), dst), "{dst}");
    }
    let narrow = |prefix_len| {
        let mut parts = parts();
        parts.addresses.push(Address { prefix_len, ..address(ETH1, "2001:db8:5::1") });
        sim_of(parts, Tables::default())
    };
    assert!(delivered(&mut narrow(126), "2001:db8:5::"));
    assert!(!delivered(&mut narrow(127), "2001:db8:5::"), "two routers have such a network for themselves");
    assert!(!delivered(&mut sim(), "2001:db8::5:0"));
}

#[test]
fn an_error_comes_from_the_interface_that_was_spoken_to() {
    let mut sim = sim();
    let events = fate(&mut sim, SERVER, "2001:db8:8::1");
    let [Event::Transmit { port: ETH1, frame }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(frame[22..38], ip6("2001:db8::1").to_be_bytes(), "the address of eth0, by which the packet came");
    let mut parts = parts();
    let back = parts.routes.iter_mut().find(|route| route.prefix == ip6("2001:db8:1::1")).expect("the server's network");
    back.source = Some(ip6("2001:db8:1::1"));
    let events = fate(&mut sim_of(parts, Tables::default()), SERVER, "2001:db8:8::1");
    let [Event::Transmit { frame, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(frame[22..38], ip6("2001:db8:1::1").to_be_bytes(), "if the route names none");
}

/// A router whose first network has another host, and by which two networks are reached.
fn roundabout() -> Sim {
    let mut parts = parts();
    parts.neighbours.push((ETH0, ip6("2001:db8::5"), Neighbour::Known([2, 1, 0, 0, 6, 5])));
    for (net, gateway) in [("2001:db8:6::", "fe80::9"), ("2001:db8:7::", "2001:db8::5")] {
        let hop = NextHop { interface: ETH0, gateway: Some(ip6(gateway)), weight: 1 };
        let kind = RouteKind::Unicast(vec![hop]);
        parts.routes.push(Route { prefix: ip6(net), len: 48, kind, source: None, ..parts.routes[0].clone() });
    }
    sim_of(parts, Tables::default())
}

/// Target, destination and the target's Ethernet address, of the redirect that left by eth0 before the packet itself.
fn told(sim: &mut Sim, src: &str, dst: &str) -> Option<(u128, u128, [u8; 6])> {
    let events = fate(sim, src, dst);
    let (redirects, others): (Vec<_>, Vec<_>) =
        events.iter().partition(|event| matches!(event, Event::Transmit { frame, .. } if frame[20] == 58));
    assert!(matches!(others[..], [Event::Transmit { port: ETH0, .. }]), "it is forwarded: {others:?}");
    let [Event::Transmit { port: ETH0, frame }] = redirects[..] else { return None };
    let at = |from: usize| u128::from_be_bytes(frame[from..from + 16].try_into().expect("sixteen bytes"));
    assert_eq!((frame[21], at(22), at(38)), (255, ip6("fe80::1"), ip6(src)));
    assert_eq!(frame[54..62], [137, 0, frame[56], frame[57], 0, 0, 0, 0]);
    assert_eq!((&frame[94..96], &frame[102..110]), (&[2, 1][..], &[4, 7, 0, 0, 0, 0, 0, 0][..]));
    assert_eq!(frame[110..158], udp(mac(ETH0), src, dst)[14..62], "the packet as it came, to a multiple of eight bytes");
    assert_eq!(frame.len(), 158);
    Some((at(62), at(78), frame[96..102].try_into().expect("six bytes")))
}

#[test]
fn a_neighbour_is_told_of_a_better_way() {
    let mac = |last| [2, 1, 0, 0, 6, last];
    let there = ip6("2001:db8::5");
    assert_eq!(told(&mut roundabout(), CLIENT, "2001:db8::5"), Some((there, there, mac(5))));
    let beyond = ip6("2001:db8:6::1");
    assert_eq!(told(&mut roundabout(), CLIENT, "2001:db8:6::1"), Some((ip6("fe80::9"), beyond, mac(9))));
    assert_eq!(told(&mut roundabout(), "fe80::9", "2001:db8::5"), Some((there, there, mac(5))));
    assert_eq!(told(&mut roundabout(), CLIENT, "2001:db8:7::1"), None, "a gateway has no link-local name");
    assert_eq!(told(&mut roundabout(), SERVER, "2001:db8::5"), None, "no neighbour there");
    assert_eq!(told(&mut roundabout(), "2001:db8:6::7", "2001:db8::5"), None, "behind a gateway");
}

#[test]
fn redirects_have_a_pace_by_destination_and_by_sender() {
    let mut sim = roundabout();
    for _ in 0..6 {
        assert!(told(&mut sim, CLIENT, "2001:db8::5").is_some());
    }
    assert_eq!(told(&mut sim, CLIENT, "2001:db8::5"), None);
    assert_eq!(told(&mut sim, "fe80::9", "2001:db8::5"), None, "of the destination there was enough");
    assert_eq!(told(&mut sim, CLIENT, "2001:db8:6::1"), None, "and to the sender");
    sim.advance(1000);
    sim.events();
    assert!(told(&mut sim, CLIENT, "2001:db8::5").is_some());
    assert_eq!(told(&mut sim, CLIENT, "2001:db8::5"), None);
}

#[test]
fn sources_are_not_looked_up() {
    // By the way back it would come from eth1, and it is an address of the box.
    for src in [SERVER, "2001:db8:1::1"] {
        let mut sim = sim();
        assert!(matches!(fate(&mut sim, src, SERVER)[..], [Event::Transmit { port: ETH1, .. }]), "{src}");
    }
}

#[test]
fn who_has_no_address_may_ask_a_group_that_is_joined() {
    let mut sim = sim();
    let ask = |group: &str, last: u8| udp([0x33, 0x33, 0xff, 0, 0, last], "::", group);
    sim.wire(ETH0, &[ask("ff02::1:ff00:1", 1)], &Shape::default());
    assert!(matches!(sim.events()[..], [Event::Deliver { port: ETH0, .. }]));
    sim.wire(ETH0, &[ask("ff02::1:ff00:5", 5)], &Shape::default());
    assert_eq!(sim.events(), []);
    assert_eq!(drops(&sim), ["MulticastNotJoined"]);
}

#[test]
fn the_box_speaks_from_an_address_of_the_same_scope_that_is_nearest() {
    let mut parts = parts();
    parts.addresses.insert(0, host::Address { deprecated: true, ..address(ETH0, "2001:db8:0:0:5::1") });
    parts.addresses.push(address(ETH0, "2001:db8:1:1::1"));
    let host = FamilyHost::<Ipv6>::new(parts);
    let from = |interface, dst: &str| host.source_address(interface, ip6("fe80::9"), ip6(dst));
    assert_eq!(from(ETH0, CLIENT), Some(ip6("2001:db8::1")), "not the deprecated one, not one of the link");
    assert_eq!(from(ETH0, "2001:db8:1:1::5"), Some(ip6("2001:db8:1:1::1")), "the longest common prefix");
    assert_eq!(from(ETH1, CLIENT), Some(ip6("2001:db8:1::1")), "of the interface before all");
    assert_eq!((from(ETH0, "fe80::9"), from(ETH1, "fe80::9")), (Some(ip6("fe80::1")), Some(ip6("fe80::2"))));
}

#[test]
fn a_temporary_address_is_passed_over_and_a_tentative_one_is_none() {
    let temporary = host::Address { secondary: true, ..address(ETH0, "2001:db8::2:1") };
    let tentative = host::Address { tentative: true, ..address(ETH0, "2001:db8::2:2") };
    let from = |addresses| {
        let host = FamilyHost::<Ipv6>::new(FamilyParts { addresses, ..FamilyParts::default() });
        host.source_address(ETH0, ip6("fe80::9"), ip6("2001:db8::2:3"))
    };
    assert_eq!(from(vec![temporary, tentative, address(ETH0, "2001:db8::1")]), Some(ip6("2001:db8::1")));
    assert_eq!(from(vec![temporary, tentative, address(ETH1, "2001:db8::1")]), Some(temporary.address), "of the interface");
    assert_eq!(from(vec![tentative]), None);
}

#[test]
fn a_sender_gets_six_errors_at_once_and_then_one_in_a_tenth_of_a_second() {
    let mut sim = sim();
    let told = |sim: &mut Sim| (0..20).filter(|_| !fate(sim, CLIENT, "2001:db8:8::1").is_empty()).count();
    assert_eq!((told(&mut sim), told(&mut sim)), (6, 0));
    sim.advance(100);
    assert_eq!(told(&mut sim), 1);
}
