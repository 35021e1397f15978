//! Rule text to compiled tables, as the daemon does it.

use compile::{CompileError, Context};
use packet::{FamilyId, Ipv4};
use program::{Table, explain};
use rules::command::Host;
use rules::names::NameFiles;
use rules::{Family, RuleSet, SlotId, TableName, restore};

/// Counter slots that the tests hand out.
pub(crate) const SLOTS: u32 = 1000;

/// The rule set of this restore text, with a counter slot for each policy and rule.
pub(crate) fn rule_set(text: &str) -> RuleSet {
    rule_set_of(Family::Ipv4, text)
}

fn rule_set_of(family: Family, text: &str) -> RuleSet {
    let names = NameFiles::parse(
        "icmp 1 ICMP\nipv6-icmp 58 IPv6-ICMP\ntcp 6 TCP\nudp 17 UDP\n",
        "ssh 22/tcp\nhttp 80/tcp\ndomain 53/udp\n",
    );
    let options = restore::Options::parse(family, &[]).expect("no options are good options");
    let outcome = restore::restore(&RuleSet::new(family), text, &options, &Host { names: &names, live: None });
    let mut set = match outcome {
        Ok(outcome) => outcome.ruleset.expect("a restore changes the rule set"),
        Err(error) => panic!("{}{text}", error.message("iptables-restore")),
    };
    give_slots(&mut set);
    set
}

/// Numbers policies and rules from 0.
pub(crate) fn give_slots(set: &mut RuleSet) {
    let mut next = (0..).map(SlotId);
    for table in set.tables_mut() {
        for chain in table.chains_mut() {
            if chain.is_builtin() {
                chain.slot = next.next();
            }
            for rule in &mut chain.rules {
                rule.slot = next.next();
            }
        }
    }
}

/// One table of a rule set, compiled.
pub(crate) fn compiled(set: &RuleSet, name: TableName) -> Result<Table<Ipv4>, CompileError> {
    compile::table(set.table(name).expect("the test loads it"), &mut Context::new(SLOTS))
}

/// The restore text of one table with these lines.
pub(crate) fn table_text(table: &str, lines: &[&str]) -> String {
    format!("*{table}\n{}\nCOMMIT\n", lines.join("\n"))
}

/// The only rule of a table, in words. The user chain `NEXT` is there to go to.
pub(crate) fn in_words(table: &str, rule: &str) -> String {
    in_words_of::<Ipv4>(table, rule)
}

/// As [`in_words`], for either family.
pub(crate) fn in_words_of<F: packet::Family>(table: &str, rule: &str) -> String {
    let family = if F::ID == FamilyId::Ipv4 { Family::Ipv4 } else { Family::Ipv6 };
    let set = rule_set_of(family, &table_text(table, &[":NEXT - [0:0]", rule]));
    let name = TableName::from_name(table).expect("one of the five tables");
    let mut context = Context::new(SLOTS);
    let compiled: Table<F> = match compile::table(set.table(name).expect("it is loaded"), &mut context) {
        Ok(table) => table,
        Err(error) => panic!("{rule}: {error}"),
    };
    assert_eq!(compiled.rules.len(), 1, "{rule}");
    explain::rule(&compiled, program::RuleIndex(0), context.labels())
}
