//! Targets: what a rule does, one file each. The enum is closed: what is not here cannot be in a rule set.
pub mod connmark;
pub mod connsecmark;
pub mod ct;
pub mod log;
pub mod mark;
pub mod nat;
pub mod reject;
pub mod secmark;
pub mod tos;
pub mod ttl;

use crate::ChainName;
pub use connmark::ConnmarkAction;
pub use connsecmark::Connsecmark;
pub use ct::{Ct, Zone, ZoneDirection, ZoneId};
pub use log::Log;
pub use mark::MarkSet;
pub use nat::NatRange;
pub use reject::{Reject, RejectWith};
pub use secmark::Secmark;
pub use tos::Tos;
pub use ttl::Ttl;

/// What a rule does with a packet that passed its tests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// No `-j`: count and go on.
    None,
    /// `-j ACCEPT`: this table is done with the packet.
    Accept,
    /// `-j DROP`.
    Drop,
    /// `-j RETURN`: back to the caller, or the policy in a built-in chain.
    Return,
    /// `-j CHAIN`.
    Jump(ChainName),
    /// `-g CHAIN`: as a jump, but its end returns to the caller of this chain.
    Goto(ChainName),
    /// `-j CONNMARK`.
    Connmark(ConnmarkAction),
    /// `-j CONNSECMARK`.
    Connsecmark(Connsecmark),
    /// `-j CT`.
    Ct(Ct),
    /// `-j DNAT`.
    Dnat(NatRange),
    /// `-j LOG`.
    Log(Log),
    /// `-j MARK`.
    Mark(MarkSet),
    /// `-j MASQUERADE`.
    Masquerade(NatRange),
    /// `-j NOTRACK`.
    Notrack,
    /// `-j REDIRECT`.
    Redirect(NatRange),
    /// `-j REJECT`.
    Reject(Reject),
    /// `-j SECMARK`.
    Secmark(Secmark),
    /// `-j SNAT`.
    Snat(NatRange),
    /// `-j TOS`.
    Tos(Tos),
    /// `-j TTL`.
    Ttl(Ttl),
}

impl Target {
    /// The chain that a jump or goto leads to.
    pub fn chain(&self) -> Option<&ChainName> {
        match self {
            Target::Jump(name) | Target::Goto(name) => Some(name),
            _ => None,
        }
    }
}
