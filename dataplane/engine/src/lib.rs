//! The packet walk: what happens to a packet between a port and the next, with nothing round it.
//!
//! Generic over the buffer ([`buffer::Buffer`]) and over the world ([`outside::Outside`]); knows no driver, no DPDK, no thread, and no clock of
//! its own. `walk.rs` is the table of contents.
#![forbid(unsafe_code)]

/// The atomics of what workers share. `tests/interleaving` puts others here, under which every order of operations is tried.
mod atomic {
    pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
}
pub mod buffer;
pub(crate) mod burst;
pub mod conntrack;
pub mod counters;
pub(crate) mod credits;
pub mod drop;
pub mod events;
pub(crate) mod frag;
pub mod handoff;
pub(crate) mod hashlimit;
pub(crate) mod helper;
pub(crate) mod hooks;
pub mod host;
pub mod inbox;
mod inquiry;
mod jenkins;
pub mod keys;
pub mod lists;
pub mod log;
mod named;
pub mod nat;
pub mod outside;
pub mod owner;
mod recent;
pub mod rng;
pub mod route;
pub mod sets;
pub mod shared;
pub mod sim;
pub mod snapshot;
mod source;
pub(crate) mod stateful;
pub(crate) mod synproxy;
pub(crate) mod targets;
pub mod time;
mod trace;
pub(crate) mod walk;
pub mod wall;
pub mod worker;

pub use snapshot::Snapshot;
pub use time::Time;
pub use worker::{Worker, WorkerConfig};
