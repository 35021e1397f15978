//! Frames made by hand, right or deliberately wrong, and the little that is read of them. Shares no code with what is tested.

use std::net::IpAddr;

use crate::world::{self, GATEWAY, Port};

/// Bytes of an Ethernet header.
pub const ETHERNET: usize = 14;

/// How Ethernet names IPv4 and IPv6.
pub const ETHERTYPES: [[u8; 2]; 2] = [[8, 0], [0x86, 0xdd]];

/// The identification of a packet for which nobody chose another one.
pub const ID: u16 = 0x1234;

/// A packet to be made into a frame, in the family of its addresses.
#[derive(Clone, Debug)]
pub struct Ip {
    /// Source.
    pub src: IpAddr,
    /// Destination.
    pub dst: IpAddr,
    /// Type of service, or traffic class.
    pub tos: u8,
    /// Identification.
    pub id: u16,
    /// Flags and fragment offset, as IPv4 has them. In IPv6 `0x4000` alone is a fragment header round a whole packet.
    pub fragment: u16,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Protocol.
    pub protocol: u8,
    /// Options; padded to a multiple of four. In IPv6 those of a hop-by-hop header.
    pub options: Vec<u8>,
    /// IPv6's further extension headers: number, and all behind the number of the next one.
    pub extensions: Vec<(u8, Vec<u8>)>,
    /// What stands behind the header.
    pub payload: Vec<u8>,
}

impl Ip {
    /// A plain packet with this payload.
    pub fn new(src: impl Into<IpAddr>, dst: impl Into<IpAddr>, protocol: u8, payload: Vec<u8>) -> Self {
        Self {
            src: src.into(),
            dst: dst.into(),
            tos: 0,
            id: ID,
            fragment: 0,
            ttl: 64,
            protocol,
            options: Vec::new(),
            extensions: Vec::new(),
            payload,
        }
    }

