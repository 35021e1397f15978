//! What rules ask of connections.

use packet::Family;
use serde::{Deserialize, Serialize};

/// Bits of `--ctstate`, also of [`crate::Match::State`].
pub mod ctstate {
    /// No entry, and none could be made.
    pub const INVALID: u16 = 1;
    /// The entry has seen a reply.
    pub const ESTABLISHED: u16 = 2;
    /// A new entry that belongs to another one, or an ICMP error about one.
    pub const RELATED: u16 = 4;
    /// The packet begins an entry.
    pub const NEW: u16 = 8;
    /// The source was translated.
    pub const SNAT: u16 = 16;
    /// The destination was translated.
    pub const DNAT: u16 = 32;
    /// NOTRACK.
    pub const UNTRACKED: u16 = 64;
    /// Every state, with its name.
    pub const NAMES: [(u16, &str); 7] = [
        (INVALID, "INVALID"),
        (ESTABLISHED, "ESTABLISHED"),
        (RELATED, "RELATED"),
        (NEW, "NEW"),
        (SNAT, "SNAT"),
        (DNAT, "DNAT"),
        (UNTRACKED, "UNTRACKED"),
    ];
}

/// Bits of `--ctstatus`.
pub mod ctstatus {
    /// Expected (a child of an expectation).
    pub const EXPECTED: u32 = 1;
    /// Packets went both ways.
    pub const SEEN_REPLY: u32 = 2;
    /// Never dropped early.
    pub const ASSURED: u32 = 4;
    /// In the table.
    pub const CONFIRMED: u32 = 8;
    /// Every status, with its name.
    pub const NAMES: [(u32, &str); 4] =
        [(EXPECTED, "EXPECTED"), (SEEN_REPLY, "SEEN_REPLY"), (ASSURED, "ASSURED"), (CONFIRMED, "CONFIRMED")];
}

/// `-m conntrack` in full. `None` is not asked. Ports are ranges.
///
/// A packet without a connection (INVALID, UNTRACKED) passes when the state part is there and holds, whatever else is asked; without a
/// state part it does not pass (`xt_conntrack.c`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ConntrackTest<F: Family> {
    /// `--ctstate`: bits of [`ctstate`], and whether inverted.
    pub state: Option<(u16, bool)>,
    /// `--ctproto`
    pub protocol: Option<(u8, bool)>,
    /// `--ctorigsrc`: address, mask, inverted.
    pub orig_src: Option<(F::Addr, F::Addr, bool)>,
    /// `--ctorigdst`
    pub orig_dst: Option<(F::Addr, F::Addr, bool)>,
    /// `--ctreplsrc`
    pub repl_src: Option<(F::Addr, F::Addr, bool)>,
    /// `--ctrepldst`
    pub repl_dst: Option<(F::Addr, F::Addr, bool)>,
    /// `--ctorigsrcport`: lowest, highest, inverted.
    pub orig_src_port: Option<(u16, u16, bool)>,
    /// `--ctorigdstport`
    pub orig_dst_port: Option<(u16, u16, bool)>,
    /// `--ctreplsrcport`
    pub repl_src_port: Option<(u16, u16, bool)>,
    /// `--ctrepldstport`
    pub repl_dst_port: Option<(u16, u16, bool)>,
    /// `--ctstatus`: bits of [`ctstatus`] (0 is NONE), inverted.
    pub status: Option<(u32, bool)>,
    /// `--ctexpire`: lowest and highest remaining seconds, inverted.
    pub expire: Option<(u32, u32, bool)>,
    /// `--ctdir`: true for ORIGINAL.
    pub original: Option<bool>,
}
