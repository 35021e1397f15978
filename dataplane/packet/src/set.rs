//! Writes to headers in place. Every setter keeps the IP and the transport checksum right by RFC 1624, and the parsed [`Header`] true.
//!
//! UDP's checksum 0 stays 0, a computed 0 becomes 0xffff. A later fragment has no transport checksum to mend; a first one's covers the
//! whole datagram and is mended. A checksum field that lies behind the packet's end (the packet that an ICMP error quotes is often cut) is
//! left alone: there is none. Everything that a setter touches must be in `head`; [`crate::parse::need`] says how much that is.

use thiserror::Error;

use crate::bytes::{read16, read32, write16};
use crate::checksum::{self, update_addr, update16, update32};
use crate::family::{Addr, Family, FamilyId};
use crate::header::{Fragment, Header, L4};
use crate::options::{self, tcp::kind};
use crate::{ipv4, ipv6, protocol};

/// Why nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SetError {
    /// The packet has no such field (ports of ICMP, a transport field of a later fragment), or its checksum cannot be kept right (SCTP).
    #[error("the packet has no such field")]
    NoSuchField,
    /// The field lies behind the end of the head.
    #[error("the field is not in the contiguous part of the packet")]
    OutOfReach,
}

/// Sets the source address.
pub fn src<F: Family>(head: &mut [u8], header: &mut Header<F>, new: F::Addr) -> Result<(), SetError> {
    address(head, header, F::SRC_AT, header.src, new)?;
    header.src = new;
    Ok(())
}

/// Sets the destination address.
pub fn dst<F: Family>(head: &mut [u8], header: &mut Header<F>, new: F::Addr) -> Result<(), SetError> {
    address(head, header, F::DST_AT, header.dst, new)?;
    header.dst = new;
    Ok(())
}

fn address<F: Family>(head: &mut [u8], header: &Header<F>, at: usize, old: F::Addr, new: F::Addr) -> Result<(), SetError> {
    let place = head.get_mut(usize::from(header.l3) + at..).ok_or(SetError::OutOfReach)?;
    if !new.write(place) {
        return Err(SetError::OutOfReach);
    }
    mend_ip(head, header, |check| update_addr(check, old, new));
    mend_l4(head, header, Covers::Addresses, |check| update_addr(check, old, new));
    Ok(())
}

/// Sets the source port.
pub fn sport<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u16) -> Result<(), SetError> {
    write_port(head, header, 0, new)?;
    if let L4::Tcp { sport, .. } | L4::Udp { sport, .. } | L4::Ports { sport, .. } = &mut header.transport {
        *sport = new;
    }
    Ok(())
}

/// Sets the destination port.
pub fn dport<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u16) -> Result<(), SetError> {
    write_port(head, header, 2, new)?;
    if let L4::Tcp { dport, .. } | L4::Udp { dport, .. } | L4::Ports { dport, .. } = &mut header.transport {
        *dport = new;
    }
    Ok(())
}

fn write_port<F: Family>(head: &mut [u8], header: &Header<F>, at: usize, new: u16) -> Result<(), SetError> {
    if header.ports().is_none() || header.protocol == protocol::SCTP {
        return Err(SetError::NoSuchField);
    }
    l4_word(head, header, at, new)
}

/// Sets the identifier of an ICMP query.
pub fn icmp_id<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u16) -> Result<(), SetError> {
    let L4::Icmp { id, .. } = &mut header.transport else { return Err(SetError::NoSuchField) };
    *id = new;
    l4_word(head, header, 4, new)
}

/// Both ends of a packet with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends<F: Family> {
    /// Source address.
    pub src: F::Addr,
    /// Destination address.
    pub dst: F::Addr,
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
}

