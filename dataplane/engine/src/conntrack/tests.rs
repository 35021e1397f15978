//! The table and the trackers together, packet by packet. What Linux 6.18 does was looked up there unless it says otherwise.

use packet::{Family, Ipv4, Ipv6, L4, Tuple, TupleL4};
use program::{CtAction, Directions, TimeoutId};
use proptest::prelude::*;

use super::frames::{Frame, Tcp};
use super::{
    Clash, Counts, CtInfo, Dir, FlowConfig, FlowId, FlowKind, FlowTable, Packet, Settings, Status, TableFull, TcpState, TrackError,
    Tracked,
};
use crate::time::Time;

pub(super) const A: u32 = 0x0a01_0002;
pub(super) const B: u32 = 0x0a02_0002;
const ROUTER: u32 = 0x0a02_0009;
const SYN: u8 = 0x02;
const RST_ACK: u8 = 0x14;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;

pub(super) struct Lab {
    pub(super) table: FlowTable<Ipv4>,
    settings: Settings,
    pub(super) now: Time,
}

impl Lab {
    pub(super) fn new(capacity: u32) -> Self {
        let table = FlowTable::new(FlowConfig { capacity, extras: 4, hash_key: [3, 4] });
        Self { table, settings: Settings::default(), now: Time(1_000_000_000) }
    }

    pub(super) fn track(&mut self, frame: &Frame, zone: CtAction) -> Result<Tracked, TrackError> {
        let header = frame.header();
        let checksum_ok = frame.is_sound();
        let packet = Packet {
            header: &header,
            head: &frame.bytes,
            checksum_ok,
            zone,
            timeouts: TimeoutId::NONE,
            said: Default::default(),
            now: self.now,
        };
        self.table.track(&packet, &self.settings)
    }

    /// Tracks and confirms, as for a packet that every rule accepts.
    pub(super) fn pass(&mut self, frame: &Frame) -> CtInfo {
        self.pass_in(frame, CtAction::default()).info
    }

    fn pass_in(&mut self, frame: &Frame, zone: CtAction) -> Tracked {
        let tracked = self.track(frame, zone).expect("there is room");
        if let (Some(id), false) = (tracked.flow, matches!(tracked.info, CtInfo::Related(_))) {
            self.table.confirm(id, self.now).expect("no clash");
        }
        tracked
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus_millis(seconds * 1000);
    }

    pub(super) fn expire_all(&mut self) {
        while self.table.expire(self.now, 7) > 0 {}
    }

    fn the_flow(&self) -> FlowId {
        let mut flows = self.table.iter();
        let (id, _) = flows.next().expect("there is a flow");
        assert!(flows.next().is_none(), "there is one flow");
        id
    }
}

pub(super) fn udp(src: u32, dst: u32, sport: u16, dport: u16) -> Frame {
    Frame::udp(src, dst, sport, dport, b"hello")
}

fn syn(sport: u16) -> Frame {
    Frame::tcp(A, B, sport, 80, &Tcp { flags: SYN, seq: 1, window: 8000, ..Tcp::default() })
}

#[test]
fn udp_is_new_until_a_reply_and_a_stream_after_two_seconds_of_both() {
    let mut lab = Lab::new(4);
    assert_eq!(lab.pass(&udp(A, B, 5000, 53)), CtInfo::New);
    assert_eq!(lab.pass(&udp(A, B, 5000, 53)), CtInfo::New);
    assert_eq!(lab.pass(&udp(B, A, 53, 5000)), CtInfo::Established(Dir::Reply));
    assert_eq!(lab.pass(&udp(A, B, 5000, 53)), CtInfo::Established(Dir::Original));
    let id = lab.the_flow();
    let flow = *lab.table.get(id).unwrap();
    assert_eq!(flow.remaining_seconds(lab.now), 30);
    assert_eq!(flow.kind(), FlowKind::UdpReplied);
    let counts = |packets, bytes| Counts { packets, bytes };
    assert_eq!(lab.table.counts(id), Some([counts(3, 99), counts(1, 33)]));
    lab.wait(3);
    lab.pass(&udp(A, B, 5000, 53));
    let flow = lab.table.get(id).unwrap();
    assert!(flow.status().has(Status::ASSURED));
    assert_eq!(flow.remaining_seconds(lab.now), 120);
}

