//! Conversations of commands and restore texts, through our crate and through iptables-legacy in a network namespace of its own: exit codes
//! and both outputs must be equal. Those under `conversations/` were written by hand; others are made by chance, of everything that
//! `tests/lang` and the command line have, with mistakes among it.
//! `TALK_SEED` and `TALK_COUNT` choose other conversations by chance and more of them.
use crate::beside::{MARK, Ours, difference, file, in_namespace, names, require_iptables};
use crate::cases;
use crate::chance::setting;
use crate::talk::{self, OnPurpose};
use rules::command::Host;
use rules::names::{Names, WithFiles};
use rules::{Family, RuleSet};
use std::fmt::Write as _;

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

/// How many conversations at least are made by chance, and as many may end early because the two differ there on purpose.
const TALKS: u64 = 60;

#[test]
#[ignore = "needs root and iptables-legacy; run by make test"]
fn conversations_made_by_chance_go_as_with_iptables() {
    require_iptables();
    let names = names();
    let names = WithFiles::new(&names, &file);
    let sources = talk::Sources::read();
    let (seed, count) = (setting("TALK_SEED", 1), setting("TALK_COUNT", TALKS));
    let (mut compared, mut taken, mut other, mut ended) = (0, 0, 0, 0);
    let mut faults = Vec::new();
    for number in 0..count {
        let made = talk::talk(&sources, seed, number);
        let steps: Vec<Step> = made.iter().map(|said| Step { line: said.line.clone(), input: said.input.clone() }).collect();
        let real = real_conversation(&steps);
        let ours = our_conversation(&steps, &names);
        assert_eq!(real.matches(MARK).count(), steps.len(), "{seed} {number}: {real}");
        let mut before = String::new();
        for ((said, real), ours) in made.iter().zip(real.split(MARK)).zip(ours.split(MARK)) {
            compared += 1;
            taken += usize::from(real.ends_with("code 0\n"));
            let answer = difference(&format!("{seed} {number}"), &format!("{}\n{}", said.line, said.input), real, ours);
            writeln!(before, "$ {}\n{}", said.line, said.input.trim_end()).expect("a String");
            let Some(differing) = answer else { continue };
            match talk::differs_on_purpose(said, real, ours) {
                Some(OnPurpose::OtherMistake) => {
                    other += 1;
                    continue;
                }
                Some(OnPurpose::RefusesMore) => ended += 1,
                None => faults.push(format!("{before}{differing}")),
            }
            // From here on they may have other rules.
            break;
        }
    }
    assert!(faults.is_empty(), "{} of {count} conversations differ:\n{}", faults.len(), faults.join("\n\n"));
    println!(
        "{compared} steps of {count} conversations compared, {taken} of them taken; of {other} refusals another mistake is named"
    );
    println!("{ended} conversations ended where ours refuses more on purpose");
    assert!(
        taken * 2 > compared && other * 20 < compared && ended * 4 < count,
        "most of what is said should be compared, and taken"
    );
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
        // What is said on standard error comes first, however the program holds back the other.
        writeln!(script, "{program} {rest} >$bin/out 2>$bin/err <<'END-OF-INPUT'\n{}END-OF-INPUT", step.input).expect("a String");
        writeln!(script, "code=$?; cat $bin/err $bin/out; echo \"code $code\"; printf '{MARK}'").expect("a String");
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
        ours.assert_it_reads_back(step);
    }
    answers
}

impl Ours<'_> {
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

    /// Whatever was taken can be saved and restored: a daemon that starts again reads what it has stored.
    fn assert_it_reads_back(&self, step: &Step) {
        let host = Host { names: self.names, live: None };
        let saved = |set: &RuleSet| {
            let options = rules::save::Options { counters: true, ..Default::default() };
            rules::save::save(set, &options, None, &host).expect("no table is asked for by name")
        };
        let text = saved(&self.set);
        let options = rules::restore::Options { counters: true, ..Default::default() };
        let outcome = rules::restore::restore(&RuleSet::new(self.set.family), &text, &options, &host);
        let back = outcome.map(|outcome| saved(&outcome.ruleset.unwrap_or_else(|| RuleSet::new(self.set.family))));
        assert_eq!(back.as_ref(), Ok(&text), "after {}\n{}", step.line, step.input);
    }

    fn save_as(&mut self, words: &[String]) -> (String, String, i32) {
        let host = Host { names: self.names, live: None };
        let saved = rules::save::Options::parse(words).and_then(|options| rules::save::save(&self.set, &options, None, &host));
        match saved {
            Ok(text) => (text, String::new(), 0),
            Err(error) => (String::new(), error.message(&format!("{}-save", self.set.family.program())), error.exit_code()),
        }
    }
}
