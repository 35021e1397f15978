//! What it costs that a packet came to a worker that does not keep its flow: the whole walk of established UDP packets, where they belong and by
//! the other worker, which passes them on as they came or, where rules stand before tracking, with what these decided; and the ring between two
//! threads alone. Nanoseconds a packet, in bursts of 64.
//!
//! A measured "iteration" is one packet. Both workers run on one thread: what is measured is work, not what the cores' caches add, which is in the
//! last line.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use micro::crew::{Crew, PARCEL, PASSED_ON, ring_between_threads};
use micro::load;

const RAW: &str = "*raw\n-A PREROUTING -p udp -j ACCEPT\nCOMMIT\n";
const STATEFUL: &str = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
                        -A FORWARD -i eth1 -j ACCEPT\nCOMMIT\n";

fn handoff(c: &mut Criterion) {
    let mut group = c.benchmark_group("handoff");
    group.throughput(Throughput::Elements(1));
    for flows in [1, 10_000] {
        let mut crew = Crew::new(load::program(STATEFUL), flows);
        group.bench_function(format!("{flows} flows, at their worker"), |b| b.iter_custom(|packets| crew.forward(packets, true)));
        group.bench_function(format!("{flows} flows, by the other worker"), |b| {
            b.iter_custom(|packets| crew.forward(packets, false))
        });
    }
    let mut crew = Crew::new(load::program(&format!("{RAW}{STATEFUL}")), 10_000);
    for (at_home, name) in [(true, "at their worker"), (false, "by the other worker")] {
        group.bench_function(format!("10000 flows, a raw rule, {name}"), |b| {
            b.iter_custom(|packets| crew.forward(packets, at_home))
        });
    }
    let ring = |bytes| format!("the ring alone, {bytes} bytes a packet, two threads");
    group.bench_function(ring(PASSED_ON), |b| b.iter_custom(ring_between_threads::<PASSED_ON>));
    group.bench_function(ring(PARCEL), |b| b.iter_custom(ring_between_threads::<PARCEL>));
    group.finish();
}

criterion_group! { name = benches; config = micro::criterion(); targets = handoff }
criterion_main!(benches);
