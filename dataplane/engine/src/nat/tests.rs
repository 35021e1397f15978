//! NAT as the walk drives it: hooks in order, on packets of bytes. What Linux 6.18 does was looked up there.

use packet::{Ipv4, Tuple};
use program::{CtAction, TimeoutId};
use proptest::prelude::*;

use super::{NatCtx, NatError, Range, Side, is_decided, null_binding, setup, translate, translate_icmp_error};
use crate::conntrack::frames::{Frame, Tcp};
use crate::conntrack::{CtInfo, Dir, FlowConfig, FlowId, FlowTable, Packet, Settings, Status};
use crate::host::FamilyHost;
use crate::rng::Rng;
use crate::time::Time;

const A: u32 = 0x0a01_0002;
const B: u32 = 0x0a02_0002;
const POOL: u32 = 0x0a02_0064;
const ROUTER: u32 = 0x0a02_0009;

/// A box whose nat table has one rule in each of PREROUTING and POSTROUTING, or none.
struct Lab {
    table: FlowTable<Ipv4>,
    rng: Rng,
    now: Time,
    host: FamilyHost<Ipv4>,
    dnat: Option<Range<Ipv4>>,
    snat: Option<Range<Ipv4>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Dropped {
    Nat(NatError),
    Clash,
    Untranslatable,
}

impl Lab {
    fn new(dnat: Option<Range<Ipv4>>, snat: Option<Range<Ipv4>>) -> Self {
        let table = FlowTable::new(FlowConfig { capacity: 4096, extras: 4, hash_key: [5, 6] });
        Self { table, rng: Rng::new(42), now: Time(1_000_000_000), host: FamilyHost::default(), dnat, snat }
    }

    /// The frame as it leaves, and its flow.
    fn walk(&mut self, frame: &Frame) -> Result<(Frame, Option<FlowId>), Dropped> {
        let mut frame = frame.clone();
        let mut header = frame.header();
        let packet = Packet {
            header: &header,
            head: &frame.bytes,
            checksum_ok: true,
            zone: CtAction::default(),
            timeouts: TimeoutId::NONE,
            said: Default::default(),
            now: self.now,
        };
        let tracked = self.table.track(&packet, &Settings::default()).expect("there is room");
        let Some(id) = tracked.flow else { return Ok((frame, None)) };
        for (side, rule) in [(Side::Dst, self.dnat), (Side::Src, self.snat)] {
            if let CtInfo::Related(dir) = tracked.info {
                let flow = self.table.get(id).expect("tracked");
                translate_icmp_error(flow, dir, side, &mut frame.bytes, &mut header).map_err(|_| Dropped::Untranslatable)?;
                continue;
            }
            let undecided = !is_decided(self.table.get(id).expect("tracked"), side);
            if tracked.info == CtInfo::New && undecided {
                let ctx = &mut NatCtx { rng: &mut self.rng, now: self.now, host: &self.host };
                let done = match rule {
                    Some(range) => setup(&mut self.table, id, side, &range, ctx),
                    None => null_binding(&mut self.table, id, side, ctx),
                };
                if let Err(error) = done {
                    self.table.release(id);
                    return Err(Dropped::Nat(error));
                }
            }
            let flow = self.table.get(id).expect("tracked");
            translate(flow, tracked.dir, side, &mut frame.bytes, &mut header).map_err(|_| Dropped::Untranslatable)?;
        }
        if tracked.dir == Dir::Original && !matches!(tracked.info, CtInfo::Related(_)) && self.table.confirm(id, self.now).is_err()
        {
            self.table.release(id);
            return Err(Dropped::Clash);
        }
        self.table.expire(self.now, 8);
        assert_eq!(header, frame.header(), "the parsed header stays true");
        Ok((frame, Some(id)))
    }

    fn source(&mut self, frame: &Frame) -> Result<(u32, u16), Dropped> {
        self.walk(frame).map(|(out, _)| (out.header().src, out.header().ports().expect("has ports").0))
    }

