//! IPv6 on several workers: both directions of a flow, its errors and its fragments meet, and translations are one worker's to keep.

use std::net::Ipv6Addr;

use engine::WorkerConfig;
use engine::drop::DropReason;
use engine::rng::Rng;
use engine::sim::{Crew, Event, Room, Shape, Sim};
use etherparse::{Icmpv6Type, PacketBuilder, icmpv6};
use packet::{Header, Ipv6, L4, parse};
use program::InterfaceId;
use proptest::prelude::*;

use crate::families::{ip6, tables};
use crate::ipv6::{CLIENT, SERVER, config, parts, snapshot_of};
use crate::ipv6_fragments::{self, UDP, pieces};
use crate::lab::{ETH0, ETH1, mac};

const STATEFUL: &str = "*filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n\
    -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A FORWARD -i eth0 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n";
const MASQUERADE: &str = "*nat\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n";
const FORWARDED: &str = "*nat\n-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination [2001:db8:1::2]:8080\nCOMMIT\n";
/// The box's address beside the servers.
const OUTER: &str = "2001:db8:1::1";

fn flow_config() -> WorkerConfig {
    WorkerConfig { flows: 1024, datagrams: 16, ..config() }
}

struct Lab6 {
    crew: Crew,
    rng: Rng,
}

/// Source, destination, protocol and TCP flags, as far as they have them.
type Seen = (InterfaceId, (String, u16), (String, u16), u8);

impl Lab6 {
    fn new(rules: &str, workers: u16) -> Self {
        Self::with(rules, workers, 1, Room::default())
    }

    fn with(rules: &str, workers: u16, seed: u64, room: Room) -> Self {
        let snapshot = snapshot_of(parts(), tables::<Ipv6>(rules::Family::Ipv6, rules));
        let crew = Crew::new(snapshot, &WorkerConfig { seed, ..flow_config() }, workers, room);
        Self { crew, rng: Rng::new(seed) }
    }

    /// A frame comes to a worker's queue, and nobody does anything else yet.
    fn arrive(&mut self, worker: usize, port: InterfaceId, mut frame: Vec<u8>) {
        frame[..6].copy_from_slice(&mac(port));
        self.crew.wire(worker, port, &[frame], &Shape::default());
    }

    fn settle(&mut self) -> Vec<Event> {
        self.crew.settle(&mut self.rng);
        self.crew.events()
    }

    fn wire(&mut self, worker: usize, port: InterfaceId, frame: Vec<u8>) -> Vec<Seen> {
        self.arrive(worker, port, frame);
        self.settle().iter().map(seen).collect()
    }

    fn flows(&self) -> Vec<usize> {
        self.crew.workers.iter().map(|worker| worker.flows_ipv6().expect("it has IPv6").len()).collect()
    }

    fn claimed(&self) -> usize {
        self.crew.workers.iter().map(|worker| worker.flows_ipv6().expect("it has IPv6").claimed()).sum()
    }

    fn drops(&self) -> Vec<(&'static str, u64)> {
        let counted = DropReason::ALL.iter().map(|reason| (reason.name(), self.crew.drops(*reason)));
        counted.filter(|(_, n)| *n > 0).collect()
    }
}

fn header(frame: &[u8]) -> Header<Ipv6> {
    parse::ip(frame, 14, frame.len() - 14).expect("a right packet")
}

fn seen(event: &Event) -> Seen {
    let Event::Transmit { port, frame } = event else { panic!("nothing else happens: {event:?}") };
    let header = header(frame);
    let (sport, dport) = header.ports().unwrap_or_default();
    let flags = if let L4::Tcp { flags, .. } = header.transport { flags } else { 0 };
    let text = |address: u128| Ipv6Addr::from_bits(address).to_string();
    (*port, (text(header.src), sport), (text(header.dst), dport), flags)
}

/// An end: address and port.
pub(crate) type End<'a> = (&'a str, u16);

fn builder(src: &str, dst: &str) -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 0x99], [0; 6]).ipv6(ip6(src).to_be_bytes(), ip6(dst).to_be_bytes(), 64)
}

