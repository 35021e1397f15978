//! The box as its kernel has it: interfaces, addresses, routes, neighbours. Made by the control side, read by the walk.

use core::iter;
use core::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use packet::family::Addr;
use packet::{Family, FamilyId, Ipv4, Ipv6};
use program::InterfaceId;

use crate::route::{NextHop, Route, RouteKind, RouteTable};
use crate::source::{Seen, preference};

/// The sysctl `rp_filter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RpFilter {
    /// 0: the way back is not asked for.
    #[default]
    Off,
    /// 1: the way back must lead through the interface that the packet came in by (RFC 3704 strict).
    Strict,
    /// 2: there must be a way back.
    Loose,
}

/// A logical interface, with the sysctls (`net.ipv4.conf.<name>`) that the walk obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The name that rules use.
    pub name: String,
    /// Its Ethernet address.
    pub mac: [u8; 6],
    /// Longest IP packet, in bytes.
    pub mtu: u32,
    /// `ip link set DEV group NUMBER`.
    pub group: u32,
    /// May packets be sent by it?
    pub up: bool,
    /// `rp_filter`
    pub rp_filter: RpFilter,
    /// `accept_local`: take packets from the box's own addresses.
    pub accept_local: bool,
    /// `send_redirects`
    pub send_redirects: bool,
    /// `accept_source_route`
    pub accept_source_route: bool,
    /// `forwarding`: packets that come in here may be sent on.
    pub forwarding: bool,
}

impl Interface {
    /// An Ethernet interface that is up, with the kernel's defaults for a router: forwarding and redirects on, all else off, MTU 1500, group 0.
    pub fn new(name: &str, mac: [u8; 6]) -> Self {
        Self {
            name: name.to_owned(),
            mac,
            mtu: 1500,
            group: 0,
            up: true,
            rp_filter: RpFilter::Off,
            accept_local: false,
            send_redirects: true,
            accept_source_route: false,
            forwarding: true,
        }
    }
}

/// An address of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address<F: Family> {
    /// The interface that has it.
    pub interface: InterfaceId,
    /// The address.
    pub address: F::Addr,
    /// Length of its subnet's prefix.
    pub prefix_len: u8,
    /// A secondary address of IPv4 is never chosen as a source by itself; in IPv6 it is a temporary one, which is passed over for others.
    pub secondary: bool,
    /// One of IPv6 that is no more to be used for anything new.
    pub deprecated: bool,
    /// One of IPv6 that is not found to be the box's alone yet, or is somebody else's: never a source.
    pub tentative: bool,
}

impl<F: Family> Address<F> {
    /// An address like any other.
    pub fn new(interface: InterfaceId, address: F::Addr, prefix_len: u8) -> Self {
        Self { interface, address, prefix_len, secondary: false, deprecated: false, tentative: false }
    }

    /// Is `other` on this address's subnet?
    pub fn on_subnet(&self, other: F::Addr) -> bool {
        let mask = F::Addr::prefix_mask(self.prefix_len);
        self.address & mask == other & mask
    }

    /// The address of whichever router of the subnet (RFC 4291 section 2.6.1): of this box as well, as long as it forwards.
    pub fn anycast(&self) -> Option<F::Addr> {
        let is_shared = F::ID == FamilyId::Ipv6 && self.prefix_len < 127;
        is_shared.then(|| self.address & F::Addr::prefix_mask(self.prefix_len))
    }

    /// The route to the subnet, as the kernel adds it with the address. For hosts described by hand; a mirrored kernel names it itself.
    pub fn connected_route(&self) -> Route<F> {
        let hop = NextHop { interface: self.interface, gateway: None, weight: 1 };
        Route {
            prefix: self.address,
            len: self.prefix_len,
            tos: 0,
            metric: 0,
            source: (F::ID == FamilyId::Ipv4).then_some(self.address),
            mtu: None,
            kind: RouteKind::Unicast(vec![hop]),
        }
    }
}

/// What is known of a next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// Its Ethernet address.
    Known([u8; 6]),
    /// The kernel asked for it and got no answer.
    Failed,
}

/// What the control side knows of one family. Plain data: [`FamilyHost::new`] makes the tables of it.
#[derive(Clone, Debug)]
pub struct FamilyParts<F: Family> {
    /// The box's addresses, each interface's in the kernel's order (the first is its primary one).
    pub addresses: Vec<Address<F>>,
    /// Routes of the main table, the connected ones among them. Local and broadcast routes are made from the addresses.
    pub routes: Vec<Route<F>>,
    /// Neighbours.
    pub neighbours: Vec<(InterfaceId, F::Addr, Neighbour)>,
    /// Multicast groups joined, by interface.
    pub groups: Vec<(InterfaceId, F::Addr)>,
    /// Where programs of the box listen: IP protocol, address (zero is every one), port.
    pub listening: Vec<(u8, F::Addr, u16)>,
}

impl<F: Family> Default for FamilyParts<F> {
    fn default() -> Self {
        Self { addresses: Vec::new(), routes: Vec::new(), neighbours: Vec::new(), groups: Vec::new(), listening: Vec::new() }
    }
}

