//! The private socket: rampartd publishes programs and the host's state here, and reads counters, statistics and events.
//!
//! One thread, one loop, no client can hold it up: sockets do not block, a client that breaks the protocol gets one error and is closed, and
//! one that does not read is closed. `proto::private` describes the messages.

mod inquiry;
mod publication;
mod server;
mod watcher;

pub use publication::{Publication, Refusal};
pub use server::{ControlThread, Ports, Telemetry};
