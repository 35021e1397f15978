//! rampartd: owns the wanted rules, and sees to it that the dataplane runs exactly them.
//!
//! ```text
//!  client threads (server, request) --> state: wanted rules + connection, one lock
//!                                          |  apply: edit -> slots -> compile -> image -> publish -> acknowledged, else the old rules stay
//!  connector: connects, adopts what runs --+--> dataplane (private socket)
//!  host: netlink mirror -------------------+
//!  stats: Prometheus        store: rules.v4 and rules.v6 in the state folder, sets: sets beside them
//! ```
//!
//! A restart loses nothing: the dataplane forwards on and gives back the [`source`] of what it runs.
#![forbid(unsafe_code)]

pub mod apply;
pub mod compiled;
pub mod config;
mod connector;
pub mod conntrack;
pub mod counters;
mod daemon;
pub mod dataplane;
pub mod edit;
pub mod host;
pub mod lock;
mod mirrored;
mod names;
mod on_disk;
mod recent;
pub mod request;
pub mod server;
pub mod sets;
pub mod slots;
pub mod source;
pub mod state;
mod stats;
pub mod store;
mod text;
pub mod wanted;

pub use daemon::{Daemon, StartError};
