//! Bytes to fields, with the checks that the kernel makes of a packet that came in.
//!
//! Keeps: every field that a rule or a flow asks for. Loses: nothing, the bytes stay where they are. Whoever parses calls [`need`] first
//! and makes that many bytes contiguous; after that no header spans two segments.

use thiserror::Error;

use crate::ether::Ethernet;
use crate::family::{Family, FamilyId};
use crate::header::{Fragment, Header, L4};
use crate::{bytes, gre, icmp, ipv4, ipv6, protocol, sctp, tcp, udp};

/// Why a packet is dropped before any rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Fewer bytes than an Ethernet header (and its VLAN tag).
    #[error("the frame is shorter than its Ethernet header")]
    FrameTooShort,
    /// Fewer bytes than an IP header.
    #[error("the frame ends inside the IP header")]
    HeaderTruncated,
    /// The version field is another one than the EtherType says.
    #[error("the IP version is wrong")]
    Version,
    /// The IPv4 header length is below 20 bytes.
    #[error("the IP header length is below its least")]
    HeaderLength,
    /// The IP length is greater than the frame, or less than the header.
    #[error("the IP length lies outside the frame")]
    TotalLength,
    /// The IPv4 header checksum is wrong.
    #[error("the IP header checksum is wrong")]
    HeaderChecksum,
    /// The packet ends inside its hop-by-hop options. What else is cut is for rules to mind: [`L4::Lost`].
    #[error("the packet ends inside its hop-by-hop options")]
    HopByHop,
    /// The headers are not contiguous: the caller did not pull up what [`need`] asked for.
    #[error("the headers are not contiguous in memory")]
    NotContiguous,
}

/// Reads the Ethernet header, with one VLAN tag if there is one.
#[inline]
pub fn ethernet(frame: &[u8]) -> Result<Ethernet, ParseError> {
    Ethernet::read(frame)
}

/// How many bytes, counted from the front of the frame, must be contiguous for [`ip`], [`icmp::inner`], the option walks and every setter
/// to find what they look at. `packet_len` is what the frame holds from `l3` on, in all its segments.
///
/// When `head` is shorter than the answer, pull that many bytes up and ask again: the answer can grow while headers come into sight. It
/// never exceeds `l3 + packet_len`.
pub fn need<F: Family>(head: &[u8], l3: usize, packet_len: usize) -> usize {
    let bytes = head.get(l3..).unwrap_or_default();
    let (at, number) = match F::ID {
        FamilyId::Ipv4 => match bytes.first_chunk() {
            Some(fixed) => (ipv4::header_len(fixed).unwrap_or(ipv4::HEADER_LEN), fixed[9]),
            None => return l3.saturating_add(packet_len.min(ipv4::HEADER_LEN)),
        },
        FamilyId::Ipv6 if bytes.len() < ipv6::HEADER_LEN => return l3.saturating_add(packet_len.min(ipv6::HEADER_LEN)),
        FamilyId::Ipv6 => match ipv6::upper(bytes, packet_len) {
            Ok(upper) => (upper.at, upper.protocol),
            Err(ipv6::Need(n)) => return l3.saturating_add(packet_len.min(n)),
        },
    };
    /// An ICMP header, a quoted IP header with options or a few extension headers, and as much of the quoted transport header as NAT
    /// rewrites.
    const ICMP_WITH_QUOTE: usize = icmp::HEADER_LEN + 120;
    let transport = match number {
        protocol::TCP => tcp::MAX_HEADER_LEN,
        protocol::SCTP | protocol::DCCP => sctp::HEADER_LEN,
        n if n == F::ICMP => ICMP_WITH_QUOTE,
        // UDP, and what a log line shows of AH and ESP.
        _ => udp::HEADER_LEN,
    };
    l3.saturating_add(packet_len.min(at + transport))
}

/// As [`ip`], for what most packets are: TCP or UDP in one piece and in one segment (`packet` is all that the frame holds from `l3` on), without IPv4
/// options or extension headers, sound as far as [`ip`] looks. `None` says nothing: [`ip`] has to look.
pub fn plain<F: Family>(packet: &[u8], l3: u16) -> Option<Header<F>> {
    let mut header = Header::BLANK;
    plain_into(packet, l3, &mut header).then_some(header)
}

