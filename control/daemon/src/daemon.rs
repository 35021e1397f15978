//! Start and stop: locks, stored rules, sockets, threads.
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use metrics_exporter_prometheus::PrometheusBuilder;

use crate::apply::ApplyError;
use crate::config::Config;
use crate::host::{Announcements, Listeners, Netlink, NetlinkError, Resolver};
use crate::lock::{InstanceLock, LockError};
use crate::server::{self, Server};
use crate::sets::KeptSets;
use crate::state::State;
use crate::store::{Store, StoreError, Writer};
use crate::{connector, host, names, stats};

/// Why rampartd does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another one runs.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The stored rules cannot be read.
    #[error("stored rules: {0}")]
    Store(#[from] StoreError),
    /// The stored rules cannot be held.
    #[error("stored rules: {0}")]
    Apply(#[from] ApplyError),
    /// A file, folder or socket.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The kernel cannot be mirrored.
    #[error("host mirror: {0}; mirror_host = false in [control] does without")]
    Host(#[from] NetlinkError),
    /// The metrics cannot be served.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// A thread could not be started.
    #[error("thread: {0}")]
    Thread(io::Error),
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    state: Arc<State>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    writer: Arc<Writer>,
    _locks: [InstanceLock; 2],
}

impl Daemon {
    /// Starts everything. When this returns, clients are served.
    pub fn start(config: Config) -> Result<Daemon, StartError> {
        let folder = config.control_socket.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| StartError::File { path: folder.to_owned(), source })?;
        let socket_lock = lock_of(&config.control_socket);
        let store = Store::open(&config.state_dir)?;
        let locks = [
            InstanceLock::take(&socket_lock, &config.control_socket.display().to_string())?,
            InstanceLock::take(&config.state_dir.join("lock"), &config.state_dir.display().to_string())?,
        ];
        let names = names::names();
        let sets = KeptSets::load(&config.state_dir, &names)?;
        let stored = store.load(&names::WithSets { names: &names, sets: &sets.read() })?;
        if let Some(address) = config.metrics {
            PrometheusBuilder::new().with_http_listener(address).install()?;
            stats::describe();
        }
        let mirror = match config.mirror_host && !config.standalone {
            true => Some((Announcements::listen()?, Netlink::open()?, Listeners::open()?, Resolver::open()?)),
            false => None,
        };
        let resolver = match config.standalone {
            true => None,
            false => Some(Resolver::open()?),
        };
        let server = Server::bind(&config.control_socket)
            .map_err(|source| StartError::File { path: config.control_socket.clone(), source })?;
        let (writer, writing) = Writer::start(store, names.clone(), config.standalone).map_err(StartError::Thread)?;
        let state = Arc::new(State::new(config, names, stored, Arc::clone(&writer))?.with_sets(sets));
        let mut daemon = Daemon { state, stop: Arc::default(), threads: vec![writing], writer, _locks: locks };
        daemon.thread("server", move |state, stop| server.run(state, stop))?;
        if !daemon.state.config.standalone {
            daemon.thread("connector", |state, stop| connector::run(state, stop))?;
        }
        if let Some(mut resolver) = resolver {
            daemon.thread("events", move |state, stop| connector::events(state, &mut resolver, stop))?;
        }
        if let Some((announcements, mut netlink, mut listeners, mut resolver)) = mirror {
            daemon.thread("host", move |state, stop| {
                host::run(state, &announcements, &mut netlink, &mut listeners, &mut resolver, stop);
            })?;
        }
        if daemon.state.config.metrics.is_some() {
            daemon.thread("stats", stats::run)?;
        }
        Ok(daemon)
    }

    /// Ends every thread and writes what is not on disk yet. The dataplane forwards on.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        server::wake(&self.state.config.control_socket);
        self.writer.stop();
        self.state.sets.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread had died");
            }
        }
    }

    fn thread(&mut self, name: &str, run: impl FnOnce(&Arc<State>, &AtomicBool) + Send + 'static) -> Result<(), StartError> {
        let (state, stop) = (Arc::clone(&self.state), Arc::clone(&self.stop));
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&state, &stop));
        self.threads.push(thread.map_err(StartError::Thread)?);
        Ok(())
    }
}

fn lock_of(socket: &Path) -> PathBuf {
    let mut name = socket.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
