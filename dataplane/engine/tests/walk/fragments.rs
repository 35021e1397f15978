//! Fragments: passed one by one by a router, put together where connections are tracked, and cut again as they came.

use engine::sim::{Event, Shape};

use crate::lab::frames::udp;
use crate::lab::{Box, ETH0, ETH1, Lab, mac};

const TRACKING: &str =
    "*filter\n:FORWARD DROP\n-A FORWARD -p udp --dport 53 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n";

/// Cuts a frame at these offsets (multiples of 8) of its IP payload.
pub(crate) fn cut(frame: &[u8], at: &[usize], dont_fragment: bool) -> Vec<Vec<u8>> {
    let payload = &frame[34..];
    let ends = at.iter().copied().chain([payload.len()]);
    let starts = core::iter::once(0).chain(at.iter().copied());
    starts.zip(ends).map(|(start, end)| piece(frame, start, end, dont_fragment)).collect()
}

/// The piece of a frame's IP payload from `start` to `end`.
fn piece(frame: &[u8], start: usize, end: usize, dont_fragment: bool) -> Vec<u8> {
    let payload = &frame[34..];
    let mut piece = frame[..34].to_vec();
    piece[..6].copy_from_slice(&mac(ETH0));
    piece.extend(&payload[start..end]);
    let more = if end < payload.len() { 0x2000 } else { 0 };
    let flags = (start / 8) as u16 | more | if dont_fragment { 0x4000 } else { 0 };
    piece[16..18].copy_from_slice(&((20 + end - start) as u16).to_be_bytes());
    piece[20..22].copy_from_slice(&flags.to_be_bytes());
    let sum = packet::checksum::ipv4_header(&piece[14..34]);
    piece[24..26].copy_from_slice(&sum.to_be_bytes());
    piece
}

fn big() -> Vec<u8> {
    udp("10.0.0.2:4000", "192.168.1.2:53").data(3000).frame()
}

/// Offsets, lengths and data of the frames that leave by eth1.
fn sent(lab: &mut Lab) -> (Vec<(usize, usize)>, Vec<u8>) {
    let (mut places, mut data) = (Vec::new(), Vec::new());
    for event in lab.sim.events() {
        let Event::Transmit { port: ETH1, frame } = event else { panic!("{event:?}") };
        assert!(!crate::lab::frames::describe(&frame).contains("BAD IP"));
        let offset = usize::from(u16::from_be_bytes([frame[20], frame[21]]) & 0x1fff) * 8;
        places.push((offset, frame.len() - 34));
        data.extend(&frame[34..]);
    }
    (places, data)
}

#[test]
fn without_tracking_fragments_pass_one_by_one() {
    let mut lab =
        Lab::new("*filter\n-A FORWARD -f -j ACCEPT\n-A FORWARD -p udp --dport 53 -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n");
    lab.sim.wire(ETH0, &cut(&big(), &[1480, 2960], false), &Shape::default());
    assert_eq!(sent(&mut lab).0, [(0, 1480), (1480, 1480), (2960, 48)]);
    assert_eq!(lab.count(rules::TableName::Filter, "FORWARD", 1).0, 2);
}

#[test]
fn with_tracking_rules_see_the_whole_and_the_pieces_leave_as_they_came() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        for segments in [vec![], vec![14, 20, 3]] {
            let mut lab = Lab::new(TRACKING);
            let pieces = cut(&big(), &[1480, 2000], false);
            let shape = Shape { segments, ..Shape::default() };
            for i in order {
                assert_eq!(sent(&mut lab).0, []);
                lab.sim.wire(ETH0, &[pieces[i].clone()], &shape);
            }
            assert_eq!(sent(&mut lab), (vec![(0, 1480), (1480, 520), (2000, 1008)], big()[34..].to_vec()), "{order:?}");
            assert_eq!(lab.count(rules::TableName::Filter, "FORWARD", 1), (1, 3028), "one packet for the rules");
            assert_eq!((lab.drops(), lab.sim.outside.live()), (vec![], 0));
        }
    }
}

