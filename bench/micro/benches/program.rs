//! The compiled program: made from a rule set, written as an image, read back and verified; and its evaluation without anything around it.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use micro::world::{CLIENT, INSIDE, OUTSIDE, SERVER};
use micro::{frames, load, rulesets};
use packet::{Header, Ipv4, parse};
use program::eval::{self, Act, Env, Verdict};
use program::header_test::Answer;
use program::{CounterSlot, Hook, InterfaceId, Match, RuleIndex, Table, TableKind, Target, image};

fn making(c: &mut Criterion) {
    const RULES: u32 = 10_000;
    let set = load::rule_set(&rulesets::firewall(RULES));
    let (table, limits) = load::filter(&set);
    let bytes = image::encode_table(&table);
    let mut group = c.benchmark_group(format!("program/{RULES} rules"));
    group.sample_size(10).throughput(Throughput::Elements(RULES.into()));
    group.bench_function("compile", |b| b.iter(|| load::filter(black_box(&set))));
    group.bench_function("encode", |b| b.iter(|| image::encode_table(black_box(&table))));
    group.bench_function("decode and verify", |b| b.iter(|| image::decode_table::<Ipv4>(black_box(&bytes), &limits)));
    group.finish();
}

/// A packet, and a counter that is only counted.
struct Counting {
    header: Header<Ipv4>,
    counted: u64,
}

impl Env<Ipv4> for Counting {
    fn header(&self) -> &Header<Ipv4> {
        &self.header
    }

    fn interfaces(&self) -> (InterfaceId, InterfaceId) {
        (INSIDE, OUTSIDE)
    }

    fn ask(&mut self, _: &Table<Ipv4>, _: &Match) -> Answer {
        Answer::No
    }

    fn count(&mut self, _: CounterSlot) {
        self.counted += 1;
    }

    fn act(&mut self, _: &Table<Ipv4>, _: RuleIndex, _: &Target) -> Act {
        Act::Continue
    }
}

fn evaluating(c: &mut Criterion) {
    let mut group = c.benchmark_group("program/eval, last rule matches");
    let frame = frames::udp((CLIENT, 40_000), (SERVER, 5201), 18);
    let header = parse::ip(&frame, 14, frame.len() - 14).expect("a right packet");
    for rules in [8, 100, 1000] {
        let program = load::program(&rulesets::firewall(rules));
        let table = program.ipv4.get(TableKind::Filter).expect("there is a filter table");
        let mut env = Counting { header, counted: 0 };
        assert_eq!(eval::run(table, Hook::Forward, &mut env), Verdict::Accept);
        assert_eq!(env.counted, 1, "one rule holds, and it is the last");
        group.throughput(Throughput::Elements(rules.into()));
        group.bench_function(format!("{rules} rules"), |b| b.iter(|| eval::run(black_box(table), Hook::Forward, &mut env)));
    }
    group.finish();
}

criterion_group! { name = benches; config = micro::criterion(); targets = making, evaluating }
criterion_main!(benches);
