//! `iptables-restore` of rules that are there already but for some lines, by all steps of a publication: what is said again stays, and the rest is an
//! edit.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use app::publish::Publisher;
use compile::{Changes, Context};
use engine::Snapshot;
use micro::load;
use micro::world::PORTS;
use packet::Ipv4;
use program::{Program, Root, Table, TableKind, image};
use rules::{Rule, RuleSet, SlotId, TableName};

use super::control;

/// What the control side keeps from one restore to the next: the rules, and the filter table that was compiled of them.
pub(crate) struct Again {
    set: RuleSet,
    compiled: Table<Ipv4>,
    /// Slots from here on were never given out.
    next_slot: u32,
}

impl Again {
    /// After the first restore of this text.
    pub(crate) fn after(text: &str) -> Self {
        let set = load::rule_set(text);
        let (mut compiled, _) = load::filter(&set);
        compiled.prepare_for_edits();
        let next_slot = (set.rule_count() + TableName::Filter.hooks().len()) as u32;
        Self { set, compiled, next_slot }
    }

    /// The next one; it comes back when the worker runs it, or when that has ended.
    pub(crate) fn restore(&mut self, publisher: &mut Publisher<Snapshot>, text: &str, ended: &AtomicBool) -> Result<()> {
        let mut set = load::parse(text);
        let old = self.set.table(TableName::Filter).context("there is a filter table")?;
        let table = set.table_mut(TableName::Filter);
        table.resume(old);
        for chain in table.chains_mut() {
            chain.slot = old.chain(&chain.name).and_then(|old| old.slot);
            let next_slot = &mut self.next_slot;
            let give = |rule: &mut Rule| {
                rule.slot = Some(SlotId(*next_slot));
                *next_slot += 1;
            };
            chain.rules.change(0..chain.rules.len(), |rule| rule.slot.is_none(), give);
        }
        let changes = Changes::between(old, table).context("built-in chains stay")?;
        let mut context = Context::new(load::SLOTS);
        let compiled = std::mem::replace(&mut self.compiled, Table::empty(TableKind::Filter));
        let (compiled, edit) = compile::edit(compiled, table, &changes, &mut context).context("it is an edit")?;
        self.compiled = compiled;
        let edit = image::decode_edit::<Ipv4>(&image::encode_edit(&edit))?;
        let mut ipv4 = publisher.current().program.ipv4.clone();
        let running = ipv4.get(TableKind::Filter).context("it runs")?.clone();
        let mut next = Table::clone(&running).edited(&edit, &context.limits())?;
        next.bind_edited(&PORTS, &running, &edit);
        next.tree.check_edited(&next, &running, &edit.made())?;
        ipv4.tables[TableKind::Filter as usize] = Some(Arc::new(next));
        self.set = set;
        let root = Root { generation: 1, labels: context.labels().to_vec() };
        control::publish(publisher, Program { root, ipv4, ..Program::default() }, ended);
        Ok(())
    }
}
