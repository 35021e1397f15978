//! The language beside the real one: every line of `tests/lang` through our crate and through iptables-legacy in a network namespace of its
//! own. Exit codes, both outputs, saved forms and listings must be equal. So must whole conversations.
//!
//! Needs root (or user namespaces), iptables-legacy 1.8.9, ipset, nfacct and nfct, so it runs only when asked for; then it fails, never skips, without them.
#[path = "cases/beside.rs"]
mod beside;
mod cases;
#[path = "cases/chance.rs"]
mod chance;
#[path = "cases/conversations.rs"]
mod conversations;
#[path = "cases/help.rs"]
mod help;
#[path = "cases/several.rs"]
mod several;
#[path = "cases/talk.rs"]
mod talk;

use beside::{MARK, Ours, difference, file, in_namespace, names, require_iptables};
use cases::{Case, Wanted};
use rules::command::Host;
use rules::names::{Names, WithFiles};
use rules::{Family, RuleSet};
use std::fmt::Write as _;

/// Files whose lines the real iptables answers otherwise, and why.
const ANSWERED_OTHERWISE: &[(&str, &str)] = &[
    ("fullcone", "the option is ours: no release of iptables has it"),
    ("names", "listings without -n ask the host for names of addresses; ours show the address"),
    ("readback", "what the real one saves and does not read back as it was, or asks the host for; ours does, and does not ask"),
    ("selinux", "the match is ours: no release of iptables has it"),
    ("SECMARK", "the kernel takes the target only where SELinux is on; ours keeps labels itself"),
    ("unsupported", "what iptables takes and Rampart refuses by name"),
];

/// Files whose extension the kernel does not have, so that it refuses every rule with it. What iptables itself refuses is compared, and of
/// what it would have taken how `-v` says it again.
const NOT_IN_THE_KERNEL: &[(&str, &str)] = &[
    ("CLUSTERIP", "Linux has given it up"),
    ("ipvs", "a virtual server has no place in a firewall's kernel; the saved forms were seen with a kernel that was made up"),
    ("LED", "kernels of machines without lights are built without it"),
    ("ULOG", "Linux has given it up"),
];

/// Files of extensions of which `-v` describes otherwise what the kernel then refuses: values that came of parts of one another.
const DESCRIBED_OTHERWISE: &[&str] = &["HMARK", "NFQUEUE", "cgroup", "hashlimit", "rateest"];

/// How iptables begins to say that.
const NOT_SUPPORTED: &str = "Warning: Extension ";

/// Makes the sets of [`cases::WithSets`].
const MAKE_SETS: &str =
    "ipset create foo hash:ip; ipset create net hash:net; ipset create six hash:ip family inet6; ipset create any list:set; ";

/// How iptables begins to say that the host has no names of labels.
const NO_LABELS: &str = "Warning: cannot open /etc/xtables/connlabel.conf";

