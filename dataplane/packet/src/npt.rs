//! Prefixes for prefixes (RFC 6296, the kernel's `ip6t_NPT`): an address gets another network's prefix, and one of its words what keeps the sum of all of them
//! as it was, so that no checksum has to change.

use serde::{Deserialize, Serialize};

use crate::family::{Addr, Family, FamilyId};
use crate::header::Header;
use crate::set::SetError;
use crate::{icmp6, ipv6, protocol};

/// Bytes from the IP header on that are looked at: both addresses, and those of the packet that an error quotes.
pub const REACH: usize = QUOTE_AT + ipv6::HEADER_LEN;
const QUOTE_AT: usize = ipv6::HEADER_LEN + crate::icmp::HEADER_LEN;

/// Two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prefixes {
    /// The prefix that is taken off, zeros behind it.
    pub from: u128,
    /// Its length, 64 at most.
    pub from_len: u8,
    /// The prefix that is put on, zeros behind it.
    pub to: u128,
    /// Its length, 64 at most.
    pub to_len: u8,
}

/// An address whose sum cannot be kept: every word that might take the difference is 0xffff. It has the new prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotNeutral(pub u128);

fn word(address: u128, at: u32) -> u16 {
    (address >> (112 - 16 * at)) as u16
}

fn sum(address: u128) -> u32 {
    (0..8).map(|at| u32::from(word(address, at))).sum()
}

impl Prefixes {
    /// The address under the other prefix, as many bits of it as the longer one has, whatever the address had there. The difference goes into the fourth
    /// word behind a prefix of up to 48 bits, else into the first word from the fifth on that is not 0xffff.
    ///
    /// # Errors
    /// There is no such word.
    pub fn map(&self, address: u128) -> Result<u128, NotNeutral> {
        let len = self.from_len.max(self.to_len);
        let mask = u128::prefix_mask(len);
        let address = self.to & mask | address & !mask;
        let at = if len <= 48 { Some(3) } else { (4..8).find(|at| word(address, *at) != 0xffff) };
        let Some(at) = at else { return Err(NotNeutral(address)) };
        // Of the two zeros that such sums have, the one that is 0.
        let taken = (u32::from(word(address, at)) + sum(self.from) + 8 * 0xffff - sum(self.to)) % 0xffff;
        let shift = 112 - 16 * at;
        Ok(address & !(0xffff << shift) | u128::from(taken) << shift)
    }

    fn has(&self, address: u128) -> bool {
        address & u128::prefix_mask(self.from_len) == self.from
    }
}

/// Whose prefix changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The source's (SNPT).
    Src,
    /// The destination's (DNPT).
    Dst,
}

impl Side {
    /// Where the address stands in the header.
    pub fn at(self) -> usize {
        if self == Self::Src { <crate::Ipv6 as Family>::SRC_AT } else { <crate::Ipv6 as Family>::DST_AT }
    }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translated {
    /// It has the other prefix.
    Whole,
    /// Its address has the other prefix, but not its old sum: it goes no further ([`NotNeutral`]).
    NotNeutral,
}

/// Gives a packet's address the other prefix, and if it is an ICMPv6 error right behind the IPv6 header, the opposite address of the packet that it quotes, where that
/// has the first one and stands whole within `within` bytes. `header` stays true. The first [`REACH`] bytes of the packet, as far as it has them, must be in `head`.
///
/// # Errors
/// Its addresses are not in reach.
pub fn translate<F: Family>(
    head: &mut [u8],
    header: &mut Header<F>,
    prefixes: &Prefixes,
    side: Side,
    within: usize,
) -> Result<Translated, SetError> {
    if F::ID != FamilyId::Ipv6 {
        return Err(SetError::NoSuchField);
    }
    let packet = head.get_mut(usize::from(header.l3)..).ok_or(SetError::OutOfReach)?;
    let old = packet.get(side.at()..).and_then(u128::read).ok_or(SetError::OutOfReach)?;
    let mapped = prefixes.map(old);
    let new = mapped.unwrap_or_else(|NotNeutral(address)| address);
    let place = packet.get_mut(side.at()..).ok_or(SetError::OutOfReach)?;
    new.write(place);
    let address = F::Addr::read(place).ok_or(SetError::OutOfReach)?;
    match side {
        Side::Src => header.src = address,
        Side::Dst => header.dst = address,
    }
    if mapped.is_err() {
        return Ok(Translated::NotNeutral);
    }
    let end = packet.len().min(header.len as usize).min(within);
    if let Some(quote) = quoted(&mut packet[..end]) {
        let opposite = if side == Side::Src { Side::Dst } else { Side::Src };
        let quoted = &mut quote[opposite.at()..];
        if let Some(address) = u128::read(quoted).filter(|address| prefixes.has(*address)) {
            let (Ok(address) | Err(NotNeutral(address))) = prefixes.map(address);
            address.write(quoted);
        }
    }
    Ok(Translated::Whole)
}

/// The packet that an error quotes, if its whole header is there.
fn quoted(packet: &mut [u8]) -> Option<&mut [u8]> {
    if packet.len() < REACH || packet[ipv6::NEXT_HEADER_AT] != protocol::ICMPV6 {
        return None;
    }
    let is_known = (icmp6::kind::UNREACHABLE..=icmp6::kind::PARAMETER_PROBLEM).contains(&packet[ipv6::HEADER_LEN]);
    is_known.then(|| &mut packet[QUOTE_AT..])
}

#[cfg(test)]
mod tests {
    use core::net::Ipv6Addr;

