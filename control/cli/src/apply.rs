//! iptables-apply: puts rules in force, and takes them back unless somebody says in time that he still gets through.
//!
//! The options, what is said and the exit codes are those of the script of iptables 1.8.9. The rules from before stand in memory, and a
//! signal is an answer that did not come: whoever loses his terminal with his connection gets the old rules back.
use std::io::{ErrorKind, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use proto::public::{Reply, Request};
use rules::Family;
use rules::getopt::{self, Getopt, Long, Step, Takes};
use rustix::fs::Access;
use rustix::process::{Pid, Signal};
use rustix::termios::{LocalModes, OptionalActions, Termios};
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{client, exit_code, print};

const VERSION: &str = "1.1";
/// Seconds to answer in.
const DEFAULT_TIMEOUT: u64 = 10;
const LONG: &[Long] = &[
    ("timeout", 't', Takes::Value),
    ("write", 'w', Takes::Value),
    ("command", 'c', Takes::Nothing),
    ("help", 'h', Takes::Nothing),
    ("version", 'V', Takes::Nothing),
];
/// What has to be stopped while rules change, as the script does.
const FAIL2BAN: &str = "/etc/init.d/fail2ban";

/// The program under one of its two names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Apply<'a> {
    /// Where rampartd listens.
    pub(crate) socket: &'a Path,
    /// The name, as messages have it.
    pub(crate) name: &'static str,
    /// Whose rules.
    pub(crate) family: Family,
}

/// What the words asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    timeout: String,
    /// The file for rules that were confirmed.
    write: Option<String>,
    /// The operand is a program that changes rules, not a file of rules.
    is_command: bool,
    operand: Option<String>,
    help: Option<Help>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Help {
    Usage,
    Version,
}

/// Why it ended early: the exit code; what there was to say has been said.
struct Ended(i32);

/// What came while an answer was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A byte from standard input; `None` at its end.
    Answer(Option<u8>),
    Signal,
    /// The command's end.
    Exit(Option<ExitStatus>),
}

