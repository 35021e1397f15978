//! ipset: words, files and standard input go to the daemon; what it answers is printed.
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, Read};
use std::path::Path;
use std::process::ExitCode;

use proto::public::{EXIT_UNAVAILABLE, Reply, Request};
use sets::Plan;
use sets::words::split;

use crate::client::ClientError;
use crate::{client, exit_code, fail, finish, print, reason, utf8};

/// The name of this program.
pub(crate) const NAME: &str = "ipset";
/// As messages have it.
const PROGRAM: &str = "ipset v7.17";

/// Runs it with the words after its name.
pub(crate) fn run(socket: &Path, words: Vec<OsString>) -> ExitCode {
    let args = match utf8(words) {
        Ok(args) => args,
        Err(message) => return fail(NAME, message, 2),
    };
    match Plan::of(&args) {
        Plan::Ask => answer(ask(socket, args, &[], false), finish),
        Plan::Into(file) => answer(ask(socket, args, &[], false), |reply| into(&file, reply)),
        Plan::Restore(file) => {
            let mut text = Vec::new();
            let read = match &file {
                Some(file) => File::open(file).and_then(|mut file| file.read_to_end(&mut text)),
                None => std::io::stdin().read_to_end(&mut text),
            };
            match read {
                Ok(_) => answer(ask(socket, args, &text, false), finish),
                Err(error) => {
                    let file = file.as_deref().unwrap_or("standard input");
                    fail(PROGRAM, format!("Cannot open {file} for reading: {}", reason(&error)), 1)
                }
            }
        }
        Plan::Interactive => interactive(socket),
    }
}

fn ask(socket: &Path, args: Vec<String>, text: &[u8], interactive: bool) -> Result<Reply, ClientError> {
    client::ask(socket, &Request::Ipset { args, length: text.len() as u64, interactive }, text)
}

fn answer(answer: Result<Reply, ClientError>, then: impl FnOnce(&Reply) -> ExitCode) -> ExitCode {
    match answer {
        Ok(reply) => then(&reply),
        Err(error) => fail(NAME, error, EXIT_UNAVAILABLE),
    }
}

/// A listing goes into a file.
fn into(file: &str, reply: &Reply) -> ExitCode {
    if !reply.ok || reply.exit != 0 {
        return finish(reply);
    }
    match std::fs::write(file, &reply.stdout) {
        Ok(()) => finish(&Reply { stdout: String::new(), ..reply.clone() }),
        Err(error) => fail(PROGRAM, format!("Cannot open {file} for writing: {}", reason(&error)), 1),
    }
}

/// Commands as they are typed, each answered before the next is read.
fn interactive(socket: &Path) -> ExitCode {
    let prompt = || print(&mut std::io::stdout(), "ipset> ");
    prompt();
    for line in std::io::stdin().lock().lines() {
        // What is no text is no command.
        let words = split(&line.unwrap_or_default());
        if Plan::is_end(&words) {
            break;
        }
        match ask(socket, words, &[], true) {
            Ok(reply) => {
                print(&mut std::io::stdout(), &reply.stdout);
                print(&mut std::io::stderr(), &reply.stderr);
            }
            Err(error) => return fail(NAME, error, EXIT_UNAVAILABLE),
        }
        prompt();
    }
    exit_code(0)
}
