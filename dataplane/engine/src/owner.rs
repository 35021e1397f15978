//! Which worker a flow belongs to: computed from its tuple, the same for both directions.
//!
//! `owner = reta[T(x)]`, `x` being the XOR of all 16-bit words of the tuple and `T` the Toeplitz hash under the symmetric key that is programmed
//! into the NIC, so that unfragmented TCP and UDP arrive at their owner by themselves. The hash is public: whoever wants can load one
//! worker. The flow tables have keyed hashes of their own.
//!
//! `T` is linear: `T(x ^ d) = T(x) ^ T(d)`. Whether a change of the tuple by `d` (a translated address, another port) leaves the flow with its
//! owner therefore hangs on `d` alone, and the ports that do are found without a search ([`Owners::strides`]).

use packet::{Family, Tuple};

/// The key's repeating word. With it, the Toeplitz hash of an input depends on the XOR of the input's 16-bit words alone, and so not on the
/// direction.
pub const KEY_WORD: u16 = 0x6d5a;

/// Entries of the indirection table, a power of two: what the smallest common NICs have. Larger tables repeat it.
pub const RETA: usize = 128;

/// Most workers: a set of them fits 64 bits, and each has a few entries of the table.
pub const MOST_WORKERS: u16 = 32;

/// The Toeplitz hash of an input whose 16-bit words fold to `x`.
pub const fn toeplitz(x: u16) -> u32 {
    let key = KEY_WORD as u64 * 0x0001_0001_0001_0001;
    let (mut hash, mut bit) = (0, 0);
    while bit < 16 {
        if x & (0x8000 >> bit) != 0 {
            hash ^= (key << bit >> 32) as u32;
        }
        bit += 1;
    }
    hash
}

/// The whole key, `len` bytes of it, as a NIC is given it.
pub fn rss_key(len: usize) -> Vec<u8> {
    KEY_WORD.to_be_bytes().into_iter().cycle().take(len).collect()
}

/// Which worker has which hashes. Immutable; every worker has the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners {
    workers: u16,
    reta: Box<[u16; RETA]>,
    /// The table's entry for each byte of `x`, high and low: the entry of `x` is the XOR of both.
    entries: Box<[[u8; 256]; 2]>,
    strides: Box<[u16]>,
}

impl Owners {
    /// Hashes dealt evenly to `workers` workers (0 counts as one), in the NIC's own order.
    ///
    /// # Panics
    /// When there are more than [`MOST_WORKERS`]: the configuration has that limit.
    pub fn new(workers: u16) -> Self {
        assert!(workers <= MOST_WORKERS, "the configuration allows fewer workers");
        let workers = workers.max(1);
        let entry = |x: u16| (toeplitz(x) as usize % RETA) as u8;
        Self {
            workers,
            reta: Box::new(core::array::from_fn(|entry| entry as u16 % workers)),
            entries: Box::new([
                core::array::from_fn(|byte| entry((byte as u16) << 8)),
                core::array::from_fn(|byte| entry(byte as u16)),
            ]),
            strides: (0..=u16::MAX).filter(|x| entry(*x) == 0).collect(),
        }
    }

    /// How many workers there are.
    #[inline]
    pub fn workers(&self) -> u16 {
        self.workers
    }

    #[inline]
    fn entry(&self, x: u16) -> usize {
        let [high, low] = &*self.entries;
        usize::from(high[usize::from(x >> 8)] ^ low[usize::from(x & 0xff)])
    }

    /// The worker of a tuple whose 16-bit words fold to `x`.
    #[inline]
    pub fn of_words(&self, x: u16) -> u16 {
        self.reta[self.entry(x) % RETA]
    }

    /// The worker of a tuple.
    #[inline]
    pub fn of<F: Family>(&self, tuple: &Tuple<F>) -> u16 {
        self.of_words(tuple.xor_words())
    }

    /// The worker that puts the fragments between two addresses together: ports are not to be had there.
    #[inline]
    pub fn of_addresses<F: Family>(&self, src: F::Addr, dst: F::Addr) -> u16 {
        use packet::family::Addr;
        self.of_words(src.xor_words() ^ dst.xor_words())
    }

    /// Does every tuple have the same worker before and after its words are changed by `d`?
    #[inline]
    pub fn is_kept_by(&self, d: u16) -> bool {
        // With a power of two, the worker is the entry's low bits; else only the same entry surely has the same worker.
        let mask = if self.workers.is_power_of_two() { usize::from(self.workers) - 1 } else { RETA - 1 };
        self.entry(d) & mask == 0
    }

