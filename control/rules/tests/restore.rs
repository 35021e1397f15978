//! Restore as a whole: all of it or nothing, the line of a fault, counters by slot.
use rules::command::{Host, Outcome};
use rules::names::Builtin;
use rules::{Counters, Error, Family, RuleSet, SlotId, TableName, restore, save};

fn host() -> Host<'static> {
    Host { names: &Builtin, live: None }
}

fn restored(set: &RuleSet, options: &str, text: &str) -> Result<Outcome, Error> {
    let words: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
    restore::restore(set, text, &restore::Options::parse(Family::Ipv4, &words)?, &host())
}

fn saved(set: &RuleSet) -> String {
    let options = save::Options { counters: true, ..Default::default() };
    save::save(set, &options, None, &host()).expect("saves")
}

/// A rule set with two tables.
fn base() -> RuleSet {
    let text = "*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n*filter\n:INPUT DROP [7:8]\n[1:2] -A INPUT -j ACCEPT\nCOMMIT\n";
    restored(&RuleSet::new(Family::Ipv4), "-c", text).expect("good text").ruleset.expect("changed")
}

fn message(text: &str) -> String {
    let error = restored(&base(), "", text).expect_err("bad text");
    error.message("iptables-restore")
}

#[test]
fn a_fault_in_the_last_table_leaves_the_first_as_it_was() {
    // The real one has changed filter by then; whole texts are ours.
    let error = restored(&base(), "", "*filter\n-A INPUT -j DROP\nCOMMIT\n*nat\n-A PREROUTING -j MASQUERADE\nCOMMIT\n");
    let error = error.expect_err("MASQUERADE in PREROUTING");
    assert_eq!(error.message("iptables-restore"), "iptables-restore: line 6 failed\n");
    assert_eq!(error.exit_code(), 1);
}

#[test]
fn faults_name_their_line() {
    assert_eq!(message("*filter\n-A NOPE\nCOMMIT\n"), "iptables-restore: line 2 failed\n");
    assert_eq!(message("-A INPUT\n"), "iptables-restore: line 1 failed\n");
    assert_eq!(message("*filter\n# nothing\n"), "iptables-restore: COMMIT expected at line 3\n");
    assert_eq!(
        message("*filter\n\n-A INPUT -p tcp --dport x\nCOMMIT\n"),
        "iptables-restore v1.8.9 (legacy): invalid port/service `x' specified\n\
         Error occurred at line: 3\n\
         Try `iptables-restore -h' or 'iptables-restore --help' for more information.\n"
    );
    assert_eq!(
        message("*filter\n:INPUT REJECT [0:0]\nCOMMIT\n"),
        "iptables-restore v1.8.9 (legacy): Can't set policy `REJECT' on `INPUT' line 2: Bad policy name\n"
    );
}

#[test]
fn only_tables_of_the_text_change() {
    let outcome = restored(&base(), "", "*filter\nCOMMIT\n").expect("good text");
    assert_eq!(outcome.changed, [TableName::Filter]);
    let after = saved(&outcome.ruleset.expect("changed"));
    assert!(after.contains("-A POSTROUTING -o eth0 -j MASQUERADE\n"), "{after}");
    assert!(after.contains(":INPUT DROP [0:0]\n") && !after.contains("-A INPUT"), "{after}");
}

#[test]
fn noflush_keeps_what_is_there_and_test_changes_nothing() {
    let kept = restored(&base(), "-n", "*filter\n-A INPUT -j DROP\nCOMMIT\n").expect("good text");
    let after = saved(&kept.ruleset.expect("changed"));
    assert!(after.contains("[1:2] -A INPUT -j ACCEPT\n[0:0] -A INPUT -j DROP\n"), "{after}");
    let tested = restored(&base(), "--test", "*filter\n-A INPUT -j DROP\nCOMMIT\n").expect("good text");
    assert_eq!((tested.ruleset, tested.changed), (None, vec![]));
}

#[test]
fn the_last_line_may_lack_its_line_feed() {
    assert!(restored(&base(), "", "*filter\nCOMMIT").is_ok());
}

#[test]
fn live_counters_are_printed_and_zeroing_shows_in_the_rule_set() {
    let mut set = base();
    let chain = set.table_mut(TableName::Filter).chain_mut("INPUT").expect("built in");
    chain.slot = Some(SlotId(4));
    chain.rules[0].slot = Some(SlotId(5));
    let live = |slot: SlotId| Counters { packets: u64::from(slot.0) * 10, bytes: u64::from(slot.0) * 1000 };
    let live_host = Host { names: &Builtin, live: Some(&live) };
    let options = save::Options { counters: true, ..Default::default() };
    let text = save::save(&set, &options, None, &live_host).expect("saves");
    assert!(text.contains(":INPUT DROP [40:4000]\n") && text.contains("[50:5000] -A INPUT -j ACCEPT\n"), "{text}");

    set.load_counters(live);
    let words: Vec<String> = ["-L", "INPUT", "-v", "-Z"].map(str::to_owned).to_vec();
    let outcome = rules::parse(Family::Ipv4, &words, &Builtin).and_then(|zero| zero.run(&set, &live_host));
    let outcome = outcome.expect("INPUT is there");
    assert!(outcome.stdout.contains("   50  5000 ACCEPT"), "{}", outcome.stdout);
    let after = outcome.ruleset.expect("zeroed");
    let chain = after.table(TableName::Filter).and_then(|table| table.chain("INPUT")).expect("built in");
    assert_eq!((chain.counters, chain.rules[0].counters), Default::default());
    assert_eq!((chain.slot, chain.rules[0].slot), (Some(SlotId(4)), Some(SlotId(5))));
}

