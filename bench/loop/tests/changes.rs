//! Rules change between two bursts, in all tables at once, and no packet and no count is lost by it.

use std::process::Command;

fn run(arguments: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_loop")).args(arguments).output().expect("it starts");
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

#[test]
fn a_packet_meets_the_old_rules_or_the_new_ones_and_is_counted_by_them() {
    let list = run(&["--list"]);
    let number = list.lines().position(|name| name.starts_with("100 restores")).expect("it is there");
    let said = run(&["count", &number.to_string(), "5000"]);
    let changes: u32 = said.trim().rsplit(' ').nth(1).and_then(|word| word.parse().ok()).expect("how often");
    assert!(changes > 5, "the rules did not change often enough to tell: {said}");
}
