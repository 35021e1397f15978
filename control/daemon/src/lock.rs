//! One daemon per socket and per state folder: an advisory lock on a file beside it, held for the life of the process.
//!
//! A lock dies with its holder, so a crash leaves nothing to clean up, and whoever holds it may remove an old socket file.
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Held while this lives.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another rampartd{holder} already serves {subject}: stop it, or give this one a --run-dir and --state-dir of its own")]
    Held {
        /// What the lock is for.
        subject: String,
        /// ` (process 123)`, if it said so.
        holder: String,
    },
    /// The file could not be opened or locked.
    #[error("lock file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
}

impl InstanceLock {
    /// Takes the lock in the file `path`, or says who has it. `subject` is what it is for, in the message.
    pub fn take(path: &Path, subject: &str) -> Result<InstanceLock, LockError> {
        let failed = |source| LockError::File { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let known = file.read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
                let holder = if known { format!(" (process {})", pid.trim()) } else { String::new() };
                return Err(LockError::Held { subject: subject.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(InstanceLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_and_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = InstanceLock::take(&path, "/run/x").unwrap();
        let message = InstanceLock::take(&path, "/run/x").unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("another rampartd (process {}) already serves /run/x", std::process::id())),
            "{message}"
        );
        drop(first);
        InstanceLock::take(&path, "/run/x").unwrap();
    }
}
