//! Edits, one after the other: the table that they make says and answers what one does that is compiled of all rules.

use std::sync::Arc;

use compile::{Changes, Context};
use packet::Ipv4;
use program::edit::Origin;
use program::header_test::Interfaces;
use program::{ChainId, Change, InterfaceId, Table, Tables, explain, image, verify};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use rules::{ChainName, Family, Policy, Rule, RuleSet, SlotId, TableName, Target};

use crate::packets::{self, Arrival, INTERFACES};
use crate::{give_slots, rulesets};

/// Some rules of chains are replaced by those that the same chain has in another rule set, and chains may come, go, and get other names and policies.
#[derive(Clone, Debug)]
struct Edit {
    places: Vec<(Index, Index, usize)>,
    donor: RuleSet,
    chains: Option<Chains>,
}

/// What becomes of chains.
#[derive(Clone, Debug)]
enum Chains {
    /// Another policy of one.
    Policy(Index),
    /// A new one, with the rules of one of the other rule set.
    New(Index),
    /// A user chain gets another name.
    Renamed(Index),
    /// A user chain goes, with all that leads to it.
    Gone(Index),
}

fn edit(table: TableName) -> impl Strategy<Value = Edit> {
    let place = (any::<Index>(), any::<Index>(), 0..4usize);
    let chains = (0..4, any::<Index>()).prop_map(|(what, chain)| match what {
        0 => Chains::Policy(chain),
        1 => Chains::New(chain),
        2 => Chains::Renamed(chain),
        _ => Chains::Gone(chain),
    });
    (vec(place, 0..4), rulesets::of(table), proptest::option::of(chains)).prop_map(|(places, donor, chains)| Edit {
        places,
        donor,
        chains,
    })
}

/// The rules of a donor's chain, with slots, but for those that lead to chains that this table does not have.
fn with_slots(donor: &rules::Table, table: &rules::Table, chain: &str, next_slot: &mut u32) -> Vec<Rule> {
    let rules = donor.chain(chain).into_iter().flat_map(|chain| &chain.rules);
    let rules = rules.filter(|rule| rule.target.chain().is_none_or(|name| table.chain(name).is_some()));
    let with_slot = |rule: &Rule| {
        *next_slot += 1;
        Rule { slot: Some(SlotId(*next_slot)), ..rule.clone() }
    };
    rules.map(with_slot).collect()
}

/// Makes one edit of a table. The answer is the old and the new name of a chain that has another one.
fn make(table: &mut rules::Table, edit: &Edit, next_slot: &mut u32) -> Option<(ChainName, ChainName)> {
    let name = table.name;
    let donor = edit.donor.table(name).expect("it has the same table");
    let names: Vec<_> = table.chains().map(|chain| chain.name.clone()).collect();
    for (chain, at, removed) in &edit.places {
        let rules = with_slots(donor, table, &names[chain.index(names.len())], next_slot);
        let chain = table.chain_mut(&names[chain.index(names.len())]).expect("it is there");
        let at = at.index(chain.rules.len() + 1);
        let end = (at + removed).min(chain.rules.len());
        chain.rules.replace(at..end, rules);
    }
    let user: Vec<_> = table.user_chains().map(|chain| chain.name.clone()).collect();
    match &edit.chains {
        Some(Chains::Policy(chain)) if name != TableName::Nat => {
            let chain = table.chain_mut(name.hooks()[chain.index(name.hooks().len())].chain_name()).expect("it is built in");
            chain.policy = chain.policy.map(|policy| if policy == Policy::Drop { Policy::Accept } else { Policy::Drop });
        }
        Some(Chains::New(chain)) => {
            let new = ChainName::new(&format!("{}new{next_slot}", ["A", "z"][chain.index(2)]));
            let rules = with_slots(donor, table, &names[chain.index(names.len())], next_slot);
            table.add_chain(new.clone());
            table.chain_mut(&new).expect("it was just made").rules.extend(rules);
            *next_slot += 1;
            let jump = Rule { slot: Some(SlotId(*next_slot)), target: Target::Jump(new), ..Rule::any(Family::Ipv4) };
            table.chain_mut(name.hooks()[0].chain_name()).expect("it is built in").rules.push(jump);
        }
        Some(Chains::Renamed(chain)) if !user.is_empty() => {
            let (old, new) = (user[chain.index(user.len())].clone(), ChainName::new(&format!("m{next_slot}")));
            table.rename_chain(&old, new.clone());
            return Some((old, new));
        }
        Some(Chains::Gone(chain)) if !user.is_empty() => {
            let gone = &user[chain.index(user.len())];
            for chain in table.chains_mut() {
                let left = chain.rules.iter().filter(|rule| rule.target.chain() != Some(gone)).cloned().collect();
                chain.rules = left;
            }
            table.remove_chain(gone);
        }
        _ => {}
    }
    None
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
        let before = set.table(name).expect("it is loaded").clone();
        let renamed = make(set.table_mut(name), edit, &mut next_slot);
        let table = set.table(name).expect("it is loaded");
        let changes = Changes::between(&before, table).expect("built-in chains stay");
        // One whose rules changed as well may be told as another chain.
        prop_assert!(changes.renamed.is_empty() || changes.renamed == Vec::from_iter(renamed));
        let whole = compile::table::<Ipv4>(table, &mut context.clone());
        let edited = compile::edit(compiled.clone(), table, &changes, &mut context);
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
        prop_assert_eq!(next.tree.check_edited(&next, &running, &sent.made()), Ok(()));
        prop_assert_eq!(in_words(&next, labels), in_words(whole, labels));
        answers(&next, name, arrivals)?;
        let tables = |table: &Table<Ipv4>| {
            let mut tables = Tables::default();
            tables.tables[table.kind as usize] = Some(Arc::new(table.clone()));
            tables
        };
        let apart = Table { origin: Origin::default(), ..next.clone() };
        let [told, found] = [&next, &apart].map(|now| Change::between(&tables(&running), &tables(now)));
        // Without being told, a chain of another name is another one.
        if changes.renamed.is_empty() {
            prop_assert_eq!(format!("{told:?}"), format!("{found:?}"), "what packets have to be judged anew");
        }
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