#[test]
fn udp_with_a_wrong_length_or_checksum_is_invalid_and_without_a_checksum_is_not() {
    let mut lab = Lab::new(4);
    let change = |at: usize, bytes: [u8; 2]| {
        let mut frame = udp(A, B, 6000, 53);
        frame.bytes[34 + 6..34 + 8].fill(0);
        frame.bytes[34 + at..34 + at + 2].copy_from_slice(&bytes);
        frame
    };
    assert_eq!(lab.pass(&change(6, [1, 2])), CtInfo::Invalid);
    assert_eq!(lab.pass(&change(4, [0, 50])), CtInfo::Invalid);
    assert_eq!(lab.pass(&change(4, [0, 7])), CtInfo::Invalid);
    assert_eq!(lab.table.len(), 0);
    assert_eq!(lab.pass(&change(4, [0, 9])), CtInfo::New);
    assert_eq!(lab.pass(&change(6, [0, 0])), CtInfo::New);
    assert_eq!(lab.pass(&udp(A, B, 0, 0)), CtInfo::New);
    lab.settings.checksum = false;
    assert_eq!(lab.pass(&change(6, [1, 2])), CtInfo::New);
}

#[test]
fn a_transport_header_cut_short_is_invalid() {
    let mut lab = Lab::new(4);
    assert_eq!(lab.pass(&Frame::raw(A, B, 17, &[1, 2, 3, 4])), CtInfo::Invalid);
    assert_eq!(lab.pass(&Frame::raw(A, B, 6, &[0; 19])), CtInfo::Invalid);
    assert_eq!(lab.pass(&Frame::raw(A, B, 1, &[8, 0, 0, 0, 0, 0, 0])), CtInfo::Invalid);
    let mut offset_too_low = syn(7000);
    offset_too_low.bytes[34 + 12] = 0x40;
    assert_eq!(lab.pass(&offset_too_low), CtInfo::Invalid);
    let mut options_not_there = syn(7000);
    options_not_there.bytes[34 + 12] = 0x60;
    assert_eq!(lab.pass(&options_not_there), CtInfo::Invalid);
    assert_eq!(lab.table.len(), 0);
}

#[test]
fn of_icmp_only_the_four_queries_begin_a_flow() {
    let mut lab = Lab::new(64);
    for kind in 0..=255u8 {
        let expected = if matches!(kind, 8 | 13 | 15 | 17) { CtInfo::New } else { CtInfo::Invalid };
        assert_eq!(lab.pass(&Frame::icmp(A, B, kind, 0, 100, b"12345678")), expected, "type {kind}");
    }
    assert_eq!(lab.table.len(), 4);
}

#[test]
fn an_echo_is_new_until_answered_and_its_code_counts() {
    let mut lab = Lab::new(4);
    let echo = Frame::icmp(A, B, 8, 0, 7, b"ping");
    let reply = Frame::icmp(B, A, 0, 0, 7, b"ping");
    assert_eq!(lab.pass(&echo), CtInfo::New);
    assert_eq!(lab.pass(&echo), CtInfo::New);
    assert_eq!(lab.pass(&reply), CtInfo::Established(Dir::Reply));
    assert_eq!(lab.pass(&reply), CtInfo::Established(Dir::Reply));
    assert_eq!(lab.pass(&echo), CtInfo::Established(Dir::Original));
    assert_eq!(lab.pass(&Frame::icmp(A, B, 8, 1, 7, b"ping")), CtInfo::New);
    assert_eq!(lab.pass(&Frame::icmp(B, A, 0, 0, 8, b"ping")), CtInfo::Invalid);
}

