//! One packet's fields, read once and asked many times.

use thiserror::Error;

use crate::family::{Addr as _, Family};
use crate::protocol;

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

impl Fragment {
    /// From the offset in bytes and the more-fragments flag.
    #[inline]
    pub fn at(offset: u16, more: bool) -> Self {
        match (offset, more) {
            (0, false) => Self::Whole,
            (0, true) => Self::First,
            (offset, _) => Self::Later(offset),
        }
    }
}

/// What is wrong with a transport header's shape. Connection tracking calls such a packet INVALID; nothing else minds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum L4Fault {
    /// The packet ends inside the header.
    #[error("the transport header is cut short")]
    Truncated,
    /// TCP's data offset is below 20 bytes or beyond the packet.
    #[error("the TCP data offset is wrong")]
    TcpDataOffset,
    /// UDP's length is below 8 or beyond the packet. Less than the data is right.
    #[error("the UDP length is wrong")]
    UdpLength,
}

/// The transport header, as far as rules and flows look into it.
///
/// Ports and numbers are in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L4 {
    /// A later fragment: there is no transport header here.
    Absent,
    /// IPv6's extension headers break off before they name a transport protocol. ip6tables drops such a packet where a rule asks for its protocol
    /// ("hotdrop").
    Lost,
    /// The protocol has a header of a known least size and fewer bytes are there. iptables' `tcp`, `udp` and `icmp` matches drop such a
    /// packet at once ("hotdrop").
    Truncated {
        /// Source and destination port, when at least they are there: `multiport` is content with them. To all else the packet has none.
        ports: Option<(u16, u16)>,
    },
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
    /// SCTP or DCCP: the ports, with at least the fixed header there. Also TCP and UDP quoted by an ICMP error that was cut behind the ports.
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
    /// The enhanced GRE header of PPTP: at least 8 bytes are there.
    EnhancedGre {
        /// It carries PPP, as it should.
        is_ppp: bool,
        /// The call at the receiver.
        call: u16,
    },
    /// Any other protocol, and plain GRE.
    Other,
}

/// The fields of one IP packet. Offsets count from the first byte of the buffer's head (the Ethernet header).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<F: Family> {
    /// Source address.
    pub src: F::Addr,
    /// Destination address.
    pub dst: F::Addr,
    /// Transport protocol, behind the extension headers of IPv6. Of [`L4::Lost`] that of the last header that is known of.
    pub protocol: u8,
    /// TOS byte or traffic class, all eight bits.
    pub tos: u8,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Offset of the IP header.
    pub l3: u16,
    /// Offset of the transport header (of the fragment's data for a later fragment); the packet's end where it should begin behind that.
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
    /// Of no packet: what is to be written over.
    pub const BLANK: Self = Self {
        src: F::Addr::ZERO,
        dst: F::Addr::ZERO,
        protocol: 0,
        tos: 0,
        ttl: 0,
        l3: 0,
        l4: 0,
        len: 0,
        id: 0,
        dont_fragment: false,
        more_fragments: false,
        fragment: Fragment::Whole,
        transport: L4::Absent,
    };

    /// Source and destination port of a protocol that has them.
    #[inline]
    pub fn ports(&self) -> Option<(u16, u16)> {
        match self.transport {
            L4::Tcp { sport, dport, .. } | L4::Udp { sport, dport, .. } | L4::Ports { sport, dport } => Some((sport, dport)),
            L4::Absent | L4::Lost | L4::Truncated { .. } | L4::Icmp { .. } | L4::EnhancedGre { .. } | L4::Other => None,
        }
    }

    /// Bytes of the packet from the transport header on.
    #[inline]
    pub fn l4_len(&self) -> u32 {
        self.len.saturating_sub(u32::from(self.l4.saturating_sub(self.l3)))
    }

    /// Bytes of data behind the TCP header, as its data offset has it; `None` for other protocols and where the offset is wrong.
    #[inline]
    pub fn tcp_data_len(&self) -> Option<u32> {
        match self.transport {
            L4::Tcp { header_len, .. } => self.l4_len().checked_sub(u32::from(header_len)),
            _ => None,
        }
    }

    /// What is wrong with the transport header's shape (the kernel's `tcp_error`, `udp_error`, `udplite_error`). Checksums and combinations
    /// of TCP flags are not looked at here.
    #[inline]
    pub fn l4_fault(&self) -> Option<L4Fault> {
        match self.transport {
            L4::Truncated { .. } => Some(L4Fault::Truncated),
            L4::Tcp { header_len, .. } => {
                let right = header_len >= 20 && u32::from(header_len) <= self.l4_len();
                (!right).then_some(L4Fault::TcpDataOffset)
            }
            // UDP-Lite's field is how much its checksum covers; 0 is all.
            L4::Udp { len: 0, .. } if self.protocol == protocol::UDPLITE => None,
            L4::Udp { len, .. } => {
                let right = len >= 8 && u32::from(len) <= self.l4_len();
                (!right).then_some(L4Fault::UdpLength)
            }
            L4::Absent | L4::Lost | L4::Ports { .. } | L4::Icmp { .. } | L4::EnhancedGre { .. } | L4::Other => None,
        }
    }
}
