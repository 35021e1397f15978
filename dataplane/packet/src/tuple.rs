//! What names one direction of a flow.

use serde::{Deserialize, Serialize};

use crate::family::{Addr, Family, FamilyId};
use crate::header::{Header, L4};
use crate::{icmp, protocol};

/// The transport part of a tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TupleL4 {
    /// TCP, UDP, UDP-Lite, SCTP.
    Ports {
        /// Source port.
        src: u16,
        /// Destination port.
        dst: u16,
    },
    /// ICMP and ICMPv6 queries.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Identifier.
        id: u16,
    },
    /// PPTP's GRE: the calls of both ends. A packet carries the receiver's only; the other counts as 0.
    Calls {
        /// The sender's.
        src: u16,
        /// The receiver's.
        dst: u16,
    },
    /// Everything else is told apart by addresses and protocol alone.
    Other,
}

/// One direction of a flow: addresses, protocol and transport part, as the first packet of that direction carries them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tuple<F: Family> {
    /// Source address.
    pub src: F::Addr,
    /// Destination address.
    pub dst: F::Addr,
    /// Protocol number.
    pub protocol: u8,
    /// Ports, or ICMP's fields.
    pub l4: TupleL4,
}

impl<F: Family> Tuple<F> {
    /// The tuple that a packet carries; `None` for a later fragment, for a transport header that is lost or cut short, where nothing follows IPv6's headers, and for PPTP's GRE with anything
    /// but PPP in it.
    #[inline]
    pub fn of(header: &Header<F>) -> Option<Self> {
        let l4 = match header.transport {
            // First, because most are.
            L4::Tcp { sport, dport, .. } | L4::Udp { sport, dport, .. } => TupleL4::Ports { src: sport, dst: dport },
            L4::Absent | L4::Lost => return None,
            // ICMP in the other family is nothing that the kernel's tracking could read.
            _ if F::ID == FamilyId::Ipv6 && matches!(header.protocol, protocol::NO_NEXT_HEADER | protocol::ICMP) => return None,
            // The kernel's tracking knows DCCP no longer (seen with Linux 6.18).
            _ if header.protocol == protocol::DCCP => TupleL4::Other,
            L4::Truncated { .. } | L4::EnhancedGre { is_ppp: false, .. } => return None,
            L4::EnhancedGre { is_ppp: true, call } => TupleL4::Calls { src: 0, dst: call },
            L4::Ports { sport, dport } => TupleL4::Ports { src: sport, dst: dport },
            L4::Icmp { kind, code, id, .. } => TupleL4::Icmp { kind, code, id },
            L4::Other => TupleL4::Other,
        };
        Some(Self { src: header.src, dst: header.dst, protocol: header.protocol, l4 })
    }

    /// The tuple of the answer; `None` for an ICMP type that has none.
    pub fn invert(&self) -> Option<Self> {
        let l4 = match self.l4 {
            TupleL4::Ports { src, dst } => TupleL4::Ports { src: dst, dst: src },
            TupleL4::Icmp { kind, code, id } => TupleL4::Icmp { kind: icmp::inverse::<F>(kind)?, code, id },
            TupleL4::Calls { src, dst } => TupleL4::Calls { src: dst, dst: src },
            TupleL4::Other => TupleL4::Other,
        };
        Some(Self { src: self.dst, dst: self.src, protocol: self.protocol, l4 })
    }

    /// XOR of all 16-bit words of addresses and ports: the same for both directions of a flow, and what ownership is computed from.
    /// ICMP and portless protocols count by addresses alone.
    pub fn xor_words(&self) -> u16 {
        let addresses = self.src.xor_words() ^ self.dst.xor_words();
        match self.l4 {
            TupleL4::Ports { src, dst } => addresses ^ src ^ dst,
            TupleL4::Icmp { .. } | TupleL4::Calls { .. } | TupleL4::Other => addresses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::Ipv4;

    #[test]
    fn both_directions_fold_alike() {
        let there = Tuple::<Ipv4> { src: 0x0a00_0001, dst: 0xc0a8_0101, protocol: 6, l4: TupleL4::Ports { src: 40000, dst: 80 } };
        let back = Tuple::<Ipv4> { src: there.dst, dst: there.src, l4: TupleL4::Ports { src: 80, dst: 40000 }, ..there };
        assert_eq!(there.xor_words(), back.xor_words());
        assert_eq!(there.invert(), Some(back));
    }

    #[test]
    fn queries_invert_to_their_answers_and_errors_do_not() {
        let icmp = |kind| Tuple::<Ipv4> { src: 1, dst: 2, protocol: 1, l4: TupleL4::Icmp { kind, code: 0, id: 7 } };
        assert_eq!(icmp(8).invert().unwrap().l4, TupleL4::Icmp { kind: 0, code: 0, id: 7 });
        assert_eq!(icmp(13).invert().and_then(|t| t.invert()), Some(icmp(13)));
        assert_eq!(icmp(3).invert(), None);
    }
}
