//! Matches that need more than the packet's header: one file per iptables word.
//!
//! What a rule remembers is one 64-bit atomic in [`crate::snapshot::TableState`], shared by all workers. The rest looks at the packet's mark,
//! label, connection and bytes, which the walk knows and a header does not.

pub(crate) mod addrtype;
pub(crate) mod cluster;
pub(crate) mod connbytes;
pub(crate) mod connlabel;
pub(crate) mod connlimit;
pub(crate) mod connmark;
pub(crate) mod conntrack;
pub(crate) mod content;
pub(crate) mod hashlimit;
pub(crate) mod limit;
pub(crate) mod mac;
pub(crate) mod nth;
pub(crate) mod pkttype;
pub(crate) mod quota;
pub(crate) mod random;
pub(crate) mod recent;
pub(crate) mod rpfilter;
pub(crate) mod set;
pub(crate) mod tcp_ecn;
pub(crate) mod tcp_option;

use packet::Family;
use program::{Match, Table};

/// May it say something else of the next packet of the same direction of the same flow, with the same mark, connmark, label, TOS and TCP flags?
pub(crate) fn varies<F: Family>(table: &Table<F>, test: &Match) -> bool {
    match *test {
        Match::TcpOption { .. }
        | Match::TcpEcn { .. }
        | Match::Mac { .. }
        | Match::Connbytes(_)
        | Match::Connlimit { .. }
        | Match::Set(_)
        | Match::Random { .. }
        | Match::Nth { .. }
        | Match::Quota { .. }
        | Match::Named(_)
        // Each packet has bytes of its own.
        | Match::Content(_)
        // The clock goes on, and may be set.
        | Match::Time(_) => true,
        // Who has a label walks, as all with rare attributes do. Of the others each test says that they have none, but for one that gives them one.
        Match::Connlabel { set, .. } => set,
        // What became of the flow changes while it lives, and its time runs.
        Match::Conntrack(index) => {
            let test = &table.conntrack_tests[index as usize];
            test.status.is_some() || test.expire.is_some()
        }
        Match::Field(test) => test.varies(),
        Match::Packet(index) => table.packet_tests[index as usize].varies(),
        Match::L4(_)
        | Match::Address(_)
        // Other routes, addresses and groups of interfaces end all traces, and what was sent to many has none.
        | Match::Addrtype { .. }
        | Match::DeviceGroup { .. }
        | Match::Rpfilter { .. }
        | Match::Pkttype { .. }
        | Match::State { .. }
        | Match::Mark { .. }
        | Match::Connmark { .. }
        // Who began a connection has begun it for all of its packets.
        | Match::Cluster { .. }
        | Match::Label { .. }
        | Match::Helper { .. }
        // That it answers no again is asked of each packet ([`crate::trace::Guard`]).
        | Match::Limit { .. } => false,
    }
}