#[test]
fn an_icmp_error_is_related_to_what_it_quotes() {
    let mut lab = Lab::new(4);
    let there = udp(A, B, 5000, 53);
    let back = udp(B, A, 53, 5000);
    lab.pass(&there);
    let id = lab.the_flow();
    let related = |dir| Tracked { info: CtInfo::Related(dir), flow: Some(id), dir };
    let invalid = Tracked { info: CtInfo::Invalid, flow: None, dir: Dir::Original };
    let mut see = |frame: &Frame| lab.track(frame, CtAction::default()).unwrap();
    for kind in [3, 4, 5, 11, 12] {
        assert_eq!(see(&there.error(ROUTER, A, kind, 28)), related(Dir::Reply), "type {kind}");
    }
    assert_eq!(see(&there.error(ROUTER, A, 3, 24)), related(Dir::Reply), "ports are enough");
    assert_eq!(see(&there.error(ROUTER, A, 3, 23)), invalid);
    assert_eq!(see(&there.error(ROUTER, A, 3, 20)), invalid, "header only");
    assert_eq!(see(&there.error(ROUTER, A, 3, 12)), invalid, "cut header");
    assert_eq!(see(&there.error(ROUTER, A + 5, 3, 28)), invalid, "to the wrong end");
    assert_eq!(see(&back.error(0x0a01_0009, B, 3, 28)), related(Dir::Original));
    assert_eq!(see(&back.error(ROUTER, A, 3, 28)), invalid);
    assert_eq!(see(&udp(A, B, 5001, 53).error(ROUTER, A, 3, 28)), invalid, "unknown flow");
    assert_eq!(see(&there.error(ROUTER, A, 3, 28).error(ROUTER, ROUTER, 3, 64)), invalid, "an error about an error");
    let mut wrong_sum = there.clone();
    wrong_sum.bytes[24] ^= 0xff;
    assert_eq!(see(&Frame::icmp(ROUTER, A, 3, 3, 0, &wrong_sum.bytes[14..42])), related(Dir::Reply));
    let mut later = there.clone();
    later.bytes[20..22].copy_from_slice(&[0, 16]);
    assert_eq!(see(&Frame::icmp(ROUTER, A, 3, 3, 0, &later.bytes[14..42])), invalid, "a later fragment");
    assert_eq!(lab.table.counts(id).map(|[original, _]| original.packets), Some(1), "errors are not counted");
}

#[test]
fn protocols_without_ports_are_told_apart_by_addresses() {
    let mut lab = Lab::new(8);
    for number in [4, 41, 47, 50, 51, 89, 253, 255] {
        assert_eq!(lab.pass(&Frame::raw(A, B, number, &[0; 24])), CtInfo::New);
        assert_eq!(lab.pass(&Frame::raw(B, A, number, &[0; 24])), CtInfo::Established(Dir::Reply));
        assert_eq!(lab.pass(&Frame::raw(A, B, number, &[0; 24])), CtInfo::Established(Dir::Original));
    }
    let seconds = |number| {
        let (_, flow) = lab.table.iter().find(|(_, flow)| flow.tuple(Dir::Original).protocol == number).unwrap();
        (flow.remaining_seconds(lab.now), flow.status().has(Status::ASSURED))
    };
    assert_eq!(seconds(47), (180, true));
    assert_eq!(seconds(50), (600, false));
}

