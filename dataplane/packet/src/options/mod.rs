//! Options of the TCP and the IPv4 header, and of IPv6's hop-by-hop header.

pub mod hop_by_hop;
pub mod ip;
pub mod tcp;
