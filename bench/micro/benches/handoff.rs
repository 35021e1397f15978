//! What it costs that a packet came to a worker that does not keep its flow: the whole walk of established UDP packets, where they belong and by
//! the other worker; and the ring between two threads alone. Nanoseconds a packet, in bursts of 64.
//!
//! A measured "iteration" is one packet. Both workers run on one thread: what is measured is work, not what the cores' caches add, which is in the
//! last line.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use micro::crew::{Crew, PARCEL, ring_between_threads};
use micro::load;

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
    group.bench_function(format!("the ring alone, {PARCEL} bytes a packet, two threads"), |b| b.iter_custom(ring_between_threads));
    group.finish();
}

criterion_group! { name = benches; config = micro::criterion(); targets = handoff }
criterion_main!(benches);
