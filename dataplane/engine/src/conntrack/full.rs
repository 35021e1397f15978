//! A table at its limit. Linux 6.18 was seen to do the same in a namespace filled with 262,144 connections (`nf_conntrack_max`): as many as the
//! limit fit; 2,000 new ones over it ended 2,002 that were not ASSURED (`early_drop`), and all were let in; where all were ASSURED, TCP in
//! TIME_WAIT too, each new one was refused (`drop`). Within half a minute of such a refusal, and only then, 257 of those in TIME_WAIT were
//! ended, and none that were established.

use program::CtAction;

use super::frames::{Frame, Tcp};
use super::tests::{A, B, Lab, udp};
use super::{CtInfo, Dir, FlowKind, Status, TableFull, TcpState, TrackError};

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const FIN_ACK: u8 = 0x11;

fn segment(flags: u8, seq: u32, ack: u32) -> Tcp<'static> {
    Tcp { flags, seq, ack, window: 8000, ..Tcp::default() }
}

/// A connection past its handshake: ASSURED.
fn connect(lab: &mut Lab, sport: u16) {
    lab.pass(&Frame::tcp(A, B, sport, 80, &segment(SYN, 1, 0)));
    lab.pass(&Frame::tcp(B, A, 80, sport, &segment(SYN_ACK, 1, 2)));
    lab.pass(&Frame::tcp(A, B, sport, 80, &segment(ACK, 2, 2)));
}

/// Both sides close: TIME_WAIT, still ASSURED.
fn close(lab: &mut Lab, sport: u16) {
    lab.pass(&Frame::tcp(A, B, sport, 80, &segment(FIN_ACK, 2, 2)));
    lab.pass(&Frame::tcp(B, A, 80, sport, &segment(FIN_ACK, 2, 3)));
    lab.pass(&Frame::tcp(A, B, sport, 80, &segment(ACK, 3, 3)));
}

fn assured(lab: &Lab) -> usize {
    lab.table.iter().filter(|(_, flow)| flow.status().has(Status::ASSURED)).count()
}

#[test]
fn a_new_flow_takes_the_place_of_one_that_is_not_assured() {
    let mut lab = Lab::new(64);
    for port in 0..64 {
        assert_eq!(lab.pass(&udp(A, B, port, 53)), CtInfo::New);
    }
    assert_eq!((lab.table.len(), lab.table.early_drops()), (64, 0));
    for port in 100..150 {
        assert_eq!(lab.pass(&udp(A, B, port, 53)), CtInfo::New);
        assert_eq!(lab.pass(&udp(B, A, 53, port)), CtInfo::Established(Dir::Reply), "it is there");
    }
    assert_eq!((lab.table.len(), lab.table.early_drops()), (64, 50));
}

#[test]
fn where_all_are_assured_a_new_flow_is_refused_and_old_ones_go_on() {
    let mut lab = Lab::new(16);
    (0..16).for_each(|port| connect(&mut lab, port));
    close(&mut lab, 3);
    assert_eq!(lab.track(&udp(A, B, 1, 53), CtAction::default()), Err(TrackError::Table(TableFull)));
    assert_eq!(lab.table.early_drops(), 0);
    assert_eq!(lab.pass(&Frame::tcp(B, A, 80, 7, &segment(ACK, 2, 2))), CtInfo::Established(Dir::Reply));
    lab.wait(121);
    lab.expire_all();
    assert_eq!(lab.table.count(FlowKind::Tcp(TcpState::TimeWait)), 0);
    assert_eq!(lab.pass(&udp(A, B, 1, 53)), CtInfo::New);
}

/// A flood of first packets, a hundred times what the table holds: not one connection that was made suffers.
#[test]
fn embryonic_flows_push_out_no_assured_one() {
    let mut lab = Lab::new(256);
    (0..200).for_each(|port| connect(&mut lab, port));
    let mut refused = 0;
    for flood in 0..25_600u32 {
        let frame = Frame::tcp(A + 1 + flood % 251, B, (flood / 251) as u16, 80, &segment(SYN, 1, 0));
        match lab.track(&frame, CtAction::default()) {
            Ok(tracked) => lab.table.confirm(tracked.flow.expect("a SYN begins a flow"), lab.now).expect("no clash"),
            Err(_) => refused += 1,
        }
        if flood % 64 == 0 {
            lab.table.expire(lab.now, 256);
        }
    }
    assert_eq!((assured(&lab), lab.table.len()), (200, 256));
    assert_eq!(lab.table.early_drops() + refused + 56, 25_600);
    (0..200).for_each(|port| {
        assert_eq!(lab.pass(&Frame::tcp(B, A, 80, port, &segment(ACK, 2, 2))), CtInfo::Established(Dir::Reply));
    });
}

