//! What the four NAT targets share: the range of addresses and ports to choose from.
use std::net::IpAddr;

/// A range to translate into. `SNAT` and `DNAT` may have all of it, `MASQUERADE` and `REDIRECT` no addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NatRange {
    /// First and last address; `None` leaves the address (or lets the target choose it).
    pub addrs: Option<(IpAddr, IpAddr)>,
    /// First and last port, not 0; `None` keeps the port where it is free.
    pub ports: Option<(u16, u16)>,
    /// DNAT only: `first-last/base` maps port `base + n` to `first + n`.
    pub base_port: Option<u16>,
    /// `--random`: the port is hashed.
    pub random: bool,
    /// `--random-fully`: the port is drawn.
    pub random_fully: bool,
    /// `--persistent`: a client keeps its address of the range.
    pub persistent: bool,
}
