//! What names one direction of a flow.

use serde::{Deserialize, Serialize};

use crate::family::{Addr, Family};

/// The transport part of a tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TupleL4 {
    /// TCP, UDP, UDP-Lite, SCTP, DCCP.
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
    /// XOR of all 16-bit words of addresses and ports: the same for both directions of a flow, and what ownership is computed from.
    /// ICMP and portless protocols count by addresses alone.
    pub fn xor_words(&self) -> u16 {
        let addresses = self.src.xor_words() ^ self.dst.xor_words();
        match self.l4 {
            TupleL4::Ports { src, dst } => addresses ^ src ^ dst,
            TupleL4::Icmp { .. } | TupleL4::Other => addresses,
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
    }
}
