//! `-m connbytes`: how much a connection has carried.

use serde::{Deserialize, Serialize};

/// `-m connbytes` (`xt_connbytes.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnbytesTest {
    /// Least count.
    pub from: u64,
    /// Greatest count. Less than `from`: the test holds below `to` and above `from`.
    pub to: u64,
    /// What is counted.
    pub what: Counted,
    /// True for the packets that go as the first one did, false for the answers; `None` for all.
    pub original: Option<bool>,
}

/// What [`ConnbytesTest`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Counted {
    /// Packets.
    Packets,
    /// Bytes, IP headers included.
    Bytes,
    /// Bytes by packets, rounded down; 0 without packets.
    Average,
}

impl ConnbytesTest {
    /// Does it hold for packets and bytes in the connection's original direction and in the other one?
    pub fn holds(&self, original: (u64, u64), reply: (u64, u64)) -> bool {
        let (packets, bytes) = match self.original {
            Some(true) => original,
            Some(false) => reply,
            None => (original.0.wrapping_add(reply.0), original.1.wrapping_add(reply.1)),
        };
        let count = match self.what {
            Counted::Packets => packets,
            Counted::Bytes => bytes,
            Counted::Average => bytes.checked_div(packets).unwrap_or(0),
        };
        if self.to < self.from { count < self.to || count > self.from } else { (self.from..=self.to).contains(&count) }
    }
}
