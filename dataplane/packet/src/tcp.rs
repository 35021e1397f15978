//! The TCP header.

use crate::bytes::{read16, read32};
use crate::family::{Family, FamilyId};
use crate::header::{Fragment, Header, L4};

/// Length in bytes of a header without options.
pub const HEADER_LEN: usize = 20;
/// Longest header: the data offset is four bits of 32-bit words.
pub const MAX_HEADER_LEN: usize = 60;
/// Where the data offset stands, and the flags behind it.
pub const DATA_OFFSET_AT: usize = 12;
/// Where the checksum stands.
pub const CHECKSUM_AT: usize = 16;

/// Bits of the flags byte.
pub mod flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer counts.
    pub const URG: u8 = 0x20;
    /// ECN echo.
    pub const ECE: u8 = 0x40;
    /// Congestion window reduced.
    pub const CWR: u8 = 0x80;
}

/// What Linux takes for the TCP header, whatever stands there, and all behind it. A later fragment has no header: in IPv4 it is its data, in IPv6 (whose
/// search for the header leaves its place at the packet's front) the packet from there on. `None` when the packet, or what of it is contiguous, has
/// fewer than [`HEADER_LEN`] bytes from there on.
pub fn taken_for_header<'a, F: Family>(head: &'a [u8], header: &Header<F>) -> Option<&'a [u8]> {
    let (at, len) = match (F::ID, header.fragment) {
        (FamilyId::Ipv6, Fragment::Later(_)) => (header.l3, header.len),
        _ => (header.l4, header.l4_len()),
    };
    let bytes = head.get(usize::from(at)..)?;
    let bytes = bytes.get(..len as usize).unwrap_or(bytes);
    (bytes.len() >= HEADER_LEN).then_some(bytes)
}

/// The byte that Linux takes for the flags ([`taken_for_header`]).
pub fn flags_at<F: Family>(head: &[u8], header: &Header<F>) -> Option<u8> {
    taken_for_header(head, header).map(|bytes| bytes[13])
}

/// What Linux takes for the options ([`taken_for_header`]); `None` where the data offset is wrong.
pub fn options_at<'a, F: Family>(head: &'a [u8], header: &Header<F>) -> Option<&'a [u8]> {
    let bytes = taken_for_header(head, header)?;
    bytes.get(HEADER_LEN..usize::from(bytes[DATA_OFFSET_AT] >> 4) * 4)
}

/// Reads the fixed part; `None` when fewer than [`HEADER_LEN`] bytes are there.
#[inline(always)]
pub(crate) fn read(bytes: &[u8]) -> Option<L4> {
    let fixed: &[u8; HEADER_LEN] = bytes.first_chunk()?;
    Some(L4::Tcp {
        sport: read16(fixed, 0)?,
        dport: read16(fixed, 2)?,
        seq: read32(fixed, 4)?,
        ack: read32(fixed, 8)?,
        header_len: (fixed[12] >> 4) * 4,
        flags: fixed[13],
        window: read16(fixed, 14)?,
    })
}
