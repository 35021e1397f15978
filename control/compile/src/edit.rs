//! Compiles what changed of a table, beside what was compiled of it before.

use packet::Family;
use program::edit::Lengths;
use program::{ChainEdit, ChainId, Table, TableEdit};
use rules::{ChainName, Rule};

use crate::context::Context;
use crate::lower::Lowering;

/// Rules of a chain that changed.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Which chain.
    pub chain: &'a ChainName,
    /// The position of the first rule that changed.
    pub at: usize,
    /// So many are gone.
    pub removed: usize,
    /// And these are there in their place.
    pub rules: &'a [Rule],
}

/// The compiled table after some changes, and the edit that makes it of the one before. `None` where that cannot be, or what is new cannot be
/// enforced: compiling the whole table says why. The context is as before then.
///
/// A chain is named by one change at most, every rule has its counter slot, and chains and policies are those of before.
pub fn edit<F: Family>(table: Table<F>, changes: &[Change<'_>], context: &mut Context) -> Option<(Table<F>, TableEdit<F>)> {
    let labels = context.label_count();
    let edited = lower(table, changes, context).and_then(|(table, edit)| {
        let table = table.edited(&edit, &context.limits()).ok()?;
        Some((table, edit))
    });
    if edited.is_none() {
        context.forget_labels_from(labels);
    }
    edited
}

fn lower<F: Family>(mut table: Table<F>, changes: &[Change<'_>], context: &mut Context) -> Option<(Table<F>, TableEdit<F>)> {
    let follows = Lengths::of(&table);
    let all = std::mem::take(&mut table.chains);
    let id_of = |name: &ChainName| all.iter().position(|chain| *chain.name == **name).map(|at| ChainId(at as u32));
    let mut changes: Vec<(ChainId, &Change<'_>)> =
        changes.iter().map(|change| Some((id_of(change.chain)?, change))).collect::<Option<_>>()?;
    changes.sort_by_key(|(id, _)| *id);
    let mut lowering = Lowering::following(table, &id_of, context);
    let mut chains = Vec::with_capacity(changes.len());
    for (chain, change) in changes {
        let number = |count: usize| u32::try_from(count).ok();
        let (at, removed, added) = (number(change.at)?, number(change.removed)?, number(change.rules.len())?);
        chains.push(ChainEdit { chain, at, removed, added });
        change.rules.iter().try_for_each(|rule| lowering.rule(rule)).ok()?;
    }
    let mut table = lowering.table;
    let added = follows.cut(&mut table);
    table.chains = all;
    Some((table, TableEdit { follows, chains, added }))
}