#[test]
fn help_names_the_options_of_what_was_asked() {
    let words: Vec<String> = ["-p", "icmp", "-j", "REJECT", "-h"].map(str::to_owned).to_vec();
    let invocation = rules::parse(Family::Ipv4, &words, &Builtin).expect("help");
    let outcome = invocation.run(&RuleSet::new(Family::Ipv4), &host()).expect("help");
    for word in ["Usage: iptables", "[!] --icmp-type VALUE", "--reject-with VALUE"] {
        assert!(outcome.stdout.contains(word), "{word} is not in\n{}", outcome.stdout);
    }
}

#[test]
fn of_policy_counters_two_numbers_are_read_and_nothing_behind_them() {
    let policy = |counters: &str| {
        let outcome = restored(&base(), "-c", &format!("*filter\n:INPUT DROP {counters}\nCOMMIT\n")).ok()?;
        saved(&outcome.ruleset?).lines().find_map(|line| line.strip_prefix(":INPUT DROP ").map(str::to_owned))
    };
    for (given, kept) in
        [("[5:6]", "[5:6]"), ("[5:6", "[5:6]"), ("[5:6x]", "[5:6]"), ("[05:014] x", "[5:14]"), ("[+5:+4]", "[5:4]")]
    {
        assert_eq!(policy(given).as_deref(), Some(kept), "{given}");
    }
    for refused in ["[5:]", "[5 :4]", "5:4]", "[x:4]", "[5]", "[5:+]"] {
        assert_eq!(policy(refused), None, "{refused}");
    }
}

/// What is printed on standard output by a text that is refused.
fn printed(options: &str, text: &str) -> String {
    restored(&base(), options, text).expect_err("bad text").stdout
}

#[test]
fn what_v_says_before_a_fault_is_printed() {
    let flushed = "Flushing chain `INPUT'\nFlushing chain `FORWARD'\nFlushing chain `OUTPUT'\n";
    let rule = "DROP  all opt -- in * out *  1.1.1.5  -> 0.0.0.0/0  \n";
    // At a line, at a COMMIT that the kernel refuses, and at the end.
    let text = "*filter\n#hello\n-A INPUT -s 1.1.1.5 -j DROP\n";
    assert_eq!(printed("-v", &format!("{text}-A INPUT -m nope\nCOMMIT\n")), format!("{flushed}#hello\n{rule}"));
    let masquerade = "MASQUERADE  all opt -- in * out *  0.0.0.0/0  -> 0.0.0.0/0  \n";
    let refused = format!("{text}-A INPUT -j MASQUERADE\nCOMMIT\n");
    assert_eq!(printed("-v", &refused), format!("{flushed}#hello\n{rule}{masquerade}"));
    assert_eq!(printed("-v", text), format!("{flushed}#hello\n{rule}"));
    assert_eq!(printed("", &refused), "");
}

/// As seen with iptables-restore 1.8.9, which reads lines as C's strings.
#[test]
fn a_nul_byte_ends_a_line_its_line_feed_included() {
    let rules = |text: &str| {
        let set = restored(&RuleSet::new(Family::Ipv4), "", text).expect("good text").ruleset.expect("changed");
        saved(&set).lines().filter(|line| line.contains("-A")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        rules("*filter\0x\n-A INPUT -s 1.1.1.1\0 -j DROP\n-A INPUT -s 1.1.1.2 -j DROP\n#a\0b\nCOMMIT\n"),
        ["[0:0] -A INPUT -s 1.1.1.1/32", "[0:0] -A INPUT -s 1.1.1.2/32 -j DROP"]
    );
    assert_eq!(rules("*filter\n:foo - [0:0]\0xx\n-A foo\0-s 1.1.1.2 -j DROP\nCOMMIT\n"), ["[0:0] -A foo"]);
    assert!(message("*filter\n\0-A INPUT\nCOMMIT\n").contains(": no command specified\nError occurred at line: 2\n"));
    assert!(message("*filter\nCOMMIT\0\n").starts_with("Bad argument `COMMIT'\nError occurred at line: 2\n"));
    assert_eq!(message("*filter\nCOMMIT\n\0"), "iptables-restore: line 3 failed\n");
}
