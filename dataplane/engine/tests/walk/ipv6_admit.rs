//! IPv6 packets that end before any rule, and those that look as if they would. What is expected here Linux 6.18 was seen to do.

use engine::host::{FamilyParts, Neighbour};
use engine::route::{NextHop, Route, RouteKind};
use engine::sim::{Event, Shape, Sim};
use packet::Ipv6;
use program::Tables;

use crate::families::{ip6, tables};
use crate::ipv6::{CLIENT, SERVER, drops, parts, sim_of};
use crate::lab::{ETH0, ETH1, mac};

const BOX: &str = "2001:db8::1";
const OTHER_PORT: &str = "2001:db8:1::1";
const GROUP: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
const EVERYBODY: [u8; 6] = [0xff; 6];
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const FRAGMENT: u8 = 44;
/// UDP without data; nobody here looks at its checksum.
const DATAGRAM: [u8; 8] = [3, 232, 0, 53, 0, 8, 0, 0];
/// Hop-by-hop options that say nothing, before UDP.
const PADDING: [u8; 8] = [UDP, 0, 1, 4, 0, 0, 0, 0];

/// One packet to be sent.
#[derive(Clone)]
struct Sent<'a> {
    station: [u8; 6],
    src: &'a str,
    dst: &'a str,
    ttl: u8,
    next: u8,
    payload: Vec<u8>,
    /// What stands in the header for the payload's length, if not that.
    length: Option<u16>,
}

impl Sent<'_> {
    fn frame(&self) -> Vec<u8> {
        let mut frame = self.station.to_vec();
        frame.extend([2, 0, 0, 0, 0, 0x99, 0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(self.length.unwrap_or(self.payload.len() as u16).to_be_bytes());
        frame.extend([self.next, self.ttl]);
        frame.extend(ip6(self.src).to_be_bytes());
        frame.extend(ip6(self.dst).to_be_bytes());
        frame.extend(&self.payload);
        frame
    }
}

fn datagram<'a>(src: &'a str, dst: &'a str) -> Sent<'a> {
    Sent { station: mac(ETH0), src, dst, ttl: 64, next: UDP, payload: DATAGRAM.into(), length: None }
}

/// A packet with one hop-by-hop option of four bytes, and this behind it.
fn option<'a>(kind: u8, dst: &'a str, next: u8, behind: &[u8]) -> Sent<'a> {
    let mut payload = vec![next, 0, kind, 4, 0, 0, 0, 0];
    payload.extend(behind);
    Sent { next: 0, payload, ..datagram(CLIENT, dst) }
}

/// A later piece of a datagram of this protocol.
fn later_piece(of: u8) -> Vec<u8> {
    [of, 0, 0, 9, 0, 0, 0, 1].into_iter().chain([0; 16]).collect()
}

fn router_of(parts: FamilyParts<Ipv6>, rules: Option<&str>) -> Sim {
    sim_of(parts, rules.map_or_else(Tables::default, |text| tables(rules::Family::Ipv6, text)))
}

fn router() -> Sim {
    let mut parts = parts();
    parts.groups.push((ETH0, ip6("ff02::1")));
    router_of(parts, None)
}

/// Where each packet goes, or its answer's type, code, number and source.
fn fate(sim: &mut Sim, sent: &Sent<'_>) -> Vec<String> {
    sim.wire(ETH0, &[sent.frame()], &Shape::default());
    let said = |event| match event {
        Event::Transmit { port: ETH0, frame } if frame[20] == ICMPV6 && frame[54] < 128 => {
            let number = u32::from_be_bytes(frame[58..62].try_into().expect("four bytes"));
            let src: [u8; 16] = frame[22..38].try_into().expect("sixteen bytes");
            Some(format!("{}/{} {number} from {}", frame[54], frame[55], std::net::Ipv6Addr::from(src)))
        }
        Event::Transmit { port, .. } => Some(if port == ETH1 { "on" } else { "back" }.into()),
        Event::Deliver { .. } => Some("in".into()),
        _ => None,
    };
    sim.events().into_iter().filter_map(said).collect()
}

