//! The generators' own random numbers: splitmix64, the same on every machine and for all time, so that a seed names a case.

use super::PORTS;

pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// `! ` now and then.
    pub(super) fn not(&mut self) -> &'static str {
        if self.chance(20) { "! " } else { "" }
    }

    /// One of [`PORTS`].
    pub(super) fn port(&mut self) -> u16 {
        *self.pick(&PORTS)
    }

    /// A port or a range as a rule has it, each end from [`PORTS`].
    pub(super) fn ports(&mut self) -> String {
        let (a, b) = (self.port(), self.port());
        match self.below(3) {
            0 => format!("{}:{}", a.min(b), a.max(b)),
            _ => a.to_string(),
        }
    }
}