    /// A TCP segment with a right checksum.
    pub fn tcp(
        from: (impl Into<IpAddr>, u16),
        to: (impl Into<IpAddr>, u16),
        flags: u8,
        seq: u32,
        ack: u32,
        options: &[u8],
        data: &[u8],
    ) -> Self {
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
    pub fn udp(from: (impl Into<IpAddr>, u16), to: (impl Into<IpAddr>, u16), data: &[u8]) -> Self {
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

    /// An ICMP message with a right checksum. Its type and code are ICMP's; in IPv6 it is what stands for them there.
    pub fn icmp(src: impl Into<IpAddr>, dst: impl Into<IpAddr>, kind: u8, code: u8, rest: [u8; 4], data: &[u8]) -> Self {
        let src = src.into();
        let (protocol, (kind, code)) = if src.is_ipv4() { (1, (kind, code)) } else { (58, icmp6(kind, code)) };
        let mut message = vec![kind, code, 0, 0];
        message.extend(rest);
        message.extend(data);
        let mut ip = Self::new(src, dst, protocol, message);
        ip.seal();
        ip
    }

    /// An SCTP packet with a right checksum. Chunks are type, flags and value.
    pub fn sctp(from: (impl Into<IpAddr>, u16), to: (impl Into<IpAddr>, u16), tag: u32, chunks: &[(u8, u8, &[u8])]) -> Self {
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
            covered.extend(octets(self.src));
            covered.extend(octets(self.dst));
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
        if self.src.is_ipv6() {
            return self.packet6();
        }
        let mut options = self.options.clone();
        options.resize(options.len().next_multiple_of(4).min(40), 0);
        let len = 20 + options.len();
        let mut packet = vec![0x40 | (len / 4) as u8, self.tos];
        packet.extend(((len + self.payload.len()) as u16).to_be_bytes());
        packet.extend(self.id.to_be_bytes());
        packet.extend(self.fragment.to_be_bytes());
        packet.extend([self.ttl, self.protocol, 0, 0]);
        packet.extend(octets(self.src));
        packet.extend(octets(self.dst));
        packet.extend(options);
        let sum = checksum(&packet);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend(&self.payload);
        packet
    }

    fn packet6(&self) -> Vec<u8> {
        let mut headers = Vec::new();
        if !self.options.is_empty() {
            let mut options = self.options.clone();
            options.resize((options.len() + 2).next_multiple_of(8) - 2, 0);
            headers.push((0, [&[(options.len() / 8) as u8][..], &options].concat()));
        }
        headers.extend(self.extensions.clone());
        if self.fragment & 0x7fff != 0 {
            let [a, b] = (self.fragment << 3 | u16::from(self.fragment & 0x2000 != 0)).to_be_bytes();
            let [c, d] = self.id.to_be_bytes();
            headers.push((44, vec![0, a, b, 0, 0, c, d]));
        }
        let mut next = headers.iter().map(|(kind, _)| *kind).skip(1).chain([self.protocol]);
        let mut rest = Vec::new();
        for (_, body) in &headers {
            rest.extend(next.next());
            rest.extend(body);
        }
        rest.extend(&self.payload);
        let first = headers.first().map_or(self.protocol, |(kind, _)| *kind);
        let mut packet = vec![0x60 | self.tos >> 4, self.tos << 4, 0, 0];
        packet.extend((rest.len() as u16).to_be_bytes());
        packet.extend([first, self.ttl]);
        packet.extend(octets(self.src));
        packet.extend(octets(self.dst));
        packet.extend(rest);
        packet
    }

    /// The frame in which a host on this wire sends the packet to the router.
    pub fn frame(&self, port: Port) -> Vec<u8> {
        let near = |host| [IpAddr::V4(host), world::ipv6(host).into()].contains(&self.src);
        let host = if port.neighbours().any(near) { self.src } else { GATEWAY.into() };
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
    frame.extend(ethertype(packet));
    frame.extend(packet);
    frame
}

/// What an Ethernet header says of a packet.
pub fn ethertype(packet: &[u8]) -> [u8; 2] {
    if packet.first().is_some_and(|first| first >> 4 == 6) { ETHERTYPES[1] } else { ETHERTYPES[0] }
}

/// The bytes of an address.
pub fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// ICMPv6's type and code for what ICMP's mean.
pub fn icmp6(kind: u8, code: u8) -> (u8, u8) {
    match (kind, code) {
        (8, code) => (128, code),
        (0, code) => (129, code),
        (3, 4) => (2, 0),
        (3, 0) => (1, 0),
        (3, 1) => (1, 3),
        (3, 3) => (1, 4),
        (3, 13) => (1, 1),
        (3, code) => (1, code),
        (11, code) => (3, code),
        (12, code) => (4, code),
        // Multicast listeners, routers and neighbours, redirects, node information.
        (13, code) => (130, code),
        (14, code) => (143, code),
        (9 | 10, code) => (kind + 124, code),
        (17 | 18, code) => (kind + 118, code),
        (5, code) => (137, code),
        (15 | 16, code) => (kind + 124, code),
        other => other,
    }
}

/// Where a protocol keeps its checksum in its header.
pub fn checksum_at(protocol: u8) -> Option<usize> {
    match protocol {
        1 | 58 => Some(2),
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

/// A 32-bit field.
pub fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// A packet as its readers here need it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The packet.
    pub bytes: &'a [u8],
    /// Where the transport header begins.
    pub l4: usize,
    /// Protocol.
    pub protocol: u8,
    /// Source.
    pub src: IpAddr,
    /// Destination.
    pub dst: IpAddr,
    /// Not the first fragment.
    pub later: bool,
    /// A piece of a datagram.
    pub fragment: bool,
    /// Where the identification of IPv6's fragment header stands.
    pub fragment_id: Option<usize>,
}

impl<'a> View<'a> {
    /// Reads a packet.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let first = *bytes.first()?;
        if first >> 4 == 6 {
            return Self::of_ipv6(bytes);
        }
        let l4 = usize::from(first & 15) * 4;
        if first >> 4 != 4 || l4 < 20 || bytes.len() < 20 {
            return None;
        }
        let address = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).map(IpAddr::from).ok();
        let fragment = word(bytes, 6)?;
        let (later, fragment) = (fragment & 0x1fff != 0, fragment & 0x3fff != 0);
        Some(Self { bytes, l4, protocol: bytes[9], src: address(12)?, dst: address(16)?, later, fragment, fragment_id: None })
    }

    fn of_ipv6(bytes: &'a [u8]) -> Option<Self> {
        let address = |at: usize| <[u8; 16]>::try_from(bytes.get(at..at + 16)?).map(IpAddr::from).ok();
        let (src, dst) = (address(8)?, address(24)?);
        let mut view = Self { bytes, l4: 40, protocol: bytes[6], src, dst, later: false, fragment: false, fragment_id: None };
        while !view.later && matches!(view.protocol, 0 | 43 | 44 | 51 | 60) {
            let Some(&[next, len]) = bytes.get(view.l4..view.l4 + 2) else { break };
            let len = usize::from(len);
            if view.protocol == 44 {
                let Some(offset) = word(bytes, view.l4 + 2) else { break };
                (view.later, view.fragment, view.fragment_id) = (offset & 0xfff8 != 0, true, Some(view.l4 + 4));
            }
            view.l4 += match view.protocol {
                44 => 8,
                51 => (len + 2) * 4,
                _ => (len + 1) * 8,
            };
            view.protocol = next;
        }
        Some(view)
    }

    /// Reads a frame.
    pub fn of_frame(frame: &'a [u8]) -> Option<Self> {
        let view = Self::of(frame.get(ETHERNET..)?)?;
        (frame[12..ETHERNET] == ethertype(view.bytes)).then_some(view)
    }

    /// Identification; IPv6's flow label, which IPv6 has instead.
    pub fn id(&self) -> u32 {
        match self.src {
            IpAddr::V4(_) => word(self.bytes, 4).unwrap_or_default().into(),
            IpAddr::V6(_) => u32::from(self.bytes[1] & 15) << 16 | u32::from(word(self.bytes, 2).unwrap_or_default()),
        }
    }

    /// Is it ICMP's protocol, in its family?
    pub fn is_icmp(&self) -> bool {
        self.protocol == if self.src.is_ipv4() { 1 } else { 58 }
    }

    /// ICMP's type, if it is ICMP.
    pub fn icmp_kind(&self) -> Option<u8> {
        (self.is_icmp() && !self.later).then(|| self.bytes.get(self.l4).copied()).flatten()
    }

    /// Is it an ICMP error?
    pub fn is_icmp_error(&self) -> bool {
        match self.icmp_kind() {
            Some(kind) if self.src.is_ipv4() => matches!(kind, 3 | 4 | 5 | 11 | 12),
            Some(kind) => matches!(kind, 1..=4),
            None => false,
        }
    }

    /// Has it an identifier that NAT may translate?
    pub fn is_icmp_query(&self) -> bool {
        match self.icmp_kind() {
            Some(kind) if self.src.is_ipv4() => matches!(kind, 0 | 8 | 13..=18),
            Some(kind) => matches!(kind, 128 | 129),
            None => false,
        }
    }
}
