//! What the language takes and the dataplane does not enforce, and what a caller may not leave out.

use compile::{CompileError, Context, Reason};
use packet::Ipv6;
use program::verify::Fault;
use rules::targets::NatRange;
use rules::{ChainName, Family, Policy, Rule, RuleSet, TableName, Target};

use crate::load::{compiled, give_slots, rule_set, table_text};

fn error(table: &str, lines: &[&str]) -> CompileError {
    let set = rule_set(&table_text(table, lines));
    compiled(&set, TableName::from_name(table).expect("one of the five tables")).expect_err("it is not enforced")
}

#[test]
fn a_connection_helper() {
    let error = error("raw", &["-A PREROUTING -j ACCEPT", "-A PREROUTING -p tcp --dport 6667 -j CT --helper irc"]);
    assert_eq!(
        error.to_string(),
        "table raw, chain PREROUTING, rule 2: CT --helper with another helper than ftp, sip and tftp is not enforced by this dataplane"
    );
}

#[test]
fn each_match_that_is_kept_but_not_enforced_by_its_name() {
    for (table, line) in [
        ("filter", "-A INPUT -m bpf --bytecode \"1,6 0 0 1\""),
        ("filter", "-A OUTPUT -m cgroup --cgroup 1"),
        ("filter", "-A INPUT -m cpu --cpu 0"),
        ("filter", "-A INPUT -m ipvs --ipvs"),
        ("filter", "-A OUTPUT -m owner --uid-owner 0"),
        ("filter", "-A INPUT -m nfacct --nfacct-name foo"),
        ("filter", "-A INPUT -p tcp -m osf --genre Linux"),
        ("filter", "-A INPUT -m physdev --physdev-in eth0"),
        ("filter", "-A INPUT -m policy --dir in --pol none"),
        ("filter", "-A INPUT -m rateest --rateest a --rateest-gt --rateest-pps 5"),
        ("filter", "-A INPUT -m realm --realm 1"),
        ("filter", "-A INPUT -m socket"),
    ] {
        let error = error(table, &[line]);
        let name = line.split(" -m ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a match");
        assert!(matches!(error.reason, Reason::NotEnforced(what) if what.starts_with(&format!("-m {name}"))), "{line}: {error}");
    }
}

#[test]
fn a_string_that_is_searched_in_a_way_of_its_own() {
    let error = error("filter", &["-A INPUT -m string --algo fsm --hex-string \"|00000061|\""]);
    assert_eq!(
        error.to_string(),
        "table filter, chain INPUT, rule 1: -m string by another --algo than bm and kmp is not enforced by this dataplane"
    );
}

#[test]
fn a_target_that_is_only_in_the_language_is_named_with_its_reason_if_it_has_one() {
    let refusal = |line: &str| error("mangle", &[line]).to_string();
    assert_eq!(
        refusal("-A FORWARD -j NFQUEUE --queue-num 1"),
        "table mangle, chain FORWARD, rule 1: -j NFQUEUE is not enforced by this dataplane"
    );
    assert_eq!(
        refusal("-A POSTROUTING -j CHECKSUM --checksum-fill"),
        "table mangle, chain POSTROUTING, rule 1: -j CHECKSUM, which fills in what every packet leaves with anyway, is not enforced by this dataplane"
    );
}

#[test]
fn jumps_deeper_than_the_walk_can_hold() {
    let mut lines: Vec<String> = (0..70).map(|n| format!(":C{n:02} - [0:0]")).collect();
    lines.push("-A INPUT -j C00".into());
    lines.extend((0..69).map(|n| format!("-A C{n:02} -j C{:02}", n + 1)));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let error = error("filter", &lines);
    assert_eq!(error.reason, Reason::Fault(Fault::TooDeep));
    assert_eq!(error.to_string(), "table filter, chain C63, rule 1: jumps more than 64 chains deep");
}

/// A filter table whose INPUT has one rule with this target, slots given.
fn one_rule(family: Family, table: TableName, target: Target) -> RuleSet {
    let mut set = RuleSet::new(family);
    let mut rule = Rule::any(family);
    rule.target = target;
    let chain = table.hooks().last().expect("every table has hooks").chain_name();
    set.table_mut(table).chain_mut(chain).expect("it is a built-in chain").rules.push(rule);
    give_slots(&mut set);
    set
}

