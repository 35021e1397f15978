//! The multi-call command line. Under the name `iptables`, `iptables-save`, `iptables-restore`, `iptables-apply` (or the same with `ip6`), `conntrack` or `ipset` it is that program;
//! under any other name it is `rampart`, whose first word may be one of them.
//!
//! It is thin: rampartd parses, checks and prints. What stays here are files and standard input, which are the caller's.
#![forbid(unsafe_code)]

mod apply;
mod client;
mod conntrack;
mod ipset;
mod iptables;
mod rampart;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use proto::public::Reply;

/// Where rampartd listens unless told otherwise.
const DEFAULT_SOCKET: &str = "/run/rampart/control.sock";

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_default();
    let name = Path::new(&name).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let socket = || std::env::var_os("RAMPART_SOCKET").map_or_else(|| PathBuf::from(DEFAULT_SOCKET), PathBuf::from);
    match iptables::Program::named(name) {
        Some(program) => iptables::run(&socket(), program, words.collect()),
        None if name == conntrack::NAME => conntrack::run(&socket(), words.collect()),
        None if name == ipset::NAME => ipset::run(&socket(), words.collect()),
        None => rampart::run(words),
    }
}

/// Prints what the daemon answered, and exits as it says.
fn finish(reply: &Reply) -> ExitCode {
    print(&mut std::io::stdout(), &reply.stdout);
    print(&mut std::io::stderr(), &reply.stderr);
    exit_code(reply.exit)
}

/// Ends with a message of our own.
fn fail(program: &str, message: impl std::fmt::Display, exit: i32) -> ExitCode {
    print(&mut std::io::stderr(), &format!("{program}: {message}\n"));
    exit_code(exit)
}

fn exit_code(exit: i32) -> ExitCode {
    ExitCode::from(u8::try_from(exit).unwrap_or(1))
}

/// An error of the system in its own words, without its number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Writes text. A reader that has gone (`iptables -S | head -1`) is no error of ours.
fn print(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The words as text, which is what travels to the daemon.
fn utf8(words: Vec<OsString>) -> Result<Vec<String>, String> {
    words.into_iter().map(|word| word.into_string().map_err(|word| format!("argument {word:?} is not UTF-8 text"))).collect()
}
