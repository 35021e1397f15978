//! The public socket: anything that wants to change or see rules asks rampartd here.
//!
//! A request is one line, a JSON object with `"v":1` and `"op"`. `restore` and `ipset` are followed by exactly `length` bytes of text. The answer is one
//! line: a [`Reply`]; that of `conntrack` may be several, each but the last with `more`. A connection may carry any number of requests, one after the other.
use serde::{Deserialize, Serialize};

use crate::stats::Stats;
use serde_json::Value;

/// The version of this protocol.
pub const VERSION: u64 = 1;

/// The longest request line, in bytes: more than the kernel lets a command line have.
pub const MAX_REQUEST_LINE: usize = 4 << 20;

/// The longest answer, in bytes: the save text of millions of rules.
pub const MAX_REPLY_LINE: usize = 1 << 30;

/// The longest text of one restore, in bytes.
pub const MAX_RESTORE: u64 = 256 << 20;

/// Exit code of a command that could not reach the daemon, or that the daemon could not carry out for a reason that is no fault of the
/// command: iptables' RESOURCE_PROBLEM.
pub const EXIT_UNAVAILABLE: i32 = 4;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// One iptables command.
    Iptables {
        /// `iptables` or `ip6tables`: chooses the family and stands before messages.
        program: String,
        /// The words after the program's name.
        args: Vec<String>,
    },
    /// `iptables-save`.
    Save {
        /// `iptables-save` or `ip6tables-save`.
        program: String,
        /// The words after the program's name.
        args: Vec<String>,
    },
    /// `iptables-restore`; `length` bytes of text follow the line.
    Restore {
        /// `iptables-restore` or `ip6tables-restore`.
        program: String,
        /// The words after the program's name.
        args: Vec<String>,
        /// Bytes that follow.
        length: u64,
    },
    /// One conntrack command. Whoever asks for events closes its sending side when it has seen enough.
    Conntrack {
        /// The words after the program's name.
        args: Vec<String>,
    },
    /// One ipset command; `length` bytes of text follow the line, which `restore` reads.
    Ipset {
        /// The words after the program's name.
        args: Vec<String>,
        /// Bytes that follow.
        #[serde(default)]
        length: u64,
        /// Commands are typed one by one (`ipset -`).
        #[serde(default)]
        interactive: bool,
    },
    /// A list of `recent`, which may be changed.
    Recent {
        /// Its name; the names of all lists if none is given.
        #[serde(default)]
        list: Option<String>,
        /// What is done to it, as the kernel's file of it takes that: `+ADDRESS`, `-ADDRESS` or `/`. Nothing shows it.
        #[serde(default)]
        change: Option<String>,
    },
    /// What runs, and whether it is enforced.
    Status {},
    /// Answers when the wanted rules are enforced, or after the time limit.
    WaitReady {
        /// Time limit in milliseconds.
        timeout_ms: u64,
    },
    /// The version of the daemon.
    Version {},
}

/// Why a line is no request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Not a JSON object.
    #[error("a request is one JSON object a line: {0}")]
    NotJson(serde_json::Error),
    /// Another version of the protocol.
    #[error("protocol version {found} is not served here; \"v\" must be {VERSION}")]
    Version {
        /// What stood in `v`.
        found: String,
    },
    /// An unknown operation or field.
    #[error("{0}")]
    Unknown(serde_json::Error),
}

impl Request {
    /// Reads one line.
    pub fn from_line(line: &[u8]) -> Result<Request, RequestError> {
        let mut object: serde_json::Map<String, Value> = serde_json::from_slice(line).map_err(RequestError::NotJson)?;
        match object.remove("v") {
            Some(version) if version.as_u64() == Some(VERSION) => {}
            version => return Err(RequestError::Version { found: version.map_or("(none)".into(), |v| v.to_string()) }),
        }
        serde_json::from_value(Value::Object(object)).map_err(RequestError::Unknown)
    }

    /// Writes one line, without its end.
    pub fn to_line(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct Versioned<'a> {
            v: u64,
            #[serde(flatten)]
            request: &'a Request,
        }
        serde_json::to_vec(&Versioned { v: VERSION, request: self })
    }
}

