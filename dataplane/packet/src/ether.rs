//! The Ethernet header.

use crate::parse::ParseError;
use crate::vlan;

/// Length in bytes of a header without a VLAN tag.
pub const HEADER_LEN: usize = 14;
/// The broadcast address.
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// One frame's link layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ethernet {
    /// Destination address.
    pub dst: [u8; 6],
    /// Source address.
    pub src: [u8; 6],
    /// What follows the header, behind one VLAN tag where there is one.
    pub ethertype: u16,
    /// Length in bytes: 14, or 18 with a VLAN tag.
    pub header_len: u16,
    /// The VLAN's number (12 bits, without priority), when tagged.
    pub vlan: Option<u16>,
}

impl Ethernet {
    /// Reads the header at the front of a frame. Of two tags only the outer one is read: the inner one's EtherType is then what follows.
    #[inline]
    pub(crate) fn read(frame: &[u8]) -> Result<Self, ParseError> {
        let header: &[u8; HEADER_LEN] = frame.first_chunk().ok_or(ParseError::FrameTooShort)?;
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
        let outer = u16::from_be_bytes([t0, t1]);
        let tag =
            if vlan::is_tag(outer) { Some(vlan::Tag::read(&frame[HEADER_LEN..]).ok_or(ParseError::FrameTooShort)?) } else { None };
        Ok(Self {
            dst: [d0, d1, d2, d3, d4, d5],
            src: [s0, s1, s2, s3, s4, s5],
            ethertype: tag.map_or(outer, |t| t.ethertype),
            header_len: (HEADER_LEN + if tag.is_some() { vlan::TAG_LEN } else { 0 }) as u16,
            vlan: tag.map(|t| t.id),
        })
    }
}

/// Is this a group address (broadcast included)?
#[inline]
pub fn is_multicast(address: [u8; 6]) -> bool {
    address[0] & 1 != 0
}

/// An untagged header.
#[inline]
pub fn header(dst: [u8; 6], src: [u8; 6], ethertype: u16) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..6].copy_from_slice(&dst);
    header[6..12].copy_from_slice(&src);
    header[12..].copy_from_slice(&ethertype.to_be_bytes());
    header
}

/// Writes an untagged header to the front of a frame; `false`, and nothing written, when there is no room.
#[inline]
pub fn write(frame: &mut [u8], dst: [u8; 6], src: [u8; 6], ethertype: u16) -> bool {
    put(frame, &header(dst, src, ethertype))
}

/// Writes this header to the front of a frame; `false`, and nothing written, when there is no room.
#[inline]
pub fn put(frame: &mut [u8], header: &[u8; HEADER_LEN]) -> bool {
    let Some(place) = frame.first_chunk_mut() else { return false };
    *place = *header;
    true
}

/// The Ethernet address that a multicast IPv4 group is sent to (RFC 1112).
pub fn ipv4_group(group: u32) -> [u8; 6] {
    let [_, b, c, d] = group.to_be_bytes();
    [0x01, 0x00, 0x5e, b & 0x7f, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_header_reads_back() {
        let mut frame = [0u8; 64];
        assert!(write(&mut frame, [2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], 0x0800));
        let read = Ethernet::read(&frame).unwrap();
        assert_eq!(read.dst, [2, 0, 0, 0, 0, 1]);
        assert_eq!(read.src, [2, 0, 0, 0, 0, 2]);
        assert_eq!((read.ethertype, read.header_len, read.vlan), (0x0800, 14, None));
    }

    #[test]
    fn one_tag_is_read_and_its_priority_left_out() {
        let mut frame = [0u8; 18];
        write(&mut frame, BROADCAST, [2; 6], vlan::TPID_8021Q);
        frame[14..].copy_from_slice(&[0xe0, 0x2a, 0x08, 0x00]);
        let read = Ethernet::read(&frame).unwrap();
        assert_eq!((read.ethertype, read.header_len, read.vlan), (0x0800, 18, Some(42)));
        assert!(is_multicast(read.dst));
    }

    #[test]
    fn cut_headers_are_refused() {
        assert_eq!(Ethernet::read(&[0; 13]), Err(ParseError::FrameTooShort));
        let mut frame = [0u8; 17];
        write(&mut frame, BROADCAST, [2; 6], vlan::TPID_8021Q);
        assert_eq!(Ethernet::read(&frame), Err(ParseError::FrameTooShort));
        assert!(!write(&mut [0; 13], BROADCAST, BROADCAST, 0));
    }

    #[test]
    fn groups_map_to_their_23_low_bits() {
        assert_eq!(ipv4_group(0xe080_0001), [0x01, 0x00, 0x5e, 0x00, 0x00, 0x01]);
    }
}
