//! From what a rule set says to what the dataplane runs: [`rules::Table`] to [`program::Table`].
//!
//! PURE: no file, socket, thread, clock or unsafe. Equal rule sets give equal tables, so a caller finds out which tables changed by
//! comparing their images.
//!
//! | stage | keeps | loses |
//! |---|---|---|
//! | `lower` | every test and target of a rule, in order | comments, spelling |
//! | `chains` | chains in listing order, hooks, policies, counter slots | names of jump targets (they become ids) |
//! | `limits` | nothing new: looks the result through | - |
//!
//! Sets go beside: [`set_edits`] lowers what commands changed of them.
//!
//! What the language knows and the dataplane does not do is refused here, with the chain and the number of the rule: nothing is accepted
//! and then ignored. Matches and targets are closed enums, so a new one does not build until it has its arm in `lower`.
#![forbid(unsafe_code)]

mod chains;
mod changes;
mod context;
mod edit;
mod error;
mod limits;
mod lower;
mod sets;

use packet::Family;
use program::{Table, TableKind, Tables};
use rules::RuleSet;

pub use changes::{Changes, Place};
pub use context::{Context, MAX_LABEL};
pub use edit::edit;
pub use error::{CompileError, Reason};
pub use sets::{set_beside, set_edits};

/// Compiles one table. On error the context is as before.
///
/// Every rule and every built-in chain must have its counter slot.
pub fn table<F: Family>(rules: &rules::Table, context: &mut Context) -> Result<Table<F>, CompileError> {
    let labels = context.label_count();
    let result = chains::table(rules, context);
    if result.is_err() {
        context.forget_labels_from(labels);
    }
    result
}

/// Compiles every loaded table of a rule set; the others stay `None`. On error the context is as before.
pub fn tables<F: Family>(set: &RuleSet, context: &mut Context) -> Result<Tables<F>, CompileError> {
    let labels = context.label_count();
    let mut tables = Tables::default();
    for rules in set.tables() {
        match table::<F>(rules, context) {
            Ok(table) => tables.tables[kind(rules.name) as usize] = Some(table.into()),
            Err(error) => {
                context.forget_labels_from(labels);
                return Err(error);
            }
        }
    }
    Ok(tables)
}

/// The number under which a table of this name is compiled.
fn kind(name: rules::TableName) -> TableKind {
    match name {
        rules::TableName::Raw => TableKind::Raw,
        rules::TableName::Mangle => TableKind::Mangle,
        rules::TableName::Nat => TableKind::Nat,
        rules::TableName::Filter => TableKind::Filter,
        rules::TableName::Security => TableKind::Security,
    }
}
