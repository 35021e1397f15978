//! Many clients at once, as separate programs: no edit is lost, a restore is whole or nothing, and one of another table disturbs nobody.
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use proto::public::Request;

use crate::harness::{Box, rules, text};

const CLIENTS: usize = 20;
const EDITS: usize = 8;

/// A nat table of so many rules, each with the mark.
fn nat(mark: &str, count: usize) -> String {
    let rules: String =
        (0..count).map(|n| format!("-A PREROUTING -s 10.9.{n}.0/24 -m comment --comment {mark} -j ACCEPT\n")).collect();
    format!("*nat\n{rules}COMMIT\n")
}

/// The half of a restore is sent to rampartd, which is told of the whole, and the client is gone.
fn send_half(b: &Box, body: &str) {
    let mut stream = UnixStream::connect(b.file("control.sock")).unwrap();
    let request = Request::Restore { program: "iptables-restore".into(), args: vec!["-n".into()], length: body.len() as u64 };
    stream.write_all(&request.to_line().unwrap()).unwrap();
    stream.write_all(&body.as_bytes()[..body.len() / 2]).unwrap();
}

/// A client is killed while it is still told what to restore.
fn kill_half_way(b: &Box, body: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rampart"));
    command.arg0("iptables-restore").arg("-n").env("RAMPART_SOCKET", b.file("control.sock"));
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // Two lines and a half; its input stays open until it is gone.
    let mut input = child.stdin.take().unwrap();
    input.write_all(&body.as_bytes()[..body.len() / 2]).unwrap();
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

#[test]
fn appends_beside_restores_of_another_table_are_all_there() {
    let b = Box::new();
    let working = AtomicUsize::new(CLIENTS);
    std::thread::scope(|scope| {
        let (b, working) = (&b, &working);
        for client in 0..CLIENTS {
            scope.spawn(move || {
                for n in 0..EDITS {
                    b.ok("iptables", &["-w", "-A", "INPUT", "-s", &format!("10.0.{client}.{n}"), "-j", "ACCEPT"], "");
                }
                working.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let while_they_work = move |act: &dyn Fn(usize)| {
            let mut round = 0;
            while working.load(Ordering::SeqCst) > 0 || round < 5 {
                act(round);
                round += 1;
            }
        };
        // Whole tables, each all of one text whenever it is looked at.
        for mark in ["even", "odd"] {
            scope.spawn(move || {
                while_they_work(&|round| {
                    b.ok("iptables-restore", &[], &nat(mark, 1 + round % 40));
                    let saved = b.ok("iptables-save", &["-t", "nat"], "");
                    let (even, odd) = (saved.matches("even").count(), saved.matches("odd").count());
                    assert!((even == 0) != (odd == 0), "of one of the two texts:\n{saved}");
                });
            });
        }
        // Of the same table: what is refused, and what does not come to its end, changes nothing.
        scope.spawn(move || {
            while_they_work(&|_| {
                let refused = b.run("iptables-restore", &[], "*filter\n-F\n-A INPUT -s 6.6.6.6\n-A INPUT -j NOSUCH\nCOMMIT\n");
                assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
                let body = "*filter\n-F\n-A INPUT -s 6.6.6.6\nCOMMIT\n*nat\n-A PREROUTING -s 7.7.7.7\nCOMMIT\n";
                send_half(b, body);
                kill_half_way(b, body);
            });
        });
    });
    let saved = rules(&b.ok("iptables-save", &["-t", "filter"], ""));
    assert_eq!(saved.matches("-A INPUT").count(), CLIENTS * EDITS, "{saved}");
    for client in 0..CLIENTS {
        let places = (0..EDITS).map(|n| saved.find(&format!("-s 10.0.{client}.{n}/32")).expect("no edit is lost"));
        assert!(places.is_sorted(), "each client's edits are in its order");
    }
    assert!(!b.ok("iptables-save", &["-t", "nat"], "").contains("7.7.7.7"));
}
