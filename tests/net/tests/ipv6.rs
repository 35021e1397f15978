//! Real programs over IPv6, through both daemons and under ip6tables rules.

use std::time::Duration;

use anyhow::{Result, ensure};
use net::http::{self, Site};
use net::kernel;
use net::lab::{Lab, Shape};
use net::path;
use net::process::wait_until;

const BOX_OUTSIDE: &str = "2001:db8:f::1";
const OUTSIDE: &str = "2001:db8:f::10";
const BOX_INSIDE: &str = "2001:db8:1::1";
const SERVER: &str = "2001:db8:1::2";
const WEB: [Site; 2] =
    [Site { listen: "[2001:db8:1::2]:80", name: "inner" }, Site { listen: "[2001:db8:1::2]:8080", name: "hidden" }];
const PATIENCE: Duration = Duration::from_secs(10);

fn lab() -> Result<Lab> {
    let mut lab = Lab::new(Shape { ipv6: true, ..Shape::default() })?;
    lab.start()?;
    Ok(lab)
}

/// Neighbours are found in a moment; a first packet may come before.
fn reaches(lab: &Lab, address: &str) -> Result<()> {
    wait_until(&format!("{address} answers"), PATIENCE, || Ok(lab.outside.attempt(&format!("ping -6 -c 1 -W 1 {address}"))?.0))
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn without_the_key_nothing_of_ipv6_passes_and_its_rules_are_refused() -> Result<()> {
    if kernel::lacks("a key that says whether IPv6 is walked") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    for (side, address) in [(&lab.outside, OUTSIDE), (&lab.rampart, BOX_OUTSIDE)] {
        let device = if address == OUTSIDE { "net0" } else { "eth0" };
        side.run(&format!(
            "sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.{device}.disable_ipv6=0 && \
             ip addr add {address}/64 dev {device} nodad"
        ))?;
    }
    ensure!(!lab.outside.attempt(&format!("ping -6 -c 2 -i 0.2 -W 1 {BOX_OUTSIDE}"))?.0, "an IPv6 packet passed");
    ensure!(!lab.rampart.attempt(&format!("ping -6 -c 2 -i 0.2 -W 1 {OUTSIDE}"))?.0, "one left the box");
    let (ok, said) = lab.cli("ip6tables -A FORWARD -j ACCEPT")?;
    ensure!(!ok && said.contains("IPv6 rules are not enforced"), "{said}");
    let status = lab.ok("rampart status")?;
    ensure!(status.contains("Ipv6NotEnforced"), "drops have a name: {status}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn ping_and_curl_pass_under_no_rules_and_the_box_is_a_router() -> Result<()> {
    let lab = lab()?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    reaches(&lab, BOX_OUTSIDE)?;
    reaches(&lab, SERVER)?;
    let answers = lab.outside.run(&format!("ping -6 -c 1 -W 2 {SERVER}"))?;
    ensure!(answers.contains("ttl=63"), "the way back costs one: {answers}");
    lab.rampart.run(&format!("ping -6 -c 2 -i 0.2 -W 2 {SERVER}"))?;
    let page = lab.outside.run(&format!("curl -s -m 3 'http://[{SERVER}]/'"))?;
    ensure!(page.trim() == format!("inner saw {OUTSIDE}"), "untranslated: {page}");
    let expired = lab.outside.attempt(&format!("ping -6 -c 1 -t 1 -W 2 {SERVER}"))?.1;
    ensure!(expired.contains(&format!("From {BOX_OUTSIDE}")) && expired.contains("Hop limit"), "{expired}");
    let unreachable = lab.outside.attempt("ping -6 -c 1 -W 2 2001:db8:99::1")?.1;
    ensure!(unreachable.contains(&format!("From {BOX_OUTSIDE}")) && unreachable.contains("No route"), "{unreachable}");
    let nobody = lab.outside.attempt("ping -6 -c 1 -W 8 2001:db8:1::77")?.1;
    ensure!(nobody.contains("Address unreachable"), "{nobody}");
    // The first packet to a neighbour that does exist waits for its address and is not lost.
    lab.rampart.run("ip -6 neigh flush dev eth1")?;
    lab.outside.run("ping -6 -c 1 -W 4 2001:db8:1::100")?;
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn ip6tables_rules_decide_and_count_and_connections_are_tracked() -> Result<()> {
    let lab = lab()?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    lab.restore_ipv6(
        "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n\
         -A INPUT -p ipv6-icmp -j ACCEPT\n\
         -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
         -A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type echo-request -j ACCEPT\n\
         -A FORWARD -d 2001:db8:1::2 -p tcp --dport 80 -j LOG --log-prefix \"web \"\n\
         -A FORWARD -d 2001:db8:1::2 -p tcp --dport 80 -j ACCEPT\n\
         -A FORWARD -p tcp --dport 8080 -j REJECT --reject-with icmp6-adm-prohibited\n\
         -A FORWARD -p tcp --dport 8081 -j REJECT --reject-with tcp-reset\nCOMMIT\n",
    )?;
    // Neighbour discovery meets INPUT, as in the kernel.
    reaches(&lab, BOX_OUTSIDE)?;
    reaches(&lab, SERVER)?;
    ensure!(lab.counters_ipv6("--icmpv6-type 128")?.0 >= 1, "the rule counts");
    let page = lab.outside.run(&format!("curl -s -m 3 'http://[{SERVER}]/'"))?;
    ensure!(page.contains("inner saw"), "{page}");
    ensure!(lab.counters_ipv6("--dport 80 -j ACCEPT")?.0 == 1, "the first packet of one connection");
    if !kernel::lacks("log lines of a network namespace") {
        wait_until("a line in the log", PATIENCE, || {
            let log = std::fs::read_to_string(lab.log_file()).unwrap_or_default();
            let is_it =
                |line: &str| ["web IN=eth0 OUT=eth1 MAC=", "HOPLIMIT=63", " DPT=80 "].iter().all(|word| line.contains(word));
            Ok(log.lines().any(is_it))
        })?;
    }
    let (ok, said) = lab.outside.attempt(&format!("curl -sS -m 3 'http://[{SERVER}]:8080/'"))?;
    ensure!(!ok && said.starts_with("curl: (7)"), "refused at once: {said}");
    let (ok, said) = lab.outside.attempt(&format!("curl -sS -m 3 'http://[{SERVER}]:8081/'"))?;
    ensure!(!ok && said.starts_with("curl: (7)"), "reset: {said}");
    ensure!(!lab.inside.attempt(&format!("curl -s -m 1 'http://[{OUTSIDE}]/'"))?.0, "the policy");
    let listed = lab.ok("conntrack -L -f ipv6 2>/dev/null")?;
    ensure!(listed.contains(&format!("src={OUTSIDE} dst={SERVER}")) && listed.contains("dport=80"), "{listed}");
    lab.ok("conntrack -F -f ipv6")?;
    let listed = lab.ok("conntrack -L -f ipv6 -p tcp 2>/dev/null")?;
    ensure!(!listed.contains("dport=80"), "flushed: {listed}");
    // IPv4 has no rules and lives beside it.
    lab.outside.run("ping -c 1 -W 2 203.0.113.1")?;
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn addresses_are_translated_both_ways() -> Result<()> {
    let lab = lab()?;
    let _inner = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    let _outer = http::serve(&lab.outside, lab.dir.path(), &[Site { listen: "[2001:db8:f::10]:80", name: "outer" }])?;
    reaches(&lab, SERVER)?;
    lab.restore_ipv6(&format!(
        "*nat\n-A PREROUTING -i eth0 -p tcp --dport 8000 -j DNAT --to-destination [{SERVER}]:8080\n\
         -A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"
    ))?;
    let page = lab.inside.run(&format!("curl -s -m 3 'http://[{OUTSIDE}]/'"))?;
    ensure!(page.trim() == format!("outer saw {BOX_OUTSIDE}"), "masqueraded: {page}");
    let page = lab.outside.run(&format!("curl -s -m 3 'http://[{BOX_OUTSIDE}]:8000/'"))?;
    ensure!(page.trim() == format!("hidden saw {OUTSIDE}"), "DNAT: {page}");
    // An error from behind the translation finds its way back.
    let expired = lab.inside.attempt(&format!("ping -6 -c 1 -t 1 -W 2 {OUTSIDE}"))?.1;
    ensure!(expired.contains("Hop limit"), "{expired}");
    lab.inside.run(&format!("ping -6 -c 2 -i 0.2 -W 2 {OUTSIDE}"))?;
    // Much of it, in both directions, in segments that the programs' kernels do not cut.
    let _server = lab.outside.spawn("iperf3 -s >/dev/null 2>&1")?;
    wait_until("iperf3 listens", PATIENCE, || Ok(lab.outside.attempt("ss -Hltn 'sport = :5201' | grep -q .")?.0))?;
    for way in ["", "-R", "-u -b 20M"] {
        let said = lab.inside.run(&format!("iperf3 -6 -c {OUTSIDE} -t 1 -f m {way}"))?;
        ensure!(said.contains("receiver"), "{way}: {said}");
    }
    let listed = lab.ok("conntrack -L -f ipv6 2>/dev/null")?;
    let masqueraded = listed.lines().filter(|line| line.contains("dport=5201") && line.contains(&format!("dst={BOX_OUTSIDE} ")));
    ensure!(masqueraded.count() >= 3, "{listed}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn the_path_mtu_is_found_and_bulk_tcp_runs() -> Result<()> {
    let lab = lab()?;
    reaches(&lab, SERVER)?;
    lab.rampart.run("ip link set eth1 mtu 1400")?;
    lab.inside.run("ip link set net0 mtu 1400")?;
    lab.restore_ipv6(
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n\
         -A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n",
    )?;
    wait_until("the box says how long a packet may be", PATIENCE, || {
        let said = lab.outside.attempt(&format!("ping -6 -c 1 -M do -s 1420 -W 1 {SERVER}"))?.1;
        Ok(said.contains("mtu=1400") || said.contains("mtu: 1400") || said.contains("mtu = 1400"))
    })?;
    let _server = lab.inside.spawn("iperf3 -s -1 >/dev/null")?;
    wait_until("iperf3 listens", PATIENCE, || Ok(lab.inside.attempt("ss -Hltn 'sport = :5201' | grep -q .")?.0))?;
    let said = lab.outside.run(&format!("iperf3 -6 -c {SERVER} -t 2 -f m"))?;
    ensure!(said.contains("receiver"), "{said}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn traceroute_sees_the_box_from_behind_translation_and_tracepath_the_path_mtu() -> Result<()> {
    let lab = lab()?;
    reaches(&lab, SERVER)?;
    lab.restore_ipv6("*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n")?;
    path::is_seen_from_inside(&lab, "-6", BOX_INSIDE, OUTSIDE)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn rules_connections_and_counters_of_ipv6_outlive_the_control_daemon() -> Result<()> {
    if kernel::lacks("daemons") {
        return Ok(());
    }
    let mut lab = lab()?;
    let _web = http::serve(&lab.inside, lab.dir.path(), &WEB)?;
    reaches(&lab, SERVER)?;
    lab.restore_ipv6(
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n\
         -A FORWARD -d 2001:db8:1::2 -p tcp --dport 80 -j ACCEPT\nCOMMIT\n",
    )?;
    let get = format!("curl -s -m 2 -o /dev/null 'http://[{SERVER}]/'");
    let hidden = format!("curl -s -m 1 -o /dev/null 'http://[{SERVER}]:8080/'");
    lab.outside.run(&get)?;
    let saved = lab.ok("ip6tables -S")?;
    ensure!(listed(&lab)?, "a connection is there");
    lab.stop_control(false)?;
    lab.outside.run(&get)?;
    ensure!(!lab.outside.attempt(&hidden)?.0, "the rules stay in force without the control daemon");
    lab.start_control()?;
    lab.wait_ready()?;
    ensure!(lab.ok("ip6tables -S")? == saved, "the rules came back");
    ensure!(lab.counters_ipv6("--dport 80 ")?.0 == 2, "what was counted meanwhile is there");
    ensure!(listed(&lab)?, "and the connections were not touched");
    // An edit of IPv4 leaves what IPv6 has counted.
    lab.ok("iptables -A FORWARD -p tcp --dport 9 -j DROP")?;
    ensure!(lab.counters_ipv6("--dport 80 ")?.0 == 2, "an edit of IPv4");
    lab.ok("ip6tables -Z FORWARD")?;
    ensure!(lab.counters_ipv6("--dport 80 ")?.0 == 0, "zeroed");
    Ok(())
}

/// Is there a connection to the web server?
fn listed(lab: &Lab) -> Result<bool> {
    Ok(lab.ok("conntrack -L -f ipv6 -p tcp 2>/dev/null")?.contains("dport=80"))
}
