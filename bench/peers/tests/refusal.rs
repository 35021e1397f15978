//! Outside of namespaces of its own the kernel is not touched.

use std::path::Path;
use std::process::Command;

#[test]
fn without_namespaces_of_its_own_it_says_how_to_get_them() {
    for what in ["iptables-legacy: empty tables", "iptables-legacy: changes", "rampart: changes"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peers"));
        let results = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused.json");
        let out = command.arg(what).arg("--results").arg(&results).env_remove("RAMPART_ENTERED").output().expect("it starts");
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!results.exists(), "nothing was measured");
        assert!(!out.status.success() && said.contains("tests/net/enter"), "{what}: {said}");
    }
}
