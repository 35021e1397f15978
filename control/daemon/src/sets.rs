//! The sets that rules may name, and the same on disk: `<state_dir>/sets` in the form of `ipset save`, so that an operator can read it and
//! `ipset restore` can load it; and beside it `sets.edits`, the commands since, which are written into it when they have become many and at the end.
//!
//! As with rules, a file is never seen half written, edits name by its hash the file that they follow, and what was cut short at their end was
//! never said to be stored: a command is answered when it is on disk. Both say when they were written, because timeouts are counted from then on.
use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rules::names::{Builtin, Names};
use sets::{Said, Sets};

use crate::edit::hash;
use crate::on_disk;
use crate::store::StoreError;

/// The file.
const FILE: &str = "sets";
/// What it begins with, before milliseconds since 1970.
const WHOLE: &str = "# rampart-sets 1";
/// What the edits begin with, before the hash of the file that they follow.
const EDITS: &str = "rampart-set-edits 1";
/// Edits of so many bytes may always be beside the file.
const SPARE: u64 = 1 << 20;
/// And of this part of it.
const PART: u64 = 2;

/// When a command runs, and a number that nobody chose.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Milliseconds since 1970; goes forward only while the daemon runs.
    pub now: u64,
    /// Any number.
    pub random: u32,
}

/// The sets and their files. The lock is held for writing by `ipset` commands, for reading by commands that make rules, so that a set which a
/// rule is about to name does not go meanwhile.
#[derive(Debug)]
pub struct KeptSets {
    kept: RwLock<Kept>,
    start: Instant,
    /// Milliseconds since 1970 at `start`.
    start_ms: u64,
}

#[derive(Debug, Default)]
struct Kept {
    sets: Sets,
    /// `None` in tests, which keep nothing.
    folder: Option<PathBuf>,
    /// The edits behind the file; `None` when there are none.
    edits: Option<File>,
    /// Bytes of the file and of the edits.
    bytes: (u64, u64),
    /// Hash of the file.
    follows: String,
    /// What was not stored because of an error.
    behind: bool,
}

impl Default for KeptSets {
    /// No set, and nowhere to keep one.
    fn default() -> KeptSets {
        KeptSets::new(Kept::default())
    }
}

/// The sets, to read, and what time it is for them.
pub struct Reading<'a>(std::sync::RwLockReadGuard<'a, Kept>, u64);

impl Reading<'_> {
    /// Milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.1
    }
}

impl Deref for Reading<'_> {
    type Target = Sets;

    fn deref(&self) -> &Sets {
        &self.0.sets
    }
}

impl KeptSets {
    fn new(kept: Kept) -> KeptSets {
        let start_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64);
        KeptSets { kept: RwLock::new(kept), start: Instant::now(), start_ms }
    }

    /// What is stored in this folder; nothing if nothing ever was.
    pub fn load(folder: &Path, names: &dyn Names) -> Result<KeptSets, StoreError> {
        let mut kept = Kept { folder: Some(folder.to_owned()), follows: hash(b""), ..Kept::default() };
        let path = folder.join(FILE);
        if let Some(text) = read(&path)? {
            load_whole(&text, names, &mut kept.sets).map_err(|message| StoreError::Text { path, message })?;
            (kept.bytes.0, kept.follows) = (text.len() as u64, hash(text.as_bytes()));
        }
        let path = on_disk::edits(folder, FILE);
        if let Some(text) = read(&path)? {
            load_edits(&text, &kept.follows, names, &mut kept.sets).map_err(|message| StoreError::Text { path, message })?;
            // Written into the file before anything is added: the end of the edits may be cut short.
            kept.behind = true;
        }
        Ok(KeptSets::new(kept))
    }

    fn now(&self) -> u64 {
        self.start_ms + self.start.elapsed().as_millis() as u64
    }

    /// The sets, to read.
    pub fn read(&self) -> Reading<'_> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        Reading(kept, self.now())
    }

    /// Runs a command, and stores what it changed.
    pub fn change(&self, run: impl FnOnce(&mut Sets, Moment) -> Said) -> (Said, Result<(), StoreError>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let random = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), now) as u32;
        let said = run(&mut kept.sets, Moment { now, random });
        let stored = if said.changes.is_empty() { Ok(()) } else { kept.store(&said.changes, now) };
        if let Err(error) = &stored {
            tracing::error!("sets are not stored: {error}");
        }
        (said, stored)
    }

    /// Writes edits into the file.
    pub fn close(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.edits.is_none() && !kept.behind {
            return;
        }
        if let Err(error) = kept.store_whole(self.now()) {
            tracing::error!("sets are not stored: {error}");
        }
    }
}

