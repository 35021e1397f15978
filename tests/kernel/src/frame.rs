//! Frames made by hand, right or deliberately wrong, and the little that is read of them. Shares no code with what is tested.

use std::net::Ipv4Addr;

use crate::world::{GATEWAY, Port};

/// Bytes of an Ethernet header.
pub const ETHERNET: usize = 14;

/// An IPv4 packet to be made into a frame.
#[derive(Clone, Debug)]
pub struct Ip {
    /// Source.
    pub src: Ipv4Addr,
    /// Destination.
    pub dst: Ipv4Addr,
    /// Type of service.
    pub tos: u8,
    /// Identification.
    pub id: u16,
    /// Flags and fragment offset.
    pub fragment: u16,
    /// Time to live.
    pub ttl: u8,
    /// Protocol.
    pub protocol: u8,
    /// Options; padded to a multiple of four.
    pub options: Vec<u8>,
    /// What stands behind the header.
    pub payload: Vec<u8>,
}

impl Ip {
    /// A plain packet with this payload.
    pub fn new(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, payload: Vec<u8>) -> Self {
        Self { src, dst, tos: 0, id: 0x1234, fragment: 0, ttl: 64, protocol, options: Vec::new(), payload }
    }

    /// A TCP segment with a right checksum.
    pub fn tcp(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), flags: u8, seq: u32, ack: u32, options: &[u8], data: &[u8]) -> Self {
        let mut options = options.to_vec();
        options.resize(options.len().next_multiple_of(4), 1);
        let mut segment = Vec::new();
        segment.extend(from.1.to_be_bytes());
        segment.extend(to.1.to_be_bytes());
        segment.extend(seq.to_be_bytes());
        segment.extend(ack.to_be_bytes());
        segment.extend([(((20 + options.len()) / 4) << 4) as u8, flags]);
        segment.extend(8192_u16.to_be_bytes());
        segment.extend([0; 4]);
        segment.extend(options);
        segment.extend(data);
        let mut ip = Self::new(from.0, to.0, 6, segment);
        ip.seal();
        ip
    }

    /// A UDP datagram with a right checksum.
    pub fn udp(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), data: &[u8]) -> Self {
        let mut datagram = Vec::new();
        datagram.extend(from.1.to_be_bytes());
        datagram.extend(to.1.to_be_bytes());
        datagram.extend((8 + data.len() as u16).to_be_bytes());
        datagram.extend([0; 2]);
        datagram.extend(data);
        let mut ip = Self::new(from.0, to.0, 17, datagram);
        ip.seal();
        ip
    }

    /// An ICMP message with a right checksum.
    pub fn icmp(src: Ipv4Addr, dst: Ipv4Addr, kind: u8, code: u8, rest: [u8; 4], data: &[u8]) -> Self {
        let mut message = vec![kind, code, 0, 0];
        message.extend(rest);
        message.extend(data);
        let mut ip = Self::new(src, dst, 1, message);
        ip.seal();
        ip
    }

    /// An SCTP packet with a right checksum. Chunks are type, flags and value.
    pub fn sctp(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), tag: u32, chunks: &[(u8, u8, &[u8])]) -> Self {
        let mut packet = Vec::new();
        packet.extend(from.1.to_be_bytes());
        packet.extend(to.1.to_be_bytes());
        packet.extend(tag.to_be_bytes());
        packet.extend([0; 4]);
        for (kind, flags, value) in chunks {
            packet.extend([*kind, *flags]);
            packet.extend((4 + value.len() as u16).to_be_bytes());
            packet.extend(*value);
            packet.resize(packet.len().next_multiple_of(4), 0);
        }
        let mut ip = Self::new(from.0, to.0, 132, packet);
        ip.seal_sctp();
        ip
    }

    /// Makes the checksum of SCTP right.
    pub fn seal_sctp(&mut self) {
        let sum = sctp_checksum(&self.payload);
        self.payload[8..12].copy_from_slice(&sum);
    }

    /// Makes the transport checksum right.
    pub fn seal(&mut self) {
        let Some(at) = checksum_at(self.protocol).filter(|at| at + 2 <= self.payload.len()) else { return };
        self.payload[at..at + 2].fill(0);
        let mut covered = Vec::new();
        if self.protocol != 1 {
            covered.extend(self.src.octets());
            covered.extend(self.dst.octets());
            covered.extend([0, self.protocol]);
            covered.extend((self.payload.len() as u16).to_be_bytes());
        }
        covered.extend(&self.payload);
        let sum = match checksum(&covered) {
            0 if self.protocol == 17 => 0xffff,
            sum => sum,
        };
        self.payload[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }

    /// The packet's bytes, with a right header checksum.
    pub fn packet(&self) -> Vec<u8> {
        let mut options = self.options.clone();
        options.resize(options.len().next_multiple_of(4).min(40), 0);
        let len = 20 + options.len();
        let mut packet = vec![0x40 | (len / 4) as u8, self.tos];
        packet.extend(((len + self.payload.len()) as u16).to_be_bytes());
        packet.extend(self.id.to_be_bytes());
        packet.extend(self.fragment.to_be_bytes());
        packet.extend([self.ttl, self.protocol, 0, 0]);
        packet.extend(self.src.octets());
        packet.extend(self.dst.octets());
        packet.extend(options);
        let sum = checksum(&packet);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend(&self.payload);
        packet
    }

    /// The frame in which a host on this wire sends the packet to the router.
    pub fn frame(&self, port: Port) -> Vec<u8> {
        let host = if port.neighbours().any(|host| host == self.src) { self.src } else { GATEWAY };
        frame(port, port.neighbour_mac(host), &self.packet())
    }

    /// The packet in fragments that carry at most `size` bytes of payload each.
    pub fn fragments(&self, size: usize) -> Vec<Self> {
        let size = (size / 8 * 8).max(8);
        let pieces: Vec<&[u8]> = self.payload.chunks(size).collect();
        let last = pieces.len().saturating_sub(1);
        pieces
            .iter()
            .enumerate()
            .map(|(i, piece)| {
                let more = if i < last { 0x2000 } else { self.fragment & 0x2000 };
                Self { fragment: more | (i * size / 8) as u16, payload: piece.to_vec(), ..self.clone() }
            })
            .collect()
    }
}

