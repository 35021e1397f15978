//! The scenarios do what they say: each ends with an error when a packet goes another way, or a connection is missing.

use std::process::Command;

fn run(arguments: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_loop")).args(arguments).output().expect("it starts");
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

#[test]
fn every_small_one_runs() {
    let list = run(&["--list"]);
    let small = |name: &str| [" 0 flows", " 1000 flows", " 10000 flows"].iter().any(|flows| name.contains(flows));
    let few = |name: &str| !name.contains(" 100000 rules");
    let mut ran = 0;
    for (number, _) in list.lines().enumerate().filter(|(_, name)| small(name) && few(name)) {
        run(&["count", &number.to_string(), "2"]);
        ran += 1;
    }
    assert!(ran > 10, "only {ran}");
}

#[test]
fn a_name_that_nothing_has_is_refused() {
    let out = Command::new(env!("CARGO_BIN_EXE_loop")).arg("nothing like it").output().expect("it starts");
    assert!(!out.status.success() && out.stdout.is_empty());
}
