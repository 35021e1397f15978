//! The network namespace in which both daemons stand: the TAPs, the devices of af_packet ports, the mirrored routes and the metrics are in it.
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Why a network namespace could not be entered.
#[derive(Debug, thiserror::Error)]
#[error("network namespace {path}: {source}; list them with `ip netns`, make one with `ip netns add NAME` (entering needs root)")]
pub struct NamespaceError {
    path: PathBuf,
    source: io::Error,
}

/// Where a namespace is: a path as it stands, a name as `ip netns` knows it.
pub fn path(name: &Path) -> PathBuf {
    Path::new("/run/netns").join(name)
}

/// Moves the calling thread, and every thread that it starts from now on, into a network namespace, by the name that `ip netns` gave it or by its
/// path. A process calls this before it starts its first thread.
pub fn enter(name: &Path) -> Result<(), NamespaceError> {
    let path = path(name);
    let enter = || -> io::Result<()> {
        let file = File::open(&path)?;
        Ok(move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?)
    };
    enter().map_err(|source| NamespaceError { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_ip_netns_and_a_path_is_itself() {
        assert_eq!(path(Path::new("red")), Path::new("/run/netns/red"));
        assert_eq!(path(Path::new("/proc/7/ns/net")), Path::new("/proc/7/ns/net"));
    }

    #[test]
    fn what_is_not_there_is_named_with_what_mends_it() {
        let error = enter(Path::new("/nowhere/at-all")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/at-all") && error.contains("ip netns add"), "{error}");
        // A file that is no namespace.
        assert!(enter(Path::new("/dev/null")).is_err());
    }
}
