//! The box as the walk sees it, put together from three sources: the ports, the TOML's static sections, and rampartd's mirror of the
//! kernel.
//!
//! An interface of the mirror that is no port (`lo`, a VPN device) keeps its addresses, which are the box's, and its routes, which lead to
//! no port: a packet that takes one is dropped by name instead of leaving by another way.

use std::collections::HashSet;
use std::net::IpAddr;

use engine::host::{Address, FamilyHost, FamilyParts, Host, Interface, Neighbour, RpFilter};
use engine::route::{NextHop, Route, RouteKind};
use packet::{Family, Ipv4, Ipv6};
use program::InterfaceId;
use proto::host as mirror;

use crate::config::Dataplane;
use crate::groups::Groups;

/// The kernel's number of the table `main`, which `ip route` shows.
const TABLE_MAIN: u32 = 254;
/// The table `default`, asked after `main`.
const TABLE_DEFAULT: u32 = 253;

/// What a port is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortIdentity {
    /// Its id in programs: ports are numbered from 1 on, in the order of the TOML.
    pub id: InterfaceId,
    /// The name that rules use.
    pub name: String,
    /// Its Ethernet address.
    pub mac: [u8; 6],
    /// Largest IP packet, in bytes.
    pub mtu: u16,
    /// Name of its TAP.
    pub tap: String,
}

/// Why a mirror was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// A prefix longer than its address.
    #[error("{address}/{prefix}: the prefix is longer than the address")]
    Prefix {
        /// The address.
        address: IpAddr,
        /// Its length.
        prefix: u8,
    },
    /// A hop or a source of the other family.
    #[error("the route to {0} mixes address families")]
    MixedFamilies(IpAddr),
}

/// Makes the host. `mirror` is what rampartd sent last, if it ever did; `groups` are the multicast groups joined on the TAPs.
///
/// # Errors
/// The first thing in the mirror that makes no sense; the caller keeps the host that it has.
pub fn build(
    ports: &[PortIdentity],
    config: &Dataplane,
    mirror: Option<&mirror::Snapshot>,
    groups: &Groups,
) -> Result<Host, HostError> {
    let mut interfaces = vec![None];
    interfaces.extend(ports.iter().map(|port| Some(interface(port, config, mirror))));
    Ok(Host {
        interfaces,
        ipv4: FamilyHost::new(FamilyParts { groups: groups.ipv4.clone(), ..parts::<Ipv4>(ports, config, mirror)? }),
        ipv6: FamilyHost::new(FamilyParts { groups: groups.ipv6.clone(), ..parts::<Ipv6>(ports, config, mirror)? }),
    })
}

fn interface(port: &PortIdentity, config: &Dataplane, mirror: Option<&mirror::Snapshot>) -> Interface {
    let mut interface = Interface::new(&port.name, port.mac);
    interface.mtu = u32::from(port.mtu);
    interface.forwarding = config.ip_forward;
    if let Some((_, keys)) = config.interfaces.iter().find(|(name, _)| *name.get_ref() == port.name) {
        interface.rp_filter = match keys.rp_filter.get_ref() {
            0 => RpFilter::Off,
            1 => RpFilter::Strict,
            _ => RpFilter::Loose,
        };
        interface.accept_local = keys.accept_local;
        interface.send_redirects = keys.send_redirects;
    }
    if let Some(mirror) = mirror {
        // A TAP that is gone from the kernel has no addresses and no routes: nothing may leave by its port.
        let link = mirror.links.iter().find(|link| link.name == port.name);
        interface.up = link.is_some_and(|link| link.up);
        if let Some(link) = link {
            interface.mtu = interface.mtu.min(link.mtu);
            interface.group = link.group;
            interface.mac = link.mac.map_or(port.mac, |mac| mac.0);
        }
    }
    interface
}

fn parts<F: Family>(
    ports: &[PortIdentity],
    config: &Dataplane,
    mirror: Option<&mirror::Snapshot>,
) -> Result<FamilyParts<F>, HostError> {
    let id = |name: &str| ports.iter().find(|port| port.name == name).map_or(InterfaceId::NONE, |port| port.id);
    let mut parts = FamilyParts::default();
    if let Some(mirror) = mirror {
        for address in &mirror.addresses {
            parts.addresses.extend(mirrored_address(address, id(&address.interface))?);
        }
        for route in &mirror.routes {
            parts.routes.extend(mirrored_route(route, &id)?);
        }
        for neighbour in &mirror.neighbours {
            let known = |address| (id(&neighbour.interface), address, Neighbour::Known(neighbour.mac.0));
            parts.neighbours.extend(F::from_ip(neighbour.address).map(known));
        }
    }
    if let Some(mirror) = mirror {
        let of_family = |at: &mirror::Listening| Some((at.protocol, F::from_ip(at.address)?, at.port));
        parts.listening.extend(mirror.listening.iter().filter_map(of_family));
    }
    let present: HashSet<_> = parts.addresses.iter().map(|a| (a.interface, a.address)).collect();
    for entry in &config.addresses {
        let Some(address) = F::from_ip(entry.address.addr().into()) else { continue };
        let interface = id(entry.dev.get_ref());
        if present.contains(&(interface, address)) {
            continue;
        }
        let entry = Address::new(interface, address, entry.address.prefix_len());
        parts.routes.push(entry.connected_route());
        parts.addresses.push(entry);
    }
    for route in &config.routes {
        let Some(prefix) = F::from_ip(route.to.network().into()) else { continue };
        let gateway = route.via.and_then(|via| F::from_ip(via.into()));
        let hop = NextHop { interface: id(route.dev.get_ref()), gateway, weight: 1 };
        let kind = RouteKind::Unicast(vec![hop]);
        parts.routes.push(Route { prefix, len: route.to.prefix_len(), tos: 0, metric: 0, source: None, mtu: None, kind });
    }
    for neighbour in &config.neighbours {
        let known = |address| (id(neighbour.dev.get_ref()), address, Neighbour::Known(neighbour.mac));
        parts.neighbours.extend(F::from_ip(neighbour.address.into()).map(known));
    }
    Ok(parts)
}

