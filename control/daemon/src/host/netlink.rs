//! Three netlink sockets: one that listens to announcements, one that dumps, one that asks the kernel to resolve neighbours.
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState};
use netlink_packet_route::route::{RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::read::Dump;

/// RTNLGRP_LINK, _NEIGH, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE.
const GROUPS: [u32; 6] = [1, 3, 5, 7, 9, 11];
/// The kernel fills at most 32 KiB per message of a dump.
pub(super) const BUFFER: usize = 64 * 1024;
/// How long the kernel may take to answer.
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// How often a dump that the kernel reports as interrupted by a change is begun again.
pub(super) const ATTEMPTS: usize = 10;

/// Why the kernel could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// A system call failed.
    #[error("netlink {0}: {1}")]
    Os(&'static str, io::Error),
    /// The kernel refused.
    #[error("the kernel refused: {0}")]
    Refused(io::Error),
    /// The kernel did not answer.
    #[error("no answer from the kernel")]
    Silent,
    /// Changes came faster than dumps.
    #[error("the tables change faster than they can be read")]
    Restless,
}

pub(super) fn open(protocol: isize) -> Result<Socket, NetlinkError> {
    let mut socket = Socket::new(protocol).map_err(|error| NetlinkError::Os("socket", error))?;
    socket.bind_auto().map_err(|error| NetlinkError::Os("bind", error))?;
    Ok(socket)
}

pub(super) fn readable(socket: &Socket, limit: Duration) -> bool {
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
    let mut fds = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)];
    matches!(poll(&mut fds, Some(&limit)), Ok(1..))
}

/// Says that something has changed.
#[derive(Debug)]
pub struct Announcements(Socket);

impl Announcements {
    /// Listens from now on.
    pub fn listen() -> Result<Announcements, NetlinkError> {
        let socket = open(NETLINK_ROUTE)?;
        for group in GROUPS {
            socket.add_membership(group).map_err(|error| NetlinkError::Os("membership", error))?;
        }
        Ok(Announcements(socket))
    }

    /// Waits at most `limit` for an announcement and takes what is there. Whether there was one.
    pub fn wait(&self, limit: Duration) -> bool {
        if !readable(&self.0, limit) {
            return false;
        }
        let mut buffer = Vec::with_capacity(BUFFER);
        while readable(&self.0, Duration::ZERO) {
            buffer.clear();
            // An error here is ENOBUFS: announcements were lost, which is an announcement too.
            if self.0.recv(&mut buffer, 0).is_err() {
                break;
            }
        }
        true
    }
}

/// Dumps.
#[derive(Debug)]
pub struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    /// Opens the socket.
    pub fn open() -> Result<Netlink, NetlinkError> {
        Ok(Netlink { socket: open(NETLINK_ROUTE)?, sequence: 0 })
    }

    /// Everything that is mirrored, of one moment as near as the kernel allows.
    pub fn dump(&mut self) -> Result<Dump, NetlinkError> {
        let mut messages = self.table(&RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut addresses = AddressMessage::default();
            addresses.header.family = family;
            let mut routes = RouteMessage::default();
            routes.header.address_family = family;
            let mut neighbours = NeighbourMessage::default();
            neighbours.header.family = family;
            let requests = [
                RouteNetlinkMessage::GetAddress(addresses),
                RouteNetlinkMessage::GetRoute(routes),
                RouteNetlinkMessage::GetNeighbour(neighbours),
            ];
            for request in requests {
                messages.extend(self.table(&request)?);
            }
        }
        Ok(Dump::read(messages))
    }

    fn table(&mut self, request: &RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>, NetlinkError> {
        for _ in 0..ATTEMPTS {
            self.sequence = self.sequence.wrapping_add(1);
            send(&self.socket, request.clone(), NLM_F_DUMP, self.sequence)?;
            let mut messages = Vec::new();
            let mut interrupted = false;
            receive(&self.socket, self.sequence, |flags, message| {
                interrupted |= flags & NLM_F_DUMP_INTR != 0;
                messages.push(message);
            })?;
            if !interrupted {
                return Ok(messages);
            }
        }
        Err(NetlinkError::Restless)
    }
}

/// Asks the kernel to find the link-layer address of neighbours, as `ip neigh replace ... use` does.
#[derive(Debug)]
pub struct Resolver {
    socket: Socket,
    sequence: u32,
}

