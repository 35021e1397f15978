//! Keys of what strangers could steer or guess: the hashes of tables whose entries they name, and cookies.
//!
//! A box has one secret, from the system's source, at boot. Every key is drawn from it by a keyed hash of its number: whoever should come to know
//! one key knows no other, and the walk's own chance ([`crate::rng`]), of which strangers see much, has no part in it.

use siphasher::sip::SipHasher24;

/// Draws keys.
#[derive(Clone)]
pub struct Keys {
    secret: SipHasher24,
    drawn: u64,
}

impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Keys").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

impl Keys {
    /// From a secret: random, and told to nobody. The same secret gives the same keys.
    pub fn new(secret: [u64; 2]) -> Self {
        Self { secret: SipHasher24::new_with_keys(secret[0], secret[1]), drawn: 0 }
    }

    /// The next one.
    pub fn draw(&mut self) -> [u64; 2] {
        core::array::from_fn(|_| {
            self.drawn += 1;
            self.secret.hash(&self.drawn.to_le_bytes())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_another_and_each_secret_has_its_own() {
        let draw = |secret| {
            let mut keys = Keys::new(secret);
            core::array::from_fn::<_, 8, _>(|_| keys.draw())
        };
        let mut all: Vec<u64> = [[1, 2], [1, 3], [2, 2]].into_iter().flat_map(draw).flatten().collect();
        assert_eq!(draw([1, 2]), draw([1, 2]));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 48);
    }
}