/// A frame to the router.
pub fn frame(port: Port, from: [u8; 6], packet: &[u8]) -> Vec<u8> {
    let mut frame = port.mac().to_vec();
    frame.extend(from);
    frame.extend([8, 0]);
    frame.extend(packet);
    frame
}

/// Where a protocol keeps its checksum in its header.
pub fn checksum_at(protocol: u8) -> Option<usize> {
    match protocol {
        1 => Some(2),
        6 => Some(16),
        17 => Some(6),
        _ => None,
    }
}

/// The checksum that an SCTP packet should carry (RFC 9260 appendix A). The packet holds at least the common header.
pub fn sctp_checksum(packet: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in packet[..8].iter().chain(&[0; 4]).chain(&packet[12..]) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    (!crc).to_le_bytes()
}

/// The Internet checksum of bytes (RFC 1071).
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for word in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A 16-bit field.
pub fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|w| u16::from_be_bytes([w[0], w[1]]))
}

/// An IPv4 packet as its readers here need it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The packet.
    pub bytes: &'a [u8],
    /// Where the transport header begins.
    pub l4: usize,
    /// Protocol.
    pub protocol: u8,
    /// Source.
    pub src: Ipv4Addr,
    /// Destination.
    pub dst: Ipv4Addr,
    /// Not the first fragment.
    pub later: bool,
}

impl<'a> View<'a> {
    /// Reads a packet.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let l4 = usize::from(first & 15) * 4;
        if first >> 4 != 4 || l4 < 20 || bytes.len() < 20 {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
        let later = word(bytes, 6)? & 0x1fff != 0;
        Some(Self { bytes, l4, protocol: bytes[9], src: address(12), dst: address(16), later })
    }

    /// Reads a frame.
    pub fn of_frame(frame: &'a [u8]) -> Option<Self> {
        (word(frame, 12)? == 0x0800).then(|| Self::of(&frame[ETHERNET..])).flatten()
    }

    /// Identification.
    pub fn id(&self) -> u16 {
        word(self.bytes, 4).unwrap_or_default()
    }

    /// Is it a piece of a datagram?
    pub fn is_fragment(&self) -> bool {
        word(self.bytes, 6).is_some_and(|fragment| fragment & 0x3fff != 0)
    }

    /// ICMP's type, if it is ICMP.
    pub fn icmp_kind(&self) -> Option<u8> {
        (self.protocol == 1 && !self.later).then(|| self.bytes.get(self.l4).copied()).flatten()
    }

    /// Is it an ICMP error?
    pub fn is_icmp_error(&self) -> bool {
        matches!(self.icmp_kind(), Some(3 | 4 | 5 | 11 | 12))
    }
}
