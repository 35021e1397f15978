//! The judges: the recorded cases, replayed in process by a build of the copied tree, or by the daemons that are built from it; or tests of its own.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::panic::{UnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use kernel::compare::Difference;
use kernel::differential::replay;
use kernel::generate::Generator;
use kernel::records;

use crate::plant::Judge;

/// Longest that one case may take, which takes milliseconds: an error that makes the engine turn in circles is found by this.
const CASE: Duration = Duration::from_secs(30);
/// Longest that all cases may take, on the busiest machine. Who is not done by then has found nothing.
const PATIENCE: Duration = Duration::from_secs(1800);
/// As above, for the daemons.
const PROCESSES_PATIENCE: Duration = Duration::from_secs(120);
/// Longest that tests may take: those that still run then are the ones that failed, if they have run for a minute.
const TESTS_PATIENCE: Duration = Duration::from_secs(300);
/// Longest that a build may take.
const BUILD: Duration = Duration::from_secs(900);
/// How the judge begins the line that names a case.
const DIFFERS: &str = "differs: ";

/// Names under which the command is called.
const LINKS: [&str; 6] = ["conntrack", "ipset", "iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"];

/// Where the judges are built and what they judge by.
pub(crate) struct Lane {
    /// The repository.
    pub(crate) root: PathBuf,
    /// The copied sources.
    pub(crate) tree: PathBuf,
    /// What is built from them.
    pub(crate) target: PathBuf,
    /// The folder of recorded cases: what the daemons are judged by.
    pub(crate) cases: PathBuf,
    /// The folder of records by seed.
    pub(crate) records: PathBuf,
    /// Only the records of these generators, if there are any.
    pub(crate) by: Vec<String>,
}

/// What the judge says of a tree.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Names of cases that differ.
    pub(crate) differing: BTreeSet<String>,
    /// What ended the judge before it was done.
    pub(crate) broken: Option<String>,
    /// It was only too slow.
    pub(crate) late: bool,
}

impl Lane {
    /// Builds the judge from the tree as it is.
    pub(crate) fn build(&self, judge: Judge) -> Result<()> {
        let log = self.target.join("build.log");
        let build = self.cargo(match judge {
            Judge::Engine => &["build", "-p", "kernel", "--bin", "mutants"],
            Judge::Processes => &["build", "-p", "app", "-p", "daemon", "-p", "cli", "--bins"],
            Judge::Walk => &["test", "-p", "engine", "--test", "walk", "--no-run"],
            Judge::Models => &["test", "-p", "interleaving", "--test", "models", "--no-run"],
        });
        match run(build, &log, BUILD)? {
            Some(status) if status.success() => Ok(()),
            Some(_) => bail!("it does not build:\n{}", errors(&log)),
            None => bail!("its build takes longer than {BUILD:?}"),
        }
    }

