//! Network address translation as the Linux kernel does it, on the flows of [`crate::conntrack`].
//!
//! A flow's translation is the difference between its tuples: the reply tuple is not the inverse of the original one. It is decided once for
//! each side, by the flow's first packet, before the flow is confirmed: destination in PREROUTING or OUTPUT, source in POSTROUTING or INPUT,
//! by a target ([`setup`]) or, where no rule matched, by a null binding ([`null_binding`]) that keeps everything but a port which would
//! clash. Every packet of the flow, the first among them, is then rewritten at the same places ([`translate`]), and so are ICMP errors
//! about it, outside and inside ([`translate_icmp_error`]).
//!
//! The kernel has to settle at confirmation what two CPUs began at once: one flow twice, by two packets of it. Here a flow has one worker, a
//! packet runs to its end before the next one's flow is looked up, and packets behind one that waits for another worker wait with it: no
//! second unconfirmed flow of one tuple comes to be.
//!
//! - `range` what a target allows; `eligible` which tuples are never taken; `choose` which tuple is; `home` the same among several workers; `bind` the decision; `translate` the bytes; `sctp` its CRC;
//!   `masquerade` the end of flows whose address went; `shortage` pools with no tuple left;
//!   `cone` one outside port towards everybody

mod bind;
mod choose;
pub(crate) mod cone;
mod eligible;
pub(crate) mod home;
pub(crate) mod masquerade;
mod range;
mod sctp;
pub(crate) mod shortage;
#[cfg(test)]
mod tests;
mod translate;

use program::Hook;
use thiserror::Error;

pub(crate) use bind::null_range;
pub use bind::{null_binding, setup};
pub use range::Range;
pub use shortage::{Reports, Shortage};
pub use translate::{TranslateError, translate, translate_icmp_error};
pub(crate) use translate::{redirected, translate_plain};

use crate::conntrack::{Flow, Status};
use crate::host::FamilyHost;
use crate::rng::Rng;
use crate::time::Time;
use packet::Family;

/// Which end of the original direction is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The source: POSTROUTING and INPUT.
    Src,
    /// The destination: PREROUTING and OUTPUT.
    Dst,
}

impl Side {
    /// Destinations are translated where a packet enters, sources where it leaves.
    pub(crate) fn of(hook: Hook) -> Self {
        match hook {
            Hook::Prerouting | Hook::Output => Self::Dst,
            Hook::Input | Hook::Postrouting | Hook::Forward => Self::Src,
        }
    }

    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Src => Self::Dst,
            Self::Dst => Self::Src,
        }
    }

    /// Set when the side is rewritten in the original direction.
    fn translated(self) -> Status {
        match self {
            Self::Src => Status::SRC_NAT,
            Self::Dst => Status::DST_NAT,
        }
    }

    fn done(self) -> Status {
        match self {
            Self::Src => Status::SRC_NAT_DONE,
            Self::Dst => Status::DST_NAT_DONE,
        }
    }
}

/// What a decision draws on.
#[derive(Debug)]
pub struct NatCtx<'a, F: Family> {
    /// Chance, for ports.
    pub rng: &'a mut Rng,
    /// The packet's time.
    pub now: Time,
    /// The box, whose own ports are not given away.
    pub host: &'a FamilyHost<F>,
}

/// Why a flow got no translation: its first packet must be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NatError {
    /// Every tuple that was tried within the range belongs to another flow.
    #[error("no free tuple within the range")]
    Exhausted,
}

/// Was this side of the flow decided already?
pub fn is_decided<F: Family>(flow: &Flow<F>, side: Side) -> bool {
    flow.status().has(side.done())
}