/// As [`plain`], in place: where it says `false`, `header` holds nothing of use.
// Always inlined, with what it calls: fields go from the bytes to where the caller keeps them.
#[inline(always)]
pub fn plain_into<F: Family>(packet: &[u8], l3: u16, header: &mut Header<F>) -> bool {
    let (header_len, is_plain) = match F::ID {
        FamilyId::Ipv4 => (ipv4::HEADER_LEN, ipv4::plain(packet, l3, header)),
        FamilyId::Ipv6 => (ipv6::HEADER_LEN, ipv6::plain(packet, l3, header)),
    };
    if !is_plain {
        return false;
    }
    let Some(payload) = packet.get(header_len..header.len as usize) else { return false };
    match header.protocol {
        protocol::TCP => match tcp::read(payload) {
            Some(transport) => {
                header.transport = transport;
                true
            }
            None => false,
        },
        protocol::UDP => udp_into(payload, &mut header.transport),
        _ => false,
    }
}

// On its own: what both protocols write would else be made one, by way of what either could be.
#[inline(never)]
fn udp_into(payload: &[u8], transport: &mut L4) -> bool {
    match udp::read(payload) {
        Some(read) => {
            *transport = read;
            true
        }
        None => false,
    }
}

/// Reads the IP and transport header of the packet that begins at `l3`, after the checks of `ip_rcv_core` (IPv6: `ipv6_rcv`): version,
/// header length, length inside the frame, header checksum. `packet_len` is what the frame holds from `l3` on, in all its segments.
///
/// A frame may be longer than its packet: [`Header::len`] says where the packet ends, the caller trims the rest.
pub fn ip<F: Family>(head: &[u8], l3: usize, packet_len: usize) -> Result<Header<F>, ParseError> {
    let bytes = head.get(l3..).ok_or(ParseError::NotContiguous)?;
    let bytes = bytes.get(..packet_len).unwrap_or(bytes);
    let header = match F::ID {
        FamilyId::Ipv4 => ipv4::checked::<F>(bytes, l3, packet_len)?,
        FamilyId::Ipv6 => ipv6::checked::<F>(bytes, l3, packet_len)?,
    };
    let payload = bytes.get(usize::from(header.l4) - l3..).ok_or(ParseError::NotContiguous)?;
    let transport = transport(&header, payload)?;
    Ok(Header { transport, ..header })
}

/// How a transport protocol's header is read.
type ReadL4 = fn(&[u8]) -> Option<L4>;

/// Reads the transport header. `payload` begins there and ends with the head; the packet itself may end before or after that.
fn transport<F: Family>(header: &Header<F>, payload: &[u8]) -> Result<L4, ParseError> {
    if header.transport == L4::Lost || matches!(header.fragment, Fragment::Later(_)) {
        return Ok(header.transport);
    }
    let there = header.l4_len() as usize;
    let (least, read): (usize, ReadL4) = match header.protocol {
        protocol::TCP => (tcp::HEADER_LEN, tcp::read),
        protocol::UDP | protocol::UDPLITE => (udp::HEADER_LEN, udp::read),
        // DCCP's least header is as long as SCTP's.
        protocol::SCTP | protocol::DCCP => (sctp::HEADER_LEN, read_ports),
        n if n == F::ICMP => (icmp::HEADER_LEN, icmp::read),
        protocol::GRE => return Ok(gre::read(payload.get(..there).unwrap_or(payload))),
        _ => return Ok(L4::Other),
    };
    if there >= least {
        return payload.get(..least).and_then(read).ok_or(ParseError::NotContiguous);
    }
    let ports = if has_ports(header.protocol) && there >= PORTS_LEN {
        Some(ports(payload).ok_or(ParseError::NotContiguous)?)
    } else {
        None
    };
    Ok(L4::Truncated { ports })
}

/// Reads what a quote holds of the transport header; see [`icmp::inner`].
pub(crate) fn quoted_transport<F: Family>(header: &Header<F>, payload: &[u8]) -> L4 {
    let payload = payload.get(..header.l4_len() as usize).unwrap_or(payload);
    match transport(header, payload) {
        Ok(L4::Truncated { .. }) | Err(_) => match ports(payload).filter(|_| has_ports(header.protocol)) {
            Some((sport, dport)) => L4::Ports { sport, dport },
            None => L4::Truncated { ports: None },
        },
        Ok(whole) => whole,
    }
}

/// Does the protocol's header begin with two ports?
fn has_ports(number: u8) -> bool {
    matches!(number, protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP | protocol::DCCP)
}

/// Length in bytes of the two ports.
const PORTS_LEN: usize = 4;

fn ports(payload: &[u8]) -> Option<(u16, u16)> {
    Some((bytes::read16(payload, 0)?, bytes::read16(payload, 2)?))
}

fn read_ports(payload: &[u8]) -> Option<L4> {
    ports(payload).map(|(sport, dport)| L4::Ports { sport, dport })
}
