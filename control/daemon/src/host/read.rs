//! From netlink messages to a snapshot: a plain function of what the kernel said.
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop, RouteNextHopFlags, RouteScope, RouteType,
    RouteVia,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use proto::host::{Address, Link, Mac, Neighbour, NextHop, Route, RouteKind, Snapshot};

use super::Place;

/// RT_TABLE_DEFAULT, RT_TABLE_MAIN, RT_TABLE_LOCAL: those that the kernel's first three rules ask.
const TABLES: std::ops::RangeInclusive<u32> = 253..=255;

/// One reading of the kernel.
#[derive(Debug, Default)]
pub struct Dump {
    /// What the dataplane gets.
    pub snapshot: Snapshot,
    /// Neighbours that the kernel has not heard of for a while.
    pub stale: Vec<Place>,
}

impl Dump {
    /// Reads messages: links first, whatever names them after.
    pub fn read(messages: Vec<RouteNetlinkMessage>) -> Dump {
        let mut dump = Dump::default();
        let mut names: HashMap<u32, String> = HashMap::new();
        for message in messages {
            match message {
                RouteNetlinkMessage::NewLink(message) => {
                    if let Some(link) = link(&message) {
                        names.insert(link.index, link.name.clone());
                        dump.snapshot.links.push(link);
                    }
                }
                RouteNetlinkMessage::NewAddress(message) => dump.snapshot.addresses.extend(address(&message, &names)),
                RouteNetlinkMessage::NewRoute(message) => dump.snapshot.routes.extend(route(&message, &names)),
                RouteNetlinkMessage::NewNeighbour(message) => {
                    if let Some(neighbour) = neighbour(&message, &names) {
                        if message.header.state == NeighbourState::Stale {
                            dump.stale.push((neighbour.interface.clone(), neighbour.address));
                        }
                        dump.snapshot.neighbours.push(neighbour);
                    }
                }
                _ => {}
            }
        }
        // The kernel walks a hash table: the order says nothing, and would make equal tables look changed.
        dump.snapshot.neighbours.sort_by(|a, b| (&a.interface, a.address).cmp(&(&b.interface, b.address)));
        dump
    }
}

fn mac(bytes: &[u8]) -> Option<Mac> {
    bytes.try_into().ok().map(Mac)
}

fn link(message: &LinkMessage) -> Option<Link> {
    let mut link = Link {
        name: String::new(),
        index: message.header.index,
        mac: None,
        mtu: 0,
        group: 0,
        up: message.header.flags.contains(LinkFlags::Up),
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            LinkAttribute::Address(bytes) => link.mac = mac(bytes),
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::Group(group) => link.group = *group,
            _ => {}
        }
    }
    (!link.name.is_empty()).then_some(link)
}

fn address(message: &AddressMessage, names: &HashMap<u32, String>) -> Option<Address> {
    let (mut local, mut peer, mut broadcast) = (None, None, None);
    // The header has room for the first eight of them alone.
    let mut flags = AddressFlags::from_bits_retain(u32::from(message.header.flags.bits()));
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Address(address) => peer = Some(*address),
            AddressAttribute::Broadcast(address) => broadcast = Some(IpAddr::V4(*address)),
            AddressAttribute::Flags(all) => flags = *all,
            _ => {}
        }
    }
    // IFA_ADDRESS is the other end of the link; without one it repeats the address, and IPv6 has only it.
    let address = local.or(peer)?;
    Some(Address {
        interface: names.get(&message.header.index)?.clone(),
        address,
        prefix: message.header.prefix_len,
        peer: peer.filter(|peer| *peer != address),
        broadcast,
        secondary: flags.contains(AddressFlags::Secondary),
        deprecated: flags.contains(AddressFlags::Deprecated),
        tentative: flags.contains(AddressFlags::Dadfailed)
            || flags.contains(AddressFlags::Tentative) && !flags.contains(AddressFlags::Optimistic),
        scope: match message.header.scope {
            AddressScope::Universe => "global".into(),
            AddressScope::Site => "site".into(),
            AddressScope::Link => "link".into(),
            AddressScope::Host => "host".into(),
            AddressScope::Nowhere => "nowhere".into(),
            other => u8::from(other).to_string(),
        },
    })
}

