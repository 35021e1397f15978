//! All that the walk asks of the world: buffers, ports, TAPs, the log.
//!
//! Implemented by the process round the engine with DPDK, and by [`crate::sim`] with memory. Nothing in it may block, and every packet given
//! away is the other side's to count if it cannot be sent.

use core::net::IpAddr;

use program::InterfaceId;

use crate::buffer::Buffer;
use crate::handoff::{Letter, Parcel};
use crate::log::LogRecord;

/// What surrounds a worker. One per worker, used by it alone.
pub trait Outside {
    /// The buffers that come and go.
    type Buf: Buffer;

    /// An empty buffer with headroom, for a packet that the box makes itself; `None` when the pool is exhausted.
    fn alloc(&mut self) -> Option<Self::Buf>;
    /// A copy of a shared buffer that may be written to; `None` when the pool is exhausted.
    fn copy(&mut self, buf: &Self::Buf) -> Option<Self::Buf>;
    /// Sends a frame on the wire. Its checksums are complete.
    fn transmit(&mut self, port: InterfaceId, buf: Self::Buf);
    /// Hands a frame to the port's TAP: local delivery, and whatever is not IP.
    fn deliver(&mut self, port: InterfaceId, buf: Self::Buf);
    /// Frees packets that end together.
    fn discard(&mut self, packets: impl Iterator<Item = Self::Buf>) {
        packets.for_each(drop);
    }
    /// Takes a record for the log. Never blocks; a full ring drops the record and counts it.
    fn log(&mut self, record: &LogRecord);
    /// Asks that the link address of `next_hop` be found; the answer comes in a later [`crate::Snapshot`]. The walk asks at most once a
    /// second for each waiting next hop.
    fn resolve(&mut self, port: InterfaceId, next_hop: IpAddr);
    /// Gives a packet to another worker as it came in from the wire by `port`, for [`crate::Worker::receive`], behind all that was given to it before;
    /// `false`, and the packet freed, when there is no room. Never called in a world of one worker.
    fn pass_on(&mut self, worker: u16, port: InterfaceId, buf: Self::Buf) -> bool;
    /// The same of a packet of which something was decided, for [`crate::Worker::parcel`]; it keeps its place among those that are passed on.
    fn hand_over(&mut self, worker: u16, parcel: Parcel<Self::Buf>) -> bool;
    /// As [`Outside::hand_over`], for what is rarer and larger. Letters and parcels may overtake each other.
    fn post(&mut self, worker: u16, letter: Letter<Self::Buf>) -> bool;
}
