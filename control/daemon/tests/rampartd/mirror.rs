//! The mirror of the host, and events from the dataplane.
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::fake::Fake;
use crate::harness::{Place, wait_until};
use proto::host::{RouteKind, Snapshot};
use proto::private::Event;

#[test]
fn the_dataplane_is_ready_only_when_it_knows_the_host() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(&[]);
    assert_eq!(daemon.wait_ready().exit, 0);
    let hosts = &fake.lock().hosts;
    // The fake says that its port eth0 has the TAP `lo`, which every namespace has.
    assert!(hosts.last().unwrap().links.iter().any(|link| link.name == "eth0"), "{hosts:?}");
}

/// In a network namespace of its own: what `ip` sets up arrives as it was set up.
#[test]
fn addresses_routes_and_neighbours_arrive_as_ip_sets_them() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let namespace = Namespace::new();
    let ip = |line: &str| {
        let output = namespace.command("ip").args(line.split(' ')).output().unwrap();
        assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let inner = place.command(&[]);
    let _daemon = Killed(namespace.command(inner.get_program()).args(inner.get_args()).spawn().unwrap());
    let last = || fake.lock().hosts.last().cloned().unwrap_or_default();
    let holds = |what: &str, test: &dyn Fn(&Snapshot) -> bool| wait_until(&format!("{what}: {:#?}", last()), || test(&last()));

    ip("link add eth1 type veth peer name far");
    ip("link set eth1 up mtu 1400");
    ip("link set far up");
    ip("addr add 10.1.0.1/24 brd + dev eth1");
    ip("addr add 10.1.0.2/24 dev eth1");
    holds("addresses", &|host| {
        let mut mine = host.addresses.iter().filter(|a| a.interface == "eth1" && a.address.is_ipv4());
        mine.clone().count() == 2
            && mine.any(|a| a.address.to_string() == "10.1.0.1" && !a.secondary && a.broadcast == "10.1.0.255".parse().ok())
            && host.addresses.iter().any(|a| a.address.to_string() == "10.1.0.2" && a.secondary)
            && host.links.iter().any(|link| link.name == "eth1" && link.mtu == 1400 && link.group == 0 && link.up)
    });
    ip("link set eth1 group 2147483647");
    holds("the group", &|host| host.links.iter().any(|link| link.name == "eth1" && link.group == 0x7fff_ffff));
    ip("neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 dev eth1");
    ip("route add default via 10.1.0.9 metric 7");
    ip("route add 10.2.0.0/16 nexthop via 10.1.0.9 weight 3 nexthop via 10.1.0.8");
    ip("route add blackhole 10.3.0.0/16");
    ip("route add prohibit 10.4.0.0/16");
    ip("route add 10.5.0.0/16 via 172.16.0.1 dev eth1 onlink");
    holds("routes", &|host| {
        let route = |text: &str| {
            let (address, prefix) = text.split_once('/').unwrap();
            host.routes.iter().find(|r| r.table == 254 && r.destination.to_string() == address && r.prefix.to_string() == prefix)
        };
        let hops = |text: &str| route(text).map(|r| r.next_hops.clone()).unwrap_or_default();
        let gateway = |n: &proto::host::NextHop| n.gateway.map(|g| g.to_string()).unwrap_or_default();
        route("0.0.0.0/0").is_some_and(|r| r.metric == 7)
            && hops("0.0.0.0/0").iter().map(gateway).eq(["10.1.0.9"])
            && hops("10.2.0.0/16").iter().map(|n| (gateway(n), n.weight)).eq([("10.1.0.9".into(), 3), ("10.1.0.8".into(), 1)])
            && route("10.3.0.0/16").is_some_and(|r| r.kind == RouteKind::Blackhole)
            && route("10.4.0.0/16").is_some_and(|r| r.kind == RouteKind::Prohibit)
            && hops("10.5.0.0/16").iter().any(|n| n.onlink && gateway(n) == "172.16.0.1")
            && host.routes.iter().any(|r| r.table == 255 && r.kind == RouteKind::Local && r.destination.to_string() == "10.1.0.1")
            && host.neighbours.iter().any(|n| n.address.to_string() == "10.1.0.9" && n.permanent && n.mac.0[5] == 9)
    });

    // IPv6 beside it. Without duplicate address detection, an address is there at once.
    ip("-6 addr add 2001:db8:1::1/64 dev eth1 nodad");
    ip("-6 addr add 2001:db8:1::2/64 dev eth1 nodad preferred_lft 0");
    ip("-6 neigh add 2001:db8:1::9 lladdr 02:00:00:00:00:19 dev eth1");
    ip("-6 route add default via fe80::9 dev eth1 metric 7");
    ip("-6 route add 2001:db8:2::/48 nexthop via 2001:db8:1::9 dev eth1 weight 3 nexthop via 2001:db8:1::8 dev eth1");
    ip("-6 route add unreachable 2001:db8:3::/48");
    holds("IPv6", &|host| {
        let address = |text: &str| host.addresses.iter().find(|a| a.address.to_string() == text && a.interface == "eth1");
        let route = |text: &str, prefix| {
            host.routes.iter().find(|r| r.table == 254 && r.destination.to_string() == text && r.prefix == prefix)
        };
        let hops = |text: &str, prefix| route(text, prefix).map(|r| r.next_hops.clone()).unwrap_or_default();
        let gateway = |n: &proto::host::NextHop| n.gateway.map(|g| g.to_string()).unwrap_or_default();
        address("2001:db8:1::1").is_some_and(|a| a.prefix == 64 && !a.secondary && !a.deprecated && a.scope == "global")
            && address("2001:db8:1::2").is_some_and(|a| a.deprecated && !a.secondary && !a.tentative)
            && host
                .addresses
                .iter()
                .any(|a| a.interface == "eth1" && a.scope == "link" && a.address.to_string().starts_with("fe80:"))
            && route("::", 0).is_some_and(|r| r.metric == 7)
            && hops("::", 0).iter().map(gateway).eq(["fe80::9"])
            && hops("2001:db8:2::", 48).iter().map(|n| (gateway(n), n.weight)).collect::<std::collections::BTreeSet<_>>()
                == [("2001:db8:1::9".into(), 3), ("2001:db8:1::8".into(), 1)].into()
            && route("2001:db8:3::", 48).is_some_and(|r| r.kind == RouteKind::Unreachable)
            && hops("2001:db8:1::", 64).iter().any(|n| n.gateway.is_none())
            && host.neighbours.iter().any(|n| n.address.to_string() == "2001:db8:1::9" && n.permanent && n.mac.0[5] == 0x19)
    });

    // An event makes the kernel ask: a neighbour entry appears for an address that nobody has used.
    fake.lock().events.push(Event::Resolve { interface: "eth1".into(), address: "10.1.0.77".parse().unwrap() });
    wait_until("the kernel was not asked to resolve", || {
        let output = namespace.command("ip").args(["neigh", "show", "10.1.0.77"]).output().unwrap();
        !output.stdout.is_empty()
    });
    fake.lock().events.push(Event::Resolve { interface: "eth1".into(), address: "2001:db8:1::77".parse().unwrap() });
    wait_until("the kernel was not asked to resolve an IPv6 neighbour", || {
        let output = namespace.command("ip").args(["-6", "neigh", "show", "2001:db8:1::77"]).output().unwrap();
        !output.stdout.is_empty()
    });
    ip("link set eth1 down");
    holds("link down", &|host| host.links.iter().any(|link| link.name == "eth1" && !link.up));
}

/// A network namespace, for as long as the process lives that holds it: root makes one, others where user namespaces are allowed.
struct Namespace {
    holder: Killed,
    root: bool,
}

impl Namespace {
    fn new() -> Namespace {
        let root = rustix::process::geteuid().is_root();
        let flags = if root { "-n" } else { "-rn" };
        let mut holder =
            Command::new("unshare").args([flags, "sh", "-c", "echo made; exec sleep 120"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut made = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut made).unwrap();
        assert_eq!(made, "made\n", "no network namespace: neither root nor allowed to make user namespaces");
        Namespace { holder: Killed(holder), root }
    }

    /// A command that runs inside.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.holder.0.id().to_string(), "-n"]);
        if !self.root {
            command.args(["-U", "--preserve-credentials"]);
        }
        command.arg("--").arg(program);
        command
    }
}

/// A child process. Killed when dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
