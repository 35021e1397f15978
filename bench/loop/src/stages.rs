//! The stages from the text of a rule set to the program that workers read, each by itself: of all rules, and of one that was added to them.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use compile::Changes;
use micro::load;
use micro::world::PORTS;
use packet::Ipv4;
use program::verify::Limits;
use program::{Table, TableEdit, image};
use proto::wire;
use report::Figure;
use rules::{Family, Rule, RuleSet, SlotId, TableName, Target};
use scene::rules::stateful;

/// How often each is done; the fastest counts.
const TIMES: usize = 5;

/// The chain to which a rule is added.
const CHAIN: &str = "FORWARD";

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

/// These figures, and all together.
fn named(what: &str, figures: &[(&str, f64)]) -> Vec<Figure> {
    let all = figures.iter().map(|(_, time)| time).sum();
    let figure = |(stage, value): (&str, f64)| Figure { name: format!("{what}, {stage}"), value, unit: "ns".to_owned() };
    figures.iter().copied().chain([("all of these", all)]).map(figure).collect()
}

/// From a rule set on: what each stage takes, the table as it was compiled, and as workers read it.
fn whole(what: &str, set: &RuleSet) -> Result<(Vec<Figure>, Table<Ipv4>, Table<Ipv4>)> {
    let (compiled, limits) = load::filter(set);
    let bytes = image::encode_table(&compiled);
    let read = image::decode_table::<Ipv4>(&sent(&bytes)?, &limits).context("what was compiled is verified")?;
    let mut bound = read.clone();
    bound.bind(&PORTS);
    let mut fresh = vec![read; TIMES];
    let figures = [
        ("compile", fastest(|| load::filter(set))),
        ("write the image", fastest(|| image::encode_table(&compiled))),
        ("send it", fastest(|| sent(&bytes))),
        ("read and verify it", fastest(|| image::decode_table::<Ipv4>(&bytes, &limits))),
        ("make the trees", fastest(|| fresh.pop().map(|mut table| table.bind(&PORTS)))),
        ("check the trees", fastest(|| bound.tree.check(&bound, None))),
    ];
    Ok((named(what, &figures), compiled, bound))
}

/// A rule more at this position of FORWARD: the edit, and the compiled table after it.
fn one_more(compiled: Table<Ipv4>, set: &mut RuleSet, at: usize) -> Result<(Table<Ipv4>, TableEdit<Ipv4>)> {
    let table = set.table_mut(TableName::Filter);
    let before = table.clone();
    let mut rule = load::parse(&format!("*filter\n{ADDED}\nCOMMIT\n"));
    let rule = rule.table_mut(TableName::Filter).chain_mut(CHAIN).context("FORWARD is there")?.rules.remove(0);
    let rule = Rule { slot: Some(SlotId(load::SLOTS - 1)), ..rule };
    table.chain_mut(CHAIN).context("FORWARD is there")?.rules.insert(at, rule);
    let changes = Changes::between(&before, table).context("chains are the same")?;
    compile::edit(compiled, table, &changes, &mut compile::Context::new(load::SLOTS)).context("the rule can be enforced")
}

/// A copy with room for one more rule, as there is in a table that has had an edit before.
fn with_room(table: &Table<Ipv4>) -> Table<Ipv4> {
    let mut table = table.clone();
    table.rules.reserve(1);
    table.l4_tests.reserve(1);
    table.matches.reserve(1);
    table
}

