//! What rampartd does for each request of the public socket: one function per request.
use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proto::public::{Reply, Request, Status};
use rules::command::Outcome;
use rules::{Family, RuleSet, TableName};

use crate::conntrack::{self, Client, Gone};
use crate::names;
use crate::recent;
use crate::state::{Core, EditError, State};
use crate::wanted::{Counted, CountersOf};

/// The longest that `wait_ready` waits.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Root, or the user that rampartd runs as.
    pub may_change: bool,
}

/// Serves one request. `blob` is what followed a restore; The client gets the parts of an answer before the last.
pub fn serve(state: &State, caller: Caller, request: Request, blob: Vec<u8>, client: &mut dyn Client) -> Result<Reply, Gone> {
    Ok(match request {
        Request::Conntrack { args } => return conntrack::serve(state, caller, &args, client),
        Request::Iptables { program, args } => iptables(state, caller, &program, &args),
        Request::Ipset { args, interactive, .. } => ipset(state, caller, &args, blob, interactive),
        Request::Save { program, args } => save(state, &program, &args),
        Request::Restore { program, args, .. } => restore(state, caller, &program, &args, blob),
        Request::Recent { list, change } => recent::serve(state, caller, list.as_deref(), change.as_deref()),
        Request::Status {} => status(state),
        Request::WaitReady { timeout_ms } => wait_ready(state, Duration::from_millis(timeout_ms)),
        Request::Version {} => version(),
    })
}

/// One iptables command: an edit, a listing, or both (`-L -Z`).
fn iptables(state: &State, caller: Caller, program: &str, args: &[String]) -> Reply {
    let Some(family) = family(program, "") else { return unknown_program(program) };
    names::with_labels(state, |host| {
        let invocation = match rules::parse(family, args, host.names) {
            Ok(invocation) => invocation,
            Err(error) => return Reply::done(error.exit_code(), String::new(), error.message(program)),
        };
        let counters = if invocation.reads_counters() { CountersOf::All } else { CountersOf::Policies };
        edit(state, caller, program, (family, How::Command(counters)), |set| invocation.run(set, host))
    })
}

/// `iptables-restore`: all of the text or nothing.
fn restore(state: &State, caller: Caller, program: &str, args: &[String], blob: Vec<u8>) -> Reply {
    let Some(family) = family(program, "-restore") else { return unknown_program(program) };
    let text = match String::from_utf8(blob) {
        Ok(text) => text,
        Err(error) => {
            return Reply::done(1, String::new(), format!("{program}: {}\n", not_text(&error)));
        }
    };
    let options = match rules::restore::Options::parse(family, args) {
        Ok(options) => options,
        Err(error) => return Reply::done(error.exit_code(), String::new(), error.message(program)),
    };
    names::with_labels(state, |host| {
        edit(state, caller, program, (family, How::Restore { keeps: options.noflush }), |set| {
            rules::restore::restore(set, &text, &options, host)
        })
    })
}

/// How rules are edited.
#[derive(Clone, Copy)]
enum How {
    /// By a command that sets counters of these.
    Command(CountersOf),
    /// By a restore: what it says again goes on with other counters. It may keep what it does not name.
    Restore { keeps: bool },
}

impl How {
    fn counters(self) -> CountersOf {
        match self {
            How::Command(counters) => counters,
            // Of tables that it does not empty it may show counters, and set them.
            How::Restore { keeps: true } => CountersOf::All,
            How::Restore { keeps: false } => CountersOf::Policies,
        }
    }
}

/// `iptables-save`.
fn save(state: &State, program: &str, args: &[String]) -> Reply {
    let Some(family) = family(program, "-save") else { return unknown_program(program) };
    let set = state.lock_settled().current(family);
    let stamp = chrono::Local::now().format("%a %b %e %H:%M:%S %Y").to_string();
    let text = rules::save::Options::parse(args)
        .and_then(|options| names::with_labels(state, |host| rules::save::save(&set, &options, Some(&stamp), host)));
    match text {
        Ok(text) => Reply::done(0, text, String::new()),
        Err(error) => Reply::done(error.exit_code(), String::new(), error.message(program)),
    }
}

/// One ipset command.
fn ipset(state: &State, caller: Caller, args: &[String], blob: Vec<u8>, is_interactive: bool) -> Reply {
    let text = match String::from_utf8(blob) {
        Ok(text) => text,
        Err(error) => return Reply::done(1, String::new(), format!("ipset: {}\n", not_text(&error))),
    };
    let counted = OnceCell::new();
    let references = |name: &str| {
        let counted: &HashMap<String, u64> = counted.get_or_init(|| state.lock_settled().wanted.rules.set_references());
        counted.get(name).copied().unwrap_or(0)
    };
    state.settle();
    let (said, stored) = state.sets.change(|sets, moment| {
        let by_packets = state.take_by_packets(sets, moment.now);
        if sets::shows(args, &text) {
            state.count_sets(sets);
        }
        let host = sets::Host {
            names: &state.names,
            now: moment.now,
            initval: moment.random,
            references: &references,
            may_change: caller.may_change,
            is_interactive,
            tells: true,
        };
        let mut said = sets::run(sets, args, &text, &host);
        state.tell_sets(sets, std::mem::take(&mut said.edits), moment.now);
        said.changes.insert_str(0, &by_packets);
        said
    });
    match stored {
        Ok(()) => Reply::done(said.exit, said.stdout, said.stderr),
        Err(error) => {
            let stderr = format!("{}ipset: done, but not stored: {error}\n", said.stderr);
            Reply::done(proto::public::EXIT_UNAVAILABLE, said.stdout, stderr)
        }
    }
}