#[test]
fn unknown_options_say_themselves_what_becomes_of_the_packet() {
    let told = |by: &str| vec![format!("4/2 42 from {by}")];
    let silence = Vec::<String>::new();
    // The group that is not joined would end anyway, the broadcast one too.
    for (dst, station, skipped, by_groups, by_one) in [
        (SERVER, mac(ETH0), vec!["on".into()], told(BOX), told(BOX)),
        (BOX, mac(ETH0), vec!["in".into()], told(BOX), told(BOX)),
        (OTHER_PORT, mac(ETH0), vec!["in".into()], told(OTHER_PORT), told(OTHER_PORT)),
        ("ff02::1", mac(ETH0), vec!["in".into()], told(BOX), silence.clone()),
        ("ff02::1", GROUP, vec!["in".into()], told(BOX), silence.clone()),
        ("ff02::99", GROUP, silence.clone(), told(BOX), silence.clone()),
        (SERVER, EVERYBODY, silence.clone(), told(BOX), silence.clone()),
    ] {
        let of = |kind| fate(&mut router(), &Sent { station, ..option(kind, dst, UDP, &DATAGRAM) });
        assert_eq!(of(0x1e), skipped, "{dst}: skip");
        assert_eq!(of(0x5e), silence, "{dst}: drop");
        assert_eq!(of(0x9e), by_groups, "{dst}: tell anybody");
        assert_eq!(of(0xde), by_one, "{dst}: tell who meant one");
    }
}

#[test]
fn whose_options_are_wrong_is_told_like_whoever_else() {
    let told = ["4/2 42 from 2001:db8::1"];
    for (what, next, behind, answer) in [
        ("an echo request", ICMPV6, vec![128, 0, 0, 0, 0, 0, 0, 0], &told[..]),
        ("a redirect", ICMPV6, vec![137, 0, 0, 0, 0, 0, 0, 0], &told),
        ("an error", ICMPV6, vec![1, 0, 0, 0, 0, 0, 0, 0], &[]),
        ("an unknown error", ICMPV6, vec![127, 0, 0, 0, 0, 0, 0, 0], &[]),
        ("a later piece", FRAGMENT, later_piece(UDP), &told),
        ("a later piece of ICMPv6", FRAGMENT, later_piece(ICMPV6), &told),
        ("an error's first piece", FRAGMENT, vec![ICMPV6, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0], &[]),
    ] {
        assert_eq!(fate(&mut router(), &option(0xde, SERVER, next, &behind)), answer, "{what}");
    }
    let from = |src| fate(&mut router(), &Sent { src, ..option(0x9e, SERVER, UDP, &DATAGRAM) });
    assert_eq!(from("::"), [""; 0], "nobody is there");
    assert_eq!(from("fe80::9"), ["4/2 42 from fe80::1"]);
}

/// A raw table that is looked up for packets together, and drops all of them at once.
fn long_and_shut() -> String {
    let rules: String = (0..100).map(|i| format!("-A PREROUTING -s 2001:db8:77::{i:x}/128 -j DROP\n")).collect();
    format!("*raw\n{rules}-A PREROUTING -j DROP\nCOMMIT\n")
}

#[test]
fn no_rule_sees_a_packet_with_wrong_options_or_of_no_link() {
    no_rule_sees_them("*raw\n:PREROUTING DROP\n:OUTPUT ACCEPT\nCOMMIT\n", "RawPolicy");
    no_rule_sees_them(&long_and_shut(), "RawRule");
}

fn no_rule_sees_them(rules: &str, seen: &str) {
    let mut parts = parts();
    parts.groups.push((ETH0, ip6("ff02::1")));
    let mut sim = router_of(parts, Some(rules));
    let wrong = option(0xde, SERVER, UDP, &DATAGRAM);
    assert_eq!(fate(&mut sim, &wrong), ["4/2 42 from 2001:db8::1"]);
    let mut next = |sent: &Sent<'_>, reason| {
        let before: u64 = sim.worker.drops().occurred().find(|(r, _)| r.name() == reason).map_or(0, |(_, n)| n);
        assert_eq!(fate(&mut sim, sent), [""; 0]);
        let after = sim.worker.drops().occurred().find(|(r, _)| r.name() == reason).map_or(0, |(_, n)| n);
        assert_eq!(after, before + 1, "{} > {}: {reason}", sent.src, sent.dst);
    };
    for src in ["::1", "ff02::5"] {
        next(&datagram(src, SERVER), "MartianSource");
        next(&Sent { station: GROUP, ..datagram(src, "ff02::1") }, "MartianSource");
    }
    next(&datagram(CLIENT, "::1"), "MartianDestination");
    for dst in ["ff00::1", "ff01::1", "ff10::1", "ff11::1"] {
        next(&Sent { station: GROUP, ..datagram(CLIENT, dst) }, "MartianDestination");
    }
    // A wrong address is seen before wrong options.
    next(&Sent { src: "::1", ..wrong }, "MartianSource");
    for (src, dst) in [(CLIENT, "ff02::1"), (CLIENT, "ff0f::1"), ("::", BOX), (CLIENT, "::"), ("::ffff:127.0.0.1", SERVER)] {
        next(&datagram(src, dst), seen);
    }
}

