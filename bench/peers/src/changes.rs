//! How long rules take from the command to their effect: by Rampart's commands and daemons, and by iptables of both kinds beside them. Each in
//! a namespace of its own, without packets.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use net::lab::{Lab, Shape, System, binaries};
use net::namespace::Namespace;
use net::process::run;
use report::Figure;
use scene::rules::stateful;
use tempfile::TempDir;

use crate::site::{self, Iptables};

/// How many rules there are.
pub(crate) const RULES: [u32; 2] = [10_000, 100_000];
/// How often all are replaced, and one is added and taken away; the fastest counts.
const TIMES: usize = 5;
/// Less often where it takes seconds.
const TIMES_OF_THE_KERNEL: usize = 2;

/// Whose rules they are.
#[derive(Clone, Copy)]
pub(crate) enum Whose {
    Rampart,
    Kernel(Iptables),
}

impl Whose {
    pub(crate) const ALL: [Self; 3] = [Self::Rampart, Self::Kernel(Iptables::Legacy), Self::Kernel(Iptables::Nft)];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Rampart => "rampart".to_owned(),
            Self::Kernel(iptables) => format!("iptables-{}", iptables.name()),
        }
    }
}

/// What that takes of so many rules.
pub(crate) fn measure(whose: Whose, rules: u32) -> Result<Vec<Figure>> {
    site::entered()?;
    let folder = TempDir::new()?;
    let file = folder.path().join("rules");
    fs::write(&file, stateful(rules))?;
    let [restore, edit] = match whose {
        Whose::Rampart => {
            let mut lab = Lab::new(Shape { system: System::Rampart, ..Shape::default() })?;
            lab.start()?;
            let (bin, socket) = (binaries()?, lab.run_dir().join("control.sock"));
            // The commands reach their daemon by a path: they need not enter the box.
            let command = |name: &str| {
                let mut command = Command::new(bin.join(name));
                command.env("RAMPART_SOCKET", &socket);
                command
            };
            times(command, ["iptables-restore", "iptables"], &file, TIMES)?
        }
        Whose::Kernel(iptables) => {
            let space = Space(Namespace::new("rules")?);
            let command = |name: &str| space.0.command(name);
            let kind = iptables.name();
            times(command, [&format!("iptables-{kind}-restore"), &format!("iptables-{kind}")], &file, TIMES_OF_THE_KERNEL)?
        }
    };
    let figure =
        |what: &str, value| Figure { name: format!("{}: {what}, {rules} rules", whose.name()), value, unit: "ns".to_owned() };
    Ok(vec![figure("restore", restore), figure("one rule added", edit)])
}

/// Nanoseconds of a restore, and of a rule more.
fn times(command: impl Fn(&str) -> Command, [restore, iptables]: [&str; 2], file: &Path, times: usize) -> Result<[f64; 2]> {
    let timed = |command: &mut Command| -> Result<f64> {
        let start = Instant::now();
        let out = command.stdin(Stdio::null()).output().with_context(|| format!("running {command:?}"))?;
        ensure!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
        Ok(start.elapsed().as_nanos() as f64)
    };
    let mut fastest = [f64::MAX; 2];
    for _ in 0..times {
        fastest[0] = fastest[0].min(timed(command(restore).arg(file))?);
        let rule = ["FORWARD", "-s", "192.0.2.77/32", "-j", "DROP"];
        fastest[1] = fastest[1].min(timed(command(iptables).arg("-A").args(rule))?);
        timed(command(iptables).arg("-D").args(rule))?;
    }
    Ok(fastest)
}

/// A namespace that ends with its rules.
struct Space(Namespace);

impl Drop for Space {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("ip").args(["netns", "del", self.0.name()])) {
            eprintln!("{error:#}");
        }
    }
}
