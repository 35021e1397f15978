//! The keyed hash by which everything is found that strangers name.

use packet::{Family, Tuple, TupleL4, family::Addr};
use siphasher::sip::SipHasher24;

/// The hash of tuples and of sources: products of 64 by 64 bits with both halves folded together, of words that a secret has changed before.
/// Addresses and ports come from whoever sends, and must not steer where their entries stand. It is no linear function of them (of a linear one,
/// like a CRC, two that collide give away any number more), nobody is shown a hash, and a lookup's work is bounded whatever they are.
#[derive(Clone, Copy)]
pub(crate) struct TupleHash([u64; 8]);

/// Both halves of a product.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// 64 bits of an address.
#[inline]
fn words<A: Addr>(address: A, first: usize) -> u64 {
    u64::from(address.word(first)) << 32 | u64::from(address.word(first + 1))
}

impl TupleHash {
    pub(crate) fn new(key: [u64; 2]) -> Self {
        let secret = SipHasher24::new_with_keys(key[0], key[1]);
        // The factor of the last product is odd: no bit is lost for all that comes.
        Self(core::array::from_fn(|i| secret.hash(&i.to_le_bytes()) | u64::from(i == 7)))
    }

    /// Of a tuple within a zone.
    #[inline]
    pub(crate) fn tuple<F: Family>(&self, tuple: &Tuple<F>, zone: u16) -> u64 {
        let l4 = match tuple.l4 {
            // As they lie in memory: one load each for both ports, and below for both addresses.
            TupleL4::Ports { src, dst } | TupleL4::Calls { src, dst } => u32::from(dst) << 16 | u32::from(src),
            TupleL4::Icmp { kind, code, id } => u32::from(kind) << 24 | u32::from(code) << 16 | u32::from(id),
            TupleL4::Other => 0,
        };
        self.three(tuple.src, tuple.dst, u64::from(l4) << 32 | u64::from(tuple.protocol) << 16 | u64::from(zone))
    }

    /// Of a tuple's source: address, port or identifier, protocol, within a zone.
    #[inline]
    pub(crate) fn source<F: Family>(&self, tuple: &Tuple<F>, zone: u16) -> u32 {
        let rest = u64::from(source_port(tuple.l4)) << 32 | u64::from(tuple.protocol) << 16 | u64::from(zone);
        self.three(tuple.src, F::Addr::ZERO, rest) as u32
    }

    #[inline]
    fn three<A: Addr>(&self, a: A, b: A, rest: u64) -> u64 {
        let Self([k0, k1, k2, k3, k4, k5, k6, k7]) = *self;
        let mixed = if A::LEN == u32::LEN {
            fold((u64::from(b.word(0)) << 32 | u64::from(a.word(0))) ^ k0, rest ^ k1)
        } else {
            let (a, b) = (fold(words(a, 0) ^ k0, words(a, 2) ^ k1), fold(words(b, 0) ^ k2, words(b, 2) ^ k3));
            fold(a ^ k4, b ^ k5 ^ rest)
        };
        fold(mixed ^ k6, k7)
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

    /// What a scan sends (one address or port after another, from and to both) falls as evenly as chance has it, on the bits that choose a bucket and
    /// on those that are compared.
    #[test]
    fn what_counts_up_is_spread_like_chance() {
        fn spread<F: Family>(tuple: impl Fn(u32) -> Tuple<F>) {
            for key in [[0, 0], [1, 2], [u64::MAX, 7]] {
                let hash = TupleHash::new(key);
                for shift in [0, 16, 32, 48] {
                    let mut buckets = vec![0u32; 4096];
                    for i in 0..65_536 {
                        buckets[(hash.tuple(&tuple(i), 0) >> shift) as usize % 4096] += 1;
                    }
                    let chi: f64 = buckets.iter().map(|n| (f64::from(*n) - 16.0).powi(2) / 16.0).sum();
                    // 4,095 degrees of freedom: a standard deviation is 90.
                    assert!((3500.0..4700.0).contains(&chi), "key {key:?}, bits from {shift}: {chi}");
                }
            }
        }
        let ports = |i: u32| TupleL4::Ports { src: i as u16, dst: 80 };
        spread(|i| Tuple::<Ipv4> { src: 0x0a00_0001, dst: 0x0a00_0002, protocol: 6, l4: ports(i) });
        spread(|i| Tuple::<Ipv4> { src: 0x0a00_0000 + i, dst: 0x0a00_0002, protocol: 6, l4: ports(7) });
        spread(|i| Tuple::<Ipv4> { src: i % 256, dst: i / 256, protocol: 17, l4: ports(53) });
        spread(|i| Tuple::<Ipv6> { src: 1 << 120, dst: 1 << 120 | u128::from(i), protocol: 6, l4: ports(7) });
        spread(|i| Tuple::<Ipv6> { src: 1 << 120 | u128::from(i) << 64, dst: 1, protocol: 6, l4: ports(i) });
    }
}
