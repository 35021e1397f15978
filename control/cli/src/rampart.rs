//! `rampart`: what iptables has no words for.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use proto::public::{EXIT_UNAVAILABLE, Request};

use crate::client::ClientError;
use crate::{DEFAULT_SOCKET, client, conntrack, fail, finish, ipset, iptables, print};

/// How often `wait-ready` knocks while no daemon answers.
const KNOCK: Duration = Duration::from_millis(50);

/// Talks to Rampart's control daemon.
#[derive(Parser)]
#[command(
    name = "rampart",
    version,
    after_help = "The programs conntrack, ipset, iptables, iptables-save, iptables-restore, iptables-apply and the same with ip6 are commands too \
                  (rampart iptables -L), and names of this binary (a link called iptables is iptables).\n\
                  Exit code 4: rampartd could not be reached, or could not serve the request."
)]
struct Arguments {
    /// Socket of rampartd
    #[arg(long, value_name = "PATH", env = "RAMPART_SOCKET", default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What runs, and whether it is enforced
    Status {
        /// As JSON, for machines
        #[arg(long)]
        json: bool,
    },
    /// Waits until the wanted rules are enforced; fails when the time is over
    WaitReady {
        /// How long, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
        timeout: f64,
    },
    /// A list of `-m recent`, as /proc/net/xt_recent/NAME shows it
    ///
    /// Without a name, the names of all lists. A change is what can be written into the kernel's file of a list.
    Recent {
        /// The list
        #[arg(value_name = "NAME")]
        list: Option<String>,
        /// +ADDRESS notes it, -ADDRESS forgets it, / forgets all
        #[arg(value_name = "CHANGE", allow_hyphen_values = true)]
        change: Option<String>,
    },
    /// Versions of this program and of rampartd
    Version,
    /// One of the iptables programs, conntrack or ipset
    #[command(external_subcommand)]
    Program(Vec<OsString>),
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to 86400".into()),
    }
}

/// Runs `rampart` with the words after its name.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from([OsString::from("rampart")].into_iter().chain(words));
    let socket = &arguments.socket;
    match arguments.command {
        Command::Status { json } => status(socket, json),
        Command::WaitReady { timeout } => wait_ready(socket, Duration::from_secs_f64(timeout)),
        Command::Recent { list, change } => match client::ask(socket, &Request::Recent { list, change }, &[]) {
            Ok(reply) => finish(&reply),
            Err(error) => fail("rampart", error, EXIT_UNAVAILABLE),
        },
        Command::Version => version(socket),
        Command::Program(mut words) => {
            let name = words.remove(0);
            match name.to_str().and_then(iptables::Program::named) {
                Some(program) => iptables::run(socket, program, words),
                None if name == conntrack::NAME => conntrack::run(socket, words),
                None if name == ipset::NAME => ipset::run(socket, words),
                None => fail("rampart", format!("unknown command {name:?}; see rampart --help"), 2),
            }
        }
    }
}

fn status(socket: &Path, json: bool) -> ExitCode {
    match client::ask(socket, &Request::Status {}, &[]) {
        Ok(reply) if json && reply.status.is_some() => match serde_json::to_string_pretty(&reply.status) {
            Ok(text) => {
                print(&mut std::io::stdout(), &format!("{text}\n"));
                ExitCode::SUCCESS
            }
            Err(error) => fail("rampart", error, 1),
        },
        Ok(reply) => finish(&reply),
        Err(error) => fail("rampart", error, EXIT_UNAVAILABLE),
    }
}

/// Also waits for a daemon that has not opened its socket yet.
fn wait_ready(socket: &Path, timeout: Duration) -> ExitCode {
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let request = Request::WaitReady { timeout_ms: left.as_millis() as u64 };
        match client::ask_within(socket, &request, &[], left + Duration::from_secs(5)) {
            Ok(reply) => return finish(&reply),
            Err(ClientError::Connect { .. } | ClientError::NoAnswer) if !left.is_zero() => std::thread::sleep(KNOCK.min(left)),
            Err(error) => return fail("rampart", error, EXIT_UNAVAILABLE),
        }
    }
}

fn version(socket: &Path) -> ExitCode {
    print(&mut std::io::stdout(), &format!("rampart {}\n", env!("CARGO_PKG_VERSION")));
    match client::ask(socket, &Request::Version {}, &[]) {
        Ok(reply) => finish(&reply),
        Err(error) => fail("rampart", error, EXIT_UNAVAILABLE),
    }
}
