//! The router that both systems are.
//!
//! ```text
//! 10.0.0.2 .. 10.0.0.9 ---- eth0 10.0.0.1/24 [ box ] eth1 10.0.1.1/24, 10.0.1.100/24 ---- 10.0.1.2 .. 10.0.1.9
//!                                                                       the rest of the world, by 10.0.1.9;
//!                                                                       198.51.100.0/24 by a way that takes 1400 bytes,
//!                                                                       192.0.2.0/24 by none
//! ```
//!
//! Every neighbour named here is known to both for good; nobody answers ARP. What has an IPv4 address has the IPv6 address that [`ipv6`] makes of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::frame::{self, View};

/// One of the router's two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Port {
    /// `eth0`
    Eth0,
    /// `eth1`
    Eth1,
}

impl Port {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Eth0, Self::Eth1];

    /// 0 or 1.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name in rules.
    pub fn name(self) -> &'static str {
        ["eth0", "eth1"][self.index()]
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|port| port.name() == name)
    }

    /// The router's Ethernet address on it.
    pub fn mac(self) -> [u8; 6] {
        [2, 0, 0, 0, 0, self as u8 + 1]
    }

    /// The number of its group.
    pub fn group(self) -> u32 {
        [5, 0x4000_0002][self.index()]
    }

    /// The router's addresses on it, the primary one first. All have 24-bit prefixes.
    pub fn addresses(self) -> &'static [Ipv4Addr] {
        const ETH0: [Ipv4Addr; 1] = [Ipv4Addr::new(10, 0, 0, 1)];
        const ETH1: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 1, 1), Ipv4Addr::new(10, 0, 1, 100)];
        match self {
            Self::Eth0 => &ETH0,
            Self::Eth1 => &ETH1,
        }
    }

    /// The router's link-local address on it.
    pub fn link_local(self) -> Ipv6Addr {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, self as u16 + 1)
    }

    /// The groups that a router of IPv6 is in: those of all hosts and routers, and of its addresses.
    pub fn groups(self) -> impl Iterator<Item = Ipv6Addr> {
        let named = ["ff02::1", "ff02::2", "ff05::2"].into_iter().filter_map(|group| group.parse().ok());
        let own = self.addresses().iter().map(|own| ipv6(*own)).chain([self.link_local()]);
        named.chain(own.map(|own| {
            let [.., a, b, c] = own.octets();
            Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]))
        }))
    }

    /// The hosts on its wire.
    pub fn neighbours(self) -> impl Iterator<Item = Ipv4Addr> {
        (2..=9).map(move |n| Ipv4Addr::new(10, 0, self as u8, n))
    }

    /// The Ethernet address of a host on its wire.
    pub fn neighbour_mac(self, host: impl Into<IpAddr>) -> [u8; 6] {
        let last = match host.into() {
            IpAddr::V4(host) => host.octets()[3],
            IpAddr::V6(host) => host.octets()[15],
        };
        [2, 1, 0, 0, self as u8 + 1, last]
    }
}

/// Where everything goes that is on neither wire.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 9);

/// A network behind [`GATEWAY`] to which the way is narrower than the interface, and the longest packet there.
pub const NARROW: (Ipv4Addr, u32) = (Ipv4Addr::new(198, 51, 100, 0), 1400);

/// A network that is unreachable.
pub const UNREACHABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 0);

/// The IPv6 address of whoever has an IPv4 address: networks of 24 bits are networks of 64, and the last byte stays the last.
pub fn ipv6(address: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = address.octets();
    Ipv6Addr::new(0x2001, 0xdb8, u16::from_be_bytes([a, b]), u16::from(c), 0, 0, 0, u16::from(d))
}

/// An address of the router's world in one of the families.
pub fn in_family(is_ipv6: bool, address: Ipv4Addr) -> IpAddr {
    if is_ipv6 { ipv6(address).into() } else { address.into() }
}

/// By which interface a packet leaves that a program on the box sends, and the frame in which it does.
pub fn leaves(packet: &[u8]) -> Option<(Port, Vec<u8>)> {
    let to = View::of(packet)?.dst;
    let near = |port: &Port| match to {
        IpAddr::V4(to) => to.octets()[..3] == port.addresses()[0].octets()[..3],
        IpAddr::V6(to) => to.octets()[..8] == ipv6(port.addresses()[0]).octets()[..8],
    };
    let (port, next) = Port::ALL.into_iter().find(near).map_or((Port::Eth1, GATEWAY.into()), |port| (port, to));
    let frame = [&port.neighbour_mac(next)[..], &port.mac(), &frame::ethertype(packet), packet].concat();
    Some((port, frame))
}

/// Is this one of the router's own addresses?
pub fn is_own(address: IpAddr) -> bool {
    let mut own = Port::ALL.iter().flat_map(|port| port.addresses());
    own.any(|own| [(*own).into(), ipv6(*own).into()].contains(&address))
        || Port::ALL.iter().any(|port| port.link_local() == address)
}
