//! ICMP for IPv6: types, where they differ from IPv4's.

/// Types.
pub mod kind {
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 1;
    /// Packet too big.
    pub const PACKET_TOO_BIG: u8 = 2;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 3;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 4;
    /// Echo request.
    pub const ECHO: u8 = 128;
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 129;
    /// Neighbour discovery's redirect.
    pub const REDIRECT: u8 = 137;
    /// Node information query.
    pub const NODE_QUERY: u8 = 139;
    /// Node information reply.
    pub const NODE_REPLY: u8 = 140;
}

/// Errors have the top bit clear (RFC 4443 section 2.1).
pub(crate) fn is_error(kind: u8) -> bool {
    kind < 128
}

/// The type that answers this one.
pub(crate) fn inverse(kind: u8) -> Option<u8> {
    Some(match kind {
        kind::ECHO => kind::ECHO_REPLY,
        kind::ECHO_REPLY => kind::ECHO,
        kind::NODE_QUERY => kind::NODE_REPLY,
        kind::NODE_REPLY => kind::NODE_QUERY,
        _ => return None,
    })
}