    fn destination(&mut self, frame: &Frame) -> Result<(u32, u16), Dropped> {
        self.walk(frame).map(|(out, _)| (out.header().dst, out.header().ports().expect("has ports").1))
    }
}

fn to(first: u32, last: u32) -> Range<Ipv4> {
    Range { addresses: Some((first, last)), ..Range::keep(first) }
}

fn ports(range: Range<Ipv4>, first: u16, last: u16) -> Range<Ipv4> {
    Range { ports: Some((first, last)), ..range }
}

fn udp(src: u32, dst: u32, sport: u16, dport: u16) -> Frame {
    Frame::udp(src, dst, sport, dport, b"x")
}

const EXHAUSTED: Result<(u32, u16), Dropped> = Err(Dropped::Nat(NatError::Exhausted));

#[test]
fn the_source_port_is_kept_while_free_and_else_drawn_from_its_class() {
    let mut lab = Lab::new(None, Some(to(POOL, POOL)));
    for (port, class) in [(300, 1..=511), (800, 600..=1023), (5000, 1024..=u16::MAX)] {
        assert_eq!(lab.source(&udp(A, B, port, 53)), Ok((POOL, port)));
        for host in 1..20 {
            let (address, chosen) = lab.source(&udp(A + host, B, port, 53)).unwrap();
            assert_eq!(address, POOL);
            assert!(chosen != port && class.contains(&chosen), "{port} became {chosen}");
        }
    }
}

#[test]
fn the_same_inside_port_keeps_its_translation_towards_others() {
    let mut lab = Lab::new(None, Some(to(POOL, POOL)));
    lab.source(&udp(A, B, 5000, 53)).unwrap();
    let other = lab.source(&udp(A + 1, B, 5000, 53)).unwrap();
    for dst in 1..20 {
        assert_eq!(lab.source(&udp(A + 1, B + dst, 5000, 53)), Ok(other));
    }
}

#[test]
fn a_range_of_ports_is_used_to_the_last_and_then_refused() {
    let mut lab = Lab::new(None, Some(ports(to(POOL, POOL), 6000, 6003)));
    let mut taken: Vec<u16> = (0..4).map(|host| lab.source(&udp(A + host, B, 4000, 53)).unwrap().1).collect();
    taken.sort_unstable();
    assert_eq!(taken, [6000, 6001, 6002, 6003]);
    assert_eq!(lab.source(&udp(A + 4, B, 4000, 53)), EXHAUSTED);
    assert_eq!(lab.source(&udp(A + 5, B, 6001, 53)), EXHAUSTED);
    assert_eq!(lab.table.len(), 4);
    assert!((6000..=6003).contains(&lab.source(&udp(A + 4, B + 1, 4000, 53)).unwrap().1), "another destination has room");
}

#[test]
fn a_port_inside_the_range_is_kept() {
    let mut lab = Lab::new(None, Some(ports(to(POOL, POOL), 6000, 6003)));
    assert_eq!(lab.source(&udp(A, B, 6001, 53)), Ok((POOL, 6001)));
}

#[test]
fn an_icmp_identifier_is_kept_while_free_and_else_drawn() {
    let mut lab = Lab::new(None, Some(to(POOL, POOL)));
    let id = |out: &Frame| match out.header().transport {
        packet::L4::Icmp { id, .. } => id,
        other => panic!("{other:?}"),
    };
    let (first, _) = lab.walk(&Frame::icmp(A, B, 8, 0, 77, b"ping")).unwrap();
    let (second, _) = lab.walk(&Frame::icmp(A + 1, B, 8, 0, 77, b"ping")).unwrap();
    assert_eq!(id(&first), 77);
    assert_ne!(id(&second), 77);
    assert!(first.is_sound() && second.is_sound());
    let (back, _) = lab.walk(&Frame::icmp(B, POOL, 0, 0, id(&second), b"ping")).unwrap();
    assert_eq!((back.header().dst, id(&back)), (A + 1, 77));
    assert!(back.is_sound());
}

#[test]
fn destination_ports_are_kept_within_the_range_and_else_begin_at_its_first() {
    let mut lab = Lab::new(Some(ports(to(ROUTER, ROUTER), 8000, 8010)), None);
    assert_eq!(lab.destination(&udp(A, B, 4000, 53)), Ok((ROUTER, 8000)));
    assert_eq!(lab.destination(&udp(A, B, 4001, 53)), Ok((ROUTER, 8000)));
    assert_eq!(lab.destination(&udp(A, B, 4002, 8005)), Ok((ROUTER, 8005)));
}

#[test]
fn a_base_port_shifts_destination_ports() {
    let base = Range { base_port: Some(53), ..ports(to(ROUTER, ROUTER), 8000, 8010) };
    let mut lab = Lab::new(Some(base), None);
    let seen: Vec<u16> = (0..6).map(|i| lab.destination(&udp(A, B, 4000 + i, 53 + 3 * i)).unwrap().1).collect();
    assert_eq!(seen, [8000, 8003, 8006, 8009, 8001, 8004]);
}

#[test]
fn random_ports_are_drawn_even_when_the_old_one_is_free() {
    let mut lab = Lab::new(None, Some(Range { random: true, ..to(POOL, POOL) }));
    let kept = (0..50).filter(|i| lab.source(&udp(A, B, 4000 + i, 53)).unwrap().1 == 4000 + i).count();
    assert!(kept < 3);
    let mut lab = Lab::new(Some(Range { random: true, ..ports(to(ROUTER, ROUTER), 8000, 8999) }), None);
    let seen: std::collections::BTreeSet<u16> = (0..50).map(|i| lab.destination(&udp(A, B, 4000 + i, 53)).unwrap().1).collect();
    assert!(seen.len() > 30);
}

#[test]
fn a_null_binding_changes_only_a_source_port_that_would_clash() {
    let mut lab = Lab::new(None, None);
    let (out, id) = lab.walk(&udp(A, B, 4000, 53)).unwrap();
    assert_eq!(out, udp(A, B, 4000, 53));
    let status = lab.table.get(id.unwrap()).unwrap().status();
    assert!(status.has(Status::SRC_NAT_DONE.with(Status::DST_NAT_DONE)));
    assert!(!status.has_any(Status::SRC_NAT.with(Status::DST_NAT)));
    // Another destination is mapped onto the same one: the replies would be the same.
    lab.dnat = Some(to(B, B));
    let (out, id) = lab.walk(&udp(A, B + 1, 4000, 53)).unwrap();
    let (sport, _) = out.header().ports().unwrap();
    assert_eq!((out.header().src, out.header().dst), (A, B));
    assert_ne!(sport, 4000);
    assert!(lab.table.get(id.unwrap()).unwrap().status().has(Status::SRC_NAT.with(Status::DST_NAT)));
    let (back, _) = lab.walk(&udp(B, A, 53, sport)).unwrap();
    assert_eq!(back, udp(B + 1, A, 53, 4000));
}

#[test]
fn a_finished_connection_makes_room_for_one_that_is_ahead_of_it() {
    const SYN: u8 = 2;
    const ACK: u8 = 16;
    const FIN: u8 = 1;
    let mut lab = Lab::new(None, Some(ports(to(POOL, POOL), 7000, 7000)));
    let segment = |flags, seq, ack| Tcp { flags, seq, ack, window: 8000, ..Tcp::default() };
    let open = |host, seq| Frame::tcp(A + host, B, 4000, 80, &segment(SYN, seq, 0));
    assert_eq!(lab.source(&open(0, 1000)), Ok((POOL, 7000)));
    assert_eq!(lab.source(&open(1, 5000)), EXHAUSTED, "the connection is alive");
    for (there, flags, seq, ack) in [
        (false, SYN | ACK, 1, 1001),
        (true, ACK, 1001, 2),
        (true, FIN | ACK, 1001, 2),
        (false, FIN | ACK, 2, 1002),
        (true, ACK, 1002, 3),
    ] {
        let segment = segment(flags, seq, ack);
        let frame = if there { Frame::tcp(A, B, 4000, 80, &segment) } else { Frame::tcp(B, POOL, 80, 7000, &segment) };
        lab.walk(&frame).unwrap();
    }
    assert_eq!(lab.source(&open(1, 500)), EXHAUSTED, "numbers below those of the finished connection");
    assert_eq!(lab.source(&open(2, 5000)), Ok((POOL, 7000)));
    assert_eq!(lab.table.iter().count(), 1);
}

#[test]
fn an_error_about_a_translated_flow_names_the_addresses_of_its_side() {
    // SNAT: an outside router complains about the translated packet.
    let mut lab = Lab::new(None, Some(ports(to(POOL, POOL), 7000, 7000)));
    let inside = udp(A, B, 4000, 53);
    let (outside, _) = lab.walk(&inside).unwrap();
    let (error, _) = lab.walk(&outside.error(ROUTER, POOL, 3, 28)).unwrap();
    assert_eq!((error.header().src, error.header().dst), (ROUTER, A));
    assert!(error.is_sound());
    let quoted = packet::icmp::inner(&error.bytes, &error.header()).unwrap();
    assert_eq!((quoted.src, quoted.dst, quoted.ports()), (A, B, Some((4000, 53))));
    assert_eq!(error.bytes[42..70], inside.bytes[14..42], "the quote is what the inside sent, its checksums too");

    // DNAT: the inside server complains; its own address must not be seen.
    let mut lab = Lab::new(Some(ports(to(ROUTER, ROUTER), 8080, 8080)), None);
    let sent = Frame::tcp(A, B, 4000, 80, &Tcp { flags: 2, window: 8000, ..Tcp::default() });
    let (arrived, _) = lab.walk(&sent).unwrap();
    let (error, _) = lab.walk(&arrived.error(ROUTER, A, 3, 28)).unwrap();
    assert_eq!((error.header().src, error.header().dst), (B, A));
    assert_eq!(error.bytes[42..70], sent.bytes[14..42]);
    assert!(error.is_sound());
}

#[test]
fn an_error_that_cannot_be_translated_is_dropped() {
    let mut lab = Lab::new(None, Some(ports(to(POOL, POOL), 7000, 7000)));
    let (outside, _) = lab.walk(&udp(A, B, 4000, 53)).unwrap();
    assert_eq!(lab.walk(&outside.error(ROUTER, POOL, 3, 24)), Err(Dropped::Untranslatable), "ports alone are too little");
    assert_eq!(lab.walk(&outside.error(ROUTER, POOL, 5, 28)), Err(Dropped::Untranslatable), "redirects");
    for (protocol, short) in [(47, Err(Dropped::Untranslatable)), (50, Ok(()))] {
        let (outside, _) = lab.walk(&Frame::new(A, B, protocol, &[0; 8])).unwrap();
        assert_eq!(lab.walk(&outside.error(ROUTER, POOL, 3, 24)).map(drop), short, "protocol {protocol}");
        assert!(lab.walk(&outside.error(ROUTER, POOL, 3, 28)).is_ok(), "protocol {protocol}");
    }
    let mut plain = Lab::new(None, None);
    let (out, _) = plain.walk(&udp(A, B, 4000, 53)).unwrap();
    assert!(plain.walk(&out.error(ROUTER, A, 5, 28)).is_ok(), "nothing is translated, so the redirect is true");
}

#[test]
fn udp_without_a_checksum_stays_without_one() {
    let mut lab = Lab::new(None, Some(to(POOL, POOL)));
    let mut frame = udp(A, B, 4000, 53);
    frame.bytes[40..42].fill(0);
    let (out, _) = lab.walk(&frame).unwrap();
    assert_eq!(out.header().src, POOL);
    assert_eq!(out.bytes[40..42], [0, 0]);
    assert!(out.is_sound());
}

#[derive(Clone, Debug)]
struct Plan {
    dnat: Option<Range<Ipv4>>,
    snat: Option<Range<Ipv4>>,
}

fn range(first: u32) -> impl Strategy<Value = Option<Range<Ipv4>>> {
    let ports = prop_oneof![Just(None), (1000u16..1010, 0u16..6).prop_map(|(first, n)| Some((first, first + n)))];
    let range = (0u32..3, ports, any::<(bool, bool)>()).prop_map(move |(last, ports, (random, persistent))| Range {
        addresses: Some((first, first + last)),
        ports,
        base_port: None,
        random,
        random_fully: false,
        persistent,
        full_cone: false,
    });
    proptest::option::of(range)
}

fn frames() -> impl Strategy<Value = Frame> {
    (0u32..3, 0u32..3, prop_oneof![1000u16..1004, 300u16..302], 0u8..4).prop_map(|(src, dst, port, what)| {
        let (src, dst) = (A + src, B + dst);
        match what {
            0 => udp(src, dst, port, 53),
            1 => Frame::icmp(src, dst, 8, 0, port, b"ping"),
            2 => Frame::tcp(src, dst, port, 80, &Tcp { flags: 2, seq: 7, window: 100, data: 3, ..Tcp::default() }),
            _ => udp(src, dst, port, port),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever the rules, no two flows share a tuple in any direction.
    #[test]
    fn tuples_are_unique(
        plans in proptest::collection::vec((range(ROUTER), range(POOL)).prop_map(|(dnat, snat)| Plan { dnat, snat }), 1..4),
        sent in proptest::collection::vec((frames(), any::<prop::sample::Index>()), 1..120),
    ) {
        let mut lab = Lab::new(None, None);
        for (frame, plan) in sent {
            let plan = plan.get(&plans);
            (lab.dnat, lab.snat) = (plan.dnat, plan.snat);
            match lab.walk(&frame) {
                Ok((out, _)) => prop_assert!(out.is_sound()),
                Err(Dropped::Untranslatable) => prop_assert!(false, "every packet can be translated"),
                Err(_) => {}
            }
        }
        let mut seen = std::collections::HashSet::new();
        for (_, flow) in lab.table.iter() {
            for dir in [Dir::Original, Dir::Reply] {
                prop_assert!(seen.insert(flow.tuple(dir)), "{:?}", flow.tuple(dir));
            }
        }
        prop_assert_eq!(lab.table.len(), lab.table.iter().count(), "nothing is left of the dropped");
    }

    /// The answer to what went out comes back as the answer to what came in, and every checksum is right on the way; so does an error.
    #[test]
    fn translations_are_undone_for_answers(dnat in range(ROUTER), snat in range(POOL), frame in frames()) {
        let mut lab = Lab::new(dnat, snat);
        let (out, id) = lab.walk(&frame).expect("the table is empty");
        prop_assert!(out.is_sound());
        let id = id.expect("begins a flow");
        let (came, left) = (frame.header(), out.header());
        let flow = *lab.table.get(id).expect("confirmed");
        prop_assert_eq!(Tuple::of(&came), Some(flow.tuple(Dir::Original)));
        prop_assert_eq!(Tuple::of(&left).and_then(|tuple| tuple.invert()), Some(flow.tuple(Dir::Reply)));

        let error = out.error(left.dst, left.src, 3, 48);
        let (error, _) = lab.walk(&error).expect("the flow is known");
        prop_assert!(error.is_sound());
        prop_assert_eq!(error.header().dst, came.src);
        let len = frame.bytes.len().min(14 + 48) - 14;
        prop_assert_eq!(&error.bytes[42..42 + len], &frame.bytes[14..14 + len]);

        let (sport, dport) = left.ports().unwrap_or_default();
        let answer = match left.transport {
            packet::L4::Icmp { id, .. } => Frame::icmp(left.dst, left.src, 0, 0, id, b"ping"),
            packet::L4::Tcp { .. } => {
                let segment = Tcp { flags: 0x12, seq: 9, ack: 11, window: 100, ..Tcp::default() };
                Frame::tcp(left.dst, left.src, dport, sport, &segment)
            }
            _ => udp(left.dst, left.src, dport, sport),
        };
        let (answer, same) = lab.walk(&answer).expect("the flow is known");
        prop_assert_eq!(same, Some(id));
        prop_assert!(answer.is_sound());
        prop_assert_eq!(Tuple::of(&answer.header()), Tuple::of(&came).and_then(|tuple| tuple.invert()));
    }
}

/// As `conntrack -S` counted them of the kernel.
#[test]
fn what_was_found_taken_is_counted_as_the_kernel_counts_it() {
    let found = |dst, src, frames: [Frame; 2]| {
        let mut lab = Lab::new(dst, src);
        let [first, second] = frames.map(|frame| lab.walk(&frame).map(drop));
        (first.is_ok(), second.is_ok(), lab.table.tally().found)
    };
    let only = || Some(ports(to(POOL, POOL), 4000, 4000));
    assert_eq!(
        found(None, only(), [5000, 5001].map(|port| udp(A, B, port, 53))),
        (true, false, 1),
        "the range has one port to try"
    );
    assert_eq!(
        found(None, only(), [A, A + 1].map(|host| udp(host, B, 4000, 53))),
        (true, false, 0),
        "nobody asks for the only one"
    );
    // Two destinations become one. Once for the destination; for the source, of which no rule speaks, as it is, and again before the search.
    let both = [B, B + 1].map(|dst| udp(A, dst, 5000, 53));
    assert_eq!(found(Some(to(POOL, POOL)), None, both), (true, true, 3));
    // A beginning TCP connection that has few ports to try looks for a finished one to displace, and that is not counted.
    let both = [B, B + 1].map(|dst| Frame::tcp(A, dst, 5000, 80, &Tcp { flags: 2, seq: 100, window: 8000, ..Tcp::default() }));
    assert_eq!(found(Some(ports(to(POOL, POOL), 8080, 8080)), None, both), (true, true, 2));
}
