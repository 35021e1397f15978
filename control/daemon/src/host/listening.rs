//! Where programs of the box listen: the kernel's TCP listeners and unconnected UDP sockets, read over sock_diag.
//!
//! The kernel announces no new sockets, so they are looked at again and again. A socket counts when it was there in two looks: those that are
//! gone after a question to a name server would make a new snapshot every second.
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use proto::host::Listening;

use super::netlink::{ANSWER, ATTEMPTS, BUFFER, NetlinkError, next_message, open, readable};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Message header, and a socket's fixed part behind it.
const HEADER: usize = 16;
const FIXED: usize = 72;
const INET_DIAG_SKV6ONLY: u16 = 11;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// Protocol, and the states that are asked for: TCP_LISTEN, and TCP_CLOSE for UDP sockets that are connected to nobody.
const KINDS: [(u8, u32); 2] = [(6, 1 << 10), (17, 1 << 7)];

/// The sockets.
#[derive(Debug)]
pub struct Listeners {
    socket: Socket,
    sequence: u32,
    /// Of the last look.
    before: Option<BTreeSet<Listening>>,
    next: Instant,
}

impl Listeners {
    /// Opens the socket.
    pub fn open() -> Result<Listeners, NetlinkError> {
        Ok(Listeners { socket: open(NETLINK_SOCK_DIAG)?, sequence: 0, before: None, next: Instant::now() })
    }

    /// Where programs listen; `None` while it is not yet time to look again.
    pub fn look(&mut self) -> Option<Result<Vec<Listening>, NetlinkError>> {
        if Instant::now() < self.next {
            return None;
        }
        self.next = Instant::now() + EVERY;
        Some(self.read().map(|now| {
            let before = self.before.as_ref().unwrap_or(&now);
            let lasting = now.intersection(before).cloned().collect();
            self.before = Some(now);
            lasting
        }))
    }

    fn read(&mut self) -> Result<BTreeSet<Listening>, NetlinkError> {
        let mut all = BTreeSet::new();
        for family in [AF_INET, AF_INET6] {
            for (protocol, states) in KINDS {
                self.table(family, protocol, states, &mut all)?;
            }
        }
        Ok(all)
    }

    fn table(&mut self, family: u8, protocol: u8, states: u32, all: &mut BTreeSet<Listening>) -> Result<(), NetlinkError> {
        for _ in 0..ATTEMPTS {
            self.sequence = self.sequence.wrapping_add(1);
            let question = question(family, protocol, states, self.sequence);
            self.socket.send_to(&question, &SocketAddr::new(0, 0), 0).map_err(|error| NetlinkError::Os("send", error))?;
            if !self.answer(protocol, all)? {
                return Ok(());
            }
        }
        Err(NetlinkError::Restless)
    }

    /// Takes the answer; says whether a change interrupted it.
    fn answer(&self, protocol: u8, all: &mut BTreeSet<Listening>) -> Result<bool, NetlinkError> {
        let deadline = Instant::now() + ANSWER;
        let mut buffer = Vec::with_capacity(BUFFER);
        let mut interrupted = false;
        loop {
            if !readable(&self.socket, deadline.saturating_duration_since(Instant::now())) {
                return Err(NetlinkError::Silent);
            }
            buffer.clear();
            self.socket.recv(&mut buffer, 0).map_err(|error| NetlinkError::Os("receive", error))?;
            let mut rest = &buffer[..];
            while let Some((message, after)) = next_message(rest) {
                rest = after;
                if number(message, 8) != self.sequence {
                    continue;
                }
                interrupted |= short(message, 6) & NLM_F_DUMP_INTR != 0;
                match short(message, 4) {
                    NLMSG_DONE => return Ok(interrupted),
                    NLMSG_ERROR => {
                        let code = number(message, HEADER) as i32;
                        return Err(NetlinkError::Refused(std::io::Error::from_raw_os_error(code.wrapping_neg())));
                    }
                    SOCK_DIAG_BY_FAMILY => all.extend(listening(message, protocol)),
                    _ => {}
                }
            }
        }
    }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u16::from_ne_bytes(*chunk))
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u32::from_ne_bytes(*chunk))
}

