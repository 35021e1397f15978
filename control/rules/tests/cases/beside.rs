//! Both sides: commands in a network namespace of their own, and the rule set that ours change.
use rules::command::Host;
use rules::names::{Kind, NameFiles, Names};
use rules::{Error, RuleSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Between the outputs of the commands of one script.
pub(crate) const MARK: &str = "\u{1e}";

/// Runs the script whose length stands in the first line of the input, behind which it stands itself.
const SCRIPT_FIRST: &str = "read -r length; script=$(dd bs=1 count=\"$length\" 2>/dev/null; echo x); eval \"${script%x}\"";

/// Runs a shell script in a fresh network namespace; `$@` are the words.
pub(crate) fn in_namespace(script: &str, words: &[String], input: &str) -> (String, String) {
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

pub(crate) fn require_iptables() {
    let version = Command::new("iptables-legacy").arg("-V").output().expect("iptables-legacy is installed");
    assert_eq!(String::from_utf8_lossy(&version.stdout), "iptables v1.8.9 (legacy)\n");
}

pub(crate) fn names() -> NameFiles {
    let read = |path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    NameFiles::parse(&read("/etc/protocols"), &read("/etc/services"))
}

/// A file of names of this host; there may be none.
pub(crate) fn file(kind: Kind) -> String {
    std::fs::read_to_string(kind.path()).unwrap_or_default()
}

/// Our side: a rule set that commands change, with what they print and end with.
pub(crate) struct Ours<'a> {
    pub(crate) set: RuleSet,
    pub(crate) names: &'a dyn Names,
}

impl Ours<'_> {
    pub(crate) fn settle(&mut self, outcome: Result<rules::command::Outcome, Error>, program: &str) -> (String, String, i32) {
        match outcome {
            Ok(outcome) => {
                self.set = outcome.ruleset.unwrap_or_else(|| self.set.clone());
                (outcome.stdout, outcome.stderr, 0)
            }
            Err(error) => (error.stdout.clone(), error.message(program), error.exit_code()),
        }
    }

    pub(crate) fn run(&mut self, words: &[String]) -> (String, String, i32) {
        let host = Host { names: self.names, live: None };
        let outcome = rules::parse(self.set.family, words, self.names).and_then(|invocation| invocation.run(&self.set, &host));
        self.settle(outcome, self.set.family.program())
    }
}

/// What differs first, with both sides.
pub(crate) fn difference(place: &str, text: &str, real: &str, ours: &str) -> Option<String> {
    if real == ours {
        return None;
    }
    let differing = real.split(MARK).zip(ours.split(MARK)).find(|(real, ours)| real != ours);
    let (real, ours) = differing.unwrap_or((real, ours));
    Some(format!("{place}: {text}\n--- iptables\n{real}\n--- ours\n{ours}"))
}
