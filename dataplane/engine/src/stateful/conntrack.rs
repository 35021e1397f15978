//! `-m conntrack`, `-m state` (`xt_conntrack.c`).

use packet::{Family, Tuple, TupleL4};
use program::ConntrackTest;
use program::rule::ctstate;

use crate::conntrack::{CtInfo, Dir, Flow, Status};
use crate::time::Time;

/// The bits of `--ctstate` that hold for a packet.
pub(crate) fn state_bits<F: Family>(info: CtInfo, flow: Option<&Flow<F>>) -> u16 {
    let state = match (info, flow) {
        (CtInfo::Untracked, None) => ctstate::UNTRACKED,
        (_, None) | (CtInfo::Invalid | CtInfo::Untracked, _) => ctstate::INVALID,
        (CtInfo::New, _) => ctstate::NEW,
        (CtInfo::Established(_), _) => ctstate::ESTABLISHED,
        (CtInfo::Related(_), _) => ctstate::RELATED,
    };
    let translated = |status, bit| if flow.is_some_and(|flow| flow.status().has(status)) { bit } else { 0 };
    state | translated(Status::SRC_NAT, ctstate::SNAT) | translated(Status::DST_NAT, ctstate::DNAT)
}

/// Asks everything that the test names.
pub(crate) fn ask<F: Family>(test: &ConntrackTest<F>, info: CtInfo, flow: Option<&Flow<F>>, now: Time) -> bool {
    if test.state.is_some_and(|(mask, not)| (state_bits(info, flow) & mask != 0) == not) {
        return false;
    }
    let Some(flow) = flow else { return test.state.is_some() };
    let (original, reply) = (flow.tuple(Dir::Original), flow.tuple(Dir::Reply));
    let address = |wanted: Option<(F::Addr, F::Addr, bool)>, is: F::Addr| {
        wanted.is_none_or(|(address, mask, not)| (is & mask == address & mask) != not)
    };
    let port =
        |wanted: Option<(u16, u16, bool)>, is: u16| wanted.is_none_or(|(first, last, not)| (first <= is && is <= last) != not);
    let expires = || if flow.is_confirmed() { flow.remaining_seconds(now) } else { 0 };
    test.original.is_none_or(|wanted| (info.dir() == Dir::Original) == wanted)
        && test.protocol.is_none_or(|(protocol, not)| (original.protocol == protocol) != not)
        && address(test.orig_src, original.src)
        && address(test.orig_dst, original.dst)
        && address(test.repl_src, reply.src)
        && address(test.repl_dst, reply.dst)
        && port(test.orig_src_port, ends(&original).0)
        && port(test.orig_dst_port, ends(&original).1)
        && port(test.repl_src_port, ends(&reply).0)
        && port(test.repl_dst_port, ends(&reply).1)
        && test.status.is_none_or(|(mask, not)| (flow.status().bits() & mask != 0) != not)
        && test.expire.is_none_or(|(first, last, not)| (first..=last).contains(&expires()) != not)
}

/// What stands in the tuple where ports do: for ICMP the identifier, and type and code.
fn ends<F: Family>(tuple: &Tuple<F>) -> (u16, u16) {
    match tuple.l4 {
        TupleL4::Ports { src, dst } | TupleL4::Calls { src, dst } => (src, dst),
        TupleL4::Icmp { kind, code, id } => (id, u16::from_be_bytes([kind, code])),
        TupleL4::Other => (0, 0),
    }
}
