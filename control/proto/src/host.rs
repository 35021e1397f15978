//! What rampartd mirrors of the host's kernel and sends to the dataplane as one snapshot: the kernel owns addresses, routes and
//! neighbours, the dataplane forwards by them.
//!
//! Interfaces are named as rules name them. An interface that is no port of the dataplane (`lo`, a VPN device) is in the snapshot too: its
//! addresses are local, and a route through it is one that the dataplane must not send out of a port.
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The mirror of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Links.
    pub links: Vec<Link>,
    /// Addresses of this box, in the kernel's order: on each interface a primary one stands before the secondary ones of its subnet.
    pub addresses: Vec<Address>,
    /// Routes of the tables main, local and default.
    pub routes: Vec<Route>,
    /// Neighbours whose link-layer address is known and usable.
    pub neighbours: Vec<Neighbour>,
    /// Where programs of this box listen.
    #[serde(default)]
    pub listening: Vec<Listening>,
}

/// A port at which a program of this box takes what nobody asked for: a TCP listener, or a UDP socket that is connected to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listening {
    /// IP protocol.
    pub protocol: u8,
    /// Address; unspecified for every one of its family.
    pub address: IpAddr,
    /// Port.
    pub port: u16,
}

/// An Ethernet address; `aa:bb:cc:dd:ee:ff` as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The text is not six octets in hexadecimal with colons between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Ethernet address: six octets as aa:bb:cc:dd:ee:ff")]
pub struct MacError;

impl FromStr for Mac {
    type Err = MacError;
    fn from_str(text: &str) -> Result<Mac, MacError> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part =
                parts.next().filter(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit())).ok_or(MacError)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| MacError)?;
        }
        if parts.next().is_some() { Err(MacError) } else { Ok(Mac(bytes)) }
    }
}

impl TryFrom<String> for Mac {
    type Error = MacError;
    fn try_from(text: String) -> Result<Mac, MacError> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> String {
        mac.to_string()
    }
}

/// One link of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The name that rules use: the port's, where the link is a port's TAP.
    pub name: String,
    /// The kernel's index in its namespace.
    pub index: u32,
    /// Its Ethernet address, if it has one.
    pub mac: Option<Mac>,
    /// The largest IP packet, in bytes.
    pub mtu: u32,
    /// The number of its group (IFLA_GROUP).
    pub group: u32,
    /// Set up by the administrator (IFF_UP).
    pub up: bool,
}

/// One address of this box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Interface.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
    /// Length of its subnet.
    pub prefix: u8,
    /// The other end of a point-to-point link: then the subnet is the peer's.
    pub peer: Option<IpAddr>,
    /// The subnet's broadcast address, if one is set.
    pub broadcast: Option<IpAddr>,
    /// IFA_F_SECONDARY; of IPv6 IFA_F_TEMPORARY.
    pub secondary: bool,
    /// IFA_F_DEPRECATED.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub deprecated: bool,
    /// IFA_F_TENTATIVE without IFA_F_OPTIMISTIC, or IFA_F_DADFAILED.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub tentative: bool,
    /// `global`, `site`, `link`, `host`, `nowhere`.
    pub scope: String,
}

/// What a route does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    /// Sends it to a next hop.
    Unicast,
    /// Delivers it to this box.
    Local,
    /// A broadcast address of this box.
    Broadcast,
    /// A multicast group.
    Multicast,
    /// An anycast address of this box.
    Anycast,
    /// Drops it in silence.
    Blackhole,
    /// Refuses it: host unreachable.
    Unreachable,
    /// Refuses it: administratively prohibited.
    Prohibit,
    /// Asks the next table.
    Throw,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Routing table: 255 local, 254 main, 253 default.
    pub table: u32,
    /// What it does.
    pub kind: RouteKind,
    /// Destination.
    pub destination: IpAddr,
    /// Length of the destination.
    pub prefix: u8,
    /// Type of service that it is for; 0 for any.
    pub tos: u8,
    /// Lower wins.
    pub metric: u32,
    /// Preferred source address.
    pub source: Option<IpAddr>,
    /// `global`, `site`, `link`, `host`, `nowhere`.
    pub scope: String,
    /// MTU of the route, if it has one of its own.
    pub mtu: Option<u32>,
    /// Where it goes: one, or several by weight (ECMP). None for routes that refuse.
    pub next_hops: Vec<NextHop>,
}

/// One way of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextHop {
    /// Interface.
    pub interface: String,
    /// Gateway; none when the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// The gateway is on the link whatever the addresses say.
    pub onlink: bool,
    /// Share of the flows, 1 to 256.
    pub weight: u16,
    /// False while the kernel would not use it (RTNH_F_DEAD or RTNH_F_LINKDOWN).
    pub usable: bool,
}

/// One neighbour with a link-layer address that may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Interface.
    pub interface: String,
    /// Its IP address.
    pub address: IpAddr,
    /// Its Ethernet address.
    pub mac: Mac,
    /// `ip neigh` would show it as PERMANENT or NOARP: it never expires.
    pub permanent: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ethernet_addresses_read_back_as_they_print() {
        let mac = Mac([0, 0x1b, 0x21, 0xab, 0xcd, 0xef]);
        assert_eq!(mac.to_string(), "00:1b:21:ab:cd:ef");
        assert_eq!("00:1b:21:ab:cd:ef".parse(), Ok(mac));
    }

    #[test]
    fn what_is_no_ethernet_address_is_an_error() {
        for text in [
            "",
            "00:1b:21:ab:cd",
            "00:1b:21:ab:cd:ef:00",
            "0:1b:21:ab:cd:ef",
            "00:1b:21:ab:cd:eg",
            "00-1b-21-ab-cd-ef",
            "+0:1b:21:ab:cd:ef",
        ] {
            assert_eq!(text.parse::<Mac>(), Err(MacError), "{text}");
        }
    }
}
