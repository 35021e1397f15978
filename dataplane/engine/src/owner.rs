//! Which worker a flow belongs to: computed from its tuple, the same for both directions.
//!
//! `owner = reta[T(x)]`, `x` being the XOR of all 16-bit words of the tuple and `T` the Toeplitz hash under the symmetric key that is programmed
//! into the NIC, so that unfragmented TCP and UDP arrive at their owner by themselves. The hash is public: whoever wants can load one
//! worker. The flow tables have keyed hashes of their own.

use packet::{Family, Tuple};

/// The key's repeating word. With it, the Toeplitz hash of an input depends on the XOR of the input's 16-bit words alone, and so not on the
/// direction.
pub const KEY_WORD: u16 = 0x6d5a;

/// Entries of the indirection table, a power of two.
pub const RETA: usize = 512;

/// The Toeplitz hash of an input whose 16-bit words fold to `x`.
pub fn toeplitz(x: u16) -> u32 {
    let key = u64::from(KEY_WORD) * 0x0001_0001_0001_0001;
    (0..16).filter(|bit| x & (0x8000 >> bit) != 0).fold(0, |hash, bit| hash ^ (key << bit >> 32) as u32)
}

/// Which worker has which hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners {
    reta: Box<[u16]>,
}

impl Owners {
    /// Hashes dealt evenly to `workers` workers (0 counts as one), in the NIC's own order.
    pub fn new(workers: u16) -> Self {
        Self { reta: (0..RETA as u16).map(|entry| entry % workers.max(1)).collect() }
    }

    /// The worker of a hash, as the NIC looks it up.
    #[inline]
    pub fn of_hash(&self, hash: u32) -> u16 {
        self.reta[hash as usize % self.reta.len()]
    }

    /// The worker of a tuple.
    #[inline]
    pub fn of<F: Family>(&self, tuple: &Tuple<F>) -> u16 {
        self.of_hash(toeplitz(tuple.xor_words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet::{Ipv4, Ipv6, TupleL4};
    use proptest::prelude::*;

    /// The hash by its definition, over the whole input.
    fn by_definition(input: &[u8]) -> u32 {
        let key: Vec<u8> = KEY_WORD.to_be_bytes().repeat(26);
        let key_bit = |at: usize| u32::from(key[at / 8] >> (7 - at % 8) & 1);
        let window = |at: usize| (at..at + 32).fold(0, |word, bit| word << 1 | key_bit(bit));
        (0..input.len() * 8).filter(|bit| input[bit / 8] >> (7 - bit % 8) & 1 == 1).fold(0, |hash, bit| hash ^ window(bit))
    }

    proptest! {
        #[test]
        fn folding_first_gives_the_hash_that_the_nic_computes(src: u32, dst: u32, sport: u16, dport: u16) {
            let tuple = Tuple::<Ipv4> { src, dst, protocol: 6, l4: TupleL4::Ports { src: sport, dst: dport } };
            let mut input = Vec::new();
            input.extend(src.to_be_bytes());
            input.extend(dst.to_be_bytes());
            input.extend(sport.to_be_bytes());
            input.extend(dport.to_be_bytes());
            prop_assert_eq!(toeplitz(tuple.xor_words()), by_definition(&input));
        }

        #[test]
        fn both_directions_have_one_owner(src: u128, dst: u128, sport: u16, dport: u16, workers in 1u16..32) {
            let there = Tuple::<Ipv6> { src, dst, protocol: 17, l4: TupleL4::Ports { src: sport, dst: dport } };
            let back = Tuple { src: dst, dst: src, l4: TupleL4::Ports { src: dport, dst: sport }, ..there };
            let owners = Owners::new(workers);
            prop_assert_eq!(owners.of(&there), owners.of(&back));
            prop_assert!(owners.of(&there) < workers);
        }
    }

    #[test]
    fn every_worker_gets_flows() {
        let owners = Owners::new(6);
        let tuple = |port| Tuple::<Ipv4> { src: 1, dst: 2, protocol: 6, l4: TupleL4::Ports { src: port, dst: 80 } };
        let mut seen = [0; 6];
        for port in 0..6000 {
            seen[usize::from(owners.of(&tuple(port)))] += 1;
        }
        assert!(seen.iter().all(|n| *n > 400), "{seen:?}");
    }
}
