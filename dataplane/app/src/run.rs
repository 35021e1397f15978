//! The life of the process: start the threads, wait for the end, stop them in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sd_notify::NotifyState;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::boot::{Booted, boot};
use crate::config::Config;
use crate::lock::Lock;
use crate::wall::Wall;

/// How often the threads, signals and the clock on the wall are looked at.
const WATCH: Duration = Duration::from_millis(50);

/// A thread that only ends when it is told to.
struct Running {
    name: String,
    thread: JoinHandle<Result<()>>,
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// What kept it from starting, or the thread that failed: the process ends then, so that its supervisor starts it anew.
pub fn run(config: Config) -> Result<()> {
    // Before EAL, which takes seconds with some devices: a signal in between must not be lost.
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("waiting for signals")?;
    let lock = Lock::take(&config.instance.run_dir)?;
    let Booted { eal, workers, exception, log, control, wall, stop, stop_log } = boot(config, &lock)?;

    let (ready, readiness) = mpsc::channel();
    let handle = eal.handle().clone();
    let count = workers.len();
    let mut running = Vec::with_capacity(count + 2);
    for worker in workers {
        let ready = ready.clone();
        running.push(start(&format!("worker-{}", worker.number), move || {
            // Nobody listens any more only if the process is ending.
            worker.run(|result| drop(ready.send(result)));
            Ok(())
        })?);
    }
    drop(ready);
    running.push(start("taps", move || Ok(exception.run(&handle)?))?);
    let logger = start("log", move || {
        log.run();
        Ok(())
    })?;
    let began = (0..count).try_for_each(|_| match readiness.recv() {
        Ok(result) => Ok(result?),
        Err(_) => bail!("a worker ended before it began"),
    });
    let outcome = match began {
        Ok(()) => {
            running.push(start("control", move || {
                control.run();
                Ok(())
            })?);
            tracing::info!(socket = %lock.socket().display(), "ready; every packet is dropped until the first program");
            notify(NotifyState::Ready);
            watch(&mut signals, &running, &wall)
        }
        Err(error) => {
            drop(control);
            Err(error)
        }
    };
    notify(NotifyState::Stopping);
    stop.store(true, Ordering::Relaxed);
    let ended = end(running).and(end_logger(logger, &stop_log));
    if let Err(error) = eal.shutdown() {
        tracing::warn!("{error}");
    }
    outcome.and(ended)
}

fn start(name: &str, body: impl FnOnce() -> Result<()> + Send + 'static) -> Result<Running> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body).with_context(|| format!("starting thread {name}"))?;
    Ok(Running { name: name.to_owned(), thread })
}

/// Returns at a signal, or when a thread ended by itself.
fn watch(signals: &mut Signals, running: &[Running], wall: &Wall) -> Result<()> {
    loop {
        if let Some(signal) = signals.pending().next() {
            tracing::info!("signal {signal}: stopping");
            return Ok(());
        }
        if let Some(ended) = running.iter().find(|running| running.thread.is_finished()) {
            bail!("thread {} ended by itself", ended.name);
        }
        wall.look();
        thread::sleep(WATCH);
    }
}

/// Joins all, and reports the first that failed.
fn end(running: Vec<Running>) -> Result<()> {
    let mut outcome = Ok(());
    for Running { name, thread } in running {
        let result = match thread.join() {
            Ok(result) => result.with_context(|| format!("thread {name}")),
            Err(_) => Err(anyhow::anyhow!("thread {name} panicked")),
        };
        outcome = outcome.and(result);
    }
    outcome
}

fn end_logger(logger: Running, stop: &Arc<AtomicBool>) -> Result<()> {
    stop.store(true, Ordering::Release);
    end(vec![logger])
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("telling systemd: {error}");
    }
}