    /// Changes that leave every tuple's entry as it is, in ascending order, 0 first: they are a group under XOR, so those that turn one
    /// entry into another are its coset.
    pub fn strides(&self) -> &[u16] {
        &self.strides
    }

    /// The queue of each slot of a NIC's indirection table of that size; `None` when a table of that size cannot say who owns what.
    pub fn redirection(&self, slots: u16) -> Option<Vec<u16>> {
        let slots = usize::from(slots);
        let repeats = slots > 0 && slots.is_power_of_two() && (0..RETA).all(|entry| self.reta[entry] == self.reta[entry % slots]);
        repeats.then(|| (0..slots).map(|slot| self.reta[slot % RETA]).collect())
    }
}

/// A worker's place among the workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    owners: Owners,
    me: u16,
}

impl Default for Home {
    fn default() -> Self {
        Self::alone()
    }
}

impl Home {
    /// The only worker.
    pub fn alone() -> Self {
        Self { owners: Owners::new(1), me: 0 }
    }

    /// Worker `me` of several.
    ///
    /// # Panics
    /// When there are not that many.
    pub fn new(owners: Owners, me: u16) -> Self {
        assert!(me < owners.workers(), "workers are numbered from 0");
        Self { owners, me }
    }

    /// Is there another worker?
    #[inline]
    pub fn is_shared(&self) -> bool {
        self.owners.workers > 1
    }

    /// This worker's number.
    #[inline]
    pub fn me(&self) -> u16 {
        self.me
    }

    /// Who owns what.
    #[inline]
    pub fn owners(&self) -> &Owners {
        &self.owners
    }

    /// Does this worker own the tuple?
    #[inline]
    pub fn is_mine<F: Family>(&self, tuple: &Tuple<F>) -> bool {
        self.owners.of(tuple) == self.me
    }

    /// Who owns the tuple, if it is not this worker.
    #[inline]
    pub fn elsewhere<F: Family>(&self, tuple: &Tuple<F>) -> Option<u16> {
        let owner = self.owners.of(tuple);
        (owner != self.me).then_some(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet::{Ipv4, Ipv6, TupleL4};
    use proptest::prelude::*;

    /// The hash by its definition, over the whole input.
    fn by_definition(input: &[u8]) -> u32 {
        let key = rss_key(52);
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
            let owners = Owners::new(3);
            prop_assert_eq!(owners.of(&tuple), (by_definition(&input) % 128 % 3) as u16);
        }

        #[test]
        fn both_directions_have_one_owner(src: u128, dst: u128, sport: u16, dport: u16, workers in 1u16..=MOST_WORKERS) {
            let there = Tuple::<Ipv6> { src, dst, protocol: 17, l4: TupleL4::Ports { src: sport, dst: dport } };
            let back = Tuple { src: dst, dst: src, l4: TupleL4::Ports { src: dport, dst: sport }, ..there };
            let owners = Owners::new(workers);
            prop_assert_eq!(owners.of(&there), owners.of(&back));
            prop_assert!(owners.of(&there) < workers);
        }

        #[test]
        fn a_change_that_keeps_the_owner_keeps_it_for_every_tuple(x: u16, d: u16, stride in 0usize..512, workers in 1u16..=MOST_WORKERS) {
            let owners = Owners::new(workers);
            if owners.is_kept_by(d) {
                prop_assert_eq!(owners.of_words(x), owners.of_words(x ^ d));
            }
            prop_assert_eq!(owners.of_words(x), owners.of_words(x ^ owners.strides()[stride]));
        }

        #[test]
        fn a_nic_that_takes_the_table_agrees(x: u16, workers in 1u16..=MOST_WORKERS, log in 0u32..12) {
            let owners = Owners::new(workers);
            if let Some(queues) = owners.redirection(1 << log) {
                prop_assert_eq!(queues[toeplitz(x) as usize % queues.len()], owners.of_words(x));
            }
        }
    }

    #[test]
    fn tables_that_cannot_say_it_are_refused() {
        assert!(Owners::new(3).redirection(64).is_none(), "64 slots do not repeat 128 entries dealt to three");
        assert!(Owners::new(4).redirection(64).is_some());
        assert!(Owners::new(3).redirection(512).is_some());
        assert!(Owners::new(4).redirection(0).is_none() && Owners::new(4).redirection(100).is_none());
    }

    #[test]
    fn the_strides_are_a_group_of_five_hundred_and_twelve() {
        let owners = Owners::new(3);
        let strides = owners.strides();
        assert_eq!((strides.len(), strides[0]), (65_536 / RETA, 0));
        assert!(strides.iter().all(|a| strides.binary_search(&(a ^ strides[7])).is_ok()));
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
