//! The public socket: a thread per client, a bound on clients, and a deadline on everything a client does or fails to do. A client that
//! sends garbage, drips, or never reads harms only itself.
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proto::line::{Connection, LineError};
use proto::public::{MAX_REQUEST_LINE, MAX_RESTORE, Reply, Request};

use crate::conntrack::{Client, Gone};
use crate::dataplane::Link;
use crate::request::{self, Caller};
use crate::state::State;

/// Clients at once.
const MAX_CLIENTS: usize = 128;
/// How long a connection may be idle, and how long a whole request line may take.
const LINE_TIME: Duration = Duration::from_secs(60);
/// How long the text of a restore may take to arrive.
const BLOB_TIME: Duration = Duration::from_secs(60);
/// How long a client may take to read its answer.
const REPLY_TIME: Duration = Duration::from_secs(30);

/// The listening socket. The file goes when this is dropped.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    clients: Arc<AtomicUsize>,
}

/// Counts a client for as long as it lives.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    /// Binds the socket, for its owner and group. The caller holds the lock of this socket, so a file in the way is a dead one.
    pub fn bind(path: &Path) -> io::Result<Server> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Server { listener, path: path.to_owned(), clients: Arc::default() })
    }

    /// Serves until `stop` is set and [`wake`] was called.
    pub fn run(&self, state: &Arc<State>, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, mostly: others will end.
                    tracing::warn!("accept: {error}");
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                }
            };
            let place = Place(Arc::clone(&self.clients));
            if self.clients.fetch_add(1, Ordering::Relaxed) >= MAX_CLIENTS {
                refuse(stream, "too many clients at once");
                continue;
            }
            let state = Arc::clone(state);
            let started = std::thread::Builder::new().name("client".into()).spawn(move || {
                let _place = place;
                client(&state, stream);
            });
            if let Err(error) = started {
                tracing::warn!("no thread for a client: {error}");
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only a file that is still there can be removed; there is nobody to tell.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Lets a [`Server::run`] look at its `stop`.
pub fn wake(path: &Path) {
    // If nobody listens any more, nobody has to be woken.
    let _ = UnixStream::connect(path);
}

fn refuse(stream: UnixStream, reason: &str) {
    let mut connection = Connection::new(stream);
    // A client that does not take the reason has closed already.
    let _ = answer(&mut connection, &Reply::failed(reason), Duration::from_millis(10));
}

fn client(state: &State, stream: UnixStream) {
    let Ok(caller) = caller(&stream) else { return };
    let mut connection = Connection::new(stream);
    loop {
        let line = match connection.read_line(MAX_REQUEST_LINE, Instant::now() + LINE_TIME) {
            Ok(Some(line)) => line,
            Ok(None) | Err(LineError::Closed | LineError::TimedOut) => return,
            Err(error) => return last_words(&mut connection, &error.to_string()),
        };
        let request = match Request::from_line(&line) {
            Ok(request) => request,
            Err(error) => return last_words(&mut connection, &error.to_string()),
        };
        let blob = match &request {
            Request::Restore { length, program, .. } => Some((*length, program.as_str())),
            Request::Ipset { length, .. } if *length > 0 => Some((*length, "ipset")),
            _ => None,
        };
        let blob = match blob {
            Some((length, program)) => {
                if !caller.may_change {
                    let message =
                        format!("{program}: Permission denied (only root and the user that rampartd runs as may change rules)");
                    return last_words(&mut connection, &message);
                }
                if length > MAX_RESTORE {
                    return last_words(&mut connection, &format!("{program}: more than {MAX_RESTORE} bytes in one restore"));
                }
                match connection.read_blob(length, Instant::now() + BLOB_TIME) {
                    Ok(blob) => blob,
                    Err(error) => return last_words(&mut connection, &error.to_string()),
                }
            }
            None => Vec::new(),
        };
        let served = catch_unwind(AssertUnwindSafe(|| request::serve(state, caller, request, blob, &mut Asker(&mut connection))));
        let reply = match served {
            Ok(Ok(reply)) => reply,
            Ok(Err(Gone)) => return,
            Err(_) => Reply::failed("internal error in rampartd: see its log; the rules are as they were"),
        };
        if answer(&mut connection, &reply, REPLY_TIME).is_err() {
            return;
        }
    }
}

/// The client of a request.
struct Asker<'a>(&'a mut Connection);

impl Client for Asker<'_> {
    fn tell(&mut self, part: Reply) -> Result<(), Gone> {
        answer(self.0, &part, REPLY_TIME).map_err(|_| Gone)
    }

    fn has_enough(&self) -> bool {
        Link::hung_up(self.0.stream(), Duration::ZERO)
    }
}

fn last_words(connection: &mut Connection, reason: &str) {
    // The client broke the protocol; if it does not read either, that is its loss.
    let _ = answer(connection, &Reply::failed(reason), Duration::from_secs(1));
}

fn answer(connection: &mut Connection, reply: &Reply, time: Duration) -> Result<(), LineError> {
    let line = serde_json::to_vec(reply).map_err(|error| LineError::Io(error.into()))?;
    connection.write_line(&line, Instant::now() + time)
}

fn caller(stream: &UnixStream) -> io::Result<Caller> {
    let uid = rustix::net::sockopt::socket_peercred(stream)?.uid;
    Ok(Caller { may_change: uid.is_root() || uid == rustix::process::geteuid() })
}
