//! Sets as the dataplane has them: it is told what changes of them, and asked what packets have counted with them.
use sets::change::{self, Counted};
use sets::{Change, Sets};

use crate::dataplane::{Link, LinkError};
use crate::state::{Core, State};

/// Gives a freshly connected dataplane all sets.
pub(crate) fn give_all(link: &mut Link, sets: &Sets, now: u64) -> Result<(), LinkError> {
    link.sets(true, &compile::set_edits(change::whole(sets, now)))
}

impl State {
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