#[test]
fn a_refused_connection_leaves_nothing_but_serves_its_last_packet() {
    let mut lab = Lab::new(1);
    lab.pass(&syn(5000));
    let id = lab.the_flow();
    let refusal = Frame::tcp(B, A, 80, 5000, &Tcp { flags: RST_ACK, ack: 2, ..Tcp::default() });
    assert_eq!(lab.pass(&refusal), CtInfo::Established(Dir::Reply));
    assert!(lab.table.get(id).unwrap().status().has(Status::DYING), "NAT can still translate the refusal");
    assert_eq!(lab.table.iter().count(), 0);
    assert_eq!(lab.table.expire(lab.now, 8), 1);
    assert_eq!((lab.table.len(), lab.table.get(id).is_none()), (0, true));
    assert_eq!(lab.pass(&syn(5000)), CtInfo::New);
    assert_ne!(lab.the_flow(), id, "the same slot, another generation");
}

#[test]
fn an_unconfirmed_flow_is_seen_by_nobody_and_released_without_a_trace() {
    let mut lab = Lab::new(1);
    let first = lab.track(&udp(A, B, 5000, 53), CtAction::default()).unwrap();
    assert_eq!(lab.table.iter().count(), 0);
    assert_eq!(lab.track(&udp(A, B, 5000, 53), CtAction::default()), Err(TrackError::Table(TableFull)));
    lab.table.release(first.flow.unwrap());
    lab.table.release(first.flow.unwrap());
    assert_eq!(lab.table.len(), 0);
    lab.pass(&udp(A, B, 5000, 53));
    lab.table.release(lab.the_flow());
    assert_eq!(lab.table.len(), 1, "a confirmed flow is not released");
}

#[test]
fn two_unconfirmed_flows_of_one_tuple_clash_in_either_direction() {
    let mut lab = Lab::new(4);
    let new = |lab: &mut Lab, frame: &Frame| lab.track(frame, CtAction::default()).unwrap().flow.unwrap();
    let first = new(&mut lab, &udp(A, B, 5000, 53));
    let same = new(&mut lab, &udp(A, B, 5000, 53));
    let backwards = new(&mut lab, &udp(B, A, 53, 5000));
    assert_eq!(lab.table.confirm(first, lab.now), Ok(()));
    assert_eq!(lab.table.confirm(first, lab.now), Ok(()));
    assert_eq!(lab.table.confirm(same, lab.now), Err(Clash));
    assert_eq!(lab.table.confirm(backwards, lab.now), Err(Clash));
    lab.table.release(same);
    lab.table.release(backwards);
    assert_eq!(lab.table.len(), 1);
}

#[test]
fn a_flow_past_its_time_is_gone_before_the_timer_comes() {
    let mut lab = Lab::new(4);
    lab.pass(&udp(A, B, 5000, 53));
    lab.pass(&udp(B, A, 53, 5000));
    lab.wait(31);
    assert_eq!(lab.pass(&udp(B, A, 53, 5000)), CtInfo::New);
    assert_eq!(lab.the_flow(), lab.table.iter().next().unwrap().0);
}

#[test]
fn a_packet_puts_the_end_off_and_a_shorter_timeout_brings_it_near() {
    let mut lab = Lab::new(4);
    lab.pass(&syn(5000));
    lab.pass(&Frame::tcp(B, A, 80, 5000, &Tcp { flags: SYN_ACK, seq: 1, ack: 2, window: 8000, ..Tcp::default() }));
    lab.pass(&Frame::tcp(A, B, 5000, 80, &Tcp { flags: ACK, seq: 2, ack: 2, window: 8000, ..Tcp::default() }));
    let id = lab.the_flow();
    assert_eq!(lab.table.get(id).unwrap().remaining_seconds(lab.now), 432_000);
    lab.wait(400_000);
    lab.expire_all();
    lab.pass(&Frame::tcp(A, B, 5000, 80, &Tcp { flags: ACK, seq: 2, ack: 2, window: 8000, ..Tcp::default() }));
    lab.wait(400_000);
    lab.expire_all();
    assert_eq!(lab.table.len(), 1);
    lab.pass(&Frame::tcp(A, B, 5000, 80, &Tcp { flags: RST_ACK, seq: 2, ack: 2, ..Tcp::default() }));
    assert_eq!(lab.table.count(FlowKind::Tcp(TcpState::Close)), 1);
    assert_eq!(lab.table.count(FlowKind::Tcp(TcpState::Established)), 0);
    lab.wait(11);
    lab.expire_all();
    assert_eq!((lab.table.len(), lab.table.count(FlowKind::Tcp(TcpState::Close))), (0, 0));
}