impl Apply<'_> {
    /// Runs the program with the words after its name.
    pub(crate) fn run(self, words: &[String]) -> ExitCode {
        match self.try_run(words) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Ended(code)) => exit_code(code),
        }
    }

    fn try_run(self, words: &[String]) -> Result<(), Ended> {
        let options = Options::parse(words).map_err(|error| self.end(1, &format!("{}: {error}\n", self.name)))?;
        if let Some(help) = options.help {
            say_aside(&if help == Help::Usage { self.usage() } else { self.blurb() });
            return Ok(());
        }
        let timeout = seconds(&options.timeout).ok_or_else(|| self.refuse(1, "timeout must be a positive number"))?;
        let write = options.write.map(|file| if file.is_empty() { self.default_file("rules") } else { file });
        if let Some(file) = write.as_deref().filter(|file| Path::new(file).exists() && !may(file, Access::WRITE_OK)) {
            return Err(self.refuse(8, &format!("savefile not writable: {file}")));
        }
        let operand = options.operand.filter(|operand| !operand.is_empty());
        let operand = operand.unwrap_or_else(|| self.default_file(if options.is_command { "run" } else { "rules" }));
        self.check_operand(&operand, options.is_command)?;
        let (sender, events) = mpsc::channel();
        watch_signals(sender.clone());
        let old = self.saved()?;
        let unloaded = self.unloaded(&old)?;
        fail2ban("stop");
        let done =
            if options.is_command { self.run_command(&operand, timeout, &sender, &events) } else { self.restore_file(&operand) };
        let outcome = match done {
            Ok(()) => self.confirm(timeout, &sender, &events),
            Err(ended) => Err(ended),
        };
        match outcome {
            Ok(()) => self.keep(write.as_deref())?,
            Err(ended) => {
                self.revert(&old, &unloaded);
                fail2ban("start");
                return Err(ended);
            }
        }
        fail2ban("start");
        Ok(())
    }

    fn check_operand(self, operand: &str, is_command: bool) -> Result<(), Ended> {
        if !is_command {
            let is_readable = may(operand, Access::READ_OK);
            return if is_readable { Ok(()) } else { Err(self.refuse(2, &format!("rulesfile not readable: {operand}"))) };
        }
        if !may(operand, Access::EXEC_OK) {
            return Err(self.refuse(6, &format!("runcmd not executable: {operand}")));
        }
        // What has no slash is looked for where commands are.
        let is_program = |file: &Path| file.is_file() && rustix::fs::access(file, Access::EXEC_OK).is_ok();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_found = if operand.contains('/') {
            is_program(Path::new(operand))
        } else {
            std::env::split_paths(&path).any(|folder| is_program(&folder.join(operand)))
        };
        if is_found { Ok(()) } else { Err(self.refuse(127, &format!("needed command not found: {operand}"))) }
    }

    /// The rules that are there, as `iptables-save` prints them.
    fn saved(self) -> Result<String, Ended> {
        let said = self.ask_to_save(&[]).filter(|reply| reply.ok && reply.exit == 0);
        said.map(|reply| reply.stdout).ok_or_else(|| self.refuse(4, "unknown error saving old iptables rules"))
    }

    fn ask_to_save(self, args: &[&str]) -> Option<Reply> {
        let program = self.part("save");
        let args = args.iter().map(|word| (*word).to_owned()).collect();
        match client::ask(self.socket, &Request::Save { program: program.clone(), args }, &[]) {
            Ok(reply) => {
                say_aside(&reply.stderr);
                Some(reply)
            }
            Err(error) => {
                say_aside(&format!("{program}: {error}\n"));
                None
            }
        }
    }

    /// Of each table that is not loaded, how it stands when it is: the script leaves in a table that was not there whatever was put in.
    fn unloaded(self, old: &str) -> Result<Vec<(String, String)>, Ended> {
        let names = rules::TableName::ALL.iter().map(|table| table.as_str()).filter(|name| !has_table(old, name));
        let empty = |name: &str| {
            let reply = self.ask_to_save(&["-t", name]).filter(|reply| reply.ok && reply.exit == 0);
            reply.map(|reply| (name.to_owned(), reply.stdout))
        };
        let empty: Option<Vec<_>> = names.map(empty).collect();
        empty.ok_or_else(|| self.refuse(4, "unknown error saving old iptables rules"))
    }

    fn restore_file(self, file: &str) -> Result<(), Ended> {
        say(&format!("Applying new iptables rules from '{file}'... "));
        let is_restored = match std::fs::read(file) {
            Ok(text) => self.restore(&text),
            // As of iptables-restore: what of a folder is read is nothing, and that is no error.
            Err(error) if error.kind() == ErrorKind::IsADirectory => self.restore(&[]),
            Err(error) => {
                say_aside(&format!("{}: {file}: {error}\n", self.name));
                false
            }
        };
        if is_restored {
            say("done.\n");
            return Ok(());
        }
        say("failed.\n");
        Err(self.refuse(5, &format!("unknown error applying new iptables rules: {file}")))
    }

    fn restore(self, text: &[u8]) -> bool {
        let program = self.part("restore");
        let request = Request::Restore { program: program.clone(), args: Vec::new(), length: text.len() as u64 };
        match client::ask(self.socket, &request, text) {
            Ok(reply) => {
                say(&reply.stdout);
                say_aside(&reply.stderr);
                reply.ok && reply.exit == 0
            }
            Err(error) => {
                say_aside(&format!("{program}: {error}\n"));
                false
            }
        }
    }

    /// Runs the command, and ends it when the time is over.
    fn run_command(self, command: &str, timeout: Duration, sender: &Sender<Event>, events: &Receiver<Event>) -> Result<(), Ended> {
        say(&format!("Running command '{command}'... "));
        let is_done = match Command::new(command).stdin(Stdio::null()).spawn() {
            Ok(child) => ends_well(child, timeout, sender, events),
            Err(error) => {
                say_aside(&format!("{}: {command}: {error}\n", self.name));
                false
            }
        };
        if is_done {
            say("done.\n");
            return Ok(());
        }
        say("failed.\n");
        Err(self.refuse(7, &format!("unknown error running command: {command}")))
    }

    /// Asks whether all is well.
    fn confirm(self, timeout: Duration, sender: &Sender<Event>, events: &Receiver<Event>) -> Result<(), Ended> {
        say("Can you establish NEW connections to the machine? (y/N) ");
        let answer = if timeout.is_zero() { None } else { one_key(timeout, sender, events) };
        say("\n");
        match answer {
            Some(b'y' | b'Y') => Ok(()),
            Some(_) => Err(self.give_up("No affirmative response! Better play it safe...\n")),
            None => Err(self.give_up("Timeout! Something happened (or did not). Better play it safe...\n")),
        }
    }

    fn give_up(self, why: &str) -> Ended {
        say(why);
        Ended(255)
    }

    fn keep(self, write: Option<&str>) -> Result<(), Ended> {
        if let Some(file) = write {
            say(&format!("Writing successfully applied rules to '{file}'...\n"));
            let reply = self.ask_to_save(&[]).filter(|reply| reply.ok && reply.exit == 0);
            let is_written = reply.is_some_and(|reply| match std::fs::write(file, reply.stdout) {
                Ok(()) => true,
                Err(error) => {
                    say_aside(&format!("{}: {file}: {error}\n", self.name));
                    false
                }
            });
            if !is_written {
                return Err(self.refuse(9, &format!("unknown error writing successfully applied rules: {file}")));
            }
        }
        say("... then my job is done. See you next time.\n");
        Ok(())
    }

    /// Puts back what was there.
    fn revert(self, old: &str, unloaded: &[(String, String)]) {
        say("Reverting to old iptables rules... ");
        let now = self.ask_to_save(&[]).map(|reply| reply.stdout).unwrap_or_default();
        let new_ones = unloaded.iter().filter(|(name, _)| has_table(&now, name)).map(|(_, empty)| empty.as_str());
        let text: String = std::iter::once(old).chain(new_ones).collect();
        if text.is_empty() || self.restore(text.as_bytes()) {
            say("done.\n");
        }
    }

    /// The name of the save or restore program of the family.
    fn part(self, part: &str) -> String {
        format!("{}-{part}", self.family.program())
    }

    fn default_file(self, ending: &str) -> String {
        format!("/etc/network/{}.up.{ending}", self.family.program())
    }

    fn refuse(self, code: i32, what: &str) -> Ended {
        self.end(code, &format!("Error: {what}\n"))
    }

    fn end(self, code: i32, text: &str) -> Ended {
        say_aside(text);
        Ended(code)
    }

    fn blurb(self) -> String {
        format!("{} {VERSION} of Rampart: rules that take themselves back\n", self.name)
    }

    fn usage(self) -> String {
        let (blurb, name) = (self.blurb(), self.name);
        let (rules, run) = (self.default_file("rules"), self.default_file("run"));
        format!(
            "{blurb}\n\
             Usage: {name} [-hV] [-t SECONDS] [-w FILE] [RULES]\n\
             \x20      {name} [-hV] [-t SECONDS] [-w FILE] -c [PROGRAM]\n\n\
             Puts the rules of a file in force, or runs a program that changes rules, and asks whether new connections\n\
             still come through. Without a yes in time the rules from before are put back.\n\n\
             \x20 RULES                  a file of iptables-save ({rules})\n\
             \x20 -c, --command          PROGRAM is run in its place ({run})\n\
             \x20 -t, --timeout SECONDS  how long an answer is waited for ({DEFAULT_TIMEOUT})\n\
             \x20 -w, --write FILE       where rules are written that were confirmed (empty: {rules})\n\
             \x20 -h, --help; -V, --version\n"
        )
    }
}

