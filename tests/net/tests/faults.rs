//! What may break, and what must not break with it.

use std::time::Duration;

use anyhow::{Result, ensure};
use net::http::{self, Site};
use net::kernel;
use net::lab::{BOX_OUTSIDE, Lab, Shape};
use net::process::wait_until;

const WEB: [Site; 1] = [Site { listen: "192.168.1.2:80", name: "inner" }];
const RULES: &str = "*nat\n-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:80\nCOMMIT\n\
                     *filter\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT\n\
                     -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n";

#[test]
#[ignore = "needs namespaces: make test-net"]
fn packets_go_on_while_the_control_daemon_is_dead_and_it_finds_its_rules_again() -> Result<()> {
    if kernel::lacks("a control daemon") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    lab.start()?;
    lab.restore(RULES)?;
    let page = || -> Result<String> { lab.outside.run(&format!("curl -sS -m 3 http://{BOX_OUTSIDE}/")) };
    ensure!(page()?.trim() == "inner saw 203.0.113.10", "before");
    let rules = lab.ok("iptables-save")?;
    let counted = lab.counters("--to-destination 192.168.1.2:80")?;
    lab.stop_control(false)?;
    let page = lab.outside.run(&format!("curl -sS -m 3 http://{BOX_OUTSIDE}/"))?;
    ensure!(page.trim() == "inner saw 203.0.113.10", "with the control daemon dead: {page}");
    let (ok, said) = lab.cli("iptables -S")?;
    ensure!(!ok && said.contains("control.sock"), "the command says what is missing: {said}");
    lab.start_control()?;
    lab.wait_ready()?;
    let strip = |text: &str| {
        text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split(" [").next().unwrap_or(l).to_owned()).collect::<Vec<_>>()
    };
    ensure!(strip(&lab.ok("iptables-save")?) == strip(&rules), "the rules are those that are enforced");
    ensure!(lab.counters("--to-destination 192.168.1.2:80")?.0 == counted.0 + 1, "no count was lost");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_dead_dataplane_passes_nothing_and_a_new_one_gets_the_rules() -> Result<()> {
    if kernel::lacks("a dataplane that dies alone") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    lab.start()?;
    lab.restore(RULES)?;
    lab.outside.run(&format!("curl -sS -m 3 http://{BOX_OUTSIDE}/"))?;
    lab.stop_dataplane(false)?;
    ensure!(!lab.outside.attempt(&format!("curl -s -m 1 http://{BOX_OUTSIDE}/"))?.0, "closed");
    lab.start_dataplane()?;
    wait_until("the rules are enforced again", Duration::from_secs(10), || {
        Ok(lab.outside.attempt(&format!("curl -s -m 1 http://{BOX_OUTSIDE}/"))?.0)
    })?;
    ensure!(
        !lab.outside.attempt("ip route replace 192.168.1.0/24 via 203.0.113.1; ping -c 1 -W 1 192.168.1.2")?.0,
        "and the policy with them"
    );
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_tap_that_is_gone_is_named_and_forwarding_goes_on() -> Result<()> {
    if kernel::lacks("TAPs and a log of its own") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    lab.start()?;
    lab.outside.run("ip route replace 192.168.1.0/24 via 203.0.113.1")?;
    lab.outside.run("curl -sS -m 3 http://192.168.1.2/")?;
    lab.rampart.run("ip link set eth1 down && ip link set eth1 name lost")?;
    wait_until("the operator is told", Duration::from_secs(10), || {
        let log = lab.tail("dataplane.log") + &lab.tail("rampartd.log");
        Ok(log.contains("eth1"))
    })?;
    lab.outside.run("ping -c 1 -W 2 203.0.113.1")?;
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_second_daemon_is_refused_and_the_first_goes_on() -> Result<()> {
    if kernel::lacks("daemons") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    for daemon in ["rampart-dataplane", "rampartd"] {
        let (ok, said) = lab.cli(&format!("timeout 20 {daemon} --config {}", lab.config().display()))?;
        ensure!(!ok && (said.contains("already") || said.contains("another")), "{daemon}: {said}");
    }
    lab.outside.run("ping -c 1 -W 2 203.0.113.1")?;
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn bad_configuration_names_the_key_and_the_line() -> Result<()> {
    if kernel::lacks("a configuration file") {
        return Ok(());
    }
    let lab = Lab::new(Shape::default())?;
    let text = std::fs::read_to_string(lab.config())?;
    let cases: [(&str, String, &[&str]); 4] = [
        ("unknown.toml", text.replace("workers = 1", "workers = 1\nworkrs = 2"), &["workrs", "line 7"]),
        ("workers.toml", text.replace("workers = 1", "workers = 4"), &["workers"]),
        ("twice.toml", text.replace("name = \"eth1\"", "name = \"eth0\""), &["eth0"]),
        ("device.toml", text.replace("net_af_packet0", "net_no_such0"), &["net_no_such0"]),
    ];
    for (name, text, parts) in cases {
        let path = lab.dir.path().join(name);
        std::fs::write(&path, text)?;
        let (ok, said) = lab.cli(&format!("timeout 20 rampart-dataplane --config {}", path.display()))?;
        ensure!(!ok, "{name} was taken");
        for part in parts {
            ensure!(said.contains(part), "{name}: {part:?} in {said}");
        }
        ensure!(!said.contains("panicked"), "{name}: {said}");
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn metrics_are_served_on_loopback() -> Result<()> {
    if kernel::lacks("metrics") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.outside.run("ping -c 3 -i 0.2 -W 2 203.0.113.1")?;
    wait_until("the counters of the pings", Duration::from_secs(5), || {
        let text = lab.rampart.run("curl -s -m 2 http://127.0.0.1:9478/metrics")?;
        let received = text
            .lines()
            .filter(|l| l.starts_with("rampart_port_") && l.contains("packets") && l.contains("port=\"eth0\""))
            .filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok())
            .fold(0.0, f64::max);
        Ok(received >= 3.0 && text.contains("rampart_program_generation") && text.contains("rampart_flows"))
    })
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn the_daemons_enter_the_network_namespace_that_they_are_told() -> Result<()> {
    if kernel::lacks("namespaces that a daemon enters by itself") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape { started_elsewhere: true, ..Shape::default() })?;
    lab.start()?;
    lab.outside.run("ping -c 1 -W 2 203.0.113.1")?;
    lab.outside.run("ip route replace 192.168.1.0/24 via 203.0.113.1 && ping -c 1 -W 2 192.168.1.2")?;
    Ok(())
}
