//! Sets that rules name, changed while packets come.

use std::time::Duration;

use anyhow::{Result, ensure};
use net::kernel;
use net::lab::{Lab, OUTSIDE, Shape};
use net::process::wait_until;

/// What a ping has of bytes if nobody says otherwise.
const PING: usize = 84;
const RULES: &str = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m set --match-set blocked src -j DROP\nCOMMIT\n";

#[test]
#[ignore = "needs namespaces: make test-net"]
fn an_address_is_blocked_from_the_next_packet_on_and_set_free_again() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.route_inward()?;
    lab.ok("ipset create blocked hash:ip counters")?;
    lab.restore(RULES)?;
    let passes = |lab: &Lab| lab.ping_inward(PING);
    wait_until("neighbours, behind an empty set", Duration::from_secs(10), || passes(&lab))?;
    lab.ok(&format!("ipset add blocked {OUTSIDE}"))?;
    ensure!(!passes(&lab)?, "blocked");
    ensure!(lab.ok("ipset list blocked")?.contains(&format!("{OUTSIDE} packets 1 bytes 84")), "the packet is counted");
    lab.ok(&format!("ipset del blocked {OUTSIDE}"))?;
    ensure!(passes(&lab)?, "set free");
    // What another set holds, all at once.
    lab.ok("ipset create other hash:ip counters")?;
    lab.ok(&format!("ipset add other {OUTSIDE}"))?;
    lab.ok("ipset swap other blocked")?;
    ensure!(!passes(&lab)?, "the other set is in its place");
    lab.ok("ipset flush blocked")?;
    ensure!(passes(&lab)?, "emptied");
    lab.ok(&format!("ipset add blocked {OUTSIDE}"))?;
    if !kernel::lacks("a control daemon") {
        ensure!(!passes(&lab)?, "blocked before the restart");
        lab.stop_control(false)?;
        ensure!(!passes(&lab)?, "blocked while the control daemon is dead");
        lab.start_control()?;
        lab.wait_ready()?;
        ensure!(!passes(&lab)?, "blocked by the next one, too");
        ensure!(lab.ok("ipset list blocked")?.contains("packets 3 bytes 252"), "no count was lost");
    }
    lab.ok(&format!("ipset del blocked {OUTSIDE}"))?;
    ensure!(passes(&lab)?, "set free after all");
    if !kernel::lacks("a dataplane that dies alone") {
        lab.ok(&format!("ipset add blocked {OUTSIDE}"))?;
        lab.stop_dataplane(false)?;
        lab.start_dataplane()?;
        lab.wait_ready()?;
        ensure!(!passes(&lab)?, "blocked by a new dataplane");
    }
    let (done, said) = lab.cli("ipset destroy blocked")?;
    ensure!(!done && said.contains("in use"), "a rule holds it: {said}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn an_address_is_free_when_its_time_is_over() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.route_inward()?;
    lab.ok("ipset create blocked hash:net timeout 2")?;
    lab.restore(RULES)?;
    lab.ok("ipset add blocked 203.0.113.0/24")?;
    ensure!(!lab.ping_inward(PING)?, "blocked");
    std::thread::sleep(Duration::from_millis(2200));
    wait_until("its time is over", Duration::from_secs(5), || lab.ping_inward(PING))
}

/// Who knocks on a port gets in at another one; who comes to a third one is blocked. The set's elements are there for `ipset`, and for the daemons that come.
#[test]
#[ignore = "needs namespaces: make test-net"]
fn packets_change_sets_for_the_next_packet_and_for_every_command() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.route_inward()?;
    lab.ok("ipset create knocked hash:ip timeout 300 counters")?;
    lab.restore(
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -s 192.168.1.2 -j ACCEPT\n\
         -A FORWARD -p icmp -m length --length 42 -j SET --add-set knocked src\n\
         -A FORWARD -p icmp -m length --length 43 -j SET --del-set knocked src\n\
         -A FORWARD -p icmp -m length --length 44 -j SET --add-set knocked src --exist --timeout 2\n\
         -A FORWARD -m set --match-set knocked src -j ACCEPT\nCOMMIT\n",
    )?;
    wait_until("neighbours, behind a knock", Duration::from_secs(10), || lab.ping_inward(42))?;
    ensure!(lab.ok("ipset list knocked")?.contains(&format!("{OUTSIDE} timeout 29")), "it is listed");
    ensure!(lab.ping_inward(60)?, "known by the knock");
    ensure!(!lab.ping_inward(43)? && !lab.ping_inward(60)?, "forgotten");
    ensure!(!lab.ok("ipset save knocked")?.contains("add"), "and not listed any more");
    ensure!(lab.ping_inward(42)? && lab.ping_inward(60)?, "known again");
    lab.ok(&format!("ipset del knocked {OUTSIDE}"))?;
    ensure!(!lab.ping_inward(60)?, "forgotten by a command");
    ensure!(lab.ping_inward(42)?, "known once more");
    if !kernel::lacks("a control daemon") {
        lab.stop_control(false)?;
        ensure!(lab.ping_inward(60)?, "known while the control daemon is dead");
        ensure!(!lab.ping_inward(43)? && lab.ping_inward(42)?, "changed while it is dead");
        lab.start_control()?;
        lab.wait_ready()?;
        ensure!(lab.ping_inward(60)?, "known by the next one, too");
        ensure!(lab.ok("ipset list knocked")?.contains(&format!("{OUTSIDE} timeout 29")), "which lists it");
    }
    ensure!(lab.ping_inward(44)?, "renewed for two seconds");
    std::thread::sleep(Duration::from_millis(2300));
    ensure!(!lab.ping_inward(60)?, "its time is over");
    Ok(())
}
