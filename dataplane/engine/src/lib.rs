//! The packet walk: what happens to a packet between a port and the next, with nothing round it.
//!
//! Generic over the buffer ([`buffer::Buffer`]) and over the world ([`outside::Outside`]); knows no driver, no DPDK, no thread, and no clock of
//! its own. `walk.rs` is the table of contents.
#![forbid(unsafe_code)]

pub mod buffer;
pub mod counters;
pub mod drop;
pub mod host;
pub mod log;
pub mod outside;
pub mod route;
pub mod snapshot;
pub(crate) mod stateful;
pub mod time;
pub mod worker;

pub use snapshot::Snapshot;
pub use time::Time;
pub use worker::{Worker, WorkerConfig};