    use super::*;

    fn prefixes(from: &str, to: &str) -> Prefixes {
        let network = |text: &str| {
            let (address, len) = text.split_once('/').expect("a network");
            (address.parse::<Ipv6Addr>().expect("an address").to_bits(), len.parse().expect("a length"))
        };
        let ((from, from_len), (to, to_len)) = (network(from), network(to));
        Prefixes { from, from_len, to, to_len }
    }

    fn mapped(prefixes: &Prefixes, address: &str) -> Result<String, String> {
        let text = |address| Ipv6Addr::from_bits(address).to_string();
        let mapped = prefixes.map(address.parse::<Ipv6Addr>().expect("an address").to_bits());
        mapped.map(text).map_err(|NotNeutral(address)| text(address))
    }

    /// The example of RFC 6296, section 3.1.
    #[test]
    fn the_fourth_word_takes_the_difference_of_short_prefixes() {
        let out = prefixes("fd01:203:405::/48", "2001:db8:1::/48");
        assert_eq!(mapped(&out, "fd01:203:405:1::1234"), Ok("2001:db8:1:d550::1234".to_owned()));
        let back = prefixes("2001:db8:1::/48", "fd01:203:405::/48");
        assert_eq!(mapped(&back, "2001:db8:1:d550::1234"), Ok("fd01:203:405:1::1234".to_owned()));
        assert_eq!(mapped(&out, "fd01:203:405:ffff::1234"), Ok("2001:db8:1:d54f::1234".to_owned()), "both zeros are one");
    }

    #[test]
    fn a_later_word_takes_that_of_long_ones_unless_all_are_ones() {
        let out = prefixes("fd01:203:405:6::/64", "2001:db8:1::/56");
        assert_eq!(mapped(&out, "fd01:203:405:6::1"), Ok("2001:db8:1:0:d555::1".to_owned()));
        assert_eq!(mapped(&out, "fd01:203:405:6:ffff:0:0:1"), Ok("2001:db8:1:0:ffff:d555:0:1".to_owned()));
        assert_eq!(mapped(&out, "fd01:203:405:6:ffff:ffff:ffff:ffff"), Err("2001:db8:1:0:ffff:ffff:ffff:ffff".to_owned()));
    }

    #[test]
    fn the_sum_of_an_address_stays_as_it_was() {
        for (from, to) in [("fd01::/16", "2001:db8::/32"), ("fd01:203:405::/48", "2001::/16"), ("fd01:0:0:5::/64", "2001:db8::/49")]
        {
            let prefixes = prefixes(from, to);
            for host in [0, 1, 0xffff, 0x1_0000, 0xfffe_ffff, 0xffff_0000_0000_0000_u128, 0x1234_5678_9abc_def0] {
                let address = prefixes.from | host;
                let new = prefixes.map(address).expect("a word takes it");
                assert_eq!(sum(new) % 0xffff, sum(address) % 0xffff, "{host:#x} {from} {to}");
                assert_ne!(new, address);
            }
        }
    }
}
