//! Packets that the box answers with: ICMP errors and TCP resets, as the kernel makes them. No Ethernet header; the writer of the frame puts
//! one before.
//!
//! Whether an answer may be sent at all is asked first: [`may_send_error`], [`may_send_reset`], and [`checksum_allows`]. Broadcast and
//! multicast destinations are the caller's to know.

use crate::bytes::{write16, write32};
use crate::checksum;
use crate::family::{Addr, Family, FamilyId};
use crate::header::{Fragment, Header, L4};
use crate::{icmp, icmp6, ipv4, ipv6, protocol, tcp};

/// TTL or hop limit of what the box sends.
pub const TTL: u8 = 64;

/// Longest ICMP error in bytes: 576 for IPv4 (RFC 1812 section 4.3.2.3), the least MTU for IPv6 (RFC 4443 section 2.4).
pub const fn max_error_len(family: FamilyId) -> usize {
    match family {
        FamilyId::Ipv4 => 576,
        FamilyId::Ipv6 => 1280,
    }
}

/// An ICMP error to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError<F: Family> {
    /// Source address.
    pub src: F::Addr,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Bytes 4 to 7: the MTU, or IPv4's pointer in the top byte.
    pub rest: u32,
    /// IPv4's identification: free, not 0.
    pub id: u16,
}

/// May an ICMP error be sent about this packet? Not about an ICMP error (or an ICMP type that is unknown), nor in IPv4 about a later fragment; in
/// IPv6 about any of those, whatever it is of. `head` is the frame's first segment.
pub fn may_send_error<F: Family>(header: &Header<F>, head: &[u8]) -> bool {
    if matches!(header.fragment, Fragment::Later(_)) {
        return F::ID == FamilyId::Ipv6;
    }
    match header.transport {
        L4::Icmp { kind, .. } => !icmp::forbids_error::<F>(kind),
        // An ICMP header that is cut may still have its type.
        L4::Truncated { .. } if header.protocol == F::ICMP => {
            let kind = head.get(usize::from(header.l4)).filter(|_| header.l4_len() > 0);
            kind.is_some_and(|kind| !icmp::forbids_error::<F>(*kind))
        }
        _ => true,
    }
}

/// May a TCP reset be sent about this packet? To TCP that is not itself a reset, with a whole header.
pub fn may_send_reset<F: Family>(header: &Header<F>) -> bool {
    match header.transport {
        L4::Tcp { flags, .. } => header.protocol == protocol::TCP && flags & tcp::flags::RST == 0,
        _ => false,
    }
}

/// REJECT answers only packets whose transport checksum is right (`nf_reject_verify_csum`). Protocols without a checksum over their whole
/// payload pass, and GRE, where it is optional, whether it has one or not; a protocol that the kernel knows nothing of is checked as if it had a plain one. The first fragment of a datagram is
/// checked as if it were whole, which it fails; later ones have nothing to check and are never answered, nor are IPv6 packets in which none follows. `segments` are the frame's from its
/// first byte on; the first must hold the transport header.
pub fn checksum_allows<'a, F: Family>(header: &Header<F>, segments: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let has_nothing = F::ID == FamilyId::Ipv6
        && (header.transport == L4::Lost || header.l4_len() == 0 || header.protocol == protocol::NO_NEXT_HEADER);
    if has_nothing || matches!(header.fragment, Fragment::Later(_)) {
        return false;
    }
    match header.protocol {
        protocol::AH | protocol::ESP | protocol::SCTP | protocol::UDPLITE | protocol::DCCP | protocol::GRE => true,
        protocol::TCP | protocol::UDP => checksum::sums_up(header, segments),
        n if n == F::ICMP => checksum::sums_up(header, segments),
        _ => checksum::over(segments, usize::from(header.l4), header.l4_len() as usize).is_some_and(checksum::is_nothing),
    }
}

/// Writes an ICMP error about the packet in `segments` (the frame's, from its first byte on; the quote begins at `header.l3`) to `out`.
/// Returns its length, or `None` when `out` is shorter than it ([`max_error_len`] is always enough).
///
/// The quote is the packet's bytes as they stand: whoever wants the TTL quoted as it came in, or already one less, has it so in the packet.
pub fn icmp_error<'a, F: Family>(
    out: &mut [u8],
    error: &IcmpError<F>,
    header: &Header<F>,
    segments: impl IntoIterator<Item = &'a [u8]>,
) -> Option<usize> {
    let front = F::HEADER_LEN + icmp::HEADER_LEN;
    let quote_len = (header.len as usize).min(max_error_len(F::ID) - front);
    let len = front + quote_len;
    let out = out.get_mut(..len)?;
    copy(out.get_mut(front..)?, segments, usize::from(header.l3))?;
    let message = out.get_mut(F::HEADER_LEN..)?;
    message[0] = error.kind;
    message[1] = error.code;
    write32(message, 4, error.rest)?;
    // Network control precedence, the sender's delay, throughput and reliability bits (RFC 1812 section 4.3.2.5).
    let tos = match F::ID {
        FamilyId::Ipv4 => header.tos & 0x1e | 0xc0,
        FamilyId::Ipv6 => 0,
    };
    ip_header::<F>(out, &IpHead { src: error.src, dst: header.src, protocol: F::ICMP, tos, id: error.id, dont_fragment: false })?;
    l4_checksum::<F>(out, error.src, header.src, F::ICMP, icmp::CHECKSUM_AT)?;
    Some(len)
}