impl Kept {
    fn store(&mut self, changes: &str, now: u64) -> Result<(), StoreError> {
        if self.behind || self.bytes.1 + changes.len() as u64 > SPARE.max(self.bytes.0 / PART) {
            return self.store_whole(now);
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        self.behind = true;
        let head = format!("{EDITS} {}\n", self.follows);
        let record = format!("@{now} {}\n{changes}", changes.len());
        self.bytes.1 += on_disk::add((folder, FILE), &mut self.edits, &head, &record)? as u64;
        self.behind = false;
        Ok(())
    }

    fn store_whole(&mut self, now: u64) -> Result<(), StoreError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        self.behind = true;
        let text = format!("{WHOLE} {now}\n{}", sets::kept(&self.sets, &Builtin, now));
        on_disk::replace(folder, FILE, &text)?;
        (self.edits, self.bytes, self.follows) = (None, (text.len() as u64, 0), hash(text.as_bytes()));
        self.behind = false;
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read(path) {
        // What was cut short may end within a letter.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::File { path: path.to_owned(), source }),
    }
}

fn load_whole(text: &str, names: &dyn Names, sets: &mut Sets) -> Result<(), String> {
    let first = text.lines().next().and_then(|line| line.strip_prefix(WHOLE));
    let now = first.and_then(|time| time.trim().parse().ok()).ok_or(format!("it does not begin with \"{WHOLE}\" and a time"))?;
    sets::load(sets, text, names, now)
}

fn load_edits(text: &str, follows: &str, names: &dyn Names, sets: &mut Sets) -> Result<(), String> {
    let Some(mut rest) = text.strip_prefix(&format!("{EDITS} {follows}\n")) else {
        tracing::warn!("stored edits are of other sets than those that are stored, and are left out");
        return Ok(());
    };
    while !rest.is_empty() {
        let Some((now, changes, behind)) = record(rest) else {
            tracing::warn!("{} bytes at the end of the edits are cut short, and are left out", rest.len());
            break;
        };
        for line in sets::again(sets, changes, names, now) {
            tracing::error!("a stored edit of sets is not understood any more, and is left out: {line}");
        }
        rest = behind;
    }
    Ok(())
}

/// The time of a record, its commands, and what is behind it.
fn record(text: &str) -> Option<(u64, &str, &str)> {
    let (head, rest) = text.strip_prefix('@')?.split_once('\n')?;
    let (now, length) = head.split_once(' ')?;
    let (changes, behind) = rest.split_at_checked(length.parse().ok()?)?;
    Some((now.parse().ok()?, changes, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs commands on what a folder has, and closes it or leaves it as a crash would.
    fn session(folder: &Path, lines: &[&str], close: bool) -> Vec<Said> {
        let kept = KeptSets::load(folder, &Builtin).unwrap();
        let said = lines.iter().map(|line| {
            let (said, stored) = kept.change(|sets, moment| {
                let host = sets::Host {
                    names: &Builtin,
                    now: moment.now,
                    initval: 7,
                    references: &|_| 0,
                    may_change: true,
                    is_interactive: false,
                    tells: false,
                };
                sets::run(sets, &sets::words::split(line), "", &host)
            });
            stored.unwrap();
            said
        });
        let said = said.collect();
        if close {
            kept.close();
        }
        said
    }

    fn saved(folder: &Path) -> String {
        session(folder, &["save"], false)[0].stdout.clone()
    }

    const LINES: &[&str] = &[
        "create a hash:ip timeout 100 comment forceadd",
        "add a 1.1.1.1 comment \"b c\" timeout 0",
        "add a 10.0.0.0/30",
        "add a 10.0.0.2-10.0.0.9",
        "-exist add a 10.0.0.1 timeout 50",
        "del a 10.0.0.3",
        "create b hash:net,iface",
        "add b 10.0.0.0/8,eth wildcard",
        "create l list:set",
        "add l b",
        "rename l m",
        "create gone hash:ip",
        "destroy gone",
    ];

    #[test]
    fn what_was_changed_is_there_after_a_crash_and_after_an_orderly_end() {
        for close in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let before = session(folder.path(), &[LINES, &["save"]].concat(), close);
            let before = &before.last().unwrap().stdout;
            assert!(before.contains("comment forceadd") && before.contains("add m b\n"), "{before}");
            // A second may pass meanwhile.
            let times = [("timeout 99\n", "timeout 100\n"), ("timeout 49\n", "timeout 50\n")];
            let whole = |text: &str| times.iter().fold(text.to_owned(), |text, (less, whole)| text.replace(less, whole));
            assert_eq!(whole(&saved(folder.path())), whole(before), "closed: {close}");
            assert_eq!(folder.path().join("sets").exists(), close);
        }
    }

    #[test]
    fn edits_that_are_cut_short_or_of_another_file_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        session(folder.path(), LINES, false);
        let edits = folder.path().join("sets.edits");
        let text = fs::read(&edits).unwrap();
        fs::write(&edits, &text[..text.len() - 3]).unwrap();
        assert!(saved(folder.path()).contains("create gone"), "its end was the last edit");
        fs::write(&edits, b"rampart-set-edits 1 0000\n@1 5\nflush").unwrap();
        assert_eq!(saved(folder.path()), "");
    }

    #[test]
    fn a_file_that_does_not_read_back_is_refused_by_name_and_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("sets"), "# rampart-sets 1 5\ncreate a hash:nonsense\n").unwrap();
        let message = KeptSets::load(folder.path(), &Builtin).unwrap_err().to_string();
        assert!(message.contains("/sets does not read back: ipset v7.17: Error in line 2: Syntax error: typename"), "{message}");
    }

    #[test]
    fn many_edits_are_written_into_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let comment = "x".repeat(250);
        let adds: Vec<String> = (0..5000).map(|at| format!("add a 10.0.{}.{} comment {comment}", at / 250, at % 250 + 1)).collect();
        let kept = KeptSets::load(folder.path(), &Builtin).unwrap();
        let text = format!("create a hash:ip comment\n{}\n", adds.join("\n"));
        let (said, stored) = kept.change(|sets, moment| {
            let host = sets::Host {
                names: &Builtin,
                now: moment.now,
                initval: 7,
                references: &|_| 0,
                may_change: true,
                is_interactive: false,
                tells: false,
            };
            sets::run(sets, &["restore".to_owned()], &text, &host)
        });
        stored.unwrap();
        assert_eq!((said.exit, said.stderr.as_str()), (0, ""));
        assert!(folder.path().join("sets").exists() && !folder.path().join("sets.edits").exists());
        assert_eq!(saved(folder.path()).lines().count(), 5001);
    }
}
