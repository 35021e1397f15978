//! The part of a rule that every rule has: addresses, interfaces, protocol, fragment.
use crate::Family;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The header test of a rule. All parts must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// `-s` and `-d`.
    pub addresses: Addresses,
    /// `-i`.
    pub in_interface: InterfaceMatch,
    /// `-o`.
    pub out_interface: InterfaceMatch,
    /// `-p`.
    pub protocol: ProtocolMatch,
    /// `-f` (IPv4 only).
    pub fragment: FragmentMatch,
}

impl Header {
    /// The header test that every packet passes.
    pub fn any(family: Family) -> Header {
        Header {
            addresses: Addresses::any(family),
            in_interface: InterfaceMatch::any(),
            out_interface: InterfaceMatch::any(),
            protocol: ProtocolMatch::default(),
            fragment: FragmentMatch::Any,
        }
    }

    /// `-s`.
    pub fn src(&self) -> AddrMatch {
        self.addresses.both()[0]
    }

    /// `-d`.
    pub fn dst(&self) -> AddrMatch {
        self.addresses.both()[1]
    }
}

/// The tests of both addresses, in 24 bytes: rule sets have many of them. Those of IPv4 stand here, and so does that IPv6 does not ask for any; what IPv6 asks for
/// is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Addresses(Kept);

/// Each test has one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kept {
    Ipv4 { src: [Ipv4Addr; 2], dst: [Ipv4Addr; 2], invert: [bool; 2] },
    AnyIpv6,
    Others(Box<[AddrMatch; 2]>),
}

impl Addresses {
    /// The test that every packet passes.
    pub fn any(family: Family) -> Addresses {
        Addresses::new(AddrMatch::any(family), AddrMatch::any(family))
    }

    /// The source is to pass one, the destination the other.
    pub fn new(src: AddrMatch, dst: AddrMatch) -> Addresses {
        let any = AddrMatch::any(Family::Ipv6);
        Addresses(match (src.addr, src.mask, dst.addr, dst.mask) {
            (IpAddr::V4(src_addr), IpAddr::V4(src_mask), IpAddr::V4(dst_addr), IpAddr::V4(dst_mask)) => {
                Kept::Ipv4 { src: [src_addr, src_mask], dst: [dst_addr, dst_mask], invert: [src.invert, dst.invert] }
            }
            _ if src == any && dst == any => Kept::AnyIpv6,
            _ => Kept::Others(Box::new([src, dst])),
        })
    }

    /// Source and destination.
    pub fn both(&self) -> [AddrMatch; 2] {
        let ipv4 = |[addr, mask]: [Ipv4Addr; 2], invert| AddrMatch { addr: IpAddr::V4(addr), mask: IpAddr::V4(mask), invert };
        match &self.0 {
            Kept::Ipv4 { src, dst, invert } => [ipv4(*src, invert[0]), ipv4(*dst, invert[1])],
            Kept::AnyIpv6 => [AddrMatch::any(Family::Ipv6); 2],
            Kept::Others(both) => **both,
        }
    }

    /// Those of which family they are.
    pub fn family(&self) -> Family {
        match &self.0 {
            Kept::Ipv4 { .. } => Family::Ipv4,
            Kept::AnyIpv6 => Family::Ipv6,
            Kept::Others(both) => {
                if both[0].addr.is_ipv4() {
                    Family::Ipv4
                } else {
                    Family::Ipv6
                }
            }
        }
    }
}

/// An address as the C library writes it: one of IPv6 that begins with 96 zero bits ends like one of IPv4, but for `::1` and its like.
pub(crate) struct Shown(pub(crate) IpAddr);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(addr) if addr.to_bits() >> 32 == 0 && addr.to_bits() > 0xffff => {
                write!(f, "::{}", Ipv4Addr::from_bits(addr.to_bits() as u32))
            }
            addr => addr.fmt(f),
        }
    }
}

/// Holds when `((packet address ^ addr) & mask == 0) != invert`.
///
/// The mask may have holes. `-s` and `-d` keep the address masked, as the kernel does; `-m conntrack` keeps it as it was given.
/// Both have the family of the rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddrMatch {
    /// The address; bits outside of the mask do not count.
    pub addr: IpAddr,
    /// The bits that count.
    pub mask: IpAddr,
    /// `!` was given.
    pub invert: bool,
}

impl AddrMatch {
    /// The test that every address passes.
    pub fn any(family: Family) -> AddrMatch {
        AddrMatch { addr: family.unspecified(), mask: family.unspecified(), invert: false }
    }

    /// A test with the address masked as the kernel keeps it. `None` when the families differ.
    pub fn new(addr: IpAddr, mask: IpAddr, invert: bool) -> Option<AddrMatch> {
        let addr = match (addr, mask) {
            (IpAddr::V4(a), IpAddr::V4(m)) => IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & m.to_bits())),
            (IpAddr::V6(a), IpAddr::V6(m)) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & m.to_bits())),
            _ => return None,
        };
        Some(AddrMatch { addr, mask, invert })
    }

    /// Whether the mask is empty: every address passes, or none if inverted.
    pub fn is_unmasked(&self) -> bool {
        self.mask.is_unspecified()
    }

    /// Whether every address passes.
    pub fn is_any(&self) -> bool {
        self.is_unmasked() && !self.invert
    }

    /// The prefix length, if the mask is that of a prefix.
    pub fn prefix_len(&self) -> Option<u8> {
        prefix_len(self.mask)
    }
}