#[test]
fn pieces_that_do_not_fit_the_next_link_are_cut_smaller() {
    let mut host = Box::default();
    host.interfaces[1].mtu = 1000;
    let mut lab = Lab::new(TRACKING);
    lab.rehost(&host);
    lab.sim.wire(ETH0, &cut(&big(), &[1480, 2960], false), &Shape::default());
    assert_eq!(sent(&mut lab), (vec![(0, 976), (976, 976), (1952, 976), (2928, 80)], big()[34..].to_vec()));
}

#[test]
fn pieces_that_must_not_be_cut_keep_that_and_are_told_the_mtu() {
    let mut lab = Lab::new(TRACKING);
    lab.sim.wire(ETH0, &cut(&big(), &[1480, 2960], true), &Shape::default());
    assert_eq!(sent(&mut lab).0, [(0, 1480), (1480, 1480), (2960, 48)]);
    let mut host = Box::default();
    host.interfaces[1].mtu = 1000;
    lab.rehost(&host);
    lab.sim.wire(ETH0, &cut(&big(), &[1480, 2960], true), &Shape::default());
    assert_eq!(lab.lines(), ["eth0: 10.0.0.1 > 10.0.0.2 icmp 3/4 mtu 1000 [10.0.0.2:4000 > 192.168.1.2:53 ttl 64] tos 0xc0"]);
    assert_eq!(lab.drops(), [("MtuExceeded", 1)]);
}

#[test]
fn translated_datagrams_are_right_when_put_together() {
    let mut lab = Lab::new("*nat\n-A PREROUTING -p udp --dport 53 -j DNAT --to-destination 192.168.1.3:5353\nCOMMIT\n");
    lab.sim.wire(ETH0, &cut(&udp("10.0.0.2:4000", "10.0.0.1:53").data(3000).frame(), &[1480, 2960], false), &Shape::default());
    let (places, data) = sent(&mut lab);
    assert_eq!(places, [(0, 1480), (1480, 1480), (2960, 48)]);
    let mut whole = udp("10.0.0.2:4000", "192.168.1.3:5353").data(3000).frame();
    assert_eq!(data, whole.split_off(34));
}

#[test]
fn the_box_itself_gets_the_whole() {
    let mut lab = Lab::new("*filter\n-A INPUT -m state --state NEW -j ACCEPT\nCOMMIT\n");
    lab.sim.wire(ETH0, &cut(&udp("10.0.0.2:4000", "10.0.0.1:53").data(3000).frame(), &[1480, 2960], false), &Shape::default());
    assert_eq!(lab.lines(), ["tap eth0: 10.0.0.2:4000 > 10.0.0.1:53 udp"]);
}

#[test]
fn a_duplicate_is_ignored_and_an_overlap_ends_all() {
    let pieces = cut(&big(), &[1480, 2960], false);
    let mut lab = Lab::new(TRACKING);
    lab.sim.wire(
        ETH0,
        &[pieces[0].clone(), pieces[0].clone(), pieces[1].clone(), pieces[1].clone(), pieces[2].clone()],
        &Shape::default(),
    );
    assert_eq!(sent(&mut lab).0.len(), 3);
    assert_eq!(lab.drops(), [("FragmentDuplicate", 2)]);

    let mut lab = Lab::new(TRACKING);
    let overlap = piece(&big(), 1472, 2960, false);
    lab.sim.wire(ETH0, &[pieces[0].clone(), overlap, pieces[2].clone()], &Shape::default());
    assert_eq!(lab.lines(), [""; 0]);
    assert_eq!(lab.drops(), [("FragmentOverlap", 2)]);
}

#[test]
fn pieces_that_contradict_each_other_end() {
    let mut lab = Lab::new(TRACKING);
    let end = piece(&big(), 2960, 3008, false);
    let mut beyond = piece(&big(), 1480, 2960, false);
    beyond[20..22].copy_from_slice(&(0x2000u16 | 400).to_be_bytes());
    let sum = packet::checksum::ipv4_header(&beyond[14..34]);
    beyond[24..26].copy_from_slice(&sum.to_be_bytes());
    lab.sim.wire(ETH0, &[end, beyond], &Shape::default());
    assert_eq!(lab.drops(), [("FragmentInvalid", 2)]);
    assert_eq!(lab.sim.outside.live(), 0);
}

