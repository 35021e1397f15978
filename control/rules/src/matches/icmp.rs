//! `-m icmp`: type and code of an ICMP packet.

/// Holds when the type is `kind` and `code_min <= code <= code_max`, turned round by `invert`; needs `-p icmp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp {
    /// ICMP type; `None` is any type.
    pub kind: Option<u8>,
    /// Lowest code inside.
    pub code_min: u8,
    /// Highest code inside.
    pub code_max: u8,
    /// `!` was given.
    pub invert: bool,
}
