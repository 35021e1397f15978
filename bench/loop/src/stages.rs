//! The stages from the text of a rule set to the program that workers read, each by itself: of all rules, and of one that was added to them.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use micro::load;
use micro::world::PORTS;
use packet::Ipv4;
use program::{Table, image};
use proto::wire;
use report::Figure;
use rules::RuleSet;
use scene::rules::stateful;

/// How often each is done; the fastest counts.
const TIMES: usize = 5;

/// The rule that is added, in the middle.
const ADDED: &str = "-A FORWARD -s 192.0.2.77/32 -d 198.51.100.77/32 -p tcp -m tcp --dport 77 -j DROP";

/// The fastest of some times, in nanoseconds.
fn fastest<T>(mut work: impl FnMut() -> T) -> f64 {
    let time = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_nanos() as f64
    };
    (0..TIMES).map(time).fold(f64::MAX, f64::min)
}

/// What an image takes on its way into the dataplane.
fn sent(image: &[u8]) -> Result<Vec<u8>> {
    let segment = wire::sealed("rules", image).context("a sealed segment")?;
    wire::read_sealed(&segment, wire::MAX_SEGMENT).context("reading it")
}

/// From a rule set on: what each stage takes when the table follows `before`, or none; and the table.
fn stages(what: &str, set: &RuleSet, before: Option<&Table<Ipv4>>) -> Result<(Vec<Figure>, Table<Ipv4>)> {
    let (compiled, limits) = load::filter(set);
    let bytes = image::encode_table(&compiled);
    let read = image::decode_table::<Ipv4>(&sent(&bytes)?, &limits).context("what was compiled is verified")?;
    let bind = |table: &mut Table<Ipv4>| match before {
        Some(before) => table.bind_following(&PORTS, before),
        None => table.bind(&PORTS),
    };
    let mut bound = read.clone();
    bind(&mut bound);
    let mut fresh = vec![read; TIMES];
    let figures = [
        ("compile", fastest(|| load::filter(set))),
        ("write the image", fastest(|| image::encode_table(&compiled))),
        ("send it", fastest(|| sent(&bytes))),
        ("read and verify it", fastest(|| image::decode_table::<Ipv4>(&bytes, &limits))),
        ("make the trees", fastest(|| fresh.pop().map(|mut table| bind(&mut table)))),
        ("check the trees", fastest(|| bound.tree.check(&bound, before))),
    ];
    let all = figures.iter().map(|(_, time)| time).sum();
    let figure = |(stage, value): (&str, f64)| Figure { name: format!("{what}, {stage}"), value, unit: "ns".to_owned() };
    Ok((figures.into_iter().chain([("all of these", all)]).map(figure).collect(), bound))
}

/// Of so many rules.
pub(crate) fn measure(count: u32) -> Result<Vec<Figure>> {
    let text = stateful(count);
    let set = load::rule_set(&text);
    let parse = fastest(|| load::parse(&text));
    let mut figures = vec![Figure { name: format!("{count} rules, parse and check"), value: parse, unit: "ns".to_owned() }];
    let (all, before) = stages(&format!("{count} rules"), &set, None)?;
    figures.extend(all);
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(lines.len() / 2, ADDED);
    let more = load::rule_set(&(lines.join("\n") + "\n"));
    figures.extend(stages(&format!("one more than {count} rules"), &more, Some(&before))?.0);
    Ok(figures)
}