pub(crate) fn udp(src: End<'_>, dst: End<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    builder(src.0, dst.0).udp(src.1, dst.1).write(&mut frame, b"data").expect("a packet that fits");
    frame
}

/// A segment with these numbers; a SYN without the second.
pub(crate) fn tcp(src: End<'_>, dst: End<'_>, syn: bool, seq: u32, ack: Option<u32>) -> Vec<u8> {
    let mut step = builder(src.0, dst.0).tcp(src.1, dst.1, seq, 1024);
    if syn {
        step = step.syn();
    }
    if let Some(ack) = ack {
        step = step.ack(ack);
    }
    let mut frame = Vec::new();
    step.write(&mut frame, &[]).expect("a packet that fits");
    frame
}

fn error(src: &str, dst: &str, quoted: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let kind = Icmpv6Type::TimeExceeded(icmpv6::TimeExceededCode::HopLimitExceeded);
    builder(src, dst).icmpv6(kind).write(&mut frame, &quoted[14..]).expect("a packet that fits");
    frame
}

pub(crate) fn ping(src: &str, dst: &str, id: u16, is_reply: bool) -> Vec<u8> {
    let mut frame = Vec::new();
    let step = builder(src, dst);
    let step = if is_reply { step.icmpv6_echo_reply(id, 1) } else { step.icmpv6_echo_request(id, 1) };
    step.write(&mut frame, b"data").expect("a packet that fits");
    frame
}

fn at(port: InterfaceId, src: End<'_>, dst: End<'_>, flags: u8) -> Seen {
    (port, (src.0.into(), src.1), (dst.0.into(), dst.1), flags)
}

#[test]
fn both_directions_meet_at_one_worker_whatever_their_queues() {
    for there in 0..3 {
        for back in 0..3 {
            let mut lab = Lab6::new(STATEFUL, 3);
            for port in 1..30 {
                let (inside, outside) = ((CLIENT, port), (SERVER, 80));
                assert_eq!(lab.wire(there, ETH0, tcp(inside, outside, true, 1000, None)), [at(ETH1, inside, outside, 2)]);
                assert_eq!(lab.wire(back, ETH1, tcp(outside, inside, true, 9, Some(1001))), [at(ETH0, outside, inside, 0x12)]);
                assert_eq!(lab.wire(there, ETH0, tcp(inside, outside, false, 1001, Some(10))), [at(ETH1, inside, outside, 0x10)]);
            }
            assert!(lab.flows().iter().all(|n| *n > 1), "every worker has some: {:?}", lab.flows());
            assert_eq!((lab.flows().iter().sum::<usize>(), lab.drops(), lab.crew.outside.live()), (29, vec![], 0));
        }
    }
}

#[test]
fn an_icmpv6_error_finds_the_worker_of_the_flow_that_it_quotes() {
    let mut lab = Lab6::new(STATEFUL, 3);
    for port in 1..20 {
        let sent = udp((CLIENT, port), (SERVER, 53));
        lab.wire(0, ETH0, sent.clone());
        for worker in 0..3 {
            let found = lab.wire(worker, ETH1, error("2001:db8:1::fe", CLIENT, &sent));
            assert_eq!(found, [at(ETH0, ("2001:db8:1::fe", 0), (CLIENT, 0), 0)], "about port {port}, at worker {worker}");
        }
    }
    let unknown = error("2001:db8:1::fe", CLIENT, &udp((CLIENT, 99), (SERVER, 53)));
    assert_eq!(lab.wire(0, ETH1, unknown), [], "one about nothing is INVALID at every worker");
}

#[test]
fn a_datagram_is_put_together_from_pieces_at_every_queue_and_meets_its_flow() {
    let mut lab =
        Lab6::new("*filter\n:FORWARD DROP\n-A FORWARD -p udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n", 3);
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let frames = pieces(UDP, &ipv6_fragments::udp(3000), &[1232, 1232, 536]);
        for (queue, frame) in order.into_iter().zip(frames) {
            lab.arrive(queue, ETH0, frame);
        }
        assert_eq!(lab.settle().len(), 3, "it leaves as it came");
    }
    assert_eq!((lab.flows().iter().sum::<usize>(), lab.drops(), lab.crew.outside.live()), (1, vec![], 0));
}

