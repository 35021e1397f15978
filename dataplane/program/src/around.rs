//! What rules ask of the box's addresses and routes, and of the frame.

use serde::{Deserialize, Serialize};

/// What [`crate::Match::Addrtype`] asks of one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TypeTest {
    /// Bits of [`addrtype`]; none is not asked.
    pub types: u16,
    /// `!`
    pub not: bool,
}

/// An interface of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The one that it came by.
    In,
    /// The one that it leaves by.
    Out,
}

/// To whom a frame was addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LinkDestination {
    /// The box, or nobody: it sends the packet itself.
    Host,
    /// All.
    Broadcast,
    /// A group.
    Multicast,
    /// Another host. Such frames come to no rule.
    OtherHost,
}

/// Bits of `-m addrtype`: types of routes, by their numbers.
pub mod addrtype {
    /// The zero address of IPv6.
    pub const UNSPEC: u16 = 1 << 0;
    /// None of the others.
    pub const UNICAST: u16 = 1 << 1;
    /// The box's own.
    pub const LOCAL: u16 = 1 << 2;
    /// Of all on a link.
    pub const BROADCAST: u16 = 1 << 3;
    /// Of whichever router of a subnet, this one among them.
    pub const ANYCAST: u16 = 1 << 4;
    /// Of a group.
    pub const MULTICAST: u16 = 1 << 5;
    /// No route leads there.
    pub const UNREACHABLE: u16 = 1 << 7;
    /// Every type with its name. Those that no address of a routing table `local` has (BLACKHOLE, PROHIBIT, THROW, NAT, XRESOLVE) are taken and never
    /// found, as in the kernel.
    pub const NAMES: [(u16, &str); 12] = [
        (UNSPEC, "UNSPEC"),
        (UNICAST, "UNICAST"),
        (LOCAL, "LOCAL"),
        (BROADCAST, "BROADCAST"),
        (ANYCAST, "ANYCAST"),
        (MULTICAST, "MULTICAST"),
        (1 << 6, "BLACKHOLE"),
        (UNREACHABLE, "UNREACHABLE"),
        (1 << 8, "PROHIBIT"),
        (1 << 9, "THROW"),
        (1 << 10, "NAT"),
        (1 << 11, "XRESOLVE"),
    ];
}
