//! Outside of namespaces of its own the kernel is not touched.

use std::process::Command;

#[test]
fn without_namespaces_of_its_own_it_says_how_to_get_them() {
    for what in ["iptables-legacy: empty tables", "iptables-legacy: changes", "rampart: changes"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peers"));
        let out = command.arg(what).env_remove("RAMPART_ENTERED").output().expect("it starts");
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && said.contains("tests/net/enter"), "{what}: {said}");
    }
}
