//! The IPv4 header.

use crate::bytes::read16;
use crate::checksum;
use crate::family::{Addr, Family};
use crate::header::{Fragment, Header, L4};
use crate::parse::ParseError;

/// Length in bytes of a header without options.
pub const HEADER_LEN: usize = 20;
/// Longest header: 15 words.
pub const MAX_HEADER_LEN: usize = 60;
/// Where TOS stands.
pub const TOS_AT: usize = 1;
/// Where the total length stands.
pub const TOTAL_LEN_AT: usize = 2;
/// Where TTL stands; the protocol follows it.
pub const TTL_AT: usize = 8;
/// Where the protocol stands.
pub(crate) const PROTOCOL_AT: usize = 9;
/// Where the header's checksum stands.
pub const CHECKSUM_AT: usize = 10;
/// Don't fragment, in the word with the fragment offset.
pub const DONT_FRAGMENT: u16 = 0x4000;
/// More fragments.
pub const MORE_FRAGMENTS: u16 = 0x2000;
/// The offset, in units of 8 bytes.
pub const OFFSET_MASK: u16 = 0x1fff;

/// The checks that the kernel makes of a packet that came in (`ip_rcv_core`), then its fields. `bytes` begin at the IP header and end with
/// the head or the frame; `frame_len` counts what the frame holds from there. The transport header is not read yet.
pub(crate) fn checked<F: Family>(bytes: &[u8], l3: usize, frame_len: usize) -> Result<Header<F>, ParseError> {
    if frame_len < HEADER_LEN {
        return Err(ParseError::HeaderTruncated);
    }
    let fixed: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(ParseError::NotContiguous)?;
    if fixed[0] >> 4 != 4 {
        return Err(ParseError::Version);
    }
    let header_len = header_len(fixed).ok_or(ParseError::HeaderLength)?;
    if frame_len < header_len {
        return Err(ParseError::HeaderTruncated);
    }
    let header = bytes.get(..header_len).ok_or(ParseError::NotContiguous)?;
    if checksum::fold(checksum::partial(header, 0)) != 0 {
        return Err(ParseError::HeaderChecksum);
    }
    let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
    if total > frame_len || total < header_len {
        return Err(ParseError::TotalLength);
    }
    fields(bytes, l3, total)
}

/// Writes the fields of a whole packet without options that all checks find right but that of its length, which is the caller's; `false` for any other. The
/// transport header is not read yet.
#[inline(always)]
pub(crate) fn plain<F: Family>(packet: &[u8], l3: u16, header: &mut Header<F>) -> bool {
    let Some(fixed) = packet.first_chunk::<HEADER_LEN>() else { return false };
    let total = u16::from_be_bytes([fixed[2], fixed[3]]);
    let word = u16::from_be_bytes([fixed[6], fixed[7]]);
    let right = fixed[0] == 0x45 && word & (MORE_FRAGMENTS | OFFSET_MASK) == 0 && checksum::is_right_of_20(fixed);
    let (Some(src), Some(dst), true) = (F::Addr::read(&fixed[F::SRC_AT..]), F::Addr::read(&fixed[F::DST_AT..]), right) else {
        return false;
    };
    (header.src, header.dst) = (src, dst);
    (header.protocol, header.tos, header.ttl) = (fixed[9], fixed[TOS_AT], fixed[TTL_AT]);
    (header.l3, header.l4, header.len) = (l3, l3 + HEADER_LEN as u16, u32::from(total));
    header.id = u32::from(u16::from_be_bytes([fixed[4], fixed[5]]));
    (header.dont_fragment, header.more_fragments, header.fragment) = (word & DONT_FRAGMENT != 0, false, Fragment::Whole);
    true
}

/// The fields, with no check but that the header is there. `len` is what the packet's length shall be.
pub(crate) fn fields<F: Family>(bytes: &[u8], l3: usize, len: usize) -> Result<Header<F>, ParseError> {
    let fixed: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(ParseError::NotContiguous)?;
    let header_len = header_len(fixed).ok_or(ParseError::HeaderLength)?;
    if header_len > len {
        return Err(ParseError::HeaderTruncated);
    }
    let word = read16(fixed, 6).ok_or(ParseError::NotContiguous)?;
    Ok(Header {
        src: fixed.get(F::SRC_AT..).and_then(F::Addr::read).ok_or(ParseError::NotContiguous)?,
        dst: fixed.get(F::DST_AT..).and_then(F::Addr::read).ok_or(ParseError::NotContiguous)?,
        protocol: fixed[9],
        tos: fixed[TOS_AT],
        ttl: fixed[TTL_AT],
        l3: u16::try_from(l3).map_err(|_| ParseError::NotContiguous)?,
        l4: u16::try_from(l3 + header_len).map_err(|_| ParseError::NotContiguous)?,
        len: len as u32,
        id: read16(fixed, 4).map(u32::from).ok_or(ParseError::NotContiguous)?,
        dont_fragment: word & DONT_FRAGMENT != 0,
        more_fragments: word & MORE_FRAGMENTS != 0,
        fragment: Fragment::at((word & OFFSET_MASK) * 8, word & MORE_FRAGMENTS != 0),
        transport: L4::Absent,
    })
}

/// The header's length in bytes, or `None` when it claims less than the fixed part.
pub(crate) fn header_len(fixed: &[u8; HEADER_LEN]) -> Option<usize> {
    let len = usize::from(fixed[0] & 0x0f) * 4;
    (len >= HEADER_LEN).then_some(len)
}
