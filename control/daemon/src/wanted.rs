//! What the rules should be: the rule sets of both families, the counter slot and baseline of each rule, and the labels that images name by
//! number.
//!
//! An edit makes a new [`Wanted`] beside the old one; the old one goes only when the new one is enforced (or, standalone, stored). What the edit did not
//! change both share.
use std::collections::HashMap;

use rules::{Counters, Difference, Family, RuleSet, Rules, SlotId, Table, TableName};

use crate::counters::{Baselines, Live};
use crate::slots::{Slots, SlotsFull};

/// The families, in the order in which everything of both is listed.
pub const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

/// The rules of each family.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSets([RuleSet; 2]);

impl Default for RuleSets {
    fn default() -> Self {
        Self(FAMILIES.map(RuleSet::new))
    }
}

impl RuleSets {
    /// Those of a family.
    pub fn of(&self, family: Family) -> &RuleSet {
        &self.0[family as usize]
    }

    /// Those of a family, to change them.
    pub fn of_mut(&mut self, family: Family) -> &mut RuleSet {
        &mut self.0[family as usize]
    }

    /// Replaces those of a family.
    pub fn put(&mut self, ruleset: RuleSet) {
        let at = ruleset.family as usize;
        self.0[at] = ruleset;
    }

    /// Both, in the order of [`FAMILIES`].
    pub fn iter(&self) -> impl Iterator<Item = &RuleSet> {
        self.0.iter()
    }

    /// Both, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut RuleSet> {
        self.0.iter_mut()
    }

    /// How often rules of both name each set.
    pub fn set_references(&self) -> HashMap<String, u64> {
        let mut counted = HashMap::new();
        let chains = self.iter().flat_map(RuleSet::tables).flat_map(Table::chains);
        for rule in chains.flat_map(|chain| &chain.rules) {
            for name in rule.sets() {
                *counted.entry(name.to_owned()).or_insert(0) += 1;
            }
        }
        counted
    }

    /// Rules of both.
    pub fn rule_count(&self) -> usize {
        self.iter().map(RuleSet::rule_count).sum()
    }
}

/// The wanted rules and where they count. Both families share the slots.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The rules. The counters in them are those of the last edit; readers go through [`Wanted::with_counters`].
    pub rules: RuleSets,
    /// Slots in use.
    pub slots: Slots,
    /// What to subtract from live counters.
    pub baselines: Baselines,
    /// Security labels by id, append-only; entry 0 is the empty label.
    pub labels: Vec<String>,
}

impl Wanted {
    /// No rule, no loaded table.
    pub fn empty(capacity: u32) -> Wanted {
        Wanted {
            rules: RuleSets::default(),
            slots: Slots::new(capacity),
            baselines: Baselines::default(),
            labels: vec![String::new()],
        }
    }

    /// These rules on a dataplane that has counted nothing yet: new slots, counters that go on from those in `ruleset`.
    pub fn fresh(rules: RuleSets, capacity: u32) -> Result<Wanted, SlotsFull> {
        let mut wanted = Wanted::empty(capacity);
        for mut ruleset in rules.0 {
            for chain in ruleset.tables_mut().flat_map(|table| table.chains_mut()) {
                chain.slot = None;
                chain.rules.iter_mut().for_each(|rule| rule.slot = None);
            }
            let changed: Vec<TableName> = ruleset.tables().map(|table| table.name).collect();
            wanted = wanted.edited(ruleset, &changed, &Live::default(), &CountersOf::All.into())?;
        }
        Ok(wanted)
    }

    /// The rules of a family with their counters as a user sees them now.
    pub fn with_counters(&self, family: Family, live: &Live) -> RuleSet {
        let mut ruleset = self.rules.of(family).clone();
        ruleset.load_counters(|slot| self.baselines.shown(slot, live));
        ruleset
    }

    /// The rules of both families, with counters.
    pub fn all_with_counters(&self, live: &Live) -> RuleSets {
        RuleSets(FAMILIES.map(|family| self.with_counters(family, live)))
    }

