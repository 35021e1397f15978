//! What IPsec and IP payload compression put before the data: the index by which the receiver knows how to read it.

use crate::bytes::{read16, read32};

/// Least length of an ESP header.
pub const ESP_LEN: usize = 8;
/// Least length of an authentication header.
pub const AH_LEN: usize = 12;
/// Length of a compression header.
pub const IPCOMP_LEN: usize = 4;

/// ESP's index.
pub fn esp(header: &[u8; ESP_LEN]) -> u32 {
    read32(header, 0).unwrap_or_default()
}

/// An authentication header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ah {
    /// Its index.
    pub spi: u32,
    /// Its length in bytes, as it says.
    pub len: u32,
    /// The reserved word.
    pub reserved: u16,
}

/// Reads an authentication header.
pub fn ah(header: &[u8; AH_LEN]) -> Ah {
    Ah {
        spi: read32(header, 4).unwrap_or_default(),
        len: (u32::from(header[1]) + 2) * 4,
        reserved: read16(header, 2).unwrap_or_default(),
    }
}

/// The compression's index.
pub fn ipcomp(header: &[u8; IPCOMP_LEN]) -> u16 {
    read16(header, 2).unwrap_or_default()
}
