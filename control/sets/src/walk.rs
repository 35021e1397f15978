//! From what was written to the elements that are meant, in the kernel's order and with what it refuses on the way.
use rules::Family;

use crate::element::Written;
use crate::fault::Refusal;
use crate::key::{Element, bits, mask};
use crate::options::{Header, Verb};
use crate::types::{Create, Dimension, Storage, Type};

/// The most elements that one command is looked through for.
const STEPS_MAX: u64 = 1 << 22;

/// Why a walk ended: the kernel's refusal, or more elements than one command may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Refused(Refusal),
    TooMany,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

/// Addresses of one part: hosts from one to another, or networks that make up a range.
#[derive(Clone, Copy)]
struct Addresses {
    next: u128,
    last: u128,
    /// Hosts from one to the next; 0 for networks.
    step: u128,
    /// Of a network that stands for itself.
    prefix: u8,
    is_range: bool,
    bits: u8,
}

/// Tells all elements that are meant, until `tell` refuses one. The first may be nothing ([`nothing`]) where what is kept is read.
pub(crate) fn each(
    kind: &Type,
    header: &Header,
    verb: Verb,
    (written, may_be_nothing): (&Written, bool),
    mut tell: impl FnMut(Element) -> Result<(), Refusal>,
) -> Result<(), Stop> {
    let first = prepared(kind, header, written)?;
    if !may_be_nothing {
        nothing(kind, &first)?;
    }
    if verb == Verb::Test {
        return tell(first).map_err(Stop::from);
    }
    if kind.storage == Storage::Bitmap {
        return bits_of(kind, header, written, first, tell);
    }
    let places: Vec<Dimension> = kind.dimensions.iter().copied().filter(|dimension| has_address(*dimension)).collect();
    let outer = places.first().map(|dimension| addresses(kind, *dimension, header, written, &first, 0)).transpose()?;
    let inner = places.get(1).map(|dimension| addresses(kind, *dimension, header, written, &first, 1)).transpose()?;
    let port_to = written.port_to.unwrap_or(first.port);
    let ports = first.port.min(port_to)..=first.port.max(port_to);
    let mut steps = 0;
    let mut element = first;
    let mut outer = outer.unwrap_or(Addresses::none());
    while let Some((ip, prefix)) = outer.step() {
        (element.ip[0], element.prefix[0]) = (ip, prefix);
        for port in ports.clone() {
            element.port = port;
            let mut inner = inner.unwrap_or(Addresses::none());
            while let Some((ip, prefix)) = inner.step() {
                (element.ip[1], element.prefix[1]) = (ip, prefix);
                steps += 1;
                if steps > STEPS_MAX {
                    return Err(Stop::TooMany);
                }
                tell(element)?;
            }
        }
    }
    Ok(())
}

fn has_address(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Address(_) | Dimension::Net { .. })
}

/// The element as it would be looked for by itself, if it may be in such a set at all.
fn prepared(kind: &Type, header: &Header, written: &Written) -> Result<Element, Refusal> {
    let mut element = written.first;
    let mut address = 0;
    for dimension in kind.dimensions {
        match dimension {
            Dimension::Address(_) if kind.storage == Storage::Hash => {
                element.ip[address] &= header.mask();
                address += 1;
            }
            Dimension::Net { may_be_all } => {
                if element.prefix[address] == 0 && !may_be_all {
                    return Err(Refusal::Prefix);
                }
                element.ip[address] &= mask(element.prefix[address], bits(header.family)) & header.mask();
                address += 1;
            }
            Dimension::ProtocolPort if element.protocol == 0 => return Err(Refusal::Protocol),
            Dimension::Mac if kind.storage == Storage::Hash && element.mac == [0; 6] => return Err(Refusal::NullElement),
            Dimension::Mark => element.mark &= header.markmask,
            _ => {}
        }
    }
    if kind.storage == Storage::Bitmap {
        check_bit(header, place(kind, &element))?;
        element.ip[0] &= u128::MAX << (32 - u32::from(header.netmask.min(32)));
    }
    Ok(element)
}

/// What is said of an element whose address is nothing. Where it stands in a range behind others it gets into a set nevertheless, and what is saved of that is
/// refused by `ipset restore`, as by the real one.
pub(crate) fn nothing(kind: &Type, element: &Element) -> Result<(), Refusal> {
    if kind.storage != Storage::Hash || element.ip[0] != 0 {
        return Ok(());
    }
    match kind.dimensions {
        [Dimension::Address(_)] => Err(Refusal::NullElement),
        _ if kind.has_ports() && kind.create.contains(&Create::Netmask) => Err(Refusal::Invalid),
        _ => Ok(()),
    }
}

