//! The short way of an acknowledgement beside the machine.

use packet::{Ipv4, Tuple};
use program::TimeoutId;
use proptest::prelude::*;

use super::super::frames::{self, Frame};
use super::*;
use crate::conntrack::Said;

const SACK_20_TO_30: [u8; 12] = [1, 1, 5, 10, 0, 0, 0, 20, 0, 0, 0, 30];
const TIMESTAMPS: [u8; 12] = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8];

fn side() -> impl Strategy<Value = window::Side> {
    let numbers = (0u32..40, 0u32..40, prop::sample::select(vec![0u32, 1, 20, 1000]), 0u32..40);
    (numbers, 0u8..3, 0u8..64).prop_map(|((end, max_end, max_window, max_ack), scale, flags)| {
        let mut side = window::Side { end, max_end, max_window, max_ack, scale, ..window::Side::default() };
        let all = [SideFlags::SCALING, SideFlags::SACK, SideFlags::LIBERAL, SideFlags::MAX_ACK_KNOWN, SideFlags::UNACKNOWLEDGED];
        all.into_iter().enumerate().for_each(|(i, flag)| side.flags.set(flag, flags >> i & 1 != 0));
        side
    })
}

fn connection() -> impl Strategy<Value = (Tcp, Status)> {
    let states = prop_oneof![3 => Just(TcpState::Established), 1 => prop::sample::select(TcpState::ALL.to_vec())];
    let statuses = prop_oneof![
        4 => Just(Status::CONFIRMED.with(Status::SEEN_REPLY).with(Status::ASSURED)),
        1 => Just(Status::CONFIRMED.with(Status::SEEN_REPLY)),
        1 => Just(Status::CONFIRMED),
    ];
    let last = (0u32..40, 0u32..40, 0u32..40, 0u16..2, prop::sample::select(Kind::ALL.to_vec()), any::<bool>());
    (states, side(), side(), last, 0u8..5, statuses).prop_map(
        |(state, a, b, (seq, ack, end, window, kind, reply), retransmits, status)| {
            let mut last = Last::default();
            (last.seq, last.ack, last.end, last.window) = (seq, ack, end, window);
            last.set(kind, if reply { Dir::Reply } else { Dir::Original });
            (Tcp { state, sides: [a, b], last, retransmits }, status)
        },
    )
}

fn segment() -> impl Strategy<Value = frames::Tcp<'static>> {
    let flags = prop_oneof![4 => Just(flags::ACK), 1 => prop::sample::select(vec![0x18u8, 0x11, 0x12, 0x02, 0x14, 0x04, 0x30])];
    let options = prop::sample::select(vec![&[][..], &SACK_20_TO_30, &TIMESTAMPS]);
    let data = prop::sample::select(vec![0usize, 10]);
    (flags, 0u32..40, 0u32..40, prop::sample::select(vec![0u16, 1, 20, 1000]), options, data)
        .prop_map(|(flags, seq, ack, window, options, data)| frames::Tcp { flags, seq, ack, window, options, data })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    /// What is taken in the short way is taken in as by the machine, to the last bit.
    #[test]
    fn what_goes_on_goes_on_by_the_machine((tcp, status) in connection(), segment in segment(), reply: bool, liberal: bool) {
        let frame = Frame::tcp(1, 2, 3, 4, &segment);
        let header = frame.header();
        let settings = Settings { tcp_be_liberal: liberal, ..Settings::default() };
        let now = Time(1_000_000_000_000);
        let p = Packet {
            header: &header,
            head: &frame.bytes,
            checksum_ok: true,
            zone: Default::default(),
            timeouts: TimeoutId::NONE,
            said: Said::Nothing,
            now,
        };
        let tuple = Tuple::<Ipv4>::of(&header).expect("has ports");
        let mut flow = Flow::new(&tuple, p.zone, p.timeouts, Protocol::Tcp(tcp), now).expect("has an answer");
        flow.status.set(status);
        let mut other = flow;
        let dir = if reply { Dir::Reply } else { Dir::Original };
        let may = flow.status.has(GOES_ON);
        match may.then(|| go_on(&mut flow, dir, &header, header.l4_len(), &frame.bytes, &settings)).flatten() {
            Some(seconds) => {
                let segment = read(&p, 0, &settings).expect("an unsound header does not go on");
                prop_assert_eq!(by_the_machine(&mut other, dir, now, &segment, false, &settings), Outcome::Refresh(seconds));
                prop_assert_eq!(format!("{flow:?}"), format!("{other:?}"));
            }
            None => prop_assert_eq!(format!("{flow:?}"), format!("{other:?}"), "nothing changed"),
        }
    }
}

/// Data and its acknowledgement in a connection as any: the property above is not about nothing.
#[test]
fn ordinary_segments_go_on() {
    let side = |end| window::Side { end, max_end: end + 1000, max_window: 1000, ..window::Side::default() };
    let tcp = Tcp { state: TcpState::Established, sides: [side(100), side(500)], ..Tcp::default() };
    let frame = Frame::tcp(1, 2, 3, 4, &frames::Tcp { flags: flags::ACK, seq: 100, ack: 500, window: 900, options: &[], data: 10 });
    let header = frame.header();
    let tuple = Tuple::<Ipv4>::of(&header).expect("has ports");
    let mut flow = Flow::new(&tuple, Default::default(), TimeoutId::NONE, Protocol::Tcp(tcp), Time(0)).expect("has an answer");
    let settings = Settings::default();
    flow.status.set(GOES_ON);
    let unsound = Header { transport: no_offset(header.transport), ..header };
    assert_eq!(
        go_on(&mut flow, Dir::Original, &unsound, unsound.l4_len(), &frame.bytes, &settings),
        None,
        "the data offset is wrong"
    );
    let seconds = go_on(&mut flow, Dir::Original, &header, header.l4_len(), &frame.bytes, &settings);
    assert_eq!(seconds, Some(settings.timeouts_of(&flow).tcp_unacknowledged));
}

fn no_offset(transport: L4) -> L4 {
    let L4::Tcp { sport, dport, seq, ack, flags, window, .. } = transport else { return transport };
    L4::Tcp { sport, dport, seq, ack, flags, window, header_len: 16 }
}
