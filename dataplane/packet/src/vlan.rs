//! The IEEE 802.1Q tag.

use crate::bytes::read16;

/// Length of a tag in bytes: tag control information and the EtherType behind it.
pub const TAG_LEN: usize = 4;
/// EtherType of a customer tag.
pub const TPID_8021Q: u16 = 0x8100;
/// EtherType of a service tag.
pub const TPID_8021AD: u16 = 0x88a8;

/// Does a tag follow this EtherType?
pub fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, TPID_8021Q | TPID_8021AD)
}

/// One tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The VLAN's number, 12 bits.
    pub id: u16,
    /// What follows the tag.
    pub ethertype: u16,
}

impl Tag {
    /// Reads the four bytes behind a tag's EtherType.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self { id: read16(bytes, 0)? & 0x0fff, ethertype: read16(bytes, 2)? })
    }
}
