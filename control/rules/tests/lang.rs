//! Every line of `tests/lang` through our language.
mod cases;
#[path = "cases/host.rs"]
mod host;
#[path = "cases/mangled.rs"]
mod mangled;

use cases::{Case, Wanted, WithSets};
use host::{SERVICES, files};
use rules::command::Host;
use rules::names::{Labels, NameFiles, Names, WithFiles, WithLabels};
use rules::save::CounterForm;
use rules::{Family, RuleSet, TableName};

fn family(case: &Case) -> Family {
    if case.is_ipv6 { Family::Ipv6 } else { Family::Ipv4 }
}

/// The forms that the rule prints as after it was appended, or why it was refused.
fn append(case: &Case, names: &dyn Names) -> Result<Vec<String>, rules::Error> {
    let set = RuleSet::new(family(case));
    let host = Host { names, live: None };
    let invocation = rules::parse(set.family, &case.command(), names)?;
    let after = invocation.run(&set, &host)?.ruleset.expect("an appended rule changes the rule set");
    let table = after.table(TableName::from_name(&case.table).expect("a table")).expect("loaded");
    let chain = table.chain(&case.chain).expect("a built-in chain");
    let form = |rule| {
        let mut text = String::new();
        rules::save::push_rule(&case.chain, rule, CounterForm::None, &host, &mut text);
        let head = format!("-A {}", case.chain);
        text.strip_prefix(&head).expect("the chain comes first").trim_start().to_owned()
    };
    Ok(chain.rules.iter().map(form).collect())
}

#[test]
fn every_line_is_taken_or_refused_and_printed_as_it_says() {
    let names = NameFiles::parse("", SERVICES);
    let names = WithFiles::new(&names, &files);
    let mut faults = Vec::new();
    let cases = cases::all();
    for case in &cases {
        let outcome = append(case, &WithSets { names: &names, has_sets: cases::has_sets(case) });
        let got = match &outcome {
            Ok(forms) => Wanted::Forms(forms.clone()),
            Err(error) => Wanted::Refusal(error.exit_code()),
        };
        if got != case.wanted {
            faults.push(format!("{}: {}\n  wanted {:?}\n  got    {outcome:?}", case.place, case.text, case.wanted));
        }
    }
    assert!(faults.is_empty(), "{} of {} lines:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn every_printed_form_reads_back_as_itself() {
    let names = NameFiles::parse("", SERVICES);
    let names = WithFiles::new(&names, &files);
    for case in cases::all() {
        let Wanted::Forms(forms) = &case.wanted else { continue };
        let names = WithSets { names: &names, has_sets: cases::has_sets(&case) };
        for form in forms {
            let host = Host { names: &names, live: None };
            let text = format!("*{}\n-A {} {form}\nCOMMIT\n", case.table, case.chain);
            let set = RuleSet::new(family(&case));
            let options = rules::restore::Options::default();
            let after = rules::restore::restore(&set, &text, &options, &host);
            let after = after.unwrap_or_else(|error| panic!("{}: {form}: {error}", case.place));
            let set = after.ruleset.expect("a restored rule changes the rule set");
            let saved = rules::save::save(&set, &rules::save::Options::default(), None, &host).expect("saves");
            let line = saved.lines().find(|line| line.starts_with("-A ")).expect("the rule is saved");
            assert_eq!(line.trim_end(), format!("-A {} {form}", case.chain).trim_end(), "{}", case.place);
        }
    }
}

#[test]
fn a_label_is_taken_and_shown_by_the_name_that_the_host_has_for_it_and_kept_by_its_number() {
    let (base, labels) = (NameFiles::default(), Labels::parse("3 three\n7 with space\n12 7\n200 wide\n"));
    let named = WithLabels { names: &base, labels: &labels };
    let words = |label: &str| ["-A", "INPUT", "-m", "connlabel", "!", "--label", label].map(str::to_owned);
    let host = Host { names: &named, live: None };
    let append = |label: &str| {
        let invocation = rules::parse(Family::Ipv4, &words(label), &named)?;
        Ok::<RuleSet, rules::Error>(invocation.run(&RuleSet::new(Family::Ipv4), &host)?.ruleset.expect("a rule"))
    };
    let asked = |set: &RuleSet, question: &[&str]| {
        let question: Vec<String> = question.iter().map(|word| (*word).to_owned()).collect();
        rules::parse(Family::Ipv4, &question, &named).and_then(|it| it.run(set, &host)).expect("a question").stdout
    };
    for (label, saved, listed, numeric) in [
        ("three", "\"three\"", "'three'", "3"),
        ("3", "\"three\"", "'three'", "3"),
        ("with space", "\"with space\"", "'with space'", "7"),
        // A number is a number, whatever is named like it.
        ("7", "\"with space\"", "'with space'", "7"),
        ("5", "\"5\"", "5", "5"),
    ] {
        let set = append(label).unwrap_or_else(|error| panic!("{label}: {error}"));
        assert!(asked(&set, &["-S"]).ends_with(&format!("-A INPUT -m connlabel ! --label {saved}\n")), "{label}");
        assert!(asked(&set, &["-L", "INPUT"]).ends_with(&format!(" connlabel ! {listed}\n")), "{label}");
        assert!(asked(&set, &["-n", "-L", "INPUT"]).ends_with(&format!(" connlabel ! {numeric}\n")), "{label}");
        let kept = rules::save::save(&set, &rules::save::Options::default(), None, &Host { names: &base, live: None });
        assert!(kept.expect("saves").contains(&format!("--label \"{numeric}\"\n")), "{label}");
    }
    assert_eq!(append("wide").expect_err("128 and more").exit_code(), 1);
    assert_eq!(append("nobody").expect_err("no name").to_string(), "label 'nobody' not found or invalid value");
}

#[test]
fn every_match_and_target_has_its_file() {
    let stems: std::collections::BTreeSet<String> = cases::all().into_iter().map(|case| case.stem).collect();
    let matches = "comment connlabel connmark conntrack icmp limit mark multiport selinux state statistic tcp udp";
    let targets = "CONNMARK CONNSECMARK CT DNAT LOG MARK MASQUERADE NOTRACK REDIRECT REJECT SECMARK SNAT TOS TTL";
    for name in matches.split(' ').chain(targets.split(' ')) {
        assert!(stems.contains(name), "tests/lang/{name}.t is missing");
    }
}