/// A redirect of IPv6's neighbour discovery (RFC 4861 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect<F: Family> {
    /// Source address.
    pub src: F::Addr,
    /// The better next hop.
    pub target: F::Addr,
    /// Its Ethernet address, if it is known.
    pub mac: Option<[u8; 6]>,
}

/// Writes the redirect that tells a packet's sender of a better next hop, as [`icmp_error`] does. The quote ends at a multiple of eight bytes.
pub fn redirect<'a, F: Family>(
    out: &mut [u8],
    redirect: &Redirect<F>,
    header: &Header<F>,
    segments: impl IntoIterator<Item = &'a [u8]>,
) -> Option<usize> {
    /// Nobody farther away than a neighbour can have sent it.
    const HOP_LIMIT: u8 = 255;
    let addresses = F::HEADER_LEN + icmp::HEADER_LEN;
    let options = addresses + 2 * F::Addr::LEN;
    let quote = options + redirect.mac.map_or(0, |_| 8);
    let quote_len = (max_error_len(F::ID) - quote).min(header.len as usize + 8) / 8 * 8;
    let len = quote + quote_len;
    let out = out.get_mut(..len)?;
    out.get_mut(..quote + 8)?.fill(0);
    copy(out.get_mut(quote + 8..)?, segments, usize::from(header.l3))?;
    out[F::HEADER_LEN] = icmp6::kind::REDIRECT;
    let written = redirect.target.write(out.get_mut(addresses..)?) && header.dst.write(out.get_mut(addresses + F::Addr::LEN..)?);
    if let Some(mac) = redirect.mac {
        const TARGET_ADDRESS: [u8; 2] = [2, 1];
        out.get_mut(options..options + 2)?.copy_from_slice(&TARGET_ADDRESS);
        out.get_mut(options + 2..quote)?.copy_from_slice(&mac);
    }
    const REDIRECTED_HEADER: u8 = 4;
    (out[quote], out[quote + 1]) = (REDIRECTED_HEADER, (quote_len / 8) as u8);
    ip_header::<F>(out, &IpHead { src: redirect.src, dst: header.src, protocol: F::ICMP, tos: 0, id: 0, dont_fragment: false })?;
    out[ipv6::HOP_LIMIT_AT] = HOP_LIMIT;
    l4_checksum::<F>(out, redirect.src, header.src, F::ICMP, icmp::CHECKSUM_AT)?;
    written.then_some(len)
}

/// Writes the TCP reset that answers this packet to `out` and returns its length; `None` when [`may_send_reset`] is false or `out` is too
/// short. `id` is IPv4's identification (the kernel's resets carry 0).
pub fn tcp_reset<F: Family>(out: &mut [u8], header: &Header<F>, id: u16) -> Option<usize> {
    use tcp::flags::{ACK, FIN, RST, SYN};
    if !may_send_reset(header) {
        return None;
    }
    let L4::Tcp { sport, dport, seq, ack, flags, header_len, .. } = header.transport else { return None };
    let (seq, ack, bits) = if flags & ACK != 0 {
        (ack, 0, RST)
    } else {
        let numbers = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        // A data offset beyond the packet makes this negative, and sequence numbers wrap, as in the kernel.
        let data = header.l4_len().wrapping_sub(u32::from(header_len));
        (0, seq.wrapping_add(numbers).wrapping_add(data), RST | ACK)
    };
    let (from, to) = ((header.dst, dport), (header.src, sport));
    tcp_segment(out, &Segment::<F> { from, to, seq, ack, flags: bits, window: 0, options: &[], id })
}

/// A TCP segment without data.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a, F: Family> {
    /// Source address and port.
    pub from: (F::Addr, u16),
    /// Destination address and port.
    pub to: (F::Addr, u16),
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags.
    pub flags: u8,
    /// Window, as it stands in the header.
    pub window: u16,
    /// Options: whole words of four bytes, ten at most.
    pub options: &'a [u8],
    /// IPv4's identification.
    pub id: u16,
}

