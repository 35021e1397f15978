//! IPv6 datagrams in pieces. What is expected here Linux 6.18 was seen to do, with the same pieces, while it tracks connections.

use engine::sim::{Event, Shape, Sim};
use packet::checksum;

use crate::families::{CLIENT, SERVER, ip6, sim, sim_with_mtu};
use crate::lab::{ETH0, ETH1, mac};

const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;
pub(crate) const UDP: u8 = 17;
/// Eight bytes of them, that say nothing, before this header.
const fn options(next: u8) -> [u8; 8] {
    [next, 0, 1, 4, 0, 0, 0, 0]
}

fn packet(next: u8, payload: &[u8], class: u8) -> Vec<u8> {
    let mut frame = mac(ETH0).to_vec();
    frame.extend([2, 0, 0, 0, 0, 0x99, 0x86, 0xdd]);
    frame.extend((6 << 28 | u32::from(class) << 20).to_be_bytes());
    frame.extend((payload.len() as u16).to_be_bytes());
    frame.extend([next, 64]);
    frame.extend(ip6(CLIENT).to_be_bytes());
    frame.extend(ip6(SERVER).to_be_bytes());
    frame.extend(payload);
    frame
}

/// A UDP datagram to port 53 with so many bytes, its header included.
pub(crate) fn udp(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    bytes[8..].iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
    bytes[..4].copy_from_slice(&[3, 232, 0, 53]);
    bytes[4..6].copy_from_slice(&(len as u16).to_be_bytes());
    let pseudo = checksum::pseudo_header::<packet::Ipv6>(ip6(CLIENT), ip6(SERVER), UDP, len as u32);
    let check = checksum::fold(checksum::partial(&bytes, pseudo));
    bytes[6..8].copy_from_slice(&check.to_be_bytes());
    bytes
}

fn piece(next: u8, offset: usize, more: bool, data: &[u8], class: u8) -> Vec<u8> {
    let mut payload = vec![next, 0];
    payload.extend((offset as u16 | u16::from(more)).to_be_bytes());
    payload.extend([0, 0, 0, 9]);
    payload.extend(data);
    packet(FRAGMENT, &payload, class)
}

pub(crate) fn pieces(next: u8, data: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut at = 0;
    let piece = |len: &usize| {
        let from = at;
        at += len;
        piece(next, from, at < data.len(), &data[from..at], 0)
    };
    sizes.iter().map(piece).collect()
}

/// What left by the second interface: its headers' numbers, where it stands in its datagram, and its data bytes.
fn sent(sim: &mut Sim) -> Vec<(Vec<u8>, usize, bool, usize)> {
    let leaves = |event| match event {
        Event::Transmit { port: ETH1, frame } => Some(read(&frame)),
        _ => None,
    };
    sim.events().into_iter().filter_map(leaves).collect()
}

fn read(frame: &[u8]) -> (Vec<u8>, usize, bool, usize) {
    let end = 54 + usize::from(u16::from_be_bytes([frame[18], frame[19]]));
    assert_eq!(end, frame.len(), "the payload length");
    let (mut chain, mut at, mut offset, mut more) = (vec![frame[20]], 54, 0, false);
    while let Some(next @ (FRAGMENT | DESTINATION_OPTIONS)) = chain.last().copied() {
        if next == FRAGMENT {
            let word = u16::from_be_bytes([frame[at + 2], frame[at + 3]]);
            (offset, more) = (usize::from(word & !7), word & 1 != 0);
        }
        chain.push(frame[at]);
        at += 8;
    }
    (chain, offset, more, end - at)
}

fn send(sim: &mut Sim, frames: &[Vec<u8>]) -> Vec<(Vec<u8>, usize, bool, usize)> {
    for frame in frames {
        sim.wire(ETH0, std::slice::from_ref(frame), &Shape::default());
    }
    sent(sim)
}

fn drops(sim: &Sim) -> Vec<(&'static str, u64)> {
    sim.worker.drops().occurred().map(|(reason, n)| (reason.name(), n)).collect()
}

fn in_pieces(chain: &[u8], sizes: &[usize]) -> Vec<(Vec<u8>, usize, bool, usize)> {
    let mut at = 0;
    let piece = |(i, len): (usize, &usize)| {
        let from = at;
        at += len;
        (chain.to_vec(), from, i + 1 < sizes.len(), *len)
    };
    sizes.iter().enumerate().map(piece).collect()
}

#[test]
fn pieces_leave_in_the_sizes_in_which_they_came() {
    for sizes in [&[1232, 1232, 536][..], &[1440, 1440, 120], &[1000, 1440, 560], &[1232, 1400, 368]] {
        let (mut there, mut back) = (sim(true), sim(true));
        let frames = pieces(UDP, &udp(3000), sizes);
        assert_eq!(send(&mut there, &frames), in_pieces(&[FRAGMENT, UDP], sizes));
        let frames: Vec<_> = frames.into_iter().rev().collect();
        assert_eq!(send(&mut back, &frames), in_pieces(&[FRAGMENT, UDP], sizes), "the other way round");
        assert_eq!((drops(&there), there.outside.live()), (vec![], 0));
    }
}

#[test]
fn rules_see_the_whole_datagram_and_its_bytes_stay() {
    let mut sim = sim(true);
    let data = udp(3000);
    let frames = pieces(UDP, &data, &[1232, 1232, 536]);
    for frame in &frames {
        sim.wire(ETH0, std::slice::from_ref(frame), &Shape::default());
    }
    let mut whole = Vec::new();
    let mut ids = Vec::new();
    for event in sim.events() {
        let Event::Transmit { port: ETH1, frame } = event else { panic!("only frames by eth1") };
        ids.push(frame[58..62].to_vec());
        whole.extend_from_slice(&frame[62..]);
    }
    assert_eq!(whole, data);
    assert!(ids.iter().all(|id| *id == ids[0]) && ids[0] != [0, 0, 0, 9], "an identification of its own: {ids:?}");
    assert_eq!(sim.worker.flows_ipv6().map(|flows| flows.len()), Some(1));
}

