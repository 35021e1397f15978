//! `-j MARK`: changes the packet's mark.

/// `mark = (mark & !mask) ^ value`: the one form to which all options come down. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarkSet {
    /// Bits to flip after clearing.
    pub value: u32,
    /// Bits to clear.
    pub mask: u32,
}