impl Options {
    /// Reads the words as getopt(1) takes them apart.
    fn parse(words: &[String]) -> Result<Options, String> {
        let mut options =
            Options { timeout: DEFAULT_TIMEOUT.to_string(), write: None, is_command: false, operand: None, help: None };
        let mut walk = Getopt::new(words);
        while let Some(step) = walk.step() {
            let (letter, long, attached) = match step {
                Step::Word(word) => {
                    options.take_operand(word)?;
                    continue;
                }
                Step::Short(letter) => (letter, None, None),
                Step::Long(name, value) => {
                    let found = getopt::find_long(LONG, name, value.is_some())?;
                    (found.1, Some(found.0), value)
                }
            };
            let missing = || getopt::missing_value(long, letter);
            match letter {
                't' => options.timeout = walk.value(attached).ok_or_else(missing)?.to_owned(),
                'w' => options.write = Some(walk.value(attached).ok_or_else(missing)?.to_owned()),
                'c' => options.is_command = true,
                'h' => options.help = options.help.or(Some(Help::Usage)),
                'V' => options.help = options.help.or(Some(Help::Version)),
                _ => return Err(format!("invalid option -- '{letter}'")),
            }
        }
        while let Some(word) = walk.value(None) {
            options.take_operand(word)?;
        }
        Ok(options)
    }

