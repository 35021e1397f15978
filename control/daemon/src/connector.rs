//! Keeps the connection to the dataplane: connects, hands it to [`State::attach`], watches it, and tries again with growing pauses. A second
//! connection brings the dataplane's events.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proto::private::{Event, Role};
use proto::wire::WireError;

use crate::dataplane::{Link, LinkError};
use crate::host::Resolver;
use crate::state::{AttachError, State};

/// First and longest pause between two attempts.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// How long one look at the connection lasts; also how fast a stop is noticed.
const LOOK: Duration = Duration::from_millis(200);
/// How often it is asked what packets have changed of sets, where no command asks: a crash of both daemons loses no more.
const FOLLOW: Duration = Duration::from_secs(10);

/// Runs until `stop`.
pub(crate) fn run(state: &State, stop: &AtomicBool) {
    let mut pause = PAUSE.0;
    let mut said = String::new();
    while !stop.load(Ordering::Relaxed) {
        match attempt(state) {
            Ok(watch) => {
                pause = PAUSE.0;
                said.clear();
                let mut followed = Instant::now();
                while !stop.load(Ordering::Relaxed) && state.lock().link.is_some() {
                    if Link::hung_up(&watch, LOOK) {
                        tracing::warn!("the dataplane closed the connection");
                        state.detach(&format!("the dataplane at {} is gone", state.config.dataplane_socket.display()));
                    } else if followed.elapsed() >= FOLLOW {
                        state.follow_packets();
                        followed = Instant::now();
                    }
                }
            }
            Err(error) => {
                let reason = explain(state, &error);
                if reason != said {
                    tracing::warn!("{reason}");
                    said.clone_from(&reason);
                }
                state.detach(&reason);
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

fn attempt(state: &State) -> Result<std::os::fd::OwnedFd, AttachError> {
    let link = Link::connect(&state.config.dataplane_socket, Role::Controller)?;
    let watch = link.watch()?;
    state.attach(link)?;
    Ok(watch)
}

fn explain(state: &State, error: &AttachError) -> String {
    let socket = state.config.dataplane_socket.display();
    match error {
        AttachError::Link(LinkError::Wire(WireError::Os { call: "connect", source })) => {
            format!("no dataplane at {socket} ({source}): start rampart-dataplane, or rampartd with --standalone")
        }
        error => format!("dataplane at {socket}: {error}"),
    }
}

/// Carries events from the dataplane to the kernel until `stop`.
pub(crate) fn events(state: &Arc<State>, resolver: &mut Resolver, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let taps = state.lock().link.as_ref().map(|link| link.interfaces.clone());
        if let Some(taps) = taps
            && let Ok(link) = Link::connect(&state.config.dataplane_socket, Role::Observer)
            && let Ok(socket) = link.subscribe(LOOK)
        {
            while !stop.load(Ordering::Relaxed) {
                match socket.recv::<Event>() {
                    Ok((Event::Resolve { interface, address }, _)) => {
                        let tap = taps.iter().find(|port| port.name == interface).map_or(&*interface, |port| &*port.tap);
                        if let Err(error) = resolver.resolve(tap, address) {
                            tracing::debug!("resolve {address} on {tap}: {error}");
                        }
                    }
                    Ok((Event::Link { interface, up }, _)) => tracing::info!(interface, up, "carrier"),
                    Err(WireError::TimedOut) => {}
                    Err(_) => break,
                }
            }
        }
        std::thread::sleep(LOOK);
    }
}
