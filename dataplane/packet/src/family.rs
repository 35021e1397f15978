//! The two address families, as types, so that keys, tests and tables are written once.

use core::fmt::Debug;
use core::hash::Hash;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::{BitAnd, BitOr, BitXor, Not};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Names a family where a value is needed instead of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FamilyId {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// An address as an integer in host byte order: masks and comparisons are plain arithmetic.
pub trait Addr:
    Copy
    + Eq
    + Ord
    + Hash
    + Debug
    + Default
    + Send
    + Sync
    + 'static
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
    + Serialize
    + DeserializeOwned
{
    /// The address with every bit clear (`0.0.0.0`, `::`).
    const ZERO: Self;
    /// The address with every bit set.
    const ONES: Self;
    /// Length in bytes on the wire.
    const LEN: usize;

    /// Reads the address from the first [`Addr::LEN`] bytes, or `None` when there are fewer.
    fn read(bytes: &[u8]) -> Option<Self>;
    /// Writes the address to the first [`Addr::LEN`] bytes; `false`, and nothing written, when there are fewer.
    fn write(self, bytes: &mut [u8]) -> bool;
    /// The 16-bit words of the address as they stand on the wire, folded by XOR (flow ownership).
    fn xor_words(self) -> u16;
    /// The address as the standard library has it.
    fn to_ip(self) -> IpAddr;
    /// The mask of a prefix of `len` bits; longer than the address means all bits.
    fn prefix_mask(len: u8) -> Self;
    /// The `n`th 32 bits as they stand on the wire; 0 past the end.
    fn word(self, n: usize) -> u32;
}

impl Addr for u32 {
    const ZERO: Self = 0;
    const ONES: Self = u32::MAX;
    const LEN: usize = 4;

    #[inline]
    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().map(|b| u32::from_be_bytes(*b))
    }

    #[inline]
    fn write(self, bytes: &mut [u8]) -> bool {
        match bytes.first_chunk_mut() {
            Some(b) => {
                *b = self.to_be_bytes();
                true
            }
            None => false,
        }
    }

    fn xor_words(self) -> u16 {
        (self >> 16) as u16 ^ self as u16
    }

    fn to_ip(self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(self))
    }

    fn prefix_mask(len: u8) -> Self {
        match len {
            0 => 0,
            1..32 => u32::MAX << (32 - len),
            _ => u32::MAX,
        }
    }

    #[inline]
    fn word(self, n: usize) -> u32 {
        if n == 0 { self } else { 0 }
    }
}

impl Addr for u128 {
    const ZERO: Self = 0;
    const ONES: Self = u128::MAX;
    const LEN: usize = 16;

    #[inline]
    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().map(|b| u128::from_be_bytes(*b))
    }

    #[inline]
    fn write(self, bytes: &mut [u8]) -> bool {
        match bytes.first_chunk_mut() {
            Some(b) => {
                *b = self.to_be_bytes();
                true
            }
            None => false,
        }
    }

    fn xor_words(self) -> u16 {
        let half = (self >> 64) as u64 ^ self as u64;
        let quarter = (half >> 32) as u32 ^ half as u32;
        quarter.xor_words()
    }

    fn to_ip(self) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(self))
    }

    fn prefix_mask(len: u8) -> Self {
        match len {
            0 => 0,
            1..128 => u128::MAX << (128 - len),
            _ => u128::MAX,
        }
    }

    #[inline]
    fn word(self, n: usize) -> u32 {
        const SHIFTS: [u32; 4] = [96, 64, 32, 0];
        SHIFTS.get(n).map_or(0, |shift| (self >> shift) as u32)
    }
}

/// A family as a type parameter.
pub trait Family: Copy + Clone + Debug + Default + PartialEq + Eq + Hash + Send + Sync + 'static {
    /// Its addresses.
    type Addr: Addr;
    /// Its name as a value.
    const ID: FamilyId;
    /// The EtherType of its packets.
    const ETHERTYPE: u16;
    /// The protocol number of its ICMP.
    const ICMP: u8;
    /// Length in bytes of its IP header without options or extension headers.
    const HEADER_LEN: usize;
    /// Where the source address stands in the IP header, in bytes.
    const SRC_AT: usize;
    /// Where the destination address stands.
    const DST_AT: usize;

    /// This family's address out of a general one.
    fn from_ip(ip: IpAddr) -> Option<Self::Addr>;
    /// Puts what is of this family where either family goes.
    fn either<T: PerFamily>(of: T::Of<Self>) -> Either<T>;
}

/// Names a type that is made for each family, so that [`Either`] can hold one of them.
pub trait PerFamily {
    /// The type for one family.
    type Of<F: Family>;
}

/// Something of one family, where both go the same way.
pub enum Either<T: PerFamily> {
    /// Of IPv4.
    Ipv4(T::Of<Ipv4>),
    /// Of IPv6.
    Ipv6(T::Of<Ipv6>),
}

/// IPv4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ipv4;

/// IPv6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ipv6;

impl Family for Ipv4 {
    type Addr = u32;
    const ID: FamilyId = FamilyId::Ipv4;
    const ETHERTYPE: u16 = 0x0800;
    const ICMP: u8 = crate::protocol::ICMP;
    const HEADER_LEN: usize = 20;
    const SRC_AT: usize = 12;
    const DST_AT: usize = 16;

    fn from_ip(ip: IpAddr) -> Option<u32> {
        match ip {
            IpAddr::V4(a) => Some(a.to_bits()),
            IpAddr::V6(_) => None,
        }
    }

    fn either<T: PerFamily>(of: T::Of<Self>) -> Either<T> {
        Either::Ipv4(of)
    }
}

impl Family for Ipv6 {
    type Addr = u128;
    const ID: FamilyId = FamilyId::Ipv6;
    const ETHERTYPE: u16 = 0x86dd;
    const ICMP: u8 = crate::protocol::ICMPV6;
    const HEADER_LEN: usize = 40;
    const SRC_AT: usize = 8;
    const DST_AT: usize = 24;

    fn from_ip(ip: IpAddr) -> Option<u128> {
        match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(a) => Some(a.to_bits()),
        }
    }

    fn either<T: PerFamily>(of: T::Of<Self>) -> Either<T> {
        Either::Ipv6(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_masks_cover_both_ends() {
        assert_eq!(<u32 as Addr>::prefix_mask(0), 0);
        assert_eq!(<u32 as Addr>::prefix_mask(24), 0xffff_ff00);
        assert_eq!(<u32 as Addr>::prefix_mask(32), u32::MAX);
        assert_eq!(<u128 as Addr>::prefix_mask(64), u128::MAX << 64);
        assert_eq!(<u128 as Addr>::prefix_mask(128), u128::MAX);
    }

    #[test]
    fn words_fold_by_xor() {
        assert_eq!(0x1234_00ff_u32.xor_words(), 0x1234 ^ 0x00ff);
        assert_eq!(((0xabcd_u128 << 112) | 1).xor_words(), 0xabcd ^ 1);
    }

    #[test]
    fn short_bytes_are_no_address() {
        assert_eq!(<u32 as Addr>::read(&[1, 2, 3]), None);
        assert!(!1u128.write(&mut [0; 15]));
    }
}