#[test]
fn a_masqueraded_port_is_one_whose_replies_come_home() {
    let mut lab = Lab6::new(MASQUERADE, 3);
    for port in (2000..2030).chain([40_000]) {
        let there = lab.wire(usize::from(port % 3), ETH0, udp((CLIENT, port), (SERVER, 53)));
        let [(ETH1, (src, mapped), _, _)] = &there[..] else { panic!("{there:?}") };
        assert_eq!((src.as_str(), *mapped >= 1024), (OUTER, true), "{there:?}");
        let back = lab.wire(usize::from((port + 1) % 3), ETH1, udp((SERVER, 53), (OUTER, *mapped)));
        assert_eq!(back, [at(ETH0, (SERVER, 53), (CLIENT, port), 0)]);
    }
    assert!(lab.flows().iter().all(|n| *n > 1), "{:?}", lab.flows());
    let claims: u64 = lab.crew.workers.iter().map(|worker| worker.handoffs().get().claims).sum();
    assert_eq!((claims, lab.drops()), (0, vec![]), "nobody has to be asked for a port");
}

#[test]
fn a_forwarded_port_is_claimed_and_claims_end_with_their_flows() {
    let mut lab = Lab6::new(FORWARDED, 3);
    let outside = ("2001:db8::1", 80);
    for port in 4000..4030 {
        let (client, server) = ((CLIENT, port), (SERVER, 8080));
        let queue = usize::from(port % 3);
        assert_eq!(lab.wire(queue, ETH0, tcp(client, outside, true, 1000, None)), [at(ETH1, client, server, 2)]);
        let back = lab.wire((queue + 1) % 3, ETH1, tcp(server, client, true, 9, Some(1001)));
        assert_eq!(back, [at(ETH0, outside, client, 0x12)]);
        let on = lab.wire((queue + 2) % 3, ETH0, tcp(client, outside, false, 1001, Some(10)));
        assert_eq!(on, [at(ETH1, client, server, 0x10)]);
        let told = lab.wire(queue, ETH1, error("2001:db8:1::fe", CLIENT, &tcp(client, server, true, 1000, None)));
        assert_eq!(told, [at(ETH0, ("2001:db8::1", 0), (CLIENT, 0), 0)], "an error about it comes from where the client sent to");
    }
    assert!((8..30).contains(&lab.claimed()), "{} of 30 are kept by another worker", lab.claimed());
    assert_eq!(lab.drops(), []);
    lab.crew.advance(1000 * 86_400 * 6);
    lab.settle();
    assert_eq!((lab.claimed(), lab.flows()), (0, vec![0, 0, 0]));
}

#[test]
fn flows_that_race_for_one_reply_tuple_both_live() {
    let rules = "*nat\n-A POSTROUTING -o eth1 -j SNAT --to-source 2001:db8:1::1\n\
        -A PREROUTING -i eth0 -p udp -d 2001:db8:1::99 -j DNAT --to-destination 2001:db8:1::2\nCOMMIT\n";
    for seed in 0..20 {
        let mut lab = Lab6::with(rules, 3, seed, Room::default());
        // The same source port towards the server by its name and by another one: one of them has to change.
        lab.arrive(0, ETH0, udp((CLIENT, 5000), (SERVER, 53)));
        lab.arrive(1, ETH0, udp((CLIENT, 5000), ("2001:db8:1::99", 53)));
        let out: Vec<Seen> = lab.settle().iter().map(seen).collect();
        let mut mapped: Vec<u16> = out.iter().map(|(_, (_, port), _, _)| *port).collect();
        mapped.sort_unstable();
        mapped.dedup();
        assert_eq!((mapped.len(), lab.drops(), lab.crew.outside.live()), (2, vec![], 0), "{out:?}");
        for (port, asked) in mapped.iter().map(|port| (*port, lab.wire(2, ETH1, udp((SERVER, 53), (OUTER, *port))))) {
            let [(ETH0, _, (client, 5000), _)] = &asked[..] else { panic!("port {port}: {asked:?}") };
            assert_eq!(client, CLIENT);
        }
    }
}

