//! Two workers, each with a queue of every port: real connections whose packets come to either, and whose two directions need not agree.

use std::collections::BTreeMap;
use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

use anyhow::{Result, ensure};
use net::http::{self, Site};
use net::kernel;
use net::lab::{BOX_OUTSIDE, Lab, OUTSIDE, Shape, Wire};
use net::memif::{self, Neighbour};
use net::process::wait_until;

const INNER: [Site; 2] =
    [Site { listen: "192.168.1.2:8080", name: "inner" }, Site { listen: "[2001:db8:1::2]:8080", name: "inner" }];
const OUTER: [Site; 2] = [Site { listen: "203.0.113.10:80", name: "outer" }, Site { listen: "[2001:db8:f::10]:80", name: "outer" }];

/// What most boxes do: many behind one address, one port forwarded.
const RULES: &str = "*nat\n-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080\n\
                     -A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n\
                     *filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n\
                     -A FORWARD -i eth1 -p tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT\n\
                     -A FORWARD -i eth1 -j ACCEPT\n-A FORWARD -p tcp --dport 8080 -m conntrack --ctstate NEW,DNAT -j ACCEPT\nCOMMIT\n";

/// The sum of a metric's series that contain `label`.
fn metric(lab: &Lab, name: &str, label: &str) -> Result<f64> {
    let text = lab.rampart.run("curl -s -m 3 http://127.0.0.1:9478/metrics")?;
    let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")) && line.contains(label));
    Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
}

/// Connections in both directions and pings; each must work.
fn everything_works(lab: &Lab, rounds: u32) -> Result<()> {
    let brackets = |address: &str| if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    for _ in 0..rounds {
        for (outside, of_box) in [(OUTSIDE, BOX_OUTSIDE), ("2001:db8:f::10", "2001:db8:f::1")] {
            let out = lab.inside.run(&format!("curl -s -m 5 'http://{}/'", brackets(outside)))?;
            ensure!(out.trim() == format!("outer saw {of_box}"), "masqueraded: {out}");
            let inward = lab.outside.run(&format!("curl -s -m 5 'http://{}/'", brackets(of_box)))?;
            ensure!(inward.trim() == format!("inner saw {outside}"), "forwarded: {inward}");
        }
    }
    for source in ["192.168.1.100", "192.168.1.2", "192.168.1.3", "192.168.1.4"] {
        lab.inside.run(&format!("ping -c 2 -i 0.1 -W 2 -I {source} {OUTSIDE}"))?;
    }
    for source in ["2001:db8:1::100", "2001:db8:1::2"] {
        lab.inside.run(&format!("ping -6 -c 2 -i 0.1 -W 2 -I {source} 2001:db8:f::10"))?;
    }
    Ok(())
}