impl Resolver {
    /// Opens the socket.
    pub fn open() -> Result<Resolver, NetlinkError> {
        Ok(Resolver { socket: open(NETLINK_ROUTE)?, sequence: 0 })
    }

    /// Has the kernel resolve or confirm `address` on the interface of this name. The answer comes as an announcement.
    pub fn resolve(&mut self, interface: &str, address: IpAddr) -> Result<(), NetlinkError> {
        let index = rustix::net::netdevice::name_to_index(&self.socket, interface)
            .map_err(|error| NetlinkError::Os("interface index", error.into()))?;
        let mut message = NeighbourMessage::default();
        message.header.ifindex = index;
        message.header.state = NeighbourState::None;
        message.header.flags = NeighbourFlags::Use;
        message.header.kind = RouteType::Unicast;
        let destination = match address {
            IpAddr::V4(address) => {
                message.header.family = AddressFamily::Inet;
                NeighbourAddress::Inet(address)
            }
            IpAddr::V6(address) => {
                message.header.family = AddressFamily::Inet6;
                NeighbourAddress::Inet6(address)
            }
        };
        message.attributes.push(NeighbourAttribute::Destination(destination));
        self.sequence = self.sequence.wrapping_add(1);
        send(&self.socket, RouteNetlinkMessage::NewNeighbour(message), NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, self.sequence)?;
        receive(&self.socket, self.sequence, |_, _| {})
    }
}

fn send(socket: &Socket, message: RouteNetlinkMessage, flags: u16, sequence: u32) -> Result<(), NetlinkError> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send_to(&bytes, &SocketAddr::new(0, 0), 0).map_err(|error| NetlinkError::Os("send", error))?;
    Ok(())
}

/// Takes every message of the answer with this sequence number, up to its end. Messages that the library cannot read are left out: they
/// are of kinds newer than it.
fn receive(socket: &Socket, sequence: u32, mut take: impl FnMut(u16, RouteNetlinkMessage)) -> Result<(), NetlinkError> {
    let deadline = Instant::now() + ANSWER;
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        if !readable(socket, deadline.saturating_duration_since(Instant::now())) {
            return Err(NetlinkError::Silent);
        }
        buffer.clear();
        socket.recv(&mut buffer, 0).map_err(|error| NetlinkError::Os("receive", error))?;
        let mut rest = &buffer[..];
        while let Some((message, after)) = next_message(rest) {
            rest = after;
            let Ok(message) = NetlinkMessage::<RouteNetlinkMessage>::deserialize(message) else {
                tracing::debug!("a netlink message of an unknown form is left out");
                continue;
            };
            if message.header.sequence_number != sequence {
                continue;
            }
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(()),
                NetlinkPayload::Error(error) if error.code.is_none() => return Ok(()),
                NetlinkPayload::Error(error) => return Err(NetlinkError::Refused(error.to_io())),
                NetlinkPayload::InnerMessage(inner) => take(message.header.flags, inner),
                _ => {}
            }
        }
    }
}

/// Splits off one message by its length field; messages start at multiples of four.
pub(super) fn next_message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    if length < 16 || length > bytes.len() {
        return None;
    }
    let (message, _) = bytes.split_at(length);
    Some((message, bytes.get(length.next_multiple_of(4)..).unwrap_or(&[])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_of_this_machine_can_be_read() {
        let dump = Netlink::open().unwrap().dump().unwrap();
        assert!(dump.snapshot.links.iter().any(|link| link.name == "lo"), "{:?}", dump.snapshot.links);
    }

    #[test]
    fn messages_are_split_by_length_and_garbage_ends_the_buffer() {
        let mut bytes = vec![0; 40];
        bytes[..4].copy_from_slice(&17u32.to_ne_bytes());
        bytes[20..24].copy_from_slice(&20u32.to_ne_bytes());
        let (first, rest) = next_message(&bytes).unwrap();
        assert_eq!((first.len(), rest.len()), (17, 20));
        let (second, rest) = next_message(rest).unwrap();
        assert_eq!((second.len(), rest.len()), (20, 0));
        assert!(next_message(&[0; 40]).is_none());
        assert!(next_message(&[0xff; 40]).is_none());
        assert!(next_message(&[0; 3]).is_none());
    }

    #[test]
    fn resolving_on_an_interface_that_is_not_there_is_an_error() {
        assert!(Resolver::open().unwrap().resolve("rampart-none0", IpAddr::from([192, 0, 2, 1])).is_err());
    }
}
