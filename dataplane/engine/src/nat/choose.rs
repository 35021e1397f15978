//! Which tuple of a range a flow gets (the kernel's `get_unique_tuple`).
//!
//! In this order: the tuple as it is, if it lies in the range and is free; the translation that the same inside (address, port) has already,
//! if it gives a free tuple; an address of the range by a hash, with the port kept if it is free; a port of the range, or of the port's own
//! class, from a random start, with fewer and fewer tries. The hash is the kernel's ([`crate::jenkins`]), so that a pool is
//! spread here as it is there.

use packet::{Family, Tuple, TupleL4, family::Addr};
use program::CtAction;

use super::eligible::is_eligible;
use super::range::{Range, port, port_within, with_port};
use super::{NatCtx, Side};
use crate::conntrack::{Dir, FlowId, FlowTable};
use crate::jenkins;

/// Tries in the first round of a search; each further round has half as many.
const FIRST_ROUND: u32 = 128;
/// A round of fewer tries than this is the last.
const LAST_ROUND: u32 = 16;
/// In the last tries of a round a finished TCP connection makes room.
const DISPLACING_TRIES: u32 = 32;

/// A tuple for the flow's original direction behind the translation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<F: Family> {
    pub(super) tuple: Tuple<F>,
    /// No other flow has it.
    pub(super) is_free: bool,
}

/// Chooses. `current` is the original direction as it stands behind what was decided before.
pub(super) fn choose<F: Family>(
    table: &mut FlowTable<F>,
    id: FlowId,
    side: Side,
    range: &Range<F>,
    current: &Tuple<F>,
    zone: CtAction,
    ctx: &mut NatCtx<'_, F>,
) -> Choice<F> {
    let free = |tuple| Choice { tuple, is_free: true };
    if side == Side::Src && !range.draws_port() {
        if range.holds_source(current) {
            if is_free(table, id, current, ctx) || is_left_to_confirmation(table, id, current, ctx) {
                return free(*current);
            }
        } else if let Some(known) = known_translation(table, current, zone, range)
            && is_free(table, id, &known, ctx)
        {
            return free(known);
        }
    }
    let mut tuple = *current;
    if let Some((first, last)) = range.addresses {
        let address = pick_address::<F>(current, side, (first, last), range.persistent, zone.zone);
        match side {
            Side::Src => tuple.src = address,
            Side::Dst => tuple.dst = address,
        }
    }
    if !range.draws_port() {
        match range.ports {
            None if is_free(table, id, &tuple, ctx) => return free(tuple),
            // The kernel does not ask where there is no choice: confirmation finds out.
            Some((first, last)) if first == last && range.base_port.is_none() && port_within(&tuple, side, (first, last)) => {
                return unasked(table, id, tuple, ctx);
            }
            Some(ports) if range.base_port.is_none() && port_within(&tuple, side, ports) && is_free(table, id, &tuple, ctx) => {
                return free(tuple);
            }
            _ => {}
        }
    }
    search_port(table, id, side, range, tuple, ctx)
}

pub(super) fn is_free<F: Family>(table: &mut FlowTable<F>, id: FlowId, tuple: &Tuple<F>, ctx: &NatCtx<'_, F>) -> bool {
    may_have(table, id, tuple, ctx) && tuple.invert().is_some_and(|reply| !table.is_taken(&reply, id, ctx.now))
}

/// The tuple is taken, by the very flow of which this one is the answer but for its zone. For protocols in which both ends may begin at once the
/// kernel does not look for another port then: the first packet is dropped at confirmation.
pub(super) fn is_left_to_confirmation<F: Family>(
    table: &mut FlowTable<F>,
    id: FlowId,
    tuple: &Tuple<F>,
    ctx: &NatCtx<'_, F>,
) -> bool {
    may_have(table, id, tuple, ctx) && tuple.invert().is_some_and(|reply| table.is_untranslated_reverse(&reply, id, ctx.now))
}

/// A tuple that the flow takes whether it is free or not.
fn unasked<F: Family>(table: &mut FlowTable<F>, id: FlowId, tuple: Tuple<F>, ctx: &NatCtx<'_, F>) -> Choice<F> {
    let is_free = may_have(table, id, &tuple, ctx) && tuple.invert().is_some_and(|reply| !table.is_occupied(&reply, id, ctx.now));
    Choice { tuple, is_free }
}

fn may_have<F: Family>(table: &FlowTable<F>, id: FlowId, tuple: &Tuple<F>, ctx: &NatCtx<'_, F>) -> bool {
    table.get(id).is_some_and(|flow| is_eligible(&flow.tuple(Dir::Original), tuple, ctx.host))
}

