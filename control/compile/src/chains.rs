//! Chains: their order, their ids, hooks and policies, and the rules one after the other.

use std::collections::HashMap;

use packet::Family;
use program::{Chain, ChainId, CounterSlot, Hook, IdRange, Policy, Table};
use rules::ChainName;

use crate::context::Context;
use crate::error::{CompileError, Reason};
use crate::limits;
use crate::lower::Lowering;

/// Compiles a table: built-in chains in hook order, then user chains by name, as they are listed.
pub(crate) fn table<F: Family>(rules: &rules::Table, context: &mut Context) -> Result<Table<F>, CompileError> {
    let fail = |chain: &rules::Chain, rule: Option<usize>, reason| CompileError {
        table: rules.name,
        chain: Some(chain.name.clone()),
        rule,
        reason,
    };
    let ids: HashMap<ChainName, ChainId> = rules.chains().map(|chain| chain.name.clone()).zip((0..).map(ChainId)).collect();
    let id_of = |name: &ChainName| ids.get(name).copied();
    let mut lowering = Lowering::<F>::new(crate::kind(rules.name), &id_of, context);
    for chain in rules.chains() {
        let first = lowering.rule_count();
        let policy = policy(chain).map_err(|reason| fail(chain, None, reason))?;
        for (number, rule) in (1..).zip(&chain.rules) {
            lowering.rule(rule).map_err(|reason| fail(chain, Some(number), reason))?;
        }
        let run = IdRange { first, len: lowering.rule_count() - first };
        lowering.table.chains.push(Chain { name: chain.name.to_string(), rules: run, policy });
    }
    let mut table = lowering.table;
    for hook in Hook::ALL {
        table.hooks[hook as usize] = rules.at_hook(rules_hook(hook)).and_then(|chain| ids.get(&chain.name)).copied();
    }
    table.needs_tracking = table.rules_need_tracking();
    limits::check(&table, rules, &context.limits())?;
    Ok(table)
}

/// What becomes of packets at the end of a chain; a user chain has no such thing.
pub(crate) fn policy(chain: &rules::Chain) -> Result<Option<Policy>, Reason> {
    let Some(policy) = chain.policy else { return Ok(None) };
    let counter = CounterSlot(chain.slot.ok_or(Reason::NoSlot)?.0);
    let accept = match policy {
        rules::Policy::Accept => true,
        rules::Policy::Drop => false,
    };
    Ok(Some(Policy { accept, counter }))
}

fn rules_hook(hook: Hook) -> rules::Hook {
    match hook {
        Hook::Prerouting => rules::Hook::Prerouting,
        Hook::Input => rules::Hook::Input,
        Hook::Forward => rules::Hook::Forward,
        Hook::Output => rules::Hook::Output,
        Hook::Postrouting => rules::Hook::Postrouting,
    }
}
