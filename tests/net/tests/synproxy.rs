//! SYNPROXY before real servers: what real programs send gets through it, in both directions.

use std::time::Duration;

use anyhow::{Result, ensure};
use net::http::{self, Site};
use net::lab::{Lab, OUTSIDE, Shape};
use net::process::wait_until;

const RULES: &str = "*raw\n\
    -A PREROUTING -i eth1 -p tcp --syn -j CT --notrack\n\
    COMMIT\n\
    *filter\n\
    -A FORWARD -i eth1 -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460\n\
    -A FORWARD -m conntrack --ctstate INVALID -j DROP\n\
    COMMIT\n";

fn lab(workers: u32) -> Result<Lab> {
    let mut lab = Lab::new(Shape { workers, conntrack: &[("nf_conntrack_tcp_loose", "false")], ..Shape::default() })?;
    lab.start()?;
    lab.restore(RULES)?;
    Ok(lab)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn curl_gets_its_page_through_synproxy_by_one_worker_and_by_two() -> Result<()> {
    for workers in [1, 2] {
        let lab = lab(workers)?;
        let _server = http::serve(&lab.outside, lab.dir.path(), &[Site { listen: "203.0.113.10:80", name: "server" }])?;
        for _ in 0..10 {
            let page = lab.inside.run(&format!("curl -s -m 5 http://{OUTSIDE}/"))?;
            ensure!(page == "server saw 192.168.1.100\n", "{workers}: {page:?}");
        }
        let (done, said) = lab.inside.attempt(&format!("curl -s -m 5 -w '%{{exitcode}}' http://{OUTSIDE}:81/"))?;
        // SYNPROXY has connected it already. The server's reset comes before curl has looked (7), while it sends (55) or while it reads (56).
        ensure!(!done && ["7", "55", "56"].contains(&said.trim()), "a refusal reaches the client at once: {said}");
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn iperf3_runs_both_ways_through_synproxy() -> Result<()> {
    let lab = lab(1)?;
    for way in ["", "-R"] {
        let _server = lab.outside.spawn("iperf3 -s -1 >/dev/null")?;
        wait_until("iperf3 listens", Duration::from_secs(5), || {
            Ok(lab.outside.attempt("ss -Hltn 'sport = :5201' | grep -q .")?.0)
        })?;
        let said = lab.inside.run(&format!("iperf3 -c {OUTSIDE} -t 3 -f m {way}"))?;
        let arrived = said.lines().rev().find(|line| line.contains("receiver")).is_some_and(|line| line.contains("MBytes"));
        ensure!(arrived, "{way}: {said}");
    }
    Ok(())
}
