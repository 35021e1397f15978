//! `ipset restore`, `save` and `test` without their processes: a text of elements to a set, and back. And what the dataplane does with an edit of a set.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::Time;
use program::SetEdit;
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

/// The dataplane's side: all elements at once, and one that comes and goes among them.
fn told(c: &mut Criterion) {
    let edits = |text: &str| {
        let mut sets = Sets::default();
        let host =
            Host { names: &Builtin, now: 1, initval: 0, references: &|_| 0, may_change: true, is_interactive: false, tells: true };
        let said = sets::run(&mut sets, &["restore".to_owned()], text, &host);
        assert_eq!((said.exit, said.stderr.as_str()), (0, ""));
        program::set::encode(&compile::set_edits(said.edits))
    };
    let read = |bytes: &[u8]| program::set::decode(bytes).expect("what was written reads back");
    let bytes = edits(&text("hash:ip", |address, _| address.to_string()));
    let apply = |sets: &mut engine::sets::Sets, edits: &[SetEdit]| {
        sets.apply(edits, Time(1), &|_| false).expect("the edits make sense");
        sets.directory()
    };
    let mut group = c.benchmark_group(format!("sets/told of hash:ip with {ELEMENTS} elements"));
    let new = || engine::sets::Sets::new([1, 2]);
    group.sample_size(10).bench_function("all of them", |b| {
        b.iter_batched_ref(new, |sets| apply(sets, &read(black_box(&bytes))), BatchSize::LargeInput);
    });
    let mut filled = new();
    apply(&mut filled, &read(&bytes));
    let [SetEdit::Create { .. }, SetEdit::Elements { edits: one, .. }] = &read(&edits("create s hash:ip\nadd s 192.0.2.1\n"))[..]
    else {
        panic!("a set and its element")
    };
    let gone = one.iter().map(|edit| program::set::ElementEdit { beside: None, ..edit.clone() }).collect();
    let both = [one.clone(), gone].map(|edits| SetEdit::Elements { name: "s".to_owned(), edits });
    let bytes = program::set::encode(&both);
    group.bench_function("one comes and goes", |b| b.iter(|| apply(&mut filled, &read(black_box(&bytes))).is_none()));
    group.finish();
}

criterion_group! { name = benches; config = micro::criterion(); targets = sets, told }
criterion_main!(benches);
