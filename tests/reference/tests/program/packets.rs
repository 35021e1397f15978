//! Packets from a small world, so that rules meet them: few addresses and ports, those at the edges among them; fragments, options, and
//! headers cut short.

use packet::{Ipv4, Tuple, TupleL4, checksum, parse};
use program::WallTime;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use reference::{Around, Connection, ConnectionState, Facts, Tracking, WayBack};
use rules::Hook;
use rules::matches::pkttype::LinkDestination;

pub(crate) const INTERFACES: [&str; 4] = ["eth0", "eth1", "eth10", "wan"];
pub(crate) const ADDRESSES: [u32; 8] =
    [0, 0x0a00_0000, 0x0a00_0001, 0x0a00_0002, 0x0a00_0100, 0x0aff_00ff, 0xc0a8_0101, 0xffff_ffff];
pub(crate) const PORTS: [u16; 9] = [0, 1, 22, 79, 80, 81, 443, 65534, 65535];
pub(crate) const PROTOCOLS: [u8; 11] = [0, 1, 6, 17, 33, 47, 50, 51, 108, 132, 255];
pub(crate) const MARKS: [u32; 7] = [0, 1, 2, 0xff, 0x100, 0x8000_0000, u32::MAX];
pub(crate) const LABELS: [&str; 3] = ["", "system_u:object_r:web_t:s0", "b"];
pub(crate) const SOURCES: [[u8; 6]; 3] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 1, 1], [0; 6]];
/// Of the leap day of 2024, the days round it, the ends of years and of a month, and the last of them all.
pub(crate) const DATES: [u32; 8] =
    [86_400, 1_709_078_400, 1_709_164_805, 1_709_251_200, 1_735_603_200, 1_767_225_599, 1_777_507_200, i32::MAX as u32];
/// Seconds of a day.
pub(crate) const TIMES: [u32; 5] = [0, 1, 28_800, 64_800, 86_399];
pub(crate) const ICMP_TYPES: [u8; 6] = [0, 3, 8, 11, 13, 255];

/// One packet, and when and where it comes by.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// Index into the table's hooks.
    pub(crate) hook: usize,
    /// Milliseconds since the one before.
    pub(crate) later_by: u64,
    /// Of the random numbers that are drawn for it.
    pub(crate) seed: u32,
    /// What the clock on the wall shows.
    pub(crate) wall: WallTime,
    packet: Vec<u8>,
    frame_source: [u8; 6],
    around: Around,
    input: &'static str,
    output: &'static str,
    mark: u32,
    label: &'static str,
    tracking: Tracking<Ipv4>,
}

impl Arrival {
    /// As a table at this hook finds it.
    pub(crate) fn facts(&self, hook: Hook) -> Facts<Ipv4> {
        let header = parse::ip::<Ipv4>(&self.packet, 0, self.packet.len()).expect("the generator makes packets that are let in");
        let (has_input, has_output) = match hook {
            Hook::Prerouting | Hook::Input => (true, false),
            Hook::Forward => (true, true),
            Hook::Output | Hook::Postrouting => (false, true),
        };
        Facts {
            header,
            bytes: self.packet.clone(),
            frame_source: has_input.then_some(self.frame_source),
            around: self.around,
            input: if has_input { self.input.to_owned() } else { String::new() },
            output: if has_output { self.output.to_owned() } else { String::new() },
            mark: self.mark,
            label: self.label.to_owned(),
            tracking: self.tracking.clone(),
        }
    }
}

/// A source of random numbers that gives the same ones for the same seed.
pub(crate) fn random(seed: u32) -> impl FnMut() -> u32 {
    let mut state = u64::from(seed);
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    }
}

/// Groups of interfaces.
pub(crate) const GROUPS: [u32; 4] = [0, 2, 5, 0x8000_0005];

