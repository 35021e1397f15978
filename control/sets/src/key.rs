//! An element, and the same as bytes: the parts that its type has, one after the other, so that bytes sort as addresses, ports and names do.
use rules::Family;

use crate::types::{Dimension, Storage, Type};

/// The longest key: two IPv6 networks, a protocol and a port.
pub(crate) const KEY_MAX: usize = 37;
/// The longest name of an interface.
pub(crate) const INTERFACE_MAX: usize = 15;

/// One element. What its type has no part for is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Addresses, IPv4 in the low 32 bits; of the first and second part that has one.
    pub(crate) ip: [u128; 2],
    /// Bits of theirs that count; of networks alone.
    pub(crate) prefix: [u8; 2],
    pub(crate) protocol: u8,
    pub(crate) port: u16,
    pub(crate) mark: u32,
    pub(crate) mac: [u8; 6],
    /// The interface is a port of a bridge.
    pub(crate) is_bridge_port: bool,
    /// Its name, filled with zeros.
    pub(crate) interface: [u8; INTERFACE_MAX],
}

/// What an address of a family has.
pub(crate) fn bits(family: Option<Family>) -> u8 {
    if family == Some(Family::Ipv6) { 128 } else { 32 }
}

/// The address bits of a network with this prefix, out of so many.
pub(crate) fn mask(prefix: u8, bits: u8) -> u128 {
    let all = all(bits);
    if prefix == 0 { 0 } else { (all << (bits - prefix.min(bits))) & all }
}

/// All bits of an address.
pub(crate) fn all(bits: u8) -> u128 {
    u128::MAX >> (128 - u32::from(bits))
}

/// Reads and writes keys of one type and family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    dimensions: &'static [Dimension],
    ip_bytes: usize,
}

impl Shape {
    pub(crate) fn of(kind: &Type, family: Option<Family>) -> Shape {
        // What a bit stands for has its hardware address beside it.
        let dimensions = if kind.storage == Storage::Bitmap { &kind.dimensions[..1] } else { kind.dimensions };
        Shape { dimensions, ip_bytes: usize::from(bits(family)) / 8 }
    }

    /// Which of the addresses is the first network.
    pub(crate) fn net_at(self) -> usize {
        let mut addresses = self.dimensions.iter().filter(|part| matches!(part, Dimension::Address(_) | Dimension::Net { .. }));
        addresses.position(|part| matches!(part, Dimension::Net { .. })).unwrap_or(0)
    }

    /// Bytes of a key.
    pub(crate) fn length(self) -> usize {
        let bytes = self.dimensions.iter().map(|dimension| match dimension {
            Dimension::Address(_) => self.ip_bytes,
            Dimension::Net { .. } => self.ip_bytes + 1,
            Dimension::Port => 2,
            Dimension::ProtocolPort => 3,
            Dimension::Mark => 4,
            Dimension::Mac => 6,
            Dimension::Interface => 1 + INTERFACE_MAX,
            Dimension::Set => 0,
        });
        bytes.sum()
    }

    pub(crate) fn write(self, element: &Element) -> [u8; KEY_MAX] {
        let mut key = [0; KEY_MAX];
        let (mut at, mut address) = (0, 0);
        let mut put = |bytes: &[u8]| {
            key[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        for dimension in self.dimensions {
            match dimension {
                Dimension::Address(_) | Dimension::Net { .. } => {
                    put(&element.ip[address].to_be_bytes()[16 - self.ip_bytes..]);
                    if matches!(dimension, Dimension::Net { .. }) {
                        put(&[element.prefix[address]]);
                    }
                    address += 1;
                }
                Dimension::Port => put(&element.port.to_be_bytes()),
                Dimension::ProtocolPort => {
                    put(&[element.protocol]);
                    put(&element.port.to_be_bytes());
                }
                Dimension::Mark => put(&element.mark.to_be_bytes()),
                Dimension::Mac => put(&element.mac),
                Dimension::Interface => {
                    put(&[u8::from(element.is_bridge_port)]);
                    put(&element.interface);
                }
                Dimension::Set => {}
            }
        }
        key
    }

    /// The element of a key, which has at least [`Shape::length`] bytes.
    pub(crate) fn read(self, key: &[u8]) -> Element {
        let mut element = Element::default();
        let (mut rest, mut address) = (key, 0);
        let mut take = |count: usize| {
            let (taken, left) = rest.split_at(count.min(rest.len()));
            rest = left;
            taken
        };
        for dimension in self.dimensions {
            match dimension {
                Dimension::Address(_) | Dimension::Net { .. } => {
                    element.ip[address] = number(take(self.ip_bytes));
                    element.prefix[address] = match dimension {
                        Dimension::Net { .. } => number(take(1)) as u8,
                        _ => self.ip_bytes as u8 * 8,
                    };
                    address += 1;
                }
                Dimension::Port => element.port = number(take(2)) as u16,
                Dimension::ProtocolPort => {
                    element.protocol = number(take(1)) as u8;
                    element.port = number(take(2)) as u16;
                }
                Dimension::Mark => element.mark = number(take(4)) as u32,
                Dimension::Mac => copy(take(6), &mut element.mac),
                Dimension::Interface => {
                    element.is_bridge_port = number(take(1)) != 0;
                    copy(take(INTERFACE_MAX), &mut element.interface);
                }
                Dimension::Set => {}
            }
        }
        element
    }
}

fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn copy(from: &[u8], to: &mut [u8]) {
    to[..from.len()].copy_from_slice(from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TYPES;

    #[test]
    fn keys_of_every_type_read_back_and_fit() {
        let element = Element {
            ip: [0x0102_0304, 0x0506_0708],
            prefix: [24, 32],
            protocol: 6,
            port: 80,
            mark: 7,
            mac: [1, 2, 3, 4, 5, 6],
            is_bridge_port: true,
            interface: *b"eth0\0\0\0\0\0\0\0\0\0\0\0",
        };
        for kind in TYPES {
            for family in [Some(Family::Ipv4), Some(Family::Ipv6)] {
                let shape = Shape::of(kind, family);
                assert!(shape.length() <= KEY_MAX, "{}", kind.name);
                let read = shape.read(&shape.write(&element));
                assert_eq!(shape.write(&read), shape.write(&element), "{}", kind.name);
            }
        }
    }

    #[test]
    fn masks_of_all_prefixes() {
        assert_eq!((mask(0, 32), mask(24, 32), mask(32, 32)), (0, 0xffff_ff00, 0xffff_ffff));
        assert_eq!((mask(0, 128), mask(128, 128)), (0, u128::MAX));
        assert_eq!(mask(64, 128), u128::MAX << 64);
    }
}
