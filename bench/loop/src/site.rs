//! The box and what lies round it: clients behind a router inside, servers behind one outside.

use std::net::Ipv4Addr;

use engine::Snapshot;
use engine::host::{Address, FamilyHost, FamilyParts, Neighbour};
use engine::route::{NextHop, Route, RouteKind};
use engine::snapshot::Settings;
use micro::frames::SENDER;
use micro::world;
use packet::Ipv4;
use program::{InterfaceId, Program};
use scene::traffic::BOX_OUTSIDE;

/// The port towards the servers: eth0, 198.51.100.1/24.
pub(crate) const OUTSIDE: InterfaceId = InterfaceId(1);
/// The port towards the clients: eth1, 192.0.2.1/24.
pub(crate) const INSIDE: InterfaceId = InterfaceId(2);
const BOX_INSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ROUTER_OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
const ROUTER_INSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

/// What the worker reads under these rules.
pub(crate) fn snapshot(program: Program, settings: Settings) -> Snapshot {
    let address = |interface, address: Ipv4Addr| Address::<Ipv4>::new(interface, u32::from(address), 24);
    let addresses = vec![address(OUTSIDE, BOX_OUTSIDE), address(INSIDE, BOX_INSIDE)];
    let far = [
        by(OUTSIDE, ROUTER_OUTSIDE, Ipv4Addr::UNSPECIFIED, 0),
        // The clients' network.
        by(INSIDE, ROUTER_INSIDE, Ipv4Addr::new(100, 64, 0, 0), 10),
    ];
    let known = Neighbour::Known(SENDER);
    let ipv4 = FamilyHost::new(FamilyParts {
        routes: addresses.iter().map(Address::connected_route).chain(far).collect(),
        addresses,
        neighbours: vec![(OUTSIDE, ROUTER_OUTSIDE.into(), known), (INSIDE, ROUTER_INSIDE.into(), known)],
        ..FamilyParts::default()
    });
    world::snapshot(program, ipv4, settings)
}

fn by(interface: InterfaceId, router: Ipv4Addr, network: Ipv4Addr, len: u8) -> Route<Ipv4> {
    let hop = NextHop { interface, gateway: Some(router.into()), weight: 1 };
    Route { prefix: network.into(), len, tos: 0, metric: 0, source: None, mtu: None, kind: RouteKind::Unicast(vec![hop]) }
}