/// One try of a search. Of its last ones a new TCP connection takes the place of one that is over, and they are not counted as found.
pub(super) fn is_found_free<F: Family>(
    table: &mut FlowTable<F>,
    id: FlowId,
    tuple: &Tuple<F>,
    is_late: bool,
    ctx: &NatCtx<'_, F>,
) -> bool {
    if is_late && table.may_displace(id) { displaces(table, id, tuple, ctx) } else { is_free(table, id, tuple, ctx) }
}

/// Frees the tuple of a finished connection.
fn displaces<F: Family>(table: &mut FlowTable<F>, id: FlowId, tuple: &Tuple<F>, ctx: &NatCtx<'_, F>) -> bool {
    may_have(table, id, tuple, ctx) && tuple.invert().is_some_and(|reply| table.displace_finished(&reply, id, ctx.now))
}

/// The source that flows of the same inside source were given, towards this destination.
pub(super) fn known_translation<F: Family>(
    table: &FlowTable<F>,
    current: &Tuple<F>,
    zone: CtAction,
    range: &Range<F>,
) -> Option<Tuple<F>> {
    table
        .of_source(current, zone)
        .filter_map(|flow| {
            let translated = flow.tuple(Dir::Reply).invert()?;
            let tuple = Tuple { dst: current.dst, ..translated };
            Some(match (tuple.l4, current.l4) {
                (TupleL4::Ports { src, .. }, TupleL4::Ports { dst, .. }) => Tuple { l4: TupleL4::Ports { src, dst }, ..tuple },
                (TupleL4::Icmp { id, .. }, TupleL4::Icmp { kind, code, .. }) => {
                    Tuple { l4: TupleL4::Icmp { kind, code, id }, ..tuple }
                }
                _ => tuple,
            })
        })
        .find(|tuple| range.holds_source(tuple))
}

/// Searches a free port. The last one tried is taken when none was found: whoever has it may be gone by the time the flow is confirmed.
fn search_port<F: Family>(
    table: &mut FlowTable<F>,
    id: FlowId,
    side: Side,
    range: &Range<F>,
    mut tuple: Tuple<F>,
    ctx: &mut NatCtx<'_, F>,
) -> Choice<F> {
    let Some((port, (first, last))) = port(&tuple, side).and_then(|port| Some((port, ports_of(&tuple, side, range, port)?))) else {
        return unasked(table, id, tuple, ctx);
    };
    let size = u32::from(last - first) + 1;
    let mut offset = match range.base_port {
        Some(base) => port.wrapping_sub(base),
        None if range.draws_port() || side == Side::Src => ctx.rng.next_u32() as u16,
        None => 0,
    };
    let mut tries = size.min(FIRST_ROUND);
    loop {
        for left in (1..=tries).rev() {
            tuple = with_port(&tuple, side, first + (u32::from(offset) % size) as u16);
            let is_free = is_found_free(table, id, &tuple, left <= DISPLACING_TRIES, ctx);
            if is_free {
                return Choice { tuple, is_free };
            }
            offset = offset.wrapping_add(1);
        }
        if tries >= size || tries < LAST_ROUND {
            return Choice { tuple, is_free: false };
        }
        tries /= 2;
        offset = ctx.rng.next_u32() as u16;
    }
}

/// First and last port to search; `None` when the port stays as it is.
pub(super) fn ports_of<F: Family>(tuple: &Tuple<F>, side: Side, range: &Range<F>, port: u16) -> Option<(u16, u16)> {
    match (range.ports, tuple.l4, side) {
        (Some((first, last)), ..) => Some((first.min(last), first.max(last))),
        (None, TupleL4::Icmp { .. }, _) => Some((0, u16::MAX)),
        (None, _, Side::Dst) => None,
        // A port tells what kind of program holds it; the class is kept. The middle class leaves out 512 to 599, as the kernel does.
        (None, _, Side::Src) => Some(match port {
            0..512 => (1, 511),
            512..1024 => (600, 1023),
            _ => (1024, u16::MAX),
        }),
    }
}

