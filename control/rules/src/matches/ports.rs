//! Ports as tcp, udp and multiport test them.

/// Holds when `(min <= port <= max) != invert`. `min` may be above `max`, as legacy takes it: then no port is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortTest {
    /// Lowest port inside.
    pub min: u16,
    /// Highest port inside.
    pub max: u16,
    /// `!` was given.
    pub invert: bool,
}

impl PortTest {
    /// The test that every port passes.
    pub const ANY: PortTest = PortTest { min: 0, max: u16::MAX, invert: false };

    /// Whether every port is inside (none passes if it is inverted).
    pub fn is_full(self) -> bool {
        self.min == 0 && self.max == u16::MAX
    }

    /// Whether this port passes.
    pub fn holds(self, port: u16) -> bool {
        (self.min <= port && port <= self.max) != self.invert
    }
}