    /// What an edit wants: new rules get slots, changed counters become baselines, slots of rules that are gone become free. `changed` are the
    /// tables of that family that the edit touched; the other family stays as it is.
    pub fn edited(&self, ruleset: RuleSet, changed: &[TableName], live: &Live, counted: &Counted) -> Result<Wanted, SlotsFull> {
        let family = ruleset.family;
        let (before, mut next) = (self.rules.of(family), self.clone());
        next.rules.put(ruleset);
        let (mut kept, mut released): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut places = Vec::new();
        for name in changed {
            let Some(table) = next.rules.of(family).table(*name) else { continue };
            let all = if counted.anew.is_empty() { counted.of } else { CountersOf::All };
            for (slot, counters, is_policy) in slots_of(table, all) {
                if counted.anew.binary_search(&slot).is_ok() {
                    next.baselines.show(slot, &Live::default(), counters);
                } else if (is_policy || counted.of == CountersOf::All) && next.baselines.shown(slot, live) != counters {
                    next.baselines.show(slot, live, counters);
                }
            }
            for (now, old) in table.differing(before.table(*name)) {
                let none = Rules::default();
                let (now_rules, old_rules) = (now.map_or(&none, |chain| &chain.rules), old.map_or(&none, |chain| &chain.rules));
                let slots = |rules: &Rules, at, count| {
                    let slots = rules.iter().skip(at).take(count).filter_map(|rule| rule.slot);
                    slots.map(|slot| slot.0).collect::<Vec<_>>()
                };
                let mut ranges = Vec::new();
                for (Difference { at, removed, added }, place) in now_rules.differences(old_rules) {
                    kept.extend(slots(now_rules, place, added));
                    released.extend(slots(old_rules, at, removed));
                    ranges.push(place..place + added);
                }
                if let Some(now) = now {
                    places.push((*name, now.name.clone(), ranges));
                }
            }
        }
        kept.sort_unstable();
        released.retain(|slot| kept.binary_search(slot).is_err());
        for (table, chain, ranges) in places {
            let Some(chain) = next.rules.of_mut(family).table_mut(table).chain_mut(&chain) else { continue };
            let (slots, baselines) = (&mut next.slots, &mut next.baselines);
            let mut give = |slot: &mut Option<SlotId>, counters| {
                let given = SlotId(slots.take(&mut released)?);
                baselines.show(given, live, counters);
                *slot = Some(given);
                Ok(())
            };
            if chain.is_builtin() && chain.slot.is_none() {
                give(&mut chain.slot, chain.counters)?;
            }
            let mut result = Ok(());
            for range in ranges {
                chain.rules.change(
                    range,
                    |rule| rule.slot.is_none(),
                    |rule| {
                        if result.is_ok() {
                            result = give(&mut rule.slot, rule.counters);
                        }
                    },
                );
            }
            result?;
        }
        next.slots.release(released);
        Ok(next)
    }

    /// The slots whose counts [`Wanted::edited`] needs to know of such an edit: those of policies, and those that new rules will get.
    pub fn slots_for(&self, ruleset: &RuleSet, changed: &[TableName]) -> Vec<u32> {
        let tables = || changed.iter().filter_map(|name| ruleset.table(*name));
        let mut slots: Vec<u32> =
            tables().flat_map(|table| slots_of(table, CountersOf::Policies)).map(|(slot, ..)| slot.0).collect();
        let before = self.rules.of(ruleset.family);
        let pairs = tables().flat_map(|table| table.differing(before.table(table.name)));
        let new: usize = pairs
            .filter_map(|(now, old)| {
                let (now, none) = (now?, Rules::default());
                let old = old.map_or(&none, |old| &old.rules);
                let added: usize = now.rules.differences(old).iter().map(|(difference, _)| difference.added).sum();
                Some(added + usize::from(now.is_builtin() && now.slot.is_none()))
            })
            .sum();
        slots.extend(self.slots.coming(new));
        slots
    }
}

/// Which counters in a rule set are what is wanted: those that the command may have set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountersOf {
    /// The rules' as well: they were those of [`Wanted::with_counters`] before.
    All,
    /// The policies' alone, which every command sets.
    Policies,
}

/// Which counters are wanted, and which of them from when on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Which.
    pub of: CountersOf,
    /// Slots that have been there, and count from nothing again with the new program, in order: what is wanted of them is added to that.
    pub anew: Vec<SlotId>,
}

impl From<CountersOf> for Counted {
    fn from(of: CountersOf) -> Counted {
        Counted { of, anew: Vec::new() }
    }
}

