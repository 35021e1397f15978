//! What the language borrows from this host: names of protocols, services, labels of connections, users and more.
use rules::command::Host;
use rules::names::{Kind, Labels, NameFiles, Names, SetFamily, WithFiles, WithLabels};
use sets::Sets;

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

/// Names of sets before others.
pub(crate) struct WithSets<'a> {
    pub(crate) names: &'a dyn Names,
    pub(crate) sets: &'a Sets,
}

impl Names for WithSets<'_> {
    fn behind(&self) -> Option<&dyn Names> {
        Some(self.names)
    }

    fn set_family(&self, name: &str) -> Option<SetFamily> {
        self.sets.family(name)
    }

    fn set_refuses_packets(&self, name: &str) -> Option<&'static str> {
        self.sets.get(name)?.refuses_packets()
    }
}

/// All names, for one command. Counters are in the rule set already. While it runs no set is changed, so those that its rules name stay.
pub(crate) fn with_labels<R>(state: &State, run: impl FnOnce(&Host<'_>) -> R) -> R {
    let read = |kind: Kind| read(kind.path());
    let files = WithFiles::new(&state.names, &read);
    let labels = labels();
    state.settle();
    let names = WithLabels { names: &files, labels: &labels };
    let sets = state.sets.read();
    let names = WithSets { names: &names, sets: &sets };
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
