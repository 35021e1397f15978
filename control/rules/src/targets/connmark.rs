//! `-j CONNMARK`: moves marks between the packet and its connection.

/// What happens to the marks. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnmarkAction {
    /// `connection = (connection & !mask) ^ value`.
    Set {
        /// Bits to flip after clearing.
        value: u32,
        /// Bits to clear.
        mask: u32,
    },
    /// `connection = (connection & !ct_mask) ^ (packet & nf_mask)`.
    Save {
        /// Bits of the packet's mark.
        nf_mask: u32,
        /// Bits of the connection's mark.
        ct_mask: u32,
    },
    /// `packet = (packet & !nf_mask) ^ (connection & ct_mask)`.
    Restore {
        /// Bits of the packet's mark.
        nf_mask: u32,
        /// Bits of the connection's mark.
        ct_mask: u32,
    },
}