/// The box's address, or `None` if it is of the other family or a loopback one, which never is on a wire.
fn mirrored_address<F: Family>(entry: &mirror::Address, interface: InterfaceId) -> Result<Option<Address<F>>, HostError> {
    check_prefix(entry.address, entry.prefix)?;
    if entry.address.is_loopback() {
        return Ok(None);
    }
    let address = |address| Address {
        secondary: entry.secondary,
        deprecated: entry.deprecated,
        tentative: entry.tentative,
        ..Address::new(interface, address, entry.prefix)
    };
    Ok(F::from_ip(entry.address).map(address))
}

/// The route, or `None` if it is of the other family, not of a table that is forwarded by, or leads nowhere now. The table `local` is made
/// from the addresses.
fn mirrored_route<F: Family>(entry: &mirror::Route, id: &impl Fn(&str) -> InterfaceId) -> Result<Option<Route<F>>, HostError> {
    check_prefix(entry.destination, entry.prefix)?;
    let Some(prefix) = F::from_ip(entry.destination) else { return Ok(None) };
    let metric = match entry.table {
        TABLE_MAIN => entry.metric,
        // After any of `main` to the same prefix.
        TABLE_DEFAULT => u32::MAX,
        _ => return Ok(None),
    };
    let mixed = || HostError::MixedFamilies(entry.destination);
    let of_family = |ip: Option<IpAddr>| ip.map(|ip| F::from_ip(ip).ok_or_else(mixed)).transpose();
    let kind = match entry.kind {
        mirror::RouteKind::Unicast => {
            let hops = entry.next_hops.iter().filter(|hop| hop.usable).map(|hop| {
                Ok(NextHop { interface: id(&hop.interface), gateway: of_family(hop.gateway)?, weight: hop.weight.max(1) })
            });
            let hops = hops.collect::<Result<Vec<_>, _>>()?;
            if hops.is_empty() {
                return Ok(None);
            }
            RouteKind::Unicast(hops)
        }
        mirror::RouteKind::Blackhole => RouteKind::Blackhole,
        mirror::RouteKind::Unreachable => RouteKind::Unreachable,
        mirror::RouteKind::Prohibit => RouteKind::Prohibit,
        mirror::RouteKind::Local
        | mirror::RouteKind::Broadcast
        | mirror::RouteKind::Multicast
        | mirror::RouteKind::Anycast
        | mirror::RouteKind::Throw => return Ok(None),
    };
    let source = of_family(entry.source)?;
    Ok(Some(Route { prefix, len: entry.prefix, tos: entry.tos, metric, source, mtu: entry.mtu, kind }))
}

