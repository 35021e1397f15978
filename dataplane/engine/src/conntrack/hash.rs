//! The keyed hash by which everything is found that strangers name.

use packet::{Family, Tuple, TupleL4, family::Addr};
use siphasher::sip::SipHasher13;

/// The hash of tuples and of sources. Keyed with SipHash-1-3: addresses and ports come from whoever sends, and must not steer where
/// their entries stand.
#[derive(Clone, Copy)]
pub(crate) struct TupleHash(SipHasher13);

impl TupleHash {
    pub(crate) fn new(key: [u64; 2]) -> Self {
        Self(SipHasher13::new_with_keys(key[0], key[1]))
    }

    /// Of a tuple within a zone.
    #[inline]
    pub(crate) fn tuple<F: Family>(&self, tuple: &Tuple<F>, zone: u16) -> u64 {
        let mut bytes = [0u8; 39];
        let len = F::Addr::LEN;
        tuple.src.write(&mut bytes);
        tuple.dst.write(&mut bytes[len..]);
        let l4 = match tuple.l4 {
            TupleL4::Ports { src, dst } | TupleL4::Calls { src, dst } => u32::from(src) << 16 | u32::from(dst),
            TupleL4::Icmp { kind, code, id } => u32::from(kind) << 24 | u32::from(code) << 16 | u32::from(id),
            TupleL4::Other => 0,
        };
        bytes[2 * len..2 * len + 4].copy_from_slice(&l4.to_le_bytes());
        bytes[2 * len + 4] = tuple.protocol;
        bytes[2 * len + 5..2 * len + 7].copy_from_slice(&zone.to_le_bytes());
        self.0.hash(&bytes[..2 * len + 7])
    }

    /// Of a tuple's source: address, port or identifier, protocol, within a zone.
    #[inline]
    pub(crate) fn source<F: Family>(&self, tuple: &Tuple<F>, zone: u16) -> u32 {
        let mut bytes = [0u8; 21];
        let len = F::Addr::LEN;
        tuple.src.write(&mut bytes);
        bytes[len..len + 2].copy_from_slice(&source_port(tuple.l4).to_le_bytes());
        bytes[len + 2] = tuple.protocol;
        bytes[len + 3..len + 5].copy_from_slice(&zone.to_le_bytes());
        self.0.hash(&bytes[..len + 5]) as u32
    }
}

/// The part of the transport that belongs to the source: a port, an ICMP identifier, or nothing.
pub(crate) fn source_port(l4: TupleL4) -> u16 {
    match l4 {
        TupleL4::Ports { src, .. } | TupleL4::Calls { src, .. } => src,
        TupleL4::Icmp { id, .. } => id,
        TupleL4::Other => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet::{Ipv4, Ipv6};

    #[test]
    fn every_part_of_the_tuple_and_the_key_count() {
        let hash = TupleHash::new([1, 2]);
        let tuple = Tuple::<Ipv4> { src: 1, dst: 2, protocol: 6, l4: TupleL4::Ports { src: 3, dst: 4 } };
        let base = hash.tuple(&tuple, 0);
        assert_ne!(base, hash.tuple(&Tuple { src: 9, ..tuple }, 0));
        assert_ne!(base, hash.tuple(&Tuple { dst: 9, ..tuple }, 0));
        assert_ne!(base, hash.tuple(&Tuple { protocol: 17, ..tuple }, 0));
        assert_ne!(base, hash.tuple(&Tuple { l4: TupleL4::Ports { src: 3, dst: 5 }, ..tuple }, 0));
        assert_ne!(base, hash.tuple(&tuple, 1));
        assert_ne!(base, TupleHash::new([1, 3]).tuple(&tuple, 0));
        let six = Tuple::<Ipv6> { src: 1 << 90, dst: 2, protocol: 58, l4: TupleL4::Icmp { kind: 128, code: 0, id: 4 } };
        assert_ne!(hash.tuple(&six, 0), hash.tuple(&Tuple { src: 1 << 91, ..six }, 0));
        assert_eq!(hash.source(&tuple, 0), hash.source(&Tuple { dst: 9, ..tuple }, 0));
        assert_ne!(hash.source(&tuple, 0), hash.source(&Tuple { l4: TupleL4::Ports { src: 9, dst: 4 }, ..tuple }, 0));
    }
}
