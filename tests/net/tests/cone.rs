//! `--fullcone` with real sockets: whoever sends to the one outside port of an inside socket reaches it, if the filter table lets him.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use net::kernel;
use net::lab::{BOX_OUTSIDE, Lab, OUTSIDE, Shape};
use net::namespace::Namespace;
use net::process::wait_until;

const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough for a packet that comes, short enough to be waited for when none must.
const MOMENT: Duration = Duration::from_millis(500);

/// The same world in either family.
struct Family {
    /// The one outside address of the box.
    outer: &'static str,
    /// Two hosts of the outside, or one with two addresses.
    peers: [&'static str; 2],
    /// Two hosts of the inside.
    clients: [&'static str; 2],
    /// `iptables`, `ip6tables`.
    command: &'static str,
    /// `conntrack -L` of the family.
    list: &'static str,
}

const IPV4: Family = Family {
    outer: BOX_OUTSIDE,
    peers: [OUTSIDE, "203.0.113.11"],
    clients: ["192.168.1.2", "192.168.1.3"],
    command: "iptables",
    list: "conntrack -L -p udp",
};
const IPV6: Family = Family {
    outer: "2001:db8:f::1",
    peers: ["2001:db8:f::10", "2001:db8:f::11"],
    clients: ["2001:db8:1::2", "2001:db8:1::100"],
    command: "ip6tables",
    list: "conntrack -L -f ipv6 -p udp",
};

/// Strangers are let in from the ports 9000 to 9099 only.
fn rules(target: &str) -> String {
    format!(
        "*nat\n-A POSTROUTING -o eth0 -p udp -j {target} --fullcone\nCOMMIT\n\
         *filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A FORWARD -i eth1 -j ACCEPT\n\
         -A FORWARD -i eth0 -p udp --sport 9000:9099 -m conntrack --ctstate DNAT -j ACCEPT\n\
         -A FORWARD -p ipv6-icmp -j ACCEPT\nCOMMIT\n"
    )
}

fn lab(workers: u32) -> Result<Lab> {
    // Flows that end soon, so that what outlives them can be seen.
    let conntrack = &[("nf_conntrack_udp_timeout", "2"), ("nf_conntrack_udp_timeout_stream", "2")];
    let mut lab = Lab::new(Shape { workers, ipv6: true, conntrack, ..Shape::default() })?;
    lab.outside.run(&format!("ip addr add {}/64 dev net0 nodad", IPV6.peers[1]))?;
    lab.start()?;
    // Few packets wait for an address to be found: all are known before.
    for family in [&IPV4, &IPV6] {
        for (host, addresses) in [(&lab.inside, family.clients), (&lab.outside, family.peers)] {
            for address in addresses {
                let gateway = if address.contains('.') { "203.0.113.1" } else { "2001:db8:f::1" };
                wait_until(&format!("{address} is known"), PATIENCE, || {
                    Ok(host.attempt(&format!("ping -c 1 -W 1 -I {address} {gateway}"))?.0
                        && lab.rampart.attempt(&format!("ping -c 1 -W 1 {address}"))?.0)
                })?;
            }
        }
    }
    Ok(lab)
}

fn at(address: &str, port: u16) -> Result<SocketAddr> {
    Ok(SocketAddr::new(address.parse()?, port))
}

fn socket(host: &Namespace, at: SocketAddr) -> Result<UdpSocket> {
    let socket = host.within(move || UdpSocket::bind(at))?.with_context(|| format!("binding {at}"))?;
    socket.set_read_timeout(Some(MOMENT))?;
    Ok(socket)
}

/// What comes next: from whom, and what. `None` when nothing does.
fn next(socket: &UdpSocket) -> Option<(SocketAddr, Vec<u8>)> {
    let mut data = [0; 64];
    let (length, from) = socket.recv_from(&mut data).ok()?;
    Some((from, data[..length].to_vec()))
}

/// A packet from `sender` comes to `receiver`, and bears this source.
fn comes(sender: &UdpSocket, to: SocketAddr, receiver: &UdpSocket, word: &str) -> Result<SocketAddr> {
    sender.send_to(word.as_bytes(), to)?;
    let (from, said) = next(receiver).with_context(|| format!("{word}: nothing came"))?;
    ensure!(said == word.as_bytes(), "{word}: {said:?} came in its place");
    Ok(from)
}

impl Family {
    fn restore(&self, lab: &Lab, target: &str) -> Result<()> {
        match self.command {
            "iptables" => lab.restore(&rules(target).replace("-A FORWARD -p ipv6-icmp -j ACCEPT\n", "")),
            _ => lab.restore_ipv6(&rules(target)),
        }
    }

    fn is_listed(&self, lab: &Lab, port: u16) -> Result<bool> {
        let listed = lab.ok(&format!("{} 2>/dev/null", self.list))?;
        Ok(listed.contains(&format!("port={port} ")))
    }

    fn one_outside_port_is_open_to_everybody(&self, lab: &Lab) -> Result<()> {
        let client = socket(&lab.inside, at(self.clients[0], 4000)?)?;
        let outside = at(self.outer, 4000)?;
        let [known, stranger] = self.peers;
        let (known, friend) = (socket(&lab.outside, at(known, 9000)?)?, socket(&lab.outside, at(stranger, 9001)?)?);
        let (known_at, friend_at) = (known.local_addr()?, friend.local_addr()?);

        // Nobody is let in before somebody went out.
        socket(&lab.outside, at(stranger, 9050)?)?.send_to(b"early", outside)?;
        ensure!(next(&client).is_none(), "there is no cone yet");
        ensure!(comes(&client, known_at, &known, "out")? == outside, "the port is kept");
        ensure!(comes(&known, outside, &client, "answer")? == known_at, "an answer");
        ensure!(comes(&friend, outside, &client, "friend")? == friend_at, "who was never spoken to comes in by the same port");
        ensure!(comes(&client, friend_at, &friend, "to the friend")? == outside, "and is answered from there");

        // Another inside end gets another outside end, towards everybody, and each stays with its own.
        let second = socket(&lab.inside, at(self.clients[1], 4000)?)?;
        let others = comes(&second, known_at, &known, "second")?;
        ensure!(others.ip() == outside.ip() && others != outside, "the port is taken: {others}");
        ensure!(comes(&second, friend_at, &friend, "second again")? == others, "one port towards everybody");
        comes(&friend, others, &second, "to the second")?;

        // Many strangers: of one worker or of two, as their packets hash.
        for port in 9002..9042 {
            let peer = socket(&lab.outside, at(self.peers[usize::from(port % 2)], port)?)?;
            ensure!(comes(&peer, outside, &client, "many")? == peer.local_addr()?, "as himself");
            ensure!(comes(&client, peer.local_addr()?, &peer, "many back")? == outside, "by the one port");
        }

        // The filter table has the last word.
        let kept_out = socket(&lab.outside, at(stranger, 9100)?)?;
        kept_out.send_to(b"no", outside)?;
        ensure!(next(&client).is_none(), "no rule lets him in");
        lab.ok(&format!("{} -A FORWARD -i eth0 -p udp --sport 9100 -m conntrack --ctstate DNAT -j ACCEPT", self.command))?;
        comes(&kept_out, outside, &client, "now")?;

        // The mapping outlives every flow of it.
        wait_until("the flows end", PATIENCE, || Ok(!self.is_listed(lab, 4000)?))?;
        comes(&friend, outside, &client, "late")?;
        ensure!(next(&client).is_none() && next(&second).is_none(), "each packet came once");
        Ok(())
    }
}

fn one_outside_port(workers: u32, target: [&str; 2]) -> Result<()> {
    if kernel::lacks("--fullcone") {
        return Ok(());
    }
    let lab = lab(workers)?;
    for (family, target) in [&IPV4, &IPV6].into_iter().zip(target) {
        family.restore(&lab, target)?;
        family
            .one_outside_port_is_open_to_everybody(&lab)
            .with_context(|| format!("{}\n{}", family.command, lab.tail("dataplane.log")))?;
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn two_outside_hosts_reach_the_inside_one_by_its_one_outside_port() -> Result<()> {
    one_outside_port(1, ["MASQUERADE"; 2])
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn so_they_do_when_two_workers_share_the_flows() -> Result<()> {
    one_outside_port(2, ["SNAT --to-source 203.0.113.1", "SNAT --to-source 2001:db8:f::1"])
}

/// Two cones of each family without a flow: one is asked for when it must be there still, the other when it must be gone. Asking keeps a cone.
#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_cone_ends_a_minute_after_its_last_flow() -> Result<()> {
    if kernel::lacks("--fullcone") {
        return Ok(());
    }
    let lab = lab(2)?;
    let families = [&IPV4, &IPV6];
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    for family in families {
        family.restore(&lab, "MASQUERADE")?;
        let peer = socket(&lab.outside, at(family.peers[0], 9000)?)?;
        let outside = |port| at(family.outer, port);
        for (cones, port) in [(&mut kept, 4001), (&mut left, 4002)] {
            let client = socket(&lab.inside, at(family.clients[0], port)?)?;
            ensure!(comes(&client, peer.local_addr()?, &peer, "out")? == outside(port)?, "the port is kept");
            let stranger = socket(&lab.outside, at(family.peers[1], port + 5000)?)?;
            cones.push((client, stranger, outside(port)?));
        }
    }
    let begun = Instant::now();
    wait_until("the flows end", PATIENCE, || {
        let listed = families.into_iter().map(|family| family.is_listed(&lab, 4001)).collect::<Result<Vec<_>>>()?;
        Ok(!listed.contains(&true))
    })?;
    std::thread::sleep(Duration::from_secs(45).saturating_sub(begun.elapsed()));
    for (client, stranger, outside) in &kept {
        comes(stranger, *outside, client, "within the minute")?;
    }
    // The last flow may have been seen twenty seconds before its end or at it.
    std::thread::sleep(Duration::from_secs(66).saturating_sub(begun.elapsed()));
    for (client, stranger, outside) in &left {
        stranger.send_to(b"late", *outside)?;
        ensure!(next(client).is_none(), "{outside} is open after a minute");
    }
    for (client, stranger, outside) in &kept {
        comes(stranger, *outside, client, "kept by the peer's flow")?;
    }
    Ok(())
}