#[test]
fn a_rule_or_policy_without_its_counter() {
    let mut set = one_rule(Family::Ipv4, TableName::Filter, Target::Accept);
    set.table_mut(TableName::Filter).chain_mut("OUTPUT").expect("built in").rules[0].slot = None;
    let error = compiled(&set, TableName::Filter).unwrap_err();
    assert_eq!((error.rule, &error.reason), (Some(1), &Reason::NoSlot));
    set.table_mut(TableName::Filter).chain_mut("INPUT").expect("built in").slot = None;
    let error = compiled(&set, TableName::Filter).unwrap_err();
    assert_eq!(error.to_string(), "table filter, chain INPUT: no counter slot was given");
}

#[test]
fn a_counter_that_the_dataplane_does_not_have() {
    let set = one_rule(Family::Ipv4, TableName::Filter, Target::Accept);
    let error = compile::table::<packet::Ipv4>(set.table(TableName::Filter).expect("loaded"), &mut Context::new(3)).unwrap_err();
    assert_eq!(error.to_string(), "table filter, chain OUTPUT, rule 1: counter slots: 3 is past the end (3)");
}

#[test]
fn an_address_range_that_runs_backwards() {
    let addrs = Some(("1.2.3.9".parse().expect("an address"), "1.2.3.1".parse().expect("an address")));
    let set = one_rule(Family::Ipv4, TableName::Nat, Target::Snat(Box::new(NatRange { addrs, ..NatRange::default() })));
    assert_eq!(
        compiled(&set, TableName::Nat).unwrap_err().to_string(),
        "table nat, chain POSTROUTING, rule 1: an address range that runs backwards"
    );
}

#[test]
fn a_chain_that_is_not_there() {
    let set = one_rule(Family::Ipv4, TableName::Filter, Target::Jump(ChainName::new("NOWHERE")));
    assert_eq!(compiled(&set, TableName::Filter).unwrap_err().reason, Reason::NoChain(ChainName::new("NOWHERE")));
}

#[test]
fn a_policy_of_nat_that_drops() {
    let mut set = one_rule(Family::Ipv4, TableName::Nat, Target::Accept);
    set.table_mut(TableName::Nat).chain_mut("INPUT").expect("built in").policy = Some(Policy::Drop);
    assert_eq!(compiled(&set, TableName::Nat).unwrap_err().reason, Reason::Fault(Fault::NatDrops));
}

#[test]
fn the_other_family() {
    let set = one_rule(Family::Ipv4, TableName::Filter, Target::Accept);
    let error = compile::table::<Ipv6>(set.table(TableName::Filter).expect("loaded"), &mut Context::new(100)).unwrap_err();
    assert_eq!(error.reason, Reason::OtherFamily("an address"));
    let set = one_rule(Family::Ipv4, TableName::Mangle, Target::Hl(rules::targets::Ttl::Set(1)));
    let error = compile::tables::<packet::Ipv4>(&set, &mut Context::new(100)).unwrap_err();
    assert!(error.to_string().contains("-j HL is of the other address family"), "{error}");
    let six = one_rule(Family::Ipv6, TableName::Mangle, Target::Ttl(rules::targets::Ttl::Set(1)));
    let error = compile::tables::<Ipv6>(&six, &mut Context::new(100)).unwrap_err();
    assert_eq!(error.reason, Reason::OtherFamily("-j TTL"));
}

#[test]
fn labels_of_a_failed_compilation_are_forgotten() {
    let mut context = Context::with_labels(100, vec!["".into(), "kept".into()]);
    let good = rule_set(&table_text("security", &["-A INPUT -m selinux --selctx kept", "-A INPUT -m selinux --selctx new"]));
    let bad = rule_set(&table_text("raw", &["-A PREROUTING -j CT --helper irc -p tcp"]));
    compile::tables::<packet::Ipv4>(&good, &mut context).expect("it is enforced");
    assert_eq!(context.labels(), ["", "kept", "new"]);
    compile::tables::<packet::Ipv4>(&bad, &mut context).expect_err("a helper");
    let mut both = rule_set(&table_text("security", &["-A INPUT -j SECMARK --selctx third", "-A FORWARD"]));
    both.table_mut(TableName::Security).chain_mut("FORWARD").expect("built in").rules[0].slot = None;
    compile::tables::<packet::Ipv4>(&both, &mut context).expect_err("no slot");
    assert_eq!(context.labels(), ["", "kept", "new"]);
}
