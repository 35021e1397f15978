//! The compiled program does what the rules say: random rule sets, sent through compiler, image and evaluator, against the reference.

mod content;
mod edits;
mod env;
mod names;
mod packets;
mod rulesets;
mod sets;

use std::collections::HashMap;

use env::{Loaded, PacketEnv};
use packet::Ipv4;
use packets::{Arrival, INTERFACES};
use program::eval::{self, Verdict as Ran};
use program::{WallTime, image};
use proptest::prelude::*;
use reference::sets::Sets;
use reference::{Facts, Model, Outcome, Place, Surroundings, Verdict};
use rules::{Hook, RuleSet, SlotId, TableName};

/// Gives every rule and every policy its slot; the answer is what stands at which.
fn give_slots(set: &mut RuleSet) -> HashMap<u32, Place> {
    let mut places = HashMap::new();
    for table in set.tables_mut() {
        let name = table.name;
        for chain in table.chains_mut() {
            let mut slot = |number| {
                let slot = places.len() as u32;
                places.insert(slot, Place { table: name, chain: chain.name.clone(), number });
                Some(SlotId(slot))
            };
            if chain.policy.is_some() {
                chain.slot = slot(0);
            }
            for (number, rule) in (1..).zip(&mut chain.rules) {
                rule.slot = slot(number);
            }
        }
    }
    places
}

/// The table as a dataplane has it: compiled, sent as bytes, read back, bound to this box's interfaces.
fn load(set: &RuleSet, table: TableName, slots: u32, sets: Sets) -> Result<Loaded, TestCaseError> {
    let mut context = compile::Context::new(slots);
    let rules = set.table(table).expect("the generator loads the table");
    let compiled = compile::table::<Ipv4>(rules, &mut context).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let bytes = image::encode_table(&compiled);
    let decoded = image::decode_table::<Ipv4>(&bytes, &context.limits()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&compiled, &decoded, "an image keeps the table");
    let mut names = vec![""];
    names.extend(INTERFACES);
    let mut table = decoded;
    table.bind(&names);
    Ok(Loaded::new(table, context.labels().to_vec(), sets))
}

fn program_hook(hook: Hook) -> program::Hook {
    match hook {
        Hook::Prerouting => program::Hook::Prerouting,
        Hook::Input => program::Hook::Input,
        Hook::Forward => program::Hook::Forward,
        Hook::Output => program::Hook::Output,
        Hook::Postrouting => program::Hook::Postrouting,
    }
}

/// Sends the packets through both and compares everything after each.
fn same(mut set: RuleSet, table: TableName, arrivals: &[Arrival], sets: &Sets) -> Result<(), TestCaseError> {
    let places = give_slots(&mut set);
    let mut loaded = load(&set, table, places.len() as u32, sets.clone())?;
    let mut model = Model::with_sets(&set, sets.clone());
    let mut now = 0;
    for (number, arrival) in arrivals.iter().enumerate() {
        now += arrival.later_by;
        let hook = table.hooks()[arrival.hook % table.hooks().len()];
        let before = arrival.facts(hook);

        let mut expected = before.clone();
        let mut bits = packets::random(arrival.seed);
        let WallTime { seconds, minutes_west } = arrival.wall;
        let mut around = Surroundings { now, clock: seconds as u64, minutes_west, random: &mut bits };
        let outcome = model.table(table, hook, &mut expected, &mut around);
        let next_bits = bits();

        let mut bits = packets::random(arrival.seed);
        let mut env =
            PacketEnv::new(before, (&mut loaded.memory, &mut loaded.names), &loaded.labels, (now, arrival.wall), &mut bits);
        let verdict = eval::run(&loaded.table, program_hook(hook), &mut env);
        let (after, counted, done) = env.finish();
        let counted: Vec<Place> = counted.iter().map(|slot| places[&slot.0].clone()).collect();
        let verdict = match verdict {
            Ran::Accept => Verdict::Accept,
            Ran::Drop(rule) => Verdict::Drop(places[&loaded.table.rules[rule.index()].counter.0].clone()),
            Ran::PolicyDrop => Verdict::Drop(counted.last().expect("a policy that drops counts").clone()),
            Ran::HotDrop => Verdict::HotDrop,
        };

        let Outcome { verdict: wanted, counted: wanted_counted, done: wanted_done } = outcome;
        let which = format!("packet {number} at {hook:?}");
        prop_assert_eq!(verdict, wanted, "{}: verdict", &which);
        prop_assert_eq!(counted, wanted_counted, "{}: counters", &which);
        prop_assert_eq!(done, wanted_done, "{}: what has to be done", &which);
        compare(&after, &expected, &which)?;
        prop_assert_eq!(bits(), next_bits, "{}: as many random numbers were drawn", &which);
    }
    Ok(())
}

fn compare(after: &Facts<Ipv4>, expected: &Facts<Ipv4>, which: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(after.header, expected.header, "{}: header", which);
    prop_assert_eq!(after.mark, expected.mark, "{}: mark", which);
    prop_assert_eq!(&after.label, &expected.label, "{}: label", which);
    prop_assert_eq!(&after.tracking, &expected.tracking, "{}: tracking", which);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn raw((set, arrivals, sets) in (rulesets::of(TableName::Raw), packets::arrivals(), sets::all())) {
        same(set, TableName::Raw, &arrivals, &sets)?;
    }

    #[test]
    fn mangle((set, arrivals, sets) in (rulesets::of(TableName::Mangle), packets::arrivals(), sets::all())) {
        same(set, TableName::Mangle, &arrivals, &sets)?;
    }

    #[test]
    fn nat((set, arrivals, sets) in (rulesets::of(TableName::Nat), packets::arrivals(), sets::all())) {
        same(set, TableName::Nat, &arrivals, &sets)?;
    }

    #[test]
    fn filter((set, arrivals, sets) in (rulesets::of(TableName::Filter), packets::arrivals(), sets::all())) {
        same(set, TableName::Filter, &arrivals, &sets)?;
    }

    #[test]
    fn security((set, arrivals, sets) in (rulesets::of(TableName::Security), packets::arrivals(), sets::all())) {
        same(set, TableName::Security, &arrivals, &sets)?;
    }
}
