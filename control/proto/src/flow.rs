//! Tracked connections as they travel from the dataplane to rampartd: many at once, in a sealed memfd, as postcard.
use std::borrow::Cow;
use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Most flows of one message.
pub const PAGE: usize = 2048;

/// Most names of flows in one request.
pub const NAMES: usize = 1024;

/// Which flow of its worker's table: a slot, and which of the slot's tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name(pub u32, pub u32);

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Its name in the table of its worker.
    pub name: Name,
    /// A number that stays with it for its life.
    pub id: u32,
    /// Protocol number.
    pub protocol: u8,
    /// The protocol's state in conntrack's words; empty where the protocol has none.
    pub state: Cow<'static, str>,
    /// Seconds until it ends unless a packet comes.
    pub timeout: u32,
    /// The kernel's bits, `IPS_*`.
    pub status: u32,
    /// `connmark`.
    pub mark: u32,
    /// Security label; empty when it has none.
    pub label: String,
    /// The labels that rules and operators put on it, one a bit.
    pub labels: u128,
    /// The helper that reads it; empty when it has none.
    pub helper: Cow<'static, str>,
    /// Zone, and which directions it holds for.
    pub zone: Zone,
    /// SCTP's verification tags, of each direction.
    pub tags: Option<[u32; 2]>,
    /// When it began, in nanoseconds since 1970, where that is kept (`nf_conntrack_timestamp`).
    pub started: Option<u64>,
    /// As its first packet.
    pub original: Half,
    /// As the answers.
    pub reply: Half,
}

/// Something that happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What.
    pub kind: Kind,
    /// Its protocol came into another state.
    pub state_changed: bool,
    /// Its mark was written.
    pub mark_written: bool,
    /// Its labels were written.
    pub labels_written: bool,
    /// An operator did it.
    pub by_hand: bool,
    /// Of [`Kind::Destroy`]: when it ended, likewise.
    pub ended: Option<u64>,
    /// What it was then.
    pub flow: Flow,
}

/// What an operator changes of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Seconds until it ends; at 0 it ends now. Where its timeout is fixed nothing of the change is done.
    pub timeout: Option<u32>,
    /// Bits of the status to set, `IPS_*`: of them `SEEN_REPLY`, `ASSURED` and `FIXED_TIMEOUT` can be. Where `EXPECTED` is asked of a connection
    /// that is none, nothing but the timeout is changed.
    pub status: u32,
    /// Bits of the mark to clear.
    pub clear: u32,
    /// Bits of the mark to flip then.
    pub flip: u32,
    /// Labels to take off, one a bit: the lower half, the upper half.
    pub take_off: [u64; 2],
    /// Labels to put on then, likewise.
    pub put_on: [u64; 2],
}

/// What a connection went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Its first packet got through.
    New,
    /// It is another than it was.
    Update,
    /// It ended.
    Destroy,
}

/// What tells connections with equal addresses apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its number; 0 is none.
    pub id: u16,
    /// Holds for the original direction.
    pub original: bool,
    /// Holds for the replies.
    pub reply: bool,
}

/// One direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Half {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// What the protocol adds.
    pub l4: L4,
    /// Packets and bytes, where they are shown (`nf_conntrack_acct`).
    pub counts: Option<(u64, u64)>,
}

/// What a protocol adds to the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum L4 {
    /// Source and destination port.
    Ports(u16, u16),
    /// Of a query of ICMP or ICMPv6.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Identifier.
        id: u16,
    },
    /// GRE's keys of both ends.
    Keys(u16, u16),
    /// Nothing.
    None,
}

/// The bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Malformed(#[from] postcard::Error);

/// Writes connections, events, or expectations.
pub fn encode<T: Serialize>(all: &[T]) -> Vec<u8> {
    // Fails only where memory or a type's own code does: neither is the case.
    postcard::to_allocvec(all).unwrap_or_default()
}

/// Reads connections, events, or expectations.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, Malformed> {
    Ok(postcard::from_bytes(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_read_back_as_they_were_written() {
        let half = |src: &str, l4| Half { src: src.parse().unwrap(), dst: src.parse().unwrap(), l4, counts: Some((1, u64::MAX)) };
        let flow = Flow {
            name: Name(7, 9),
            id: 3,
            protocol: 6,
            state: "ESTABLISHED".into(),
            timeout: 431_999,
            status: 0x18e,
            mark: 1,
            label: "l".into(),
            labels: 1 << 127 | 1,
            helper: "ftp".into(),
            zone: Zone { id: 5, original: true, reply: false },
            tags: Some([1, u32::MAX]),
            started: Some(7),
            original: half("10.0.0.1", L4::Ports(1, 2)),
            reply: half("2001:db8::1", L4::Icmp { kind: 8, code: 0, id: 5 }),
        };
        let flows = vec![flow; 3];
        assert_eq!(decode::<Flow>(&encode(&flows)).unwrap(), flows);
        assert!(decode::<Flow>(&encode(&flows)[..40]).is_err());
        let [flow, ..] = &flows[..] else { panic!("three") };
        let (kind, ended) = (Kind::Destroy, Some(9));
        let event = Event {
            kind,
            state_changed: true,
            mark_written: false,
            labels_written: true,
            by_hand: true,
            ended,
            flow: flow.clone(),
        };
        assert_eq!(decode::<Event>(&encode(std::slice::from_ref(&event))).unwrap(), [event]);
    }
}
