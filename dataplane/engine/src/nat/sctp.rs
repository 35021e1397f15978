//! SCTP's checksum under a change of ports.
//!
//! CRC-32c is linear: the difference that changed bytes make is the CRC of the difference, carried over as many zero bytes as follow. So the
//! checksum is mended without the data, at a step for each byte of the packet.

use packet::sctp::{CHECKSUM_AT, crc32c_feed as feed};
use packet::{Family, Header, L4};

use super::Side;

/// Sets a port and mends the checksum. `None`, and nothing written, when the head does not hold both.
pub(super) fn set_port<F: Family>(head: &mut [u8], header: &mut Header<F>, side: Side, new: u16) -> Option<()> {
    let len = header.l4_len() as usize;
    let bytes = head.get_mut(usize::from(header.l4)..)?;
    let checksum = u32::from_le_bytes(*bytes.get(CHECKSUM_AT..)?.first_chunk()?);
    let old = set_quoted_port(bytes, side, new)?;
    let changed = (old ^ new).to_be_bytes();
    let behind = len.saturating_sub(port_at(side) + changed.len());
    let crc = changed.iter().fold(0, |crc, byte| feed(crc, *byte));
    let difference = (0..behind).fold(crc, |crc, _| feed(crc, 0));
    bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&(checksum ^ difference).to_le_bytes());
    if let L4::Ports { sport, dport } = &mut header.transport {
        match side {
            Side::Src => *sport = new,
            Side::Dst => *dport = new,
        }
    }
    Some(())
}

/// Sets a port of an SCTP header at the beginning of `bytes`, and gives the old one. The checksum is the caller's.
pub(super) fn set_quoted_port(bytes: &mut [u8], side: Side, new: u16) -> Option<u16> {
    let place: &mut [u8; 2] = bytes.get_mut(port_at(side)..)?.first_chunk_mut()?;
    let old = u16::from_be_bytes(*place);
    *place = new.to_be_bytes();
    Some(old)
}

fn port_at(side: Side) -> usize {
    match side {
        Side::Src => 0,
        Side::Dst => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| feed(crc, *byte))
    }

    #[test]
    fn a_mended_checksum_is_the_computed_one() {
        use packet::{Fragment, Ipv4};
        let mut head = vec![0u8; 34];
        let mut sctp: Vec<u8> = (0..44u8).map(|i| i.wrapping_mul(7) + 3).collect();
        sctp[8..12].fill(0);
        let sum = crc(&sctp).to_le_bytes();
        sctp[8..12].copy_from_slice(&sum);
        head.extend(&sctp);
        let mut header = Header::<Ipv4> {
            src: 1,
            dst: 2,
            protocol: 132,
            tos: 0,
            ttl: 64,
            l3: 14,
            l4: 34,
            len: 64,
            id: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment: Fragment::Whole,
            transport: L4::Ports { sport: 0x030a, dport: 0x1118 },
        };
        for (side, port) in [(Side::Src, 40000), (Side::Dst, 2905)] {
            assert_eq!(set_port(&mut head, &mut header, side, port), Some(()));
            let mut expected = head[34..].to_vec();
            expected[8..12].fill(0);
            assert_eq!(head[42..46], crc(&expected).to_le_bytes());
        }
        assert_eq!(header.ports(), Some((40000, 2905)));
        assert_eq!(set_port(&mut head[..40], &mut header, Side::Src, 1), None);
    }
}
