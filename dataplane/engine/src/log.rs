//! What LOG writes down in the walk, and the kernel's line that is made of it elsewhere.
//!
//! The walk copies: a [`LogRecord`] has a fixed size and no pointer. The thread at the other end of the ring calls [`LogRecord::line`].

use arrayvec::ArrayVec;
use packet::FamilyId;
use program::{InterfaceId, LogSpec};

/// Bytes of a packet that a record keeps: an IP header and an ICMP error with the headers of the packet that it quotes, all of them with
/// as many options as they can hold.
pub const LOG_BYTES: usize = 256;

/// One packet that met a LOG rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Which family's line it becomes.
    pub family: FamilyId,
    /// `--log-prefix`, at most 29 bytes of UTF-8.
    pub prefix: ArrayVec<u8, 30>,
    /// `--log-level`, 0..=7.
    pub level: u8,
    /// `--log-tcp-sequence`
    pub tcp_sequence: bool,
    /// `--log-tcp-options`
    pub tcp_options: bool,
    /// `--log-ip-options`
    pub ip_options: bool,
    /// `--log-macdecode`
    pub mac_decode: bool,
    /// Where the packet came in.
    pub input: InterfaceId,
    /// Where it goes out, as far as it is known at the rule's hook.
    pub output: InterfaceId,
    /// The Ethernet header of a packet that came in; empty for the box's own.
    pub mac: ArrayVec<u8, 18>,
    /// The packet's mark.
    pub mark: u32,
    /// Length of the whole IP packet in bytes.
    pub len: u32,
    /// Its first bytes, from the IP header on.
    pub bytes: ArrayVec<u8, LOG_BYTES>,
}

impl LogRecord {
    /// A record of what the rule wants shown; the packet's part is filled in by the walk.
    pub(crate) fn new(family: FamilyId, spec: &LogSpec) -> Self {
        let mut prefix = ArrayVec::new();
        prefix.extend(spec.prefix.bytes().take(prefix.capacity()));
        Self {
            family,
            prefix,
            level: spec.level,
            tcp_sequence: spec.tcp_sequence,
            tcp_options: spec.tcp_options,
            ip_options: spec.ip_options,
            mac_decode: spec.mac_decode,
            input: InterfaceId::NONE,
            output: InterfaceId::NONE,
            mac: ArrayVec::new(),
            mark: 0,
            len: 0,
            bytes: ArrayVec::new(),
        }
    }
}
