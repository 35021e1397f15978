//! The language beside the real one: every line of `tests/lang`, and whole conversations of commands and restore texts, through our crate
//! and through iptables-legacy in a network namespace of its own. Exit codes, both outputs, saved forms and listings must be equal.
//!
//! Needs root (or user namespaces), iptables-legacy 1.8.9, ipset, nfacct and nfct, so it runs only when asked for; then it fails, never skips, without them.
mod cases;

use cases::{Case, Wanted};
use rules::command::Host;
use rules::names::{Kind, NameFiles, Names, WithFiles};
use rules::{Error, Family, RuleSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Files whose lines the real iptables answers otherwise, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
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

/// How iptables begins to say that.
const NOT_SUPPORTED: &str = "Warning: Extension ";

/// Between the outputs of the commands of one script.
const MARK: &str = "\u{1e}";

/// Makes the sets of [`cases::WithSets`].
const MAKE_SETS: &str =
    "ipset create foo hash:ip; ipset create net hash:net; ipset create six hash:ip family inet6; ipset create any list:set; ";

/// How iptables begins to say that the host has no names of labels.
const NO_LABELS: &str = "Warning: cannot open /etc/xtables/connlabel.conf";

/// Runs the script whose length stands in the first line of the input, behind which it stands itself.
const SCRIPT_FIRST: &str = "read -r length; script=$(dd bs=1 count=\"$length\" 2>/dev/null; echo x); eval \"${script%x}\"";

/// Runs a shell script in a fresh network namespace; `$@` are the words.
fn in_namespace(script: &str, words: &[String], input: &str) -> (String, String) {
    let lock = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("xtables-{}.lock", std::process::id()));
    let is_root = Command::new("id").arg("-u").output().expect("id runs").stdout == b"0\n";
    let mut child = Command::new("unshare")
        .arg(if is_root { "-n" } else { "-rn" })
        // The script may be longer than a word of a command line: it is the beginning of the input, which a shell reads line by line.
        .args(["sh", "-c", SCRIPT_FIRST, "sh"])
        .args(words)
        .env("XTABLES_LOCKFILE", lock)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("unshare runs");
    let length = script.len();
    let input = format!("{length}\n{script}{input}");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("the script reads its input");
    let output = child.wait_with_output().expect("the script ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(output.stdout), text(output.stderr))
}

fn require_iptables() {
    let version = Command::new("iptables-legacy").arg("-V").output().expect("iptables-legacy is installed");
    assert_eq!(String::from_utf8_lossy(&version.stdout), "iptables v1.8.9 (legacy)\n");
}

fn names() -> NameFiles {
    let read = |path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    NameFiles::parse(&read("/etc/protocols"), &read("/etc/services"))
}

/// A file of names of this host; there may be none.
fn file(kind: Kind) -> String {
    std::fs::read_to_string(kind.path()).unwrap_or_default()
}

/// Our side: a rule set that commands change, with what they print and end with.
struct Ours<'a> {
    set: RuleSet,
    names: &'a dyn Names,
}

impl Ours<'_> {
    fn settle(&mut self, outcome: Result<rules::command::Outcome, Error>, program: &str) -> (String, String, i32) {
        match outcome {
            Ok(outcome) => {
                self.set = outcome.ruleset.unwrap_or_else(|| self.set.clone());
                (outcome.stdout, outcome.stderr, 0)
            }
            Err(error) => (String::new(), error.message(program), error.exit_code()),
        }
    }

    fn run(&mut self, words: &[String]) -> (String, String, i32) {
        let host = Host { names: self.names, live: None };
        let outcome = rules::parse(self.set.family, words, self.names).and_then(|invocation| invocation.run(&self.set, &host));
        self.settle(outcome, self.set.family.program())
    }

    fn restore(&mut self, words: &[String], text: &str) -> (String, String, i32) {
        let host = Host { names: self.names, live: None };
        let options = rules::restore::Options::parse(self.set.family, words);
        // Files are the command's to open, and no conversation has one.
        if let Some(file) = options.as_ref().ok().and_then(|options| options.file.as_ref()) {
            return (String::new(), format!("Can't open {file}: No such file or directory\n"), 1);
        }
        let outcome = options.and_then(|options| rules::restore::restore(&self.set, text, &options, &host));
        self.settle(outcome, &format!("{}-restore", self.set.family.program()))
    }

    fn save_as(&mut self, words: &[String]) -> (String, String, i32) {
        let host = Host { names: self.names, live: None };
        let saved = rules::save::Options::parse(words).and_then(|options| rules::save::save(&self.set, &options, None, &host));
        match saved {
            Ok(text) => (text, String::new(), 0),
            Err(error) => (String::new(), error.message(&format!("{}-save", self.set.family.program())), error.exit_code()),
        }
    }

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
    // What -v said of a rule that was then refused is no promise of ours.
    let said = match case.wanted {
        Wanted::Refusal(_) => stdout.find("code ").unwrap_or(0),
        Wanted::Forms(_) => 0,
    };
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
    let (stdout, stderr, code) = ours.run(&command);
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

