//! `-j CT`: how the packet's connection is tracked. `-j NOTRACK` is the old name of `-j CT --notrack`.

/// Settings for a connection before it is tracked. The packet goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ct {
    /// `--notrack`: the packet is UNTRACKED.
    pub notrack: bool,
    /// `--zone`, `--zone-orig`, `--zone-reply`.
    pub zone: Option<Zone>,
    /// `--helper`: name of a connection helper, at most 15 bytes.
    pub helper: Option<Box<str>>,
}

/// A tracking zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone {
    /// Where the number comes from.
    pub id: ZoneId,
    /// For which direction.
    pub direction: ZoneDirection,
}

/// Where the number of a zone comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZoneId {
    /// A fixed number.
    Number(u16),
    /// The low 16 bits of the packet's mark.
    FromMark,
}

/// The directions of a connection to which a zone applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZoneDirection {
    /// Both.
    Both,
    /// As the first packet.
    Original,
    /// Against the first packet.
    Reply,
}