/// An address of a range for that side of the tuple, the same for the same source (and destination, unless persistent).
pub(super) fn pick_address<F: Family>(
    tuple: &Tuple<F>,
    side: Side,
    (first, last): (F::Addr, F::Addr),
    persistent: bool,
    zone: u16,
) -> F::Addr {
    if first == last {
        return first;
    }
    let used = F::Addr::LEN / 4;
    let words = |address: F::Addr| core::array::from_fn::<u32, 4, _>(|n| address.word(n));
    let (src, dst) = (words(tuple.src), words(tuple.dst));
    // Words enter the hash as a little-endian machine reads them from the wire.
    let seed = if persistent { 0 } else { dst[used - 1].swap_bytes() ^ u32::from(zone) };
    let mut hash = jenkins::hash(src.map(u32::swap_bytes), seed);
    let (first, last) = (words(first), words(last));
    let mut chosen = [0u32; 4];
    let mut whole = false;
    for i in 0..used {
        let (least, distance) = if whole { (0, u32::MAX) } else { (first[i], last[i].wrapping_sub(first[i]).wrapping_add(1)) };
        chosen[i] = least.wrapping_add(((u64::from(hash) * u64::from(distance)) >> 32) as u32);
        whole |= chosen[i] != last[i];
        if !persistent {
            // The kernel chooses in place: of a destination it goes on with what it has just chosen.
            let dst = if side == Side::Dst { chosen[i] } else { dst[i] };
            hash ^= dst.swap_bytes();
        }
    }
    let mut bytes = [0u8; 16];
    for (place, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(chosen) {
        *place = word.to_be_bytes();
    }
    // 16 bytes hold an address of either family.
    F::Addr::read(&bytes).unwrap_or(F::Addr::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet::Ipv4;

    fn last_byte(src: u8, dst: u8, first: u8, last: u8, persistent: bool) -> u8 {
        let inside = |host: u8| 0x0a01_0000 | u32::from(host);
        let outside = |host: u8| 0x0a02_0000 | u32::from(host);
        let l4 = TupleL4::Ports { src: 4000, dst: 53 };
        let tuple = Tuple::<Ipv4> { src: inside(src), dst: outside(dst), protocol: 17, l4 };
        pick_address::<Ipv4>(&tuple, Side::Src, (outside(first), outside(last)), persistent, 0) as u8
    }

    /// As seen on Linux 6.18: sources 10.1.0.2 to 10.1.0.11.
    #[test]
    fn pools_are_spread_as_linux_spreads_them() {
        let pool =
            |dst, first, last, persistent| (2..12).map(|src| last_byte(src, dst, first, last, persistent)).collect::<Vec<_>>();
        assert_eq!(pool(2, 100, 110, false), [104, 101, 102, 101, 103, 108, 104, 108, 102, 103]);
        assert_eq!(pool(2, 100, 110, true), [101, 108, 109, 106, 102, 104, 102, 103, 109, 100]);
        assert_eq!(pool(4, 100, 110, true), pool(2, 100, 110, true));
        assert_eq!(pool(2, 20, 35, false), [26, 21, 23, 22, 24, 31, 27, 32, 23, 25]);
        assert_eq!(pool(3, 20, 35, false), [32, 21, 33, 33, 30, 32, 32, 27, 21, 30]);
        assert_eq!(pool(2, 20, 35, true), [22, 32, 33, 28, 23, 26, 24, 25, 34, 21]);
    }

    /// As seen on Linux 6.18: from 2001:db8:a00::2 to 2001:db8:cb00:71::1, and to an address of the pool's own network.
    #[test]
    fn a_destination_pool_in_another_network_is_spread_as_linux_spreads_it() {
        let network = |low: u32| 0x2001_0db8_u128 << 96 | u128::from(low) << 64;
        let inside = |host: u128| network(0x0a00_0001) | host;
        let pool = |src: u128, dst| {
            let tuple = Tuple::<packet::Ipv6> { src: network(0x0a00_0000) | src, dst, protocol: 6, l4: TupleL4::Other };
            pick_address::<packet::Ipv6>(&tuple, Side::Dst, (inside(2), inside(5)), false, 0) & 0xff
        };
        assert_eq!(pool(2, network(0xcb00_0071) | 1), 4);
    }

    #[test]
    fn every_address_of_a_range_lies_in_it() {
        for src in 0..=255 {
            assert!((100..=110).contains(&last_byte(src, src ^ 0x5a, 100, 110, false)));
        }
        let l4 = TupleL4::Other;
        let six = |src| Tuple::<packet::Ipv6> { src, dst: 7 << 64 | src, protocol: 47, l4 };
        let (first, last) = (0x2001_0db8_u128 << 96 | 5 << 64, 0x2001_0db8_u128 << 96 | 9 << 64 | 3);
        for src in 0..500u128 {
            let chosen = pick_address::<packet::Ipv6>(&six(src << 80 | src), Side::Dst, (first, last), src % 2 == 0, 0);
            assert!((first..=last).contains(&chosen), "{chosen:x}");
        }
    }
}