fn difference(place: &str, text: &str, real: &str, ours: &str) -> Option<String> {
    if real == ours {
        return None;
    }
    let differing = real.split(MARK).zip(ours.split(MARK)).find(|(real, ours)| real != ours);
    let (real, ours) = differing.unwrap_or((real, ours));
    Some(format!("{place}: {text}\n--- iptables\n{real}\n--- ours\n{ours}"))
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
    let is_compared = |case: &Case| is_wanted(case) && EXCEPTIONS.iter().all(|(stem, _)| *stem != case.stem);
    let cases: Vec<Case> = cases::all().into_iter().filter(is_compared).collect();
    let compare = |case: &Case| difference(&case.place, &case.text, &real_answers(case), &our_answers(case, &names));
    let faults: Vec<String> = cases.iter().filter_map(compare).collect();
    assert!(faults.is_empty(), "{} of {} lines differ:\n{}", faults.len(), cases.len(), faults.join("\n\n"));
    println!("{} lines compared", cases.len());
}

#[test]
#[ignore = "needs root and iptables-legacy; run by make test"]
fn conversations_go_as_with_iptables() {
    require_iptables();
    let names = names();
    let names = WithFiles::new(&names, &file);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("part of the repository").map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let only = std::env::var("LANG_FILES").ok();
    let mut faults = Vec::new();
    for path in files {
        let place = path.file_name().expect("a file").to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| !only.split(',').any(|stem| place.trim_end_matches(".txt") == stem)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        let steps = conversation(&text);
        let real = real_conversation(&steps);
        let ours = our_conversation(&steps, &names);
        for ((step, real), ours) in steps.iter().zip(real.split(MARK)).zip(ours.split(MARK)) {
            faults.extend(difference(&place, &format!("{}\n{}", step.line, step.input), real, ours));
        }
        faults.extend(difference(
            &place,
            "as a whole",
            &real.matches(MARK).count().to_string(),
            &ours.matches(MARK).count().to_string(),
        ));
    }
    assert!(faults.is_empty(), "{} steps differ:\n{}", faults.len(), faults.join("\n\n"));
}

/// `$ iptables ...`, `$ iptables-restore ...` or `$ iptables-save ...`, or the same as `ip6tables`, with the lines that follow as its input.
struct Step {
    line: String,
    input: String,
}

fn conversation(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { line: command.trim_end().to_owned(), input: String::new() }),
            (None, Some(step)) => step.input.push_str(line),
            (None, None) => {}
        }
    }
    steps
}

fn real_conversation(steps: &[Step]) -> String {
    // Under their plain names, as messages have the name that a program was called by.
    let mut script = String::from("bin=$(mktemp -d); trap 'rm -r $bin' EXIT; PATH=$bin:$PATH\n");
    for name in ["iptables", "ip6tables"].iter().flat_map(|name| ["", "-restore", "-save"].map(|part| format!("{name}{part}"))) {
        let legacy = name.replacen("tables", "tables-legacy", 1);
        writeln!(script, "ln -s \"$(readlink -f \"$(command -v {legacy})\")\" $bin/{name}").expect("a String");
    }
    for step in steps {
        let (program, rest) = step.line.split_once(' ').unwrap_or((&step.line, ""));
        write!(script, "{program} {rest} 2>&1 <<'END-OF-INPUT'\n{}END-OF-INPUT\necho \"code $?\"; printf '{MARK}'\n", step.input)
            .expect("a String");
    }
    let (stdout, stderr) = in_namespace(&script, &[], "");
    assert_eq!(stderr, "");
    // The time of a saved text, which is ours to leave out.
    let is_stamp = |line: &str| line.starts_with("# Generated by ") || line.starts_with("# Completed on ");
    let shown = |line: &str| match line.strip_prefix(MARK) {
        Some(line) if is_stamp(line) => MARK.to_owned(),
        None if is_stamp(line) => String::new(),
        _ => line.to_owned(),
    };
    stdout.split_inclusive('\n').map(shown).collect()
}

fn our_conversation(steps: &[Step], names: &dyn Names) -> String {
    let mut four = Ours { set: RuleSet::new(Family::Ipv4), names };
    let mut six = Ours { set: RuleSet::new(Family::Ipv6), names };
    let mut answers = String::new();
    for step in steps {
        let all = cases::split(&step.line);
        let ours = if all[0].starts_with("ip6") { &mut six } else { &mut four };
        let (stdout, stderr, code) = match all[0].trim_start_matches("iptables").trim_start_matches("ip6tables") {
            "" => ours.run(&all[1..]),
            "-restore" => ours.restore(&all[1..], &step.input),
            "-save" => ours.save_as(&all[1..]),
            other => panic!("not a command of ours: {other}"),
        };
        write!(answers, "{stderr}{stdout}code {code}\n{MARK}").expect("a String");
    }
    answers
}
