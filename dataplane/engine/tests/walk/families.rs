//! Both families at one worker: rules, flows and routes of each, and one order for a burst that mixes them.

use std::net::Ipv6Addr;
use std::sync::Arc;

use engine::WorkerConfig;
use engine::host::{Address, FamilyHost, FamilyParts, Host, Neighbour};
use engine::inbox::{Page, Question, Wish};
use engine::sim::{Event, Shape, Sim};
use engine::snapshot::{Edition, Settings, Snapshot, TableStates};
use engine::worker::BURST;
use etherparse::PacketBuilder;
use packet::family::Either;
use packet::{Family, Ipv4, Ipv6};
use program::{Program, Root, Tables};

use crate::lab::{Box as Router, ETH0, ETH1, frames, mac};

const RULES: &str = "*filter\n:INPUT ACCEPT\n:FORWARD DROP\n:OUTPUT ACCEPT\n\
    -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A FORWARD -p udp --dport 53 -j ACCEPT\nCOMMIT\n";

pub(crate) fn ip6(text: &str) -> u128 {
    text.parse::<Ipv6Addr>().expect("an address").to_bits()
}

/// These rules in save form.
pub(crate) fn tables<F: Family>(family: rules::Family, text: &str) -> Tables<F> {
    let options = rules::restore::Options::parse(family, &[]).expect("no options");
    let names = rules::names::NameFiles::parse("tcp 6\nudp 17\n", "");
    let host = rules::command::Host { names: &names, live: None };
    let outcome = rules::restore::restore(&rules::RuleSet::new(family), text, &options, &host)
        .unwrap_or_else(|error| panic!("{}", error.message("restore")));
    let mut set = outcome.ruleset.expect("rules");
    let mut slot = if family == rules::Family::Ipv4 { 0 } else { 100 };
    for chain in set.tables_mut().flat_map(|table| table.chains_mut()) {
        let slots = core::iter::once(&mut chain.slot).chain(chain.rules.iter_mut().map(|rule| &mut rule.slot));
        for of in slots {
            *of = Some(rules::SlotId(slot));
            slot += 1;
        }
    }
    compile::tables(&set, &mut compile::Context::new(1024)).unwrap_or_else(|error| panic!("{error}"))
}

fn host(mtu: u32) -> Arc<Host> {
    let address = |interface, text| Address::<Ipv6>::new(interface, ip6(text), 64);
    let addresses = vec![address(ETH0, "2001:db8::1"), address(ETH1, "2001:db8:1::1")];
    let routes = addresses.iter().map(Address::connected_route).collect();
    let known = |port, text, last| (port, ip6(text), Neighbour::Known([2, 1, 0, 0, 6, last]));
    let neighbours = vec![known(ETH0, "2001:db8::2", 2), known(ETH1, "2001:db8:1::2", 3)];
    let parts = FamilyParts { addresses, routes, neighbours, ..FamilyParts::default() };
    let mut router = Router::default();
    router.interfaces[1].mtu = mtu;
    let router = router.host();
    Arc::new(Host { ipv6: FamilyHost::new(parts), ..(*router).clone() })
}

pub(crate) fn sim(ipv6: bool) -> Sim {
    built(ipv6, 1500)
}

/// The second interface has this MTU.
pub(crate) fn sim_with_mtu(mtu: u32) -> Sim {
    built(true, mtu)
}

fn built(ipv6: bool, mtu: u32) -> Sim {
    let program = Program {
        root: Root { generation: 1, ..Root::default() },
        ipv4: tables::<Ipv4>(rules::Family::Ipv4, RULES),
        ipv6: tables::<Ipv6>(rules::Family::Ipv6, RULES),
    };
    let states = TableStates::following(&Program::default(), &TableStates::default(), &program);
    let snapshot = Snapshot {
        edition: Edition::new(),
        program,
        states,
        host: host(mtu),
        sets: Arc::default(),
        settings: Arc::new(Settings::default()),
    };
    let config =
        WorkerConfig { counters: 1024, flows: 1024, neighbours: 4, datagrams: 4, seed: 1, ipv6, ..WorkerConfig::default() };
    Sim::new(snapshot, &config)
}

pub(crate) fn udp6(src: &str, dst: &str, sport: u16, dport: u16) -> Vec<u8> {
    let octets = |text: &str| text.parse::<Ipv6Addr>().expect("an address").octets();
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 0x99], mac(if src == CLIENT { ETH0 } else { ETH1 }))
        .ipv6(octets(src), octets(dst), 64)
        .udp(sport, dport)
        .write(&mut frame, b"data")
        .expect("a packet that fits");
    frame
}

