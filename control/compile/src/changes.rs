//! What leads from one state of a table to the next: found by what both share, whatever made it.

use rules::ruleset::Pair;
use rules::{Chain, ChainName, Counters, Difference, Policy, Rule, Table};

/// What changed in a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Chains that have another name: the old one and the new one. In all else they have the new one, before the change as well.
    pub renamed: Vec<(ChainName, ChainName)>,
    /// Chains that are there no more. Their rules are gone with them.
    pub gone: Vec<ChainName>,
    /// Chains that are new.
    pub new: Vec<ChainName>,
    /// Built-in chains whose policy is another one, or has counted something already; with what it has.
    pub policies: Vec<(ChainName, Policy, Counters)>,
    /// Where rules changed; in one chain from top to bottom.
    pub places: Vec<Place>,
    /// Rules that are gone.
    pub removed: usize,
    /// A policy is another one.
    has_other_policy: bool,
}

/// What changed at one place of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Which chain.
    pub chain: ChainName,
    /// The position that the first rule that is gone had, or the one before which the new ones stand.
    pub at: usize,
    /// So many are gone.
    pub removed: usize,
    /// And these stand in their place.
    pub rules: Vec<Rule>,
}

impl Changes {
    /// What leads from one to the other. A rule is the one that was there before if it says the same and has the same slot. `None` where a built-in
    /// chain has another slot.
    pub fn between(before: &Table, after: &Table) -> Option<Changes> {
        let pairs = after.differing(Some(before));
        let changes = Changes { renamed: renamed(&pairs), ..Changes::default() };
        if changes.renamed.is_empty() {
            return changes.of_pairs(pairs);
        }
        let mut before = before.clone();
        for (old, new) in &changes.renamed {
            before.rename_chain(old, new.clone());
        }
        changes.of_pairs(after.differing(Some(&before)))
    }

    fn of_pairs(mut self, pairs: Vec<Pair<'_, Chain>>) -> Option<Changes> {
        for pair in pairs {
            match pair {
                (None, None) => {}
                (None, Some(old)) => {
                    self.gone.push(old.name.clone());
                    self.removed += old.rules.len();
                }
                (Some(now), None) => {
                    self.new.push(now.name.clone());
                    if !now.rules.is_empty() {
                        let rules = now.rules.iter().cloned().collect();
                        self.places.push(Place { chain: now.name.clone(), at: 0, removed: 0, rules });
                    }
                }
                (Some(now), Some(old)) if now.slot == old.slot => self.of_chain(old, now),
                (Some(_), Some(_)) => return None,
            }
        }
        Some(self)
    }

    fn of_chain(&mut self, before: &Chain, now: &Chain) {
        let is_other = now.policy != before.policy;
        self.has_other_policy |= is_other;
        if let Some(policy) = now.policy.filter(|_| is_other || now.counters != Counters::default()) {
            self.policies.push((now.name.clone(), policy, now.counters));
        }
        for (Difference { at, removed, added }, place) in now.rules.differences(&before.rules) {
            let rules = now.rules.iter().skip(place).take(added).cloned().collect();
            self.places.push(Place { chain: now.name.clone(), at, removed, rules });
            self.removed += removed;
        }
    }

    /// Are there other chains than before, or ones with other names or policies?
    pub fn has_other_chains(&self) -> bool {
        self.has_other_policy || !(self.renamed.is_empty() && self.gone.is_empty() && self.new.is_empty())
    }
}

/// Chains that were there before by another name: their rules say so by their slots. (Of an empty chain it makes no difference which one it was.)
fn renamed(pairs: &[Pair<'_, Chain>]) -> Vec<(ChainName, ChainName)> {
    let mut gone: Vec<&Chain> =
        pairs.iter().filter_map(|pair| if let (None, Some(old)) = *pair { Some(old) } else { None }).collect();
    let new = pairs.iter().filter_map(|pair| if let (Some(now), None) = *pair { Some(now) } else { None });
    let mut renamed = Vec::new();
    for now in new {
        let first = |chain: &Chain| chain.rules.get(0).map(|rule| rule.slot);
        let is_it = |old: &&Chain| old.rules.len() == now.rules.len() && first(old) == first(now);
        if let Some(at) = gone.iter().position(is_it) {
            renamed.push((gone.swap_remove(at).name.clone(), now.name.clone()));
        }
    }
    renamed
}
