//! The Internet checksum (RFC 1071) and its incremental update (RFC 1624).

use crate::bytes::read16;
use crate::family::{Addr, Family};
use crate::header::{Fragment, Header, L4};
use crate::{icmp, protocol, sctp, tcp, udp};

/// Adds `bytes` to a sum of big-endian 16-bit words. An odd last byte counts as a word with a zero behind it. The result is
/// below 2^16, so that a few of them can be added before [`fold`] ends the sum; it is 0 only when every byte so far was 0.
#[inline]
pub fn partial(bytes: &[u8], sum: u32) -> u32 {
    let mut total = u64::from(sum);
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        let eight = u64::from_be_bytes(*chunk);
        total += (eight >> 32) + (eight & 0xffff_ffff);
    }
    let (words, odd) = rest.as_chunks::<2>();
    for word in words {
        total += u64::from(u16::from_be_bytes(*word));
    }
    if let [last] = odd {
        total += u64::from(*last) << 8;
    }
    while total > 0xffff {
        total = (total >> 16) + (total & 0xffff);
    }
    total as u32
}

/// Is the checksum of an IPv4 header without options, which is not all zeros, right?
#[inline]
pub(crate) fn is_right_of_20(header: &[u8; 20]) -> bool {
    let (words, _) = header.as_chunks::<4>();
    // The sum of ones' complement does not mind the order of bytes, and is what is left of the plain sum of wider words when 0xffff is taken from it as often as
    // may be: all bits, or none.
    let sum: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    sum.is_multiple_of(0xffff)
}

/// Folds a sum to 16 bits and complements it: the value of a checksum field.
#[inline]
pub fn fold(sum: u32) -> u16 {
    !fold_sum(sum)
}

#[inline]
fn fold_sum(sum: u32) -> u16 {
    let sum = (sum >> 16) + (sum & 0xffff);
    ((sum >> 16) + (sum & 0xffff)) as u16
}

/// The sum of `len` bytes at `skip` of a packet in segments; `None` when it ends before.
pub fn over<'a>(segments: impl IntoIterator<Item = &'a [u8]>, skip: usize, len: usize) -> Option<u32> {
    let (mut skip, mut left, mut odd, mut sum) = (skip, len, false, 0u32);
    for segment in segments {
        if left == 0 {
            break;
        }
        let Some(bytes) = segment.get(skip..) else {
            skip -= segment.len();
            continue;
        };
        skip = 0;
        let bytes = &bytes[..bytes.len().min(left)];
        let here = fold_sum(partial(bytes, 0));
        sum += u32::from(if odd { here.swap_bytes() } else { here });
        sum = u32::from(fold_sum(sum));
        odd ^= bytes.len() % 2 == 1;
        left -= bytes.len();
    }
    (left == 0).then_some(sum)
}

/// The checksum of an IPv4 header, computed as if its checksum field were 0.
pub fn ipv4_header(header: &[u8]) -> u16 {
    let sum = match header.split_at_checked(10) {
        Some((before, rest)) => partial(rest.get(2..).unwrap_or_default(), partial(before, 0)),
        None => partial(header, 0),
    };
    fold(sum)
}

/// The field `check` after a word that it covers went from `old` to `new`.
#[inline]
pub fn update16(check: u16, old: u16, new: u16) -> u16 {
    fold(u32::from(!check) + u32::from(!old) + u32::from(new))
}

/// The field `check` after an aligned pair of words that it covers went from `old` to `new`.
#[inline]
pub fn update32(check: u16, old: u32, new: u32) -> u16 {
    let high = update16(check, (old >> 16) as u16, (new >> 16) as u16);
    update16(high, old as u16, new as u16)
}

/// What the sum of words gains when an address, or a pair of words, goes from `old` to `new`: for [`changed`].
#[inline]
pub(crate) fn change<A: Addr>(old: A, new: A) -> u64 {
    let words = |address: A| (0..A::LEN / 4).map(move |at| u64::from(address.word(at)));
    words(old).map(|word| u64::from(!(word as u32))).sum::<u64>() + words(new).sum::<u64>()
}

/// The field `check` after what it covers gained so much, all of it aligned to words: at most some 2^40.
#[inline]
pub(crate) fn changed(check: u16, gain: u64) -> u16 {
    let sum = u64::from(!check) + gain;
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    !((sum >> 16) + (sum & 0xffff)) as u16
}

/// The field `check` after an address that it covers went from `old` to `new`.
pub fn update_addr<A: Addr>(check: u16, old: A, new: A) -> u16 {
    let (old, new) = (fold_sum(addr_sum(old)), fold_sum(addr_sum(new)));
    update16(check, old, new)
}

fn addr_sum<A: Addr>(address: A) -> u32 {
    let mut bytes = [0u8; 16];
    address.write(&mut bytes);
    partial(&bytes, 0)
}

/// The sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1) for a payload of `len` bytes.
pub fn pseudo_header<F: Family>(src: F::Addr, dst: F::Addr, protocol: u8, len: u32) -> u32 {
    let addresses = u32::from(fold_sum(addr_sum(src))) + u32::from(fold_sum(addr_sum(dst)));
    addresses + u32::from(protocol) + (len >> 16) + (len & 0xffff)
}

/// A transport protocol's checksum field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Offset in the transport header, in bytes.
    pub(crate) at: usize,
    /// Does it cover the addresses?
    pub(crate) pseudo_header: bool,
    /// Does 0 say that there is no checksum?
    pub(crate) optional: bool,
    /// Is a computed 0 written as 0xffff?
    pub(crate) avoids_zero: bool,
}