/// Sets TTL or the hop limit.
#[inline(always)]
pub fn ttl<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u8) -> Result<(), SetError> {
    let packet = head.get_mut(usize::from(header.l3)..).ok_or(SetError::OutOfReach)?;
    match F::ID {
        FamilyId::Ipv4 => {
            let header: &mut [u8; ipv4::HEADER_LEN] = packet.first_chunk_mut().ok_or(SetError::OutOfReach)?;
            let bytes: &mut [u8; 4] = header[ipv4::TTL_AT..].first_chunk_mut().ok_or(SetError::OutOfReach)?;
            // TTL and protocol, and above them the checksum. The sum of ones' complement does not mind the order of bytes.
            let (old, check) = (u32::from_le_bytes(*bytes) as u16, (u32::from_le_bytes(*bytes) >> 16) as u16);
            let now = old & 0xff00 | u16::from(new);
            *bytes = (u32::from(update16(check, old, now)) << 16 | u32::from(now)).to_le_bytes();
        }
        FamilyId::Ipv6 => *packet.get_mut(ipv6::HOP_LIMIT_AT).ok_or(SetError::OutOfReach)? = new,
    }
    header.ttl = new;
    Ok(())
}

/// Sets the TOS byte or the traffic class, all eight bits.
pub fn tos<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u8) -> Result<(), SetError> {
    let at = usize::from(header.l3);
    let old = read16(head, at).ok_or(SetError::OutOfReach)?;
    let now = match F::ID {
        FamilyId::Ipv4 => old & 0xff00 | u16::from(new),
        FamilyId::Ipv6 => old & 0xf00f | u16::from(new) << 4,
    };
    write16(head, at, now).ok_or(SetError::OutOfReach)?;
    mend_ip(head, header, |check| update16(check, old, now));
    header.tos = new;
    Ok(())
}

/// Sets IPv4's identification.
pub fn ipv4_id<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u16) -> Result<(), SetError> {
    if F::ID != FamilyId::Ipv4 {
        return Err(SetError::NoSuchField);
    }
    ip_word(head, header, 4, new)?;
    header.id = u32::from(new);
    Ok(())
}

/// Sets IPv4's total length. The transport checksum is not touched: whoever changes the length changes the data.
pub fn ipv4_total_len<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u16) -> Result<(), SetError> {
    if F::ID != FamilyId::Ipv4 {
        return Err(SetError::NoSuchField);
    }
    ip_word(head, header, ipv4::TOTAL_LEN_AT, new)?;
    header.len = u32::from(new);
    Ok(())
}

/// Sets IPv4's fragment offset (in bytes, a multiple of 8) and its more-fragments flag; the other flags stay. The parsed transport header
/// stays as it was: a caller that turns a packet into a later fragment reads it anew.
pub fn ipv4_fragment<F: Family>(head: &mut [u8], header: &mut Header<F>, offset: u16, more: bool) -> Result<(), SetError> {
    if F::ID != FamilyId::Ipv4 {
        return Err(SetError::NoSuchField);
    }
    let old = read16(head, usize::from(header.l3) + 6).ok_or(SetError::OutOfReach)?;
    let flags = old & !(ipv4::OFFSET_MASK | ipv4::MORE_FRAGMENTS) | if more { ipv4::MORE_FRAGMENTS } else { 0 };
    ip_word(head, header, 6, flags | (offset / 8))?;
    header.more_fragments = more;
    header.fragment = Fragment::at(offset & !7, more);
    Ok(())
}

/// Lets an IPv4 packet be cut on its way.
pub fn ipv4_may_fragment<F: Family>(head: &mut [u8], header: &mut Header<F>) -> Result<(), SetError> {
    if F::ID != FamilyId::Ipv4 {
        return Err(SetError::NoSuchField);
    }
    let old = read16(head, usize::from(header.l3) + 6).ok_or(SetError::OutOfReach)?;
    ip_word(head, header, 6, old & !ipv4::DONT_FRAGMENT)?;
    header.dont_fragment = false;
    Ok(())
}

/// Forbids that an IPv4 packet be cut on its way.
pub fn ipv4_must_not_fragment<F: Family>(head: &mut [u8], header: &mut Header<F>) -> Result<(), SetError> {
    if F::ID != FamilyId::Ipv4 {
        return Err(SetError::NoSuchField);
    }
    let old = read16(head, usize::from(header.l3) + 6).ok_or(SetError::OutOfReach)?;
    ip_word(head, header, 6, old | ipv4::DONT_FRAGMENT)?;
    header.dont_fragment = true;
    Ok(())
}

