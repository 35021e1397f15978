//! The last look at a finished table, by the same eyes as the dataplane's, with errors that name chains and rules as users know them.

use packet::Family;
use program::verify::{self, Limits, Place, VerifyError};
use program::{ChainId, RuleIndex, Table};

use crate::error::{CompileError, Reason};

/// Verifies the table that was compiled from `rules`, chain by chain in their order.
pub(crate) fn check<F: Family>(table: &Table<F>, rules: &rules::Table, limits: &Limits) -> Result<(), CompileError> {
    verify::table(table, limits).map_err(|VerifyError { place, fault }| {
        let (chain, rule) = match place {
            Place::Table => (None, None),
            Place::Chain(chain) => (Some(chain), None),
            Place::Rule(rule) => owner(table, rule),
        };
        CompileError {
            table: rules.name,
            chain: chain.and_then(|id| rules.chains().nth(id.index())).map(|chain| chain.name.clone()),
            rule,
            reason: Reason::Fault(fault),
        }
    })
}

/// The chain of a rule, and its number there, counted from 1.
fn owner<F: Family>(table: &Table<F>, rule: RuleIndex) -> (Option<ChainId>, Option<usize>) {
    let holds = |chain: &program::Chain| (chain.rules.first..chain.rules.first + chain.rules.len).contains(&rule.0);
    match table.chains.iter().position(holds) {
        Some(index) => (Some(ChainId(index as u32)), Some((rule.0 - table.chains[index].rules.first) as usize + 1)),
        None => (None, None),
    }
}