/// The checksum field of a protocol that has one of this kind. SCTP's CRC is none; DCCP's is no longer known to the kernel's NAT (seen with Linux
/// 6.18).
pub(crate) fn field<F: Family>(number: u8) -> Option<Field> {
    Some(match number {
        protocol::TCP => Field { at: tcp::CHECKSUM_AT, pseudo_header: true, optional: false, avoids_zero: false },
        protocol::UDP => Field { at: udp::CHECKSUM_AT, pseudo_header: true, optional: true, avoids_zero: true },
        protocol::UDPLITE => Field { at: udp::CHECKSUM_AT, pseudo_header: true, optional: false, avoids_zero: true },
        n if n == F::ICMP => {
            let pseudo_header = n == protocol::ICMPV6;
            Field { at: icmp::CHECKSUM_AT, pseudo_header, optional: false, avoids_zero: false }
        }
        _ => return None,
    })
}

/// How much of the payload the checksum covers: all of it, but for UDP-Lite, whose length field says how much (0 is all).
fn coverage<F: Family>(header: &Header<F>) -> Option<usize> {
    let all = header.l4_len() as usize;
    match (header.protocol, header.transport) {
        (protocol::UDPLITE, L4::Udp { len: 0, .. }) => Some(all),
        (protocol::UDPLITE, L4::Udp { len, .. }) => {
            let len = usize::from(len);
            (udp::HEADER_LEN..=all).contains(&len).then_some(len)
        }
        _ => Some(all),
    }
}

/// Is the transport checksum right? True for protocols without one that is looked into (DCCP), for UDP without one, and for fragments, where it cannot be known; false for a header that is cut short.
///
/// As the kernel's `nf_ip_checksum` it covers the whole IP payload, whatever UDP's length field says. `segments` are the frame's from its
/// first byte on; the first must hold the transport header.
pub fn l4_verify<'a, F: Family>(header: &Header<F>, segments: impl IntoIterator<Item = &'a [u8]>) -> bool {
    if header.fragment != Fragment::Whole {
        return true;
    }
    match header.transport {
        L4::Truncated { .. } => return false,
        L4::Ports { .. } if header.protocol == protocol::SCTP => return sctp::checksum_is_right(header, segments),
        L4::Absent | L4::Lost | L4::Ports { .. } | L4::EnhancedGre { .. } | L4::Other => return true,
        L4::Tcp { .. } | L4::Udp { .. } | L4::Icmp { .. } => {}
    }
    sums_up(header, segments)
}

/// Does the packet say that it has no transport checksum? Only UDP can. `head` is the frame's first segment.
pub fn is_absent<F: Family>(header: &Header<F>, head: &[u8]) -> bool {
    field::<F>(header.protocol).is_some_and(|field| field.optional && read16(head, usize::from(header.l4) + field.at) == Some(0))
}

/// Is the transport checksum right for the bytes that are there, fragment or not? The kernel sums the IP header along with them, so bytes that
/// are all zero sum up as well.
pub(crate) fn sums_up<'a, F: Family>(header: &Header<F>, segments: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let Some(field) = field::<F>(header.protocol) else { return true };
    let mut segments = segments.into_iter().peekable();
    match segments.peek().and_then(|head| read16(head, usize::from(header.l4) + field.at)) {
        Some(0) if field.optional => return true,
        Some(0) if field.avoids_zero => return false,
        Some(_) => {}
        None => return false,
    }
    let sum = coverage(header).and_then(|covered| over(segments, usize::from(header.l4), covered));
    // The kernel's tracking takes UDP's number for UDP-Lite's, so it finds right datagrams wrong (seen with Linux 6.18).
    let number = if header.protocol == protocol::UDPLITE { protocol::UDP } else { header.protocol };
    sum.is_some_and(|sum| is_nothing(sum + pseudo(header, field, number)))
}

/// The transport checksum that the packet should carry, whatever its field holds now; `None` for a protocol without one, for fragments, and
/// for a packet that ends before its header says. Used where a sender left the checksum to its hardware. `segments` as for [`l4_verify`].
pub fn l4_compute<'a, F: Family>(header: &Header<F>, segments: impl IntoIterator<Item = &'a [u8]>) -> Option<u16> {
    if header.fragment != Fragment::Whole || matches!(header.transport, L4::Truncated { .. } | L4::Absent | L4::Lost) {
        return None;
    }
    let field = field::<F>(header.protocol)?;
    let covered = coverage(header)?;
    let mut segments = segments.into_iter();
    let payload = segments.next()?.get(usize::from(header.l4)..)?;
    let (before, after) = (payload.get(..field.at)?, payload.get(field.at + 2..)?);
    let after = over(core::iter::once(after).chain(segments), 0, covered.checked_sub(field.at + 2)?)?;
    let value = fold(partial(before, 0) + after + pseudo(header, field, header.protocol));
    Some(if value == 0 && field.avoids_zero { 0xffff } else { value })
}

/// Is this the sum of bytes whose checksum is right, or of nothing but zeroes?
pub(crate) fn is_nothing(sum: u32) -> bool {
    sum == 0 || fold(sum) == 0
}

/// The pseudo-header's part of a sum, for protocols that have one.
fn pseudo<F: Family>(header: &Header<F>, field: Field, number: u8) -> u32 {
    if field.pseudo_header { pseudo_header::<F>(header.src, header.dst, number, header.l4_len()) } else { 0 }
}
