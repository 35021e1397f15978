//! A network namespace with a name, and ways to run things in it.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::process::{Process, run};

/// A network namespace, known to `ip netns` by its name inside the private `/run` that `enter` made.
#[derive(Clone, Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes it, with `lo` up.
    pub fn new(name: &str) -> Result<Self> {
        run(Command::new("ip").args(["netns", "add", name]))?;
        let namespace = Self { name: name.to_owned() };
        namespace.run("ip link set lo up")?;
        Ok(namespace)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run in it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs a shell line in it and returns what it printed; an error carries the line and what it said.
    pub fn run(&self, line: &str) -> Result<String> {
        run(self.command("sh").args(["-c", line]))
    }

    /// Runs a shell line in it and says whether it succeeded, with all that it printed.
    pub fn attempt(&self, line: &str) -> Result<(bool, String)> {
        let output =
            self.command("sh").args(["-c", &format!("{line} 2>&1")]).output().with_context(|| format!("running {line}"))?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// Starts a shell line in it; it ends when the returned value is dropped.
    pub fn spawn(&self, line: &str) -> Result<Process> {
        Process::spawn(self.command("sh").args(["-c", &format!("exec {line}")]), line)
    }

    /// Runs a closure on a thread of its own inside the namespace: its sockets belong to this host.
    pub fn enter<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<thread::JoinHandle<Result<T>>> {
        let path = format!("/run/netns/{}", self.name);
        let file = File::open(&path).with_context(|| format!("opening {path}"))?;
        Ok(thread::spawn(move || {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .with_context(|| format!("entering {path}"))?;
            Ok(work())
        }))
    }

    /// As [`Namespace::enter`], and waits for the answer.
    pub fn within<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        match self.enter(work)?.join() {
            Ok(answer) => answer,
            Err(_) => bail!("the thread in {} panicked", self.name),
        }
    }
}