impl Ours<'_> {
    fn save(&self, table: &str) -> String {
        let host = Host { names: self.names, live: None };
        let options = rules::save::Options { counters: true, table: Some(table.to_owned()), ..Default::default() };
        rules::save::save(&self.set, &options, None, &host).expect("a known table")
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Everything that can be asked after a rule was appended to a table.
const QUESTIONS: &[&str] = &["-S", "-L", "-L -v -n -x --line-numbers", "-L -n"];

fn real_answers(case: &Case) -> String {
    let ip = if case.is_ipv6 { "ip6tables" } else { "iptables" };
    // The kernel takes a rule with a timeout policy only if there is one.
    let policy = if case.text.contains("--timeout slow") { "nfct add timeout slow inet tcp established 100; " } else { "" };
    // So with an accounting object.
    let account =
        if case.stem == "nfacct" { "nfacct add foo; nfacct add 'a b'; nfacct add 0123456789012345678901234567890; " } else { "" };
    // And one with an estimator of rates, which stands in a table that no case looks at.
    let estimate = |name| {
        let times = "--rateest-interval 250ms --rateest-ewmalog 500ms";
        format!("{ip}-legacy -t security -A OUTPUT -j RATEEST --rateest-name {name} {times}; ")
    };
    let estimators = if case.stem == "rateest" { ["a", "b", "012345678901234"].map(estimate).concat() } else { String::new() };
    let sets = if cases::has_sets(case) { MAKE_SETS } else { "" };
    let mut script = format!("{policy}{account}{estimators}{sets}{ip}-legacy \"$@\"; echo \"code $?\"; ");
    for question in QUESTIONS {
        write!(script, "printf '{MARK}'; {ip}-legacy -t {} {question}; ", case.table).expect("a String");
    }
    write!(script, "printf '{MARK}'; {ip}-legacy-save -c -t {} | grep -v '^#'", case.table).expect("a String");
    let mut command = vec!["-v".to_owned()];
    command.extend(case.command());
    let (stdout, stderr) = in_namespace(&script, &command, "");
    let is_refused = matches!(case.wanted, Wanted::Refusal(1)) && DESCRIBED_OTHERWISE.contains(&case.stem.as_str());
    let said = if is_refused { stdout.find("code ").unwrap_or(0) } else { 0 };
    // There it warns of a file that is not there, at every command.
    let is_told = |line: &&str| !line.starts_with(NO_LABELS) && !line.starts_with(NOT_SUPPORTED);
    let stderr: String = stderr.split_inclusive('\n').filter(is_told).collect();
    if is_judged_alone(case) {
        assert_eq!(stderr, format!("{ip}: No chain/target/match by that name.\n"), "{}", case.place);
        return stdout[..stdout.find("code 1").expect("the kernel refuses it")].to_owned();
    }
    format!("{stderr}{}", &stdout[said..])
}

/// Whether the kernel refuses a rule that iptables takes.
fn is_judged_alone(case: &Case) -> bool {
    matches!(case.wanted, Wanted::Forms(_)) && NOT_IN_THE_KERNEL.iter().any(|(stem, _)| *stem == case.stem)
}

fn our_answers(case: &Case, names: &dyn Names) -> String {
    let family = if case.is_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
    let names = &cases::WithSets { names, has_sets: cases::has_sets(case) };
    let mut ours = Ours { set: RuleSet::new(family), names };
    let mut command = vec!["-v".to_owned()];
    command.extend(case.command());
    let (mut stdout, stderr, code) = ours.run(&command);
    if code == 1 && DESCRIBED_OTHERWISE.contains(&case.stem.as_str()) {
        stdout.clear();
    }
    if is_judged_alone(case) {
        return stderr + &stdout;
    }
    let mut answers = format!("{stderr}{stdout}code {code}\n");
    for question in QUESTIONS {
        let (stdout, stderr, _) = ours.run(&words(&format!("-t {} {question}", case.table)));
        write!(answers, "{MARK}{stdout}{stderr}").expect("a String");
    }
    answers + MARK + &ours.save(&case.table)
}

#[test]
#[ignore = "needs root and iptables-legacy; run by make test"]
fn every_line_is_answered_as_iptables_answers_it() {
    require_iptables();
    let names = names();
    let names = WithFiles::new(&names, &file);
    // For whoever works on one file: LANG_FILES=TCPMSS,tcp
    let only = std::env::var("LANG_FILES").ok();
    let is_wanted = |case: &Case| only.as_ref().is_none_or(|only| only.split(',').any(|stem| stem == case.stem));
    let is_compared = |case: &Case| is_wanted(case) && ANSWERED_OTHERWISE.iter().all(|(stem, _)| *stem != case.stem);
    let cases: Vec<Case> = cases::all().into_iter().filter(is_compared).collect();
    let compare = |case: &Case| difference(&case.place, &case.text, &real_answers(case), &our_answers(case, &names));
    let faults: Vec<String> = cases.iter().filter_map(compare).collect();
    assert!(faults.is_empty(), "{} of {} lines differ:\n{}", faults.len(), cases.len(), faults.join("\n\n"));
    println!("{} lines compared", cases.len());
}
