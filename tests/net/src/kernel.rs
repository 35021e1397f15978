//! The kernel in Rampart's place: the same box as a plain Linux router with the real iptables.
//!
//! The kernel is the specification, so it is also what the tests are tested with: `RAMPART_LAB_SYSTEM=kernel` (`make test-net-kernel`)
//! runs every test against it. What only Rampart has (its daemons, its status, its drops by name) and what a network namespace of the
//! kernel does not do (log lines, security labels without a policy) is left out by [`lacks`], which says so each time.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::namespace::Namespace;
use crate::process::run;

/// Is the kernel under test, not Rampart?
pub fn under_test() -> bool {
    std::env::var_os("RAMPART_LAB_SYSTEM").is_some_and(|system| system == "kernel")
}

/// Is `what` to be left out because the kernel is under test and has no such thing? Says so on standard error.
pub fn lacks(what: &str) -> bool {
    let lacks = under_test();
    if lacks {
        eprintln!("not applicable to the kernel: {what}");
    }
    lacks
}

/// Makes a folder in which `iptables` and its siblings are the real ones (legacy: they print what is in the kernel's own tables).
pub(crate) fn commands(dir: &Path) -> Result<PathBuf> {
    let dir = dir.join("kernel-bin");
    fs::create_dir(&dir)?;
    for (name, real) in [
        ("iptables", "iptables-legacy"),
        ("iptables-save", "iptables-legacy-save"),
        ("iptables-restore", "iptables-legacy-restore"),
        ("ip6tables", "ip6tables-legacy"),
        ("ip6tables-save", "ip6tables-legacy-save"),
        ("ip6tables-restore", "ip6tables-legacy-restore"),
        ("conntrack", "conntrack"),
    ] {
        let real =
            run(Command::new("sh").args(["-c", &format!("command -v {real}")])).with_context(|| format!("{real} is missing"))?;
        symlink(real.trim(), dir.join(name))?;
    }
    Ok(dir)
}

/// Turns the wires of the box into its own interfaces and the box into a router.
///
/// # Errors
/// When the machine does not let us.
pub(crate) fn start(host: &Namespace, conntrack: &[(&str, &str)]) -> Result<()> {
    for (name, value) in conntrack {
        let value = value.replace("true", "1").replace("false", "0");
        host.run(&format!("sysctl -qw net.netfilter.{name}={value}"))?;
    }
    for (wire, name) in [("wire0", "eth0"), ("wire1", "eth1")] {
        host.run(&format!("nft delete chain netdev silence {wire} && ip link set {wire} down && ip link set {wire} name {name}"))?;
    }
    host.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1").map(drop)
}
