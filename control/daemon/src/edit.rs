//! What an edit changed, by itself: it goes to the source blob and to the store in place of all rules.
//!
//! A record is a line `rampart-edit <SHA-256 of the JSON> <its length>`, the JSON, and a line feed: for each table which chains came, went, and got other
//! names and policies; for each place of a chain that changed which rules are gone and what stands in their place, in `iptables-save` form, with
//! their slots; and the baselines and labels that changed. It is done in this order.
use compile::Changes;
use rules::command::Host;
use rules::names::Names;
use rules::save::{self, CounterForm};
use rules::{ChainName, Counters, Family, Policy, SlotId, Table, TableName, restore};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::wanted::{FAMILIES, RuleSets, Wanted};

const MAGIC: &str = "rampart-edit";

/// What one command, or a restore, changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Of which family.
    pub family: Family,
    /// The tables that it touched; nothing of one that was not there before.
    tables: Vec<(TableName, Option<Changes>)>,
    baselines: Vec<(SlotId, Counters)>,
}

impl Edit {
    /// What leads from one to the other.
    pub fn between(before: &Wanted, after: &Wanted, family: Family, changed: &[TableName]) -> Edit {
        let table = |name: &TableName| {
            let (now, old) = (after.rules.of(family).table(*name), before.rules.of(family).table(*name));
            (*name, old.zip(now).and_then(|(old, now)| Changes::between(old, now)))
        };
        let baselines = after.baselines.since(&before.baselines).collect();
        Edit { family, tables: changed.iter().map(table).collect(), baselines }
    }

    /// What changed in a table that it touched; `None` where it is not known.
    pub fn of(&self, table: TableName) -> Option<&Changes> {
        self.tables.iter().find(|(name, _)| *name == table).and_then(|(_, edit)| edit.as_ref())
    }

    /// How many rules it brings.
    pub fn rule_count(&self) -> usize {
        self.tables
            .iter()
            .filter_map(|(_, changes)| changes.as_ref())
            .flat_map(|changes| &changes.places)
            .map(|place| place.rules.len())
            .sum()
    }

    /// The edit as a record. `labels` are those that it added. `None` where all rules are to be written.
    pub fn record(&self, labels: &[String], names: &dyn Names) -> Result<Option<String>, serde_json::Error> {
        let host = Host { names, live: None };
        let mut chains = Vec::new();
        for (table, changes) in &self.tables {
            let Some(changes) = changes else { return Ok(None) };
            // Each place is told as it is when those before it are done.
            let (mut last, mut shift) = (None, 0isize);
            for place in &changes.places {
                if last.replace(&place.chain) != Some(&place.chain) {
                    shift = 0;
                }
                let mut rules = String::new();
                for rule in &place.rules {
                    let is_counted = rule.counters != Counters::default();
                    let form = if is_counted { CounterForm::InFront } else { CounterForm::None };
                    save::push_rule(&place.chain, rule, form, &host, &mut rules);
                    rules.push('\n');
                }
                let slots = place.rules.iter().filter_map(|rule| rule.slot).map(|slot| slot.0).collect();
                let (table, chain) = (table.to_string(), place.chain.to_string());
                chains.push(Chain { table, chain, at: place.at.strict_add_signed(shift), removed: place.removed, rules, slots });
                shift += place.rules.len() as isize - place.removed as isize;
            }
        }
        let tables = self.tables.iter().filter_map(|(table, changes)| Some(OfTable::new(*table, changes.as_ref()?)));
        let record = Record {
            ipv6: self.family == Family::Ipv6,
            touched: self.tables.iter().map(|(table, _)| table.to_string()).collect(),
            tables: tables.filter(OfTable::says_something).collect(),
            chains,
            baselines: self.baselines.iter().map(|(slot, base)| (slot.0, base.packets, base.bytes)).collect(),
            labels: labels.to_vec(),
        };
        let json = serde_json::to_string(&record)?;
        Ok(Some(format!("{MAGIC} {} {}\n{json}\n", hash(json.as_bytes()), json.len())))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    ipv6: bool,
    touched: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tables: Vec<OfTable>,
    chains: Vec<Chain>,
    pub(crate) baselines: Vec<(u32, u64, u64)>,
    pub(crate) labels: Vec<String>,
}

/// What became of a table's chains.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfTable {
    table: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    renamed: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gone: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    new: Vec<String>,
    /// Each with what it has counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    policies: Vec<(String, String, u64, u64)>,
}

impl OfTable {
    fn new(table: TableName, changes: &Changes) -> OfTable {
        let names = |chains: &[ChainName]| chains.iter().map(ChainName::to_string).collect();
        let policy = |(chain, policy, counters): &(ChainName, Policy, Counters)| {
            (chain.to_string(), policy.as_str().to_owned(), counters.packets, counters.bytes)
        };
        OfTable {
            table: table.to_string(),
            renamed: changes.renamed.iter().map(|(old, new)| (old.to_string(), new.to_string())).collect(),
            gone: names(&changes.gone),
            new: names(&changes.new),
            policies: changes.policies.iter().map(policy).collect(),
        }
    }

    fn says_something(&self) -> bool {
        ![self.renamed.is_empty(), self.gone.is_empty(), self.new.is_empty(), self.policies.is_empty()].iter().all(|none| *none)
    }

    fn apply(&self, table: &mut Table) -> Result<(), RecordError> {
        let foreign = |what: &str, name: &str| RecordError::Foreign(format!("{what} {name}"));
        for (old, new) in &self.renamed {
            let is_user = table.chain(old).is_some_and(|chain| !chain.is_builtin());
            if !is_user || !table.rename_chain(old, ChainName::new(new)) {
                return Err(foreign("no chain can be renamed to", new));
            }
        }
        for name in &self.gone {
            table.remove_chain(name).ok_or_else(|| foreign("there is no chain", name))?;
        }
        for name in &self.new {
            if !table.add_chain(ChainName::new(name)) {
                return Err(foreign("there is a chain", name));
            }
        }
        for (name, policy, packets, bytes) in &self.policies {
            let chain = table.chain_mut(name).filter(|chain| chain.is_builtin());
            let chain = chain.ok_or_else(|| foreign("there is no built-in chain", name))?;
            let policies = [Policy::Accept, Policy::Drop];
            let found = policies.into_iter().find(|known| known.as_str() == policy);
            chain.policy = Some(found.ok_or_else(|| foreign("there is no policy", policy))?);
            chain.counters = Counters { packets: *packets, bytes: *bytes };
        }
        Ok(())
    }
}

/// What changed at one place of a chain.
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
        let listed: Vec<TableName> = self.tables.iter().map(|chains| table_name(&chains.table)).collect::<Result<_, _>>()?;
        for table in touched {
            set.table_mut(table).reset_policy_counters(None);
        }
        for (chains, table) in self.tables.iter().zip(listed) {
            chains.apply(set.table_mut(table))?;
        }
        let family = set.family;
        for (edit, table) in self.chains.iter().zip(tables) {
            let read = restore::rules(family, table, &edit.rules, &Host { names, live: None });
            let mut rules = read.map_err(|error| RecordError::Rules(error.to_string()))?;
            if rules.len() != edit.slots.len() {
                return Err(RecordError::Foreign(format!("{} slots for {} rules", edit.slots.len(), rules.len())));
            }
            rules.iter_mut().zip(&edit.slots).for_each(|(rule, slot)| rule.slot = Some(SlotId(*slot)));
            set.table_mut(table).share_names(&mut rules);
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