#[test]
fn what_does_not_come_in_time_ends_and_senders_to_the_box_are_told() {
    let mut lab = Lab::new(TRACKING);
    let through = cut(&big(), &[1480], false);
    let here = cut(&udp("10.0.0.2:4000", "10.0.0.1:53").data(3000).frame(), &[1480], false);
    lab.sim.wire(ETH0, &[through[0].clone(), here[0].clone()], &Shape::default());
    assert_eq!(lab.advance(29_000), [""; 0]);
    assert_eq!(lab.advance(1_100), ["eth0: 10.0.0.1 > 10.0.0.2 icmp 11/1 [10.0.0.2:4000 > 10.0.0.1:53 ttl 64] tos 0xc0"]);
    assert_eq!((lab.drops(), lab.sim.outside.live()), (vec![("FragmentTimeout", 2)], 0));
}

#[test]
fn memory_for_pieces_is_bounded() {
    let mut lab = Lab::new(TRACKING);
    for id in 0..20u16 {
        let mut first = piece(&big(), 0, 1480, false);
        first[18..20].copy_from_slice(&id.to_be_bytes());
        let sum = packet::checksum::ipv4_header(&first[14..34]);
        first[24..26].copy_from_slice(&sum.to_be_bytes());
        lab.sim.wire(ETH0, &[first], &Shape::default());
    }
    assert_eq!(lab.drops(), [("FragmentMemory", 4)]);
    assert_eq!(lab.sim.outside.live(), 16);
}

#[test]
fn the_boxs_own_fragments_are_put_together_too() {
    let mut lab = Lab::new("*filter\n-A OUTPUT -p udp --dport 53 -m state --state NEW -j ACCEPT\n-A OUTPUT -j DROP\nCOMMIT\n");
    let pieces = cut(&udp("192.168.1.1:4000", "192.168.1.2:53").data(3000).frame(), &[1480, 2960], false);
    lab.sim.host(ETH1, &pieces, &Shape::default());
    assert_eq!(sent(&mut lab).0, [(0, 1480), (1480, 1480), (2960, 48)]);
}

#[test]
fn fragments_for_the_box_are_put_together_before_input_without_tracking() {
    let rules = "*mangle\n-A PREROUTING -p udp --dport 53 -j MARK --set-mark 7\nCOMMIT\n\
        *filter\n-A INPUT -f -j DROP\n-A INPUT -p udp --dport 53 -m mark --mark 7 -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n";
    let frame = udp("10.0.0.2:4000", "10.0.0.1:53").data(3000).frame();
    for order in [[0, 1, 2], [2, 1, 0]] {
        let mut lab = Lab::new(rules);
        let pieces = cut(&frame, &[1480, 2000], false);
        let lines: Vec<_> = order.iter().flat_map(|i| lab.wire_frame(ETH0, pieces[*i].clone())).collect();
        assert_eq!(lines, ["tap eth0: 10.0.0.2:4000 > 10.0.0.1:53 udp"]);
        assert_eq!(lab.count(rules::TableName::Filter, "INPUT", 2), (1, 3028));
        assert_eq!((lab.drops(), lab.sim.outside.live()), (vec![], 0));
    }
}

#[test]
fn pieces_that_leave_as_they_came_may_be_cut_again() {
    let mut lab = Lab::new(TRACKING);
    lab.sim.wire(ETH0, &cut(&big(), &[1400, 2800], true), &Shape::default());
    let events = lab.sim.events();
    assert_eq!(events.len(), 3);
    for event in &events {
        let Event::Transmit { port: ETH1, frame } = event else { panic!("{event:?}") };
        assert_eq!(frame[20] & 0x40, 0, "don't fragment");
        assert!(!crate::lab::frames::describe(frame).contains("BAD IP"));
    }
}