fn addresses(
    kind: &Type,
    dimension: Dimension,
    header: &Header,
    written: &Written,
    first: &Element,
    at: usize,
) -> Result<Addresses, Refusal> {
    let bits = bits(header.family);
    let ip = first.ip[at];
    let is_net = matches!(dimension, Dimension::Net { .. });
    let mut addresses = Addresses { next: ip, last: ip, step: 1, prefix: first.prefix[at], is_range: false, bits };
    if let Some(to) = written.ip_to[at] {
        let from = if is_net { written.first.ip[at] } else { ip };
        if from > to && to == 0 && !is_net && kind.dimensions.len() == 1 {
            return Err(Refusal::NullElement);
        }
        (addresses.next, addresses.last) = (from.min(to), from.max(to));
        if is_net && addresses.next == 0 && addresses.last == u128::from(u32::MAX) {
            return Err(Refusal::WholeRange);
        }
        addresses.is_range = is_net;
    } else if let Some(prefix) = written.prefix[at].filter(|_| !is_net) {
        if prefix == 0 {
            return Err(Refusal::Prefix);
        }
        let mask = mask(prefix, bits);
        (addresses.next, addresses.last) = (ip & mask, ip | (!mask & crate::key::all(bits)));
    }
    if is_net {
        addresses.step = 0;
    } else if header.family == Some(Family::Ipv4) && header.bitmask.is_none() && kind.dimensions.len() == 1 {
        addresses.step = u128::from(header.hosts());
        addresses.next &= header.mask();
    }
    Ok(addresses)
}

impl Addresses {
    /// Those of a type that has none: one, which is nothing.
    fn none() -> Addresses {
        Addresses { next: 0, last: 0, step: 1, prefix: 0, is_range: false, bits: 32 }
    }

    /// The next address and its prefix.
    fn step(&mut self) -> Option<(u128, u8)> {
        if self.next > self.last {
            return None;
        }
        let ip = self.next;
        let (prefix, next) = if self.step > 0 {
            (self.bits, ip.checked_add(self.step))
        } else if self.is_range {
            let (prefix, last) = largest(ip as u32, self.last as u32);
            (prefix, Some(u128::from(last) + 1))
        } else {
            (self.prefix, None)
        };
        match next {
            Some(next) => self.next = next,
            None => (self.next, self.last) = (1, 0),
        }
        Some((ip, prefix))
    }
}

/// The largest network that begins here and does not go beyond `to`, and its last address. The kernel compares by the sign of the difference,
/// so that hosts one by one are what remains where the range is longer than half of all addresses.
fn largest(from: u32, to: u32) -> (u8, u32) {
    let found = (1..=32u8).find_map(|prefix| {
        let mask = mask(prefix, 32) as u32;
        let last = from | !mask;
        let is_within = (to.wrapping_sub(last) as i32) >= 0;
        (from & mask == from && is_within).then_some((prefix, last))
    });
    found.unwrap_or((32, from))
}

/// The address or port that an element of a bitmap stands for.
fn place(kind: &Type, element: &Element) -> u32 {
    if kind.dimensions == [Dimension::Port] { u32::from(element.port) } else { element.ip[0] as u32 }
}

fn check_bit(header: &Header, place: u32) -> Result<(), Refusal> {
    let is_within = (header.range.0..=header.range.1).contains(&place);
    if is_within { Ok(()) } else { Err(Refusal::OutOfRange) }
}

/// Elements of a bitmap.
fn bits_of(
    kind: &Type,
    header: &Header,
    written: &Written,
    first: Element,
    mut tell: impl FnMut(Element) -> Result<(), Refusal>,
) -> Result<(), Stop> {
    let start = place(kind, &first);
    let (mut from, mut to) = (start, start);
    if kind.dimensions == [Dimension::Port] {
        let end = written.port_to.map_or(start, u32::from);
        (from, to) = (start.min(end), start.max(end));
    } else if let Some(end) = written.ip_to[0] {
        (from, to) = (start.min(end as u32), start.max(end as u32));
    } else if let Some(prefix) = written.prefix[0] {
        if prefix == 0 {
            return Err(Refusal::Prefix.into());
        }
        let mask = mask(prefix, 32) as u32;
        (from, to) = (start & mask, start | !mask);
    }
    check_bit(header, from)?;
    check_bit(header, to)?;
    let mut at = u64::from(from);
    while at <= u64::from(to) {
        let mut element = first;
        if kind.dimensions == [Dimension::Port] {
            element.port = at as u16;
        } else {
            element.ip[0] = u128::from(at & !(header.hosts() - 1));
        }
        tell(element)?;
        at += header.hosts();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(from: [u8; 4], to: [u8; 4]) -> Vec<(u32, u8)> {
        let (mut next, to) = (u32::from_be_bytes(from), u32::from_be_bytes(to));
        let mut found = Vec::new();
        loop {
            let (prefix, last) = largest(next, to);
            found.push((next, prefix));
            if last >= to || found.len() > 9 {
                return found;
            }
            next = last + 1;
        }
    }

    #[test]
    fn a_range_is_the_largest_networks_that_it_is_made_of() {
        let ip = |a, b, c, d| u32::from_be_bytes([a, b, c, d]);
        let expected = [(ip(10, 5, 0, 0), 23), (ip(10, 5, 2, 0), 24), (ip(10, 5, 3, 0), 29), (ip(10, 5, 3, 8), 31)];
        assert_eq!(networks([10, 5, 0, 0], [10, 5, 3, 9]), expected);
        assert_eq!(networks([10, 5, 9, 3], [10, 5, 9, 9]).len(), 3);
    }

    #[test]
    fn a_range_of_more_than_half_of_all_addresses_is_walked_host_by_host() {
        assert_eq!(networks([1, 0, 0, 0], [255, 255, 255, 255])[..2], [(0x0100_0000, 32), (0x0100_0001, 32)]);
    }
}
