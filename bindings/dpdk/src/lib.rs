//! What Rampart needs of DPDK, as safe Rust, and the only crate that calls `dpdk-sys`.
//!
//! Ownership carries DPDK's rules:
//!
//! - [`Eal`](eal::Eal) is started once per process; everything else holds a [`Handle`](eal::Handle) to it, and EAL is only cleaned
//!   up when no handle and no packet buffer is left.
//! - [`Mempool`](mempool::Mempool) may be used from every thread; [`Mbuf`](mbuf::Mbuf) is one owned packet that goes back to its
//!   pool when dropped.
//! - [`Port`](port::Port) is configured and started by one thread; starting it yields its [`RxQueue`](queue::RxQueue)s and
//!   [`TxQueue`](queue::TxQueue)s, each of which is one value, so that no two threads can poll the same queue.
//! - A worker thread holds a [`Registration`](lcore::Registration), which gives it its own cache in every pool.
//!
//! Work per packet is done here in Rust on the fields of the mbuf; work per burst goes through the C shim.

pub mod burst;
pub mod clock;
pub mod eal;
pub mod error;
mod host_mtu;
pub mod hugepages;
pub mod lcore;
pub mod mbuf;
pub mod mempool;
pub mod port;
pub mod queue;
pub mod vdev;
pub mod zone;

pub use error::Error;
