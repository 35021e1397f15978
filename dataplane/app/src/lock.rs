//! One dataplane per socket: a lock file beside it, which the system releases however the process ends.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

/// Holds the instance's folder for this process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    socket: PathBuf,
}

/// The instance's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another dataplane runs.
    #[error("another rampart-dataplane uses {}; stop it, or give this one another --run-dir", .0.display())]
    Taken(PathBuf),
    /// The system refuses.
    #[error("cannot use {}: {reason}; choose another folder with --run-dir, or run as root", path.display())]
    System {
        /// Folder or file.
        path: PathBuf,
        /// The system's words.
        reason: io::Error,
    },
}

impl Lock {
    /// Makes the folder if it is not there, locks it, and removes what a dead dataplane left.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn take(run_dir: &Path) -> Result<Self, LockError> {
        let refused = |path: &Path| {
            let path = path.to_owned();
            |reason| LockError::System { path, reason }
        };
        fs::create_dir_all(run_dir).map_err(refused(run_dir))?;
        let path = run_dir.join("dataplane.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(refused(&path))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(LockError::Taken(run_dir.to_owned())),
            Err(errno) => return Err(refused(&path)(errno.into())),
        }
        let socket = run_dir.join("dataplane.sock");
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(&socket)(error)),
            _ => Ok(Self { _file: file, socket }),
        }
    }

    /// Where the private socket is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The next dataplane would remove it too.
        let _ = fs::remove_file(&self.socket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_dataplane_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let run_dir = folder.path().join("run");
        let first = Lock::take(&run_dir).unwrap();
        let refusal = Lock::take(&run_dir).unwrap_err();
        assert!(matches!(refusal, LockError::Taken(_)), "{refusal}");
        drop(first);
        assert!(Lock::take(&run_dir).is_ok());
    }

    #[test]
    fn a_socket_of_a_dead_dataplane_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dataplane.sock"), "").unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        assert!(!lock.socket().exists());
    }
}
