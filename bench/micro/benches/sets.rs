//! `ipset restore`, `save` and `test` without their processes: a text of elements to a set, and back.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rules::names::Builtin;
use sets::{Host, Said, Sets};

const ELEMENTS: u32 = 100_000;

fn run(sets: &mut Sets, words: &[&str], text: &str) -> Said {
    let host =
        Host { names: &Builtin, now: 1, initval: 0, references: &|_| 0, may_change: true, is_interactive: false, tells: false };
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    sets::run(sets, &words, text, &host)
}

/// A text that fills a set with elements in no order.
fn text(kind: &str, element: impl Fn(std::net::Ipv4Addr, u32) -> String) -> String {
    let mut text = format!("create s {kind} maxelem 200000\n");
    for at in 0..ELEMENTS {
        let address = std::net::Ipv4Addr::from_bits(at.wrapping_mul(0x9e37_79b1) | 1);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "add s {}", element(address, at));
    }
    text
}

fn sets(c: &mut Criterion) {
    let cases = [
        ("hash:ip", text("hash:ip", |address, _| address.to_string())),
        ("hash:net", text("hash:net", |address, at| format!("{address}/{}", 24 + at % 9))),
        ("hash:ip,port", text("hash:ip,port counters", |address, at| format!("{address},{}", at % 65536))),
    ];
    for (kind, text) in cases {
        let mut filled = Sets::default();
        let said = run(&mut filled, &["-exist", "restore"], &text);
        assert_eq!((said.exit, said.stderr.as_str()), (0, ""));
        let mut group = c.benchmark_group(format!("sets/{kind} of {ELEMENTS} elements"));
        group.sample_size(10).throughput(Throughput::Elements(ELEMENTS.into()));
        group.bench_function("restore", |b| b.iter(|| run(&mut Sets::default(), &["-exist", "restore"], black_box(&text))));
        group.bench_function("save", |b| b.iter(|| run(black_box(&mut filled), &["save"], "")));
        group.finish();
    }
}

criterion_group! { name = benches; config = micro::criterion(); targets = sets }
criterion_main!(benches);
