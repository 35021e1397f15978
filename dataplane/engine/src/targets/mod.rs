//! Targets that act: one file per target. Each does what the kernel module of the same name does, and says how the table goes on.

pub(crate) mod connmark;
pub(crate) mod connsecmark;
pub(crate) mod ct;
pub(crate) mod ecn;
pub(crate) mod hmark;
pub(crate) mod log;
pub(crate) mod nat;
pub(crate) mod npt;
pub(crate) mod reject;
pub(crate) mod set;
pub(crate) mod synproxy;
pub(crate) mod tcpmss;
pub(crate) mod tcpoptstrip;
pub(crate) mod tee;
pub(crate) mod tos;
pub(crate) mod ttl;

use packet::set::SetError;
use program::Target;

/// What became of a change of a packet's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It is made, or there was nothing to change.
    Done,
    /// The packet is malformed: the target drops it.
    Refused,
    /// The bytes are not where they were parsed, or the buffer has no room.
    OutOfReach,
}

impl From<Result<(), SetError>> for Changed {
    fn from(set: Result<(), SetError>) -> Self {
        if set.is_ok() { Self::Done } else { Self::OutOfReach }
    }
}

/// Does it nothing but to set the marks and the label of the packet, or its flow's mark? Then what it does to one packet it does to the next like
/// it, unless it has changed the flow's mark.
pub(crate) fn repeats(target: &Target) -> bool {
    // Whether HMARK does is known when it has.
    let sets_marks =
        matches!(target, Target::Mark(_) | Target::Hmark(_) | Target::SetConnmark(_) | Target::Connmark(_) | Target::Secmark(_));
    sets_marks || matches!(target, Target::SetConnmarkShifted(..) | Target::ConnmarkShifted(..))
}