/// The length of the prefix that this mask selects, or `None` if it has holes.
pub fn prefix_len(mask: IpAddr) -> Option<u8> {
    let (ones, rest) = match mask {
        IpAddr::V4(m) => (m.to_bits().leading_ones(), m.to_bits().count_ones()),
        IpAddr::V6(m) => (m.to_bits().leading_ones(), m.to_bits().count_ones()),
    };
    (ones == rest).then_some(ones as u8)
}

/// The mask of a prefix of `len` bits. `None` when the family has fewer bits.
pub fn prefix_mask(family: Family, len: u8) -> Option<IpAddr> {
    if len > family.address_bits() {
        return None;
    }
    Some(match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0))),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from_bits(u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0))),
    })
}

/// Holds when the packet's interface has this name (or begins with it, if `wildcard`), turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InterfaceMatch {
    /// The name without the closing `+`.
    pub name: InterfaceName,
    /// The name is a prefix (`eth+`).
    pub wildcard: bool,
    /// `!` was given.
    pub invert: bool,
}

impl InterfaceMatch {
    /// The test that every interface passes, also no interface at all.
    pub fn any() -> InterfaceMatch {
        InterfaceMatch { name: InterfaceName::default(), wildcard: true, invert: false }
    }

    /// Whether every interface passes.
    pub fn is_any(&self) -> bool {
        self.is_unnamed() && !self.invert
    }

    /// Whether no byte of the name is tested: every interface passes, or none if inverted.
    pub fn is_unnamed(&self) -> bool {
        self.wildcard && self.name.is_empty()
    }

    /// Whether a packet on this interface passes; the empty name stands for no interface.
    pub fn holds(&self, interface: &str) -> bool {
        let hit = if self.wildcard { interface.starts_with(&*self.name) } else { interface == &*self.name };
        hit != self.invert
    }
}

/// The name of an interface, or the beginning of one: at most 15 bytes, which stand in it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct InterfaceName {
    len: u8,
    /// Behind the name, zeros.
    bytes: [u8; 15],
}

impl InterfaceName {
    /// `None` for a text that is longer than any name.
    pub fn new(text: &str) -> Option<InterfaceName> {
        let mut bytes = [0; 15];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(InterfaceName { len: text.len() as u8, bytes })
    }
}

impl std::ops::Deref for InterfaceName {
    type Target = str;
    fn deref(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.len)).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.unwrap_or_else(|| unreachable!("it was made of a text"))
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Holds when the packet's protocol is `number`, turned round by `invert`. Number 0 is any protocol and is never inverted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProtocolMatch {
    /// IP protocol number; 0 is any.
    pub number: u8,
    /// `!` was given.
    pub invert: bool,
}

impl ProtocolMatch {
    /// Whether every protocol passes.
    pub fn is_any(self) -> bool {
        self.number == 0
    }

    /// Whether exactly this protocol passes: what extensions that read its header ask for.
    pub fn is_exactly(self, number: u8) -> bool {
        self.number == number && !self.invert
    }
}

/// Which fragments pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FragmentMatch {
    /// All packets.
    #[default]
    Any,
    /// `-f`: only second and later fragments.
    Later,
    /// `! -f`: only first fragments and unfragmented packets.
    NotLater,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_addresses_are_what_they_were() {
        let test = |addr: &str, mask: &str, invert| AddrMatch { addr: addr.parse().unwrap(), mask: mask.parse().unwrap(), invert };
        let ipv4 = [test("10.0.0.5", "255.0.0.255", false), test("0.0.0.0", "0.0.0.0", true), AddrMatch::any(Family::Ipv4)];
        let ipv6 = [test("2001:db8::1", "ffff::ffff", true), test("::", "::", true), AddrMatch::any(Family::Ipv6)];
        for (family, tests) in [(Family::Ipv4, ipv4), (Family::Ipv6, ipv6)] {
            for (src, dst) in tests.iter().flat_map(|src| tests.iter().map(move |dst| (*src, *dst))) {
                let addresses = Addresses::new(src, dst);
                assert_eq!((addresses.both(), addresses.family()), ([src, dst], family));
                assert_eq!(addresses == Addresses::any(family), src.is_any() && dst.is_any(), "each has one form");
            }
        }
    }

    #[test]
    fn names_of_interfaces_stand_in_fifteen_bytes() {
        for name in ["", "e", "ifname-15-bytes", "ätherß"] {
            assert_eq!(InterfaceName::new(name).as_deref(), Some(name));
        }
        assert_eq!(InterfaceName::new("ifname-of-16-byt"), None);
    }
}
