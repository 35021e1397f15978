//! `-m mark`: the packet's mark.

/// Holds when `(mark & mask == value) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarkTest {
    /// The wanted value.
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
    /// `!` was given.
    pub invert: bool,
}