/// Makes every byte of IPv4's header zero from the end of its options on (`end`, in bytes from the IP header).
pub fn ipv4_end_options<F: Family>(head: &mut [u8], header: &Header<F>, end: u8) -> Result<(), SetError> {
    if F::ID != FamilyId::Ipv4 {
        return Err(SetError::NoSuchField);
    }
    let (l3, l4) = (usize::from(header.l3), usize::from(header.l4));
    let ip = head.get_mut(l3..l4).ok_or(SetError::OutOfReach)?;
    let rest = ip.get_mut(usize::from(end)..).ok_or(SetError::OutOfReach)?;
    if rest.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    rest.fill(0);
    write16(ip, ipv4::CHECKSUM_AT, 0).ok_or(SetError::OutOfReach)?;
    let check = checksum::ipv4_header(ip);
    write16(ip, ipv4::CHECKSUM_AT, check).ok_or(SetError::OutOfReach)
}

/// Sets the MSS of a TCP packet that carries one.
pub fn mss<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u16) -> Result<(), SetError> {
    let found = options::tcp::bytes(head, header).and_then(options::tcp::mss);
    let Some((option, old)) = found else { return Err(SetError::NoSuchField) };
    // Options stand at any offset: at an odd one, the value's bytes lie in two words of the sum with their places changed.
    let at = usize::from(header.l4) + crate::tcp::HEADER_LEN + option + 2;
    write16(head, at, new).ok_or(SetError::OutOfReach)?;
    let word = |value: u16| if option % 2 == 1 { value.swap_bytes() } else { value };
    mend_l4(head, header, Covers::Header, |check| update16(check, word(old), word(new)));
    Ok(())
}

/// Puts an MSS option before all others of a TCP packet without data, whose head has room for it behind the packet's end already.
pub fn add_mss<F: Family>(head: &mut [u8], header: &mut Header<F>, value: u16) -> Result<(), SetError> {
    use crate::tcp::{DATA_OFFSET_AT, HEADER_LEN};
    let L4::Tcp { header_len, .. } = header.transport else { return Err(SetError::NoSuchField) };
    let (len, old_len) = (usize::from(header_len), header.l4_len());
    let [high, low] = value.to_be_bytes();
    let option = [kind::MSS, options::tcp::MSS_LEN as u8, high, low];
    if len < HEADER_LEN || len as u32 != old_len || len + option.len() > crate::tcp::MAX_HEADER_LEN {
        return Err(SetError::NoSuchField);
    }
    let l4 = usize::from(header.l4);
    let tcp = head.get_mut(l4..l4 + len + option.len()).ok_or(SetError::OutOfReach)?;
    tcp.copy_within(HEADER_LEN..len, HEADER_LEN + option.len());
    tcp[HEADER_LEN..HEADER_LEN + option.len()].copy_from_slice(&option);
    let word = read16(tcp, DATA_OFFSET_AT).ok_or(SetError::OutOfReach)?;
    let more_words = word + 0x1000;
    write16(tcp, DATA_OFFSET_AT, more_words).ok_or(SetError::OutOfReach)?;
    let new_len = old_len as u16 + option.len() as u16;
    self::len(head, header, header.len + option.len() as u32)?;
    if let L4::Tcp { header_len, .. } = &mut header.transport {
        *header_len += option.len() as u8;
    }
    mend_l4(head, header, Covers::Header, |check| {
        let check = update16(check, old_len as u16, new_len);
        let check = update32(check, 0, u32::from_be_bytes(option));
        update16(check, word, more_words)
    });
    Ok(())
}

