//! The bytes of a translation (the kernel's `nf_nat_manip_pkt` and `nf_nat_icmp_reply_translation`).

use packet::set::{self, SetError};
use packet::{Family, Header, L4, Tuple, TupleL4, hop, icmp, protocol};
use thiserror::Error;

use super::{Side, is_decided, sctp};
use crate::conntrack::{Dir, Flow, Status};

/// Bytes of a quoted transport header without which it is not translated, though its ports may be there.
const QUOTE_NEEDED: u32 = 8;

/// Bytes of PPTP's GRE header through the call.
const ENHANCED_GRE_LEN: u32 = 8;

/// Why a packet was not translated: it must be dropped, for it would leave with addresses that nobody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TranslateError {
    /// A field that has to change is not in reach.
    #[error(transparent)]
    Field(#[from] SetError),
    /// An ICMP redirect about a translated flow (or one not decided yet): it would name routes between addresses of different sides.
    #[error("an ICMP redirect about a translated flow")]
    Redirect,
    /// An ICMP error quotes too little of the packet.
    #[error("the quoted packet is too short")]
    Quote,
}

/// Is this side to be rewritten for packets of this direction? What is source in one direction is destination in the other.
fn is_rewritten<F: Family>(flow: &Flow<F>, dir: Dir, side: Side) -> bool {
    let side = match dir {
        Dir::Original => side,
        Dir::Reply => side.opposite(),
    };
    flow.status().has(side.translated())
}

/// How a TCP or UDP packet of the flow looks behind the destination side's translation, if it is translated there.
pub(crate) fn redirected<F: Family>(flow: &Flow<F>, dir: Dir, header: &Header<F>) -> Option<Header<F>> {
    if !is_rewritten(flow, dir, Side::Dst) {
        return None;
    }
    let target = flow.tuple(dir.opposite()).invert()?;
    let mut header = *header;
    header.dst = target.dst;
    if let (TupleL4::Ports { dst, .. }, L4::Tcp { dport, .. } | L4::Udp { dport, .. }) = (target.l4, &mut header.transport) {
        *dport = dst;
    }
    Some(header)
}

/// Rewrites the side that the hook is for, in a packet of the flow, if the flow is translated there: `Side::Dst` in PREROUTING and OUTPUT,
/// `Side::Src` in POSTROUTING and INPUT. Checksums stay right, `header` stays true. Says whether the packet changed.
pub fn translate<F: Family>(
    flow: &Flow<F>,
    dir: Dir,
    side: Side,
    head: &mut [u8],
    header: &mut Header<F>,
) -> Result<bool, TranslateError> {
    if !is_rewritten(flow, dir, side) {
        return Ok(false);
    }
    // A packet that goes out looks like the answer to one that comes in the other direction.
    let Some(target) = flow.tuple(dir.opposite()).invert() else { return Ok(false) };
    // The kernel wants PPTP's longer header of every GRE packet, though it changes nothing in it.
    if header.protocol == protocol::GRE && header.l4_len() < ENHANCED_GRE_LEN {
        return Err(SetError::OutOfReach.into());
    }
    write_transport(head, header, &target, side)?;
    write_address(head, header, &target, side)?;
    Ok(true)
}

/// Translates a plain TCP or UDP packet of the flow, which begins with the IP header, on both sides, and takes a hop off it.
#[inline(always)]
pub(crate) fn translate_plain<F: Family>(flow: &Flow<F>, dir: Dir, packet: &mut [u8], header: &Header<F>) -> Result<(), SetError> {
    let ends = flow.ends_beyond(dir).ok_or(SetError::NoSuchField)?;
    hop::between(packet, header, &ends)
}

