//! The rules of the guide that users learn iptables from: each loads as they type it and prints as iptables prints it.
use rules::command::Host;
use rules::names::Builtin;
use rules::{Family, RuleSet, save};

/// Table, chain, the rule as typed, and as `-S` prints it after the chain (`=`: as typed).
const RULES: &[(&str, &str, &str, &str)] = &[
    ("filter", "INPUT", "-s 192.168.1.100 -j ACCEPT", "-s 192.168.1.100/32 -j ACCEPT"),
    ("filter", "INPUT", "-s 192.168.1.100 -j DROP", "-s 192.168.1.100/32 -j DROP"),
    ("filter", "INPUT", "-p tcp --dport 80 -j ACCEPT", "-p tcp -m tcp --dport 80 -j ACCEPT"),
    ("filter", "INPUT", "-p tcp --dport 22 -j ACCEPT", "-p tcp -m tcp --dport 22 -j ACCEPT"),
    ("filter", "INPUT", "-p icmp -j ACCEPT", "="),
    (
        "filter",
        "INPUT",
        "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ),
    ("filter", "INPUT", "-p tcp --dport 80 -j REJECT", "-p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable"),
    (
        "filter",
        "INPUT",
        "-p tcp --dport 22 -j LOG --log-prefix \"SSH Attempt: \"",
        "-p tcp -m tcp --dport 22 -j LOG --log-prefix \"SSH Attempt: \"",
    ),
    ("filter", "OUTPUT", "-p tcp --dport 80 -j ACCEPT", "-p tcp -m tcp --dport 80 -j ACCEPT"),
    ("filter", "FORWARD", "-s 192.168.1.0/24 -d 10.0.0.0/24 -j ACCEPT", "="),
    (
        "nat",
        "PREROUTING",
        "-p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080",
        "-p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080",
    ),
    (
        "nat",
        "PREROUTING",
        "-p tcp --dport 22 -j DNAT --to-destination 192.168.1.3:22",
        "-p tcp -m tcp --dport 22 -j DNAT --to-destination 192.168.1.3:22",
    ),
    ("nat", "POSTROUTING", "-o eth0 -j SNAT --to-source 203.0.113.1", "="),
    ("nat", "POSTROUTING", "-o eth0 -j MASQUERADE", "="),
    (
        "nat",
        "POSTROUTING",
        "-p tcp --sport 80 -d 192.168.1.2 -j SNAT --to-source 203.0.113.1",
        "-d 192.168.1.2/32 -p tcp -m tcp --sport 80 -j SNAT --to-source 203.0.113.1",
    ),
    (
        "nat",
        "POSTROUTING",
        "-p tcp --sport 80 -d 192.168.1.3 -j SNAT --to-source 203.0.113.1",
        "-d 192.168.1.3/32 -p tcp -m tcp --sport 80 -j SNAT --to-source 203.0.113.1",
    ),
    (
        "nat",
        "POSTROUTING",
        "-p tcp --sport 80 -d 192.168.1.4 -j SNAT --to-source 203.0.113.1",
        "-d 192.168.1.4/32 -p tcp -m tcp --sport 80 -j SNAT --to-source 203.0.113.1",
    ),
    ("mangle", "PREROUTING", "-p tcp --dport 80 -j TOS --set-tos 0x10", "-p tcp -m tcp --dport 80 -j TOS --set-tos 0x10/0xff"),
    ("mangle", "PREROUTING", "-j TTL --ttl-set 64", "="),
    (
        "mangle",
        "PREROUTING",
        "-p tcp --dport 80 -m statistic --mode nth --every 3 --packet 0 -j MARK --set-mark 1",
        "-p tcp -m tcp --dport 80 -m statistic --mode nth --every 3 --packet 0 -j MARK --set-xmark 0x1/0xffffffff",
    ),
    (
        "mangle",
        "PREROUTING",
        "-p tcp --dport 80 -m statistic --mode nth --every 3 --packet 1 -j MARK --set-mark 2",
        "-p tcp -m tcp --dport 80 -m statistic --mode nth --every 3 --packet 1 -j MARK --set-xmark 0x2/0xffffffff",
    ),
    (
        "mangle",
        "PREROUTING",
        "-p tcp --dport 80 -m statistic --mode nth --every 3 --packet 2 -j MARK --set-mark 3",
        "-p tcp -m tcp --dport 80 -m statistic --mode nth --every 3 --packet 2 -j MARK --set-xmark 0x3/0xffffffff",
    ),
    (
        "nat",
        "PREROUTING",
        "-p tcp --dport 80 -m mark --mark 1 -j DNAT --to-destination 192.168.1.2:80",
        "-p tcp -m tcp --dport 80 -m mark --mark 0x1 -j DNAT --to-destination 192.168.1.2:80",
    ),
    (
        "nat",
        "PREROUTING",
        "-p tcp --dport 80 -m mark --mark 2 -j DNAT --to-destination 192.168.1.3:80",
        "-p tcp -m tcp --dport 80 -m mark --mark 0x2 -j DNAT --to-destination 192.168.1.3:80",
    ),
    (
        "nat",
        "PREROUTING",
        "-p tcp --dport 80 -m mark --mark 3 -j DNAT --to-destination 192.168.1.4:80",
        "-p tcp -m tcp --dport 80 -m mark --mark 0x3 -j DNAT --to-destination 192.168.1.4:80",
    ),
    ("raw", "PREROUTING", "-p tcp --dport 80 -j NOTRACK", "-p tcp -m tcp --dport 80 -j NOTRACK"),
    ("security", "INPUT", "-m selinux --selctx user_u:object_r:httpd_t:s0 -j ACCEPT", "="),
    (
        "nat",
        "KUBE-NODEPORTS",
        "-p tcp --dport 30080 -j DNAT --to-destination 10.0.0.1:80",
        "-p tcp -m tcp --dport 30080 -j DNAT --to-destination 10.0.0.1:80",
    ),
    (
        "nat",
        "KUBE-SERVICES",
        "-d 10.0.0.1/32 -p tcp --dport 80 -j KUBE-SVC-XYZ123",
        "-d 10.0.0.1/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-XYZ123",
    ),
    (
        "nat",
        "KUBE-SERVICES",
        "-d 35.186.238.101/32 -p tcp --dport 80 -j KUBE-MARK-MASQ",
        "-d 35.186.238.101/32 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ",
    ),
    (
        "nat",
        "KUBE-SERVICES",
        "-d 35.186.238.101/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:30080",
        "-d 35.186.238.101/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:30080",
    ),
];

/// Chains that the rules name and nobody made.
const CHAINS: [&str; 4] = ["KUBE-NODEPORTS", "KUBE-SERVICES", "KUBE-SVC-XYZ123", "KUBE-MARK-MASQ"];

fn words(text: &str) -> Vec<String> {
    // The only quoted word of the guide.
    let prefix = "\"SSH Attempt: \"";
    let text = text.replace(prefix, "\u{0}");
    text.split(' ').map(|word| if word == "\u{0}" { prefix.trim_matches('"').to_owned() } else { word.to_owned() }).collect()
}

fn run(set: &RuleSet, command: &str) -> RuleSet {
    let host = Host { names: &Builtin, live: None };
    let invocation = rules::parse(Family::Ipv4, &words(command), &Builtin);
    let outcome = invocation.and_then(|invocation| invocation.run(set, &host));
    let outcome = outcome.unwrap_or_else(|error| panic!("{command}: {error}"));
    outcome.ruleset.unwrap_or_else(|| panic!("{command} changed nothing"))
}

#[test]
fn the_guides_rules_load_together_and_print_as_iptables_prints_them() {
    let mut set = RuleSet::new(Family::Ipv4);
    for chain in CHAINS {
        set = run(&set, &format!("-t nat -N {chain}"));
    }
    for (table, chain, rule, _) in RULES {
        set = run(&set, &format!("-t {table} -A {chain} {rule}"));
    }
    let host = Host { names: &Builtin, live: None };
    let saved = save::save(&set, &save::Options::default(), None, &host).expect("all tables");
    for (table, chain, rule, printed) in RULES {
        let printed = if *printed == "=" { rule } else { printed };
        let line = format!("-A {chain} {printed}");
        let block = saved.split("COMMIT\n").find(|block| block.starts_with(&format!("*{table}\n")));
        let block = block.unwrap_or_else(|| panic!("no table {table} in\n{saved}"));
        assert!(block.lines().any(|saved| saved == line), "{line}\nis not in\n{block}");
    }
    let restored = rules::restore::restore(&RuleSet::new(Family::Ipv4), &saved, &Default::default(), &host);
    assert_eq!(restored.expect("what was saved restores").ruleset, Some(set));
}
