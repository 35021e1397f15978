//! `-m cluster` (`xt_cluster.c`): this node's share of the connections.

use packet::Family;
use packet::family::Addr;

use crate::burst::{Link, Origin};
use crate::jenkins;
use crate::stateful::pkttype;

/// Which of `total` nodes a connection falls to that this source began.
pub(crate) fn node<F: Family>(source: F::Addr, total: u8, seed: u32) -> u8 {
    // The word enters the hash as a little-endian machine reads it from the wire. Of IPv6's four the kernel takes the first one alone.
    let hash = jenkins::hash([source.word(0).swap_bytes()], seed);
    ((u64::from(hash) * u64::from(total)) >> 32) as u8
}

/// What a packet is taken for once the match was asked. All nodes get the frames of a cluster by a group's hardware address: one with a packet for a single
/// station is for the box from then on.
pub(crate) fn origin<F: Family>(origin: Origin, head: &[u8], destination: F::Addr) -> Origin {
    let is_by_group = pkttype::of(origin, head) == program::LinkDestination::Multicast;
    if is_by_group && !destination.to_ip().is_multicast() { Origin::Wire(Link::Host) } else { origin }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet::{Ipv4, Ipv6};

    #[test]
    fn connections_are_shared_among_the_nodes_that_there_are() {
        for total in 1..=32 {
            let mut shares = [0u32; 32];
            (0..4096u32).for_each(|host| shares[usize::from(node::<Ipv4>(0x0a00_0000 + host, total, 7))] += 1);
            let (mine, others) = shares.split_at(total.into());
            assert!(mine.iter().all(|share| *share > 4096 / u32::from(total) / 2), "{total}: {mine:?}");
            assert!(others.iter().all(|share| *share == 0));
        }
        let hosts = |seed| (0..64u128).map(|network| node::<Ipv6>(network << 96, 4, seed)).collect::<Vec<_>>();
        assert_ne!(hosts(1), hosts(2), "the seed turns them about");
    }
}