#[test]
fn what_needs_no_more_room_than_its_longest_piece_leaves_whole() {
    assert_eq!(send(&mut sim(true), &pieces(UDP, &udp(1240), &[1232, 8])), [(vec![UDP], 0, false, 1240)]);
    assert_eq!(send(&mut sim(true), &pieces(UDP, &udp(1248), &[1232, 16])), in_pieces(&[FRAGMENT, UDP], &[1232, 16]));
    assert_eq!(send(&mut sim(true), &pieces(UDP, &udp(508), &[508])), [(vec![UDP], 0, false, 508)], "one piece alone");
}

#[test]
fn a_piece_behind_which_none_can_begin_goes_on_as_it_is_and_ends_the_others() {
    let mut sim = sim(true);
    let data = udp(3000);
    let first = piece(UDP, 1440, true, &data[1440..2880], 0);
    let odd = piece(UDP, 0, true, &data[..1436], 0);
    assert_eq!(send(&mut sim, &[first, odd]), [(vec![FRAGMENT, UDP], 0, true, 1436)]);
    assert_eq!(drops(&sim), [("FragmentInvalid", 1)]);
}

#[test]
fn a_piece_beyond_the_end_ends_alone_and_an_overlap_ends_all() {
    let data = udp(3000);
    let frames = pieces(UDP, &data, &[1440, 1440, 120]);
    let beyond = piece(UDP, 3000, true, &[0; 1232], 0);
    let mut sim = sim(true);
    let out = send(&mut sim, &[frames[0].clone(), frames[2].clone(), beyond, frames[1].clone()]);
    assert_eq!(out, in_pieces(&[FRAGMENT, UDP], &[1440, 1440, 120]));
    assert_eq!(drops(&sim), [("FragmentInvalid", 1)]);
    let over = piece(UDP, 1432, true, &data[1432..2880], 0);
    let out = send(&mut sim, &[frames[0].clone(), over, frames[1].clone(), frames[2].clone()]);
    assert_eq!(out, []);
    assert!(drops(&sim).contains(&("FragmentOverlap", 2)), "{:?}", drops(&sim));
    let out = send(&mut self::sim(true), &[frames[0].clone(), frames[0].clone(), frames[1].clone(), frames[2].clone()]);
    assert_eq!(out.len(), 3, "a piece that came twice counts once");
}

#[test]
fn congestion_seen_by_one_piece_is_seen_by_all() {
    let data = udp(3000);
    let with = |classes: [u8; 3]| {
        let at = [(0, 1440), (1440, 2880), (2880, 3000)];
        let frames: Vec<_> =
            at.iter().zip(classes).map(|(&(from, to), class)| piece(UDP, from, to < 3000, &data[from..to], class)).collect();
        let mut sim = sim(true);
        for frame in &frames {
            sim.wire(ETH0, std::slice::from_ref(frame), &Shape::default());
        }
        let class = |event| match event {
            Event::Transmit { frame, .. } => frame[14] << 4 | frame[15] >> 4,
            _ => 0,
        };
        sim.events().into_iter().map(class).collect::<Vec<_>>()
    };
    assert_eq!(with([1, 3, 1]), [3, 3, 3]);
    assert_eq!(with([0, 3, 0]), [], "who cannot see it cannot have been told");
}

#[test]
fn extension_headers_stand_before_the_fragment_header_when_it_is_cut_again() {
    let mut data = options(UDP).to_vec();
    data.extend(udp(3000));
    let out = send(&mut sim(true), &pieces(DESTINATION_OPTIONS, &data, &[1440, 1440, 128]));
    assert_eq!(out, in_pieces(&[DESTINATION_OPTIONS, FRAGMENT, UDP], &[1432, 1432, 136]));
}

#[test]
fn pieces_too_long_for_the_next_link_are_told_its_mtu_and_shorter_ones_pass() {
    let mut sim = sim_with_mtu(1400);
    assert_eq!(send(&mut sim, &pieces(UDP, &udp(3000), &[1232, 1232, 536])), in_pieces(&[FRAGMENT, UDP], &[1232, 1232, 536]));
    for frame in pieces(UDP, &udp(3000), &[1440, 1440, 120]) {
        sim.wire(ETH0, &[frame], &Shape::default());
    }
    let events = sim.events();
    let [Event::Transmit { port: ETH0, frame }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((frame.len(), frame[20], &frame[54..56], &frame[58..62]), (14 + 1280, 58, &[2, 0][..], &[0, 0, 5, 120][..]));
    assert_eq!(drops(&sim), [("MtuExceeded", 1)]);
}

#[test]
fn the_sender_is_told_after_a_minute_if_the_first_piece_came() {
    let mut sim = sim(true);
    let frames = pieces(UDP, &udp(3000), &[1440, 1440, 120]);
    send(&mut sim, &frames[..1]);
    sim.advance(59_000);
    assert_eq!(sim.events(), []);
    sim.advance(1_100);
    let events = sim.events();
    let [Event::Transmit { port: ETH0, frame }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((frame.len(), frame[20], &frame[54..56]), (14 + 1280, 58, &[3, 1][..]));
    send(&mut sim, &frames[2..]);
    sim.advance(61_000);
    assert_eq!(sim.events(), []);
    assert_eq!((drops(&sim), sim.outside.live()), (vec![("FragmentTimeout", 2)], 0));
}
