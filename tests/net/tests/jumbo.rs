//! 9,000-byte packets, both ways, through DNAT.

use anyhow::{Result, ensure};
use net::lab::{BOX_OUTSIDE, Lab, Shape, Wire};

#[test]
#[ignore = "needs namespaces: make test-net"]
fn nine_thousand_bytes_pass_both_ways_through_dnat_over_net_tap() -> Result<()> {
    let mut lab = Lab::new(Shape { wire: Wire::NetTap, mtu: 9000 })?;
    lab.start()?;
    lab.ok("iptables -t nat -A PREROUTING -i eth0 -d 203.0.113.1 -j DNAT --to-destination 192.168.1.2")?;
    // 8,972 bytes of data make an IP packet of 9,000; -M do forbids fragments.
    let said = lab.outside.run(&format!("ping -c 5 -i 0.2 -W 3 -M do -s 8972 {BOX_OUTSIDE}"))?;
    ensure!(said.contains(" 5 received") && said.contains("8980 bytes from 203.0.113.1"), "{said}");
    ensure!(lab.counters("--to-destination 192.168.1.2")? == (1, 9000), "one connection, counted with all its bytes");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_packet_too_big_for_the_next_wire_is_answered_with_its_mtu() -> Result<()> {
    let mut lab = Lab::new(Shape { wire: Wire::NetTap, mtu: 9000 })?;
    lab.start()?;
    lab.rampart.run("ip link set eth1 mtu 1400")?;
    lab.outside.run("ip route replace 192.168.1.0/24 via 203.0.113.1")?;
    net::process::wait_until("path MTU discovery", std::time::Duration::from_secs(5), || {
        let said = lab.outside.attempt("ping -c 1 -W 2 -M do -s 3000 192.168.1.2")?.1;
        Ok(said.contains("mtu = 1400") || said.contains("mtu=1400"))
    })
}
