//! Whole rule sets: the guide's, chains and slots, equal images for equal rules.

use compile::Context;
use packet::{Ipv4, Ipv6};
use program::table::{Hook, StateInit};
use program::{ChainId, CounterSlot, TableKind, Tables, image};
use rules::{Family, RuleSet, TableName};

use crate::load::{SLOTS, compiled, give_slots, rule_set};

/// Every rule of the guide that users learned iptables from, in its table and chain.
const GUIDE: &str = r#"*raw
-A PREROUTING -p tcp --dport 80 -j NOTRACK
COMMIT
*mangle
-A PREROUTING -p tcp --dport 80 -j TOS --set-tos 0x10
-A PREROUTING -j TTL --ttl-set 64
-A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 0 -j MARK --set-mark 1
-A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 1 -j MARK --set-mark 2
-A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 2 -j MARK --set-mark 3
COMMIT
*nat
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SEP-A - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-XYZ123 - [0:0]
-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080
-A PREROUTING -p tcp --dport 22 -j DNAT --to-destination 192.168.1.3:22
-A PREROUTING -p tcp --dport 80 -m mark --mark 1 -j DNAT --to-destination 192.168.1.2:80
-A PREROUTING -j KUBE-SERVICES
-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.1
-A POSTROUTING -o eth0 -j MASQUERADE
-A POSTROUTING -p tcp --sport 80 -d 192.168.1.2 -j SNAT --to-source 203.0.113.1
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-NODEPORTS -p tcp --dport 30080 -j DNAT --to-destination 10.0.0.1:80
-A KUBE-SERVICES -d 10.0.0.1/32 -p tcp --dport 80 -j KUBE-SVC-XYZ123
-A KUBE-SERVICES -d 35.186.238.101/32 -p tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SERVICES -d 35.186.238.101/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:30080
-A KUBE-SVC-XYZ123 -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-A
-A KUBE-SEP-A -p tcp -j DNAT --to-destination 10.0.0.9:80
COMMIT
*filter
-A INPUT -s 192.168.1.100 -j ACCEPT
-A INPUT -s 192.168.1.100 -j DROP
-A INPUT -p tcp --dport 80 -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp --dport 80 -j REJECT
-A INPUT -p tcp --dport 22 -j LOG --log-prefix "SSH Attempt: "
-A OUTPUT -p tcp --dport 80 -j ACCEPT
-A FORWARD -s 192.168.1.0/24 -d 10.0.0.0/24 -j ACCEPT
COMMIT
*security
-A INPUT -m selinux --selctx user_u:object_r:httpd_t:s0 -j ACCEPT
COMMIT
"#;

#[test]
fn every_rule_of_the_guide_compiles() {
    let set = rule_set(GUIDE);
    let mut context = Context::new(SLOTS);
    let tables: Tables<Ipv4> = compile::tables(&set, &mut context).expect("all of it is enforced");
    for kind in TableKind::ALL {
        assert!(tables.get(kind).is_some(), "{}", kind.name());
    }
    let rules: usize = tables.tables.iter().flatten().map(|table| table.rules.len()).sum();
    assert_eq!(rules, set.rule_count());
    assert_eq!(context.labels(), ["", "user_u:object_r:httpd_t:s0"]);
    for table in tables.tables.iter().flatten() {
        let bytes = image::encode_table(table);
        assert_eq!(image::decode_table::<Ipv4>(&bytes, &context.limits()).as_ref(), Ok(&**table));
    }
}

#[test]
fn equal_rules_give_equal_images() {
    let images = || {
        let tables: Tables<Ipv4> = compile::tables(&rule_set(GUIDE), &mut Context::new(SLOTS)).expect("all of it is enforced");
        tables.tables.map(|table| table.map(|table| image::encode_table(&table)))
    };
    assert_eq!(images(), images());
}

#[test]
fn tables_that_are_not_loaded_stay_out() {
    let tables: Tables<Ipv4> = compile::tables(&RuleSet::new(Family::Ipv4), &mut Context::new(SLOTS)).expect("nothing to refuse");
    assert_eq!(tables, Tables::default());
    let mut empty = RuleSet::new(Family::Ipv6);
    empty.table_mut(TableName::Nat);
    give_slots(&mut empty);
    let tables: Tables<Ipv6> = compile::tables(&empty, &mut Context::new(SLOTS)).expect("an empty table is a table");
    assert!(tables.get(TableKind::Nat).is_some_and(|table| table.rules.is_empty()));
    assert!(!tables.needs_tracking(), "no nat rule, no tracking");
}