fn two_workers(wire: Wire) -> Result<()> {
    if kernel::under_test() && kernel::lacks("workers") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape { workers: 2, wire, ipv6: true, ..Shape::default() })?;
    lab.start()?;
    let _inner = http::serve(&lab.inside, lab.dir.path(), &INNER)?;
    let _outer = http::serve(&lab.outside, lab.dir.path(), &OUTER)?;
    lab.restore(RULES)?;
    lab.restore_ipv6(&RULES.replace("192.168.1.2:8080", "[2001:db8:1::2]:8080"))?;
    everything_works(&lab, 20)?;
    if wire == Wire::NetTap {
        // net_af_packet has the host put fragments together.
        for address in [OUTSIDE, "2001:db8:f::10"] {
            lab.inside.run(&format!("ping -c 3 -i 0.1 -W 2 -s 4000 {address}"))?;
        }
    }
    let new = (lab.counters("--dport 8080")?.0, lab.counters_ipv6("--dport 8080")?.0);
    ensure!(new == (20, 20), "each forwarded connection is new once, and was so {new:?} times");
    wait_until("the metrics come round", Duration::from_secs(5), || {
        let by = |worker| metric(&lab, "rampart_packets_total", &format!("worker=\"{worker}\",direction=\"tx\""));
        Ok(by(0)? > 100.0 && by(1)? > 100.0 && metric(&lab, "rampart_handoffs_total", "")? > 0.0)
    })?;
    ensure!(metric(&lab, "rampart_claims_total", "asked")? > 0.0, "forwarded flows are claimed");
    for reason in ["HandoffFull", "ClaimsFull", "FlowMoved", "ConntrackClash", "NatExhausted"] {
        ensure!(metric(&lab, "rampart_drops_total", reason)? == 0.0, "{reason}");
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn two_workers_on_af_packet_share_the_connections() -> Result<()> {
    two_workers(Wire::AfPacket)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn two_workers_on_net_tap_share_the_connections() -> Result<()> {
    two_workers(Wire::NetTap)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn bulk_tcp_runs_both_ways_on_two_workers_while_rules_are_replaced_and_rampartd_dies() -> Result<()> {
    if kernel::under_test() && kernel::lacks("workers") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape { workers: 2, ..Shape::default() })?;
    lab.start()?;
    lab.restore(RULES)?;
    let _servers = [5201, 5202].map(|port| lab.outside.spawn(&format!("iperf3 -s -1 -p {port} >/dev/null")));
    wait_until("iperf3 listens", Duration::from_secs(5), || {
        Ok(lab.outside.run("ss -Hltn | grep -c ':520[12] ' || true")?.trim() == "2")
    })?;
    let loads = [("5201", ""), ("5202", "-R")].map(|(port, way)| {
        let inside = lab.inside.clone();
        std::thread::spawn(move || inside.attempt(&format!("iperf3 -c {OUTSIDE} -p {port} -P 3 -t 5 -f m {way}")))
    });
    for round in 0..10 {
        std::thread::sleep(Duration::from_millis(300));
        if round == 5 {
            lab.stop_control(false)?;
            lab.start_control()?;
            lab.wait_ready()?;
        }
        lab.restore(RULES)?;
    }
    for load in loads {
        let (ok, said) = load.join().expect("the load thread does not panic")?;
        ensure!(ok && said.contains("receiver"), "{said}");
    }
    let lost = metric(&lab, "rampart_drops_total", "ConntrackClash")?;
    ensure!(lost == 0.0, "{lost} clashes");
    Ok(())
}

/// The neighbour sends each connection's packets by both queues at once, so that both workers have them first, and half of them come to
/// the wrong one.
#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_sender_that_chooses_the_queue_finds_one_worker_for_each_connection() -> Result<()> {
    const PORTS: std::ops::Range<u16> = 4000..4040;
    if kernel::under_test() && kernel::lacks("workers") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape { workers: 2, memif: true, ..Shape::default() })?;
    lab.start()?;
    lab.restore(
        "*nat\n-A PREROUTING -i eth0 -p udp --dport 7 -j DNAT --to-destination 192.168.1.2:7007\nCOMMIT\n\
         *filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n\
         -A FORWARD -i eth0 -p udp --dport 7007 -m conntrack --ctstate NEW,DNAT -j ACCEPT\nCOMMIT\n",
    )?;
    lab.rampart.run(&format!("ip neigh replace {OUTSIDE} lladdr {} dev eth0 nud permanent", memif::NEIGHBOUR))?;
    // Few packets wait for an address to be found.
    lab.rampart.run("ping -c 1 -W 3 192.168.1.2")?;
    let (client, server) = (OUTSIDE.parse()?, SocketAddrV4::new(BOX_OUTSIDE.parse()?, 7));
    let queue = |name: &[u8]| PORTS.map(|port| memif::udp(SocketAddrV4::new(client, port), server, name)).collect::<Vec<_>>();
    let mut neighbour = Neighbour::join(&lab.rampart, lab.dir.path(), &lab.memif(), &[queue(b"zero"), queue(b"one")])?;
    let echo = lab.inside.within(|| UdpSocket::bind("192.168.1.2:7007"))??;
    echo.set_read_timeout(Some(Duration::from_secs(3)))?;
    let echo = std::thread::spawn(move || {
        let (mut data, mut echoed) = ([0; 64], 0);
        // Ends when nobody says anything any more.
        while let Ok((length, from)) = echo.recv_from(&mut data) {
            echoed += usize::from(echo.send_to(&data[..length], from).is_ok());
        }
        echoed
    });
    neighbour.send()?;
    let echoed = echo.join().expect("the echo does not panic");
    ensure!(echoed == 2 * PORTS.len(), "each packet is forwarded once: {echoed}\n{}", lab.ok("rampart status")?);
    let handed = metric(&lab, "rampart_handoffs_total", "")?;
    let left = neighbour.leave()?;

    let mut answers = BTreeMap::<u16, Vec<(usize, Vec<u8>)>>::new();
    for (queue, frames) in left.iter().enumerate() {
        for (from, to, data) in frames.iter().filter_map(|frame| memif::read_udp(frame)) {
            ensure!(from == server && *to.ip() == client, "translated back: {from} > {to}");
            answers.entry(to.port()).or_default().push((queue, data));
        }
    }
    ensure!(answers.keys().copied().eq(PORTS), "every connection is answered: {:?}", answers.keys());
    for (port, said) in &mut answers {
        said.sort();
        let keeper = said[0].0;
        ensure!(*said == [(keeper, b"one".to_vec()), (keeper, b"zero".to_vec())], "port {port}: both, and by one worker: {said:?}");
    }
    ensure!((0..2).all(|queue| answers.values().any(|said| said[0].0 == queue)), "both workers have some: {answers:?}");
    ensure!(lab.counters("--to-destination")?.0 == PORTS.len() as u64, "each connection is new once");
    ensure!(handed >= PORTS.len() as f64, "one of each connection's packets came to the wrong worker: {handed}");
    Ok(())
}
