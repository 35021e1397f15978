//! Lines of `tests/lang` with words changed by chance, through our crate and through iptables-legacy in a network namespace of its own:
//! acceptance, exit code and saved form must be equal. What the real one takes and then cannot read back as it saved it, ours may refuse,
//! and for some extensions what does not fit.
//!
//! Needs root (or user namespaces) and iptables-legacy 1.8.9, so it runs only when asked for; then it fails, never skips, without them.
//! `LANG_SEED` and `LANG_COUNT` choose other words and more of them, `LANG_FILES` some of the files.
mod cases;
#[path = "cases/chance.rs"]
mod chance;

use cases::{Case, Wanted, WithSets};
use chance::{Chance, EXCEPTIONS, REFUSES_MORE, is_a_rule, mutated, setting};
use rules::command::Host;
use rules::names::{Kind, NameFiles, WithFiles};
use rules::save::CounterForm;
use rules::{Family, RuleSet, TableName};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// What came of a rule: the exit code, and the saved rules.
type Answer = (i32, String);

fn ours(case: &Case, names: &WithFiles<'_>) -> Answer {
    let family = if case.is_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
    let names = WithSets { names, has_sets: cases::has_sets(case) };
    let host = Host { names: &names, live: None };
    let outcome = rules::parse(family, &case.command(), &names).and_then(|it| it.run(&RuleSet::new(family), &host));
    let set = match outcome {
        Ok(outcome) => outcome.ruleset.expect("a rule was appended"),
        Err(error) => return (error.exit_code(), String::new()),
    };
    let table = set.table(TableName::from_name(&case.table).expect("a table")).expect("loaded");
    let mut text = String::new();
    for rule in &table.chain(&case.chain).expect("a built-in chain").rules {
        rules::save::push_rule(&case.chain, rule, CounterForm::None, &host, &mut text);
        text.push('\n');
    }
    (0, text)
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// What the real one says to each rule, and whether it reads back what it saves of it.
fn real(cases: &[Case]) -> Vec<(Answer, bool)> {
    let mut script = String::new();
    for case in cases {
        let ip = if case.is_ipv6 { "ip6tables-legacy" } else { "iptables-legacy" };
        let (table, chain) = (&case.table, &case.chain);
        let words: Vec<String> = case.words.iter().map(|word| quoted(word)).collect();
        let rules = format!("{ip} -t {table} -S {chain} | grep '^-A'");
        writeln!(script, "{ip} -t {table} -A {chain} {} >/dev/null 2>&1; code=$?", words.join(" ")).expect("a String");
        writeln!(script, "first=$({rules}); {ip}-save -t {table} | {ip}-restore >/dev/null 2>&1; back=$?; second=$({rules})")
            .expect("a String");
        writeln!(script, "[ \"$first\" = \"$second\" ] || back=1; {ip} -t {table} -F {chain}").expect("a String");
        writeln!(script, "printf '%s %s %s\\036' $code $back \"$first\"").expect("a String");
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutations-{}.sh", std::process::id()));
    std::fs::write(&file, script).expect("a folder for temporary files");
    let is_root = Command::new("id").arg("-u").output().expect("id runs").stdout == b"0\n";
    let mut unshare = Command::new("unshare");
    unshare.arg(if is_root { "-n" } else { "-rn" }).arg("sh").arg(&file).env("XTABLES_LOCKFILE", file.with_extension("lock"));
    let output = unshare.output().expect("unshare runs");
    std::fs::remove_file(&file).expect("it was written");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = |one: &str| {
        let (code, rest) = one.split_once(' ').expect("a code");
        let (back, rules) = rest.split_once(' ').expect("a code");
        let rules = if rules.is_empty() { String::new() } else { format!("{rules}\n") };
        ((code.parse().expect("a number"), rules), back == "0")
    };
    text.split_terminator('\u{1e}').map(answer).collect()
}

#[test]
#[ignore = "needs root and iptables-legacy; run by make test"]
fn changed_lines_are_answered_as_iptables_answers_them() {
    let version = Command::new("iptables-legacy").arg("-V").output().expect("iptables-legacy is installed");
    assert_eq!(String::from_utf8_lossy(&version.stdout), "iptables v1.8.9 (legacy)\n");
    let only = std::env::var("LANG_FILES").ok();
    let is_wanted = |case: &Case| only.as_ref().is_none_or(|only| only.split(',').any(|stem| stem == case.stem));
    let lines: Vec<Case> =
        cases::all().into_iter().filter(|case| is_wanted(case) && EXCEPTIONS.iter().all(|(stem, _)| *stem != case.stem)).collect();
    let mut chance = Chance(setting("LANG_SEED", 6) ^ 0x9e37_79b9_7f4a_7c15);
    let mut changed = Vec::new();
    while (changed.len() as u64) < setting("LANG_COUNT", 2_000) {
        let mut case = chance.one(&lines);
        // Mostly of those that are taken.
        while matches!(case.wanted, Wanted::Refusal(_)) && chance.below(4) > 0 {
            case = chance.one(&lines);
        }
        let others = loop {
            let other = chance.one(&lines);
            if other.stem == case.stem {
                break other.words;
            }
        };
        case.words = mutated(&case.words, &others, &mut chance);
        if is_a_rule(&case.words) {
            changed.push(case);
        }
    }
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let files = |kind: Kind| std::fs::read_to_string(kind.path()).unwrap_or_default();
    let names = NameFiles::parse(&read("/etc/protocols"), &read("/etc/services"));
    let names = WithFiles::new(&names, &files);
    let answers = real(&changed);
    assert_eq!(answers.len(), changed.len());
    let mut faults = Vec::new();
    for (case, (theirs, reads_back)) in changed.iter().zip(&answers) {
        let ours = ours(case, &names);
        let refuses_more = theirs.0 == 0 && ours.0 == 2 && (!reads_back || REFUSES_MORE.contains(&case.stem.as_str()));
        if ours != *theirs && !refuses_more {
            faults
                .push(format!("{} (was {}): {:?}\n  iptables {theirs:?}\n  ours     {ours:?}", case.place, case.text, case.words));
        }
    }
    assert!(faults.is_empty(), "{} of {} lines differ:\n{}", faults.len(), changed.len(), faults.join("\n"));
    println!("{} changed lines compared", changed.len());
}
