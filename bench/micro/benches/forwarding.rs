//! The whole walk in memory, driver left out: nanoseconds for each forwarded 60-byte UDP packet, in bursts of 64.
//!
//! A measured "iteration" is one packet.

use std::net::Ipv4Addr;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use micro::world::{CLIENT, INSIDE, OUTSIDE, SERVER, World};
use micro::{frames, load, rulesets};

/// Nothing but forwarding: no rule, no tracking.
const ROUTER: &str = "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n";
/// What most firewalls begin with.
const STATEFUL: &str = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
                        -A FORWARD -i eth1 -j ACCEPT\nCOMMIT\n";
/// The same, and everybody behind one address.
const NAT: &str = "*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n\
                   *filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
                   -A FORWARD -i eth1 -j ACCEPT\nCOMMIT\n";

/// Payload that makes frames of 60 bytes, which are 64 on the wire.
const PAYLOAD: usize = 18;

fn client_port(flow: u16) -> u16 {
    20_000 + flow
}

/// The frames of `flows` connections from the client, whose next packet is in another flow's each time, not in the order of their making.
fn requests(flows: u16) -> Vec<Vec<u8>> {
    /// Prime, so that the steps visit every flow.
    const STEP: u32 = 7919;
    (0..u32::from(flows))
        .map(|i| (i * STEP % u32::from(flows)) as u16)
        .map(|flow| frames::udp((CLIENT, client_port(flow)), (SERVER, 5201), PAYLOAD))
        .collect()
}

/// Makes every connection established; returns the server's answers.
fn establish(world: &mut World, requests: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut answer = |request: &Vec<u8>| {
        let seen = world.forward(INSIDE, request);
        let source = Ipv4Addr::new(seen[26], seen[27], seen[28], seen[29]);
        let port = u16::from_be_bytes([seen[34], seen[35]]);
        let answer = frames::udp((SERVER, 5201), (source, port), PAYLOAD);
        let got = world.forward(OUTSIDE, &answer);
        assert_eq!((&got[30..34], &got[36..38]), (&request[26..30], &request[34..36]), "the answer reaches the client");
        answer
    };
    requests.iter().map(&mut answer).collect()
}

fn established(c: &mut Criterion) {
    let mut group = c.benchmark_group("forwarding");
    group.throughput(Throughput::Elements(1));
    for (name, rules, tracked) in [("router", ROUTER, false), ("stateful", STATEFUL, true), ("nat", NAT, true)] {
        for flows in [1, 10_000] {
            let mut world = World::new(load::program(rules));
            let requests = requests(flows);
            let answers = establish(&mut world, &requests);
            assert_eq!(world.flows(), if tracked { usize::from(flows) } else { 0 });
            group.bench_function(format!("{name}, {flows} flows, requests"), |b| {
                b.iter_custom(|packets| world.forward_many(INSIDE, &requests, packets))
            });
            group.bench_function(format!("{name}, {flows} flows, answers"), |b| {
                b.iter_custom(|packets| world.forward_many(OUTSIDE, &answers, packets))
            });
        }
    }
    group.finish();
}

fn many_rules(c: &mut Criterion) {
    let mut group = c.benchmark_group("forwarding/the last rule matches");
    group.throughput(Throughput::Elements(1));
    for rules in [8, 100, 1000, 10_000, 100_000] {
        let mut world = World::new(load::program(&rulesets::firewall(rules)));
        let requests = requests(1);
        group.bench_function(format!("{rules} rules"), |b| b.iter_custom(|packets| world.forward_many(INSIDE, &requests, packets)));
    }
    group.finish();
}

criterion_group! { name = benches; config = micro::criterion(); targets = established, many_rules }
criterion_main!(benches);
