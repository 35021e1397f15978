//! `-j TOS`: changes the type-of-service byte (IPv6: the traffic class).

/// `tos = (tos & !mask) ^ value`. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tos {
    /// Bits to flip after clearing.
    pub value: u8,
    /// Bits to clear.
    pub mask: u8,
}
