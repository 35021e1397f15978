//! One rule more among 100,000: what each stage from the rule set to the table that workers read takes where all of the table is sent, as after
//! `iptables-restore` (`loop stages` has those of an edit), and what a lookup costs where rules stand beside the tree of the others.

use std::cell::Cell;
use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use micro::classes::{self, Class};
use micro::load;
use micro::world::{INSIDE, OUTSIDE};
use packet::Ipv4;
use program::header_test::Interfaces;
use program::{Hook, Table, image};

const NAMES: [&str; 3] = ["", "eth0", "eth1"];
const PACKETS: usize = 16_384;

/// The filter table of these rules, bound as one that follows another.
fn table(rules: &[classes::Five], before: Option<&Table<Ipv4>>) -> Table<Ipv4> {
    let (mut table, _) = load::filter(&load::rule_set(&classes::text(rules)));
    match before {
        Some(before) => table.bind_following(&NAMES, before),
        None => table.bind(&NAMES),
    }
    table
}

fn stages(c: &mut Criterion) {
    let mut rules = classes::rules(Class::Acl, 100_001);
    let before = table(&rules[..100_000], None);
    let last = rules.pop();
    rules.insert(50_000, last.expect("there are many"));
    let set = load::rule_set(&classes::text(&rules));
    let (compiled, limits) = load::filter(&set);
    let mut after = compiled.clone();
    after.bind_following(&NAMES, &before);
    let mut group = c.benchmark_group("edit/one of 100,000");
    group.sample_size(10);
    group.bench_function("compile", |b| b.iter(|| load::filter(black_box(&set))));
    let bytes = image::encode_table(&compiled);
    group.bench_function("write the image", |b| b.iter(|| image::encode_table(black_box(&compiled))));
    group.bench_function("read the image and verify", |b| b.iter(|| image::decode_table::<Ipv4>(black_box(&bytes), &limits)));
    let copy = || compiled.clone();
    group.bench_function("trees, all anew", |b| b.iter_batched_ref(copy, |table| table.bind(&NAMES), BatchSize::PerIteration));
    let following = |table: &mut Table<Ipv4>| table.bind_following(&NAMES, &before);
    group.bench_function("trees, following", |b| b.iter_batched_ref(copy, following, BatchSize::PerIteration));
    group.bench_function("look the trees through", |b| b.iter(|| after.tree.check(&after, Some(&before)).expect("it is right")));
    group.finish();
}

fn lookups(c: &mut Criterion) {
    let mut group = c.benchmark_group("edit/lookup among 100,000");
    for class in [Class::Acl, Class::Firewall, Class::Chain] {
        let mut rules = classes::rules(class, 100_064);
        let added = rules.split_off(100_000);
        let packets = classes::packets(&rules, PACKETS);
        let mut before = table(&rules, None);
        for more in [0, 1, 16, 64] {
            // Spread over the chain.
            let mut edited = rules.clone();
            added[..more].iter().enumerate().for_each(|(n, rule)| edited.insert((n + 1) * 100_000 / (more + 1), *rule));
            let now = table(&edited, Some(&before));
            let chain = now.base_chain(Hook::Forward).expect("it has this hook");
            let interfaces = Interfaces { sets: &now.bound, input: INSIDE, output: OUTSIDE };
            for packet in packets.iter().take(300) {
                assert_eq!(now.next(chain, 0, packet, interfaces), now.next_in_row(chain, 0, packet, interfaces));
            }
            let at = Cell::new(0);
            group.bench_function(BenchmarkId::new(class.name(), format!("{more} more")), |b| {
                b.iter(|| {
                    at.set((at.get() + 1) % PACKETS);
                    now.next(chain, 0, black_box(&packets[at.get()]), interfaces)
                });
            });
            if more == 0 {
                before = now;
            }
        }
    }
    group.finish();
}

criterion_group! { name = benches; config = micro::criterion(); targets = stages, lookups }
criterion_main!(benches);
