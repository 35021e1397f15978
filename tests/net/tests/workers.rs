//! Two workers, each with a queue of every port: real connections whose packets come to either, and whose two directions need not agree.

use std::time::Duration;

use anyhow::{Result, ensure};
use net::http::{self, Site};
use net::kernel;
use net::lab::{BOX_OUTSIDE, Lab, OUTSIDE, Shape, Wire};
use net::process::wait_until;

const INNER: [Site; 1] = [Site { listen: "192.168.1.2:8080", name: "inner" }];
const OUTER: [Site; 1] = [Site { listen: "203.0.113.10:80", name: "outer" }];

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

/// Connections in both directions, pings and datagrams in pieces; each must work.
fn everything_works(lab: &Lab, rounds: u32) -> Result<()> {
    for _ in 0..rounds {
        let out = lab.inside.run(&format!("curl -s -m 5 http://{OUTSIDE}/"))?;
        ensure!(out.trim() == format!("outer saw {BOX_OUTSIDE}"), "masqueraded: {out}");
        let inward = lab.outside.run(&format!("curl -s -m 5 http://{BOX_OUTSIDE}/"))?;
        ensure!(inward.trim() == format!("inner saw {OUTSIDE}"), "forwarded: {inward}");
    }
    for source in ["192.168.1.100", "192.168.1.2", "192.168.1.3", "192.168.1.4"] {
        lab.inside.run(&format!("ping -c 2 -i 0.1 -W 2 -I {source} {OUTSIDE}"))?;
    }
    Ok(())
}

fn two_workers(wire: Wire) -> Result<()> {
    if kernel::under_test() && kernel::lacks("workers") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape { workers: 2, wire, ..Shape::default() })?;
    lab.start()?;
    let _inner = http::serve(&lab.inside, lab.dir.path(), &INNER)?;
    let _outer = http::serve(&lab.outside, lab.dir.path(), &OUTER)?;
    lab.restore(RULES)?;
    everything_works(&lab, 20)?;
    if wire == Wire::NetTap {
        // net_af_packet has the host put fragments together.
        lab.inside.run(&format!("ping -c 3 -i 0.1 -W 2 -s 4000 {OUTSIDE}"))?;
    }
    let new = lab.counters("--dport 8080")?.0;
    ensure!(new == 20, "each forwarded connection is new once, and was so {new} times");
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