#[test]
fn zones_part_the_tuples() {
    let mut lab = Lab::new(8);
    let zone = |zone, directions| CtAction { zone, directions, ..CtAction::default() };
    let frame = udp(A, B, 5000, 53);
    let one = lab.pass_in(&frame, zone(1, Directions::Both));
    let two = lab.pass_in(&frame, zone(2, Directions::Both));
    let none = lab.pass_in(&frame, CtAction::default());
    assert_eq!([one.info, two.info, none.info], [CtInfo::New; 3]);
    let back = lab.pass_in(&udp(B, A, 53, 5000), zone(2, Directions::Both));
    assert_eq!((back.flow, back.info), (two.flow, CtInfo::Established(Dir::Reply)));

    let other = udp(A, B, 6000, 53);
    let original = lab.pass_in(&other, zone(7, Directions::Original));
    let back = lab.pass_in(&udp(B, A, 53, 6000), CtAction::default());
    assert_eq!((back.flow, back.dir), (original.flow, Dir::Reply), "replies come in zone 0");
    let same = lab.track(&other, CtAction::default()).unwrap();
    assert_eq!(same.info, CtInfo::New, "the original direction is parted");
    assert_eq!(lab.table.confirm(same.flow.unwrap(), lab.now), Err(Clash), "the reply direction is not");
}

#[test]
fn later_fragments_and_tuples_without_an_answer_are_invalid() {
    let mut lab = Lab::new(4);
    let frame = udp(A, B, 5000, 53);
    let mut header = frame.header();
    header.fragment = packet::Fragment::Later(8);
    header.transport = L4::Absent;
    let packet = Packet {
        header: &header,
        head: &frame.bytes,
        checksum_ok: true,
        zone: CtAction::default(),
        timeouts: TimeoutId::NONE,
        said: Default::default(),
        now: lab.now,
    };
    assert_eq!(lab.table.track(&packet, &lab.settings).unwrap().info, CtInfo::Invalid);
    assert_eq!(
        Tuple::<Ipv4> { src: A, dst: B, protocol: Ipv4::ICMP, l4: TupleL4::Icmp { kind: 9, code: 0, id: 0 } }.invert(),
        None
    );
    assert_eq!(lab.pass(&Frame::icmp(A, B, 9, 0, 0, &[])), CtInfo::Invalid);
}

/// An IPv6 packet behind 14 bytes of Ethernet, its checksum computed.
fn six(src: u128, dst: u128, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2; 12];
    bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, payload.len() as u8, protocol, 64]);
    bytes.extend(src.to_be_bytes());
    bytes.extend(dst.to_be_bytes());
    bytes.extend(payload);
    let header = packet::parse::ip::<Ipv6>(&bytes, 14, bytes.len() - 14).unwrap();
    let sum = packet::checksum::l4_compute(&header, [bytes.as_slice()]).unwrap();
    packet::set::l4_checksum(&mut bytes, &header, sum).unwrap();
    bytes
}

