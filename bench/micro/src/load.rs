//! The way of a rule set from text to what the workers run, as the control daemon and the dataplane go it.

use std::sync::Arc;

use compile::Context;
use packet::{Ipv4, Ipv6};
use program::verify::Limits;
use program::{Program, Root, Table, Tables, image};
use rules::command::Host;
use rules::names::Builtin;
use rules::{Family, RuleSet, SlotId, TableName, restore, save};

use crate::world::PORTS;

/// Counter slots that there are.
pub const SLOTS: u32 = 262_144;

const HOST: Host<'static> = Host { names: &Builtin, live: None };

/// `iptables-restore`
pub fn parse(text: &str) -> RuleSet {
    parse_of(Family::Ipv4, text)
}

fn parse_of(family: Family, text: &str) -> RuleSet {
    let outcome = restore::restore(&RuleSet::new(family), text, &restore::Options::default(), &HOST);
    outcome.expect("the rules are right").ruleset.expect("they are new")
}

/// `iptables-save`
pub fn print(set: &RuleSet) -> String {
    save::save(set, &save::Options::default(), None, &HOST).expect("every rule set can be printed")
}

/// `iptables-restore`, and a counter slot for every chain and rule.
pub fn rule_set(text: &str) -> RuleSet {
    rule_set_from(text, 0)
}

/// The same, with the slots from `first` on.
pub fn rule_set_from(text: &str, first: u32) -> RuleSet {
    with_slots(parse(text), first)
}

fn with_slots(mut set: RuleSet, first: u32) -> RuleSet {
    let mut slots = (first..SLOTS).map(SlotId);
    for chain in set.tables_mut().flat_map(|table| table.chains_mut()) {
        chain.slot = slots.next();
        for rule in &mut chain.rules {
            rule.slot = slots.next();
        }
    }
    set
}

/// Compiles the filter table; also says within which limits it must be found when it is verified.
pub fn filter(set: &RuleSet) -> (Table<Ipv4>, Limits) {
    let mut context = Context::new(SLOTS);
    let table = compile::table(set.table(TableName::Filter).expect("there is a filter table"), &mut context);
    (table.expect("the rules can be compiled"), context.limits())
}

/// From a rule set to what a worker reads, by all steps of a publication: each table is compiled and written as an image at the one side, read,
/// verified, bound to the ports and its trees checked at the other, where it follows what runs.
pub fn published(set: &RuleSet, running: &Program) -> Program {
    let mut context = Context::new(SLOTS);
    let mut ipv4 = compile::tables::<Ipv4>(set, &mut context).expect("the rules can be compiled");
    for table in ipv4.tables.iter_mut().flatten() {
        let image = image::encode_table(table);
        let mut read = image::decode_table::<Ipv4>(&image, &context.limits()).expect("what was compiled is verified");
        let before = running.ipv4.get(read.kind).map(|before| &**before);
        match before {
            Some(before) => read.bind_following(&PORTS, before),
            None => read.bind(&PORTS),
        }
        read.tree.check(&read, before).expect("the trees are right");
        *table = Arc::new(read);
    }
    Program { root: Root { generation: 1, labels: context.labels().to_vec() }, ipv4, ..Program::default() }
}

/// The whole way, up to what a worker reads.
pub fn program(text: &str) -> Program {
    let (ipv4, root) = tables::<Ipv4>(&rule_set(text));
    Program { root, ipv4, ..Program::default() }
}

/// The same by `ip6tables-restore`.
pub fn program_ipv6(text: &str) -> Program {
    let (ipv6, root) = tables::<Ipv6>(&with_slots(parse_of(Family::Ipv6, text), 0));
    Program { root, ipv6, ..Program::default() }
}

fn tables<F: packet::Family>(set: &RuleSet) -> (Tables<F>, Root) {
    let mut context = Context::new(SLOTS);
    let mut tables = compile::tables::<F>(set, &mut context).expect("the rules can be compiled");
    for table in tables.tables.iter_mut().flatten() {
        Arc::make_mut(table).bind(&PORTS);
    }
    (tables, Root { generation: 1, labels: context.labels().to_vec() })
}
