//! Each name of the binary.
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::harness::{Box, RULES, rules, run, text};

#[test]
fn each_name_is_its_program() {
    let b = Box::new();
    b.ok("iptables-restore", &[], RULES);
    assert_eq!(rules(&b.ok("/usr/sbin/iptables-save", &[], "")), RULES);
    assert_eq!(b.ok("iptables", &["-S", "INPUT"], ""), "-P INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n");
    assert_eq!(b.ok("ip6tables", &["-S", "INPUT"], ""), "-P INPUT ACCEPT\n");
    assert_eq!(rules(&b.ok("iptables-legacy-save", &[], "")), RULES);
    let saved = b.ok("ip6tables-save", &[], "");
    assert!(saved.contains("\n*filter\n:INPUT ACCEPT [0:0]\n"), "looking has loaded the table: {saved}");
}

#[test]
fn rampart_takes_a_program_as_its_first_word() {
    let b = Box::new();
    b.ok("rampart", &["iptables", "-A", "INPUT", "-j", "DROP"], "");
    let socket = b.file("control.sock");
    let args = ["--socket", socket.to_str().unwrap(), "iptables-save", "-t", "filter"];
    let output = run("rampart", &args, "", std::path::Path::new("/nonexistent"));
    assert!(text(&output.stdout).contains("-A INPUT -j DROP"), "--socket stands over RAMPART_SOCKET");
    let output = b.run("rampart", &["nonsense"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unknown command \"nonsense\""));
}

#[test]
fn files_of_save_and_restore_are_the_callers() {
    let b = Box::new();
    let file = b.file("rules");
    std::fs::write(&file, RULES).unwrap();
    b.ok("iptables-restore", &[file.to_str().unwrap()], "");
    let copy = b.file("copy");
    assert_eq!(b.ok("iptables-save", &["-f", copy.to_str().unwrap()], ""), "");
    assert_eq!(rules(&std::fs::read_to_string(&copy).unwrap()), RULES);
    let output = b.run("iptables-restore", &["/nonexistent/rules"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("Can't open /nonexistent/rules: No such file or directory"));
    b.ok("iptables-restore", &[file.parent().unwrap().to_str().unwrap()], "");
    assert_eq!(rules(&b.ok("iptables-save", &[], "")), RULES, "a folder says nothing, and that is no error");
}

#[test]
fn a_bad_line_gives_iptables_message_line_and_exit_code_and_changes_nothing() {
    let b = Box::new();
    b.ok("iptables-restore", &[], RULES);
    let output = b.run("iptables-restore", &[], "*filter\n-A INPUT -j ACCEPT\n-A INPUT --nonsense\nCOMMIT\n");
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("iptables-restore v1.8.9 (legacy): unknown option \"--nonsense\""), "{said}");
    assert!(said.contains("Error occurred at line: 3"), "{said}");
    assert_eq!(rules(&b.ok("iptables-save", &[], "")), RULES);
}

#[test]
fn exit_codes_are_those_of_iptables() {
    let b = Box::new();
    for (args, code) in [
        (&["-C", "INPUT", "-j", "DROP"][..], 1),
        (&["-A", "NOWHERE", "-j", "DROP"], 1),
        (&["--nonsense"], 2),
        (&["-t", "nonsense", "-L"], 3),
        (&["-V"], 0),
    ] {
        assert_eq!(b.run("iptables", args, "").status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn help_and_version_of_restore_do_not_wait_for_input() {
    let b = Box::new();
    assert!(b.ok("iptables-restore", &["-V"], "").starts_with("iptables-restore v1.8.9"));
}

#[test]
fn without_a_daemon_the_message_names_the_socket_and_the_exit_code_is_4() {
    let socket = std::path::Path::new("/nonexistent/control.sock");
    for (name, args) in [("iptables", &["-L"][..]), ("iptables-save", &[]), ("rampart", &["status"])] {
        let output = run(name, args, "", socket);
        assert_eq!(output.status.code(), Some(4));
        let said = text(&output.stderr);
        assert!(said.starts_with(&format!("{name}: cannot reach rampartd at /nonexistent/control.sock: No such file")), "{said}");
    }
}

#[test]
fn status_says_that_nothing_is_enforced_in_words_and_in_json() {
    let b = Box::new();
    b.ok("iptables-restore", &[], RULES);
    let said = b.ok("rampart", &["status"], "");
    assert!(said.contains("NO: started with --standalone") && said.contains("table filter: 3 chains, 1 rules"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&b.ok("rampart", &["status", "--json"], "")).unwrap();
    assert_eq!(json["enforced"], false);
    assert_eq!(json["tables"][0]["rules"], 1);
}

#[test]
fn wait_ready_fails_in_time_with_the_reason() {
    let b = Box::new();
    let output = b.run("rampart", &["wait-ready", "--timeout", "0.1"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("rules are not enforced: started with --standalone"));
    let output = run("rampart", &["wait-ready", "--timeout", "0.2"], "", std::path::Path::new("/nonexistent/control.sock"));
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn wait_ready_waits_for_a_daemon_that_is_not_there_yet() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let late = std::thread::spawn({
        let socket = socket.clone();
        move || {
            std::thread::sleep(std::time::Duration::from_millis(200));
            let (mut stream, _) = UnixListener::bind(&socket).unwrap().accept().unwrap();
            let mut line = [0; 200];
            let read = stream.read(&mut line).unwrap();
            assert!(text(&line[..read]).contains(r#""op":"wait_ready""#));
            stream.write_all(b"{\"v\":1,\"ok\":true,\"exit\":0,\"stdout\":\"\",\"stderr\":\"\"}\n").unwrap();
        }
    });
    assert_eq!(run("rampart", &["wait-ready", "--timeout", "10"], "", &socket).status.code(), Some(0));
    late.join().unwrap();
}

#[test]
fn words_that_are_not_text_are_refused_here() {
    use std::os::unix::ffi::OsStrExt;
    let word = std::ffi::OsStr::from_bytes(b"\xff");
    let output = Command::new(env!("CARGO_BIN_EXE_rampart")).arg0("iptables").arg("-A").arg(word).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is not UTF-8 text"));
}
