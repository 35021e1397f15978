//! The rules on disk: `<state_dir>/rules.v4` and `rules.v6`, in `iptables-save` form, so that an operator can read them and `iptables-restore` and
//! `ip6tables-restore` can load them; and beside each `rules.v4.edits` and `rules.v6.edits`, the edits since ([`crate::edit`]), which are written
//! into it when there were none for a while, when they have become many, and at the end.
//!
//! A file is never seen half written: a temporary one is written, synced and renamed, and the folder synced. Edits name by its hash the file that
//! they follow: they count for no other, and what was cut short at their end was never said to be stored. With a dataplane the writing
//! is done by a thread of its own, because the dataplane itself keeps the rules that it enforces (see
//! [`crate::source`]); standalone, an edit waits until it is on disk.
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rules::names::{NameFiles, Names};
use rules::{Family, RuleSet};

use crate::edit::{Record, hash};
use crate::on_disk;
use crate::text;
use crate::wanted::{FAMILIES, RuleSets};

/// What the edits begin with, before the hash of the file that they follow.
const EDITS: &str = "rampart-edits 1";
/// Edits of so many bytes may always be beside a file.
const SPARE: usize = 1 << 20;
/// And of this part of it.
const PART: usize = 4;
/// After so long without an edit they are written into it.
const QUIET: Duration = Duration::from_secs(10);

/// Name of a family's file in the state folder.
fn file_name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "rules.v4",
        Family::Ipv6 => "rules.v6",
    }
}

/// Why the stored rules are not usable, or could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or the folder could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
    /// The text does not read back.
    #[error("{path} does not read back: {message}; mend the file, or move it away to start without rules")]
    Text {
        /// The file.
        path: PathBuf,
        /// What the language says.
        message: String,
    },
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the folder, making it if it is not there.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        fs::create_dir_all(folder).map_err(|source| StoreError::File { path: folder.to_owned(), source })?;
        Ok(Store { folder: folder.to_owned() })
    }

    /// The stored rules; none at all if nothing was ever stored.
    pub fn load(&self, names: &dyn Names) -> Result<RuleSets, StoreError> {
        let mut rules = RuleSets::default();
        for family in FAMILIES {
            let path = self.folder.join(file_name(family));
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(StoreError::File { path, source }),
            };
            let read = text::restore(RuleSet::new(family), &text, names);
            rules.put(read.map_err(|message| StoreError::Text { path: path.clone(), message })?);
            let edits = self.edits(family);
            match fs::read(&edits) {
                Ok(bytes) => {
                    apply(&bytes, &text, &mut rules, names).map_err(|message| StoreError::Text { path: edits, message })?
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::File { path: edits, source }),
            }
        }
        Ok(rules)
    }

    fn edits(&self, family: Family) -> PathBuf {
        on_disk::edits(&self.folder, file_name(family))
    }

    /// Adds edits to those of a family; the first ones behind this text.
    fn add(&self, family: Family, journal: &mut Journal, records: &str) -> Result<(), StoreError> {
        let head = format!("{EDITS} {}\n", journal.follows);
        on_disk::add((&self.folder, file_name(family)), &mut journal.file, &head, records)?;
        journal.edits += records.len();
        Ok(())
    }

    /// Replaces the stored text of a family.
    pub fn save(&self, family: Family, text: &str) -> Result<(), StoreError> {
        on_disk::replace(&self.folder, file_name(family), text)
    }
}

/// Does the edits that follow this text.
fn apply(edits: &[u8], text: &str, rules: &mut RuleSets, names: &dyn Names) -> Result<(), String> {
    let head = format!("{EDITS} {}\n", hash(text.as_bytes()));
    let Some(mut rest) = edits.strip_prefix(head.as_bytes()) else {
        tracing::warn!("stored edits are of other rules than those that are stored, and are left out");
        return Ok(());
    };
    let mut number = 0;
    while !rest.is_empty() {
        let Ok(record) = Record::read(&mut rest) else {
            tracing::warn!("{} bytes behind edit {number} are cut short, and are left out", rest.len());
            break;
        };
        number += 1;
        record.apply(rules, names).map_err(|error| format!("edit {number}: {error}"))?;
    }
    rules.iter().try_for_each(rules::check::check).map_err(|error| error.to_string())
}

/// The edits behind what is stored of a family.
#[derive(Debug)]
struct Journal {
    /// Hash of the text that they follow.
    follows: String,
    /// Its length.
    whole: usize,
    /// Theirs.
    edits: usize,
    /// None before the first.
    file: Option<File>,
}

/// The thread that stores, and what it is to store next. Written by whoever edits, read by the thread.
#[derive(Debug, Default)]
pub struct Writer {
    next: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    /// By family.
    tasks: [Option<Task>; 2],
    writing: bool,
    stop: bool,
    /// Of the last writing of each family.
    errors: [String; 2],
}

/// What is not stored of a family yet.
#[derive(Debug)]
struct Task {
    rules: RuleSet,
    /// The edits that led to them; none where all has to be written.
    records: Option<String>,
}