fn check_prefix(address: IpAddr, prefix: u8) -> Result<(), HostError> {
    let longest = if address.is_ipv4() { 32 } else { 128 };
    if prefix > longest { Err(HostError::Prefix { address, prefix }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine::route::{Found, RouteKey};

    use super::*;
    use crate::config::Config;

    const TOML: &str = r#"
        [[dataplane.port]]
        name = "eth0"
        device = "net_null0"
        [[dataplane.port]]
        name = "eth1"
        device = "net_null1"
        [dataplane.interface.eth1]
        rp_filter = 1
        send_redirects = false
        [[dataplane.address]]
        address = "10.0.0.1/24"
        dev = "eth0"
        [[dataplane.route]]
        to = "0.0.0.0/0"
        via = "10.0.0.254"
        dev = "eth0"
        [[dataplane.neighbour]]
        address = "10.0.0.254"
        mac = "02:00:00:00:00:fe"
        dev = "eth0"
    "#;

    fn config() -> Dataplane {
        Config::parse(Path::new("t.toml"), TOML).unwrap().dataplane
    }

    fn ports() -> Vec<PortIdentity> {
        (1..=2u8)
            .map(|n| PortIdentity {
                id: InterfaceId(n.into()),
                name: format!("eth{}", n - 1),
                mac: [2, 0, 0, 0, 0, n],
                mtu: 1500,
                tap: format!("eth{}", n - 1),
            })
            .collect()
    }

    fn lookup(host: &Host, dst: u32) -> Option<Found<Ipv4>> {
        host.ipv4.routes().lookup(&RouteKey { dst, src: 0, input: InterfaceId(2), mark: 0, tos: 0 })
    }

    fn link(name: &str) -> mirror::Link {
        mirror::Link { name: name.into(), index: 7, mac: Some(mirror::Mac([2, 9, 9, 9, 9, 9])), mtu: 1400, group: 5, up: true }
    }

    fn route(to: &str, prefix: u8, dev: &str) -> mirror::Route {
        mirror::Route {
            table: TABLE_MAIN,
            kind: mirror::RouteKind::Unicast,
            destination: to.parse().unwrap(),
            prefix,
            tos: 0,
            metric: 0,
            source: None,
            scope: "link".into(),
            mtu: None,
            next_hops: vec![mirror::NextHop { interface: dev.into(), gateway: None, onlink: false, weight: 1, usable: true }],
        }
    }

    #[test]
    fn the_static_sections_alone_make_a_working_host() {
        let host = build(&ports(), &config(), None, &Groups { ipv4: vec![(InterfaceId(2), 0xe000_0005)], ipv6: vec![] }).unwrap();
        assert_eq!(host.name(InterfaceId(2)), "eth1");
        assert_eq!(host.interface(InterfaceId(2)).unwrap().rp_filter, RpFilter::Strict);
        assert!(!host.interface(InterfaceId(2)).unwrap().send_redirects);
        assert!(host.interface(InterfaceId(1)).unwrap().up);
        assert_eq!(host.ipv4.neighbour(InterfaceId(1), 0x0a00_00fe), Some(Neighbour::Known([2, 0, 0, 0, 0, 0xfe])));
        let Some(Found::Unicast { hop, .. }) = lookup(&host, 0x0808_0808) else { panic!("no default route") };
        assert_eq!(hop, NextHop { interface: InterfaceId(1), gateway: Some(0x0a00_00fe), weight: 1 });
        let Some(Found::Unicast { hop, source, .. }) = lookup(&host, 0x0a00_0007) else { panic!("no connected route") };
        assert_eq!((hop.gateway, source), (None, Some(0x0a00_0001)));
        assert!(host.ipv4.joined(InterfaceId(2), 0xe000_0005) && !host.ipv4.joined(InterfaceId(1), 0xe000_0005));
    }

    #[test]
    fn a_link_of_the_mirror_sets_mtu_address_group_and_state() {
        let mirror = mirror::Snapshot { links: vec![link("eth0")], ..Default::default() };
        let host = build(&ports(), &config(), Some(&mirror), &Groups::default()).unwrap();
        let eth0 = host.interface(InterfaceId(1)).unwrap();
        assert_eq!((eth0.mtu, eth0.mac, eth0.group, eth0.up), (1400, [2, 9, 9, 9, 9, 9], 5, true));
        assert!(!host.interface(InterfaceId(2)).unwrap().up, "a TAP that the kernel has no more is down");
    }

    #[test]
    fn a_route_through_an_interface_that_is_no_port_leads_to_no_port() {
        let mirror = mirror::Snapshot { routes: vec![route("10.9.0.0", 16, "vpn0")], ..Default::default() };
        let host = build(&ports(), &config(), Some(&mirror), &Groups::default()).unwrap();
        let Some(Found::Unicast { hop, .. }) = lookup(&host, 0x0a09_0001) else { panic!("the default route must not be taken") };
        assert_eq!(hop.interface, InterfaceId::NONE);
    }

    #[test]
    fn a_route_whose_hops_are_all_unusable_is_none() {
        let mut dead = route("10.9.0.0", 16, "eth1");
        dead.next_hops[0].usable = false;
        let host =
            build(&ports(), &config(), Some(&mirror::Snapshot { routes: vec![dead], ..Default::default() }), &Groups::default())
                .unwrap();
        let Some(Found::Unicast { hop, .. }) = lookup(&host, 0x0a09_0001) else { panic!("no default route") };
        assert_eq!(hop.interface, InterfaceId(1));
    }

    #[test]
    fn nonsense_in_the_mirror_is_an_error_and_no_panic() {
        let long = mirror::Snapshot { routes: vec![route("10.0.0.0", 33, "eth0")], ..Default::default() };
        assert!(matches!(build(&ports(), &config(), Some(&long), &Groups::default()), Err(HostError::Prefix { prefix: 33, .. })));
        let mut mixed = route("10.0.0.0", 8, "eth0");
        mixed.next_hops[0].gateway = Some("fe80::1".parse().unwrap());
        let mixed = mirror::Snapshot { routes: vec![mixed], ..Default::default() };
        assert!(matches!(build(&ports(), &config(), Some(&mixed), &Groups::default()), Err(HostError::MixedFamilies(_))));
    }
}