fn route(message: &RouteMessage, names: &HashMap<u32, String>) -> Option<Route> {
    let kind = match message.header.kind {
        RouteType::Unicast => RouteKind::Unicast,
        RouteType::Local => RouteKind::Local,
        RouteType::Broadcast => RouteKind::Broadcast,
        RouteType::Multicast => RouteKind::Multicast,
        RouteType::Anycast => RouteKind::Anycast,
        RouteType::BlackHole => RouteKind::Blackhole,
        RouteType::Unreachable => RouteKind::Unreachable,
        RouteType::Prohibit => RouteKind::Prohibit,
        RouteType::Throw => RouteKind::Throw,
        _ => return None,
    };
    let mut route = Route {
        table: message.header.table.into(),
        kind,
        destination: match message.header.address_family {
            AddressFamily::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        },
        prefix: message.header.destination_prefix_length,
        tos: message.header.tos,
        metric: 0,
        source: None,
        scope: match message.header.scope {
            RouteScope::Universe => "global".into(),
            RouteScope::Site => "site".into(),
            RouteScope::Link => "link".into(),
            RouteScope::Host => "host".into(),
            RouteScope::NoWhere => "nowhere".into(),
            other => u8::from(other).to_string(),
        },
        mtu: None,
        next_hops: Vec::new(),
    };
    let (mut interface, mut gateway) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(table) => route.table = *table,
            RouteAttribute::Destination(address) => route.destination = ip(address)?,
            RouteAttribute::PrefSource(address) => route.source = ip(address),
            RouteAttribute::Priority(metric) => route.metric = *metric,
            RouteAttribute::Gateway(address) => gateway = ip(address),
            RouteAttribute::Via(via) => gateway = via_ip(via),
            RouteAttribute::Oif(index) => interface = names.get(index),
            RouteAttribute::Metrics(metrics) => {
                route.mtu = metrics.iter().find_map(|metric| match metric {
                    RouteMetric::Mtu(mtu) => Some(*mtu),
                    _ => None,
                });
            }
            RouteAttribute::MultiPath(hops) => route.next_hops = hops.iter().filter_map(|hop| next_hop(hop, names)).collect(),
            _ => {}
        }
    }
    if !TABLES.contains(&route.table) || message.header.flags.contains(RouteFlags::Cloned) {
        return None;
    }
    if let Some(interface) = interface {
        let flags = message.header.flags;
        route.next_hops.push(NextHop {
            interface: interface.clone(),
            gateway,
            onlink: flags.contains(RouteFlags::Onlink),
            weight: 1,
            usable: !flags.intersects(RouteFlags::Dead | RouteFlags::Linkdown),
        });
    }
    Some(route)
}

fn next_hop(hop: &RouteNextHop, names: &HashMap<u32, String>) -> Option<NextHop> {
    let gateway = hop.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(address) => ip(address),
        RouteAttribute::Via(via) => via_ip(via),
        _ => None,
    });
    Some(NextHop {
        interface: names.get(&hop.interface_index)?.clone(),
        gateway,
        onlink: hop.flags.contains(RouteNextHopFlags::Onlink),
        weight: u16::from(hop.hops) + 1,
        usable: !hop.flags.intersects(RouteNextHopFlags::Dead | RouteNextHopFlags::Linkdown),
    })
}

fn neighbour(message: &NeighbourMessage, names: &HashMap<u32, String>) -> Option<Neighbour> {
    use NeighbourState::{Delay, Noarp, Permanent, Probe, Reachable, Stale};
    if !matches!(message.header.state, Reachable | Stale | Delay | Probe | Noarp | Permanent) {
        return None;
    }
    let (mut address, mut link_layer) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)) => address = Some(IpAddr::V4(*ip)),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(ip)) => address = Some(IpAddr::V6(*ip)),
            NeighbourAttribute::LinkLayerAddress(bytes) => link_layer = mac(bytes),
            _ => {}
        }
    }
    Some(Neighbour {
        interface: names.get(&message.header.ifindex)?.clone(),
        address: address?,
        mac: link_layer?,
        permanent: matches!(message.header.state, Permanent | Noarp),
    })
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

fn via_ip(via: &RouteVia) -> Option<IpAddr> {
    match via {
        RouteVia::Inet(address) => Some((*address).into()),
        RouteVia::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
