//! `-m recent` (`xt_recent.c`): was the packet's address seen before?

use packet::{Family, FamilyId};
use program::{Hook, RecentTest};

use crate::burst::{Origin, Packet};
use crate::named::{NamedHash, bits};
use crate::recent::{Address, Full, List, Seen};
use crate::time::Time;

/// Asks it of a packet at a hook. Where there is no room for its address, the packet is dropped on the spot.
pub(crate) fn ask<F: Family, B>(
    test: &RecentTest,
    list: &List,
    packet: &Packet<'_, F, B>,
    hook: Hook,
    (hash, now): (&NamedHash, Time),
) -> Result<bool, Full> {
    let header = &packet.header;
    let address = if test.destination { header.dst } else { header.src };
    let address = Address { bits: bits(address) & list.mask(), is_ipv6: F::ID == FamilyId::Ipv6 };
    let ttl = header.ttl.wrapping_add(u8::from(has_lost_a_hop(packet, hook)));
    list.ask(test, &Seen { address, hash: address.hash(hash), ttl, now })
}

/// On its way out the kernel takes a packet that is of no socket for one that it has forwarded: that came with one hop more.
fn has_lost_a_hop<F: Family, B>(packet: &Packet<'_, F, B>, hook: Hook) -> bool {
    let goes_out = matches!(hook, Hook::Forward | Hook::Output | Hook::Postrouting);
    let has_socket = match packet.origin {
        Origin::Wire(_) => false,
        Origin::Host => true,
        // Errors are sent by a socket of the kernel's own, segments are not.
        Origin::Own => packet.header.protocol == F::ICMP,
    };
    goes_out && !has_socket
}
