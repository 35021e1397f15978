//! What can go wrong when DPDK is set up. Nothing on the packet path returns one of these.
//!
//! # Soundness
//! The two unsafe calls read the calling thread's `rte_errno` and a message that DPDK keeps in static or thread-local memory,
//! which is copied before anything else can overwrite it.

use std::ffi::CStr;

/// A refusal by DPDK or by this crate, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// EAL was initialised before; DPDK supports that once per process.
    #[error("DPDK's EAL was already started in this process; it can be started only once")]
    EalStartedTwice,
    /// `rte_eal_init` refused.
    #[error("rte_eal_init failed: {reason}; {remedy}")]
    EalInit {
        /// The text of `rte_strerror`.
        reason: String,
        /// What mends it, as far as the code tells.
        remedy: &'static str,
    },
    /// EAL cannot be cleaned up yet.
    #[error("DPDK is still in use: {handles} handles and {mbufs} packet buffers are held")]
    StillInUse {
        /// Pools, ports, queues and thread registrations that are alive.
        handles: usize,
        /// Packet buffers that have not returned to their pool.
        mbufs: u64,
    },
    /// A name or an argument cannot be handed to C.
    #[error("{what} {text:?} contains a NUL byte")]
    Nul {
        /// What it was to be: "EAL argument", "pool name" ...
        what: &'static str,
        /// The text as given.
        text: String,
    },
    /// A packet pool could not be created.
    #[error("cannot create packet pool {name:?} of {count} buffers with {data_room} bytes of room each: {reason}; {remedy}")]
    Mempool {
        /// Name of the pool.
        name: String,
        /// Wanted buffers.
        count: u32,
        /// Wanted bytes per buffer, headroom included.
        data_room: u16,
        /// The text of `rte_strerror`.
        reason: String,
        /// What mends it.
        remedy: &'static str,
    },
    /// No port has this name.
    #[error("no port is named {name:?}; the ports are {present:?}")]
    NoSuchPort {
        /// The name asked for.
        name: String,
        /// The names of the ports that were probed.
        present: Vec<String>,
    },
    /// The port is owned by another [`Port`](crate::port::Port) value.
    #[error("port {0:?} is already taken")]
    PortTaken(String),
    /// The port cannot be reconfigured or stopped: some of its queues are still held by a worker.
    #[error("queues of port {0:?} are still in use")]
    QueuesInUse(String),
    /// The port must be configured first.
    #[error("port {0:?} is not configured")]
    NotConfigured(String),
    /// A setting that the port's driver cannot do.
    #[error("port {port:?} ({driver}): {what}")]
    Unsupported {
        /// Name of the port.
        port: String,
        /// Name of its driver.
        driver: String,
        /// What was asked and what is possible.
        what: String,
    },
    /// A DPDK call about a port failed.
    #[error("port {port:?}: {call} failed: {reason}")]
    Port {
        /// Name of the port.
        port: String,
        /// The function of DPDK.
        call: &'static str,
        /// The text of `rte_strerror`.
        reason: String,
    },
    /// The thread could not be registered with EAL.
    #[error("cannot register the thread with DPDK: {0}")]
    Register(String),
}

/// The calling thread's `rte_errno`.
pub(crate) fn errno() -> i32 {
    // SAFETY: reads a thread-local integer.
    unsafe { dpdk_sys::shim_errno() }
}

/// DPDK's words for an errno value, of either sign.
pub(crate) fn strerror(code: i32) -> String {
    // SAFETY: rte_strerror always returns a NUL-terminated string, in thread-local or static memory; it is copied at once.
    unsafe { CStr::from_ptr(dpdk_sys::rte_strerror(code.saturating_abs())) }.to_string_lossy().into_owned()
}
