//! `-m statistic`: some of the packets, by chance or by count.

/// The statistic test, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Statistic {
    /// How packets are chosen.
    pub mode: Mode,
    /// `!` was given.
    pub invert: bool,
}

/// How packets are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Each with a chance of `probability / 2^31` (0 never, 2^31 always).
    Random {
        /// In units of 2^-31, as the kernel keeps it.
        probability: u32,
    },
    /// Packets number `packet`, `packet + every`, ... of those that reach this test, counted from 0.
    Nth {
        /// One of so many, at least 1.
        every: u32,
        /// The first one chosen; below `every`.
        packet: u32,
    },
}
