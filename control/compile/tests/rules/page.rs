//! docs/extensions.md: every match and target, from the tables of the language; what is enforced of it, from what the compiler says to
//! each line of tests/lang that the language takes.
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use compile::{CompileError, Context, Reason};
use packet::{Ipv4, Ipv6};
use rules::command::Host;
use rules::names::{NameFiles, WithFiles};
use rules::{Described, Family, RuleSet};

use crate::cases::{self, Case, Wanted, WithSets};
use crate::host::{SERVICES, files};
use crate::load::{SLOTS, give_slots};

const HEAD: &str = "\
# Matches and targets

Made from the tables of the language, and from what the compiler says to each line of `tests/lang`: `UPDATE_PAGES=1 cargo test -p compile`
writes it anew. All that is here is read, checked, printed and kept as iptables 1.8.9 does it; `rampartd --standalone` takes it all. What is
not enforced is refused by name where a dataplane runs, never ignored. `[!]` may stand before an option so marked.
";

/// What the compiler says to the lines of one extension.
#[derive(Default)]
struct Verdicts {
    enforced: usize,
    refused: Vec<String>,
}

impl Verdicts {
    fn in_words(&self) -> String {
        match (self.enforced, self.refused.as_slice()) {
            (0, [only]) => format!("no{only}"),
            (0, []) => "no line of tests/lang shows it".to_owned(),
            (0, _) => "no".to_owned(),
            (_, []) => "yes".to_owned(),
            (_, some) => format!("yes, but not {}", some.iter().map(|why| why.trim()).collect::<Vec<_>>().join("; not ")),
        }
    }
}

/// Why the compiler refuses a rule set, the extension's own name left out.
fn refusal(error: &CompileError, name: &str) -> String {
    let Reason::NotEnforced(what) = error.reason else { return error.reason.to_string() };
    what.strip_prefix(name).unwrap_or(what).trim_end_matches(',').to_owned()
}

fn compiled(case: &Case) -> Result<(), CompileError> {
    let family = if case.is_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
    let names = NameFiles::parse("", SERVICES);
    let names = WithFiles::new(&names, &files);
    let names = WithSets { names: &names, has_sets: cases::has_sets(case) };
    let invocation = rules::parse(family, &case.command(), &names);
    let outcome = invocation.and_then(|it| it.run(&RuleSet::new(family), &Host { names: &names, live: None }));
    let outcome = outcome.unwrap_or_else(|error| panic!("{}: {}: {error}", case.place, case.text));
    let mut set = outcome.ruleset.expect("a rule was appended");
    give_slots(&mut set);
    match family {
        Family::Ipv4 => compile::tables::<Ipv4>(&set, &mut Context::new(SLOTS)).map(drop),
        Family::Ipv6 => compile::tables::<Ipv6>(&set, &mut Context::new(SLOTS)).map(drop),
    }
}

fn page() -> String {
    let all = cases::all();
    let mut verdicts: BTreeMap<&str, Verdicts> = BTreeMap::new();
    for case in all.iter().filter(|case| matches!(case.wanted, Wanted::Forms(_))) {
        // Where sets are there, SET has a file of its own.
        let stem = if case.stem == "sets" { "SET" } else { &case.stem };
        let is_target = stem.starts_with(|c: char| c.is_ascii_uppercase());
        let name = format!("{} {}", if is_target { "-j" } else { "-m" }, stem);
        let verdict = verdicts.entry(stem).or_default();
        match compiled(case) {
            Ok(()) => verdict.enforced += 1,
            Err(error) => {
                let why = refusal(&error, &name);
                if !verdict.refused.contains(&why) {
                    verdict.refused.push(why);
                }
            }
        }
    }
    let mut out = HEAD.to_owned();
    for (is_target, heading, letter) in [(false, "Matches", 'm'), (true, "Targets", 'j')] {
        write!(out, "\n## {heading}\n\n| name | for | enforced | options |\n|---|---|---|---|\n").expect("a String");
        for one in rules::extensions().iter().filter(|one| one.is_target == is_target) {
            let none = Verdicts::default();
            let verdict = verdicts.get(one.name).unwrap_or(&none).in_words();
            let line = format!("| `-{letter} {}` | {} | {verdict} | {} |\n", one.name, families(one), options(one));
            out.push_str(&line);
        }
    }
    out.push_str("\nVerdicts: `-j ACCEPT`, `DROP` and `RETURN` are enforced; `-j QUEUE` is not.\n");
    out
}

fn families(one: &Described) -> &'static str {
    match one.family {
        None => "both",
        Some(Family::Ipv4) => "iptables",
        Some(Family::Ipv6) => "ip6tables",
    }
}

fn options(one: &Described) -> String {
    let taken = one.options.iter().map(|option| format!("`{}`", option.replace('|', "\\|")));
    let refused = one.refused.iter().map(|name| format!("`--{name}` is refused"));
    taken.chain(refused).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_page_of_extensions_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/extensions.md");
    let page = page();
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, &page).expect("docs is there to be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = page.lines().zip(written.lines()).find(|(now, then)| now != then);
    assert!(
        page == written,
        "UPDATE_PAGES=1 cargo test -p compile writes docs/extensions.md anew; first difference: {differing:?}"
    );
    assert!(!page.contains("no line of tests/lang"), "an extension has no file: {page}");
}
