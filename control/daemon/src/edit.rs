//! What an edit changed, by itself: it goes to the source blob and to the store in place of all rules.
//!
//! A record is a line `rampart-edit <SHA-256 of the JSON> <its length>`, the JSON, and a line feed: for each chain that changed which rules are
//! gone and what stands in their place, in `iptables-save` form, with their slots; and the baselines and labels that changed.
use rules::command::Host;
use rules::names::Names;
use rules::save::{self, CounterForm};
use rules::{ChainName, Counters, Difference, Family, Rule, SlotId, TableName, restore};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::wanted::{FAMILIES, RuleSets, Wanted, is_in_place};

const MAGIC: &str = "rampart-edit";

/// An edit that left chains and policies as they were.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Of which family.
    pub family: Family,
    /// The tables that it touched, and the chains whose rules it changed.
    tables: Vec<(TableName, Vec<ChainEdit>)>,
    baselines: Vec<(SlotId, Counters)>,
}

/// What changed in one chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainEdit {
    /// Its name.
    pub chain: ChainName,
    /// The position of the first rule that changed.
    pub at: usize,
    /// So many are gone.
    pub removed: usize,
    /// And these stand in their place.
    pub rules: Vec<Rule>,
}

impl ChainEdit {
    /// The same for the compiler.
    pub(crate) fn change(&self) -> compile::Change<'_> {
        compile::Change { chain: &self.chain, at: self.at, removed: self.removed, rules: &self.rules }
    }
}

impl Edit {
    /// What leads from one to the other. `None` where more changed than rules of chains that are there in both.
    pub fn between(before: &Wanted, after: &Wanted, family: Family, changed: &[TableName]) -> Option<Edit> {
        let chain_edits = |name: &TableName| {
            let (now, old) = (after.rules.of(family).table(*name)?, before.rules.of(family).table(*name)?);
            let edits = now.differing(Some(old)).into_iter().map(|pair| {
                let (Some(now), Some(old)) = pair else { return None };
                // Every command counts policies anew, but for one that says what they counted.
                if (now.policy, now.slot) != (old.policy, old.slot) || now.counters != Counters::default() {
                    return None;
                }
                let Difference { at, removed, added } = now.rules.difference(&old.rules, is_in_place).unwrap_or_default();
                let rules = now.rules.iter().skip(at).take(added).cloned().collect();
                Some(ChainEdit { chain: now.name.clone(), at, removed, rules })
            });
            let edits: Option<Vec<ChainEdit>> = edits.collect();
            let is_change = |edit: &ChainEdit| edit.removed > 0 || !edit.rules.is_empty();
            Some((*name, edits?.into_iter().filter(is_change).collect()))
        };
        let tables: Option<Vec<_>> = changed.iter().map(chain_edits).collect();
        Some(Edit { family, tables: tables?, baselines: after.baselines.since(&before.baselines).collect() })
    }

    /// What changed in a table that it touched.
    pub fn of(&self, table: TableName) -> Option<&[ChainEdit]> {
        self.tables.iter().find(|(name, _)| *name == table).map(|(_, chains)| &chains[..])
    }

