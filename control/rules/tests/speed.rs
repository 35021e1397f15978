//! How long large rule sets take. A measurement: run with `--release -- --ignored --nocapture`.
use rules::command::Host;
use rules::names::Builtin;
use rules::{Family, RuleSet, restore, save};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const RULES: u32 = 100_000;

#[test]
#[ignore = "a measurement of the release build"]
fn a_hundred_thousand_rules_take_well_below_a_second() {
    let mut text = String::from("*filter\n:INPUT ACCEPT [0:0]\n");
    for i in 0..RULES {
        let (a, b, port) = (i >> 8 & 0xff, i & 0xff, i % 60_000 + 1);
        writeln!(text, "-A INPUT -s 10.{a}.{b}.0/24 -p tcp -m tcp --dport {port} -m conntrack --ctstate NEW -j ACCEPT")
            .expect("a String");
    }
    text.push_str("COMMIT\n");
    let host = Host { names: &Builtin, live: None };
    let timed = |what: &str, start: Instant| {
        let time = start.elapsed();
        println!("{what}: {time:?}");
        time
    };
    let start = Instant::now();
    let outcome = restore::restore(&RuleSet::new(Family::Ipv4), &text, &restore::Options::default(), &host);
    let parsed = timed("restore", start);
    let set = outcome.expect("good rules").ruleset.expect("changed");
    assert_eq!(set.rule_count(), RULES as usize);

    let start = Instant::now();
    let saved = save::save(&set, &save::Options::default(), None, &host).expect("saves");
    let printed = timed("save", start);
    assert_eq!(saved.lines().filter(|line| line.starts_with("-A ")).count(), RULES as usize);

    let words: Vec<String> = "-A INPUT -p udp --dport 53 -j DROP".split(' ').map(str::to_owned).collect();
    let start = Instant::now();
    let edited = rules::parse(Family::Ipv4, &words, &Builtin).and_then(|invocation| invocation.run(&set, &host));
    timed("one -A", start);
    assert_eq!(edited.expect("a good rule").ruleset.expect("changed").rule_count(), RULES as usize + 1);
    assert!(parsed + printed < Duration::from_secs(1), "{parsed:?} and {printed:?}");
}
