//! Options of the TCP and the IPv4 header.

pub mod ip;
pub mod tcp;