/// As [`translate`], for an ICMP error about the flow that goes in direction `dir`: the quoted packet is rewritten, of the error itself the
/// address. `dir` is that of [`crate::conntrack::CtInfo::Related`].
pub fn translate_icmp_error<F: Family>(
    flow: &Flow<F>,
    dir: Dir,
    side: Side,
    head: &mut [u8],
    header: &mut Header<F>,
) -> Result<bool, TranslateError> {
    if let packet::L4::Icmp { kind, .. } = header.transport
        && is_redirect::<F>(kind)
    {
        let decided = is_decided(flow, Side::Src) && is_decided(flow, Side::Dst);
        if !decided || flow.status().has_any(Status::SRC_NAT.with(Status::DST_NAT)) {
            return Err(TranslateError::Redirect);
        }
    }
    if !is_rewritten(flow, dir, side) {
        return Ok(false);
    }
    // The quote is a packet of the other direction, on its other side.
    let quoted = flow.tuple(dir.opposite());
    let Some(target) = quoted.invert() else { return Ok(false) };
    let mut inner = icmp::inner(head, header).ok_or(TranslateError::Quote)?;
    // Of GRE it is asked for even where nothing in it changes.
    let is_read = quoted.protocol == protocol::GRE || quoted.l4 != TupleL4::Other;
    if is_read && inner.l4_len() < QUOTE_NEEDED {
        return Err(TranslateError::Quote);
    }
    set::quoted(head, header, &mut inner, |head, inner| {
        write_quoted_transport(head, inner, &quoted, side.opposite())?;
        write_address(head, inner, &quoted, side.opposite())
    })?;
    write_address(head, header, &target, side)?;
    Ok(true)
}

fn is_redirect<F: Family>(kind: u8) -> bool {
    match F::ID {
        packet::FamilyId::Ipv4 => kind == icmp::kind::REDIRECT,
        packet::FamilyId::Ipv6 => kind == packet::icmp6::kind::REDIRECT,
    }
}

fn write_address<F: Family>(head: &mut [u8], header: &mut Header<F>, target: &Tuple<F>, side: Side) -> Result<(), SetError> {
    match side {
        Side::Src if header.src != target.src => set::src(head, header, target.src),
        Side::Dst if header.dst != target.dst => set::dst(head, header, target.dst),
        _ => Ok(()),
    }
}

fn write_transport<F: Family>(head: &mut [u8], header: &mut Header<F>, target: &Tuple<F>, side: Side) -> Result<(), SetError> {
    let Some((src, dst)) = header.ports() else { return write_icmp_id(head, header, target) };
    let TupleL4::Ports { src: new_src, dst: new_dst } = target.l4 else { return Ok(()) };
    let (old, new) = match side {
        Side::Src => (src, new_src),
        Side::Dst => (dst, new_dst),
    };
    if old == new {
        return Ok(());
    }
    match side {
        _ if header.protocol == protocol::SCTP => sctp::set_port(head, header, side, new).ok_or(SetError::OutOfReach),
        Side::Src => set::sport(head, header, new),
        Side::Dst => set::dport(head, header, new),
    }
}

fn write_quoted_transport<F: Family>(
    head: &mut [u8],
    header: &mut Header<F>,
    target: &Tuple<F>,
    side: Side,
) -> Result<(), SetError> {
    match target.l4 {
        TupleL4::Ports { src, dst } if header.protocol == protocol::SCTP => {
            let port = if side == Side::Src { src } else { dst };
            let bytes = head.get_mut(usize::from(header.l4)..).unwrap_or_default();
            sctp::set_quoted_port(bytes, side, port).ok_or(SetError::OutOfReach)?;
            // The kernel computes it over what is there, cut short or not. A quote without a checksum in it has none to be mended.
            let _ = packet::sctp::seal(bytes);
            Ok(())
        }
        _ => write_transport(head, header, target, side),
    }
}

fn write_icmp_id<F: Family>(head: &mut [u8], header: &mut Header<F>, target: &Tuple<F>) -> Result<(), SetError> {
    match (header.transport, target.l4) {
        (packet::L4::Icmp { id, .. }, TupleL4::Icmp { id: new, .. }) if id != new => set::icmp_id(head, header, new),
        _ => Ok(()),
    }
}