/// `struct nlmsghdr` and `struct inet_diag_req_v2` with no socket in particular.
fn question(family: u8, protocol: u8, states: u32, sequence: u32) -> [u8; HEADER + 56] {
    let mut bytes = [0; HEADER + 56];
    let length = bytes.len() as u32;
    bytes[..4].copy_from_slice(&length.to_ne_bytes());
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&(NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
    (bytes[HEADER], bytes[HEADER + 1]) = (family, protocol);
    bytes[HEADER + 4..HEADER + 8].copy_from_slice(&states.to_ne_bytes());
    bytes
}

/// A `struct inet_diag_msg` with its attributes. A socket at `::` that takes IPv4 as well is two.
fn listening(message: &[u8], protocol: u8) -> Vec<Listening> {
    let Some((socket, mut attributes)) = message.get(HEADER..).and_then(|body| body.split_at_checked(FIXED)) else {
        return Vec::new();
    };
    let port = u16::from_be_bytes([socket[4], socket[5]]);
    let mut v6_only = false;
    while let Some((length, kind)) = attributes.get(..4).map(|_| (usize::from(short(attributes, 0)), short(attributes, 2))) {
        if length < 4 {
            break;
        }
        v6_only |= kind == INET_DIAG_SKV6ONLY && attributes.get(4) == Some(&1);
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    let at = |address: IpAddr| Listening { protocol, address, port };
    let octets: [u8; 16] = socket[8..24].try_into().unwrap_or_default();
    match socket[0] {
        AF_INET => vec![at(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]).into())],
        AF_INET6 => {
            let address = Ipv6Addr::from(octets);
            match address.to_ipv4_mapped() {
                Some(mapped) => vec![at(mapped.into())],
                None if address.is_unspecified() && !v6_only => vec![at(address.into()), at(Ipv4Addr::UNSPECIFIED.into())],
                None => vec![at(address.into())],
            }
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    fn at(protocol: u8, socket: std::net::SocketAddr) -> Listening {
        Listening { protocol, address: socket.ip(), port: socket.port() }
    }

    #[test]
    fn sockets_of_this_machine_are_found_once_they_last_and_lost_when_they_close() {
        let mut listeners = Listeners::open().unwrap();
        let mut look = || {
            listeners.next = Instant::now();
            listeners.look().expect("it is time").unwrap()
        };
        look();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
        connected.connect(udp.local_addr().unwrap()).unwrap();
        let wanted = [at(6, tcp.local_addr().unwrap()), at(17, udp.local_addr().unwrap())];
        let once = look();
        assert!(wanted.iter().all(|socket| !once.contains(socket)), "seen once");
        let twice = look();
        assert!(wanted.iter().all(|socket| twice.contains(socket)), "{wanted:?} in {twice:?}");
        assert!(!twice.contains(&at(17, connected.local_addr().unwrap())), "it hears one peer, which its flow knows");
        drop((tcp, udp));
        let after = look();
        assert!(wanted.iter().all(|socket| !after.contains(socket)));
    }

    #[test]
    fn a_socket_for_both_families_is_two_and_garbage_is_none() {
        let mut message = vec![0; HEADER + FIXED];
        message[HEADER] = AF_INET6;
        message[HEADER + 4..HEADER + 6].copy_from_slice(&80u16.to_be_bytes());
        let port = |list: Vec<Listening>| list.iter().map(|l| l.address.to_string()).collect::<Vec<_>>();
        assert_eq!(port(listening(&message, 6)), ["::", "0.0.0.0"]);
        let only = [5u16.to_ne_bytes(), INET_DIAG_SKV6ONLY.to_ne_bytes(), [1, 0], [0, 0]].concat();
        message.extend(only);
        assert_eq!(port(listening(&message, 6)), ["::"]);
        message.extend([0, 0, 0, 0]);
        assert_eq!(port(listening(&message, 6)), ["::"], "an attribute without length ends the list");
        assert_eq!(listening(&message[..HEADER + 9], 6), []);
    }
}
