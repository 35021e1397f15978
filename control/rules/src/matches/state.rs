//! `-m state`: the old name of `-m conntrack --ctstate`.

/// Holds when the packet's state is in the set, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The wanted states; SNAT and DNAT never stand here.
    pub states: StateSet,
    /// `!` was given.
    pub invert: bool,
}

/// States of a packet, as conntrack names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StateSet {
    /// `INVALID`: tracking could not place it.
    pub invalid: bool,
    /// `NEW`: it begins a connection.
    pub new: bool,
    /// `RELATED`: it begins an announced connection, or is an ICMP error about a known one.
    pub related: bool,
    /// `ESTABLISHED`: its connection has seen packets both ways.
    pub established: bool,
    /// `UNTRACKED`: tracking was switched off for it.
    pub untracked: bool,
    /// `SNAT`: the source of its connection is translated.
    pub snat: bool,
    /// `DNAT`: the destination of its connection is translated.
    pub dnat: bool,
}
