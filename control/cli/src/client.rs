//! One request to rampartd and its answer.
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proto::line::{Connection, LineError};
use proto::public::{MAX_REPLY_LINE, Reply, Request};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long an ordinary request may take: a restore of very many rules is the longest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("cannot reach rampartd at {socket}: {source} (is rampartd running? RAMPART_SOCKET names another socket)", socket = .socket.display())]
    Connect { socket: PathBuf, source: std::io::Error },
    #[error("rampartd: {0}")]
    Line(#[from] LineError),
    #[error("rampartd closed the connection without an answer")]
    NoAnswer,
    #[error("rampartd's answer is not understood: {0}")]
    Json(#[from] serde_json::Error),
}

/// Sends a request, with what follows it, and waits for the answer.
pub(crate) fn ask(socket: &Path, request: &Request, blob: &[u8]) -> Result<Reply, ClientError> {
    ask_within(socket, request, blob, PATIENCE)
}

/// Sends a request that is answered in parts; `show` takes each but the last, which is returned. Each may take as long as an ordinary answer.
pub(crate) fn ask_for_parts(
    socket: &Path,
    request: &Request,
    until: Until,
    mut show: impl FnMut(&Reply),
) -> Result<Reply, ClientError> {
    let mut connection = connect(socket)?;
    if until == Until::Interrupted {
        close_when_interrupted(connection.stream())?;
    }
    connection.write_line(&request.to_line()?, Instant::now() + PATIENCE)?;
    loop {
        let line = connection.read_line(MAX_REPLY_LINE, Instant::now() + PATIENCE)?.ok_or(ClientError::NoAnswer)?;
        let reply: Reply = serde_json::from_slice(&line)?;
        if !reply.more {
            return Ok(reply);
        }
        show(&reply);
    }
}

/// When an answer in parts has its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// When all is told.
    Done,
    /// When the user has seen enough (SIGINT, SIGTERM): the sending side is closed then, and the last part comes.
    Interrupted,
}

fn close_when_interrupted(stream: &UnixStream) -> Result<(), ClientError> {
    let stream = stream.try_clone().map_err(|error| ClientError::Line(error.into()))?;
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| ClientError::Line(error.into()))?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            // Fails where the daemon is gone, which the reader sees too.
            let _ = stream.shutdown(Shutdown::Write);
        }
    });
    Ok(())
}

fn connect(socket: &Path) -> Result<Connection, ClientError> {
    let stream = UnixStream::connect(socket).map_err(|source| ClientError::Connect { socket: socket.to_owned(), source })?;
    Ok(Connection::new(stream))
}

/// As [`ask`], for as long as `patience`.
pub(crate) fn ask_within(socket: &Path, request: &Request, blob: &[u8], patience: Duration) -> Result<Reply, ClientError> {
    let deadline = Instant::now() + patience;
    let mut connection = connect(socket)?;
    let sent = connection
        .write_line(&request.to_line()?, deadline)
        .and_then(|()| if blob.is_empty() { Ok(()) } else { connection.write(blob, deadline) });
    match connection.read_line(MAX_REPLY_LINE, deadline) {
        Ok(Some(line)) => Ok(serde_json::from_slice(&line)?),
        // A daemon that refuses may close before it has read everything; its reason, read above, is worth more than our broken pipe.
        answer => {
            sent?;
            answer?;
            Err(ClientError::NoAnswer)
        }
    }
}
