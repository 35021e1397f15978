//! iptables-apply: beside the script of iptables 1.8.9, which is run over our own iptables-save and iptables-restore, and what it does better.
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use crate::harness::{Box, RULES, rules, text};

const SCRIPT: &str = "/usr/sbin/iptables-apply";
const NEW: &str = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n";
const NAT: &str = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n";

/// A box with rules in force, files to apply, and links to the binary under the names that the script calls.
fn with_files() -> Box {
    let b = Box::new();
    b.ok("iptables-restore", &[], RULES);
    b.ok("ip6tables-restore", &[], RULES);
    for (name, text) in [
        ("new", NEW.to_owned()),
        ("nat", NAT.to_owned()),
        ("bad", NEW.replace("lo -j", "lo --nonsense -j")),
        ("empty", String::new()),
        ("change", "#!/bin/sh\niptables -A INPUT -j DROP; cat; echo changed\n".to_owned()),
        ("fails", "#!/bin/sh\niptables -A INPUT -j DROP; exit 3\n".to_owned()),
        ("hangs", "#!/bin/sh\niptables -A INPUT -j DROP; exec sleep 60 >/dev/null 2>&1\n".to_owned()),
    ] {
        std::fs::write(b.file(name), text).unwrap();
        let mode = if ["change", "fails", "hangs"].contains(&name) { 0o755 } else { 0o644 };
        std::fs::set_permissions(b.file(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    std::fs::create_dir(b.file("bin")).unwrap();
    for name in ["iptables", "iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"] {
        symlink(env!("CARGO_BIN_EXE_rampart"), b.file("bin").join(name)).unwrap();
    }
    b
}

/// A program in the folder of the box, which finds our programs first.
fn command(b: &Box, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    let path = format!("{}:{}", b.file("bin").display(), std::env::var("PATH").unwrap());
    command.args(args).env("PATH", path).env("RAMPART_SOCKET", b.file("control.sock"));
    command.current_dir(b.file(".")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ours(b: &Box, name: &str, args: &[&str]) -> Command {
    let mut command = command(b, env!("CARGO_BIN_EXE_rampart"), args);
    command.arg0(name);
    command
}

fn finish(mut command: Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    // Who needs no answer may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// All that can be seen of a run: exit code, both outputs, the rules afterwards, and the file that was written.
fn seen(b: &Box, output: &Output) -> String {
    let folder = b.file("").display().to_string();
    // What the shell says in its own name, and we in ours.
    let is_shells =
        |line: &&str| ["No such file or directory", "Is a directory", "Terminated"].iter().any(|words| line.contains(words));
    let stderr: Vec<String> = text(&output.stderr).lines().filter(|line| !is_shells(line)).map(str::to_owned).collect();
    let written = std::fs::read_to_string(b.file("saved")).map(|text| rules(&text));
    let (four, six) = (b.ok("iptables-save", &[], ""), b.ok("ip6tables-save", &[], ""));
    let outputs = format!("{:?}\n{}\n{}", output.status.code(), text(&output.stdout), stderr.join("\n"));
    format!("{outputs}\n{}{}{:?}", rules(&four), rules(&six), written.ok()).replace(&folder, "FOLDER/")
}

#[test]
#[ignore = "needs the script of iptables; run by make test"]
fn every_run_goes_as_that_of_the_script() {
    let (mut count, mut faults) = (0, Vec::new());
    for (name, args, input) in [
        ("iptables-apply", &[][..], ""),
        ("ip6tables-apply", &[], ""),
        ("iptables-apply", &["-c"], ""),
        ("ip6tables-apply", &["-c"], ""),
        ("iptables-apply", &["new"], "y"),
        ("iptables-apply", &["new"], "Yes\n"),
        ("ip6tables-apply", &["new"], "y"),
        ("iptables-apply", &["new"], "n"),
        ("iptables-apply", &["new"], "\n"),
        ("iptables-apply", &["new"], ""),
        ("iptables-apply", &["new"], " y"),
        ("iptables-apply", &["new"], "\ty"),
        ("iptables-apply", &["new"], "\ry"),
        ("iptables-apply", &["new"], "\\y"),
        ("iptables-apply", &["new"], "\\\ny"),
        ("iptables-apply", &["new"], "\0y"),
        ("iptables-apply", &["new"], "\u{e9}"),
        ("iptables-apply", &["new"], "yn"),
        ("iptables-apply", &["/dev/stdin"], NEW),
        ("iptables-apply", &["/dev/stdin"], "y"),
        ("iptables-apply", &["/dev/null"], "y"),
        ("iptables-apply", &["./bin"], "y"),
        ("iptables-apply", &["fails"], "y"),
        ("iptables-apply", &[""], "y"),
        ("iptables-apply", &["-c", ""], "y"),
        ("iptables-apply", &["-w", "new", "new"], "y"),
        ("iptables-apply", &["-w", "./bin", "new"], "y"),
        ("iptables-apply", &["-t", "0", "new"], "y"),
        ("iptables-apply", &["-t", "+5", "new"], "y"),
        ("iptables-apply", &["-t", "010", "new"], "y"),
        ("iptables-apply", &["-t", "0x5", "new"], "y"),
        ("iptables-apply", &["-t", "-0", "new"], "y"),
        ("iptables-apply", &["-t", "99999999999999999999", "new"], "y"),
        ("iptables-apply", &["-t", "9223372036854775808", "new"], "y"),
        ("iptables-apply", &["-t", "3", "-t", "x", "new"], "y"),
        ("iptables-apply", &["--timeout", "5", "new"], "Y"),
        ("iptables-apply", &["empty"], "y"),
        ("iptables-apply", &["bad"], "y"),
        ("ip6tables-apply", &["bad"], "y"),
        ("iptables-apply", &["nothing"], "y"),
        ("iptables-apply", &["-w", "saved", "new"], "y"),
        ("iptables-apply", &["-w", "saved", "new"], "n"),
        ("iptables-apply", &["-w", "nowhere/saved", "new"], "y"),
        ("iptables-apply", &["-t", "2", "-c", "./change"], "y"),
        ("iptables-apply", &["-t", "2", "-c", "./change"], "n"),
        ("iptables-apply", &["-t", "2", "-w", "saved", "-c", "./change"], "y"),
        ("iptables-apply", &["-t", "2", "-c", "./fails"], "y"),
        ("iptables-apply", &["-t", "1", "-c", "./hangs"], "y"),
        ("iptables-apply", &["-c", "./new"], "y"),
        ("iptables-apply", &["-c", "./bin"], "y"),
        ("iptables-apply", &["-c", "change"], "y"),
        ("iptables-apply", &["-t", "x", "new"], "y"),
        ("iptables-apply", &["-t", "-1", "new"], "y"),
        ("iptables-apply", &["-t", "1.5", "new"], "y"),
        ("iptables-apply", &["-t", "", "new"], "y"),
        ("iptables-apply", &["-x"], ""),
        ("iptables-apply", &["-t"], ""),
        ("iptables-apply", &["--timeout"], ""),
        ("iptables-apply", &["--foo"], ""),
        ("iptables-apply", &["--help=1"], ""),
        ("iptables-apply", &["-h", "-x"], ""),
        ("iptables-apply", &["--time"], ""),
        ("iptables-apply", &["--w"], ""),
        ("iptables-apply", &["--version=1"], ""),
        ("iptables-apply", &["-ct"], ""),
    ] {
        let (real, own) = (with_files(), with_files());
        let script = SCRIPT.replace("iptables-apply", name);
        let real = seen(&real, &finish(command(&real, &script, args), input));
        let own = seen(&own, &finish(ours(&own, name, args), input));
        if own != real {
            faults.push(format!("{name} {args:?} {input:?}\n--- the script\n{real}\n--- ours\n{own}"));
        }
        count += 1;
    }
    assert!(faults.is_empty(), "{} of {count} runs differ:\n{}", faults.len(), faults.join("\n\n"));
    println!("{count} runs compared");
}

#[test]
fn a_yes_keeps_the_new_rules_and_anything_else_the_old_ones() {
    for (input, kept, code) in [("y", NEW, 0), ("n", RULES, 255), ("", RULES, 255)] {
        let b = with_files();
        let output = finish(ours(&b, "iptables-apply", &["-t", "5", "new"]), input);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(code), String::new()), "{input}");
        assert_eq!(rules(&b.ok("iptables-save", &[], "")), kept, "{input}");
    }
}

#[test]
fn no_answer_in_time_puts_the_old_rules_back() {
    let b = with_files();
    let mut child = ours(&b, "iptables-apply", &["-t", "1", "new"]).spawn().unwrap();
    let open = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(open);
    assert_eq!(output.status.code(), Some(255));
    assert!(text(&output.stdout).contains("Timeout! Something happened"), "{}", text(&output.stdout));
    assert_eq!(rules(&b.ok("iptables-save", &[], "")), RULES);
}

#[test]
fn who_loses_his_terminal_gets_the_old_rules_back_at_once() {
    let b = with_files();
    let mut child = ours(&b, "iptables-apply", &["-t", "600", "new"]).spawn().unwrap();
    let mut said = Vec::new();
    BufReader::new(child.stdout.take().unwrap()).read_until(b')', &mut said).unwrap();
    assert!(text(&said).ends_with("(y/N)"), "{}", text(&said));
    assert_eq!(rules(&b.ok("iptables-save", &[], "")), NEW);
    let hang_up = Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap();
    assert!(hang_up.success());
    assert_eq!(child.wait().unwrap().code(), Some(255));
    assert_eq!(rules(&b.ok("iptables-save", &[], "")), RULES);
}

#[test]
fn rules_of_a_table_that_was_not_there_are_taken_back_too() {
    let b = with_files();
    let output = finish(ours(&b, "iptables-apply", &["nat"]), "n");
    assert_eq!(output.status.code(), Some(255));
    let saved = b.ok("iptables-save", &[], "");
    assert!(rules(&saved).starts_with("*nat\n") && !saved.contains("MASQUERADE") && saved.contains("--dport 22"), "{saved}");
}

#[test]
fn help_and_version_change_nothing() {
    let b = with_files();
    for (args, word) in [(&["-h", "new"][..], "/etc/network/iptables.up.run"), (&["-V", "new"], "1.1")] {
        let output = finish(ours(&b, "iptables-apply", args), "y");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()));
        assert!(text(&output.stderr).contains(word), "{}", text(&output.stderr));
    }
    assert_eq!(rules(&b.ok("iptables-save", &[], "")), RULES);
}

#[test]
fn without_a_daemon_nothing_is_begun() {
    let b = with_files();
    let mut command = ours(&b, "iptables-apply", &["new"]);
    command.env("RAMPART_SOCKET", "/nonexistent/control.sock");
    let output = finish(command, "y");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(4), String::new()));
    assert!(text(&output.stderr).contains("iptables-save: cannot reach rampartd at /nonexistent/control.sock"));
}
