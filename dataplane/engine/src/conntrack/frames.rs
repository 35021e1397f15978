//! Packets for the tests of this crate's trackers and of NAT: bytes with right checksums, parsed as the walk parses them.

use packet::checksum::{fold, ipv4_header, l4_compute, partial};
use packet::{Header, Ipv4, parse, set};

/// A frame with an IPv4 packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
}

/// Bytes before the IP header.
pub(crate) const L3: usize = 14;

impl Frame {
    /// An IPv4 packet with its transport checksum as `payload` has it.
    pub(crate) fn raw(src: u32, dst: u32, protocol: u8, payload: &[u8]) -> Self {
        let mut bytes = vec![2; 12];
        bytes.extend([0x08, 0x00]);
        bytes.extend(ipv4(src, dst, protocol, payload));
        Self { bytes }
    }

    /// An IPv4 packet whose transport checksum is computed.
    pub(crate) fn new(src: u32, dst: u32, protocol: u8, payload: &[u8]) -> Self {
        let mut frame = Self::raw(src, dst, protocol, payload);
        let header = frame.header();
        if let Some(sum) = l4_compute(&header, [frame.bytes.as_slice()]) {
            set::l4_checksum(&mut frame.bytes, &header, sum).expect("the field is there");
        }
        frame
    }

    pub(crate) fn tcp(src: u32, dst: u32, sport: u16, dport: u16, segment: &Tcp<'_>) -> Self {
        Self::new(src, dst, packet::protocol::TCP, &segment.bytes(sport, dport))
    }

    pub(crate) fn udp(src: u32, dst: u32, sport: u16, dport: u16, data: &[u8]) -> Self {
        let mut udp = Vec::new();
        udp.extend(sport.to_be_bytes());
        udp.extend(dport.to_be_bytes());
        udp.extend((8 + data.len() as u16).to_be_bytes());
        udp.extend([0xff, 0xff]);
        udp.extend(data);
        Self::new(src, dst, packet::protocol::UDP, &udp)
    }

    pub(crate) fn icmp(src: u32, dst: u32, kind: u8, code: u8, id: u16, data: &[u8]) -> Self {
        let mut icmp = vec![kind, code, 0, 0];
        icmp.extend(id.to_be_bytes());
        icmp.extend([0, 1]);
        icmp.extend(data);
        Self::new(src, dst, packet::protocol::ICMP, &icmp)
    }

    /// An ICMP error from `src` to `dst` that quotes the first `quoted` bytes of this frame's packet.
    pub(crate) fn error(&self, src: u32, dst: u32, kind: u8, quoted: usize) -> Self {
        let packet = &self.bytes[L3..];
        Self::icmp(src, dst, kind, 0, 0, &packet[..quoted.min(packet.len())])
    }

    pub(crate) fn header(&self) -> Header<Ipv4> {
        parse::ip(&self.bytes, L3, self.bytes.len() - L3).expect("the tests make sound packets")
    }

    /// Every checksum of the packet is right.
    pub(crate) fn is_sound(&self) -> bool {
        let header = self.header();
        let ip = &self.bytes[L3..usize::from(header.l4)];
        ipv4_header(ip) == u16::from_be_bytes([ip[10], ip[11]]) && packet::checksum::l4_verify(&header, [self.bytes.as_slice()])
    }
}

fn ipv4(src: u32, dst: u32, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x45, 0];
    ip.extend((20 + payload.len() as u16).to_be_bytes());
    ip.extend([0, 7, 0x40, 0, 64, protocol, 0, 0]);
    ip.extend(src.to_be_bytes());
    ip.extend(dst.to_be_bytes());
    let sum = fold(partial(&ip, 0)).to_be_bytes();
    ip[10..12].copy_from_slice(&sum);
    ip.extend(payload);
    ip
}

/// A TCP segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tcp<'a> {
    pub(crate) flags: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) window: u16,
    pub(crate) options: &'a [u8],
    pub(crate) data: usize,
}

impl Tcp<'_> {
    fn bytes(&self, sport: u16, dport: u16) -> Vec<u8> {
        let mut tcp = Vec::new();
        tcp.extend(sport.to_be_bytes());
        tcp.extend(dport.to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.push(((5 + self.options.len() / 4) << 4) as u8);
        tcp.push(self.flags);
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(self.options);
        tcp.extend(vec![b'x'; self.data]);
        tcp
    }
}
