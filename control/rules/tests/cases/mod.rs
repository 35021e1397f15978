//! Reads the cases of `tests/lang` (its README has the format).
use rules::names::{Names, SetFamily};
use std::path::{Path, PathBuf};

/// One rule to append to one chain, and what must come of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Where it stands, for messages.
    pub(crate) place: String,
    /// The file's name without ending.
    pub(crate) stem: String,
    /// Whether it is for ip6tables.
    pub(crate) is_ipv6: bool,
    /// `-t`.
    pub(crate) table: String,
    /// `-A`.
    pub(crate) chain: String,
    /// The rule as written.
    pub(crate) text: String,
    /// Its words.
    pub(crate) words: Vec<String>,
    /// What must come of it.
    pub(crate) wanted: Wanted,
}

/// What must come of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It is taken, and `-S` prints these forms.
    Forms(Vec<String>),
    /// It is refused with this exit code.
    Refusal(i32),
}

impl Case {
    /// The whole command line that appends the rule.
    pub(crate) fn command(&self) -> Vec<String> {
        let head = ["-t", &self.table, "-A", &self.chain].map(str::to_owned);
        head.into_iter().chain(self.words.iter().cloned()).collect()
    }
}

/// Every case of every file.
pub(crate) fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lang");
    let entries = std::fs::read_dir(&folder).expect("tests/lang is part of the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "t"));
    files.sort();
    assert!(files.len() > 20, "tests/lang has a file per match and target");
    files.iter().flat_map(|path| of_file(path)).collect()
}

fn of_file(path: &Path) -> Vec<Case> {
    let stem = path.file_stem().expect("a file").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("a readable file");
    let mut chains = Vec::new();
    let mut table = String::new();
    let mut is_ipv6 = false;
    let mut cases = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{stem}.t:{}", index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "%ip6tables" {
            is_ipv6 = true;
            continue;
        }
        if let Some(list) = line.strip_prefix(':') {
            chains = list.split(',').map(str::to_owned).collect();
            continue;
        }
        if let Some(name) = line.strip_prefix('*') {
            table = name.to_owned();
            continue;
        }
        let parts: Vec<&str> = line.rsplitn(3, ';').collect();
        let [verdict, form, rule] = parts.as_slice() else { panic!("{place}: not RULE;FORM;VERDICT: {line}") };
        let wanted = match *verdict {
            "OK" if *form == "=" => Wanted::Forms(vec![(*rule).to_owned()]),
            "OK" => Wanted::Forms(form.split(" && ").map(str::to_owned).collect()),
            "FAIL" => Wanted::Refusal(form.parse().unwrap_or_else(|_| panic!("{place}: not an exit code: {form}"))),
            other => panic!("{place}: neither OK nor FAIL: {other}"),
        };
        for chain in &chains {
            cases.push(Case {
                place: place.clone(),
                stem: stem.clone(),
                is_ipv6,
                table: table.clone(),
                chain: chain.clone(),
                text: (*rule).to_owned(),
                words: split(rule),
                wanted: wanted.clone(),
            });
        }
    }
    cases
}

/// The words of a line as a shell takes them apart, of whose quotes it knows the double ones.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None;
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if escaped => {
                word.get_or_insert_with(String::new).push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            ' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_with(String::new).push(c),
        }
    }
    words.extend(word);
    words
}

/// Is the case for a host that has sets?
pub(crate) fn has_sets(case: &Case) -> bool {
    matches!(case.stem.as_str(), "set" | "sets")
}

/// Names of a host that has the sets of which `set.t` and `sets.t` speak, and no other host has.
pub(crate) struct WithSets<'a> {
    pub(crate) names: &'a dyn Names,
    pub(crate) has_sets: bool,
}

impl Names for WithSets<'_> {
    fn behind(&self) -> Option<&dyn Names> {
        Some(self.names)
    }

    fn set_family(&self, name: &str) -> Option<SetFamily> {
        match name {
            _ if !self.has_sets => None,
            "foo" | "net" => Some(SetFamily::Ipv4),
            "six" => Some(SetFamily::Ipv6),
            "any" => Some(SetFamily::Any),
            _ => None,
        }
    }
}
