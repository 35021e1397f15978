//! Every way for a packet to end without being sent or delivered, by name.

use core::sync::atomic::{AtomicU64, Ordering};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Why a packet ended. The names are stable: metrics and operators use them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum DropReason {
            $($(#[$doc])* $name,)*
        }

        impl DropReason {
            /// All reasons, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

reasons! {
    /// No program was published yet: nothing passes.
    NoProgram,
    /// The port that the frame came from is no known interface.
    UnknownInterface,
    /// The frame is shorter than its Ethernet header.
    EthernetTruncated,
    /// The frame carries a VLAN tag that no interface stands for.
    UnknownVlan,
    /// IPv6 rules are not enforced yet, so IPv6 does not pass at all.
    Ipv6NotEnforced,
    /// The frame is addressed to another station.
    OtherHost,
    /// The headers could not be made contiguous, or the buffer could not be changed as needed.
    BufferLayout,
    /// No buffer was left in the pool.
    NoBuffer,
    /// The frame ends inside the IP header, or the packet inside an extension header of IPv6.
    IpTruncated,
    /// The IP version is not that of the EtherType.
    IpVersion,
    /// The IP header's length is below 20 bytes or past the packet.
    IpHeaderLength,
    /// The IP total length is below the header's or past the frame.
    IpTotalLength,
    /// The IP header's checksum is wrong.
    IpChecksum,
    /// An IP option, or a hop-by-hop option of IPv6, is malformed or not to be skipped: the sender is told where the kernel tells (ICMP parameter problem).
    IpOptions,
    /// The packet carries a source route, which the interface does not accept.
    SourceRoute,
    /// The source can not be one: multicast, broadcast, loopback, 0.0.0.0 to a unicast address, or one of the box's own addresses. In IPv6: multicast,
    /// loopback, or :: where the packet would leave its link.
    MartianSource,
    /// The destination can not be one: loopback, 0.0.0.0; in IPv6 loopback, or a group of no link (scope 0 or 1).
    MartianDestination,
    /// The way back to the source leads through another interface (rp_filter).
    ReversePath,
    /// Multicast of a group that is not joined; multicast is not routed.
    MulticastNotJoined,
    /// Not for the box, and forwarding is off.
    ForwardingDisabled,
    /// No route to the destination: the sender is told.
    NoRoute,
    /// The route says unreachable: the sender is told.
    RouteUnreachable,
    /// The route says prohibit: the sender is told.
    RouteProhibit,
    /// The route says blackhole.
    RouteBlackhole,
    /// A frame to the link's broadcast or multicast address carries a packet that would have to be forwarded.
    LinkBroadcast,
    /// The TTL ended here: the sender is told.
    TtlExceeded,
    /// From a link-local address, and would have to leave its link: the sender is told.
    SourceScope,
    /// Too long for the next link, and not to be fragmented: the sender is told.
    MtuExceeded,
    /// Too long for the next link, and could not be cut into fragments.
    FragmentFailed,
    /// A fragment whose bytes are there already.
    FragmentDuplicate,
    /// Fragments that overlap: the whole datagram ends.
    FragmentOverlap,
    /// Fragments that make no legal datagram.
    FragmentInvalid,
    /// The rest of a datagram did not come in time.
    FragmentTimeout,
    /// No room to keep more fragments.
    FragmentMemory,
    /// The interface that the packet has to leave by is down or unknown.
    InterfaceDown,
    /// The next hop's link address is asked for, and its waiting list is full.
    NeighbourQueueFull,
    /// The next hop did not answer: the sender is told.
    NeighbourUnreachable,
    /// A packet of the box itself whose translated destination is the box: it cannot come back through a TAP.
    LocalToLocal,
    /// A DROP rule of the raw table.
    RawRule,
    /// A DROP policy of the raw table.
    RawPolicy,
    /// A DROP rule of the mangle table.
    MangleRule,
    /// A DROP policy of the mangle table.
    ManglePolicy,
    /// A rule of the nat table.
    NatRule,
    /// A policy of the nat table.
    NatPolicy,
    /// A DROP rule of the filter table.
    FilterRule,
    /// A DROP policy of the filter table.
    FilterPolicy,
    /// A DROP rule of the security table.
    SecurityRule,
    /// A DROP policy of the security table.
    SecurityPolicy,
    /// A REJECT rule; its answer, if one is due, is on its way.
    Rejected,
    /// A SYN that SYNPROXY answered for the server: nothing is remembered of it.
    SynproxyGreeted,
    /// An ACK that brought back SYNPROXY's cookie: the server gets a SYN in its place.
    SynproxyProven,
    /// An ACK without a cookie that holds, where SYNPROXY stands.
    SynproxyCookie,
    /// SYNPROXY cannot read the segment, or its checksum is wrong.
    SynproxyMalformed,
    /// The server's answer to SYNPROXY's SYN: both ends are told that the connection is open.
    SynproxyOpened,
    /// A match found the transport header cut short, or `connlimit` nothing to count.
    HotDrop,
    /// What a connection's helper has to read is cut short or malformed: the sender will send it again, whole.
    HelperCut,
    /// What a connection's helper has read announces a connection for which there is no room, no free port, or no room in the packet.
    ExpectationRefused,
    /// The connection table is full.
    ConntrackFull,
    /// No room for a rare attribute of the connection (`limits.flow_extras`).
    ConntrackExtrasFull,
    /// `connlimit` had no room for the list of the packet's address, or for its connection on it.
    ConnlimitFull,
    /// A list of `recent` has no room for the packet's address.
    RecentFull,
    /// A table of `hashlimit` has as many buckets as it may, and none is old.
    HashlimitFull,
    /// Another packet made the same connection first.
    ConntrackClash,
    /// No free translated tuple was left.
    NatExhausted,
    /// The packet of a translated connection could not be rewritten.
    NatFailed,
    /// The packet of a masqueraded flow leaves by another interface than the one whose address it has: the flow ends.
    MasqueradeMoved,
    /// MASQUERADE or REDIRECT found no address on the interface.
    NatNoAddress,
    /// An ICMP error that the box did not send, because it has sent as many as the kernel would.
    AnswerRate,
    /// An answer of the box found the queue of own packets full.
    OwnQueueFull,
    /// A copy that TEE did not make, because its gateway is the box itself, or many stations.
    TeeGateway,
    /// The way to the worker that keeps the packet's flow was full.
    HandoffFull,
    /// Too many new flows, or packets behind the first one of a flow, wait for another worker to keep a translated tuple.
    ClaimsFull,
    /// The flow of the packet was another worker's, and ended while the packet went to it.
    FlowMoved,
    /// The transmit queue was full.
    TransmitQueueFull,
    /// The ring to the TAP was full.
    HostQueueFull,
    /// The TAP is gone or was renamed.
    HostInterfaceGone,
}

/// Drops by reason. Written by one thread (relaxed load and store), read by anyone.
#[derive(Debug)]
pub struct DropCounters {
    counts: [AtomicU64; DropReason::ALL.len()],
}

impl Default for DropCounters {
    fn default() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; DropReason::ALL.len()] }
    }
}

impl DropCounters {
    /// One more packet ended so. Only the counters' one writer calls this.
    #[inline]
    pub fn count(&self, reason: DropReason) {
        self.add(reason, 1);
    }

    /// `n` more packets ended so. Only the counters' one writer calls this.
    #[inline]
    pub fn add(&self, reason: DropReason, n: u64) {
        let cell = &self.counts[reason as usize];
        cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    /// How many packets ended so.
    pub fn get(&self, reason: DropReason) -> u64 {
        self.counts[reason as usize].load(Ordering::Relaxed)
    }

    /// The reasons that occurred, with their counts.
    pub fn occurred(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.iter().map(|&reason| (reason, self.get(reason))).filter(|&(_, n)| n != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_name_and_a_place() {
        let drops = DropCounters::default();
        for (number, &reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(reason as usize, number);
            drops.add(reason, number as u64 + 1);
        }
        for (number, &reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(drops.get(reason), number as u64 + 1, "{}", reason.name());
        }
    }
}