/// Puts no-operations in the place of the options of a TCP packet whose kind is `wanted`, as `xt_TCPOPTSTRIP.c` walks them. Options that reach beyond
/// the header end the walk.
pub fn strip_options<F: Family>(head: &mut [u8], header: &Header<F>, wanted: impl Fn(u8) -> bool) -> Result<(), SetError> {
    let list = options::tcp::bytes(head, header).ok_or(SetError::NoSuchField)?.len();
    let first = usize::from(header.l4) + crate::tcp::HEADER_LEN;
    let mut at = 0;
    // One byte that is left is no option.
    while at + 1 < list {
        let options = head.get_mut(first..first + list).ok_or(SetError::OutOfReach)?;
        let Some((_, len)) = options::tcp::loose_walk(&options[at..]).next() else { break };
        let Some(option) = options.get_mut(at..at + len) else { break };
        if wanted(option[0]) {
            // At an odd place the first byte is the lower one of a word.
            let sum = |option: &[u8]| {
                let sum = !checksum::fold(checksum::partial(option, 0));
                if at % 2 == 1 { sum.swap_bytes() } else { sum }
            };
            let before = sum(option);
            option.fill(kind::NOP);
            let now = sum(option);
            mend_l4(head, header, Covers::Header, |check| update16(check, before, now));
        }
        at += len;
    }
    Ok(())
}

/// Sets or clears ECE and CWR at their place behind the IP header ([`crate::tcp::flags_at`]), whatever stands there; `None` stays. What stands at the
/// checksum's place is mended.
pub fn tcp_ecn<F: Family>(head: &mut [u8], header: &mut Header<F>, ece: Option<bool>, cwr: Option<bool>) -> Result<(), SetError> {
    use crate::tcp::{CHECKSUM_AT, DATA_OFFSET_AT, flags as bits};
    let was = crate::tcp::flags_at(head, header).ok_or(SetError::NoSuchField)?;
    let set = |flags: u8, bit: u8, to: Option<bool>| match to {
        Some(true) => flags | bit,
        Some(false) => flags & !bit,
        None => flags,
    };
    let is = set(set(was, bits::ECE, ece), bits::CWR, cwr);
    if is == was {
        return Ok(());
    }
    let l4 = usize::from(header.l4);
    let old = read16(head, l4 + DATA_OFFSET_AT).ok_or(SetError::OutOfReach)?;
    let new = old & 0xff00 | u16::from(is);
    write16(head, l4 + DATA_OFFSET_AT, new).ok_or(SetError::OutOfReach)?;
    let check = read16(head, l4 + CHECKSUM_AT).ok_or(SetError::OutOfReach)?;
    write16(head, l4 + CHECKSUM_AT, update16(check, old, new)).ok_or(SetError::OutOfReach)?;
    if let L4::Tcp { flags, .. } = &mut header.transport {
        *flags = is;
    }
    Ok(())
}

/// Sets TCP's sequence number.
pub fn tcp_seq<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u32) -> Result<(), SetError> {
    let L4::Tcp { seq, .. } = &mut header.transport else { return Err(SetError::NoSuchField) };
    *seq = new;
    l4_pair(head, header, 4, new)
}

/// Sets TCP's acknowledgement number.
pub fn tcp_ack<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u32) -> Result<(), SetError> {
    let L4::Tcp { ack, .. } = &mut header.transport else { return Err(SetError::NoSuchField) };
    *ack = new;
    l4_pair(head, header, 8, new)
}

/// Changes the first timestamps option of a TCP packet, value and echo; nothing where there is none.
pub fn tcp_timestamps<F: Family>(
    head: &mut [u8],
    header: &Header<F>,
    change: impl FnOnce(u32, u32) -> (u32, u32),
) -> Result<(), SetError> {
    let found = options::tcp::bytes(head, header).and_then(|bytes| options::tcp::walk(bytes).find(|o| o.kind == kind::TIMESTAMPS));
    let Some(option) = found.filter(|o| o.data.len() == 8) else { return Ok(()) };
    let at = usize::from(header.l4) + crate::tcp::HEADER_LEN + option.at + 2;
    let odd = option.at % 2 == 1;
    let (value, echo) = (read32(head, at).ok_or(SetError::OutOfReach)?, read32(head, at + 4).ok_or(SetError::OutOfReach)?);
    let new = change(value, echo);
    let word = |value: u32| if odd { value.rotate_left(8) } else { value };
    for (at, old, new) in [(at, value, new.0), (at + 4, echo, new.1)] {
        crate::bytes::write32(head, at, new).ok_or(SetError::OutOfReach)?;
        mend_l4(head, header, Covers::Header, |check| update32(check, word(old), word(new)));
    }
    Ok(())
}

