//! The DPDK process round the engine: `rampart-dataplane`.
//!
//! It boots from TOML (all allocation happens then), runs the workers, and takes compiled programs and the host's state over a private
//! socket. It cannot parse a rule. Its threads, and what each owns:
//!
//! | thread | owns | module |
//! |---|---|---|
//! | main | EAL, signals, the clock on the wall ([`wall`]), the end | [`run`] |
//! | worker N | the engine's worker, one receive and one transmit queue of every port | [`worker`] |
//! | taps | the TAPs: whatever goes to and comes from the kernel | [`exception`] |
//! | control | the private socket, publication, the ports' statistics | [`control`] |
//! | log | the lines of LOG rules | [`log`] |
//!
//! Between threads there are only single-producer rings, snapshots ([`publish`]) and counters with one writer each.
#![forbid(unsafe_code)]

pub mod boot;
pub mod buffer;
pub mod config;
pub mod control;
pub mod device;
pub mod eal;
pub mod exception;
pub mod groups;
pub mod host;
pub mod lock;
pub mod log;
pub mod outside;
pub mod preflight;
pub mod publish;
pub mod run;
pub mod settings;
pub mod stats;
pub mod tap;
pub mod wall;
pub mod ways;
pub mod worker;