#[test]
fn a_flow_past_its_time_makes_way_first_and_counts_as_no_early_drop() {
    let mut lab = Lab::new(2);
    connect(&mut lab, 1);
    lab.pass(&udp(A, B, 2, 53));
    lab.wait(31);
    assert_eq!(lab.pass(&udp(A, B, 3, 53)), CtInfo::New);
    assert_eq!((lab.table.len(), lab.table.early_drops(), assured(&lab)), (2, 0, 1));
}

/// Within one burst as between two: what a packet has ended is room for the next one.
#[test]
fn a_killed_flow_makes_way_at_once() {
    let mut lab = Lab::new(2);
    connect(&mut lab, 1);
    lab.pass(&Frame::tcp(A, B, 2, 80, &segment(SYN, 1, 0)));
    lab.pass(&Frame::tcp(B, A, 80, 2, &Tcp { flags: 0x14, ack: 2, ..Tcp::default() }));
    assert_eq!(lab.table.len(), 2, "the refused connection is still held for its last packet");
    assert_eq!(lab.pass(&udp(A, B, 3, 53)), CtInfo::New);
    assert_eq!((lab.table.len(), lab.table.early_drops(), assured(&lab)), (2, 0, 1));
}

/// An unconfirmed flow belongs to the packet at hand: it never makes way.
#[test]
fn unconfirmed_flows_make_no_way() {
    let mut lab = Lab::new(1);
    lab.track(&udp(A, B, 1, 53), CtAction::default()).expect("there is room");
    assert_eq!(lab.track(&udp(A, B, 2, 53), CtAction::default()), Err(TrackError::Table(TableFull)));
}

/// Connections that are over make room once one was refused: at most 256 a second, and none that lives.
#[test]
fn a_refusal_sets_off_a_sweep_of_what_is_missed_least() {
    let mut lab = Lab::new(2000);
    (0..2000).for_each(|port| connect(&mut lab, port));
    (700..1300).for_each(|port| close(&mut lab, port));
    lab.table.expire(lab.now, 100_000);
    assert_eq!(lab.table.len(), 2000, "a full table is no reason");
    // A neighbour of the new flow may be one of a TCP connection that is over, and still does not make way at once.
    assert_eq!(lab.track(&udp(A, B, 1, 53), CtAction::default()), Err(TrackError::Table(TableFull)));
    let mut ended = Vec::new();
    for _ in 0..40 {
        let before = lab.table.len();
        lab.table.expire(lab.now, 100);
        ended.push(before - lab.table.len());
    }
    assert_eq!(ended.iter().sum::<usize>(), 100, "down to 95 %");
    assert!(ended.iter().all(|n| *n <= 100), "by the budget");
    assert_eq!(lab.pass(&udp(A, B, 1, 53)), CtInfo::New);
    assert_eq!(lab.table.count(FlowKind::Tcp(TcpState::Established)), 1400);
}

#[test]
fn a_sweep_ends_256_at_most_and_the_next_comes_a_second_later() {
    let mut lab = Lab::new(10_000);
    (0..10_000).for_each(|port| connect(&mut lab, port));
    (0..5000).for_each(|port| close(&mut lab, port));
    let refused = |lab: &mut Lab| {
        // Above the limit again, whatever was swept.
        while lab.track(&udp(A, B, 1, 53), CtAction::default()).is_ok() {}
        let before = lab.table.len();
        lab.table.expire(lab.now, 100_000);
        before - lab.table.len()
    };
    assert_eq!(refused(&mut lab), 256);
    assert_eq!(refused(&mut lab), 0, "within the second");
    lab.wait(1);
    assert_eq!(refused(&mut lab), 256);
    assert_eq!(lab.table.count(FlowKind::Tcp(TcpState::Established)), 5000);
}

/// Each step has its bound, whatever the table holds.
#[test]
fn expiry_and_sweep_keep_to_their_budget() {
    let mut lab = Lab::new(1000);
    (0..1000).for_each(|port| assert_eq!(lab.pass(&udp(A, B, port, 53)), CtInfo::New));
    lab.wait(31);
    let mut freed = Vec::new();
    while !lab.table.is_empty() {
        freed.push(lab.table.expire(lab.now, 64));
    }
    assert!(freed.iter().all(|n| *n <= 64) && freed.len() <= 40, "{freed:?}");
}
