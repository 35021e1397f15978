//! One packet's fields, read once and asked many times.

use crate::family::Family;

/// Where a packet stands in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// Not a fragment.
    Whole,
    /// Offset 0 with more to come: the transport header is (or begins) here.
    First,
    /// A later one, at this offset in bytes (a multiple of 8, never 0).
    Later(u16),
}

/// The transport header, as far as rules and flows look into it.
///
/// Ports and numbers are in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L4 {
    /// A later fragment: there is no transport header here.
    Absent,
    /// The protocol has a header of a known least size and fewer bytes are there. iptables' `tcp`, `udp`, `icmp` and `multiport` matches
    /// drop such a packet at once ("hotdrop").
    Truncated,
    /// TCP: at least 20 bytes are there.
    Tcp {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
        /// Sequence number.
        seq: u32,
        /// Acknowledgement number.
        ack: u32,
        /// The flags byte: FIN 0x01, SYN 0x02, RST 0x04, PSH 0x08, ACK 0x10, URG 0x20, ECE 0x40, CWR 0x80.
        flags: u8,
        /// Window as it stands in the header, not scaled.
        window: u16,
        /// Header length in bytes as the data offset has it (0..=60): it may claim less than 20, or more than is there.
        header_len: u8,
    },
    /// UDP or UDP-Lite: at least 8 bytes are there.
    Udp {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
        /// Length field as it stands in the header.
        len: u16,
    },
    /// SCTP or DCCP: the ports, with at least the fixed header there.
    Ports {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
    },
    /// ICMP or ICMPv6: at least 8 bytes are there.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Bytes 4 and 5: the identifier of echo and query types.
        id: u16,
        /// Bytes 6 and 7: the sequence number of echo and query types, the next hop's MTU of type 3 code 4.
        seq: u16,
    },
    /// Any other protocol.
    Other,
}

/// The fields of one IP packet. Offsets count from the first byte of the buffer's head (the Ethernet header).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<F: Family> {
    /// Source address.
    pub src: F::Addr,
    /// Destination address.
    pub dst: F::Addr,
    /// Transport protocol, behind the extension headers of IPv6.
    pub protocol: u8,
    /// TOS byte or traffic class, all eight bits.
    pub tos: u8,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Offset of the IP header.
    pub l3: u16,
    /// Offset of the transport header (of the fragment's data for a later fragment).
    pub l4: u16,
    /// Length in bytes of the IP packet, header included: what counters count.
    pub len: u32,
    /// IPv4's identification, or that of the fragment header (0 without one).
    pub id: u32,
    /// IPv4's don't-fragment flag; always true for IPv6.
    pub dont_fragment: bool,
    /// The more-fragments flag.
    pub more_fragments: bool,
    /// Where this packet stands in its datagram.
    pub fragment: Fragment,
    /// The transport header.
    pub transport: L4,
}

impl<F: Family> Header<F> {
    /// Source and destination port of a protocol that has them.
    pub fn ports(&self) -> Option<(u16, u16)> {
        match self.transport {
            L4::Tcp { sport, dport, .. } | L4::Udp { sport, dport, .. } | L4::Ports { sport, dport } => Some((sport, dport)),
            L4::Absent | L4::Truncated | L4::Icmp { .. } | L4::Other => None,
        }
    }

    /// Bytes of the packet from the transport header on.
    pub fn l4_len(&self) -> u32 {
        self.len.saturating_sub(u32::from(self.l4 - self.l3))
    }
}