/// What each stage takes of an edit that follows another one, as all do but the first: then there is a table to make it in.
fn edit(what: &str, set: &mut RuleSet, compiled: Table<Ipv4>, bound: &Table<Ipv4>, limits: &Limits) -> Result<Vec<Figure>> {
    let middle = compiled.rules.len() / 2;
    let (compiled, first) = one_more(compiled, set, middle)?;
    let mut running = bound.clone().edited(&first, limits)?;
    running.bind_edited(&PORTS, bound, &first);
    // Of the one that is edited there is one each time.
    let copies = || -> Vec<Table<Ipv4>> { (0..TIMES).map(|_| with_room(&running)).collect() };
    let mut before: Vec<Table<Ipv4>> = copies();
    let compile_one = |table| one_more(table, &mut set.clone(), middle);
    let (_, edit) = compile_one(compiled.clone())?;
    let bytes = image::encode_edit(&edit);
    let mut bound: Vec<Table<Ipv4>> = copies().into_iter().map(|table| table.edited(&edit, limits)).collect::<Result<_, _>>()?;
    let mut compiled: Vec<Table<Ipv4>> = (0..TIMES).map(|_| with_room(&compiled)).collect();
    let mut kept = Vec::new();
    let mut keep = |table: Option<Table<Ipv4>>| kept.extend(table);
    let figures = [
        ("compile", fastest(|| keep(compiled.pop().and_then(|table| compile_one(table).ok()).map(|(table, _)| table)))),
        ("write the image", fastest(|| image::encode_edit(&edit))),
        ("send it", fastest(|| sent(&bytes))),
        ("read it", fastest(|| image::decode_edit::<Ipv4>(&bytes))),
        ("make it and verify", fastest(|| keep(before.pop().and_then(|table| table.edited(&edit, limits).ok())))),
        (
            "make and check the trees",
            fastest(|| {
                let table = bound.pop().map(|mut table| {
                    table.bind_edited(&PORTS, &running, &edit);
                    table.tree.check_edited(&table, &running, &edit.made()).map(|()| table)
                });
                keep(table.and_then(Result::ok));
            }),
        ),
    ];
    Ok(named(what, &figures))
}

/// How many lines of a restore are others.
const LINES: usize = 10;

/// What each stage takes of a restore that says the rules again but for some lines. (What follows is as of an edit of so many rules.)
fn again(what: &str, set: &RuleSet, compiled: &Table<Ipv4>, limits: &Limits) -> Result<Vec<Figure>> {
    let before = set.table(TableName::Filter).context("there is a filter table")?;
    let mut parsed = set.clone();
    let table = parsed.table_mut(TableName::Filter);
    let every = table.chain(CHAIN).context("FORWARD is there")?.rules.len() / LINES;
    let chain = table.chain_mut(CHAIN).context("FORWARD is there")?;
    for (at, rule) in chain.rules.iter_mut().enumerate() {
        rule.slot = None;
        if at % every == every / 2 {
            let number = 200 + (at / every) as u8;
            *rule = Rule { target: Target::Drop, ..Rule::any(Family::Ipv4) };
            rule.header.protocol.number = number;
        }
    }
    let resumed = || {
        let mut set = parsed.clone();
        set.table_mut(TableName::Filter).resume(before);
        set
    };
    let mut after = resumed();
    let mut slots = (load::SLOTS - LINES as u32..).map(SlotId);
    let chain = after.table_mut(TableName::Filter).chain_mut(CHAIN).context("FORWARD is there")?;
    chain.rules.change(0..chain.rules.len(), |rule| rule.slot.is_none(), |rule| rule.slot = slots.next());
    let after = after.table(TableName::Filter).context("there is a filter table")?;
    let changes = || Changes::between(before, after);
    let changed = changes().context("chains are the same")?;
    let mut compiled: Vec<Table<Ipv4>> = (0..TIMES).map(|_| with_room(compiled)).collect();
    let mut kept = Vec::new();
    let mut edit = || {
        let edited = compile::edit(compiled.pop()?, after, &changed, &mut compile::Context::new(limits.counters));
        edited.map(|(table, edit)| {
            kept.push(table);
            edit
        })
    };
    let figures = [
        ("find what is said again", fastest(resumed)),
        ("find what is not", fastest(changes)),
        ("compile that", fastest(&mut edit)),
    ];
    ensure!(kept.len() == TIMES, "the rules can be enforced");
    Ok(named(what, &figures))
}

/// Of so many rules.
pub(crate) fn measure(count: u32) -> Result<Vec<Figure>> {
    let text = stateful(count);
    let mut set = load::rule_set(&text);
    let parse = fastest(|| load::parse(&text));
    let print = fastest(|| load::print(&set));
    let figure = |stage, value| Figure { name: format!("{count} rules, {stage}"), value, unit: "ns".to_owned() };
    let mut figures = vec![figure("parse and check", parse), figure("print", print)];
    let (all, compiled, bound) = whole(&format!("{count} rules"), &set)?;
    figures.extend(all);
    let (_, limits) = load::filter(&set);
    figures.extend(again(&format!("{count} rules again but for {LINES} lines"), &set, &compiled, &limits)?);
    figures.extend(edit(&format!("one more than {count} rules"), &mut set, compiled, &bound, &limits)?);
    Ok(figures)
}