    /// The edit as a record. `labels` are those that it added.
    pub fn record(&self, labels: &[String], names: &dyn Names) -> Result<String, serde_json::Error> {
        let host = Host { names, live: None };
        let chain = |(table, edit): (&TableName, &ChainEdit)| {
            let mut rules = String::new();
            for rule in &edit.rules {
                let is_counted = rule.counters != Counters::default();
                let form = if is_counted { CounterForm::InFront } else { CounterForm::None };
                save::push_rule(&edit.chain, rule, form, &host, &mut rules);
                rules.push('\n');
            }
            let slots = edit.rules.iter().filter_map(|rule| rule.slot).map(|slot| slot.0).collect();
            let (table, chain) = (table.to_string(), edit.chain.to_string());
            Chain { table, chain, at: edit.at, removed: edit.removed, rules, slots }
        };
        let record = Record {
            ipv6: self.family == Family::Ipv6,
            touched: self.tables.iter().map(|(table, _)| table.to_string()).collect(),
            chains: self.tables.iter().flat_map(|(table, chains)| chains.iter().map(move |edit| chain((table, edit)))).collect(),
            baselines: self.baselines.iter().map(|(slot, base)| (slot.0, base.packets, base.bytes)).collect(),
            labels: labels.to_vec(),
        };
        let json = serde_json::to_string(&record)?;
        Ok(format!("{MAGIC} {} {}\n{json}\n", hash(json.as_bytes()), json.len()))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    ipv6: bool,
    touched: Vec<String>,
    chains: Vec<Chain>,
    pub(crate) baselines: Vec<(u32, u64, u64)>,
    pub(crate) labels: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    table: String,
    chain: String,
    at: usize,
    removed: usize,
    rules: String,
    slots: Vec<u32>,
}

/// Why a record is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is cut short, or its hash is another one.
    #[error("it is cut short or damaged")]
    Damaged,
    /// The content is not what the format says.
    #[error("malformed content: {0}")]
    Json(#[from] serde_json::Error),
    /// Its rules do not read back.
    #[error("its rules do not read back: {0}")]
    Rules(String),
    /// It is not of the rules that it follows.
    #[error("it does not follow: {0}")]
    Foreign(String),
}

impl Record {
    /// Takes the first record off `bytes`.
    pub(crate) fn read(bytes: &mut &[u8]) -> Result<Record, RecordError> {
        let whole = *bytes;
        let parts = || {
            let end = whole.iter().position(|byte| *byte == b'\n')?;
            let head = std::str::from_utf8(&whole[..end]).ok()?;
            let [magic, digest, length] = head.split(' ').collect::<Vec<_>>()[..] else { return None };
            let json = whole[end + 1..].get(..length.parse().ok()?)?;
            let rest = whole[end + 1 + json.len()..].strip_prefix(b"\n")?;
            (magic == MAGIC && hash(json) == digest).then_some((json, rest))
        };
        let (json, rest) = parts().ok_or(RecordError::Damaged)?;
        *bytes = rest;
        Ok(serde_json::from_slice(json)?)
    }

    /// Does to the rules what the edit did. They are to be checked when all records have been applied.
    pub(crate) fn apply(&self, sets: &mut RuleSets, names: &dyn Names) -> Result<(), RecordError> {
        let foreign = |what: &str, name: &str| RecordError::Foreign(format!("there is no {what} {name}"));
        let set = sets.of_mut(FAMILIES[usize::from(self.ipv6)]);
        let table_name = |name: &str| {
            let found = TableName::from_name(name).filter(|name| set.table(*name).is_some());
            found.ok_or_else(|| foreign("table", name))
        };
        let touched: Vec<TableName> = self.touched.iter().map(|name| table_name(name)).collect::<Result<_, _>>()?;
        let tables: Vec<TableName> = self.chains.iter().map(|edit| table_name(&edit.table)).collect::<Result<_, _>>()?;
        for table in touched {
            set.table_mut(table).reset_policy_counters(None);
        }
        let family = set.family;
        for (edit, table) in self.chains.iter().zip(tables) {
            let read = restore::rules(family, table, &edit.rules, &Host { names, live: None });
            let mut rules = read.map_err(|error| RecordError::Rules(error.to_string()))?;
            if rules.len() != edit.slots.len() {
                return Err(RecordError::Foreign(format!("{} slots for {} rules", edit.slots.len(), rules.len())));
            }
            rules.iter_mut().zip(&edit.slots).for_each(|(rule, slot)| rule.slot = Some(SlotId(*slot)));
            let chain = set.table_mut(table).chain_mut(&edit.chain).ok_or_else(|| foreign("chain", &edit.chain))?;
            let end = edit.at.checked_add(edit.removed).filter(|end| *end <= chain.rules.len());
            let end = end.ok_or_else(|| foreign("rule at the place in chain", &edit.chain))?;
            chain.rules.replace(edit.at..end, rules);
        }
        Ok(())
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
