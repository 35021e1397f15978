//! Finding the first rule for a packet, among 10 to 100,000 rules of six classes, three of them in two orders: by the tree, one packet by one and bursts in step, and by asking
//! each rule in turn.
//!
//! A measured "iteration" is one lookup; the packets are about rules drawn at random. Printed beside it: what the tree takes in memory, and how
//! long it takes to make.

use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use micro::classes::{self, Class};
use micro::load;
use micro::world::{INSIDE, OUTSIDE};
use program::header_test::Interfaces;
use program::tree::{Machine, Seeker};
use program::{Hook, TableKind};

const PACKETS: usize = 16_384;

/// This machine.
struct Near;

impl Machine for Near {
    fn prefetch<T>(place: &T) {
        memory::prefetch(place);
    }
}

fn looking_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("tree/lookup");
    for class in Class::ALL {
        for count in [10u32, 1000, 10_000, 100_000] {
            if class == Class::Office && count > 50_000 {
                continue;
            }
            let rules = classes::rules(class, count);
            if matches!(class, Class::Acl | Class::Firewall | Class::Chain) && count == 10_000 {
                among(&mut group, &format!("{}, specific first", class.name()), &classes::specific_first(rules.clone()));
            }
            among(&mut group, class.name(), &rules);
        }
    }
    group.finish();
}

/// Lookups among these rules.
fn among(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, rules: &[classes::Five]) {
    let count = rules.len() as u32;
    let packets = classes::packets(rules, PACKETS);
    let program = load::program(&classes::text(rules));
    let table = program.ipv4.get(TableKind::Filter).expect("there is a filter table");
    let mut copy = (**table).clone();
    let before = Instant::now();
    copy.bind(&["", "eth0", "eth1"]);
    let took = before.elapsed();
    let before = Instant::now();
    copy.tree.check(&copy, None).expect("the tree is right");
    let checked = before.elapsed();
    println!(
        "{name} {count}: tree of {:.1} bytes a rule, made in {:.1} ms, checked in {:.1} ms; {}",
        table.tree.bytes() as f64 / f64::from(count),
        took.as_secs_f64() * 1000.0,
        checked.as_secs_f64() * 1000.0,
        table.tree.shape()
    );
    let chain = table.base_chain(Hook::Forward).expect("it has this hook");
    let interfaces = Interfaces { sets: &table.bound, input: INSIDE, output: OUTSIDE };
    let at = Cell::new(0);
    let next = || {
        at.set((at.get() + 1) % PACKETS);
        &packets[at.get()]
    };
    for packet in packets.iter().take(1000) {
        assert_eq!(table.next(chain, 0, packet, interfaces), table.next_in_row(chain, 0, packet, interfaces));
    }
    group.bench_function(BenchmarkId::new(name, count), |b| {
        b.iter(|| table.next(chain, 0, black_box(next()), interfaces));
    });
    for burst in [8usize, 32, 64].into_iter().filter(|_| count >= 10_000) {
        let seekers: Vec<_> = packets.iter().map(|header| Seeker { header, interfaces }).collect();
        let mut found = [None; 64];
        let mut bursts = seekers.chunks_exact(burst).cycle();
        let mut first = || {
            let burst = bursts.next().expect("they never end");
            table.first_of_many::<Near>(chain, black_box(burst), &mut found);
            found[0]
        };
        // An iteration is one packet.
        group.bench_function(BenchmarkId::new(format!("{name}, in step by {burst}"), count), |b| {
            b.iter_custom(|packets| {
                let before = Instant::now();
                for _ in 0..packets.div_ceil(burst as u64) {
                    black_box(first());
                }
                before.elapsed().mul_f64(packets as f64 / packets.next_multiple_of(burst as u64) as f64)
            });
        });
    }
    if count <= 1000 {
        group.bench_function(BenchmarkId::new(format!("{name}, in row"), count), |b| {
            b.iter(|| table.next_in_row(chain, 0, black_box(next()), interfaces));
        });
    }
}

criterion_group! { name = benches; config = micro::criterion(); targets = looking_up }
criterion_main!(benches);
