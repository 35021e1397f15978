//! What a router does to a packet that goes on: one hop less, and other ends where it is translated. For packets without options or extension headers, in one piece;
//! what was read of the packet before is true no longer.

use crate::checksum::{change, changed};
use crate::family::{Addr, Family, FamilyId};
use crate::header::{Header, L4};
use crate::set::{Ends, SetError};
use crate::{ipv4, ipv6, protocol, tcp, udp};

/// One hop less, of which there is one at least, for a packet that begins with the IP header.
#[inline(always)]
pub fn less<F: Family>(packet: &mut [u8]) -> Result<(), SetError> {
    match F::ID {
        FamilyId::Ipv4 => {
            let header: &mut [u8; ipv4::HEADER_LEN] = packet.first_chunk_mut().ok_or(SetError::OutOfReach)?;
            let bytes: &mut [u8; 4] = header[ipv4::TTL_AT..].first_chunk_mut().ok_or(SetError::OutOfReach)?;
            debug_assert!(bytes[0] > 0);
            *bytes = one_less(u32::from_le_bytes(*bytes)).to_le_bytes();
        }
        FamilyId::Ipv6 => {
            let hops = packet.get_mut(ipv6::HOP_LIMIT_AT).ok_or(SetError::OutOfReach)?;
            *hops = hops.wrapping_sub(1);
        }
    }
    Ok(())
}

/// TTL, protocol and above them the checksum, with a TTL of one less: the checksum gains a one in the byte of the TTL, and another one where that takes it round.
/// The sum of ones' complement does not mind the order of bytes.
#[inline(always)]
fn one_less(word: u32) -> u32 {
    const CHECKSUM: u64 = 1 << 16;
    let less = u64::from(word) + (CHECKSUM - 1);
    let is_round = less >= 0xffff * CHECKSUM;
    (if is_round { less + CHECKSUM } else { less }) as u32
}

/// One hop less, and other ends, for a TCP or UDP packet that begins with the IP header. `header` is what was read of it.
#[inline(always)]
pub fn between<F: Family>(packet: &mut [u8], header: &Header<F>, new: &Ends<F>) -> Result<(), SetError> {
    let (ip, l4) = packet.split_at_mut_checked(F::HEADER_LEN).ok_or(SetError::OutOfReach)?;
    let addresses = change(header.src, new.src) + change(header.dst, new.dst);
    let new_ports = ports(new.sport, new.dport);
    match header.transport {
        L4::Tcp { sport, dport, .. } => {
            let l4: &mut [u8; tcp::HEADER_LEN] = l4.first_chunk_mut().ok_or(SetError::OutOfReach)?;
            let gain = addresses + change(ports(sport, dport), new_ports);
            l4[..4].copy_from_slice(&new_ports.to_be_bytes());
            mend(l4, tcp::CHECKSUM_AT, |check| changed(check, gain));
        }
        L4::Udp { sport, dport, .. } => {
            let l4: &mut [u8; udp::HEADER_LEN] = l4.first_chunk_mut().ok_or(SetError::OutOfReach)?;
            let gain = addresses + change(ports(sport, dport), new_ports);
            l4[..4].copy_from_slice(&new_ports.to_be_bytes());
            let is_optional = header.protocol == protocol::UDP;
            mend(l4, udp::CHECKSUM_AT, |check| match changed(check, gain) {
                _ if is_optional && check == 0 => 0,
                0 => 0xffff,
                sum => sum,
            });
        }
        _ => return Err(SetError::NoSuchField),
    }
    match F::ID {
        FamilyId::Ipv4 => {
            let ip: &mut [u8; ipv4::HEADER_LEN] = ip.first_chunk_mut().ok_or(SetError::OutOfReach)?;
            // The TTL is the upper byte of its word.
            ip[ipv4::TTL_AT] = ip[ipv4::TTL_AT].wrapping_sub(1);
            let gain = addresses + u64::from(!(1u16 << 8));
            mend(ip, ipv4::CHECKSUM_AT, |check| changed(check, gain));
        }
        FamilyId::Ipv6 => ip[ipv6::HOP_LIMIT_AT] = ip[ipv6::HOP_LIMIT_AT].wrapping_sub(1),
    }
    let written = new.src.write(&mut ip[F::SRC_AT..]) && new.dst.write(&mut ip[F::DST_AT..]);
    debug_assert!(written, "an IP header has both addresses");
    Ok(())
}

fn ports(src: u16, dst: u16) -> u32 {
    u32::from(src) << 16 | u32::from(dst)
}

#[inline(always)]
fn mend<const LEN: usize>(header: &mut [u8; LEN], at: usize, mended: impl FnOnce(u16) -> u16) {
    let check = mended(u16::from_be_bytes([header[at], header[at + 1]]));
    [header[at], header[at + 1]] = check.to_be_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum;

    /// With every checksum that can be: what RFC 1624 makes of it.
    #[test]
    fn a_hop_less_is_what_the_sum_says() {
        for check in 0..=u16::MAX {
            for (ttl, protocol) in [(255, 255), (64, 6), (2, 17), (1, 0)] {
                let [high, low] = check.to_be_bytes();
                let word = u32::from_le_bytes([ttl, protocol, high, low]);
                let (before, after) = (u16::from_be_bytes([ttl, protocol]), u16::from_be_bytes([ttl - 1, protocol]));
                let [high, low] = checksum::update16(check, before, after).to_be_bytes();
                assert_eq!(one_less(word).to_le_bytes(), [ttl - 1, protocol, high, low], "{check:04x}");
            }
        }
    }
}