#[test]
fn chains_hooks_policies_and_slots_stand_where_they_belong() {
    let set = rule_set(
        "*filter\n:INPUT DROP [0:0]\n:ZED - [0:0]\n:ABLE - [0:0]\n-A INPUT -j ZED\n-A INPUT -g ABLE\n-A ZED -j ABLE\nCOMMIT\n",
    );
    let table = compiled(&set, TableName::Filter).expect("all of it is enforced");
    let names: Vec<&str> = table.chains.iter().map(|chain| chain.name.as_str()).collect();
    assert_eq!(names, ["INPUT", "FORWARD", "OUTPUT", "ABLE", "ZED"]);
    assert_eq!(table.hooks, [None, Some(ChainId(0)), Some(ChainId(1)), Some(ChainId(2)), None]);
    let policies: Vec<_> = table.chains.iter().map(|chain| chain.policy.map(|policy| (policy.accept, policy.counter.0))).collect();
    assert_eq!(policies, [Some((false, 0)), Some((true, 3)), Some((true, 4)), None, None]);
    let counters: Vec<_> = table.rules.iter().map(|rule| rule.counter).collect();
    assert_eq!(counters, [CounterSlot(1), CounterSlot(2), CounterSlot(5)]);
    assert_eq!(table.base_chain(Hook::Forward), Some(ChainId(1)));
}

#[test]
fn interface_names_are_shared_between_rules() {
    let set = rule_set("*filter\n-A INPUT -i eth0\n-A FORWARD -i eth0 -o eth0\n-A FORWARD ! -i eth+\nCOMMIT\n");
    let table = compiled(&set, TableName::Filter).expect("all of it is enforced");
    assert_eq!(table.patterns.len(), 2);
}

/// The packets of the first seven that an nth test lets pass, by the kernel's rule: the position wraps after `every`, and 0 passes.
fn nth_packets(every: u32, packet: u32) -> Vec<u32> {
    let set = rule_set(&format!("*filter\n-A INPUT -m statistic --mode nth --every {every} --packet {packet}\nCOMMIT\n"));
    let table = compiled(&set, TableName::Filter).expect("it is enforced");
    let (StateInit::Nth(mut position), program::Match::Nth { every, .. }) = (table.state[0], table.matches[0]) else {
        panic!("an nth test and its position")
    };
    let mut passes = || {
        position = if position == every { 0 } else { position + 1 };
        position == 0
    };
    (0..7).filter(|_| passes()).collect()
}

#[test]
fn nth_begins_with_the_packet_that_was_asked_for() {
    // Seen with seven packets through real iptables: 3, 2 and 2 of them pass.
    assert_eq!(nth_packets(3, 0), [0, 3, 6]);
    assert_eq!(nth_packets(3, 1), [1, 4]);
    assert_eq!(nth_packets(3, 2), [2, 5]);
    assert_eq!(nth_packets(1, 0), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn tracking_runs_when_a_rule_asks_for_it() {
    let needs = |text: &str| {
        let tables: Tables<Ipv4> = compile::tables(&rule_set(text), &mut Context::new(SLOTS)).expect("all of it is enforced");
        tables.needs_tracking()
    };
    assert!(!needs("*nat\nCOMMIT\n"), "an empty nat table");
    assert!(!needs("*nat\n-A POSTROUTING -j ACCEPT\nCOMMIT\n"));
    assert!(!needs("*raw\n-A OUTPUT -j NOTRACK\nCOMMIT\n"));
    assert!(!needs("*filter\n-A OUTPUT -m mark --mark 1 -j DROP\nCOMMIT\n"));
    assert!(needs("*raw\n-A OUTPUT -j CT --zone 1\nCOMMIT\n"));
    assert!(needs("*nat\n-A POSTROUTING -s 1.2.3.4 -j MASQUERADE\nCOMMIT\n"));
    assert!(needs("*filter\n-A OUTPUT -m connmark --mark 1\nCOMMIT\n"));
    assert!(needs("*filter\n-A OUTPUT -j CONNMARK --set-mark 1\nCOMMIT\n"));
    assert!(needs("*filter\n:X - [0:0]\n-A X -m state --state NEW\nCOMMIT\n"), "in a chain that nobody calls");
}
