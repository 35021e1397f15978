//! The lines of LOG rules: out of the workers' ring, into the kernel's format, to where the configuration says.
//!
//! A worker only copies a record into the ring; this thread formats and writes. A place that does not take a line loses it (counted),
//! never a worker's time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use engine::log::LogRecord;
use rtrb::Consumer;

use crate::config::{Log, LogTarget};

/// How long the thread sleeps when the ring is empty: a ring cannot wake it.
const PAUSE: Duration = Duration::from_millis(2);
/// Where syslog daemons listen.
const DEV_LOG: &str = "/dev/log";

/// Where lines go.
#[derive(Debug)]
enum Sink {
    /// Standard output.
    Stdout,
    /// Appended.
    File(File),
    /// A syslog daemon's socket, connected anew for each message after a failure: the daemon may restart.
    Syslog(PathBuf, Option<UnixDatagram>),
}

/// A place for the lines cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the lines of LOG rules to {place}: {reason} (see dataplane.log)")]
pub struct LogError {
    place: String,
    reason: io::Error,
}

/// Everything that the log thread works with.
pub struct LogThread {
    /// From each worker.
    records: Vec<Consumer<LogRecord>>,
    /// Whose turn it was.
    turn: usize,
    sink: Sink,
    /// By interface id; entry 0 is empty.
    names: Vec<String>,
    node: String,
    /// Lines that the place did not take. Written here, read by the control thread.
    lost: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl LogThread {
    /// Opens the place. `names` by interface id, entry 0 empty.
    ///
    /// # Errors
    /// A file that cannot be opened. A syslog daemon may come later.
    pub fn new(
        config: &Log,
        names: Vec<String>,
        records: Vec<Consumer<LogRecord>>,
        lost: Arc<AtomicU64>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, LogError> {
        let sink = match (config.target, &config.path) {
            (LogTarget::File, Some(path)) => Sink::File(append(path.get_ref())?),
            (LogTarget::Syslog, _) => Sink::Syslog(DEV_LOG.into(), None),
            (LogTarget::Stdout | LogTarget::File, _) => Sink::Stdout,
        };
        let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(Self { records, turn: 0, sink, names, node, lost, stop })
    }

    /// Runs until stopped, and writes what is left then.
    pub fn run(mut self) {
        let mut failing = false;
        loop {
            let stopping = self.stop.load(Ordering::Acquire);
            while let Some(record) = self.next() {
                match self.write(&record) {
                    Ok(()) => failing = false,
                    Err(error) => {
                        self.lost.store(self.lost.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                        if !failing {
                            tracing::warn!("lines of LOG rules are lost: {error}");
                        }
                        failing = true;
                    }
                }
            }
            if stopping {
                return;
            }
            thread::sleep(PAUSE);
        }
    }

    /// A record of each worker in turn.
    fn next(&mut self) -> Option<LogRecord> {
        let rings = self.records.len();
        (0..rings).find_map(|_| {
            self.turn = (self.turn + 1) % rings;
            self.records[self.turn].pop().ok()
        })
    }

    fn write(&mut self, record: &LogRecord) -> io::Result<()> {
        let line = record.line(|id| self.names.get(id.index()).map_or("", String::as_str));
        match &mut self.sink {
            Sink::Stdout => writeln!(io::stdout().lock(), "{}", dated(&self.node, &line)),
            Sink::File(file) => file.write_all(format!("{}\n", dated(&self.node, &line)).as_bytes()),
            Sink::Syslog(path, socket) => to_syslog(path, socket, record.level, &line),
        }
    }
}

fn append(path: &Path) -> Result<File, LogError> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map_err(|reason| LogError { place: path.display().to_string(), reason })
}

/// As rsyslog writes the kernel's lines into `kern.log` (RSYSLOG_FileFormat, in UTC).
fn dated(node: &str, line: &str) -> String {
    format!("{} {node} kernel: {line}", humantime::format_rfc3339_micros(SystemTime::now()))
}

/// Facility kern is 0, so the priority is the level. The daemon adds time and host.
fn to_syslog(path: &Path, socket: &mut Option<UnixDatagram>, level: u8, line: &str) -> io::Result<()> {
    let message = format!("<{}>kernel: {line}", level.min(7));
    if let Some(connected) = socket.as_ref() {
        match connected.send(message.as_bytes()) {
            Ok(_) => return Ok(()),
            // The daemon does not keep up: a new connection would not help.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            Err(_) => *socket = None,
        }
    }
    let connected = UnixDatagram::unbound()?;
    connected.set_nonblocking(true)?;
    connected.connect(path)?;
    connected.send(message.as_bytes())?;
    *socket = Some(connected);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(socket: &UnixDatagram) -> String {
        let mut room = [0; 256];
        let len = socket.recv(&mut room).unwrap();
        String::from_utf8(room[..len].to_vec()).unwrap()
    }

    #[test]
    fn a_syslog_message_has_facility_kern_the_rules_level_and_the_kernels_tag() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let daemon = UnixDatagram::bind(&path).unwrap();
        let mut socket = None;
        to_syslog(&path, &mut socket, 4, "SSH IN=eth0 OUT=").unwrap();
        assert_eq!(receive(&daemon), "<4>kernel: SSH IN=eth0 OUT=");
    }

    #[test]
    fn a_syslog_daemon_that_restarts_gets_the_next_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut socket = None;
        assert!(to_syslog(&path, &mut socket, 4, "nobody there").is_err());
        let first = UnixDatagram::bind(&path).unwrap();
        to_syslog(&path, &mut socket, 4, "one").unwrap();
        drop(first);
        std::fs::remove_file(&path).unwrap();
        let second = UnixDatagram::bind(&path).unwrap();
        to_syslog(&path, &mut socket, 4, "two").unwrap();
        assert_eq!(receive(&second), "<4>kernel: two");
    }

    #[test]
    fn a_syslog_daemon_that_does_not_read_never_makes_us_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let _daemon = UnixDatagram::bind(&path).unwrap();
        let mut socket = None;
        let results: Vec<_> = (0..100_000).map(|_| to_syslog(&path, &mut socket, 4, "line")).collect();
        assert!(results.iter().any(|r| r.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)));
    }

    #[test]
    fn a_dated_line_reads_like_rsyslogs() {
        let line = dated("box", "SSH IN=eth0");
        let (date, rest) = line.split_once(' ').unwrap();
        assert!(humantime::parse_rfc3339(date).is_ok(), "{date}");
        assert_eq!(rest, "box kernel: SSH IN=eth0");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let error = append(Path::new("/nonexistent/kern.log")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/kern.log") && error.contains("dataplane.log"), "{error}");
    }
}
