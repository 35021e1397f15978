//! `-m rpfilter` (`ipt_rpfilter.c`, `ip6t_rpfilter.c`): whether an answer to the packet's source would leave by the interface that it came by.

use core::net::IpAddr;

use packet::family::Addr;
use packet::{Family, FamilyId, Header};
use program::InterfaceId;

use crate::host::FamilyHost;
use crate::route::{Route, RouteKey, RouteKind};
use crate::walk::routing::{Class, class, is_link_local};

/// What the rule takes for right.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) loose: bool,
    pub(crate) accept_local: bool,
    /// The mark with which the route is looked up.
    pub(crate) mark: u32,
}

/// Is the way back right?
pub(crate) fn ask<F: Family>(host: &FamilyHost<F>, header: &Header<F>, input: InterfaceId, rule: Rule) -> bool {
    if class(header.src) == Class::Zero && may_be_nobody(header) {
        return true;
    }
    let key = RouteKey { dst: header.src, src: header.dst, input: InterfaceId::NONE, mark: rule.mark, tos: header.tos };
    match F::ID {
        FamilyId::Ipv4 => ipv4(host, &key, input, rule),
        FamilyId::Ipv6 => ipv6(host, &key, input, rule),
    }
}

/// Who has no address yet asks for one, in IPv4 all hosts or a group of the link.
fn may_be_nobody<F: Family>(header: &Header<F>) -> bool {
    match header.dst.to_ip() {
        IpAddr::V4(dst) => dst.is_broadcast() || dst.octets()[..3] == [224, 0, 0],
        IpAddr::V6(_) => true,
    }
}

fn ipv4<F: Family>(host: &FamilyHost<F>, key: &RouteKey<F>, input: InterfaceId, rule: Rule) -> bool {
    if class(key.dst) == Class::Loopback {
        // By `lo`, by which nothing comes.
        let is_all = matches!(key.dst.to_ip(), IpAddr::V4(address) if address.octets()[1..] == [255; 3]);
        return rule.accept_local && rule.loose && !is_all;
    }
    let Some(route) = host.local().find(key, |_| true).or_else(|| host.routes().find(key, |_| true)) else { return false };
    match route.kind {
        RouteKind::Unicast(_) => rule.loose || route.leads_by(input),
        RouteKind::Local(_) => rule.accept_local && (rule.loose || route.leads_by(input)),
        RouteKind::Broadcast(_) | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole => false,
    }
}

fn ipv6<F: Family>(host: &FamilyHost<F>, key: &RouteKey<F>, input: InterfaceId, rule: Rule) -> bool {
    // On a link only that link is looked at.
    let on_link = is_link_local(key.dst);
    let wanted = |route: &Route<F>| !on_link || route.leads_by(input);
    if let Some(route) = host.local().find(key, wanted) {
        let anycast = !host.has(key.dst);
        return !anycast && rule.accept_local && matches!(route.kind, RouteKind::Local(_));
    }
    let Some(route) = host.routes().find(key, wanted) else { return false };
    if !matches!(route.kind, RouteKind::Unicast(_)) {
        return false;
    }
    // Of routes to one prefix one by this interface comes first.
    rule.loose || host.routes().find(key, |other| other.leads_by(input)).is_some_and(|other| other.len == route.len)
}
