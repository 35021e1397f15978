//! `-m udp`: ports of the UDP header.
use super::ports::PortTest;

/// The UDP test; needs `-p udp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Udp {
    /// `--sport`.
    pub sport: PortTest,
    /// `--dport`.
    pub dport: PortTest,
}
