//! The TCP header.

use crate::bytes::{read16, read32};
use crate::family::{Family, FamilyId};
use crate::header::{Fragment, Header, L4};

/// Length in bytes of a header without options.
pub const HEADER_LEN: usize = 20;
/// Longest header: the data offset is four bits of 32-bit words.
pub const MAX_HEADER_LEN: usize = 60;
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

/// The byte that Linux takes for the flags, whatever stands there. A later fragment has no header: in IPv4 it is a byte of its data, in IPv6 (whose
/// search for the header leaves its place at the packet's front) one of the source address. `None` when the packet, or what of it is contiguous, has
/// fewer than [`HEADER_LEN`] bytes from there on.
pub fn flags_at<F: Family>(head: &[u8], header: &Header<F>) -> Option<u8> {
    let (at, len) = match (F::ID, header.fragment) {
        (FamilyId::Ipv6, Fragment::Later(_)) => (header.l3, header.len),
        _ => (header.l4, header.l4_len()),
    };
    let bytes: &[u8; HEADER_LEN] = head.get(usize::from(at)..)?.first_chunk()?;
    (len >= HEADER_LEN as u32).then_some(bytes[13])
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
