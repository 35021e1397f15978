//! `-m hashlimit` (`xt_hashlimit.c`): is the packet within the rate of those that have something in common with it?

use packet::{Family, FamilyId, Fragment, Header, L4, protocol};
use program::HashlimitTest;

use crate::drop::DropReason;
use crate::hashlimit::{Asked, Buckets, Key};
use crate::named::{NamedHash, bits};
use crate::time::Time;

/// Asks it of a packet. Where its ports are asked for and are not there, or there is no room for its bucket, the packet is dropped on the spot.
pub(crate) fn ask<F: Family>(
    test: &HashlimitTest,
    buckets: &Buckets,
    (head, header): (&[u8], &Header<F>),
    (hash, now): (&NamedHash, Time),
) -> Result<bool, DropReason> {
    let group = buckets.group();
    let (sport, dport) = match group.sport || group.dport {
        true => ports(head, header).ok_or(DropReason::HotDrop)?,
        false => (0, 0),
    };
    let key = Key {
        src: bits(header.src) & group.src,
        dst: bits(header.dst) & group.dst,
        ports: (if group.sport { sport } else { 0 }, if group.dport { dport } else { 0 }),
    };
    let mut bytes = [0; 36];
    bytes[..16].copy_from_slice(&key.src.to_be_bytes());
    bytes[16..32].copy_from_slice(&key.dst.to_be_bytes());
    bytes[32..34].copy_from_slice(&key.ports.0.to_be_bytes());
    bytes[34..].copy_from_slice(&key.ports.1.to_be_bytes());
    let asked = Asked { key, hash: hash.of(&bytes), bytes: header.len, now };
    let within = buckets.ask(&asked).map_err(|_| DropReason::HashlimitFull)?;
    Ok(within != test.above)
}

/// What stands where ports do (of ESP and AH the SPI), also in a later fragment of IPv4; 0 of a protocol without. `None` where it is cut off.
fn ports<F: Family>(head: &[u8], header: &Header<F>) -> Option<(u16, u16)> {
    let is_ipv6 = F::ID == FamilyId::Ipv6;
    let end = usize::from(header.l3) + header.len as usize;
    let bytes = &head[..end.min(head.len())];
    let (mut at, mut kind) = (usize::from(header.l4), header.protocol);
    if is_ipv6 {
        if header.transport == L4::Lost {
            return None;
        }
        if matches!(header.fragment, Fragment::Later(_)) {
            return Some((0, 0));
        }
        // There it is one of the headers before.
        if kind == protocol::AH {
            let &[next, words] = bytes.get(at..at + 2)? else { return None };
            (at, kind) = (at + 4 * (usize::from(words) + 2), next);
        }
        if kind == protocol::NO_NEXT_HEADER {
            return None;
        }
    }
    at += match kind {
        protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP | protocol::DCCP | protocol::ESP => 0,
        protocol::AH => 4,
        _ => return Some((0, 0)),
    };
    let &[a, b, c, d] = bytes.get(at..at + 4)? else { return None };
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}
