//! What `connlimit` asks of a list of connections; the lists are the engine's.

use packet::{Family, Header};
use serde::{Deserialize, Serialize};

/// `-m connlimit` (`xt_connlimit.c`): compares the connections of one list with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ConnlimitTest<F: Family> {
    /// The limit.
    pub limit: u32,
    /// Bits of the address that tell lists apart.
    pub mask: F::Addr,
    /// The address is the packet's destination; else its source.
    pub destination: bool,
    /// Holds above the limit; else up to it.
    pub above: bool,
}

impl<F: Family> ConnlimitTest<F> {
    /// The address for whose list a packet counts.
    #[inline]
    pub fn address(&self, header: &Header<F>) -> F::Addr {
        (if self.destination { header.dst } else { header.src }) & self.mask
    }

    /// Does it hold for so many connections?
    #[inline]
    pub fn holds(&self, connections: u32) -> bool {
        (connections > self.limit) == self.above
    }
}