/// Changes every edge of TCP's selective acknowledgements.
///
/// Nothing is changed, and [`SetError::NoSuchField`] returned, when the list of options is malformed.
pub fn tcp_sacks<F: Family>(head: &mut [u8], header: &Header<F>, change: impl Fn(u32) -> u32) -> Result<(), SetError> {
    let found = options::tcp::bytes(head, header).ok_or(SetError::NoSuchField)?;
    let mut lists = [(0usize, 0usize); crate::tcp::MAX_HEADER_LEN / 10];
    let (mut count, mut end) = (0, 0);
    for option in options::tcp::walk(found) {
        end = option.at + 2 + option.data.len();
        if option.kind == kind::SACK && !option.data.is_empty() && option.data.len() % 8 == 0 {
            // A list of options holds at most four of ten bytes.
            if let Some(list) = lists.get_mut(count) {
                *list = (option.at + 2, end);
                count += 1;
            }
        }
    }
    let rest = found.get(end..).unwrap_or_default();
    if rest.iter().find(|byte| **byte != kind::NOP).is_some_and(|byte| *byte != kind::END) {
        return Err(SetError::NoSuchField);
    }
    let (first, after) = (usize::from(header.l4), usize::from(header.l4) + crate::tcp::HEADER_LEN);
    let span = first..after + found.len();
    let sum = |head: &[u8]| !checksum::fold(checksum::partial(&head[span.clone()], 0));
    let before = sum(head);
    for (from, to) in lists.into_iter().take(count) {
        for at in (after + from..after + to).step_by(4) {
            let edge = read32(head, at).ok_or(SetError::OutOfReach)?;
            crate::bytes::write32(head, at, change(edge)).ok_or(SetError::OutOfReach)?;
        }
    }
    let now = sum(head);
    mend_l4(head, header, Covers::Header, |check| update16(check, before, now));
    Ok(())
}

/// Sets the packet's length, after its data grew or shrank: IPv4's total length, IPv6's payload length, UDP's own. The transport checksum is not
/// touched: whoever changes the length changes the data.
pub fn len<F: Family>(head: &mut [u8], header: &mut Header<F>, new: u32) -> Result<(), SetError> {
    let (l3, l4) = (usize::from(header.l3), usize::from(header.l4));
    match F::ID {
        FamilyId::Ipv4 => ipv4_total_len(head, header, u16::try_from(new).map_err(|_| SetError::NoSuchField)?)?,
        FamilyId::Ipv6 => {
            let payload = (new as usize).checked_sub(ipv6::HEADER_LEN).and_then(|len| u16::try_from(len).ok());
            write16(head, l3 + ipv6::PAYLOAD_LEN_AT, payload.ok_or(SetError::NoSuchField)?).ok_or(SetError::OutOfReach)?;
            header.len = new;
        }
    }
    if header.protocol == protocol::UDP
        && let L4::Udp { len, .. } = &mut header.transport
    {
        *len = (new as usize).checked_sub(l4 - l3).and_then(|len| u16::try_from(len).ok()).ok_or(SetError::NoSuchField)?;
        write16(head, l4 + 4, *len).ok_or(SetError::OutOfReach)?;
    }
    Ok(())
}

/// Writes the transport checksum itself, as [`checksum::l4_compute`] gives it.
pub fn l4_checksum<F: Family>(head: &mut [u8], header: &Header<F>, value: u16) -> Result<(), SetError> {
    let at = l4_checksum_at(head, header).ok_or(SetError::NoSuchField)?;
    write16(head, at, value).ok_or(SetError::OutOfReach)
}

