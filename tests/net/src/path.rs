//! What a host sees of the way to another: its hops, and how long a packet may be.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::lab::Lab;
use crate::process::wait_until;

/// From the host inside, traceroute by UDP, ICMP and TCP sees the box and then the other end; and tracepath finds out that the link outside has
/// become shorter. `family` is `-4` or `-6`.
pub fn is_seen_from_inside(lab: &Lab, family: &str, through: &str, to: &str) -> Result<()> {
    for way in ["", "-I", "-T -p 80"] {
        let hops = lab.inside.run(&format!("traceroute {family} -n -q 2 -w 2 -m 4 {way} {to}"))?;
        let seen: Vec<&str> = hops.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
        ensure!(seen == [through, to], "{way}: {hops}");
    }
    lab.rampart.run("ip link set eth0 mtu 1400")?;
    lab.outside.run("ip link set net0 mtu 1400")?;
    wait_until("the box knows the link's MTU", Duration::from_secs(10), || {
        let path = lab.inside.attempt(&format!("tracepath {family} -n -m 4 {to}"))?.1;
        Ok(path.contains("pmtu 1400") && path.contains(through))
    })
}