    fn cargo(&self, what: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(what).args(["--quiet", "--offline", "--locked"]);
        cargo.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target).env("CARGO_INCREMENTAL", "1");
        cargo
    }

    /// Replays the cases with what was built, or runs the tests.
    pub(crate) fn judge(&self, judge: Judge) -> Result<Findings> {
        match judge {
            Judge::Engine => self.judge_engine(),
            Judge::Processes => self.judge_processes(),
            Judge::Walk => self.judge_tests("engine", "walk"),
            Judge::Models => self.judge_tests("interleaving", "models"),
        }
    }

    /// A crate's own tests: those that fail are the cases that differ.
    fn judge_tests(&self, package: &str, tests: &str) -> Result<Findings> {
        let log = self.target.join("judge.log");
        let mut judge = self.cargo(&["test", "-p", package, "--test", tests]);
        judge.args(["--", "--format", "pretty"]).env("RUST_BACKTRACE", "0");
        let ended = run(judge, &log, TESTS_PATIENCE)?;
        let said = fs::read_to_string(&log).unwrap_or_default();
        let mut differing: BTreeSet<String> = said.lines().filter_map(failed).map(str::to_owned).collect();
        let broken = match ended {
            None => {
                differing.extend(without_end(&said).into_iter().map(str::to_owned));
                Some(format!("not done after {TESTS_PATIENCE:?}"))
            }
            Some(status) if status.success() || !differing.is_empty() => None,
            Some(status) => Some(format!("{status}: {}", last_line(&said))),
        };
        Ok(Findings { differing, broken, late: ended.is_none() })
    }

    /// The daemons that were built, beside the kernel; driven by the program beside this one, in which no error is planted.
    fn judge_processes(&self) -> Result<Findings> {
        let (log, bin) = (self.target.join("judge.log"), self.target.join("debug"));
        for link in LINKS.map(|name| bin.join(name)) {
            if !link.exists() {
                symlink("rampart", link)?;
            }
        }
        let mut judge = Command::new(self.root.join("tests/kernel/logging"));
        judge.arg(self.root.join("tests/net/enter")).arg(std::env::current_exe()?.with_file_name("differential"));
        judge.arg("--processes").arg(bin).arg("--cases").arg(&self.cases).env("RUST_BACKTRACE", "0");
        let ended = run(judge, &log, PROCESSES_PATIENCE)?;
        let said = fs::read_to_string(&log).unwrap_or_default();
        let named = said.lines().filter_map(|line| line.split_once(".case: ")?.0.rsplit('/').next());
        let differing: BTreeSet<String> = named.map(str::to_owned).collect();
        let broken = match ended {
            None => Some(format!("not done after {PROCESSES_PATIENCE:?}")),
            Some(status) if status.success() || !differing.is_empty() => None,
            Some(_) => Some(deepest_reason(&said).to_owned()),
        };
        Ok(Findings { differing, broken, late: false })
    }

    fn judge_engine(&self) -> Result<Findings> {
        let log = self.target.join("judge.log");
        let mut judge = Command::new(self.target.join("debug/mutants"));
        judge.arg("--judge").arg(&self.cases).arg(&self.records);
        judge.args(self.by.iter().flat_map(|generator| ["--by", generator]));
        let ended = run(judge, &log, PATIENCE)?;
        let said = fs::read_to_string(&log).unwrap_or_default();
        let differing: BTreeSet<String> = said.lines().filter_map(|line| line.strip_prefix(DIFFERS)).map(str::to_owned).collect();
        let broken = match ended {
            None => Some(format!("not done after {PATIENCE:?}")),
            Some(status) if status.success() => None,
            Some(status) => Some(format!("{status}: {}", last_line(&said))),
        };
        Ok(Findings { differing, broken, late: ended.is_none() })
    }
}

/// Which case a thread is at, and since when.
type At = Mutex<Option<(String, Instant)>>;

/// The judge itself, in a process of its own: names each case that differs on a line, and goes on. One that does not end differs, and ends the judge.
pub(crate) fn replay_all(cases: &Path, recorded: &Path, by: &[String]) -> Result<()> {
    let named = by.iter().map(|name| Generator::named(name).with_context(|| format!("no generator {name}")));
    let (files, generators) = match named.collect::<Result<Vec<_>>>()? {
        none if none.is_empty() => (case_files(cases)?, Generator::ALL.to_vec()),
        some => (Vec::new(), some),
    };
    let queue = Mutex::new(generators.into_iter());
    let ats: Vec<At> = (0..=thread::available_parallelism()?.get()).map(|_| At::default()).collect();
    let [of_files, of_generators @ ..] = &ats[..] else { bail!("no thread") };
    let replay_files = || -> Result<()> {
        files.iter().try_for_each(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            say_if_it_differs(of_files, &name, || replay(path))
        })
    };
    let replay_generators = |at: &At| -> Result<()> {
        while let Some(generator) = next(&queue) {
            for record in records::read(&records::path(recorded, generator))? {
                say_if_it_differs(at, &format!("{}-{}", generator.name(), record.seed), || record.replay(generator))?;
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let mut threads = vec![scope.spawn(replay_files)];
        threads.extend(of_generators.iter().map(|at| scope.spawn(|| replay_generators(at))));
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            if let Some(name) = overdue(&ats, Instant::now()) {
                println!("{DIFFERS}{name}");
                // Nothing but its end stops a thread that turns in circles.
                std::process::exit(0);
            }
            thread::sleep(Duration::from_millis(50));
        }
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| bail!("a generator's cases end the judge")))
    })
}

/// The case that takes longer than any may.
fn overdue(ats: &[At], now: Instant) -> Option<String> {
    ats.iter().find_map(|at| {
        let at = at.lock().unwrap_or_else(PoisonError::into_inner);
        at.as_ref().filter(|(_, since)| now.saturating_duration_since(*since) > CASE).map(|(name, _)| name.clone())
    })
}

