//! The mirror of the host: links, addresses, routes, neighbours and listening ports of the network namespace that rampartd runs in (that of the TAPs), read
//! over netlink and sent to the dataplane as whole snapshots.
//!
//! Any change that the kernel announces leads to a new dump, after a moment in which more may come. A dump is the truth; announcements
//! are only the reason to look, so a lost one (ENOBUFS) does no harm that the next does not mend.
mod listening;
mod netlink;
mod read;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proto::host::Snapshot;
use proto::private::Interface;

use crate::state::State;
pub use listening::Listeners;
pub use netlink::{Announcements, Netlink, NetlinkError, Resolver};
pub use read::Dump;

/// How long it must be quiet before a dump, and after how long it is made all the same.
const QUIET: Duration = Duration::from_millis(5);
const LATEST: Duration = Duration::from_millis(50);
/// How fast a stop is noticed.
const LOOK: Duration = Duration::from_millis(200);
/// How often neighbours that have gone stale are looked at, and how many at a time.
const REVISIT: Duration = Duration::from_secs(30);
const REVISIT_AT_MOST: usize = 1024;

/// Mirrors until `stop`.
pub fn run(
    state: &Arc<State>,
    announcements: &Announcements,
    netlink: &mut Netlink,
    listeners: &mut Listeners,
    resolver: &mut Resolver,
    stop: &AtomicBool,
) {
    let mut last: Option<Snapshot> = None;
    let mut revisited = Instant::now();
    let mut dirty = true;
    let mut listening = Vec::new();
    let mut deaf = false;
    while !stop.load(Ordering::Relaxed) {
        match listeners.look() {
            Some(Ok(now)) => {
                deaf = false;
                dirty |= now != listening;
                listening = now;
            }
            Some(Err(error)) if !deaf => {
                deaf = true;
                tracing::warn!("the ports at which programs listen could not be read, so NAT may take them: {error}");
            }
            Some(Err(_)) | None => {}
        }
        if dirty || announcements.wait(LOOK) {
            let latest = Instant::now() + LATEST;
            while announcements.wait(QUIET) && Instant::now() < latest {}
            match netlink.dump() {
                Ok(mut dump) => {
                    dirty = false;
                    dump.snapshot.listening.clone_from(&listening);
                    if last.as_ref() != Some(&dump.snapshot) {
                        state.mirror(dump.snapshot.clone());
                        last = Some(dump.snapshot);
                    }
                }
                Err(error) => {
                    tracing::warn!("the host's routes and neighbours could not be read: {error}");
                    dirty = true;
                    std::thread::sleep(LOOK);
                }
            }
        }
        if revisited.elapsed() > REVISIT {
            revisited = Instant::now();
            revisit(state, netlink, resolver);
        }
    }
}

/// Has the kernel look whether stale neighbours are still there. Forwarded packets do not pass the kernel, so it does not know that it uses
/// them and would never find out that one has gone.
fn revisit(state: &State, netlink: &mut Netlink, resolver: &mut Resolver) {
    let taps: Vec<String> = match &state.lock().link {
        Some(link) => link.interfaces.iter().map(|interface| interface.tap.clone()).collect(),
        None => return,
    };
    let Ok(dump) = netlink.dump() else { return };
    for (interface, address) in dump.stale.iter().filter(|(interface, _)| taps.contains(interface)).take(REVISIT_AT_MOST) {
        if let Err(error) = resolver.resolve(interface, *address) {
            tracing::debug!("revisit {address} on {interface}: {error}");
        }
    }
}

/// The snapshot with each port's TAP under the port's name. Another interface that has the name of a port is put aside as `host:<name>`.
pub fn named(snapshot: &Snapshot, ports: &[Interface]) -> Snapshot {
    let by_tap: HashMap<&str, &str> = ports.iter().map(|port| (&*port.tap, &*port.name)).collect();
    let name = |interface: &mut String| {
        if let Some(port) = by_tap.get(interface.as_str()) {
            *interface = (*port).to_owned();
        } else if ports.iter().any(|port| port.name == *interface) {
            *interface = format!("host:{interface}");
        }
    };
    let mut snapshot = snapshot.clone();
    snapshot.links.iter_mut().for_each(|link| name(&mut link.name));
    snapshot.addresses.iter_mut().for_each(|address| name(&mut address.interface));
    snapshot.routes.iter_mut().flat_map(|route| &mut route.next_hops).for_each(|hop| name(&mut hop.interface));
    snapshot.neighbours.iter_mut().for_each(|neighbour| name(&mut neighbour.interface));
    snapshot
}

/// The address of a neighbour and the interface that it is on, by the kernel's name.
type Place = (String, IpAddr);

#[cfg(test)]
mod tests {
    use super::*;
    use proto::host::{Link, Mac};

    #[test]
    fn taps_take_the_name_of_their_port_and_namesakes_step_aside() {
        let link = |name: &str| Link { name: name.into(), index: 1, mac: None, mtu: 1500, group: 0, up: true };
        let port = Interface { id: 1, name: "eth0".into(), mac: Mac::default(), mtu: 1500, tap: "tap7".into() };
        let snapshot = Snapshot { links: vec![link("lo"), link("eth0"), link("tap7")], ..Snapshot::default() };
        let names: Vec<String> = named(&snapshot, &[port]).links.into_iter().map(|link| link.name).collect();
        assert_eq!(names, ["lo", "host:eth0", "eth0"]);
    }
}
