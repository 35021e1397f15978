//! Sets beside the engine: what rampartd does with `ipset`, without the daemon.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use engine::sets::Directory;
use engine::{Snapshot, Time};
use program::SetId;
use rules::names::{Builtin, Names, SetFamily};
use sets::change::Counted;
use sets::{Host, Said, Sets};

/// The sets of a case, as the control side and as the dataplane keeps them.
pub(crate) struct BothSides {
    kept: Sets,
    told: engine::sets::Sets,
    /// Until which number the one knows what packets have changed of the other.
    known: u64,
}

impl BothSides {
    /// None.
    pub(crate) fn new(seed: u64) -> Self {
        Self { kept: Sets::default(), told: engine::sets::Sets::new([seed, 1]), known: 0 }
    }

    /// Packets may change the sets at these places. A directory, if there is another one.
    pub(crate) fn open(&mut self, places: BTreeSet<SetId>) -> Option<Arc<Directory>> {
        self.told.open(places);
        self.told.directory()
    }

    /// Puts into the tables what packets have changed.
    pub(crate) fn follow_packets(&mut self, now: Time, snapshot: &mut Snapshot) {
        self.told.follow_packets(now, |sets| snapshot.sets = sets);
    }

    /// Tells the control side what packets have changed, as it asks before each command.
    pub(crate) fn tell(&mut self, now: Time, snapshot: &mut Snapshot) -> Result<()> {
        self.follow_packets(now, snapshot);
        let changes = program::set::encode_by_packets(&self.told.by_packets(self.known, now));
        let changes = program::set::decode_by_packets(&changes)?;
        self.known = changes.until;
        for (name, edits) in changes.sets {
            let became = edits.into_iter().map(|edit| (edit.key.into(), edit.beside.map(compile::set_beside)));
            self.kept.by_packets(&name, became, &Builtin, now.millis());
        }
        Ok(())
    }

    /// Carries out commands as `ipset restore` does. A directory, if there is another one.
    pub(crate) fn restore(&mut self, text: &str, now: Time) -> Result<Option<Arc<Directory>>> {
        let said = self.run(&["restore"], text, now);
        ensure!(said.exit == 0, "ipset: {}", said.stderr);
        // What travels is what is tested.
        let edits = program::set::decode(&program::set::encode(&compile::set_edits(said.edits)))?;
        // Places that rules name are kept for sets of the same name.
        self.told.apply(&edits, now, &|_| true)?;
        Ok(self.told.directory())
    }

    /// Everybody goes by the last directory.
    pub(crate) fn settle(&mut self) {
        self.told.settle();
    }

    fn run(&mut self, words: &[&str], text: &str, now: Time) -> Said {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let host = Host {
            names: &Builtin,
            now: now.millis(),
            initval: 0,
            references: &|_| 0,
            may_change: true,
            is_interactive: false,
            tells: true,
        };
        sets::run(&mut self.kept, &words, text, &host)
    }

    /// The place of a set.
    pub(crate) fn place(&self, name: &str) -> Option<SetId> {
        self.told.id(name)
    }

    /// What `ipset save` prints, as it is compared.
    pub(crate) fn saved(&mut self, now: Time) -> Result<Vec<String>> {
        let counting: Vec<String> = self.kept.counting().map(str::to_owned).collect();
        for name in counting {
            let counts = self.told.counts(&name).context("a set that counts")?;
            let counted =
                counts.iter().map(|count| Counted { key: &count.key, packets: count.packets, bytes: count.bytes, mac: count.mac });
            self.kept.count(&name, counted);
        }
        Ok(elements(&self.run(&["save"], "", now).stdout))
    }

    /// Names before others.
    pub(crate) fn names<'a>(&'a self, names: &'a dyn Names) -> WithSets<'a> {
        WithSets { names, sets: &self.kept }
    }
}

/// Elements of a listing, sorted; how long they last is not compared.
pub(crate) fn elements(saved: &str) -> Vec<String> {
    let mut lines: Vec<String> = saved.lines().filter(|line| line.starts_with("add ")).map(untimed).collect();
    lines.sort();
    lines
}

fn untimed(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if let Some(at) = words.iter().position(|word| *word == "timeout")
        && let Some(seconds) = words.get_mut(at + 1).filter(|seconds| **seconds != "0")
    {
        *seconds = "some";
    }
    words.join(" ")
}

/// Names of sets before others.
pub(crate) struct WithSets<'a> {
    names: &'a dyn Names,
    sets: &'a Sets,
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
