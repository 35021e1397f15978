//! conntrack: words go to the daemon; what it answers is printed as it comes.
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use proto::public::{EXIT_UNAVAILABLE, Reply, Request};

use crate::{client, fail, finish, print, utf8};

/// The name of this program.
pub(crate) const NAME: &str = "conntrack";

/// Runs it with the words after its name.
pub(crate) fn run(socket: &Path, words: Vec<OsString>) -> ExitCode {
    let args = match utf8(words) {
        Ok(args) => args,
        Err(message) => return fail(NAME, message, 2),
    };
    let show = |part: &Reply| {
        print(&mut std::io::stdout(), &part.stdout);
        print(&mut std::io::stderr(), &part.stderr);
    };
    match client::ask_for_parts(socket, &Request::Conntrack { args }, show) {
        Ok(reply) => finish(&reply),
        Err(error) => fail(NAME, error, EXIT_UNAVAILABLE),
    }
}
