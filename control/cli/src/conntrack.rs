//! conntrack: words go to the daemon; what it answers is printed as it comes.
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use proto::public::{EXIT_UNAVAILABLE, Reply, Request};

use crate::client::Until;
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
    // The only command without an end of its own.
    let watches = args.iter().any(|word| word.starts_with("-E") || word == "--event" || word.starts_with("--event="));
    let until = if watches { Until::Interrupted } else { Until::Done };
    match client::ask_for_parts(socket, &Request::Conntrack { args }, until, show) {
        Ok(reply) => finish(&reply),
        Err(error) => fail(NAME, error, EXIT_UNAVAILABLE),
    }
}
