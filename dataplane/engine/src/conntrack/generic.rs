//! Protocols that are told apart by addresses alone, or whose own states are not followed: packets keep an entry alive.

use packet::Family;

use super::entry::{Flow, Status};
use super::settings::Settings;
use super::track::Outcome;

/// GRE (without its call numbers): as UDP, with timeouts of its own.
pub(crate) fn gre<F: Family>(flow: &mut Flow<F>, settings: &Settings) -> Outcome {
    if flow.status.has(Status::SEEN_REPLY) {
        flow.status.set(Status::ASSURED);
        return Outcome::Refresh(settings.timeouts_of(flow).gre_stream);
    }
    Outcome::Refresh(settings.timeouts_of(flow).gre)
}

/// Every other protocol.
pub(crate) fn packet<F: Family>(flow: &Flow<F>, settings: &Settings) -> Outcome {
    Outcome::Refresh(settings.timeouts_of(flow).generic)
}
