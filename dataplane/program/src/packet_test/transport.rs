//! Tests of what stands behind the IP header (`xt_tcpmss.c`, `xt_esp.c`, `ipt_ah.c`, `xt_ipcomp.c`, `xt_sctp.c`, `xt_dccp.c`, `ip6t_mh.c`).

use packet::{Family, Fragment, Header, dccp, ipsec, options, protocol, sctp, tcp};

use super::{ChunkHow, ChunkTest, Single, Span};
use crate::header_test::{Answer, PortRange};

/// Of a later fragment as well: what stands at the header's place is taken for one.
pub(super) fn mss<F: Family>(head: &[u8], header: &Header<F>, test: &Span<u16>) -> Answer {
    match tcp::options_at(head, header) {
        Some(list) => options::tcp::mss(list).map_or(test.not, |(_, mss)| test.holds(mss)).into(),
        None => Answer::HotDrop,
    }
}

/// The packet from its transport header on, as far as it is contiguous; `None` for a later fragment, which has none.
fn behind_ip<'a, F: Family>(head: &'a [u8], header: &Header<F>) -> Option<&'a [u8]> {
    if matches!(header.fragment, Fragment::Later(_)) {
        return None;
    }
    let bytes = head.get(usize::from(header.l4)..).unwrap_or_default();
    Some(bytes.get(..header.l4_len() as usize).unwrap_or(bytes))
}

/// Asks a header of fixed length.
fn fixed<const N: usize, F: Family>(head: &[u8], header: &Header<F>, ask: impl FnOnce(&[u8; N]) -> bool) -> Answer {
    match behind_ip(head, header).map(<[u8]>::first_chunk) {
        None => Answer::No,
        Some(None) => Answer::HotDrop,
        Some(Some(fixed)) => ask(fixed).into(),
    }
}

pub(super) fn esp<F: Family>(head: &[u8], header: &Header<F>, test: &Span<u32>) -> Answer {
    fixed(head, header, |fixed| test.holds(ipsec::esp(fixed)))
}

pub(super) fn ah<F: Family>(head: &[u8], header: &Header<F>, test: &Span<u32>) -> Answer {
    fixed(head, header, |fixed| test.holds(ipsec::ah(fixed).spi))
}

pub(super) fn ipcomp<F: Family>(head: &[u8], header: &Header<F>, test: &Span<u32>) -> Answer {
    fixed(head, header, |fixed| test.holds(ipsec::ipcomp(fixed).into()))
}

/// Its type, if nothing follows it, as nothing may.
pub(super) fn mobility<F: Family>(head: &[u8], header: &Header<F>, test: &Span<u8>) -> Answer {
    match behind_ip(head, header).map(|bytes| bytes.first_chunk::<6>()) {
        None => Answer::No,
        Some(Some(&[protocol::NO_NEXT_HEADER, _, kind, ..])) => test.holds(kind).into(),
        Some(_) => Answer::HotDrop,
    }
}

fn are_ports(header: &[u8], tests: &[Option<(PortRange, bool)>; 2]) -> bool {
    let Some(&[a, b, c, d]) = header.first_chunk() else { return false };
    let ports = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    tests.iter().zip(ports).all(|(test, port)| test.is_none_or(|(range, not)| range.contains(port) != not))
}

pub(super) fn sctp<F: Family>(
    head: &[u8],
    header: &Header<F>,
    ports: &[Option<(PortRange, bool)>; 2],
    test: Option<&ChunkTest>,
) -> Answer {
    let Some(bytes) = behind_ip(head, header) else { return Answer::No };
    if bytes.len() < sctp::HEADER_LEN {
        return Answer::HotDrop;
    }
    if !are_ports(bytes, ports) {
        return Answer::No;
    }
    let (Some(test), Some((_, chunks))) = (test, sctp::read(header, head)) else { return Answer::Yes };
    match has_chunks(chunks, test) {
        Some(has) => (has != test.not).into(),
        None => cut_short(test.not),
    }
}

/// The kernel turns round even that it does not know.
fn cut_short(not: bool) -> Answer {
    if not { Answer::Doomed } else { Answer::HotDrop }
}

/// `None` where a chunk is cut short, or says that it has no length, before it is known.
fn has_chunks(mut chunks: sctp::Chunks<'_>, test: &ChunkTest) -> Option<bool> {
    let mut missing = test.types;
    loop {
        let chunk = chunks.next().filter(|chunk| chunk.len != 0)?;
        let is_wanted = test.types.contains(chunk.kind);
        let flags = test.flags.iter().find(|(kind, ..)| *kind == chunk.kind);
        let is_flagged = flags.is_none_or(|(_, mask, set)| chunk.flags & mask == *set);
        match test.how {
            ChunkHow::Any if is_wanted && is_flagged => return Some(true),
            ChunkHow::All if is_wanted && is_flagged => missing.remove(chunk.kind),
            ChunkHow::Only if !(is_wanted && is_flagged) => return Some(false),
            ChunkHow::Any | ChunkHow::All | ChunkHow::Only => {}
        }
        if !chunks.has_more() {
            return Some(match test.how {
                ChunkHow::All => missing.is_empty(),
                ChunkHow::Any => false,
                ChunkHow::Only => true,
            });
        }
    }
}

pub(super) fn dccp<F: Family>(
    head: &[u8],
    header: &Header<F>,
    ports: &[Option<(PortRange, bool)>; 2],
    types: Option<&Single<u16>>,
    option: Option<&Single<u8>>,
) -> Answer {
    let Some(bytes) = behind_ip(head, header) else { return Answer::No };
    let Some(fixed) = bytes.first_chunk() else { return Answer::HotDrop };
    let packet = dccp::read(fixed);
    let is_of = |types: &Single<u16>| (types.value >> packet.kind & 1 != 0) != types.not;
    if !are_ports(bytes, ports) || !types.is_none_or(is_of) {
        return Answer::No;
    }
    let Some(option) = option else { return Answer::Yes };
    let Some(len) = packet.len.checked_sub(packet.least_len()) else { return cut_short(option.not) };
    let at = packet.least_len();
    // Where there are none it makes no difference that the packet ends before.
    let options = if len == 0 { Some(&[][..]) } else { bytes.get(at..at + len) };
    match options {
        Some(list) => (options::tcp::contains(list, option.value) != option.not).into(),
        None => cut_short(option.not),
    }
}
