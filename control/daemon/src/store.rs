//! The rules on disk: `<state_dir>/rules.v4` and `rules.v6`, in `iptables-save` form, so that an operator can read them and `iptables-restore` and
//! `ip6tables-restore` can load them.
//!
//! A file is never seen half written: a temporary one is written, synced and renamed, and the folder synced. With a dataplane the writing
//! is done by a thread of its own, newest state first, because the dataplane itself keeps the rules that it enforces (see
//! [`crate::source`]); standalone, an edit waits until it is on disk.
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rules::names::Names;
use rules::{Family, RuleSet};

use crate::text;
use crate::wanted::{FAMILIES, RuleSets};

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
            rules.put(read.map_err(|message| StoreError::Text { path, message })?);
        }
        Ok(rules)
    }

    /// Replaces the stored text of a family.
    pub fn save(&self, family: Family, text: &str) -> Result<(), StoreError> {
        let file = file_name(family);
        let temporary = self.folder.join(format!("{file}.new"));
        let failed = |source| StoreError::File { path: temporary.clone(), source };
        let path = self.folder.join(file);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&temporary, path).map_err(failed)?;
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|source| StoreError::File { path: self.folder.clone(), source })
    }
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
    texts: [Option<String>; 2],
    writing: bool,
    stop: bool,
    /// Of the last writing of each family.
    errors: [String; 2],
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

    /// Starts the thread.
    pub fn start(store: Store) -> std::io::Result<(Arc<Writer>, std::thread::JoinHandle<()>)> {
        let writer = Arc::new(Writer::default());
        let thread = {
            let writer = Arc::clone(&writer);
            std::thread::Builder::new().name("store".into()).spawn(move || writer.run(&store))?
        };
        Ok((writer, thread))
    }

    /// Hands over a family's newest text. An older one that is not written yet is forgotten.
    pub fn submit(&self, family: Family, text: String) {
        self.lock().texts[family as usize] = Some(text);
        self.changed.notify_all();
    }

    /// Waits until nothing is left to write. The error of the last writing, empty if it went well.
    pub fn flush(&self) -> String {
        let mut pending = self.lock();
        while pending.texts.iter().any(Option::is_some) || pending.writing {
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

    fn run(&self, store: &Store) {
        let mut pending = self.lock();
        loop {
            let next = FAMILIES.into_iter().find_map(|family| Some((family, pending.texts[family as usize].take()?)));
            if let Some((family, text)) = next {
                pending.writing = true;
                drop(pending);
                let error = store.save(family, &text).err().map(|error| error.to_string()).unwrap_or_default();
                if !error.is_empty() {
                    tracing::error!("the rules are not stored: {error}");
                }
                pending = self.lock();
                pending.writing = false;
                pending.errors[family as usize] = error;
                self.changed.notify_all();
            } else if pending.stop {
                return;
            } else {
                pending = self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::names::NameFiles;

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

    #[test]
    fn the_writer_keeps_the_newest_and_finishes_before_it_stops() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread) = Writer::start(Store::open(folder.path()).unwrap()).unwrap();
        for n in 0..50 {
            writer.submit(Family::Ipv4, format!("# {n}\n"));
            writer.submit(Family::Ipv6, format!("# six {n}\n"));
        }
        writer.stop();
        thread.join().unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("rules.v4")).unwrap(), "# 49\n");
        assert_eq!(fs::read_to_string(folder.path().join("rules.v6")).unwrap(), "# six 49\n");
        assert_eq!(writer.flush(), "");
    }

    #[test]
    fn a_folder_that_went_away_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread) = Writer::start(Store::open(folder.path()).unwrap()).unwrap();
        folder.close().unwrap();
        writer.submit(Family::Ipv4, String::new());
        assert!(writer.flush().contains("rules.v4.new"));
        writer.stop();
        thread.join().unwrap();
    }
}
