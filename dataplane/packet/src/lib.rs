//! Bytes to fields: checked views of headers, setters that keep checksums right, tuples, and the packets that a box answers with.
//!
//! PURE: no DPDK, no thread, no socket, no clock, no unsafe. Everything is written once over [`Family`], never once per family.
//!
//! What a stage keeps and loses: [`header::Header`] keeps every field that a rule or a flow can ask for, in host byte order, and the
//! offsets at which they stand; it loses nothing, because the bytes stay in the buffer that it was read from.
#![forbid(unsafe_code)]

mod bytes;
pub mod checksum;
pub mod dccp;
pub mod ether;
pub mod family;
pub(crate) mod gre;
pub mod hashed;
pub mod header;
pub mod hop;
pub mod icmp;
pub mod icmp6;
pub mod ipsec;
pub mod ipv4;
pub mod ipv6;
pub mod npt;
pub mod options;
pub mod parse;
pub mod pieces;
pub mod protocol;
pub mod reply;
pub mod sctp;
pub mod set;
pub mod tcp;
pub mod tuple;
pub mod udp;
pub mod vlan;

pub use ether::Ethernet;
pub use family::{Family, FamilyId, Ipv4, Ipv6};
pub use header::{Fragment, Header, L4, L4Fault};
pub use parse::ParseError;
pub use tuple::{Tuple, TupleL4};
