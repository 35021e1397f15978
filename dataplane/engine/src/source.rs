//! Which of its IPv6 addresses the box speaks from (RFC 6724 section 5; the kernel's `ipv6_dev_get_saddr`).
//!
//! The kernel's defaults hold: public addresses before temporary ones, all interfaces lend their addresses, and its table of labels.

use core::net::Ipv6Addr;

use packet::Family;
use packet::family::Addr;
use program::InterfaceId;

use crate::host::Address;

/// Labels by prefix, the longest first: what has the same one goes well together.
const LABELS: [(u128, u8, u8); 10] = [
    (1, 128, 0),
    (0, 96, 3),
    (0xffff << 32, 96, 4),
    (0x2001 << 112, 32, 6),
    (ORCHID.0, ORCHID.1, 7),
    (0x3ffe << 112, 16, 12),
    (0x2002 << 112, 16, 2),
    (0xfec0 << 112, 10, 11),
    (0xfc00 << 112, 7, 5),
    (0, 0, 1),
];

/// Overlay identifiers (RFC 4843): no places.
const ORCHID: (u128, u8) = (0x2001_0010 << 96, 28);

/// How far an address reaches: 2 to the link, 5 to the site, 14 to everywhere; of a group what it says itself.
const LINK: u8 = 2;
const SITE: u8 = 5;
const EVERYWHERE: u8 = 14;

/// An address as the choice sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    bits: u128,
    scope: u8,
    label: u8,
    is_group: bool,
}

fn is_within(bits: u128, (prefix, len): (u128, u8)) -> bool {
    (bits ^ prefix).leading_zeros() >= u32::from(len)
}

impl Seen {
    pub(crate) fn of<A: Addr>(address: A) -> Self {
        let mut bytes = [0; 16];
        address.write(&mut bytes);
        let bits = u128::from_be_bytes(bytes);
        let octets = Ipv6Addr::from(bits).octets();
        let scope = match octets {
            [0xff, scope, ..] => scope & 15,
            [0xfe, low, ..] if low & 0xc0 == 0x80 => LINK,
            [0xfe, low, ..] if low & 0xc0 == 0xc0 => SITE,
            _ if bits == 1 => LINK,
            _ => EVERYWHERE,
        };
        let label = LABELS.iter().find(|(prefix, len, _)| is_within(bits, (*prefix, *len))).map_or(1, |(_, _, label)| *label);
        Self { bits, scope, label, is_group: octets[0] == 0xff }
    }

    /// Is it only reached from addresses of the interface by which it is?
    pub(crate) fn is_near(&self) -> bool {
        self.is_group || self.scope <= LINK
    }
}

/// How well an address serves as the source of a packet that leaves by `interface` for `towards`; the greatest is best. The rules in their order.
pub(crate) fn preference<F: Family>(own: &Address<F>, interface: InterfaceId, towards: &Seen) -> impl Ord + use<F> {
    let seen = Seen::of(own.address);
    // One that reaches far enough, the nearer the better; else the one that comes nearest to it.
    let scope = if seen.scope >= towards.scope { i16::from(u8::MAX - seen.scope) } else { i16::from(seen.scope) - 15 };
    let is_orchid = |bits| is_within(bits, ORCHID);
    (
        seen.bits == towards.bits,
        scope,
        !own.deprecated,
        own.interface == interface,
        seen.label == towards.label,
        !own.secondary,
        is_orchid(seen.bits) == is_orchid(towards.bits),
        (seen.bits ^ towards.bits).leading_zeros().min(u32::from(own.prefix_len)),
    )
}