/// Where text is none.
fn not_text(error: &std::string::FromUtf8Error) -> String {
    let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
    format!("line {line} is not UTF-8 text")
}

fn edit(
    state: &State,
    caller: Caller,
    program: &str,
    (family, how): (Family, How),
    run: impl FnOnce(&RuleSet) -> Result<Outcome, rules::Error>,
) -> Reply {
    let mut core = state.lock_settled();
    let before = match how.counters() {
        CountersOf::All => core.current(family),
        CountersOf::Policies => core.wanted.rules.of(family).clone(),
    };
    let outcome = match run(&before) {
        Ok(outcome) => outcome,
        Err(error) => return Reply::done(error.exit_code(), error.stdout.clone(), error.message(program)),
    };
    let Some(mut after) = outcome.ruleset else { return Reply::done(0, outcome.stdout, outcome.stderr) };
    let mut touched = outcome.changed;
    let only_loads = touched.is_empty();
    touched.extend(newly_loaded(&core, &after));
    touched.sort();
    touched.dedup();
    let dropped = family == Family::Ipv6 && core.link.as_ref().is_some_and(|link| !link.ipv6);
    if only_loads && (!caller.may_change || (core.reason().is_some() && !state.config.standalone) || dropped) {
        // A listing loads its table, as in the kernel. That says nothing to anybody who may not change rules or cannot now, and nothing where no
        // packet of the family passes.
        return Reply::done(0, outcome.stdout, outcome.stderr);
    }
    if !caller.may_change {
        let message = "Permission denied (only root and the user that rampartd runs as may change rules)";
        return Reply::done(proto::public::EXIT_UNAVAILABLE, String::new(), format!("{program}: {message}\n"));
    }
    let mut counted = Counted::from(how.counters());
    if let How::Restore { .. } = how {
        for name in &touched {
            let Some(old) = before.table(*name) else { continue };
            let table = after.table_mut(*name);
            counted.anew.extend(table.chains().filter_map(|chain| chain.slot));
            counted.anew.extend(table.resume(old));
        }
        counted.anew.sort_unstable();
    }
    match state.commit(&mut core, after, &touched, &counted) {
        Ok(()) => Reply::done(0, outcome.stdout, outcome.stderr),
        Err(error @ (EditError::NoIpv6 | EditError::Apply(crate::apply::ApplyError::Compile(_)))) => {
            Reply::done(1, String::new(), format!("{program}: {error}\n"))
        }
        Err(error) => Reply::done(proto::public::EXIT_UNAVAILABLE, String::new(), format!("{program}: {error}\n")),
    }
}

/// Tables that `after` has and the wanted rules have not.
fn newly_loaded(core: &Core, after: &RuleSet) -> Vec<TableName> {
    after.tables().map(|table| table.name).filter(|name| core.wanted.rules.of(after.family).table(*name).is_none()).collect()
}

/// `rampart status`.
fn status(state: &State) -> Reply {
    let status = state.status();
    Reply { status: Some(status.clone()), ..Reply::done(0, describe(&status), String::new()) }
}

/// `rampart wait-ready`.
fn wait_ready(state: &State, timeout: Duration) -> Reply {
    let ready = state.wait_ready(Instant::now() + timeout.min(LONGEST_WAIT));
    let status = state.status();
    let reply = match ready {
        true => Reply::done(0, String::new(), String::new()),
        false if status.enforced => Reply::done(
            1,
            String::new(),
            "rules are enforced, but the dataplane does not know the host's routes and neighbours yet\n".into(),
        ),
        false => Reply::done(1, String::new(), format!("rules are not enforced: {}\n", status.reason)),
    };
    Reply { status: Some(status), ..reply }
}

/// `rampart version`, the daemon's part.
fn version() -> Reply {
    Reply::done(0, format!("rampartd {}\n", env!("CARGO_PKG_VERSION")), String::new())
}

fn unknown_program(program: &str) -> Reply {
    Reply::failed(format!(
        "{program:?} is no program of this daemon: iptables or ip6tables, with -save or -restore where the op says so"
    ))
}

fn family(program: &str, suffix: &str) -> Option<Family> {
    match program.strip_suffix(suffix)? {
        "iptables" => Some(Family::Ipv4),
        "ip6tables" => Some(Family::Ipv6),
        _ => None,
    }
}