#[test]
fn a_full_way_drops_by_name_and_leaks_nothing() {
    let mut lab = Lab6::with(STATEFUL, 2, 1, Room { parcels: 4, letters: 4 });
    for port in 1..60 {
        lab.arrive(0, ETH0, udp((CLIENT, port), (SERVER, 53)));
    }
    let out = lab.settle().len() as u64;
    let [("HandoffFull", lost)] = lab.drops()[..] else { panic!("{:?}", lab.drops()) };
    assert_eq!((out + lost, lab.crew.outside.live()), (59, 0));
    assert!(lost > 10, "{lost}");
}

/// A packet from inside to the server, or the other way.
fn packets() -> impl Strategy<Value = (bool, Vec<u8>)> {
    (1u16..6, prop::sample::select(vec![7u16, 53, 80, 81]), 0..5, any::<bool>()).prop_map(|(port, dport, kind, back)| {
        let (inside, outside) = ((CLIENT, port), (SERVER, dport));
        let (src, dst) = if back { (outside, inside) } else { (inside, outside) };
        let frame = match kind {
            0 => tcp(src, dst, true, 1000, back.then_some(1001)),
            1 => tcp(src, dst, false, 1001, Some(1001)),
            2 => udp(src, dst),
            3 => ping(src.0, dst.0, port, back),
            _ => error(src.0, dst.0, &udp(dst, src)),
        };
        (back, frame)
    })
}

const RULES: &str = "*mangle\n-A PREROUTING -m statistic --mode nth --every 3 --packet 1 -j MARK --set-mark 2\n\
    -A FORWARD -m mark --mark 2 -j CONNMARK --set-mark 9\nCOMMIT\n\
    *filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n\
    -A FORWARD -p tcp --dport 81 -j REJECT --reject-with tcp-reset\n-A FORWARD -p udp --dport 7 -j REJECT\n\
    -A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -i eth1 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n";

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_workers_give_what_one_gives(
        packets in prop::collection::vec((packets(), 0usize..3), 1..120),
        workers in 1u16..4,
        seed: u64,
    ) {
        let mut one = Sim::new(snapshot_of(parts(), tables::<Ipv6>(rules::Family::Ipv6, RULES)), &flow_config());
        let mut many = Lab6::with(RULES, workers, seed, Room::default());
        for ((back, frame), queue) in &packets {
            let port = if *back { ETH1 } else { ETH0 };
            let mut frame = frame.clone();
            frame[..6].copy_from_slice(&mac(port));
            one.wire(port, &[frame.clone()], &Shape::default());
            many.arrive(*queue % usize::from(workers), port, frame);
            let (alone, spread) = (one.events(), many.settle());
            prop_assert_eq!(format!("{alone:?}"), format!("{spread:?}"));
        }
        let alone: Vec<_> = one.worker.drops().occurred().map(|(reason, n)| (reason.name(), n)).collect();
        prop_assert_eq!(alone, many.drops());
        for slot in (100..112).map(program::CounterSlot) {
            prop_assert_eq!(one.worker.counters().get(slot), many.crew.count(slot), "{:?}", slot);
        }
        let flows = |flows: &mut dyn Iterator<Item = String>| { let mut flows: Vec<String> = flows.collect(); flows.sort(); flows };
        let of = |worker: &engine::Worker<_>| worker.flows_ipv6().into_iter().flat_map(|flows| flows.iter().map(|(_, flow)| format!("{flow:?}")).collect::<Vec<_>>()).collect::<Vec<_>>();
        let alone = flows(&mut of(&one.worker).into_iter());
        let spread = flows(&mut many.crew.workers.iter().flat_map(of));
        prop_assert_eq!(alone, spread);
        prop_assert_eq!(many.crew.outside.live(), 0);
    }
}
