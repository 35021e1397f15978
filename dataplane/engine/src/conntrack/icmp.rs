//! ICMP and ICMPv6: queries have entries of their own, errors belong to the flow that they quote.

use packet::{Family, FamilyId, L4, Tuple, TupleL4, icmp};

use super::entry::{CtInfo, Dir, Flow, FlowId};
use super::settings::Settings;
use super::table::FlowTable;
use super::track::{Outcome, Packet};

/// The greatest type of ICMP for IPv4 that the kernel knows; greater ones are INVALID.
const GREATEST_KNOWN: u8 = icmp::kind::ADDRESS_MASK_REPLY;

/// Types of ICMPv6 by number (IANA "ICMPv6 Parameters").
mod v6 {
    pub(super) const ECHO: u8 = 128;
    pub(super) const LISTENER_QUERY: u8 = 130;
    pub(super) const LISTENER_REPORT: u8 = 131;
    pub(super) const LISTENER_DONE: u8 = 132;
    pub(super) const ROUTER_SOLICITATION: u8 = 133;
    pub(super) const ROUTER_ADVERTISEMENT: u8 = 134;
    pub(super) const NEIGHBOUR_SOLICITATION: u8 = 135;
    pub(super) const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
    pub(super) const NODE_INFORMATION: u8 = 139;
    pub(super) const LISTENER_REPORT_2: u8 = 143;
}

/// What is found before any entry is looked up.
pub(crate) enum Early {
    /// It is this, and no entry of its own is made.
    Is(CtInfo, Option<FlowId>),
    /// A query or its answer: look it up as any packet.
    Query,
}

/// Errors, and what is INVALID or not tracked whatever the table holds.
pub(crate) fn early<F: Family>(table: &mut FlowTable<F>, p: &Packet<'_, F>, settings: &Settings) -> Early {
    let L4::Icmp { kind, .. } = p.header.transport else { return Early::Is(CtInfo::Invalid, None) };
    if p.has_bad_checksum(settings) {
        return Early::Is(CtInfo::Invalid, None);
    }
    match F::ID {
        FamilyId::Ipv4 if kind > GREATEST_KNOWN => return Early::Is(CtInfo::Invalid, None),
        FamilyId::Ipv6 if is_link_local_business(kind) => return Early::Is(CtInfo::Untracked, None),
        FamilyId::Ipv4 | FamilyId::Ipv6 => {}
    }
    if !icmp::is_error::<F>(kind) {
        return Early::Query;
    }
    match about(table, p) {
        Some((id, dir)) => Early::Is(CtInfo::Related(dir), Some(id)),
        None => Early::Is(CtInfo::Invalid, None),
    }
}

/// The flow that an error is about, and the direction in which the error goes. The quote is a packet of the other direction; and the error
/// must go to where that flow's packets of its direction go, or anybody could send one.
fn about<F: Family>(table: &mut FlowTable<F>, p: &Packet<'_, F>) -> Option<(FlowId, Dir)> {
    let quoted = icmp::inner(p.head, p.header)?;
    let answer = Tuple::of(&quoted)?.invert()?;
    let (id, dir) = table.find(&answer, p.zone, p.now)?;
    let goes_to = table.get(id)?.tuple(dir).dst;
    (goes_to == p.header.dst).then_some((id, dir))
}

fn is_link_local_business(kind: u8) -> bool {
    matches!(
        kind,
        v6::LISTENER_QUERY
            | v6::LISTENER_REPORT
            | v6::LISTENER_DONE
            | v6::ROUTER_SOLICITATION
            | v6::ROUTER_ADVERTISEMENT
            | v6::NEIGHBOUR_SOLICITATION
            | v6::NEIGHBOUR_ADVERTISEMENT
            | v6::LISTENER_REPORT_2
    )
}

/// Does a message of this type begin an entry?
fn begins<F: Family>(kind: u8) -> bool {
    match F::ID {
        FamilyId::Ipv4 => {
            matches!(kind, icmp::kind::ECHO | icmp::kind::TIMESTAMP | icmp::kind::INFO | icmp::kind::ADDRESS_MASK)
        }
        FamilyId::Ipv6 => matches!(kind, v6::ECHO | v6::NODE_INFORMATION),
    }
}

/// Judges a query or answer of `flow`.
pub(crate) fn packet<F: Family>(flow: &Flow<F>, settings: &Settings) -> Outcome {
    match flow.tuple(Dir::Original).l4 {
        TupleL4::Icmp { kind, .. } if begins::<F>(kind) => Outcome::Refresh(match F::ID {
            FamilyId::Ipv4 => settings.timeouts_of(flow).icmp,
            FamilyId::Ipv6 => settings.timeouts_of(flow).icmpv6,
        }),
        _ => Outcome::Invalid,
    }
}
