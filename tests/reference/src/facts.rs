//! One packet and all that rules can ask about it.

use packet::{Family, Header, Tuple};
use rules::matches::pkttype::LinkDestination;
use rules::targets::Zone;

/// The packet as a table finds it, and as its targets leave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts<F: Family> {
    /// Its fields.
    pub header: Header<F>,
    /// Its bytes, at the offsets that the header names. TCP options are read from here.
    pub bytes: Vec<u8>,
    /// The source address of the frame that it came in; `None` for a packet that the box made.
    pub frame_source: Option<[u8; 6]>,
    /// What the box's addresses and routes, and the frame, say of it.
    pub around: Around,
    /// The interface on which it came in; empty for a packet that the box made.
    pub input: String,
    /// The interface on which it goes out; empty before routing and for packets to the box.
    pub output: String,
    /// Its mark.
    pub mark: u32,
    /// Its security context; empty when it has none.
    pub label: String,
    /// What connection tracking knows of it.
    pub tracking: Tracking<F>,
}

/// What the box's addresses and routes say of a packet, and its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// The type of its source, as a bit of `-m addrtype`: of all interfaces, of the one that it came by, and of the one that it leaves by.
    pub src_type: [u16; 3],
    /// The same of its destination.
    pub dst_type: [u16; 3],
    /// Where an answer would go.
    pub way_back: WayBack,
    /// To whom the frame was.
    pub frame_to: LinkDestination,
    /// The groups of the interfaces that it came by and leaves by.
    pub groups: [u32; 2],
}

/// Where an answer to a packet would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayBack {
    /// Out by the interface that the packet came by.
    Same,
    /// Out by another one.
    Other,
    /// To the box itself.
    Local,
    /// Nowhere.
    None,
}

/// What connection tracking knows of a packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Tracking<F: Family> {
    /// Nothing: it has not been asked yet, or could not place the packet. `--ctstate` calls both INVALID.
    Invalid,
    /// It was told not to look.
    Untracked,
    /// It has not been asked yet, and has been told what to do.
    Prepared {
        /// The zone to use: number 0 in both directions is what it would use anyway.
        zone: Zone,
        /// The helper that is to read the connection; empty without one.
        helper: String,
    },
    /// The packet belongs to this connection.
    Known(Connection<F>),
}

/// Where a packet stands in its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It begins it.
    New,
    /// It belongs to one that has seen packets both ways.
    Established,
    /// It begins an announced one, or is an error about it.
    Related,
}

/// A connection, as plain values.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection<F: Family> {
    /// Where the packet stands in it.
    pub state: ConnectionState,
    /// Does the packet go as the first one did?
    pub original: bool,
    /// The tuple of the first packet.
    pub there: Tuple<F>,
    /// The tuple that answers carry.
    pub back: Tuple<F>,
    /// The connection's mark.
    pub mark: u32,
    /// Packets and bytes that it has carried, this packet included: as the first one went, and back.
    pub carried: [(u64, u64); 2],
    /// Its labels, one a bit.
    pub labels: u128,
    /// The connection's security context; empty when it has none.
    pub label: String,
    /// The source is translated.
    pub snat: bool,
    /// The destination is translated.
    pub dnat: bool,
    /// Another connection announced it.
    pub expected: bool,
    /// The helper that reads the connection which announced it; empty without one.
    pub announced_by: String,
    /// Packets came back.
    pub seen_reply: bool,
    /// It is never thrown out early.
    pub assured: bool,
    /// Its first packet left the machine.
    pub confirmed: bool,
    /// Seconds until it is forgotten; counts only when it is confirmed.
    pub seconds_left: u32,
}