    fn take_operand(&mut self, word: &str) -> Result<(), String> {
        match self.operand.replace(word.to_owned()) {
            None => Ok(()),
            Some(_) => Err(format!("unexpected argument '{word}'")),
        }
    }
}

/// A time to answer in, as the shell's test reads numbers. Nobody lives to see the end of the longest.
fn seconds(text: &str) -> Option<Duration> {
    let number: i64 = text.trim().parse().ok()?;
    u64::try_from(number).ok().map(|seconds| Duration::from_secs(seconds.min(u32::MAX.into())))
}

/// Whether a saved text has this table.
fn has_table(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.strip_prefix('*') == Some(name))
}

fn may(file: &str, access: Access) -> bool {
    rustix::fs::access(file, access).is_ok()
}

fn say(text: &str) {
    print(&mut std::io::stdout(), text);
}

fn say_aside(text: &str) {
    print(&mut std::io::stderr(), text);
}

/// The daemon changes rules by itself; the script knows it, if it is a script of init's.
fn fail2ban(what: &str) {
    if may(FAIL2BAN, Access::EXEC_OK) {
        // Its own words say what went wrong; rules are applied all the same, as by the script.
        let _ = Command::new(FAIL2BAN).arg(what).status();
    }
}

/// Has signals told that would end the program with new rules in force.
fn watch_signals(sender: Sender<Event>) {
    // Without them it ends as any other program; nothing else depends on it.
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if sender.send(Event::Signal).is_err() {
                return;
            }
        }
    });
}

/// Whether the program ends with success, which it is given this long to do.
fn ends_well(mut child: Child, timeout: Duration, sender: &Sender<Event>, events: &Receiver<Event>) -> bool {
    let pid = Pid::from_child(&child);
    let sender = sender.clone();
    std::thread::spawn(move || sender.send(Event::Exit(child.wait().ok())));
    let mut deadline = Some(Instant::now() + timeout);
    loop {
        let event = match deadline {
            Some(at) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match event {
            Ok(Event::Exit(status)) => return status.is_some_and(|status| status.signal().is_none() && status.success()),
            Ok(Event::Answer(_)) => {}
            Ok(Event::Signal) | Err(_) => {
                // It may be gone in this moment.
                let _ = rustix::process::kill_process(pid, Signal::TERM);
                deadline = None;
            }
        }
    }
}

/// One key of the terminal, or one byte of what standard input is; `None` if there is none in time, and for a line feed.
fn one_key(timeout: Duration, sender: &Sender<Event>, events: &Receiver<Event>) -> Option<u8> {
    let terminal = Terminal::by_key();
    let sender = sender.clone();
    std::thread::spawn(move || sender.send(Event::Answer(first_key(std::io::stdin()))));
    let deadline = Instant::now() + timeout;
    let answer = loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Answer(answer)) => break answer,
            Ok(Event::Exit(_)) => {}
            Ok(Event::Signal) | Err(_) => break None,
        }
    };
    drop(terminal);
    answer.filter(|byte| !b" \t\n".contains(byte))
}