impl Pending {
    /// The first error; empty if all is stored.
    fn error(&self) -> String {
        self.errors.iter().find(|error| !error.is_empty()).cloned().unwrap_or_default()
    }
}

impl Writer {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread. `counters` are written if asked.
    pub fn start(store: Store, names: NameFiles, counters: bool) -> std::io::Result<(Arc<Writer>, std::thread::JoinHandle<()>)> {
        let writer = Arc::new(Writer::default());
        let thread = {
            let writer = Arc::clone(&writer);
            let desk = Desk { store, names, counters, journals: [None, None], newest: [None, None] };
            std::thread::Builder::new().name("store".into()).spawn(move || writer.run(desk))?
        };
        Ok((writer, thread))
    }

    /// Hands over a family's newest rules, and the edit that made them of those that were handed over before, if that is all that happened.
    pub fn submit(&self, rules: RuleSet, record: Option<&str>) {
        let mut pending = self.lock();
        let task = &mut pending.tasks[rules.family as usize];
        let records = match (task.take(), record) {
            (None, Some(record)) => Some(record.to_owned()),
            (Some(Task { records: Some(records), .. }), Some(record)) => Some(records + record),
            _ => None,
        };
        *task = Some(Task { rules, records });
        drop(pending);
        self.changed.notify_all();
    }

    /// Waits until nothing is left to write. The error of the last writing, empty if it went well.
    pub fn flush(&self) -> String {
        let mut pending = self.lock();
        while pending.tasks.iter().any(Option::is_some) || pending.writing {
            pending = self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
        pending.error()
    }

    /// The error of the last writing, empty if it went well.
    pub fn error(&self) -> String {
        self.lock().error()
    }

    /// Lets the thread end when everything is written.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    fn run(&self, mut desk: Desk) {
        let mut pending = self.lock();
        let mut is_quiet = false;
        loop {
            let next = FAMILIES.into_iter().find_map(|family| Some((family, pending.tasks[family as usize].take()?)));
            let is_over = pending.stop;
            is_quiet &= next.is_none();
            let next = next.or_else(|| if is_quiet || is_over { desk.left() } else { None });
            if let Some((family, task)) = next {
                pending.writing = true;
                drop(pending);
                let error = desk.write(family, task).err().unwrap_or_default();
                if !error.is_empty() {
                    tracing::error!("the rules are not stored: {error}");
                }
                pending = self.lock();
                pending.writing = false;
                pending.errors[family as usize] = error;
                self.changed.notify_all();
            } else if is_over {
                return;
            } else if desk.has_edits() {
                let (woken, timeout) = self.changed.wait_timeout(pending, QUIET).unwrap_or_else(PoisonError::into_inner);
                (pending, is_quiet) = (woken, timeout.timed_out());
            } else {
                pending = self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
                is_quiet = false;
            }
        }
    }
}

/// What the thread works with.
struct Desk {
    store: Store,
    names: NameFiles,
    counters: bool,
    /// By family; none before anything was written, and after an error.
    journals: [Option<Journal>; 2],
    /// The rules that files and edits say.
    newest: [Option<RuleSet>; 2],
}

impl Desk {
    fn write(&mut self, family: Family, task: Task) -> Result<(), String> {
        let at = family as usize;
        let journal = self.journals[at].take();
        let newest = self.newest[at].insert(task.rules);
        let has_room = |journal: &Journal, records: &str| journal.edits + records.len() <= SPARE.max(journal.whole / PART);
        if let (Some(mut journal), Some(records)) = (journal, task.records)
            && has_room(&journal, &records)
        {
            self.store.add(family, &mut journal, &records).map_err(|error| error.to_string())?;
            self.journals[at] = Some(journal);
            return Ok(());
        }
        let text = text::save(newest, self.counters, &self.names)?;
        self.store.save(family, &text).map_err(|error| error.to_string())?;
        self.journals[at] = Some(Journal { follows: hash(text.as_bytes()), whole: text.len(), edits: 0, file: None });
        Ok(())
    }

    fn has_edits(&self) -> bool {
        self.journals.iter().flatten().any(|journal| journal.edits > 0)
    }