pub(crate) fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    vec(arrival(), 1..12)
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let when = (0usize..5, select(vec![0u64, 1, 30, 999, 1000, 60_000]), any::<u32>(), wall());
    let types = || prop::array::uniform3((0u32..9).prop_map(|kind| 1u16 << kind));
    let back = select(vec![WayBack::Same, WayBack::Other, WayBack::Local, WayBack::None]);
    use LinkDestination::{Broadcast, Multicast, OtherHost, Unicast};
    let groups = prop::array::uniform2(select(&GROUPS[..]));
    let around = (types(), types(), back, select(vec![Unicast, Broadcast, Multicast, OtherHost]), groups)
        .prop_map(|(src_type, dst_type, way_back, frame_to, groups)| Around { src_type, dst_type, way_back, frame_to, groups });
    let ways = (around, select(&INTERFACES[..]), select(&INTERFACES[..]), select(&SOURCES[..]));
    (when, ways, packet(), select(&MARKS[..]), select(&LABELS[..]), tracking()).prop_map(
        |((hook, later_by, seed, wall), (around, input, output, frame_source), packet, mark, label, tracking)| Arrival {
            hook,
            later_by,
            seed,
            wall,
            packet,
            frame_source,
            around,
            input,
            output,
            mark,
            label,
            tracking,
        },
    )
}

/// Dates, seconds of the day, and the second beside each; zones that move them over midnight.
fn wall() -> impl Strategy<Value = WallTime> {
    let seconds = (select(&DATES[..]), select(&TIMES[..]), -1i64..=1).prop_map(|(date, time, beside)| {
        let date = i64::from(date);
        (date - date % 86_400 + i64::from(time) + beside).max(0)
    });
    (seconds, select(vec![0, 0, -120, 480])).prop_map(|(seconds, minutes_west)| WallTime { seconds, minutes_west })
}

/// An IP packet, right as far as the checks at input go.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let address = || select(&ADDRESSES[..]);
    let fragment = prop_oneof![
        8 => Just(0u16),
        1 => Just(0x2000), // the first one
        1 => Just(0x2001), // at offset 8
        1 => Just(0x0002), // the last one
        1 => Just(0x4000), // don't fragment
    ];
    let front = (address(), address(), select(&PROTOCOLS[..]), fragment, any::<u8>(), any::<u8>(), select(vec![0usize, 4, 40]));
    let cut = prop_oneof![8 => Just(usize::MAX), 2 => 0usize..28];
    (front, transport(), cut).prop_map(|((src, dst, protocol, fragment, tos, ttl, options), transport, cut)| {
        let mut bytes = vec![0u8; 20];
        // Padding is an option of one byte.
        bytes.extend(vec![1; options]);
        let header_len = bytes.len();
        let payload = transport.bytes(protocol);
        bytes.extend(&payload[..payload.len().min(cut)]);
        let len = bytes.len() as u16;
        bytes[0] = 0x40 | (header_len / 4) as u8;
        bytes[1] = tos;
        bytes[2..4].copy_from_slice(&len.to_be_bytes());
        bytes[6..8].copy_from_slice(&fragment.to_be_bytes());
        bytes[8] = ttl;
        bytes[9] = protocol;
        bytes[12..16].copy_from_slice(&src.to_be_bytes());
        bytes[16..20].copy_from_slice(&dst.to_be_bytes());
        let check = checksum::ipv4_header(&bytes[..header_len]);
        bytes[10..12].copy_from_slice(&check.to_be_bytes());
        bytes
    })
}

/// What any transport header is made of; each protocol takes what it has.
#[derive(Clone, Debug)]
struct Transport {
    sport: u16,
    dport: u16,
    flags: u8,
    data_offset: u8,
    options: Vec<u8>,
    kind: u8,
    code: u8,
}