/// The slots of built-in chains and rules, in the order in which the table is listed, each with its counters and whether it is a policy's.
fn slots_of(table: &Table, of: CountersOf) -> impl Iterator<Item = (SlotId, Counters, bool)> {
    table.chains().flat_map(move |chain| {
        let own = chain.slot.map(|slot| (slot, chain.counters, true));
        let rules = (of == CountersOf::All).then_some(&chain.rules).into_iter().flatten();
        own.into_iter().chain(rules.filter_map(|rule| rule.slot.map(|slot| (slot, rule.counters, false))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::{Hook, Rule};

    fn counts(packets: u64) -> Counters {
        Counters { packets, bytes: packets * 100 }
    }

    fn live(packets: &[u64]) -> Live {
        let bytes: Vec<u8> = packets.iter().flat_map(|p| [p.to_ne_bytes(), (p * 100).to_ne_bytes()].concat()).collect();
        Live::from_bytes(&bytes)
    }

    /// Edits the INPUT chain of filter.
    fn edit(wanted: &Wanted, live: &Live, f: impl FnOnce(&mut Rules)) -> Result<Wanted, SlotsFull> {
        let mut set = wanted.with_counters(Family::Ipv4, live);
        f(&mut set.table_mut(TableName::Filter).chain_mut("INPUT").unwrap().rules);
        wanted.edited(set, &[TableName::Filter], live, &CountersOf::All.into())
    }

    fn shown(wanted: &Wanted, live: &Live) -> Vec<u64> {
        let set = wanted.with_counters(Family::Ipv4, live);
        set.table(TableName::Filter).unwrap().at_hook(Hook::Input).unwrap().rules.iter().map(|rule| rule.counters.packets).collect()
    }

    fn slots(wanted: &Wanted) -> Vec<u32> {
        wanted
            .rules
            .of(Family::Ipv4)
            .table(TableName::Filter)
            .unwrap()
            .at_hook(Hook::Input)
            .unwrap()
            .rules
            .iter()
            .map(|r| r.slot.unwrap().0)
            .collect()
    }

    #[test]
    fn a_rule_keeps_its_slot_when_others_come_and_go() {
        let none = Live::default();
        let one = edit(&Wanted::empty(100), &none, |rules| rules.push(Rule::any(Family::Ipv4))).unwrap();
        let slot = slots(&one)[0];
        let two = edit(&one, &none, |rules| rules.insert(0, Rule::any(Family::Ipv4))).unwrap();
        assert_eq!(slots(&two)[1], slot);
        let three = edit(&two, &none, |rules| drop(rules.remove(0))).unwrap();
        assert_eq!(slots(&three), [slot]);
        assert_eq!(three.slots.used(), 4, "three built-in chains and a rule");
    }

    #[test]
    fn a_new_rule_on_a_used_slot_starts_at_nothing() {
        let first = edit(&Wanted::empty(100), &Live::default(), |rules| rules.push(Rule::any(Family::Ipv4))).unwrap();
        let slot = slots(&first)[0];
        let counted = live(&vec![7; slot as usize + 1]);
        assert_eq!(shown(&first, &counted), [7]);
        let gone = edit(&first, &counted, |rules| rules.clear()).unwrap();
        let again = edit(&gone, &counted, |rules| rules.push(Rule::any(Family::Ipv4))).unwrap();
        assert_eq!(slots(&again), [slot]);
        assert_eq!(shown(&again, &counted), [0]);
        assert_eq!(shown(&again, &live(&vec![9; slot as usize + 1])), [2]);
    }

    #[test]
    fn replacing_a_rule_takes_another_slot_while_there_is_one() {
        let first = edit(&Wanted::empty(100), &Live::default(), |rules| rules.push(Rule::any(Family::Ipv4))).unwrap();
        let next = edit(&first, &Live::default(), |rules| rules[0] = Rule::any(Family::Ipv4)).unwrap();
        assert_ne!(slots(&first), slots(&next));
        let tight = edit(&Wanted::empty(4), &Live::default(), |rules| rules.push(Rule::any(Family::Ipv4))).unwrap();
        let next = edit(&tight, &Live::default(), |rules| rules[0] = Rule::any(Family::Ipv4)).unwrap();
        assert_eq!(slots(&tight), slots(&next));
        assert!(edit(&next, &Live::default(), |rules| rules.push(Rule::any(Family::Ipv4))).is_err());
    }

    #[test]
    fn zeroing_and_restoring_counters_are_baselines() {
        let mut wanted = edit(&Wanted::empty(100), &Live::default(), |rules| {
            rules.push(Rule { counters: counts(1000), ..Rule::any(Family::Ipv4) });
        })
        .unwrap();
        let at = live(&[5; 10]);
        assert_eq!(shown(&wanted, &at), [1005]);
        wanted = edit(&wanted, &at, |rules| rules[0].counters = counts(0)).unwrap();
        assert_eq!(shown(&wanted, &at), [0]);
        assert_eq!(shown(&wanted, &live(&[8; 10])), [3]);
    }
}