#[test]
fn ipv6_goes_the_same_way_but_for_neighbour_discovery() {
    let mut table = FlowTable::<Ipv6>::new(FlowConfig { capacity: 8, extras: 4, hash_key: [7, 8] });
    let (host, server, router) = (1u128 << 96 | 2, 2u128 << 96 | 2, 2u128 << 96 | 9);
    let now = Time(1);
    let mut pass = |bytes: &[u8]| {
        let header = packet::parse::ip::<Ipv6>(bytes, 14, bytes.len() - 14).unwrap();
        let packet = Packet {
            header: &header,
            head: bytes,
            checksum_ok: true,
            zone: CtAction::default(),
            timeouts: TimeoutId::NONE,
            said: Default::default(),
            now,
        };
        let tracked = table.track(&packet, &Settings::default()).unwrap();
        if let (Some(id), false) = (tracked.flow, matches!(tracked.info, CtInfo::Related(_))) {
            table.confirm(id, now).unwrap();
        }
        tracked.info
    };
    let udp = [0x13, 0x88, 0, 53, 0, 9, 0, 0, b'x'];
    let there = six(host, server, 17, &udp);
    assert_eq!(pass(&there), CtInfo::New);
    assert_eq!(pass(&six(server, host, 17, &[0, 53, 0x13, 0x88, 0, 9, 0, 0, b'x'])), CtInfo::Established(Dir::Reply));
    let mut error = vec![1, 4, 0, 0, 0, 0, 0, 0];
    error.extend(&there[14..]);
    assert_eq!(pass(&six(router, host, 58, &error)), CtInfo::Related(Dir::Reply));
    assert_eq!(pass(&six(router, server, 58, &error)), CtInfo::Invalid);
    assert_eq!(pass(&six(host, server, 58, &[128, 0, 0, 0, 0, 7, 0, 1])), CtInfo::New);
    assert_eq!(pass(&six(server, host, 58, &[129, 0, 0, 0, 0, 7, 0, 1])), CtInfo::Established(Dir::Reply));
    assert_eq!(pass(&six(server, host, 58, &[129, 0, 0, 0, 0, 8, 0, 1])), CtInfo::Invalid);
    for kind in [133, 134, 135, 136] {
        assert_eq!(pass(&six(host, server, 58, &[kind, 0, 0, 0, 0, 0, 0, 0])), CtInfo::Untracked);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever comes and goes, counts are true, and nothing is left once every flow's time is over.
    #[test]
    fn nothing_is_left_behind(steps in proptest::collection::vec((0u32..6, 0u16..6, 0u8..9, 0u64..40), 1..300)) {
        let mut lab = Lab::new(12);
        for (host, port, what, seconds) in steps {
            let (there, back) = (A + host, B);
            let tcp = |flags| Tcp { flags, seq: 100, ack: 100, window: 100, ..Tcp::default() };
            let frame = match what {
                0 => udp(there, back, port, 53),
                1 => udp(back, there, 53, port),
                2 => Frame::tcp(there, back, port, 80, &tcp(SYN)),
                3 => Frame::tcp(back, there, 80, port, &tcp(SYN_ACK)),
                4 => Frame::tcp(there, back, port, 80, &tcp(ACK)),
                5 => Frame::tcp(back, there, 80, port, &tcp(RST_ACK)),
                6 => Frame::tcp(there, back, port, 80, &tcp(ACK | 1)),
                7 => Frame::icmp(there, back, 8, 0, port, b"x"),
                _ => Frame::icmp(back, there, 0, 0, port, b"x"),
            };
            if let Ok(Tracked { flow: Some(id), .. }) = lab.track(&frame, CtAction::default())
                && (seconds % 3 == 0 || lab.table.confirm(id, lab.now).is_err())
            {
                lab.table.release(id);
            }
            lab.table.expire(lab.now, 3);
            lab.wait(seconds / 4);
            let counted: u32 = FlowKind::ALL.iter().map(|kind| lab.table.count(*kind)).sum();
            prop_assert_eq!(counted as usize, lab.table.iter().count());
            for kind in FlowKind::ALL {
                let listed = lab.table.iter().filter(|(_, flow)| flow.kind() == kind).count();
                prop_assert_eq!(lab.table.count(kind) as usize, listed);
            }
        }
        lab.wait(500_000);
        for _ in 0..100_000 {
            lab.table.expire(lab.now, 64);
        }
        prop_assert_eq!(lab.table.len(), 0);
    }
}
