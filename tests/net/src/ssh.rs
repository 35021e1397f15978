//! A real sshd for one session, with keys of its own.
//!
//! Where the world was made without root, user 0 here is an ordinary user outside and sshd's privilege separation cannot work; so the
//! server and the client then run as that ordinary user, and the server's host lets everyone have port 22.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::namespace::Namespace;
use crate::process::{Process, run, wait_until};

/// A running sshd, and how to log in to it.
pub struct Sshd {
    dir: PathBuf,
    user: String,
    prefix: String,
    _process: Process,
}

impl Sshd {
    /// Starts sshd on port 22 of `host`; returns when it listens.
    pub fn start(host: &Namespace, dir: &std::path::Path) -> Result<Self> {
        let dir = dir.join("ssh");
        fs::create_dir_all(&dir)?;
        let d = dir.display().to_string();
        for key in ["host", "id"] {
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &format!("{d}/{key}")]))?;
        }
        fs::copy(dir.join("id.pub"), dir.join("authorized"))?;
        fs::write(
            dir.join("sshd_config"),
            format!(
                "Port 22\nHostKey {d}/host\nAuthorizedKeysFile {d}/authorized\nStrictModes no\nUsePAM no\nUseDNS no\nPidFile none\n"
            ),
        )?;
        let outer = std::env::var("RAMPART_OUTER_UID").unwrap_or_else(|_| "0".to_owned());
        let (user, prefix) = if outer == "0" {
            ("root".to_owned(), String::new())
        } else {
            host.run("sysctl -qw net.ipv4.ip_unprivileged_port_start=0")?;
            let entry = run(Command::new("getent").args(["passwd", &outer]))?;
            let user = entry.split(':').next().context("the user has no name")?.to_owned();
            (user, format!("unshare --user --map-user={outer} --map-group={outer} "))
        };
        let process = host.spawn(&format!("{prefix}/usr/sbin/sshd -D -e -f {d}/sshd_config 2>{d}/sshd.log"))?;
        wait_until("sshd listens on port 22", Duration::from_secs(10), || {
            Ok(host.attempt("ss -Hltn 'sport = :22' | grep -q .")?.0)
        })?;
        Ok(Self { dir, user, prefix, _process: process })
    }

    /// Logs in from `client` and runs a command there; says whether that worked, and what was printed.
    pub fn login(&self, client: &Namespace, address: &str, command: &str) -> Result<(bool, String)> {
        client.attempt(&format!(
            "{}ssh -F none -i {}/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes \
             -o ConnectTimeout=5 {}@{address} '{command}'",
            self.prefix,
            self.dir.display(),
            self.user
        ))
    }
}