fn describe(status: &Status) -> String {
    let mut text = format!("rampartd {}, instance {}\n", status.version, status.instance);
    let mut line = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<14}{value}");
    };
    match &status.dataplane {
        Some(dataplane) => {
            line("enforced", format!("yes, program generation {}", dataplane.generation));
            line("dataplane", format!("rampart-dataplane {}, ports {}", dataplane.software, dataplane.interfaces.join(" ")));
            line("counters", format!("{} of {} slots in use", dataplane.counter_slots_used, dataplane.counter_slots));
        }
        None => line("enforced", format!("NO: {}", status.reason)),
    }
    if status.tables.is_empty() {
        line("rules", "no table loaded: everything is accepted".into());
    }
    for table in &status.tables {
        let family = if table.family == "ipv6" { "IPv6 " } else { "" };
        line("rules", format!("{family}table {}: {} chains, {} rules", table.name, table.chains, table.rules));
    }
    if let Some(stats) = &status.stats {
        for port in &stats.ports {
            let moved = format!(
                "received {} packets, {} bytes; sent {} packets, {} bytes",
                port.rx_packets, port.rx_bytes, port.tx_packets, port.tx_bytes
            );
            line(&format!("port {}", port.name), moved);
        }
        let flows = stats.flows.iter().filter(|kind| kind.count > 0).map(|kind| {
            let state = if kind.state.is_empty() { String::new() } else { format!(" {}", kind.state) };
            format!("{} {}{state}", kind.count, kind.protocol)
        });
        line("flows", some_or_none(flows, &format!(" (room for {})", stats.flow_capacity)));
        let drops = stats.drops.iter().filter(|(_, count)| **count > 0).map(|(name, count)| format!("{count} {name}"));
        line("dropped", some_or_none(drops, ""));
    }
    if status.dataplane.as_ref().is_some_and(|dataplane| !dataplane.ipv6) {
        line("IPv6", "every packet is dropped; ip6tables refuses rules".into());
    }
    let stored = if status.store_error.is_empty() { String::new() } else { format!(" (NOT STORED: {})", status.store_error) };
    line("state", format!("{}{stored}", status.state_dir));
    line("metrics", if status.metrics.is_empty() { "off".into() } else { format!("http://{}/metrics", status.metrics) });
    text
}

fn some_or_none(parts: impl Iterator<Item = String>, tail: &str) -> String {
    let listed = parts.collect::<Vec<_>>().join(", ");
    if listed.is_empty() { format!("none{tail}") } else { format!("{listed}{tail}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Overrides};
    use crate::store::{Store, Writer};
    use crate::wanted::RuleSets;
    use rules::names::NameFiles;

    /// Serves iptables commands standalone, as this caller; exit code, standard output and error of each.
    fn serve_all(may_change: bool, lines: &[&str]) -> Vec<(i32, String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread) = Writer::start(Store::open(folder.path()).unwrap(), NameFiles::default(), true).unwrap();
        let config = Config::load(None, Overrides { standalone: true, ..Overrides::default() }).unwrap();
        let state = State::new(config, NameFiles::default(), RuleSets::default(), writer.clone()).unwrap();
        let answers = lines.iter().map(|line| {
            let args = line.split(' ').map(str::to_owned).collect();
            let request = Request::Iptables { program: "iptables".into(), args };
            let reply = serve(&state, Caller { may_change }, request, Vec::new(), &mut Nobody).unwrap();
            (reply.exit, reply.stdout, reply.stderr)
        });
        let answers = answers.collect();
        writer.stop();
        thread.join().unwrap();
        answers
    }

    /// A client that takes no parts.
    struct Nobody;

    impl Client for Nobody {
        fn tell(&mut self, _: Reply) -> Result<(), Gone> {
            Err(Gone)
        }

        fn has_enough(&self) -> bool {
            true
        }
    }

    #[test]
    fn who_may_not_change_may_read_and_leaves_no_trace() {
        let answers = serve_all(false, &["-A INPUT -j DROP", "-P INPUT DROP", "-Z", "-S INPUT"]);
        for (exit, _, stderr) in &answers[..3] {
            assert_eq!(*exit, 4);
            assert!(stderr.starts_with("iptables: Permission denied"), "{stderr}");
        }
        assert_eq!(answers[3], (0, "-P INPUT ACCEPT\n".into(), String::new()));
    }

    #[test]
    fn who_may_change_does() {
        let answers = serve_all(true, &["-A INPUT -j DROP", "-S INPUT"]);
        assert_eq!(answers[1].1, "-P INPUT ACCEPT\n-A INPUT -j DROP\n");
    }

    #[test]
    fn a_program_of_another_name_is_refused() {
        assert_eq!(family("iptables-save", "-save"), Some(Family::Ipv4));
        assert_eq!(family("ip6tables", ""), Some(Family::Ipv6));
        assert_eq!((family("iptables", "-save"), family("ebtables", "")), (None, None));
    }
}