/// Writes a TCP segment to `out` and returns its length; `None` when `out` is too short, or the options do not fit into a header.
pub fn tcp_segment<F: Family>(out: &mut [u8], tcp: &Segment<'_, F>) -> Option<usize> {
    let tcp_len = tcp::HEADER_LEN + tcp.options.len();
    if tcp_len > tcp::MAX_HEADER_LEN || !tcp_len.is_multiple_of(4) {
        return None;
    }
    let len = F::HEADER_LEN + tcp_len;
    let out = out.get_mut(..len)?;
    let segment = out.get_mut(F::HEADER_LEN..)?;
    segment.fill(0);
    write16(segment, 0, tcp.from.1)?;
    write16(segment, 2, tcp.to.1)?;
    write32(segment, 4, tcp.seq)?;
    write32(segment, 8, tcp.ack)?;
    segment[12] = (tcp_len as u8 / 4) << 4;
    segment[13] = tcp.flags;
    write16(segment, 14, tcp.window)?;
    segment.get_mut(tcp::HEADER_LEN..)?.copy_from_slice(tcp.options);
    let (src, dst) = (tcp.from.0, tcp.to.0);
    ip_header::<F>(out, &IpHead { src, dst, protocol: protocol::TCP, tos: 0, id: tcp.id, dont_fragment: true })?;
    l4_checksum::<F>(out, src, dst, protocol::TCP, tcp::CHECKSUM_AT)?;
    Some(len)
}

struct IpHead<F: Family> {
    src: F::Addr,
    dst: F::Addr,
    protocol: u8,
    tos: u8,
    id: u16,
    dont_fragment: bool,
}

/// Writes the IP header of a packet that fills `out`.
fn ip_header<F: Family>(out: &mut [u8], ip: &IpHead<F>) -> Option<()> {
    let len = out.len();
    let fixed = out.get_mut(..F::HEADER_LEN)?;
    fixed.fill(0);
    match F::ID {
        FamilyId::Ipv4 => {
            fixed[0] = 0x45;
            fixed[ipv4::TOS_AT] = ip.tos;
            write16(fixed, ipv4::TOTAL_LEN_AT, len as u16)?;
            write16(fixed, 4, ip.id)?;
            write16(fixed, 6, if ip.dont_fragment { ipv4::DONT_FRAGMENT } else { 0 })?;
            fixed[ipv4::TTL_AT] = TTL;
            fixed[9] = ip.protocol;
        }
        FamilyId::Ipv6 => {
            write16(fixed, 0, 0x6000 | u16::from(ip.tos) << 4)?;
            write16(fixed, ipv6::PAYLOAD_LEN_AT, (len - F::HEADER_LEN) as u16)?;
            fixed[ipv6::NEXT_HEADER_AT] = ip.protocol;
            fixed[ipv6::HOP_LIMIT_AT] = TTL;
        }
    }
    let written = ip.src.write(fixed.get_mut(F::SRC_AT..)?) && ip.dst.write(fixed.get_mut(F::DST_AT..)?);
    if F::ID == FamilyId::Ipv4 {
        let check = checksum::ipv4_header(fixed);
        write16(fixed, ipv4::CHECKSUM_AT, check)?;
    }
    written.then_some(())
}

/// Writes the transport checksum of a packet that fills `out`.
fn l4_checksum<F: Family>(out: &mut [u8], src: F::Addr, dst: F::Addr, number: u8, at: usize) -> Option<()> {
    let payload = out.get_mut(F::HEADER_LEN..)?;
    write16(payload, at, 0)?;
    let pseudo = match number {
        protocol::ICMP => 0,
        _ => checksum::pseudo_header::<F>(src, dst, number, payload.len() as u32),
    };
    let check = checksum::fold(checksum::partial(payload, pseudo));
    write16(payload, at, check)
}

/// Fills `out` from the segments, beginning `skip` bytes in; `None` when they end before.
fn copy<'a>(out: &mut [u8], segments: impl IntoIterator<Item = &'a [u8]>, mut skip: usize) -> Option<()> {
    let mut done = 0;
    for segment in segments {
        let Some(bytes) = segment.get(skip..) else {
            skip -= segment.len();
            continue;
        };
        skip = 0;
        let room = out.get_mut(done..)?;
        let n = bytes.len().min(room.len());
        room[..n].copy_from_slice(&bytes[..n]);
        done += n;
        if done == out.len() {
            return Some(());
        }
    }
    (done == out.len()).then_some(())
}

/// Destination unreachable of this family.
pub const fn unreachable_kind(family: FamilyId) -> u8 {
    match family {
        FamilyId::Ipv4 => icmp::kind::UNREACHABLE,
        FamilyId::Ipv6 => icmp6::kind::UNREACHABLE,
    }
}

/// Time exceeded of this family; code 0 is TTL, 1 is reassembly.
pub const fn time_exceeded_kind(family: FamilyId) -> u8 {
    match family {
        FamilyId::Ipv4 => icmp::kind::TIME_EXCEEDED,
        FamilyId::Ipv6 => icmp6::kind::TIME_EXCEEDED,
    }
}