/// The first byte, as the shell reads one: a zero byte is none, a backslash makes the next one mean itself, and with the end of a line nothing.
fn first_key(mut from: impl Read) -> Option<u8> {
    let mut is_escaped = false;
    loop {
        let mut byte = [0];
        match from.read(&mut byte).ok()? {
            0 => return None,
            _ if byte == [0] => {}
            _ if is_escaped && byte == *b"\n" => is_escaped = false,
            _ if !is_escaped && byte == *b"\\" => is_escaped = true,
            _ => return Some(byte[0]),
        }
    }
}

/// The terminal at standard input, which gives keys as they come while this lives, and lines before and after.
struct Terminal {
    before: Termios,
}

impl Terminal {
    fn by_key() -> Option<Terminal> {
        let before = rustix::termios::tcgetattr(std::io::stdin()).ok()?;
        let mut by_key = before.clone();
        by_key.local_modes.remove(LocalModes::ICANON);
        rustix::termios::tcsetattr(std::io::stdin(), OptionalActions::Drain, &by_key).ok()?;
        Some(Terminal { before })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs none.
        let _ = rustix::termios::tcsetattr(std::io::stdin(), OptionalActions::Drain, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, String> {
        Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_and_operand_come_in_any_order() {
        let expected = Options {
            timeout: "5".into(),
            write: Some(String::new()),
            is_command: true,
            operand: Some("./change".into()),
            help: None,
        };
        for words in [
            &["-t", "5", "-w", "", "-c", "./change"][..],
            &["./change", "-ct5", "--write="],
            &["--comm", "--time=5", "-w", "", "--", "./change"],
        ] {
            assert_eq!(parse(words).as_ref(), Ok(&expected), "{words:?}");
        }
        assert_eq!(parse(&["-Vh"]).map(|options| options.help), Ok(Some(Help::Version)));
    }

    #[test]
    fn times_are_numbers_as_the_shell_reads_them() {
        let read = |text| seconds(text).map(|time| time.as_secs());
        assert_eq!(["5", "+5", " 5 ", "010", "-0"].map(read), [Some(5), Some(5), Some(5), Some(10), Some(0)]);
        assert_eq!(["", "x", "-1", "1.5", "0x5", "9223372036854775808"].map(read), [None; 6]);
        let longest = seconds("9223372036854775807").unwrap();
        assert!(Instant::now().checked_add(longest).is_some(), "it can be waited for");
    }

    #[test]
    fn one_key_is_read_as_by_the_shell() {
        let keys = ["y", "\0y", "\\y", "\\\ny", "\\", "", "\0"].map(|text| first_key(text.as_bytes()));
        assert_eq!(keys, [Some(b'y'), Some(b'y'), Some(b'y'), Some(b'y'), None, None, None]);
    }

    #[test]
    fn words_that_mean_nothing_are_refused_as_getopt_does() {
        for (words, refusal) in [
            (&["-x"][..], "invalid option -- 'x'"),
            (&["-t"], "option requires an argument -- 't'"),
            (&["--timeout"], "option '--timeout' requires an argument"),
            (&["--help=1"], "option '--help' doesn't allow an argument"),
            (&["--foo"], "unrecognized option '--foo'"),
            (&["a", "b"], "unexpected argument 'b'"),
        ] {
            assert_eq!(parse(words).unwrap_err(), refusal, "{words:?}");
        }
    }
}
