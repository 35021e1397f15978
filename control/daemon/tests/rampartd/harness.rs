//! Starts rampartd in a folder of its own and asks it things.
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use proto::line::Connection;
use proto::public::{MAX_REPLY_LINE, Reply, Request};
use tempfile::TempDir;

/// Nothing in these tests takes longer.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A folder for sockets and state.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command that starts rampartd here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rampartd"));
        for name in ["CONFIG", "RUN_DIR", "STATE_DIR", "SOCKET", "DATAPLANE_SOCKET", "METRICS", "LOG"] {
            command.env_remove(format!("RAMPART_{name}"));
        }
        command
            .arg("--run-dir")
            .arg(self.folder.path())
            .arg("--state-dir")
            .arg(self.path("state"))
            .args(args)
            .stderr(Stdio::piped());
        command
    }

    /// Starts rampartd and waits until it serves.
    pub(crate) fn start(&self, args: &[&str]) -> Rampartd {
        let child = self.command(args).spawn().unwrap();
        let daemon = Rampartd { child, socket: self.path("control.sock") };
        let deadline = Instant::now() + LONG;
        while UnixStream::connect(&daemon.socket).is_err() {
            assert!(Instant::now() < deadline, "rampartd does not open its socket");
            std::thread::sleep(Duration::from_millis(5));
        }
        daemon
    }

    /// Starts rampartd where it is expected to fail, and gives what it said.
    pub(crate) fn fail(&self, args: &[&str]) -> String {
        let Output { status, stderr, .. } = self.command(args).output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{said}");
        said
    }
}

/// A running rampartd. Killed when dropped.
pub(crate) struct Rampartd {
    pub(crate) child: Child,
    pub(crate) socket: PathBuf,
}

impl Drop for Rampartd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Rampartd {
    pub(crate) fn ask(&self, request: &Request, blob: &[u8]) -> Reply {
        ask(&self.socket, request, blob)
    }

    /// An iptables command as one line.
    pub(crate) fn iptables(&self, line: &str) -> Reply {
        self.program("iptables", line)
    }

    pub(crate) fn program(&self, program: &str, line: &str) -> Reply {
        self.ask(&Request::Iptables { program: program.into(), args: words(line) }, &[])
    }

    /// As [`Rampartd::iptables`], where it is expected to succeed; its standard output.
    pub(crate) fn ok(&self, line: &str) -> String {
        let reply = self.iptables(line);
        assert_eq!((reply.ok, reply.exit, &*reply.stderr), (true, 0, ""), "{line}");
        reply.stdout
    }

    pub(crate) fn restore(&self, args: &str, text: &str) -> Reply {
        let request = Request::Restore { program: "iptables-restore".into(), args: words(args), length: text.len() as u64 };
        self.ask(&request, text.as_bytes())
    }

    /// `iptables-save` without its comments.
    pub(crate) fn saved(&self, args: &str) -> String {
        let reply = self.ask(&Request::Save { program: "iptables-save".into(), args: words(args) }, &[]);
        assert_eq!((reply.exit, &*reply.stderr), (0, ""));
        reply.stdout.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
    }

    pub(crate) fn wait_ready(&self) -> Reply {
        self.ask(&Request::WaitReady { timeout_ms: LONG.as_millis() as u64 }, &[])
    }

    /// Waits until nothing is enforced.
    pub(crate) fn wait_not_enforced(&self) {
        wait_until("rampartd does not notice that the dataplane is gone", || {
            !self.ask(&Request::Status {}, &[]).status.unwrap().enforced
        });
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and what it wrote on standard error.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

pub(crate) fn ask(socket: &Path, request: &Request, blob: &[u8]) -> Reply {
    let mut connection = Connection::new(UnixStream::connect(socket).unwrap());
    let deadline = Instant::now() + LONG;
    connection.write_line(&request.to_line().unwrap(), deadline).unwrap();
    connection.write(blob, deadline).unwrap();
    let line = connection.read_line(MAX_REPLY_LINE, deadline).unwrap().expect("an answer");
    serde_json::from_slice(&line).unwrap()
}

pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

pub(crate) fn wait_until(complaint: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "{complaint}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
