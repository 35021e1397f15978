//! `-m multiport`: up to 15 ports or ranges.

/// Holds when a port of the packet is in the list, turned round by `invert`; needs `-p` tcp, udp, udplite, sctp or dccp.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Multiport {
    /// Which ports of the packet.
    pub side: Side,
    /// The list in the order given; a range counts two of the 15 places.
    pub ports: Vec<PortSpan>,
    /// `!` was given.
    pub invert: bool,
}

/// Which ports of the packet are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// `--sports`.
    Source,
    /// `--dports`.
    Destination,
    /// `--ports`: either.
    Either,
}

/// A port, or a range with `min < max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortSpan {
    /// Lowest port.
    pub min: u16,
    /// Highest port.
    pub max: u16,
}
