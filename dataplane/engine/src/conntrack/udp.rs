//! UDP and UDP-Lite: an exchange is a stream once it goes both ways for two seconds.

use packet::{Family, L4};

use super::entry::{Flow, Protocol, Status};
use super::settings::Settings;
use super::track::{Outcome, Packet};
use crate::time::Time;

/// How long both sides must have talked before the longer timeout holds, in milliseconds.
const STREAM_AFTER: u64 = 2_000;

/// What a flow remembers.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub struct Udp {
    stream_from: Time,
}

/// Judges a packet of `flow` and takes it in.
pub(crate) fn packet<F: Family>(flow: &mut Flow<F>, p: &Packet<'_, F>, settings: &Settings) -> Outcome {
    let sound = matches!(p.header.transport, L4::Udp { .. }) && p.header.l4_fault().is_none();
    if !sound || p.has_bad_checksum(settings) {
        return Outcome::Invalid;
    }
    let timeouts = settings.timeouts_of(flow);
    let (confirmed, status) = (flow.is_confirmed(), flow.status());
    let Protocol::Udp(udp) = &mut flow.protocol else { return Outcome::Invalid };
    if !confirmed {
        udp.stream_from = p.now.plus_millis(STREAM_AFTER);
    }
    let stream_from = udp.stream_from;
    if status.has(Status::SEEN_REPLY) && p.now > stream_from {
        flow.status.set(Status::ASSURED);
        return Outcome::Refresh(timeouts.udp_stream);
    }
    Outcome::Refresh(timeouts.udp)
}