fn next(queue: &Mutex<impl Iterator<Item = Generator>>) -> Option<Generator> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}

fn say_if_it_differs(at: &At, name: &str, replay: impl FnOnce() -> Result<Vec<Difference>> + UnwindSafe) -> Result<()> {
    let is_at = |case| *at.lock().unwrap_or_else(PoisonError::into_inner) = case;
    is_at(Some((name.to_owned(), Instant::now())));
    // An error that makes the engine panic is found by that.
    let answer = catch_unwind(replay);
    is_at(None);
    match answer {
        Ok(Ok(differences)) if differences.is_empty() => {}
        Ok(Err(error)) => return Err(error),
        Ok(Ok(_)) | Err(_) => println!("{DIFFERS}{name}"),
    }
    Ok(())
}

fn case_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "case") {
            files.push(path);
        }
    }
    ensure!(!files.is_empty(), "there are no cases in {}", folder.display());
    files.sort();
    Ok(files)
}

/// Runs a command with its output in a file; `None` when it took too long and was ended with all that it had started.
fn run(mut command: Command, output: &Path, patience: Duration) -> Result<Option<ExitStatus>> {
    let file = File::create(output).with_context(|| format!("{} cannot be written", output.display()))?;
    command.stdin(Stdio::null()).stderr(file.try_clone()?).stdout(file).process_group(0);
    let mut child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if since.elapsed() > patience {
            end(&mut child)?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Ends a command and what it started: they are a process group of their own.
fn end(child: &mut Child) -> Result<()> {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).context("a process has an id")?;
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).context("a process group cannot be ended")?;
    child.wait()?;
    Ok(())
}

fn errors(log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap_or_default();
    let from = said.find("error").unwrap_or(0);
    said[from..].lines().take(20).collect::<Vec<_>>().join("\n")
}

/// The name of a test that a line says has failed.
fn failed(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// The tests of which was said that they take long, and not that they ended.
fn without_end(said: &str) -> Vec<&str> {
    let long = said.lines().filter_map(|line| line.strip_prefix("test ")?.split_once(" has been running for over"));
    long.map(|(name, _)| name).filter(|name| !said.contains(&format!("test {name} ... "))).collect()
}

/// The deepest reason of the chain that an error prints.
fn deepest_reason(said: &str) -> &str {
    let chain = said.lines().skip_while(|line| !line.starts_with("Caused by:")).skip(1);
    let numbered = |line: &&str| line.trim_start().split_once(": ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    let reasons: Vec<&str> = chain.clone().filter(numbered).collect();
    reasons.last().copied().or_else(|| chain.clone().next()).map_or_else(|| last_line(said), str::trim)
}

fn last_line(said: &str) -> &str {
    said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_failed_is_named() {
        assert_eq!(failed("test cone::workers_share_cones ... FAILED"), Some("cone::workers_share_cones"));
        assert_eq!(failed("test cone::workers_share_cones ... ok"), None);
        assert_eq!(failed("test result: FAILED. 0 passed; 1 failed"), None);
    }

    #[test]
    fn a_case_or_a_test_that_does_not_end_is_named() {
        let since = Instant::now();
        let ats = [At::default(), At::new(Some(("sip-3".to_owned(), since)))];
        assert_eq!([overdue(&ats, since + CASE), overdue(&ats, since + 2 * CASE)], [None, Some("sip-3".to_owned())]);
        let said = "test a has been running for over 60 seconds\ntest b has been running for over 60 seconds\ntest a ... ok\n";
        assert_eq!(without_end(said), ["b"]);
        assert_eq!(failed("test b has been running for over 60 seconds"), None);
    }

    #[test]
    fn of_an_error_with_reasons_the_deepest_is_named() {
        let said = "3 cases\nError: a.case\n\nCaused by:\n    0: rampartd:\n       two lines: of it\n    1: no answer\n";
        assert_eq!(deepest_reason(said), "1: no answer");
        assert_eq!(deepest_reason("Error: a.case\n\nCaused by:\n    no answer\n"), "no answer");
        assert_eq!(deepest_reason("one\ntwo\n"), "two");
    }
}
