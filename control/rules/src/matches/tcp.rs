//! `-m tcp`: ports, flags and one option of the TCP header.
use super::ports::PortTest;

/// The TCP test; needs `-p tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tcp {
    /// `--sport`.
    pub sport: PortTest,
    /// `--dport`.
    pub dport: PortTest,
    /// `--tcp-flags`, `--syn`.
    pub flags: Option<FlagsTest>,
    /// `--tcp-option`.
    pub option: Option<OptionTest>,
}

/// Holds when `(flags & mask == comp) != invert`. Bits as in byte 13 of the TCP header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlagsTest {
    /// The flags that are looked at.
    pub mask: u8,
    /// Those of them that must be set.
    pub comp: u8,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when the header carries an option of this kind, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptionTest {
    /// TCP option kind, never 0.
    pub kind: u8,
    /// `!` was given.
    pub invert: bool,
}