fn udp4(dport: u16) -> Vec<u8> {
    let mut frame = frames::udp("10.0.0.2:4000", &format!("192.168.1.2:{dport}")).frame();
    frame[..6].copy_from_slice(&mac(ETH0));
    frame
}

pub(crate) const CLIENT: &str = "2001:db8::2";
pub(crate) const SERVER: &str = "2001:db8:1::2";

fn arp() -> Vec<u8> {
    let mut frame = vec![0xff; 12];
    frame.extend([8, 6]);
    frame.extend([0; 46]);
    frame
}

fn mixed() -> Vec<Vec<u8>> {
    (0..BURST as u16)
        .map(|n| match n % 5 {
            0 | 3 => udp6(CLIENT, SERVER, 4000 + n, if n % 2 == 0 { 53 } else { 80 }),
            1 => udp4(53),
            2 => arp(),
            _ => udp4(80),
        })
        .collect()
}

fn forwarded(event: &Event) -> bool {
    matches!(event, Event::Transmit { port: ETH1, .. })
}

#[test]
fn rules_and_flows_of_ipv6_are_its_own() {
    let mut sim = sim(true);
    // A reply to nothing is no ESTABLISHED flow, whatever IPv4 has.
    sim.wire(ETH0, &[udp4(53)], &Shape::default());
    sim.wire(ETH1, &[udp6(SERVER, CLIENT, 53, 4000)], &Shape::default());
    assert_eq!(sim.events().len(), 1);
    sim.wire(ETH0, &[udp6(CLIENT, SERVER, 4000, 53)], &Shape::default());
    sim.wire(ETH1, &[udp6(SERVER, CLIENT, 53, 4000)], &Shape::default());
    let events = sim.events();
    assert_eq!(events.len(), 2, "{events:?}");
    let Event::Transmit { port: ETH1, frame } = &events[0] else { panic!("{events:?}") };
    assert_eq!((&frame[..6], frame[14 + 7]), (&[2, 1, 0, 0, 6, 3][..], 63), "to its next hop, with one hop less");
    assert_eq!((sim.worker.flows().len(), sim.worker.flows_ipv6().map(|flows| flows.len())), (1, Some(1)));
}

#[test]
fn a_burst_of_both_families_keeps_its_order() {
    let mut one_by_one = sim(true);
    for frame in mixed() {
        one_by_one.wire(ETH0, &[frame], &Shape::default());
    }
    let wanted = one_by_one.events();
    assert!(wanted.iter().filter(|event| forwarded(event)).count() > 15);
    for size in [2, 7, BURST] {
        let mut sim = sim(true);
        for burst in mixed().chunks(size) {
            sim.wire(ETH0, burst, &Shape::default());
        }
        assert_eq!(sim.events(), wanted, "bursts of {size}");
        let drops = |sim: &Sim| sim.worker.drops().occurred().collect::<Vec<_>>();
        assert_eq!(drops(&sim), drops(&one_by_one));
        for slot in 0..128 {
            let count = |sim: &Sim| sim.worker.counters().get(program::CounterSlot(slot));
            assert_eq!(count(&sim), count(&one_by_one), "slot {slot}");
        }
    }
}

#[test]
fn a_flush_ends_the_flows_of_both() {
    let mut sim = sim(true);
    sim.wire(ETH0, &mixed(), &Shape::default());
    assert!(!sim.worker.flows().is_empty() && sim.worker.flows_ipv6().is_some_and(|flows| !flows.is_empty()));
    for page in [Either::Ipv4(Page::from(0, 0)), Either::Ipv6(Page::from(0, 0))] {
        assert!(sim.worker.inbox().ask(Question { ticket: 0, wish: Wish::Flush, page }).is_ok());
    }
    // So many slots a round, and no flow's own time is up by then.
    let (mut rounds, mut answers) = (0, 0);
    while answers < 2 {
        sim.advance(0);
        answers += usize::from(sim.worker.inbox().answer().is_some());
        rounds += 1;
        assert!(rounds < 10_000, "no answer");
    }
    sim.advance(0); // What was ended in the last round is buried in this one.
    assert!(sim.worker.flows().is_empty() && sim.worker.flows_ipv6().is_some_and(|flows| flows.is_empty()));
}

#[test]
fn a_worker_without_ipv6_drops_it_by_name_and_walks_the_rest() {
    let mut sim = sim(false);
    sim.wire(ETH0, &mixed(), &Shape::default());
    let named: Vec<_> = sim.worker.drops().occurred().map(|(reason, n)| (reason.name(), n)).collect();
    assert!(named.contains(&("Ipv6NotEnforced", 26)), "{named:?}");
    assert_eq!(sim.events().iter().filter(|event| forwarded(event)).count(), 13);
    assert!(sim.worker.flows_ipv6().is_none());
}
