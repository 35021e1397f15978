//! `-m addrtype` (`xt_addrtype.c`): what the box's own table of addresses says of an address; in IPv6 all its routes.

use core::net::IpAddr;

use packet::family::Addr;
use packet::{Family, FamilyId};
use program::addrtype::{ANYCAST, BROADCAST, LOCAL, MULTICAST, UNICAST, UNREACHABLE, UNSPEC};
use program::{InterfaceId, TypeTest};

use crate::host::FamilyHost;
use crate::route::{Found, RouteKey, RouteKind};
use crate::walk::routing::{Class, class};

/// Is the address of one of these types, as far as it belongs to the interface `on`, if that is given?
pub(crate) fn ask<F: Family>(host: &FamilyHost<F>, address: F::Addr, test: TypeTest, on: Option<InterfaceId>) -> bool {
    if test.types == 0 {
        return true;
    }
    let is = match F::ID {
        FamilyId::Ipv4 => test.types & ipv4(host, address, on) != 0,
        FamilyId::Ipv6 => ipv6(host, address, test.types, on),
    };
    is != test.not
}

/// The type, by the table `local` alone (`__inet_dev_addr_type`). The box's `lo` has 127/8.
fn ipv4<F: Family>(host: &FamilyHost<F>, address: F::Addr, on: Option<InterfaceId>) -> u16 {
    let of_lo = |kind| if on.is_none() { kind } else { UNICAST };
    match class(address) {
        Class::Zero | Class::Broadcast => BROADCAST,
        Class::Multicast => MULTICAST,
        Class::Loopback => {
            let last = matches!(address.to_ip(), IpAddr::V4(address) if address.octets()[1..] == [255; 3]);
            of_lo(if last { BROADCAST } else { LOCAL })
        }
        Class::Unicast => match host.local().lookup(&RouteKey::to(address)) {
            Some(Found::Local(own)) if on.is_none_or(|on| on == own) => LOCAL,
            Some(Found::Broadcast(own)) if on.is_none_or(|on| on == own) => BROADCAST,
            _ => UNICAST,
        },
    }
}

/// What must be known by the address itself, then, where that is asked, one of what its route says (`match_type6`).
fn ipv6<F: Family>(host: &FamilyHost<F>, address: F::Addr, types: u16, on: Option<InterfaceId>) -> bool {
    let class = class(address);
    // An address of IPv4 in the form of IPv6's is none of its unicast ones.
    let is_mapped = matches!(address.to_ip(), IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
    let is_unicast = !is_mapped && !matches!(class, Class::Multicast | Class::Zero);
    let lacks = |kind: u16, is: bool| types & kind != 0 && !is;
    if lacks(MULTICAST, class == Class::Multicast) || lacks(UNICAST, is_unicast) || lacks(UNSPEC, class == Class::Zero) {
        return false;
    }
    types & (LOCAL | ANYCAST | UNREACHABLE) == 0 || types & by_route(host, address, class, on) != 0
}

fn by_route<F: Family>(host: &FamilyHost<F>, address: F::Addr, class: Class, on: Option<InterfaceId>) -> u16 {
    // Every interface has a route to all groups, and `lo` to itself.
    match (class, on) {
        (Class::Multicast, _) => return 0,
        (Class::Loopback, None) => return LOCAL,
        _ => {}
    }
    let key = RouteKey::to(address);
    let leads = |route: &crate::route::Route<F>| on.is_none_or(|on| route.leads_by(on));
    let Some(route) = host.local().find(&key, leads).or_else(|| host.routes().find(&key, leads)) else { return UNREACHABLE };
    match &route.kind {
        RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole => UNREACHABLE,
        RouteKind::Local(_) => {
            let own = match on {
                Some(on) => host.addresses(on).any(|own| own.address == address),
                None => host.has(address),
            };
            if own { LOCAL } else { ANYCAST }
        }
        // The address of a whole subnet is that of its routers.
        RouteKind::Unicast(hops) => {
            let of_subnet = route.len < 127 && address == route.prefix & F::Addr::prefix_mask(route.len);
            if of_subnet && hops.iter().all(|hop| hop.gateway.is_none()) { ANYCAST } else { 0 }
        }
        RouteKind::Broadcast(_) => 0,
    }
}
