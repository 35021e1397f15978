//! The part of a rule that every rule has: addresses, interfaces, protocol, fragment.
use crate::Family;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The header test of a rule. All parts must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// `-s`.
    pub src: AddrMatch,
    /// `-d`.
    pub dst: AddrMatch,
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
            src: AddrMatch::any(family),
            dst: AddrMatch::any(family),
            in_interface: InterfaceMatch::any(),
            out_interface: InterfaceMatch::any(),
            protocol: ProtocolMatch::default(),
            fragment: FragmentMatch::Any,
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InterfaceMatch {
    /// The name without the closing `+`; at most 15 bytes.
    pub name: Box<str>,
    /// The name is a prefix (`eth+`).
    pub wildcard: bool,
    /// `!` was given.
    pub invert: bool,
}

impl InterfaceMatch {
    /// The test that every interface passes, also no interface at all.
    pub fn any() -> InterfaceMatch {
        InterfaceMatch { name: Box::from(""), wildcard: true, invert: false }
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