/// Lets `edit` change the packet that an ICMP error quotes, with the setters of this module, and mends the error's own checksum for all
/// that changed between the quoted IP header and the end of the quoted transport header.
pub fn quoted<F: Family, R>(
    head: &mut [u8],
    outer: &Header<F>,
    inner: &mut Header<F>,
    edit: impl FnOnce(&mut [u8], &mut Header<F>) -> R,
) -> R {
    let end = (usize::from(outer.l3) + outer.len as usize).min(head.len()).min(usize::from(inner.l4) + crate::tcp::MAX_HEADER_LEN);
    let span = usize::from(inner.l3).min(end)..end;
    let before = !checksum::fold(checksum::partial(&head[span.clone()], 0));
    let result = edit(head, inner);
    let after = !checksum::fold(checksum::partial(&head[span], 0));
    mend_l4(head, outer, Covers::Header, |check| update16(check, before, after));
    result
}

/// Writes a word of the IPv4 header.
fn ip_word<F: Family>(head: &mut [u8], header: &Header<F>, at: usize, new: u16) -> Result<(), SetError> {
    let at = usize::from(header.l3) + at;
    let old = read16(head, at).ok_or(SetError::OutOfReach)?;
    write16(head, at, new).ok_or(SetError::OutOfReach)?;
    mend_ip(head, header, |check| update16(check, old, new));
    Ok(())
}

/// Writes a word of the transport header.
fn l4_word<F: Family>(head: &mut [u8], header: &Header<F>, at: usize, new: u16) -> Result<(), SetError> {
    let at = usize::from(header.l4) + at;
    let old = read16(head, at).ok_or(SetError::OutOfReach)?;
    write16(head, at, new).ok_or(SetError::OutOfReach)?;
    mend_l4(head, header, Covers::Header, |check| update16(check, old, new));
    Ok(())
}

/// Writes two words of the transport header.
fn l4_pair<F: Family>(head: &mut [u8], header: &Header<F>, at: usize, new: u32) -> Result<(), SetError> {
    let at = usize::from(header.l4) + at;
    let old = read32(head, at).ok_or(SetError::OutOfReach)?;
    crate::bytes::write32(head, at, new).ok_or(SetError::OutOfReach)?;
    mend_l4(head, header, Covers::Header, |check| update32(check, old, new));
    Ok(())
}

/// Mends the IP header's checksum, where the family has one.
fn mend_ip<F: Family>(head: &mut [u8], header: &Header<F>, change: impl FnOnce(u16) -> u16) {
    if F::ID == FamilyId::Ipv4 {
        let at = usize::from(header.l3) + ipv4::CHECKSUM_AT;
        if let Some(old) = read16(head, at) {
            write16(head, at, change(old));
        }
    }
}

/// What changed under a transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Covers {
    /// The pseudo-header, which not every protocol covers.
    Addresses,
    /// The transport header.
    Header,
}

fn mend_l4<F: Family>(head: &mut [u8], header: &Header<F>, what: Covers, change: impl FnOnce(u16) -> u16) {
    let Some(field) = checksum::field::<F>(header.protocol) else { return };
    if what == Covers::Addresses && !field.pseudo_header {
        return;
    }
    let Some(at) = l4_checksum_at(head, header) else { return };
    let Some(old) = read16(head, at) else { return };
    if field.optional && old == 0 {
        return;
    }
    let new = change(old);
    write16(head, at, if new == 0 && field.avoids_zero { 0xffff } else { new });
}

/// Where the transport checksum stands in the head, when packet and head hold it.
fn l4_checksum_at<F: Family>(head: &[u8], header: &Header<F>) -> Option<usize> {
    let field = checksum::field::<F>(header.protocol)?;
    if matches!(header.fragment, Fragment::Later(_)) {
        return None;
    }
    let at = usize::from(header.l4) + field.at;
    let end = usize::from(header.l3) + header.len as usize;
    (at + 2 <= end.min(head.len())).then_some(at)
}
