//! HMARK: a mark made of a hash.

use packet::Family;
use serde::{Deserialize, Serialize};

/// What of a packet is hashed, and what becomes of the hash: index is a place in [`crate::Table::hash_marks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct HashMark<F: Family> {
    /// Bits of the source address.
    pub src_mask: F::Addr,
    /// Bits of the destination address.
    pub dst_mask: F::Addr,
    /// Bits of both ports, the source's in the upper half, or of the security parameter index.
    pub port_mask: u32,
    /// Bits that are set in them.
    pub port_set: u32,
    /// Bits of the protocol.
    pub proto_mask: u16,
    /// Turns the hash about.
    pub seed: u32,
    /// Marks are `offset` and so many less one that follow it; not 0.
    pub modulus: u32,
    /// The lowest mark.
    pub offset: u32,
    /// In place of the packet's own fields those of its connection: where it began, and where its answers come from. A packet without one keeps its mark.
    pub of_connection: bool,
}
