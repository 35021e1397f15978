//! IPv6 packets whose extension headers break off or claim too much. What is expected here Linux 6.18 was seen to do.

use engine::sim::{Event, Shape, Sim};

use crate::families::{ip6, tables};
use crate::ipv6::{CLIENT, SERVER, drops, parts, sim_of};
use crate::lab::{ETH0, ETH1, mac};

const DESTINATION_OPTIONS: u8 = 60;
const FRAGMENT: u8 = 44;
const UDP: u8 = 17;
const TRACKING: &str = "-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\n-A FORWARD -m conntrack --ctstate INVALID -j ACCEPT";
/// Options that claim to go on behind the packet's end, and some that end in their first byte.
const TOO_LONG: [u8; 8] = [UDP, 200, 1, 4, 0, 0, 0, 0];
const ONE_BYTE: [u8; 1] = [UDP];

fn frame(dst: &str, next: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = mac(ETH0).to_vec();
    frame.extend([2, 0, 0, 0, 0, 0x99, 0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend((payload.len() as u16).to_be_bytes());
    frame.extend([next, 64]);
    frame.extend(ip6(CLIENT).to_be_bytes());
    frame.extend(ip6(dst).to_be_bytes());
    frame.extend(payload);
    frame
}

/// A router that forwards what these rules accept and delivers everything.
fn router(rules: &str) -> Sim {
    sim_of(parts(), tables(rules::Family::Ipv6, &format!("*filter\n:INPUT ACCEPT\n:FORWARD DROP\n{rules}\nCOMMIT\n")))
}

/// Lengths of the packets that go on or are delivered.
fn passed(sim: &mut Sim, frame: Vec<u8>) -> Vec<usize> {
    sim.wire(ETH0, &[frame], &Shape::default());
    let length = |event| match event {
        Event::Transmit { port: ETH1, frame } | Event::Deliver { frame, .. } => Some(frame.len() - 14),
        _ => None,
    };
    sim.events().into_iter().filter_map(length).collect()
}

#[test]
fn headers_that_break_off_pass_where_no_rule_asks_what_is_behind_them() {
    for payload in [&ONE_BYTE[..], &TOO_LONG] {
        let sent = || frame(SERVER, DESTINATION_OPTIONS, payload);
        assert_eq!(passed(&mut router("-A FORWARD -d 2001:db8:1::/64 -j ACCEPT"), sent()), [40 + payload.len()]);
        let mut tracked = router(TRACKING);
        assert_eq!(passed(&mut tracked, sent()), [40 + payload.len()], "as INVALID");
        assert_eq!(tracked.worker.flows_ipv6().map(|flows| flows.len()), Some(0));
    }
}

#[test]
fn a_rule_that_asks_for_a_lost_protocol_drops_the_packet() {
    for asking in ["-p tcp", "! -p tcp", "-p udp", "-p udp -m udp --dport 53"] {
        let rules = format!("-A FORWARD {asking}\n-A FORWARD -j ACCEPT");
        let mut lost = router(&rules);
        assert_eq!(passed(&mut lost, frame(SERVER, DESTINATION_OPTIONS, &ONE_BYTE)), [0; 0], "{asking}");
        assert_eq!(drops(&lost), ["HotDrop"], "{asking}");
        // Where the number of what would follow is there, the protocol is known, and only its ports are not.
        let asks_ports = asking.contains("--dport");
        let known = passed(&mut router(&rules), frame(SERVER, DESTINATION_OPTIONS, &TOO_LONG));
        assert_eq!(known.is_empty(), asks_ports, "{asking}");
    }
    let elsewhere = "-A FORWARD -s 2001:db8:9::9 -p tcp\n-A FORWARD -j ACCEPT";
    assert_eq!(passed(&mut router(elsewhere), frame(SERVER, DESTINATION_OPTIONS, &ONE_BYTE)), [41], "the source is asked first");
}

#[test]
fn nothing_behind_the_headers_or_what_ipv6_has_not_is_nothing_to_track() {
    let mut sim = router("-A FORWARD -m conntrack --ctstate INVALID -j ACCEPT");
    assert_eq!(passed(&mut sim, frame(SERVER, 59, &[])), [40]);
    assert_eq!(passed(&mut sim, frame(SERVER, 1, &[8, 0, 0, 0, 0, 1, 0, 1])), [48], "ICMP, which is the other family's");
}

#[test]
fn a_first_piece_without_its_whole_transport_header_waits_for_nobody() {
    let piece = |next: u8, data: &[u8]| frame(SERVER, FRAGMENT, &[&[next, 0, 0, 1, 0, 0, 0, 9], data].concat());
    assert_eq!(passed(&mut router(TRACKING), piece(6, &[0; 16])), [64], "16 bytes of TCP");
    assert_eq!(passed(&mut router(TRACKING), piece(6, &[0; 24])), [0; 0]);
    assert_eq!(passed(&mut router(TRACKING), piece(UDP, &[0; 8])), [0; 0]);
    let cut = |bytes: &[u8]| frame(SERVER, FRAGMENT, bytes);
    assert_eq!(passed(&mut router(TRACKING), cut(&[UDP, 0, 0, 0])), [44], "no piece at all");
    for bytes in [&[UDP, 0, 0][..], &[UDP, 0, 0, 16]] {
        let mut sim = router(TRACKING);
        assert_eq!(passed(&mut sim, cut(bytes)), [0; 0]);
        assert_eq!(drops(&sim), ["FragmentInvalid"]);
    }
}

/// IPv4's is: it could overwrite the flags that the first piece showed.
#[test]
fn a_piece_that_begins_inside_a_tcp_header_is_not_dropped_for_that() {
    let piece = frame(SERVER, FRAGMENT, &[&[6, 0, 0, 8, 0, 0, 0, 9][..], &[0; 16]].concat());
    for asking in ["--dport 80", "--tcp-option 2"] {
        let rules = format!("-A FORWARD -p tcp -m tcp {asking} -j DROP\n-A FORWARD -p tcp -j ACCEPT");
        assert_eq!(passed(&mut router(&rules), piece.clone()), [64], "{asking}");
    }
}

#[test]
fn untracked_pieces_for_the_box_are_put_together_behind_input() {
    let piece =
        |more: u8| frame("2001:db8::1", FRAGMENT, &[&[UDP, 0, 0, more, 0, 0, 0, 9][..], &[3, 232, 0, 53, 0, 8, 0, 0]].concat());
    for more in [0, 1] {
        assert_eq!(passed(&mut router(""), piece(more)), [56], "more: {more}");
        assert_eq!(passed(&mut router("-A INPUT -p udp -j DROP"), piece(more)), [0; 0], "more: {more}");
    }
}
