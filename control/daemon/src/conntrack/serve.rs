//! One command from its words to its last line.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::flow::{Flow, NAMES, Name};
use proto::private::{Family, Place, Role};
use proto::public::{EXIT_UNAVAILABLE, Reply};
use rules::names::{Labels, WithLabels};

use super::PROGRAM;
use super::expect;
use super::options::{self, Command, Invocation, Table};
use super::print::xml::Frame;
use super::print::{self, Line, Output};
use super::watch;
use crate::dataplane::{Link, LinkError};
use crate::names;
use crate::request::Caller;
use crate::state::State;

/// The client does not take what it asked for.
#[derive(Debug)]
pub struct Gone;

/// Who asked, and takes the answer in parts.
pub trait Client {
    /// Gives it a part of the answer that is not the last.
    fn tell(&mut self, part: Reply) -> Result<(), Gone>;
    /// Has it seen enough? It then has closed its sending side.
    fn has_enough(&self) -> bool;
}

/// Serves one command. The client gets the parts of the answer before the last.
pub fn serve(state: &State, caller: Caller, words: &[String], client: &mut dyn Client) -> Result<Reply, Gone> {
    let labels = names::labels();
    let invocation = match options::parse(words, &WithLabels { names: &state.names, labels: &labels }) {
        Ok(invocation) => invocation,
        Err(error) => return Ok(error.reply()),
    };
    let text = match invocation.command {
        Command::Version => Some(format!("{PROGRAM}\n")),
        Command::Help => Some(options::help()),
        _ => None,
    };
    if let Some(text) = text {
        return Ok(Reply::done(0, text, String::new()));
    }
    if invocation.changes() && !caller.may_change {
        return Ok(failed("Permission denied (only root and the user that rampartd runs as may change connections)"));
    }
    let gate = if invocation.command == Command::Event { &state.watchers } else { &state.conntrack };
    let Some(_pass) = gate.enter() else { return Ok(failed("too many conntrack commands at once")) };
    match run(state, &invocation, &labels, client) {
        Ok(reply) => Ok(reply),
        Err(Failure::Gone) => Err(Gone),
        Err(Failure::Link(error)) => Ok(failed(&error.to_string())),
        Err(Failure::Impossible(reason)) => Ok(failed(reason)),
        Err(Failure::NoDataplane(reason)) => {
            Ok(Reply { exit: EXIT_UNAVAILABLE, ..failed(&format!("no connections are tracked: {reason}")) })
        }
    }
}

