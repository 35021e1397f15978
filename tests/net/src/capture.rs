//! What reaches a host, as bytes: a raw socket, which needs no more rights than the namespace gives (tcpdump insists on changing its user).

use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketType, recv, socket, sockopt};

use crate::namespace::Namespace;

/// Receives a copy of each IPv4 packet of one protocol that is delivered to a host, from its making on.
pub struct Capture {
    socket: OwnedFd,
}

impl Capture {
    /// Starts to listen on `host`; `protocol` as in [`rustix::net::ipproto`].
    pub fn start(host: &Namespace, protocol: Protocol) -> Result<Self> {
        let socket = host.within(move || socket(AddressFamily::INET, SocketType::RAW, Some(protocol)))??;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_secs(2)))?;
        Ok(Self { socket })
    }

    /// The next packet for which `wanted` holds, from its IPv4 header on; an error when none comes for two seconds.
    pub fn next(&self, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        let mut packet = vec![0; 65_536];
        loop {
            let (length, _) = recv(&self.socket, packet.as_mut_slice(), RecvFlags::empty()).context("waiting for a packet")?;
            if wanted(&packet[..length]) {
                packet.truncate(length);
                return Ok(packet);
            }
        }
    }
}
