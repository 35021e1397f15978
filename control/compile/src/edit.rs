//! Compiles what changed of a table, beside what was compiled of it before.

use std::collections::HashMap;

use packet::Family;
use program::edit::Lengths;
use program::{ChainEdit, ChainId, Listed, Table, TableEdit};
use rules::ChainName;

use crate::chains;
use crate::changes::{Changes, Place};
use crate::context::Context;
use crate::lower::Lowering;

/// The compiled table after some changes, and the edit that makes it of the one before. `None` where that cannot be, or what is new cannot be
/// enforced: compiling the whole table says why. The context is as before then.
///
/// `after` is the table to which the changes lead; every rule and built-in chain of it has its counter slot.
pub fn edit<F: Family>(
    table: Table<F>,
    after: &rules::Table,
    changes: &Changes,
    context: &mut Context,
) -> Option<(Table<F>, TableEdit<F>)> {
    let labels = context.label_count();
    let edited = lower(table, after, changes, context).and_then(|(table, edit)| {
        let table = table.edited(&edit, &context.limits()).ok()?;
        Some((table, edit))
    });
    if edited.is_none() {
        context.forget_labels_from(labels);
    }
    edited
}

fn lower<F: Family>(
    mut table: Table<F>,
    after: &rules::Table,
    changes: &Changes,
    context: &mut Context,
) -> Option<(Table<F>, TableEdit<F>)> {
    let follows = Lengths::of(&table);
    let all = std::mem::take(&mut table.chains);
    let before = Numbers::of(all.iter().map(|chain| (&*chain.name, chain.policy.is_some())));
    let listing = match changes.has_other_chains() {
        false => None,
        true => Some(listing(after, &changes.renamed, &before)?),
    };
    let numbers = match &listing {
        None => before,
        Some(listing) => Numbers::of(listing.iter().map(|chain| (&*chain.name, chain.policy.is_some()))),
    };
    let id_of = |name: &ChainName| numbers.get(name);
    let mut places: Vec<(ChainId, &Place)> =
        changes.places.iter().map(|place| Some((id_of(&place.chain)?, place))).collect::<Option<_>>()?;
    places.sort_by_key(|(id, place)| (*id, place.at));
    let mut lowering = Lowering::following(table, &id_of, context);
    let mut chains = Vec::with_capacity(places.len());
    for (chain, place) in places {
        let number = |count: usize| u32::try_from(count).ok();
        let (at, removed, added) = (number(place.at)?, number(place.removed)?, number(place.rules.len())?);
        chains.push(ChainEdit { chain, at, removed, added });
        place.rules.iter().try_for_each(|rule| lowering.rule(rule)).ok()?;
    }
    let mut table = lowering.table;
    let added = follows.cut(&mut table);
    table.chains = all;
    Some((table, TableEdit { follows, listing, chains, added }))
}

/// All chains of a table, each with the number that it had.
fn listing(table: &rules::Table, renamed: &[(ChainName, ChainName)], before: &Numbers<'_>) -> Option<Vec<Listed>> {
    let old_names: HashMap<&ChainName, &ChainName> = renamed.iter().map(|(old, new)| (new, old)).collect();
    let listed = |chain: &rules::Chain| {
        let old = old_names.get(&chain.name).copied().unwrap_or(&chain.name);
        Some(Listed { name: chain.name.to_string(), policy: chains::policy(chain).ok()?, before: before.get(old) })
    };
    table.chains().map(listed).collect()
}

/// The numbers of chains in the order in which a table lists them: built-in ones, then the others by name.
struct Numbers<'a> {
    builtin: Vec<&'a str>,
    user: Vec<&'a str>,
}

impl<'a> Numbers<'a> {
    fn of(chains: impl Iterator<Item = (&'a str, bool)>) -> Self {
        let (builtin, user): (Vec<_>, Vec<_>) = chains.partition(|(_, is_builtin)| *is_builtin);
        let names = |chains: Vec<(&'a str, bool)>| chains.into_iter().map(|(name, _)| name).collect();
        Self { builtin: names(builtin), user: names(user) }
    }

    fn get(&self, name: &str) -> Option<ChainId> {
        let among_user = || self.user.binary_search(&name).ok().map(|at| self.builtin.len() + at);
        self.builtin.iter().position(|chain| *chain == name).or_else(among_user).map(|at| ChainId(at as u32))
    }
}
