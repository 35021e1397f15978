//! Chains: their runs of rules, their hooks and policies, and where jumps lead.

use packet::Family;

use super::{Fault, Limits, MAX_CHAIN_NAME, Place, VerifyError, rule};
use crate::eval::{MAX_DEPTH, MAX_STEPS};
use crate::id::{ChainId, RuleIndex};
use crate::rule::Target;
use crate::table::{Hook, Table, TableKind};

/// Hooks and policies fit the kind of table; the chains' rules stand one after the other and are all there is.
pub(super) fn shape<F: Family>(table: &Table<F>, limits: &Limits) -> Result<(), VerifyError> {
    let mut next = 0;
    for (index, chain) in table.chains.iter().enumerate() {
        let place = Place::Chain(ChainId(index as u32));
        if chain.name.len() > MAX_CHAIN_NAME {
            let fault = Fault::TooMany { what: "bytes of a chain name", found: chain.name.len(), most: MAX_CHAIN_NAME };
            return Err(fault.at(place));
        }
        if chain.rules.first != next {
            return Err(Fault::NotInARow.at(place));
        }
        next = match chain.rules.end() {
            Some(end) if end as usize <= table.rules.len() => end,
            _ => {
                let index = u64::from(chain.rules.first) + u64::from(chain.rules.len);
                return Err(Fault::OutOfRange { array: "rules", index, len: table.rules.len() }.at(place));
            }
        };
        if let Some(policy) = chain.policy {
            if !table.hooks.contains(&Some(ChainId(index as u32))) {
                return Err(Fault::PolicyWithoutHook.at(place));
            }
            if !policy.accept && table.kind == TableKind::Nat {
                return Err(Fault::NatDrops.at(place));
            }
            rule::counter(policy.counter, limits).map_err(|fault| fault.at(place))?;
        }
    }
    if next as usize != table.rules.len() {
        return Err(Fault::NotInARow.at(Place::Table));
    }
    hooks(table).map_err(|fault| fault.at(Place::Table))
}

fn hooks<F: Family>(table: &Table<F>) -> Result<(), Fault> {
    for hook in Hook::ALL {
        match (table.base_chain(hook), table.kind.hooks().contains(&hook)) {
            (None, false) => {}
            (None, true) => return Err(Fault::HookMissing(hook)),
            (Some(_), false) => return Err(Fault::HookForeign(table.kind, hook)),
            (Some(base), true) => {
                let Some(chain) = table.chains.get(base.index()) else {
                    return Err(Fault::OutOfRange { array: "chains", index: base.0.into(), len: table.chains.len() });
                };
                let shared = table.hooks.iter().filter(|other| **other == Some(base)).count() > 1;
                if shared || chain.policy.is_none() {
                    return Err(Fault::HookChain(hook));
                }
            }
        }
    }
    Ok(())
}

/// Follows every jump from every hook: no loop, no more than [`MAX_DEPTH`] waiting chains, no more than [`MAX_STEPS`] rules for one packet, no
/// target at a hook where it cannot act.
///
/// Chains that no hook reaches may form loops, as in the kernel: no packet ever finds out. Jumps are known to lead to a chain. The answer is on how
/// many ways a packet can come to each chain, and how many rules it can meet.
pub(super) fn ways<F: Family>(table: &Table<F>) -> Result<(Vec<u64>, u64), VerifyError> {
    let order = callers_first(table)?;
    let most = steps(table, &order)?;
    let mut reached = Vec::new();
    reached.try_reserve_exact(table.chains.len())?;
    reached.resize(table.chains.len(), Reach::default());
    for hook in Hook::ALL {
        if let Some(base) = table.base_chain(hook) {
            let base = &mut reached[base.index()];
            base.hooks |= 1 << hook as u8;
            base.ways += 1;
        }
    }
    for chain in order {
        let here = reached[chain.index()];
        for (index, target) in targets(table, chain) {
            let place = Place::Rule(index);
            for hook in Hook::ALL.into_iter().filter(|hook| here.hooks & 1 << *hook as u8 != 0) {
                rule::target_hook(table, target, hook).map_err(|fault| fault.at(place))?;
            }
            let (to, waiting) = match *target {
                Target::Jump(to) => (to, here.waiting + 1),
                Target::Goto(to) => (to, here.waiting),
                _ => continue,
            };
            if waiting as usize > MAX_DEPTH {
                return Err(Fault::TooDeep.at(place));
            }
            let there = &mut reached[to.index()];
            there.hooks |= here.hooks;
            there.waiting = there.waiting.max(waiting);
            there.ways = there.ways.saturating_add(here.ways);
        }
    }
    Ok((reached.into_iter().map(|reach| reach.ways).collect(), most))
}

/// Adds up the rules that one packet could meet: its chain's and, for each jump, those of the chain that it leads to. The answer is the most.
fn steps<F: Family>(table: &Table<F>, callers_first: &[ChainId]) -> Result<u64, VerifyError> {
    let mut steps: Vec<u64> = Vec::new();
    steps.try_reserve_exact(table.chains.len())?;
    steps.resize(table.chains.len(), 0);
    for chain in callers_first.iter().rev() {
        let mut here = 0u64;
        for (index, target) in targets(table, *chain) {
            here += 1;
            if let Target::Jump(to) | Target::Goto(to) = *target {
                here += steps[to.index()];
            }
            // Checked at each rule, so that the sum cannot overflow.
            if here > MAX_STEPS {
                return Err(Fault::TooManySteps.at(Place::Rule(index)));
            }
        }
        steps[chain.index()] = here;
    }
    Ok(steps.into_iter().max().unwrap_or(0))
}

/// What is known of a chain once all its callers were looked at.
#[derive(Clone, Copy, Default)]
struct Reach {
    /// Hooks from which packets come here, one bit each.
    hooks: u8,
    /// Most chains that wait for a return while this one is walked.
    waiting: u32,
    /// On how many ways.
    ways: u64,
}

/// The chains that some hook reaches, every caller before the chains it calls: depth-first search without recursion.
fn callers_first<F: Family>(table: &Table<F>) -> Result<Vec<ChainId>, VerifyError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        Open,
        Done,
    }
    let mut seen = Vec::new();
    seen.try_reserve_exact(table.chains.len())?;
    seen.resize(table.chains.len(), Seen::Not);
    let mut order = Vec::new();
    let mut open: Vec<(ChainId, u32)> = Vec::new();
    for base in table.hooks.iter().flatten() {
        if seen[base.index()] == Seen::Not {
            seen[base.index()] = Seen::Open;
            open.push((*base, 0));
        }
        while let Some((chain, from)) = open.last_mut() {
            let run = table.chains[chain.index()].rules;
            let Some(rule) = run.of(&table.rules).get(*from as usize) else {
                seen[chain.index()] = Seen::Done;
                order.push(*chain);
                open.pop();
                continue;
            };
            let place = Place::Rule(RuleIndex(run.first + *from));
            *from += 1;
            if let Target::Jump(to) | Target::Goto(to) = rule.target {
                match seen[to.index()] {
                    Seen::Not => {
                        seen[to.index()] = Seen::Open;
                        open.push((to, 0));
                    }
                    Seen::Open => return Err(Fault::Loop.at(place)),
                    Seen::Done => {}
                }
            }
        }
    }
    order.reverse();
    Ok(order)
}

fn targets<F: Family>(table: &Table<F>, chain: ChainId) -> impl Iterator<Item = (RuleIndex, &Target)> {
    let run = table.chains[chain.index()].rules;
    (run.first..).map(RuleIndex).zip(run.of(&table.rules).iter().map(|rule| &rule.target))
}
