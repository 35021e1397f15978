//! An hour of coming and going at three workers, in both families, by a given clock: nothing is left behind.

use std::sync::Arc;

use engine::WorkerConfig;
use engine::rng::Rng;
use engine::sim::{Crew, Event, Room, Shape};
use engine::snapshot::TableStates;
use packet::{Ipv4, Ipv6};
use program::{InterfaceId, Program};

use crate::crew_ipv6 as v6;
use crate::families::tables;
use crate::fragments::cut;
use crate::ipv6::{CLIENT, SERVER, config, parts, snapshot_of};
use crate::ipv6_fragments::{self, UDP, pieces};
use crate::lab::{ETH0, ETH1, ETH2, NAMES, frames, mac};

const IPV4: &str = "*nat\n-A PREROUTING -i eth2 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\n\
    -A POSTROUTING -o eth2 -p udp -j SNAT --to-source 203.0.113.1:2000-2040\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n";
const IPV6: &str = "*nat\n-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination [2001:db8:1::2]:8080\n\
    -A POSTROUTING -o eth1 -p udp -j SNAT --to-source [2001:db8:1::1]:2000-2040\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n";
const HOUR: u64 = 3_600_000;

fn crew() -> Crew {
    let mut snapshot = snapshot_of(parts(), tables::<Ipv6>(rules::Family::Ipv6, IPV6));
    let mut ipv4 = tables::<Ipv4>(rules::Family::Ipv4, IPV4);
    for table in ipv4.tables.iter_mut().flatten() {
        Arc::make_mut(table).bind(&NAMES);
    }
    snapshot.program.ipv4 = ipv4;
    snapshot.states = TableStates::following(&Program::default(), &TableStates::default(), &snapshot.program);
    let config = WorkerConfig { flows: 512, datagrams: 32, ..config() };
    Crew::new(snapshot, &config, 3, Room::default())
}

/// Something new from a client, and by which port it comes.
fn begin(rng: &mut Rng) -> (InterfaceId, Vec<Vec<u8>>) {
    let port = 1000 + rng.below(3000) as u16;
    let syn = rng.below(2) == 0;
    let inside = format!("10.0.0.2:{port}");
    match rng.below(10) {
        0 => (ETH0, vec![frames::udp(&inside, &format!("8.8.8.8:{}", 53 + rng.below(3))).frame()]),
        1 => (ETH0, vec![frames::tcp(&inside, "8.8.8.8:443", if syn { "S" } else { "A" }).frame()]),
        2 => (ETH2, vec![frames::tcp(&format!("8.8.8.8:{port}"), "203.0.113.1:80", if syn { "S" } else { "R" }).frame()]),
        3 => (ETH0, vec![frames::ping("10.0.0.2", "8.8.8.8", port % 9).frame()]),
        4 => {
            let mut pieces = cut(&frames::udp(&inside, "8.8.8.8:53").data(3000).frame(), &[1000, 2000], false);
            // Now and then the rest never comes.
            pieces.truncate(1 + rng.below(3) as usize);
            (ETH0, pieces)
        }
        5 => (ETH0, vec![v6::udp((CLIENT, port), (SERVER, 53 + rng.below(3) as u16))]),
        6 => (ETH0, vec![v6::tcp((CLIENT, port), (SERVER, 443), syn, 1, (!syn).then_some(1))]),
        7 => (ETH0, vec![v6::tcp((CLIENT, port), ("2001:db8::1", 80), true, 1, None)]),
        8 => (ETH0, vec![v6::ping(CLIENT, SERVER, port % 9, false)]),
        _ => {
            let mut pieces = pieces(UDP, &ipv6_fragments::udp(3000), &[1232, 1232, 536]);
            pieces.truncate(1 + rng.below(3) as usize);
            (ETH0, pieces)
        }
    }
}

