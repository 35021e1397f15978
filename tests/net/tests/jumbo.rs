//! 9,000-byte packets, both ways, through DNAT; and the other way to make a wire.
//!
//! net_af_packet carries jumbo frames; net_tap does not (DPDK 22.11 gives it no MTU above 1,500), so there it is ordinary frames.

use anyhow::{Result, ensure};
use net::http::{self, Site};
use net::kernel;
use net::lab::{BOX_OUTSIDE, Lab, Shape, Wire};

const DNAT: &str = "iptables -t nat -A PREROUTING -i eth0 -d 203.0.113.1 -j DNAT --to-destination 192.168.1.2";

#[test]
#[ignore = "needs namespaces: make test-net"]
fn nine_thousand_bytes_pass_both_ways_through_dnat() -> Result<()> {
    let mut lab = Lab::new(Shape { mtu: 9000, ..Shape::default() })?;
    lab.start()?;
    lab.ok(DNAT)?;
    // 8,972 bytes of data make an IP packet of 9,000; -M do forbids fragments.
    let said = lab.outside.run(&format!("ping -c 5 -i 0.2 -W 3 -M do -s 8972 {BOX_OUTSIDE}"))?;
    ensure!(said.contains(" 5 received") && said.contains("8980 bytes from 203.0.113.1"), "{said}");
    ensure!(lab.counters("--to-destination 192.168.1.2")? == (1, 9000), "one connection, counted with all its bytes");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_packet_too_big_for_the_next_wire_is_answered_with_its_mtu() -> Result<()> {
    let mut lab = Lab::new(Shape { mtu: 9000, ..Shape::default() })?;
    lab.start()?;
    lab.rampart.run("ip link set eth1 mtu 1400")?;
    lab.outside.run("ip route replace 192.168.1.0/24 via 203.0.113.1")?;
    net::process::wait_until("path MTU discovery", std::time::Duration::from_secs(5), || {
        let said = lab.outside.attempt("ping -c 1 -W 2 -M do -s 3000 192.168.1.2")?.1;
        Ok(said.contains("mtu = 1400") || said.contains("mtu=1400"))
    })
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn net_tap_carries_tcp_through_dnat() -> Result<()> {
    if kernel::lacks("net_tap") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape { wire: Wire::NetTap, ..Shape::default() })?;
    lab.start()?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &[Site { listen: "192.168.1.2:80", name: "inner" }])?;
    lab.ok(DNAT)?;
    let page = lab.outside.run(&format!("curl -sS -m 3 http://{BOX_OUTSIDE}/"))?;
    ensure!(page.trim() == "inner saw 203.0.113.10", "{page}");
    lab.outside.run(&format!("ping -c 3 -i 0.2 -W 2 -M do -s 1472 {BOX_OUTSIDE}"))?;
    Ok(())
}
