//! The UDP and UDP-Lite header.

use crate::bytes::read16;
use crate::header::L4;

/// Length in bytes of a header.
pub const HEADER_LEN: usize = 8;
/// Where the checksum stands.
pub const CHECKSUM_AT: usize = 6;

/// Reads the header; `None` when fewer than [`HEADER_LEN`] bytes are there.
#[inline(always)]
pub(crate) fn read(bytes: &[u8]) -> Option<L4> {
    let header: &[u8; HEADER_LEN] = bytes.first_chunk()?;
    Some(L4::Udp { sport: read16(header, 0)?, dport: read16(header, 2)?, len: read16(header, 4)? })
}
