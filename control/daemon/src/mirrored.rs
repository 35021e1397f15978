//! Sets as the dataplane has them: it is told what changes of them, and asked what packets have counted with them.
use program::set::{ByPackets, ElementEdit};
use rules::names::Names;
use sets::change::{self, Counted};
use sets::{Change, Said, Sets};

use crate::dataplane::{Link, LinkError};
use crate::state::{Core, State};

/// Gives a freshly connected dataplane all sets.
pub(crate) fn give_all(link: &mut Link, sets: &Sets, now: u64) -> Result<(), LinkError> {
    link.sets(true, &compile::set_edits(change::whole(sets, now)))
}

/// Brings what packets have changed of sets ([`Known`] says since when). The answer is commands that change the same again.
fn take(link: &mut Link, known: &mut Known, sets: &mut Sets, names: &dyn Names, now: u64) -> Result<String, LinkError> {
    let ByPackets { until, sets: changed } = link.sets_by_packets(known.of(link.boot_id))?;
    let mut commands = String::new();
    for (name, edits) in changed {
        let became = edits.into_iter().map(|ElementEdit { key, beside }| (key.into(), beside.map(compile::set_beside)));
        commands.push_str(&sets.by_packets(&name, became, names, now));
    }
    *known = Known { boot_id: link.boot_id, until };
    Ok(commands)
}

/// Until which of a dataplane's numbers it is known what packets have changed of sets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    boot_id: u64,
    until: u64,
}

impl Known {
    /// Of another dataplane nothing is.
    fn of(self, boot_id: u64) -> u64 {
        if self.boot_id == boot_id { self.until } else { 0 }
    }
}

impl State {
    /// Brings what packets have changed of sets, and stores it.
    pub(crate) fn follow_packets(&self) {
        let (_, stored) =
            self.sets.change(|sets, moment| Said { changes: self.take_by_packets(sets, moment.now), ..Said::default() });
        // What is not is in the log, and is stored with what comes next.
        stored.unwrap_or_default();
    }

    /// Brings what packets have changed of sets. The answer is commands that change the same again.
    pub(crate) fn take_by_packets(&self, sets: &mut Sets, now: u64) -> String {
        let mut core = self.lock();
        let core = &mut *core;
        let Some(link) = &mut core.link else { return String::new() };
        take(link, &mut core.known, sets, &self.names, now).unwrap_or_else(|error| {
            tracing::warn!("what packets changed of sets: {error}");
            if error.is_fatal() {
                self.lose(core, &format!("connection to the dataplane lost: {error}"));
            }
            String::new()
        })
    }

    /// The same of a freshly connected dataplane, which is told all sets then.
    pub(crate) fn greet_with_sets(&self, link: &mut Link) -> Result<(), LinkError> {
        let mut taken = Ok(());
        let (_, stored) = self.sets.change(|sets, moment| {
            let mut core = self.lock();
            let commands = take(link, &mut core.known, sets, &self.names, moment.now);
            let changes = commands.unwrap_or_else(|error| {
                taken = Err(error);
                String::new()
            });
            Said { changes, ..Said::default() }
        });
        stored.unwrap_or_default();
        taken
    }

    /// Tells a connected dataplane what a command changed; what it does not take so it gets whole.
    pub(crate) fn tell_sets(&self, sets: &Sets, changes: Vec<Change>, now: u64) {
        if changes.is_empty() {
            return;
        }
        let mut core = self.lock();
        let Some(link) = &mut core.link else { return };
        let told = link.sets(false, &compile::set_edits(changes)).or_else(|error| {
            if error.is_fatal() {
                return Err(error);
            }
            tracing::error!("the dataplane did not take a change of sets, and gets all of them: {error}");
            give_all(link, sets, now)
        });
        if let Err(error) = told {
            tracing::error!("the dataplane did not take the sets: {error}");
            // It connects anew, and gets them then.
            self.lose(&mut core, &format!("the dataplane did not take the sets: {error}"));
        }
    }

    /// Brings what packets have counted with elements, and what hardware addresses they have given them.
    pub(crate) fn count_sets(&self, sets: &mut Sets) {
        let names: Vec<String> = sets.counting().map(str::to_owned).collect();
        if names.is_empty() {
            return;
        }
        let mut core = self.lock();
        let Some(link) = &mut core.link else { return };
        match link.set_counts(&names) {
            Ok(counts) => {
                for (name, elements) in &counts {
                    let counted = elements.iter().map(|count| Counted {
                        key: &count.key,
                        packets: count.packets,
                        bytes: count.bytes,
                        mac: count.mac,
                    });
                    sets.count(name, counted);
                }
            }
            Err(error) => {
                tracing::warn!("counters of sets: {error}");
                if error.is_fatal() {
                    self.lose(&mut core, &format!("connection to the dataplane lost: {error}"));
                }
            }
        }
    }

    fn lose(&self, core: &mut Core, reason: &str) {
        core.lose(reason);
        self.tell_changed();
    }
}