/// The answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// [`VERSION`].
    pub v: u64,
    /// False when the request itself could not be served: then `stderr` says why.
    pub ok: bool,
    /// What the program exits with.
    pub exit: i32,
    /// What the program prints.
    pub stdout: String,
    /// What it prints on standard error.
    pub stderr: String,
    /// Another line of this answer follows; `exit` is that of the last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Answer to `status` and `wait_ready`, for machines; `stdout` has it for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

impl Reply {
    /// The outcome of a program.
    pub fn done(exit: i32, stdout: String, stderr: String) -> Reply {
        Reply { v: VERSION, ok: true, exit, stdout, stderr, more: false, status: None }
    }

    /// The request was not served.
    pub fn failed(reason: impl std::fmt::Display) -> Reply {
        Reply { ok: false, ..Reply::done(EXIT_UNAVAILABLE, String::new(), format!("{reason}\n")) }
    }

    /// A part of an answer.
    pub fn part(stdout: String, stderr: String) -> Reply {
        Reply { more: true, ..Reply::done(0, stdout, stderr) }
    }
}

/// What runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of rampartd.
    pub version: String,
    /// Name of the instance.
    pub instance: String,
    /// Started without a dataplane on purpose.
    pub standalone: bool,
    /// The wanted rules run in the dataplane.
    pub enforced: bool,
    /// Why they do not; empty when they do.
    pub reason: String,
    /// The dataplane, when connected.
    pub dataplane: Option<Dataplane>,
    /// What it has counted, when connected.
    pub stats: Option<Stats>,
    /// The wanted tables of both families.
    pub tables: Vec<TableStatus>,
    /// Where the rules are kept.
    pub state_dir: String,
    /// Why the newest rules could not be stored there; empty when they are.
    pub store_error: String,
    /// Address of the metrics; empty when they are off.
    pub metrics: String,
}

/// A connected dataplane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataplane {
    /// Version of its program.
    pub software: String,
    /// The running program.
    pub generation: u64,
    /// Names of its ports.
    pub interfaces: Vec<String>,
    /// Counter slots there are.
    pub counter_slots: u32,
    /// Counter slots in use.
    pub counter_slots_used: u32,
    /// It walks IPv6; else it drops every IPv6 packet.
    #[serde(default)]
    pub ipv6: bool,
}

/// One table of the wanted rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStatus {
    /// `ipv4` or `ipv6`.
    #[serde(default)]
    pub family: String,
    /// Its name.
    pub name: String,
    /// Chains in it.
    pub chains: u64,
    /// Rules in it.
    pub rules: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back_as_they_were_written() {
        let args = vec!["-A".to_owned(), "INPUT".to_owned()];
        for request in [
            Request::Iptables { program: "iptables".into(), args: args.clone() },
            Request::Restore { program: "iptables-restore".into(), args, length: 12 },
            Request::Ipset { args: vec!["-".into()], length: 3, interactive: true },
            Request::Status {},
            Request::WaitReady { timeout_ms: 5 },
        ] {
            let line = request.to_line().unwrap();
            assert!(!line.contains(&b'\n'));
            assert_eq!(Request::from_line(&line).unwrap(), request);
        }
    }

    #[test]
    fn the_documented_line_is_what_is_read() {
        let line = br#"{"v":1,"op":"iptables","program":"iptables","args":["-S"]}"#;
        assert_eq!(Request::from_line(line).unwrap(), Request::Iptables { program: "iptables".into(), args: vec!["-S".into()] });
    }

    #[test]
    fn another_version_an_unknown_op_and_an_unknown_field_are_refused_by_name() {
        let message = |line: &str| Request::from_line(line.as_bytes()).unwrap_err().to_string();
        assert_eq!(message(r#"{"v":2,"op":"status"}"#), "protocol version 2 is not served here; \"v\" must be 1");
        assert_eq!(message(r#"{"op":"status"}"#), "protocol version (none) is not served here; \"v\" must be 1");
        assert!(message(r#"{"v":1,"op":"reboot"}"#).contains("unknown variant `reboot`"));
        assert!(message(r#"{"v":1,"op":"version","x":1}"#).contains("unknown field `x`"));
        assert!(message("GET / HTTP/1.0").starts_with("a request is one JSON object a line"));
        assert!(message("[1]").starts_with("a request is one JSON object a line"));
    }
}
