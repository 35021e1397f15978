//! `-j TTL`: changes the time to live of IPv4 packets.

/// The change. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ttl {
    /// `--ttl-set`.
    Set(u8),
    /// `--ttl-inc`: stops at 255.
    Increase(u8),
    /// `--ttl-dec`: stops at 0.
    Decrease(u8),
}