/// One family's part of the host, as the walk asks it.
#[derive(Clone, Debug)]
pub struct FamilyHost<F: Family> {
    /// Local and broadcast addresses (the kernel's table `local`), asked first.
    local: RouteTable<F>,
    routes: RouteTable<F>,
    addresses: Vec<Address<F>>,
    neighbours: HashMap<(InterfaceId, F::Addr), Neighbour, FixedState>,
    groups: HashSet<(InterfaceId, F::Addr), FixedState>,
    listening: HashSet<(u8, F::Addr, u16), FixedState>,
    /// Another one for every host that is made.
    serial: u64,
}

/// The next host's serial. Counted by whoever makes one, which is never the walk; 0 is none's.
static SERIAL: AtomicU64 = AtomicU64::new(1);

impl<F: Family> Default for FamilyHost<F> {
    fn default() -> Self {
        Self::new(FamilyParts::default())
    }
}

impl<F: Family> FamilyHost<F> {
    /// Makes the tables. Every address becomes a local route, and so does the anycast address of an IPv6 subnet; every IPv4 subnet shorter than 31 bits gets its broadcast route, as in the
    /// kernel's table `local`.
    pub fn new(parts: FamilyParts<F>) -> Self {
        let host_route = |prefix, kind| Route { prefix, len: u8::MAX, tos: 0, metric: 0, source: None, mtu: None, kind };
        let mut local = Vec::new();
        for a in &parts.addresses {
            local.extend(iter::once(a.address).chain(a.anycast()).map(|own| host_route(own, RouteKind::Local(a.interface))));
            if F::Addr::LEN == 4 && a.prefix_len < 31 {
                let all_hosts = a.address | !F::Addr::prefix_mask(a.prefix_len);
                local.push(Route { metric: 1, ..host_route(all_hosts, RouteKind::Broadcast(a.interface)) });
            }
        }
        Self {
            local: RouteTable::new(local, 0),
            routes: RouteTable::new(parts.routes, 0),
            addresses: parts.addresses,
            neighbours: parts.neighbours.into_iter().map(|(interface, address, state)| ((interface, address), state)).collect(),
            groups: parts.groups.into_iter().collect(),
            listening: parts.listening.into_iter().collect(),
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The table `local`: the box's own addresses and broadcast addresses.
    pub fn local(&self) -> &RouteTable<F> {
        &self.local
    }

    /// The table `main`.
    pub fn routes(&self) -> &RouteTable<F> {
        &self.routes
    }

    /// The box's addresses on an interface, primary first.
    pub fn addresses(&self, interface: InterfaceId) -> impl Iterator<Item = &Address<F>> {
        self.addresses.iter().filter(move |a| a.interface == interface)
    }

    /// Has the box this address, on whichever interface?
    pub fn has(&self, address: F::Addr) -> bool {
        self.addresses.iter().any(|own| own.address == address)
    }

    /// Would a packet to this address and port reach a program of the box?
    pub fn listens(&self, protocol: u8, address: F::Addr, port: u16) -> bool {
        let at = |address| self.listening.contains(&(protocol, address, port));
        !self.listening.is_empty() && (at(address) || at(F::Addr::ZERO) && self.has(address))
    }

    /// Tells one host from another, for those who look only when it changed.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// What is known of a neighbour.
    pub fn neighbour(&self, interface: InterfaceId, address: F::Addr) -> Option<Neighbour> {
        self.neighbours.get(&(interface, address)).copied()
    }

    /// Is the group joined on the interface?
    pub fn joined(&self, interface: InterfaceId, group: F::Addr) -> bool {
        self.groups.contains(&(interface, group))
    }

    /// The address that the box uses on `interface` towards the next hop `towards`: the one on its subnet, else the interface's first primary
    /// one, else any (the kernel's `inet_select_addr`). IPv6 chooses by the packet's destination `dst` ([`preference`]).
    pub fn source_address(&self, interface: InterfaceId, towards: F::Addr, dst: F::Addr) -> Option<F::Addr> {
        if F::ID == FamilyId::Ipv6 {
            let towards = Seen::of(dst);
            let usable = self.addresses.iter().filter(|a| !a.tentative && (a.interface == interface || !towards.is_near()));
            // Of equals the first one wins.
            return usable.rev().max_by_key(|a| preference(a, interface, &towards)).map(|a| a.address);
        }
        let primary = || self.addresses.iter().filter(|a| !a.secondary);
        primary()
            .find(|a| a.interface == interface && a.on_subnet(towards))
            .or_else(|| primary().find(|a| a.interface == interface))
            .or_else(|| primary().next())
            .map(|a| a.address)
    }
}

/// The box.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// By [`InterfaceId`]; entry 0 is no interface and is never asked.
    pub interfaces: Vec<Option<Interface>>,
    /// IPv4.
    pub ipv4: FamilyHost<Ipv4>,
    /// IPv6.
    pub ipv6: FamilyHost<Ipv6>,
}

impl Host {
    /// An interface by its id.
    #[inline]
    pub fn interface(&self, id: InterfaceId) -> Option<&Interface> {
        self.interfaces.get(id.index())?.as_ref()
    }

    /// The group of an interface; 0 for none.
    pub fn group(&self, id: InterfaceId) -> u32 {
        self.interface(id).map_or(0, |interface| interface.group)
    }

    /// The name of an interface; empty for none.
    pub fn name(&self, id: InterfaceId) -> &str {
        self.interface(id).map_or("", |interface| &interface.name)
    }
}
