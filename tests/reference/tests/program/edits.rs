//! Edits, one after the other: the table that they make says and answers what one does that is compiled of all rules.

use std::sync::Arc;

use compile::{Change as Changed, Context};
use packet::Ipv4;
use program::edit::Origin;
use program::header_test::Interfaces;
use program::{ChainId, Change, InterfaceId, Table, Tables, explain, image, verify};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use rules::{Chain, RuleSet, SlotId, TableName};

use crate::packets::{self, Arrival, INTERFACES};
use crate::{give_slots, rulesets};

/// Some rules of a chain are replaced by those that the same chain has in another rule set.
#[derive(Clone, Debug)]
struct Edit {
    chains: Vec<(Index, Index, usize)>,
    donor: RuleSet,
}

fn edit(table: TableName) -> impl Strategy<Value = Edit> {
    let chain = (any::<Index>(), any::<Index>(), 0..4usize);
    (vec(chain, 1..3), rulesets::of(table)).prop_map(|(chains, donor)| Edit { chains, donor })
}

/// Makes one edit of a rule set; where each chain changed, and how many rules went and came.
fn make(set: &mut RuleSet, name: TableName, edit: &Edit, next_slot: &mut u32) -> Vec<(usize, usize, usize, usize)> {
    let mut changes: Vec<(usize, usize, usize, usize)> = Vec::new();
    let names: Vec<_> = set.table_mut(name).chains().map(|chain| chain.name.clone()).collect();
    for (chain, at, removed) in &edit.chains {
        let number = chain.index(names.len());
        if changes.iter().any(|(other, ..)| *other == number) {
            continue;
        }
        let donor = edit.donor.table(name).and_then(|table| table.chain(&names[number])).expect("all have the same chains");
        let mut rules: Vec<_> = donor.rules.iter().cloned().collect();
        for rule in &mut rules {
            rule.slot = Some(SlotId(*next_slot));
            *next_slot += 1;
        }
        let chain = set.table_mut(name).chain_mut(&names[number]).expect("it is there");
        let at = at.index(chain.rules.len() + 1);
        let end = (at + removed).min(chain.rules.len());
        changes.push((number, at, end - at, rules.len()));
        chain.rules.replace(at..end, rules);
    }
    changes
}

fn same(mut set: RuleSet, name: TableName, edits: &[Edit], arrivals: &[Arrival]) -> Result<(), TestCaseError> {
    const SLOTS: u32 = 100_000;
    give_slots(&mut set);
    let names: Vec<&str> = [""].into_iter().chain(INTERFACES).collect();
    let mut next_slot = 50_000;
    let mut context = Context::new(SLOTS);
    let mut compiled =
        compile::table::<Ipv4>(set.table(name).expect("it is loaded"), &mut context).expect("the generator's are good");
    // The dataplane's.
    let mut running = compiled.clone();
    running.bind(&names);
    for edit in edits {
        let changes = make(&mut set, name, edit, &mut next_slot);
        let table = set.table(name).expect("it is loaded");
        let chains: Vec<&Chain> = table.chains().collect();
        let rules: Vec<Vec<_>> = changes
            .iter()
            .map(|(chain, at, _, added)| chains[*chain].rules.iter().skip(*at).take(*added).cloned().collect())
            .collect();
        let changes: Vec<Changed<'_>> = changes
            .iter()
            .zip(&rules)
            .map(|((chain, at, removed, _), rules)| Changed { chain: &chains[*chain].name, at: *at, removed: *removed, rules })
            .collect();
        let whole = compile::table::<Ipv4>(table, &mut context.clone());
        let edited = compile::edit(compiled.clone(), &changes, &mut context);
        let (Ok(whole), Some((after, edit))) = (&whole, &edited) else {
            prop_assert!(whole.is_err() && edited.is_none(), "{:?} {:?}", whole.err(), edited.is_some());
            return Ok(());
        };
        let labels = context.labels();
        prop_assert_eq!(in_words(after, labels), in_words(whole, labels));
        prop_assert_eq!(verify::table(after, &context.limits()), Ok(()));
        let sent = image::decode_edit::<Ipv4>(&image::encode_edit(edit)).expect("it was just written");
        prop_assert_eq!(&sent, edit);
        let mut next = running.clone().edited(&sent, &context.limits()).expect("the compiler has made it as well");
        next.bind_edited(&names, &running, &sent);
        prop_assert_eq!(next.tree.check_edited(&next, &running, &sent.chains), Ok(()));
        prop_assert_eq!(in_words(&next, labels), in_words(whole, labels));
        answers(&next, name, arrivals)?;
        let tables = |table: &Table<Ipv4>| {
            let mut tables = Tables::default();
            tables.tables[table.kind as usize] = Some(Arc::new(table.clone()));
            tables
        };
        let apart = Table { origin: Origin::default(), ..next.clone() };
        let [told, found] = [&next, &apart].map(|now| Change::between(&tables(&running), &tables(now)));
        prop_assert_eq!(format!("{told:?}"), format!("{found:?}"), "what packets have to be judged anew");
        // And the whole table may follow the edited one.
        let mut whole = whole.clone();
        whole.bind_following(&names, &next);
        prop_assert_eq!(whole.tree.check(&whole, Some(&next)), Ok(()));
        (running, compiled) = (next, after.clone());
    }
    Ok(())
}

/// What a table says, but for the numbers under which it remembers things.
fn in_words(table: &Table<Ipv4>, labels: &[String]) -> String {
    let text = explain::table(table, labels);
    let mut parts = text.split("(state ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |words, part| words + "(state" + part.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}

/// Are rules found as one by one?
fn answers(table: &Table<Ipv4>, name: TableName, arrivals: &[Arrival]) -> Result<(), TestCaseError> {
    for arrival in arrivals {
        let header = arrival.facts(name.hooks()[0]).header;
        for input in 0..3 {
            let interfaces = Interfaces { sets: &table.bound, input: InterfaceId(input), output: InterfaceId(2 - input) };
            for chain in (0..table.chains.len() as u32).map(ChainId) {
                for from in 0..table.chains[chain.index()].rules.len {
                    let wanted = table.next_in_row(chain, from, &header, interfaces);
                    // A packet comes to no rule behind one that ended its way.
                    let is_there = from == 0
                        || table.next_in_row(chain, 0, &header, interfaces) == table.next_in_row(chain, from, &header, interfaces);
                    prop_assert!(!is_there || table.next(chain, from, &header, interfaces) == wanted);
                }
            }
        }
    }
    Ok(())
}

fn series(table: TableName) -> impl Strategy<Value = (RuleSet, Vec<Edit>, Vec<Arrival>)> {
    (rulesets::of(table), vec(edit(table), 1..5), packets::arrivals())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn edits_of_raw((set, edits, arrivals) in series(TableName::Raw)) {
        same(set, TableName::Raw, &edits, &arrivals)?;
    }

    #[test]
    fn edits_of_mangle((set, edits, arrivals) in series(TableName::Mangle)) {
        same(set, TableName::Mangle, &edits, &arrivals)?;
    }

    #[test]
    fn edits_of_nat((set, edits, arrivals) in series(TableName::Nat)) {
        same(set, TableName::Nat, &edits, &arrivals)?;
    }

    #[test]
    fn edits_of_filter((set, edits, arrivals) in series(TableName::Filter)) {
        same(set, TableName::Filter, &edits, &arrivals)?;
    }
}