/// Why there is no answer to show.
pub(super) enum Failure {
    Gone,
    Link(LinkError),
    NoDataplane(String),
    /// What is wanted of a connection cannot be.
    Impossible(&'static str),
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Failure {
        Failure::Link(error)
    }
}

impl From<Gone> for Failure {
    fn from(_: Gone) -> Failure {
        Failure::Gone
    }
}

pub(super) fn failed(reason: &str) -> Reply {
    Reply::done(1, String::new(), format!("{PROGRAM}: Operation failed: {reason}\n"))
}

fn run(state: &State, invocation: &Invocation, labels: &Labels, client: &mut dyn Client) -> Result<Reply, Failure> {
    let no_dataplane = {
        let mut core = state.lock_settled();
        if invocation.command == Command::Count && invocation.table == Table::Conntrack {
            let stats = core.stats();
            if let Some(stats) = stats {
                let count: u64 = stats.flows.iter().map(|flows| flows.count).sum();
                return Ok(Reply::done(0, format!("{count}\n"), String::new()));
            }
        }
        if invocation.command == Command::Stats
            && let Some(stats) = core.stats()
        {
            let line = if invocation.table == Table::Expect { print::tracking_of_expected } else { print::tracking };
            return Ok(Reply::done(0, stats.tracking.iter().map(line).collect(), String::new()));
        }
        core.reason().map(str::to_owned)
    };
    if let Some(reason) = no_dataplane {
        return Err(Failure::NoDataplane(reason));
    }
    if invocation.table == Table::Passing {
        return Ok(Reply::done(0, String::new(), format!("{PROGRAM}: 0 flow entries have been shown.\n")));
    }
    let mut link = Link::connect(&state.config.dataplane_socket, Role::Conntrack)?;
    if invocation.command == Command::Event {
        return watch::watch(&mut link, invocation, labels, client);
    }
    if invocation.table == Table::Expect {
        return expect::run(&mut link, invocation, client);
    }
    if invocation.command == Command::Flush {
        link.flush_flows(invocation.filter.family)?;
        return Ok(Reply::done(0, String::new(), format!("{PROGRAM}: connection tracking table has been emptied.\n")));
    }
    let mut frame = Frame::of(invocation);
    let mut count = 0;
    let mut found = false;
    each_page(&mut link, invocation, |link, from, flows| {
        found |= !flows.is_empty();
        let meant: Vec<Flow> = flows.into_iter().filter(|flow| invocation.filter.takes(flow)).collect();
        for some in meant.chunks(NAMES) {
            count += show(&treat(link, from, invocation, some, client)?, invocation, (labels, &mut frame), client)?;
        }
        Ok(invocation.command == Command::Get && found)
    })?;
    let (done, fails_empty) = match invocation.command {
        Command::Get if !found => return Ok(failed("such conntrack doesn't exist")),
        Command::Get => ("shown", true),
        Command::Delete => ("deleted", true),
        Command::Update => ("updated", true),
        _ => ("shown", false),
    };
    let exit = i32::from(fails_empty && count == 0);
    Ok(Reply::done(exit, frame.after(), format!("{PROGRAM}: {count} flow entries have been {done}.\n")))
}

/// Goes through all connections page by page, with those that are meant but for their labels, or with the one of this tuple, until `is_enough`.
fn each_page(
    link: &mut Link,
    invocation: &Invocation,
    mut is_enough: impl FnMut(&mut Link, Place, Vec<Flow>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let families = [Family::Ipv4, Family::Ipv6].into_iter();
    for family in families.filter(|of| invocation.filter.family.is_none_or(|family| family == *of)) {
        let mut place = Some(Place::first(family));
        while let Some(from) = place {
            let (mut flows, next) = link.flows(from, invocation.zero)?;
            flows.retain(|flow| match invocation.command {
                Command::Get => invocation.filter.names(flow),
                _ => invocation.filter.takes_whatever_labels(flow),
            });
            place = next;
            if is_enough(link, from, flows)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Does what is to be done with these; those with which it was done.
fn treat(
    link: &mut Link,
    table: Place,
    invocation: &Invocation,
    flows: &[Flow],
    client: &mut dyn Client,
) -> Result<Vec<Flow>, Failure> {
    let update = &invocation.update;
    match invocation.command {
        Command::Delete => Ok(link.end_flows(table, flows.iter().map(|flow| flow.name).collect())?),
        Command::Update => {
            let meant: BTreeMap<Name, &Flow> =
                flows.iter().filter(|flow| update.alters(flow)).map(|flow| (flow.name, flow)).collect();
            if meant.is_empty() {
                return Ok(Vec::new());
            }
            if update.is_impossible() {
                return Err(Failure::Impossible("Numerical result out of range"));
            }
            let changed = link.change_flows(table, meant.keys().copied().collect(), update.change())?;
            let reasons = changed.iter().filter_map(|flow| update.failure(meant.get(&flow.name)?, flow));
            for reason in reasons.collect::<BTreeSet<_>>() {
                client.tell(Reply::part(String::new(), format!("Operation failed: {reason}\n")))?;
            }
            Ok(changed)
        }
        _ => Ok(flows.to_vec()),
    }
}

/// Since 1970.
pub(super) fn today() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn show(
    flows: &[Flow],
    invocation: &Invocation,
    (names, frame): (&Labels, &mut Frame),
    client: &mut dyn Client,
) -> Result<u64, Failure> {
    if !flows.is_empty() {
        let mut text = frame.before();
        let is_deleted = invocation.command == Command::Delete;
        let now = today();
        // As in the reference, of what ends labels are not shown.
        let output = Output { labels: invocation.output.labels && invocation.command != Command::Delete, ..invocation.output };
        for flow in flows {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", Line { flow, is_deleted, output, names, now });
        }
        client.tell(Reply::part(text, String::new()))?;
    }
    Ok(flows.len() as u64)
}
