//! `-m conntrack`: what connection tracking knows about the packet's connection.
use super::ports::PortTest;
use super::state::StateSet;
use crate::AddrMatch;

/// The conntrack test. Every part that is there must hold; a packet without a connection passes only the state part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conntrack {
    /// `--ctstate`.
    pub state: Option<StateTest>,
    /// `--ctproto`.
    pub proto: Option<ProtoTest>,
    /// `--ctorigsrc`.
    pub orig_src: Option<AddrMatch>,
    /// `--ctorigdst`.
    pub orig_dst: Option<AddrMatch>,
    /// `--ctreplsrc`.
    pub repl_src: Option<AddrMatch>,
    /// `--ctrepldst`.
    pub repl_dst: Option<AddrMatch>,
    /// `--ctorigsrcport`.
    pub orig_src_port: Option<PortTest>,
    /// `--ctorigdstport`.
    pub orig_dst_port: Option<PortTest>,
    /// `--ctreplsrcport`.
    pub repl_src_port: Option<PortTest>,
    /// `--ctrepldstport`.
    pub repl_dst_port: Option<PortTest>,
    /// `--ctstatus`.
    pub status: Option<StatusTest>,
    /// `--ctexpire`, in seconds.
    pub expire: Option<ExpireTest>,
    /// `--ctdir`.
    pub direction: Option<Direction>,
}

/// Holds when the packet's states meet the set, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateTest {
    /// The wanted states.
    pub states: StateSet,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when the connection's protocol is `number`, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProtoTest {
    /// IP protocol number.
    pub number: u8,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when one of these is true of the connection, turned round by `invert`. No field set is `NONE`: nothing is true of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StatusTest {
    /// `EXPECTED`: it was announced by another connection.
    pub expected: bool,
    /// `SEEN_REPLY`: packets came back.
    pub seen_reply: bool,
    /// `ASSURED`: never thrown out early.
    pub assured: bool,
    /// `CONFIRMED`: its first packet left the machine.
    pub confirmed: bool,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when `(min <= seconds left <= max) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExpireTest {
    /// Least seconds left.
    pub min: u32,
    /// Most seconds left.
    pub max: u32,
    /// `!` was given.
    pub invert: bool,
}

/// The direction in which a packet flows through its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// As the first packet.
    Original,
    /// Against the first packet.
    Reply,
}
