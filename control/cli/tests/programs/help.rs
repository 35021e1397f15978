//! Help of the programs around the rules, beside the real one's: the words are ours, but each command, option and type that its text has stands in
//! ours as well, in its order, on the same stream, with the same exit code.
use std::process::Command;

use crate::harness::{Box, text};

/// Standard output, standard error, and the exit code.
type Said = (String, String, Option<i32>);

fn real(program: &str, args: &[&str]) -> Said {
    let output = Command::new("unshare").args(["-rn", program]).args(args).stdin(std::process::Stdio::null()).output().unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn ours(b: &Box, program: &str, args: &[&str]) -> Said {
    let output = b.run(program, args, "");
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// Names of options, each where it is named first: those of a letter, then those of a word.
fn options(text: &str) -> Vec<String> {
    let words = || text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let short = words().filter(|word| word.len() == 2 && word.starts_with('-') && *word != "--");
    let long = words().filter(|word| word.len() > 3 && word.starts_with("--"));
    first_of_each(short.chain(long))
}

fn first_of_each<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        if all.iter().all(|other| other != word) {
            all.push(word.to_owned());
        }
    }
    all
}

/// Of the words of the one text, those of the other that are there, in its order.
fn kept<'a>(of: &'a [String], wanted: &[String]) -> Vec<&'a String> {
    of.iter().filter(|word| wanted.contains(word)).collect()
}

fn fault(place: &str, real: &Said, ours: &Said, words: impl Fn(&str) -> Vec<String>) -> Option<String> {
    let all = |said: &Said| words(&format!("{}{}", said.0, said.1));
    let (of_real, of_ours) = (all(real), all(ours));
    let kind = |said: &Said| (said.2, said.0.is_empty(), said.1.is_empty());
    let is_alike = kept(&of_ours, &of_real) == of_real.iter().collect::<Vec<_>>() && kind(real) == kind(ours);
    (!is_alike).then(|| format!("{place}\n--- the real one {:?}\n{of_real:?}\n--- ours {:?}\n{of_ours:?}", kind(real), kind(ours)))
}

#[test]
#[ignore = "needs the real iptables and the right to make namespaces; run by make test"]
fn help_of_save_and_restore_names_the_options_in_their_order() {
    let b = Box::new();
    let mut faults = Vec::new();
    for family in ["iptables", "ip6tables"] {
        for args in [&["-h"][..], &["--help"], &["-c", "-h"], &["-h", "-x"], &["-n", "--help", "nosuch"]] {
            let (name, legacy) = (format!("{family}-restore"), format!("{family}-legacy-restore"));
            faults.extend(fault(&format!("{name} {args:?}"), &real(&legacy, args), &ours(&b, &name, args), options));
        }
        // It has none, and says where its manual is.
        for args in [&["-h"][..], &["--help"], &["-c", "-h"]] {
            let (name, legacy) = (format!("{family}-save"), format!("{family}-legacy-save"));
            let (said, own) = (real(&legacy, args), ours(&b, &name, args));
            let said = (said.0, said.1.replacen(&legacy, &name, 1), said.2);
            if said != own {
                faults.push(format!("{name} {args:?}\n--- the real one\n{said:?}\n--- ours\n{own:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}

const COMMANDS: &[&str] =
    &["create", "add", "del", "test", "destroy", "list", "save", "restore", "flush", "rename", "swap", "help", "version", "quit"];

/// Commands, options of the program and types, each where it is explained.
fn words_of_ipset(text: &str) -> Vec<String> {
    let types: Vec<&str> = sets::types::TYPES.iter().map(|kind| kind.name).collect();
    let is_option = |word: &str| word.len() == 2 && word.starts_with('-');
    let general = text.lines().take_while(|line| !line.ends_with(" type specific options:"));
    let words = general.filter_map(|line| line.split_whitespace().next()).map(|word| word.trim_end_matches(','));
    first_of_each(words.filter(|word| COMMANDS.contains(word) || types.contains(word) || is_option(word)))
}

/// `create: family`, `add: timeout` and so on, from where a type's commands are explained.
fn words_of_type(text: &str) -> Vec<String> {
    let mut command = "";
    let mut all = Vec::new();
    for line in text.lines() {
        let word = line.split_whitespace().next().unwrap_or_default();
        if let Some(word) = word.strip_prefix('[') {
            let end = word.find(|letter: char| !letter.is_ascii_lowercase()).unwrap_or(word.len());
            // Else it goes on with what an element is.
            if end > 0 {
                all.push(format!("{command}: {}", &word[..end]));
            }
        } else if let Some(known) = ["create", "add", "del", "test"].into_iter().find(|known| *known == word) {
            command = known;
        }
    }
    all
}

#[test]
#[ignore = "needs the real ipset and the right to make namespaces; run by make test"]
fn help_of_ipset_names_commands_options_and_types_in_their_order() {
    let b = Box::new();
    let mut faults = Vec::new();
    for args in [&["help"][..], &["-h"], &["-H"], &["--help"], &["help", "nosuch"], &["-q", "help"], &["help", "a", "b"]] {
        faults.extend(fault(&format!("ipset {args:?}"), &real("ipset", args), &ours(&b, "ipset", args), words_of_ipset));
    }
    for kind in sets::types::TYPES {
        let args = ["help", kind.name];
        let (real, ours) = (real("ipset", &args), ours(&b, "ipset", &args));
        assert!(words_of_type(&real.0).len() > 5, "{}", real.0);
        faults.extend(fault(&format!("ipset {args:?}"), &real, &ours, words_of_ipset));
        faults.extend(fault(&format!("ipset {args:?}"), &real, &ours, words_of_type));
    }
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}
