//! What the language borrows from this host: names of protocols, services, labels of connections, users and more.
use rules::command::Host;
use rules::names::{Kind, Labels, NameFiles, WithFiles, WithLabels};

use crate::state::State;

/// Where labels of connections have their names, for the real programs as for these.
const LABELS: &str = "/etc/xtables/connlabel.conf";

/// Protocols and services, read when rampartd starts: what it keeps for itself is written and read with these alone.
pub(crate) fn names() -> NameFiles {
    NameFiles::parse(&read("/etc/protocols"), &read("/etc/services"))
}

/// Names of labels are read for each command, as the real programs do: a file that has a new one needs no restart.
pub(crate) fn labels() -> Labels {
    Labels::parse(&read(LABELS))
}

/// All names, for one command. Counters are in the rule set already.
pub(crate) fn with_labels<R>(state: &State, run: impl FnOnce(&Host<'_>) -> R) -> R {
    let read = |kind: Kind| read(kind.path());
    let files = WithFiles::new(&state.names, &read);
    let names = WithLabels { names: &files, labels: &labels() };
    run(&Host { names: &names, live: None })
}

/// A file that is not there has no names.
fn read(path: &str) -> String {
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            tracing::debug!("{path}: {error}");
            String::new()
        }
    }
}
