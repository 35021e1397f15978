//! A rampartd in this process, and the binary under its names.
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use daemon::Daemon;
use daemon::config::{Config, Overrides};
use tempfile::TempDir;

/// A filter table with one rule.
pub(crate) const RULES: &str = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n";

/// A standalone rampartd with a folder of its own.
pub(crate) struct Box {
    folder: TempDir,
    daemon: Option<Daemon>,
}

impl Box {
    /// With no rules.
    pub(crate) fn new() -> Box {
        let folder = tempfile::tempdir().unwrap();
        let mut b = Box { folder, daemon: None };
        b.restart();
        b
    }

    /// Ends rampartd in good order, if it runs, and starts it with what it has kept.
    pub(crate) fn restart(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop();
        }
        let folder = self.folder.path();
        let overrides = Overrides {
            run_dir: Some(folder.to_owned()),
            state_dir: Some(folder.join("state")),
            standalone: true,
            ..Overrides::default()
        };
        self.daemon = Some(Daemon::start(Config::load(None, overrides).unwrap()).unwrap());
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the binary under a name.
    pub(crate) fn run(&self, name: &str, args: &[&str], input: &str) -> Output {
        run(name, args, input, &self.file("control.sock"))
    }

    /// As [`Box::run`] where success is expected; standard output.
    pub(crate) fn ok(&self, name: &str, args: &[&str], input: &str) -> String {
        let output = self.run(name, args, input);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{name} {args:?}");
        text(&output.stdout)
    }
}

impl Drop for Box {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop();
        }
    }
}

/// Runs the binary under a name, for the daemon at a socket.
pub(crate) fn run(name: &str, args: &[&str], input: &str, socket: &std::path::Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rampart"));
    command.arg0(name).args(args).env("RAMPART_SOCKET", socket);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that reads no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What a program said.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Without the comment lines, which have the time.
pub(crate) fn rules(saved: &str) -> String {
    saved.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}