/// The same packet the other way: its addresses and ports change places, which leaves its checksums as they are.
fn turned(frame: &[u8]) -> Option<Vec<u8>> {
    let mut frame = frame.to_vec();
    let is_ipv6 = frame[12..14] == [0x86, 0xdd];
    let (protocol, src, len, ports) = if is_ipv6 { (frame[20], 22, 16, 54) } else { (frame[23], 26, 4, 34) };
    let is_whole = is_ipv6 || frame[20] & 0x3f == 0 && frame[21] == 0;
    if !is_whole || !matches!(protocol, 6 | 17) {
        return None;
    }
    (0..len).for_each(|i| frame.swap(src + i, src + len + i));
    (0..2).for_each(|i| frame.swap(ports + i, ports + 2 + i));
    Some(frame)
}

#[test]
fn an_hour_of_churn_of_both_families_leaves_no_flow_claim_or_buffer_at_any_worker() {
    let mut crew = crew();
    let (mut rng, mut order) = (Rng::new(7), Rng::new(8));
    let start = crew.now.millis();
    let (mut out, mut most, mut claims) = (0, 0, 0);
    let flows = |crew: &Crew| -> usize {
        crew.workers.iter().map(|worker| worker.flows().len() + worker.flows_ipv6().expect("it has IPv6").len()).sum()
    };
    let claimed = |crew: &Crew| -> usize {
        crew.workers.iter().map(|worker| worker.flows().claimed() + worker.flows_ipv6().expect("it has IPv6").claimed()).sum()
    };
    while crew.now.millis() < start + HOUR {
        let (port, frames) = begin(&mut rng);
        for mut frame in frames {
            frame[..6].copy_from_slice(&mac(port));
            crew.wire(rng.below(3) as usize, port, &[frame], &Shape::default());
        }
        crew.settle(&mut order);
        let events = crew.events();
        out += events.len();
        // Half of them get an answer, by whichever queue.
        for event in events.iter().filter(|_| rng.below(2) == 0).collect::<Vec<_>>() {
            let Event::Transmit { port, frame } = event else { continue };
            let Some(mut answer) = turned(frame) else { continue };
            answer[..6].copy_from_slice(&mac(*port));
            crew.wire(rng.below(3) as usize, *port, &[answer], &Shape::default());
            crew.settle(&mut order);
        }
        crew.events();
        most = most.max(flows(&crew));
        claims = claims.max(claimed(&crew));
        crew.advance(u64::from(rng.below(1000)));
    }
    assert!(out > 4000 && most > 100 && claims > 10, "{out} packets, {most} flows and {claims} claims at a time");
    for days in [0, 2, 2, 2] {
        crew.advance(days * 86_400_000);
        for _ in 0..100 {
            crew.advance(1000);
            crew.settle(&mut order);
        }
    }
    crew.events();
    assert_eq!((flows(&crew), claimed(&crew), crew.outside.live()), (0, 0, 0));
    let waiting: u64 = crew.workers.iter().map(|worker| worker.gauges().waiting()).sum();
    assert_eq!(waiting, 0);
    // Every port of the pools is free again, towards one server.
    for queue in 0..3 {
        let ask = |crew: &mut Crew, order: &mut Rng, frame: Vec<u8>| {
            let mut frame = frame;
            frame[..6].copy_from_slice(&mac(ETH0));
            crew.wire(queue, ETH0, &[frame], &Shape::default());
            crew.settle(order);
            crew.events().iter().filter(|event| matches!(event, Event::Transmit { port: ETH1 | ETH2, .. })).count()
        };
        let port = 50_000 + 20 * queue as u16;
        let ipv4: usize =
            (0..13).map(|i| ask(&mut crew, &mut order, frames::udp(&format!("10.0.0.2:{}", port + i), "8.8.8.8:99").frame())).sum();
        let ipv6: usize = (0..13).map(|i| ask(&mut crew, &mut order, v6::udp((CLIENT, port + i), (SERVER, 99)))).sum();
        assert_eq!((ipv4, ipv6), (13, 13), "queue {queue}");
    }
}
