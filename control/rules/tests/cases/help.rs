//! Help beside the real one's: the words are ours, but every option that its text names ours names too, of every match and target; with the same
//! sections in the same order, on the same stream, with the same exit code.
use crate::beside::{MARK, Ours, in_namespace, names, require_iptables};
use rules::command::Host;
use rules::{Family, RuleSet, restore};
use std::collections::BTreeSet;

/// What a program said: standard output, standard error, and its exit code.
type Said = (String, String, i32);

/// Kernels are built without some extensions, of which iptables warns.
const NOT_IN_THE_KERNEL: &str = "Warning: Extension ";

fn real(program: &str, words: &[String]) -> Said {
    let (stdout, stderr) = in_namespace(&format!("{program} \"$@\"; printf '{MARK}%s' $?"), words, "");
    let (stdout, code) = stdout.rsplit_once(MARK).expect("the script says the exit code");
    let stderr = stderr.split_inclusive('\n').filter(|line| !line.starts_with(NOT_IN_THE_KERNEL)).collect();
    (stdout.to_owned(), stderr, code.parse().expect("a number"))
}

fn ours(family: Family, words: &[String]) -> Said {
    let names = names();
    Ours { set: RuleSet::new(family), names: &names }.run(words)
}

fn ours_of_restore(family: Family, words: &[String]) -> Said {
    let names = names();
    let mut ours = Ours { set: RuleSet::new(family), names: &names };
    let host = Host { names: &names, live: None };
    let outcome = restore::Options::parse(family, words).and_then(|options| restore::restore(&ours.set, "", &options, &host));
    ours.settle(outcome, &format!("{}-restore", family.program()))
}

/// `--name` and `-n`, wherever they stand in a text.
fn options(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let words = text.split(|letter| !is_part(letter)).map(|word| word.trim_end_matches('-'));
    let is_long = |word: &str| word.len() > 3 && word.starts_with("--");
    let is_short = |word: &str| word.len() == 2 && word.starts_with('-');
    // `-[LS]` is two.
    let together = text.split("-[").skip(1).filter_map(|rest| rest.split_once(']')).flat_map(|(letters, _)| letters.chars());
    let together = together.filter(char::is_ascii_alphanumeric).map(|letter| format!("-{letter}"));
    words.filter(|word| is_long(word) || is_short(word)).map(str::to_owned).chain(together).collect()
}

/// `tcp match options:` and its like, in order.
fn sections(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.ends_with(" match options:") || line.ends_with(" target options:")).collect()
}

/// How ours differs, if it does.
fn fault(place: &str, real: &Said, ours: &Said) -> Option<String> {
    let (named, ours_named) = (options(&format!("{}{}", real.0, real.1)), options(&format!("{}{}", ours.0, ours.1)));
    let missing: Vec<&String> = named.difference(&ours_named).collect();
    let kind = |said: &Said| (said.2, said.0.is_empty(), said.1.is_empty());
    let is_alike = missing.is_empty() && kind(real) == kind(ours);
    (!is_alike).then(|| format!("{place}: missing {missing:?}; code, no output, no error {:?}, ours {:?}", kind(real), kind(ours)))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs root and iptables-legacy; run by make test"]
fn help_names_every_option_that_iptables_names() {
    require_iptables();
    let mut faults = Vec::new();
    let mut count = 0;
    for family in [Family::Ipv4, Family::Ipv6] {
        let program = format!("{}-legacy", family.program());
        let of_family = |one: &rules::Described| one.family.is_none_or(|only| only == family);
        let all: Vec<rules::Described> = rules::extensions().into_iter().filter(of_family).collect();
        // This one is ours alone.
        for one in all.iter().filter(|one| one.name != "selinux") {
            let words = words(&format!("{} {} -h", if one.is_target { "-j" } else { "-m" }, one.name));
            faults.extend(fault(&format!("{program} {words:?}"), &real(&program, &words), &ours(family, &words)));
            count += 1;
        }
        for line in ["-h", "--help"] {
            let of_restore = fault(
                &format!("{program}-restore {line}"),
                &real(&format!("{program}-restore"), &words(line)),
                &ours_of_restore(family, &words(line)),
            );
            faults.extend(of_restore);
        }
    }
    assert!(count > 150, "only {count} extensions");
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
}

#[test]
#[ignore = "needs root and iptables-legacy; run by make test"]
fn help_has_the_sections_of_iptables_in_its_order() {
    require_iptables();
    let mut faults = Vec::new();
    for (family, lines) in [
        (
            Family::Ipv4,
            &[
                "-h",
                "--help",
                "-A INPUT -h",
                "-h state",
                "-h -m tcp",
                "-p tcp -h",
                "-p TCP -h",
                "-p 6 -h",
                "-p icmp -h icmp",
                "-p udplite -h",
                "-p udp -m state -h",
                "-m tcp -m udp -h",
                "-m udp -m tcp -j MARK -h",
                "-m limit -m limit -h",
                "-j MARK -m mark -h",
                "-j MARK -h -m mark",
                "-j ACCEPT -h",
                "-j RETURN -m limit -h",
                "-p tcp -j DROP -h",
                "-j nowhere -h",
                "-g nowhere -m udp -h",
                "-m nosuch -h",
                "-p nosuch -h",
                "-L -h",
            ][..],
        ),
        (
            Family::Ipv6,
            &["-h", "-p ipv6-icmp -m tcp -h", "-p mh -h", "-p 135 -h", "-p mobility-header -h", "-p ah -h", "-m udp -j MARK -h"],
        ),
    ] {
        let program = format!("{}-legacy", family.program());
        for line in lines {
            let (real, ours) = (real(&program, &words(line)), ours(family, &words(line)));
            faults.extend(fault(line, &real, &ours));
            if sections(&real.0) != sections(&ours.0) {
                faults.push(format!("{line}: {:?}, ours {:?}", sections(&real.0), sections(&ours.0)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
