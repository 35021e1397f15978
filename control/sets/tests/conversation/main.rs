//! Conversations with ipset: what each step says and exits with is that of the real one, as `recorded/*.t` has it.
//!
//! `$ ` is a command, `| ` a line of what it reads, `1> ` and `2> ` what it says, `= ` its exit code if it is not 0. A word `''` is an empty one.
//! Who changes a conversation records it anew with the real ipset 7.17 in a namespace of its own, which needs root or user namespaces:
//! `RECORD=1 cargo test -p sets --test conversation -- --ignored`. Without RECORD it is compared with what stands there.
mod generated;
mod mangled;
mod own;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rules::names::NameFiles;
use sets::words::split;
use sets::{Host, Sets};

const PROTOCOLS: &str = "ip 0 IP\nhopopt 0 HOPOPT\nicmp 1 ICMP\nigmp 2 IGMP\ntcp 6 TCP\nudp 17 UDP\ngre 47 GRE\nesp 50 IPSEC-ESP\n\
                         ipv6-icmp 58 IPv6-ICMP icmpv6\nvrrp 112 VRRP\nsctp 132 SCTP\nudplite 136 UDPLite\n";
const SERVICES: &str = "ftp-data 20/tcp\ndomain 53/tcp\ndomain 53/udp\nhttp 80/tcp www\nhttps 443/tcp\nsyslog 514/udp\n";

/// One command with what it reads, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Step {
    command: String,
    input: String,
    stdout: String,
    stderr: String,
    exit: i32,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversation/recorded")
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "t")).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        let mark = &line[..line.len().min(3)];
        let rest = |from: usize| format!("{}\n", line.get(from..).unwrap_or(""));
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), ..Step::default() });
        } else if let Some(step) = steps.last_mut() {
            match mark {
                "1> " | "1>" => step.stdout.push_str(&rest(3)),
                "2> " | "2>" => step.stderr.push_str(&rest(3)),
                mark if mark.starts_with('|') => step.input.push_str(&rest(2)),
                mark if mark.starts_with('=') => step.exit = line[2..].trim().parse().unwrap(),
                _ => assert!(line.is_empty() || line.starts_with('#'), "{line}"),
            }
        }
    }
    steps
}

fn words(command: &str) -> Vec<String> {
    split(command).into_iter().map(|word| if word == "''" { String::new() } else { word }).collect()
}