fn transport() -> impl Strategy<Value = Transport> {
    let flags = prop_oneof![select(vec![0u8, 0x02, 0x10, 0x12, 0x04, 0x11, 0x3f]), any::<u8>()];
    let option = prop_oneof![
        Just(vec![]),
        Just(vec![2, 4, 5, 180]),
        Just(vec![1, 1, 4, 2]),
        Just(vec![0, 0, 4, 2]),
        vec(select(vec![0u8, 1, 2, 3, 4, 5, 8, 255]), 0..12),
    ];
    let offset = prop_oneof![6 => Just(None), 1 => (0u8..16).prop_map(Some)];
    (select(&PORTS[..]), select(&PORTS[..]), flags, option, offset, select(&ICMP_TYPES[..]), select(vec![0u8, 1, 4, 255])).prop_map(
        |(sport, dport, flags, mut options, offset, kind, code)| {
            options.resize(options.len().next_multiple_of(4), 0);
            let data_offset = offset.unwrap_or(5 + (options.len() / 4) as u8);
            Transport { sport, dport, flags, data_offset, options, kind, code }
        },
    )
}

impl Transport {
    fn bytes(&self, protocol: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        if protocol == 1 {
            bytes.extend([self.kind, self.code, 0, 0, 0, 7, 0, 9]);
            bytes.extend([0; 8]);
            return bytes;
        }
        bytes.extend(self.sport.to_be_bytes());
        bytes.extend(self.dport.to_be_bytes());
        bytes.extend([0; 8]);
        if protocol == 6 {
            bytes.extend([self.data_offset << 4, self.flags, 0, 0, 0, 0, 0, 0]);
            bytes.extend(&self.options);
        }
        if protocol == 33 {
            (bytes[4], bytes[8]) = (self.data_offset, self.flags);
            bytes.extend(&self.options);
        }
        if protocol == 132 {
            for at in [0, self.options.len() / 2] {
                let data = &self.options[at..];
                bytes.extend([self.kind % 16, self.flags & self.code, 0, data.len() as u8 + self.data_offset % 5]);
                bytes.extend(data);
            }
        }
        bytes
    }
}

fn tracking() -> impl Strategy<Value = Tracking<Ipv4>> {
    prop_oneof![
        3 => Just(Tracking::Invalid),
        1 => Just(Tracking::Untracked),
        6 => connection().prop_map(Tracking::Known),
    ]
}

fn connection() -> impl Strategy<Value = Connection<Ipv4>> {
    let state = select(vec![ConnectionState::New, ConnectionState::Established, ConnectionState::Related]);
    let facts = (state, any::<[bool; 7]>(), select(&MARKS[..]), select(&LABELS[..]), select(vec![0u32, 1, 30, 432_000]));
    let helper = select(vec!["", "ftp", "tftp"]);
    let carried = select(vec![(0, 0), (1, 40), (1, 41), (2, 80), (3, 300), (u64::MAX, u64::MAX)]);
    let carried = [carried.clone(), carried];
    (facts, tuple(), tuple(), helper, carried).prop_map(
        |((state, flags, mark, label, seconds_left), there, back, helper, carried)| {
            let [original, snat, dnat, expected, seen_reply, assured, confirmed] = flags;
            let label = label.to_owned();
            let announced_by = helper.to_owned();
            Connection {
                state,
                original,
                there,
                back,
                mark,
                carried,
                labels: u128::from(mark & 3),
                label,
                snat,
                dnat,
                expected,
                announced_by,
                seen_reply,
                assured,
                confirmed,
                seconds_left,
            }
        },
    )
}

fn tuple() -> impl Strategy<Value = Tuple<Ipv4>> {
    let ports = (select(&PORTS[..]), select(&PORTS[..])).prop_map(|(src, dst)| (6, TupleL4::Ports { src, dst }));
    let icmp = (select(&ICMP_TYPES[..]), select(&PORTS[..])).prop_map(|(kind, id)| (1, TupleL4::Icmp { kind, code: 0, id }));
    let l4 = prop_oneof![ports, icmp, Just((47, TupleL4::Other))];
    (select(&ADDRESSES[..]), select(&ADDRESSES[..]), l4).prop_map(|(src, dst, (protocol, l4))| Tuple { src, dst, protocol, l4 })
}