    /// A file into which edits are still to be written.
    fn left(&self) -> Option<(Family, Task)> {
        let has_edits = |family: &Family| self.journals[*family as usize].as_ref().is_some_and(|journal| journal.edits > 0);
        let family = FAMILIES.into_iter().find(has_edits)?;
        let rules = self.newest[family as usize].clone()?;
        Some((family, Task { rules, records: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Live;
    use crate::edit::Edit;
    use crate::wanted::{CountersOf, Wanted};
    use rules::{Rule, TableName};

    const RULES: &str =
        "*filter\n:INPUT ACCEPT [1:2]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[3:4] -A INPUT -j DROP\nCOMMIT\n";

    #[test]
    fn what_was_stored_is_loaded_with_its_counters() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("new")).unwrap();
        let names = NameFiles::default();
        assert_eq!(store.load(&names).unwrap().rule_count(), 0);
        store.save(Family::Ipv4, RULES).unwrap();
        store.save(Family::Ipv6, &RULES.replace("[3:4]", "[5:6]")).unwrap();
        let sets = store.load(&names).unwrap();
        for (family, rule) in [(Family::Ipv4, "[3:4] -A INPUT -j DROP"), (Family::Ipv6, "[5:6] -A INPUT -j DROP")] {
            assert!(text::save(sets.of(family), true, &names).unwrap().contains(rule));
        }
        assert!(!folder.path().join("new/rules.v4.new").exists());
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save(Family::Ipv4, "*filter\n-A INPUT -j NONSENSE\nCOMMIT\n").unwrap();
        let message = store.load(&NameFiles::default()).unwrap_err().to_string();
        assert!(message.contains("rules.v4 does not read back") && message.contains("line 2"), "{message}");
    }

    /// The rules with so many rules in INPUT.
    fn rules(family: Family, count: u32) -> RuleSet {
        let lines: String = (0..count).map(|n| format!("-A INPUT -p {n}\n")).collect();
        let text = format!("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{lines}COMMIT\n");
        text::restore(RuleSet::new(family), &text, &NameFiles::default()).unwrap()
    }

    fn start(folder: &Path) -> (Arc<Writer>, std::thread::JoinHandle<()>) {
        Writer::start(Store::open(folder).unwrap(), NameFiles::default(), false).unwrap()
    }

    #[test]
    fn the_writer_keeps_the_newest_and_finishes_before_it_stops() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread) = start(folder.path());
        for n in 1..50 {
            writer.submit(rules(Family::Ipv4, n), None);
            writer.submit(rules(Family::Ipv6, n + 1), None);
        }
        writer.stop();
        thread.join().unwrap();
        let sets = Store::open(folder.path()).unwrap().load(&NameFiles::default()).unwrap();
        assert_eq!((sets.of(Family::Ipv4).rule_count(), sets.of(Family::Ipv6).rule_count()), (49, 50));
        assert_eq!(writer.flush(), "");
    }

    #[test]
    fn a_folder_that_went_away_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread) = start(folder.path());
        folder.close().unwrap();
        writer.submit(rules(Family::Ipv4, 1), None);
        assert!(writer.flush().contains("rules.v4.new"));
        writer.stop();
        thread.join().unwrap();
    }

    /// The records of edits that each add a rule to INPUT.
    fn records(wanted: &mut Wanted, count: u32) -> Vec<(RuleSet, String)> {
        let names = NameFiles::default();
        let add = |n: u32| {
            let mut set = wanted.rules.of(Family::Ipv4).clone();
            let mut rule = Rule::any(Family::Ipv4);
            rule.header.protocol.number = 100 + n as u8;
            set.table_mut(TableName::Filter).chain_mut("INPUT").unwrap().rules.insert(0, rule);
            let after = wanted.edited(set, &[TableName::Filter], &Live::default(), &CountersOf::Policies.into()).unwrap();
            let edit = Edit::between(wanted, &after, Family::Ipv4, &[TableName::Filter]);
            *wanted = after;
            (wanted.rules.of(Family::Ipv4).clone(), edit.record(&[], &names).unwrap().unwrap())
        };
        (0..count).map(add).collect()
    }

    #[test]
    fn edits_stand_beside_the_file_until_they_are_written_into_it() {
        let folder = tempfile::tempdir().unwrap();
        let (names, path) = (NameFiles::default(), folder.path());
        let mut sets = RuleSets::default();
        sets.put(rules(Family::Ipv4, 5));
        let mut wanted = Wanted::fresh(sets, 100).unwrap();
        let (writer, thread) = start(path);
        writer.submit(wanted.rules.of(Family::Ipv4).clone(), None);
        assert_eq!(writer.flush(), "");
        let whole = fs::read(path.join("rules.v4")).unwrap();
        for (rules, record) in records(&mut wanted, 3) {
            writer.submit(rules, Some(&record));
            assert_eq!(writer.flush(), "");
        }
        assert_eq!(fs::read(path.join("rules.v4")).unwrap(), whole, "it is not written for every edit");
        let wanted_text = text::save(wanted.rules.of(Family::Ipv4), false, &names).unwrap();
        let load = || text::save(Store::open(path).unwrap().load(&names).unwrap().of(Family::Ipv4), false, &names).unwrap();
        assert_eq!(load(), wanted_text, "as after a crash");
        // The last record is cut short, by a crash while it was written.
        let edits = fs::read(path.join("rules.v4.edits")).unwrap();
        fs::write(path.join("rules.v4.edits"), &edits[..edits.len() - 3]).unwrap();
        assert_eq!(Store::open(path).unwrap().load(&names).unwrap().of(Family::Ipv4).rule_count(), 7);
        fs::write(path.join("rules.v4.edits"), &edits).unwrap();
        // They follow no other file.
        fs::write(path.join("rules.v4"), [&whole[..], b"# mine\n"].concat()).unwrap();
        assert_eq!(Store::open(path).unwrap().load(&names).unwrap().of(Family::Ipv4).rule_count(), 5);
        writer.stop();
        thread.join().unwrap();
        assert_eq!(fs::read_to_string(path.join("rules.v4")).unwrap(), wanted_text);
        assert!(!path.join("rules.v4.edits").exists());
    }
}
