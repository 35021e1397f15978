//! The box as a router, with real programs on both sides.

use anyhow::{Result, ensure};
use net::http::{self, Site};
use net::kernel;
use net::lab::{BOX_OUTSIDE, Lab, OUTSIDE, Shape};

const WEB: [Site; 1] = [Site { listen: "192.168.1.2:80", name: "inner" }];
const ROUTE_IN: &str = "ip route replace 192.168.1.0/24 via 203.0.113.1";

#[test]
#[ignore = "needs namespaces: make test-net"]
fn nothing_answers_without_the_dataplane() -> Result<()> {
    let lab = Lab::new(Shape::default())?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    lab.outside.run(ROUTE_IN)?;
    ensure!(!lab.outside.attempt("ping -c 1 -W 1 203.0.113.1")?.0, "the box answered a ping");
    ensure!(!lab.outside.attempt("ping -c 1 -W 1 192.168.1.2")?.0, "the inside answered a ping");
    ensure!(!lab.outside.attempt("curl -s -m 1 http://192.168.1.2/")?.0, "the inner web server was reached");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn nothing_passes_before_the_first_rules_and_all_passes_under_empty_ones() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    lab.outside.run(ROUTE_IN)?;
    lab.start_dataplane()?;
    if !kernel::lacks("a time before the first rules") {
        ensure!(!lab.outside.attempt("ping -c 2 -i 0.2 -W 1 192.168.1.2")?.0, "a packet passed before any rules");
    }
    lab.start_control()?;
    lab.wait_ready()?;
    lab.outside.run("ping -c 3 -i 0.2 -W 2 192.168.1.2")?;
    lab.outside.run("ping -c 3 -i 0.2 -W 2 203.0.113.1")?;
    lab.rampart.run("ping -c 3 -i 0.2 -W 2 192.168.1.3")?;
    let page = lab.outside.run("curl -s -m 3 http://192.168.1.2/")?;
    ensure!(page.trim() == "inner saw 203.0.113.10", "untranslated: {page}");
    if kernel::lacks("a dataplane that dies alone") {
        return Ok(());
    }
    lab.stop_dataplane(false)?;
    ensure!(!lab.outside.attempt("ping -c 2 -i 0.2 -W 1 192.168.1.2")?.0, "a packet passed with the dataplane gone");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn forwarding_takes_one_from_the_ttl_and_traceroute_sees_the_box() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.outside.run(ROUTE_IN)?;
    let answers = lab.outside.run("ping -c 1 -W 2 192.168.1.2")?;
    ensure!(answers.contains("ttl=63"), "the way back costs one: {answers}");
    let expired = lab.outside.attempt("ping -c 1 -t 1 -W 2 192.168.1.2")?.1;
    ensure!(expired.contains(&format!("From {BOX_OUTSIDE}")) && expired.contains("exceeded"), "time exceeded: {expired}");
    let unreachable = lab.outside.attempt("ip route replace 10.99.0.0/16 via 203.0.113.1 && ping -c 1 -W 2 10.99.0.1")?.1;
    ensure!(unreachable.contains("Unreachable"), "no route: {unreachable}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_next_hop_that_nobody_answers_for_is_reported_to_the_sender() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.outside.run(ROUTE_IN)?;
    let said = lab.outside.attempt("ping -c 1 -W 8 192.168.1.77")?.1;
    ensure!(said.contains("Host Unreachable"), "{said}");
    // The first packet to a neighbour that does exist waits for its address and is not lost.
    lab.rampart.run("ip neigh flush dev eth1")?;
    lab.outside.run("ping -c 1 -W 3 192.168.1.4")?;
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn bulk_tcp_runs_through_masquerading_while_rules_are_replaced() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    let rules = "*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n*filter\n:FORWARD DROP [0:0]\n\
                 -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A FORWARD -i eth1 -j ACCEPT\nCOMMIT\n";
    lab.restore(rules)?;
    let _server = lab.outside.spawn("iperf3 -s -1 >/dev/null")?;
    net::process::wait_until("iperf3 listens", std::time::Duration::from_secs(5), || {
        Ok(lab.outside.attempt("ss -Hltn 'sport = :5201' | grep -q .")?.0)
    })?;
    let inside = lab.inside.clone();
    let load = std::thread::spawn(move || inside.attempt(&format!("iperf3 -c {OUTSIDE} -t 4 -f m")));
    for _ in 0..10 {
        std::thread::sleep(std::time::Duration::from_millis(300));
        lab.restore(rules)?;
    }
    let (ok, said) = load.join().expect("the load thread does not panic")?;
    ensure!(ok && said.contains("receiver"), "{said}");
    Ok(())
}