#[test]
fn nobodys_address_is_delivered_and_routed_but_no_source_on_another_link() {
    let mut parts = parts();
    let hop = NextHop { interface: ETH1, gateway: None, weight: 1 };
    let on_link = parts.routes[0].clone();
    parts.routes.push(Route { prefix: 0, len: 0, kind: RouteKind::Unicast(vec![hop]), ..on_link });
    parts.neighbours.push((ETH1, 0, Neighbour::Known([2, 1, 0, 0, 6, 7])));
    let mut sim = router_of(parts, None);
    assert_eq!(fate(&mut sim, &datagram("::", BOX)), ["in"]);
    assert_eq!(fate(&mut sim, &datagram(CLIENT, "::")), ["on"]);
    assert_eq!(fate(&mut sim, &datagram("::", "fe80::9")), ["back"], "it stays on its link");
    assert_eq!(drops(&sim), [""; 0]);
    assert_eq!(fate(&mut sim, &datagram("::", SERVER)), [""; 0]);
    assert_eq!(fate(&mut sim, &datagram("::", "::")), [""; 0]);
    assert_eq!(drops(&sim), ["MartianSource"]);
}

#[test]
fn a_later_piece_is_answered_whatever_it_is_of() {
    for of in [UDP, ICMPV6] {
        let piece = |dst| Sent { next: FRAGMENT, payload: later_piece(of), ..datagram(CLIENT, dst) };
        assert_eq!(fate(&mut router(), &Sent { ttl: 1, ..piece(SERVER) }), ["3/0 0 from 2001:db8::1"]);
        assert_eq!(fate(&mut router(), &piece("2001:db8:8::1")), ["1/0 0 from 2001:db8::1"]);
    }
}

#[test]
fn without_a_length_a_packet_with_options_is_as_long_as_its_frame() {
    let payload: Vec<u8> = PADDING.into_iter().chain(DATAGRAM).collect();
    let sent = Sent { next: 0, length: Some(0), payload, ..datagram(CLIENT, SERVER) };
    let mut sim = router();
    sim.wire(ETH0, &[sent.frame()], &Shape::default());
    let events = sim.events();
    let [Event::Transmit { port: ETH1, frame }] = &events[..] else { panic!("{events:?}") };
    let mut as_it_came = sent.frame();
    as_it_came[21] = 63;
    assert_eq!(frame[14..], as_it_came[14..]);
    // Without options it ends where its header does.
    let bare = Sent { length: Some(0), ..datagram(CLIENT, SERVER) };
    sim.wire(ETH0, &[bare.frame()], &Shape::default());
    assert!(sim.events().iter().all(|event| !matches!(event, Event::Transmit { frame, .. } if frame.len() > 54)));
}

#[test]
fn what_has_no_length_is_no_piece_of_a_datagram() {
    let mut parts = parts();
    parts.groups.clear();
    let tracking = "*filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n";
    let payload: Vec<u8> = [FRAGMENT, 0, 1, 4, 0, 0, 0, 0, UDP, 0, 0, 1, 0, 0, 0, 9]
        .into_iter()
        .chain([3, 232, 0, 53, 0, 16, 0, 0])
        .chain([0; 8])
        .collect();
    let first = Sent { next: 0, payload, ..datagram(CLIENT, SERVER) };
    let mut sim = router_of(parts, Some(tracking));
    assert_eq!(fate(&mut sim, &first), [""; 0], "it waits for the rest");
    assert_eq!(fate(&mut sim, &Sent { length: Some(0), ..first }), ["on"]);
}
