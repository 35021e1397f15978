//! `iptables-restore` and `iptables-save` without their processes: text to a checked rule set, and back.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use micro::{load, rulesets};

fn text(c: &mut Criterion) {
    for rules in [10_000, 100_000] {
        let text = rulesets::firewall(rules);
        let set = load::parse(&text);
        assert_eq!(set.rule_count(), rules as usize);
        assert_eq!(load::parse(&load::print(&set)), set, "what is printed is what was read");
        let mut group = c.benchmark_group(format!("language/{rules} rules"));
        group.sample_size(10).throughput(Throughput::Elements(rules.into()));
        group.bench_function("restore", |b| b.iter(|| load::parse(black_box(&text))));
        group.bench_function("save", |b| b.iter(|| load::print(black_box(&set))));
        group.finish();
    }
}

criterion_group! { name = benches; config = micro::criterion(); targets = text }
criterion_main!(benches);
