//! iptables, iptables-save, iptables-restore and (in its own file) iptables-apply: words, files and standard input go to the daemon; what it answers is printed.
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::ExitCode;

use proto::public::{EXIT_UNAVAILABLE, Reply, Request};
use rules::Family;

use crate::apply::Apply;
use crate::{client, exit_code, fail, finish, print, reason, utf8};

/// What one of the names does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Command,
    Save,
    Restore,
    Apply,
}

/// A program that this binary is under that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    name: &'static str,
    kind: Kind,
    family: Family,
}

/// All of them.
const PROGRAMS: [Program; 8] = [
    Program { name: "iptables", kind: Kind::Command, family: Family::Ipv4 },
    Program { name: "iptables-save", kind: Kind::Save, family: Family::Ipv4 },
    Program { name: "iptables-restore", kind: Kind::Restore, family: Family::Ipv4 },
    Program { name: "iptables-apply", kind: Kind::Apply, family: Family::Ipv4 },
    Program { name: "ip6tables", kind: Kind::Command, family: Family::Ipv6 },
    Program { name: "ip6tables-save", kind: Kind::Save, family: Family::Ipv6 },
    Program { name: "ip6tables-restore", kind: Kind::Restore, family: Family::Ipv6 },
    Program { name: "ip6tables-apply", kind: Kind::Apply, family: Family::Ipv6 },
];

impl Program {
    /// The program of this name. Debian has each under a name with `-legacy` too, which some tools look for first.
    pub(crate) fn named(name: &str) -> Option<Program> {
        let name = name.replacen("tables-legacy", "tables", 1);
        PROGRAMS.into_iter().find(|program| program.name == name)
    }
}

/// Runs a program with the words after its name.
pub(crate) fn run(socket: &Path, program: Program, words: Vec<OsString>) -> ExitCode {
    let args = match utf8(words) {
        Ok(args) => args,
        Err(message) => return fail(program.name, message, 2),
    };
    match program.kind {
        Kind::Command => send(socket, program, &Request::Iptables { program: program.name.into(), args }, &[], finish),
        Kind::Save => save(socket, program, args),
        Kind::Restore => restore(socket, program, args),
        Kind::Apply => Apply { socket, name: program.name, family: program.family }.run(&args),
    }
}

fn send(socket: &Path, program: Program, request: &Request, blob: &[u8], then: impl FnOnce(&Reply) -> ExitCode) -> ExitCode {
    match client::ask(socket, request, blob) {
        Ok(reply) => then(&reply),
        Err(error) => fail(program.name, error, EXIT_UNAVAILABLE),
    }
}

/// The file of `-f` is ours to write: it is the caller's.
fn save(socket: &Path, program: Program, args: Vec<String>) -> ExitCode {
    let file = match rules::save::Options::parse(&args) {
        Ok(options) => options.file,
        Err(error) => return refuse(program, &error),
    };
    send(socket, program, &Request::Save { program: program.name.into(), args }, &[], |reply| match &file {
        Some(file) if reply.ok && reply.exit == 0 => match std::fs::write(file, &reply.stdout) {
            Ok(()) => finish(&Reply { stdout: String::new(), ..reply.clone() }),
            Err(error) => say_and_fail(&format!("Failed to open file, error: {}\n", reason(&error))),
        },
        _ => finish(reply),
    })
}

/// The text comes from the file that the options name, or from standard input.
fn restore(socket: &Path, program: Program, args: Vec<String>) -> ExitCode {
    let options = match rules::restore::Options::parse(program.family, &args) {
        Ok(options) => options,
        Err(error) => return refuse(program, &error),
    };
    let mut text = Vec::new();
    if options.print.is_none() {
        let (read, name) = match &options.file {
            Some(file) => (File::open(file).and_then(|mut file| file.read_to_end(&mut text)), file.as_str()),
            None => (std::io::stdin().read_to_end(&mut text), "standard input"),
        };
        // What of a folder is read is nothing, and that is no error.
        if let Err(error) = read
            && error.kind() != ErrorKind::IsADirectory
        {
            let text = format!("{}Can't open {name}: {}\n", options.warnings, reason(&error));
            return say_and_fail(&text);
        }
    }
    let request = Request::Restore { program: program.name.into(), args, length: text.len() as u64 };
    send(socket, program, &request, &text, finish)
}

fn say_and_fail(text: &str) -> ExitCode {
    print(&mut std::io::stderr(), text);
    exit_code(1)
}

fn refuse(program: Program, error: &rules::Error) -> ExitCode {
    print(&mut std::io::stderr(), &error.message(program.name));
    exit_code(error.exit_code())
}
