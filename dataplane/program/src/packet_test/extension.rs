//! Tests of IPv6's extension headers (`ip6t_ah.c`, `ip6t_rt.c`, `ip6t_hbh.c`, `ip6t_frag.c`, `ip6t_ipv6header.c`, `ip6t_eui64.c`).

use packet::family::Addr;
use packet::ipv6::{self, Sought};
use packet::{Family, Header, ipsec, parse, protocol};

use super::{PacketTest, Single, Span};
use crate::header_test::Answer;

/// Asks one of those that look for a header.
pub(super) fn ask<F: Family>(test: &PacketTest, head: &[u8], header: &Header<F>) -> Answer {
    let packet = head.get(usize::from(header.l3)..).unwrap_or_default();
    let packet = packet.get(..header.len as usize).unwrap_or(packet);
    let found = |number, test: &dyn Fn(&[u8]) -> Option<bool>| match ipv6::find(packet, number) {
        Sought::At(at) => packet.get(at..).and_then(test).map_or(Answer::HotDrop, Answer::from),
        Sought::Nowhere => Answer::No,
        Sought::Lost => Answer::HotDrop,
    };
    match test {
        PacketTest::Ah6 { spi, length, reserved } => found(protocol::AH, &|bytes| {
            let ah = ipsec::ah(bytes.first_chunk()?);
            let is_long = length.is_none_or(|length| length.value == 0 || length.holds(ah.len));
            Some(spi.holds(ah.spi) && is_long && !(*reserved && ah.reserved != 0))
        }),
        PacketTest::Routing { kind, segments, length, reserved, addresses, loose } => found(protocol::ROUTING, &|bytes| {
            let test = Routing { kind: *kind, segments: *segments, length: *length, reserved: *reserved, addresses, loose: *loose };
            test.ask(bytes)
        }),
        PacketTest::Options { destination, length, options } => {
            let number = if *destination { protocol::DESTINATION_OPTIONS } else { protocol::HOP_BY_HOP };
            found(number, &|bytes| has_options(bytes, *length, options))
        }
        PacketTest::Fragment { id, reserved, first, more } => found(protocol::FRAGMENT, &|bytes| {
            let (zero, word, is) = ipv6::fragment(bytes.first_chunk()?);
            let is_clear = zero == 0 && word & 6 == 0;
            let is_last = word & 1 == 0;
            Some(id.holds(is) && (!reserved || is_clear) && (!first || word & !7 == 0) && more.is_none_or(|more| more != is_last))
        }),
        PacketTest::Headers { headers, soft, not } => match ipv6::headers(packet) {
            Some(has) if *soft => {
                let wrong = if *not { has } else { !has };
                (wrong & headers == 0).into()
            }
            Some(has) => ((has == *headers) != *not).into(),
            None => Answer::No,
        },
        _ => Answer::No,
    }
}

/// `-m rt`
struct Routing<'a> {
    kind: Option<Single<u32>>,
    segments: Span<u32>,
    length: Option<Single<u32>>,
    reserved: bool,
    addresses: &'a [u128],
    loose: bool,
}

impl Routing<'_> {
    /// `None` where the packet ends within what is asked.
    fn ask(&self, bytes: &[u8]) -> Option<bool> {
        let &[_, length, kind, left] = bytes.first_chunk()?;
        let len = (usize::from(length) + 1) * 8;
        let Some(bytes) = bytes.get(..len) else { return Some(false) };
        let holds = self.segments.holds(left.into())
            && self.length.is_none_or(|test| test.holds(len as u32))
            && self.kind.is_none_or(|test| test.holds(kind.into()))
            && !(self.reserved && bytes[4..8] != [0; 4]);
        Some(holds && (self.addresses.is_empty() || self.has_addresses(&bytes[8..])))
    }

    /// Half an address at the end is none.
    fn has_addresses(&self, bytes: &[u8]) -> bool {
        let there = bytes.as_chunks::<16>().0.iter().map(|bytes| u128::from_be_bytes(*bytes));
        if !self.loose {
            return there.eq(self.addresses.iter().copied());
        }
        let mut wanted = self.addresses.iter().peekable();
        for address in there {
            wanted.next_if(|wanted| **wanted == address);
        }
        wanted.peek().is_none()
    }
}

/// The options that are asked for must stand there one behind the other, from the first one on.
fn has_options(bytes: &[u8], length: Option<Single<u32>>, options: &[(u8, Option<u8>)]) -> Option<bool> {
    let &[_, len] = bytes.first_chunk()?;
    let len = (usize::from(len) + 1) * 8;
    let Some(bytes) = bytes.get(..len) else { return Some(false) };
    let (mut rest, mut left) = (&bytes[2..], options.len());
    for (kind, data) in options {
        left -= 1;
        let step = match rest {
            [] => return Some(false),
            [here, ..] if here != kind => return Some(false),
            [0, ..] => 1,
            [_] => return Some(false),
            [_, len, ..] if data.is_some_and(|data| data != *len) => return Some(false),
            [_, len, ..] => usize::from(*len) + 2,
        };
        match rest.get(step..) {
            Some(behind) => rest = behind,
            // The last one may reach beyond the header.
            None if left == 0 => {}
            None => return Some(false),
        }
    }
    Some(length.is_none_or(|length| length.holds(bytes.len() as u32)))
}

/// Is the source's identifier made from the frame's source (RFC 4291 appendix A)?
pub(super) fn eui64<F: Family>(head: &[u8], header: &Header<F>) -> bool {
    let Ok(frame) = parse::ethernet(head) else { return false };
    let [a, b, c, d, e, f] = frame.src;
    let made = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    let mut bytes = [0; 16];
    header.src.write(&mut bytes);
    frame.ethertype == F::ETHERTYPE && u128::from_be_bytes(bytes) as u64 == made
}