/// Without numbers that nobody chose, and with members of hashes in an order: theirs is the kernel's own.
fn normal(text: &str, command: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(without_initval).collect();
    without_shared_places(&mut lines);
    if !words(command).iter().any(|word| matches!(word.as_str(), "-s" | "-sorted")) {
        let mut start = 0;
        let is_member = |line: &str| {
            line.starts_with("add ") || line.starts_with("<member>") || line.starts_with(|c: char| c.is_ascii_hexdigit())
        };
        while start < lines.len() {
            let length = lines[start..].iter().take_while(|line| is_member(line)).count();
            lines[start..start + length].sort();
            start += length.max(1);
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Two elements of a hash may share a place, as chance has it, and need less memory then.
fn without_shared_places(lines: &mut [String]) {
    let mut is_hash = false;
    for at in 0..lines.len() {
        if let Some(kind) = lines[at].strip_prefix("Type: ").or(lines[at].strip_prefix("<type>")) {
            is_hash = kind.starts_with("hash:");
        }
        let entries = lines.get(at + 2).map_or("", |line| line.trim_start_matches("Number of entries: "));
        let entries = entries.trim_start_matches("<numentries>").trim_end_matches("</numentries>").parse().unwrap_or(0);
        let is_size = lines[at].starts_with("Size in memory: ") || lines[at].starts_with("<memsize>");
        if is_hash && is_size && entries > 1 {
            lines[at].retain(|c| !c.is_ascii_digit());
        }
    }
}

fn without_initval(line: &str) -> String {
    let mut line = line.to_owned();
    for (before, behind) in [("initval 0x", " "), ("<initval>0x", "<")] {
        if let Some(at) = line.find(before) {
            let from = at + before.len();
            let to = line[from..].find(behind).map_or(line.len(), |end| from + end);
            line.replace_range(from..to, "?");
        }
    }
    line
}

/// What ours says.
fn ours(steps: &[Step]) -> Vec<Step> {
    let names = NameFiles::parse(PROTOCOLS, SERVICES);
    let mut sets = Sets::default();
    let mut now = 1_000_000;
    let answers = steps.iter().map(|step| {
        now += 20;
        let host =
            Host { names: &names, now, initval: 7, references: &|_| 0, may_change: true, is_interactive: false, tells: false };
        let said = sets::run(&mut sets, &words(&step.command), &step.input, &host);
        Step { stdout: said.stdout, stderr: said.stderr, exit: said.exit, ..step.clone() }
    });
    answers.collect()
}

/// What the real one says, in a namespace of its own.
fn theirs(steps: &[Step]) -> Vec<Step> {
    let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
    let mut script = String::from("set -u; d=$(mktemp -d); trap 'rm -r $d' EXIT\n");
    for step in steps {
        let args: Vec<String> = words(&step.command).iter().map(|word| quoted(word)).collect();
        writeln!(script, "printf %s {} >$d/in; ipset {} <$d/in >$d/out 2>$d/err; r=$?", quoted(&step.input), args.join(" "))
            .unwrap();
        script.push_str("for f in out err; do wc -c <$d/$f; cat $d/$f; done; echo $r\n");
    }
    let mut child = Command::new("unshare").args(["-rn", "sh"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // Its answers are read while it is told: neither waits for the other.
    let telling = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().unwrap().stdout;
    telling.join().unwrap().unwrap();
    let mut rest = output.as_slice();
    let line = |rest: &mut &[u8]| {
        let end = rest.iter().position(|byte| *byte == b'\n').expect("the namespace said less than it was asked");
        let line = String::from_utf8(rest[..end].to_vec()).unwrap();
        *rest = &rest[end + 1..];
        line
    };
    let answers = steps.iter().map(|step| {
        let text = |rest: &mut &[u8]| {
            let length = line(rest).trim().parse().unwrap();
            let text = String::from_utf8(rest[..length].to_vec()).unwrap();
            *rest = &rest[length..];
            text
        };
        let (stdout, stderr) = (text(&mut rest), text(&mut rest));
        Step { stdout, stderr, exit: line(&mut rest).parse().unwrap(), ..step.clone() }
    });
    answers.collect()
}

fn normalised(steps: Vec<Step>) -> Vec<Step> {
    steps.into_iter().map(|step| Step { stdout: normal(&step.stdout, &step.command), ..step }).collect()
}

fn shown(step: &Step) -> String {
    let mut text = format!("$ {}\n", step.command);
    for (mark, lines) in [("|", &step.input), ("1>", &step.stdout), ("2>", &step.stderr)] {
        for line in lines.lines() {
            let blank = if line.is_empty() { "" } else { " " };
            writeln!(text, "{mark}{blank}{line}").unwrap();
        }
    }
    if step.exit != 0 {
        writeln!(text, "= {}", step.exit).unwrap();
    }
    text
}

#[test]
fn every_step_is_answered_as_by_the_real_ipset() {
    let mut differing = String::new();
    let mut count = 0;
    for file in files() {
        let steps = parse(&fs::read_to_string(&file).unwrap());
        count += steps.len();
        for (step, ours) in normalised(steps.clone()).into_iter().zip(normalised(ours(&steps))) {
            if step != ours {
                write!(differing, "{}:\n{}ours:\n{}\n", file.display(), shown(&step), shown(&ours)).unwrap();
            }
        }
    }
    assert!(differing.is_empty(), "{differing}");
    assert!(count > 400, "only {count} steps");
}

#[test]
#[ignore = "needs ipset 7.17 and the right to make namespaces; run by make test"]
fn the_records_are_what_the_real_ipset_says() {
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        let steps = parse(&text);
        let theirs = normalised(theirs(&steps));
        if std::env::var_os("RECORD").is_some() {
            let head: String = text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
            fs::write(&file, theirs.iter().fold(head, |text, step| text + &shown(step))).unwrap();
        } else {
            let recorded = normalised(steps);
            for (recorded, theirs) in recorded.iter().zip(&theirs) {
                assert_eq!(shown(recorded), shown(theirs), "{}", file.display());
            }
        }
    }
}
