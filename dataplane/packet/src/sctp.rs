//! SCTP (RFC 9260): the common header, the chunks behind it, and the checksum over all of it.

use crate::bytes::{read16, read32};
use crate::family::Family;
use crate::header::Header;

/// Length in bytes of the common header: ports, verification tag, checksum.
pub const HEADER_LEN: usize = 12;

/// Offset of the verification tag.
const TAG_AT: usize = 4;
/// Offset of the checksum.
pub const CHECKSUM_AT: usize = 8;
/// Bytes of a chunk's type, flags and length.
const CHUNK_HEADER_LEN: usize = 4;

/// Chunk types (RFC 9260 section 3.2).
pub mod chunk {
    /// DATA
    pub const DATA: u8 = 0;
    /// INIT
    pub const INIT: u8 = 1;
    /// INIT ACK
    pub const INIT_ACK: u8 = 2;
    /// HEARTBEAT
    pub const HEARTBEAT: u8 = 4;
    /// HEARTBEAT ACK
    pub const HEARTBEAT_ACK: u8 = 5;
    /// ABORT
    pub const ABORT: u8 = 6;
    /// SHUTDOWN
    pub const SHUTDOWN: u8 = 7;
    /// SHUTDOWN ACK
    pub const SHUTDOWN_ACK: u8 = 8;
    /// ERROR
    pub const ERROR: u8 = 9;
    /// COOKIE ECHO
    pub const COOKIE_ECHO: u8 = 10;
    /// COOKIE ACK
    pub const COOKIE_ACK: u8 = 11;
    /// SHUTDOWN COMPLETE
    pub const SHUTDOWN_COMPLETE: u8 = 14;
}

/// One chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Its type: see [`chunk`].
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its length in bytes as it says itself, header included: it may say 0, or more than is there.
    pub len: u16,
    /// What is behind its header, to the end of the packet.
    rest: &'a [u8],
}

impl Chunk<'_> {
    /// The initiate tag of INIT and INIT ACK, if that much of the fixed part is there.
    pub fn initiate_tag(&self) -> Option<u32> {
        /// Tag, window, streams out and in, first number.
        const INIT_LEN: usize = 16;
        self.rest.get(..INIT_LEN).and_then(|init| read32(init, 0))
    }
}

/// The chunks of a packet, in their order. Ends at the end of the packet, and behind a chunk that says it has no length.
#[derive(Clone, Debug)]
pub struct Chunks<'a>(&'a [u8]);

impl Chunks<'_> {
    /// Is there something left? Behind the last chunk that is the beginning of another one.
    pub fn has_more(&self) -> bool {
        !self.0.is_empty()
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (head, rest) = self.0.split_at_checked(CHUNK_HEADER_LEN)?;
        let len = read16(head, 2)?;
        let next = usize::from(len).next_multiple_of(4);
        self.0 = if len == 0 { &[] } else { self.0.get(next..).unwrap_or_default() };
        Some(Chunk { kind: head[0], flags: head[1], len, rest })
    }
}

/// The verification tag and the chunks of an SCTP packet whose bytes, as far as they are contiguous, are `head`; `None` for any other packet, and
/// where the common header is not there. Chunks that begin behind the head are not seen.
pub fn read<'a, F: Family>(header: &Header<F>, head: &'a [u8]) -> Option<(u32, Chunks<'a>)> {
    if header.protocol != crate::protocol::SCTP {
        return None;
    }
    let bytes = head.get(usize::from(header.l4)..)?;
    let bytes = bytes.get(..header.l4_len() as usize).unwrap_or(bytes);
    let tag = read32(bytes, TAG_AT)?;
    Some((tag, Chunks(bytes.get(HEADER_LEN..)?)))
}

/// The polynomial 0x1edc6f41, bits reversed (RFC 9260 appendix A).
const POLYNOMIAL: u32 = 0x82f6_3b78;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// Takes one more byte into a CRC-32c, without the inversions at its beginning and end.
#[inline]
pub fn crc32c_feed(crc: u32, byte: u8) -> u32 {
    TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8
}

/// Makes the checksum right of an SCTP packet, or of as much of one as there is. `None`, and nothing written, without a whole common header.
pub fn seal(packet: &mut [u8]) -> Option<()> {
    let field = packet.get_mut(CHECKSUM_AT..HEADER_LEN)?;
    field.fill(0);
    let crc = !packet.iter().fold(u32::MAX, |crc, byte| crc32c_feed(crc, *byte));
    packet.get_mut(CHECKSUM_AT..HEADER_LEN)?.copy_from_slice(&crc.to_le_bytes());
    Some(())
}

/// Is the checksum right? `segments` are the frame's from its first byte on.
pub(crate) fn checksum_is_right<'a, F: Family>(header: &Header<F>, segments: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let (mut skip, mut left) = (usize::from(header.l4), header.l4_len() as usize);
    let (mut crc, mut at, mut field) = (u32::MAX, 0, [0; 4]);
    for segment in segments {
        let begin = skip.min(segment.len());
        skip -= begin;
        let bytes = &segment[begin..];
        let bytes = &bytes[..left.min(bytes.len())];
        left -= bytes.len();
        for &byte in bytes {
            // The field itself counts as zero.
            let is_field = (CHECKSUM_AT..CHECKSUM_AT + field.len()).contains(&at);
            if is_field {
                field[at - CHECKSUM_AT] = byte;
            }
            crc = crc32c_feed(crc, if is_field { 0 } else { byte });
            at += 1;
        }
    }
    left == 0 && at >= HEADER_LEN && u32::from_le_bytes(field) == !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_crc32c() {
        assert_eq!(!b"123456789".iter().fold(u32::MAX, |crc, byte| crc32c_feed(crc, *byte)), 0xe306_9283);
    }

    #[test]
    fn chunks_are_walked_by_their_padded_lengths() {
        let bytes = [0, 3, 0, 5, 9, 0, 0, 0, 7, 0, 0, 4, 14, 1, 0, 0, 6, 0, 0, 4];
        let seen: Vec<(u8, u8, u16)> = Chunks(&bytes).map(|chunk| (chunk.kind, chunk.flags, chunk.len)).collect();
        assert_eq!(seen, [(0, 3, 5), (7, 0, 4), (14, 1, 0)], "nothing is behind a chunk without a length");
        assert_eq!(Chunks(&bytes[..3]).next(), None);
    }
}
