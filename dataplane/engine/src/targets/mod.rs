//! Targets that act: one file per target. Each does what the kernel module of the same name does, and says how the table goes on.

pub(crate) mod connmark;
pub(crate) mod connsecmark;
pub(crate) mod ct;
pub(crate) mod log;
pub(crate) mod nat;
pub(crate) mod reject;
pub(crate) mod synproxy;
pub(crate) mod tos;
pub(crate) mod ttl;

use program::Target;

/// Does it nothing but to set the marks and the label of the packet, or its flow's mark? Then what it does to one packet it does to the next like
/// it, unless it has changed the flow's mark.
pub(crate) fn repeats(target: &Target) -> bool {
    matches!(target, Target::Mark(_) | Target::SetConnmark(_) | Target::Connmark(_) | Target::Secmark(_))
}
