//! `make demo`: real programs talk through Rampart while iptables rules decide what passes.
//!
//! Each step runs a program, says what was expected and what happened, and the demo fails when they differ.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use net::http::{self, Site};
use net::kernel;
use net::lab::{BOX_OUTSIDE, Lab, OUTSIDE, Shape, have};
use net::process::wait_until;
use net::ssh::Sshd;

const RULES: &str = include_str!("../../../../configs/rulesets/demo.rules");
const RULES_IPV6: &str = include_str!("../../../../configs/rulesets/demo6.rules");
const BOX_OUTSIDE_IPV6: &str = "2001:db8:f::1";
const OUTSIDE_IPV6: &str = "2001:db8:f::10";
const TOOLS: [&str; 7] = ["curl", "nginx", "ping", "sshd", "ssh", "ip", "nft"];

fn main() -> ExitCode {
    let missing: Vec<&str> = TOOLS.into_iter().filter(|tool| !have(tool)).collect();
    if !missing.is_empty() {
        eprintln!("missing: {} (as root: make deps)", missing.join(" "));
        return ExitCode::from(77);
    }
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo failed: {error:?}");
            ExitCode::FAILURE
        }
    }
}

/// Prints one line of the report; a step that did not go as expected ends the demo.
fn report(step: &str, good: bool, saw: &str) -> Result<()> {
    let saw = saw.trim().replace('\n', " | ");
    println!("  {} {step:<52} {saw}", if good { "ok  " } else { "FAIL" });
    ensure!(good, "{step}: {saw}");
    Ok(())
}

fn demo() -> Result<()> {
    let system = if kernel::under_test() { "The kernel" } else { "Rampart" };
    println!("{system} between two hosts, each in a network namespace of its own:\n");
    println!("  outside 203.0.113.10 ---- [eth0 203.0.113.1  {system}  192.168.1.1 eth1] ---- inside 192.168.1.2, .3, .4, .100\n");
    let mut lab = Lab::new(Shape { ipv6: true, ..Shape::default() })?;
    let inner = http::serve(
        &lab.inside,
        lab.dir.path(),
        &[
            Site { listen: "192.168.1.2:8080", name: "the inner web server" },
            Site { listen: "192.168.1.2:80", name: "server-1" },
            Site { listen: "192.168.1.3:80", name: "server-2" },
            Site { listen: "192.168.1.4:80", name: "server-3" },
            Site { listen: "192.168.1.100:443", name: "nobody should read this" },
            Site { listen: "[2001:db8:1::2]:80", name: "the inner web server" },
            Site { listen: "[2001:db8:1::2]:8080", name: "the hidden web server" },
            Site { listen: "[2001:db8:1::100]:443", name: "nobody should read this" },
        ],
    )?;
    let outer = ["203.0.113.10:80", "[2001:db8:f::10]:80"].map(|listen| Site { listen, name: "the outer web server" });
    let outer = http::serve(&lab.outside, lab.dir.path(), &outer)?;

    println!("Without the firewall nothing passes:");
    let (answered, _) = lab.outside.attempt("curl -s -m 1 http://203.0.113.1/")?;
    report("no dataplane: the outside reaches nothing", !answered, "no answer")?;

    lab.start()?;
    // The question for the box's address that nobody answered above is asked anew: it could fail under the first ping.
    lab.outside.run("ip neigh flush dev net0")?;
    if !kernel::lacks("daemons") {
        println!("\nBoth daemons run; `rampart status` says:");
        for line in lab.ok("rampart status")?.lines().take(12) {
            println!("    {line}");
        }
    }
    lab.restore(RULES)?;
    println!("\nThe rules of configs/rulesets/demo.rules are loaded with iptables-restore. Now real programs:");
    let sshd = Sshd::start(&lab.rampart, lab.dir.path())?;
    steps(&lab, &sshd)?;
    lab.restore_ipv6(RULES_IPV6)?;
    println!("\nIPv6, with the rules of configs/rulesets/demo6.rules and ip6tables-restore:");
    steps_ipv6(&lab)?;

    println!("\n`iptables -L -v -n`:\n");
    print!("{}", indent(&lab.ok("iptables -L -v -n")?));
    println!("\n`iptables -t nat -L -v -n`:\n");
    print!("{}", indent(&lab.ok("iptables -t nat -L -v -n")?));
    println!("\n`ip6tables -L -v -n`:\n");
    print!("{}", indent(&lab.ok("ip6tables -L -v -n")?));
    if !kernel::lacks("daemons") {
        println!("\n`rampart status`:\n");
        print!("{}", indent(&lab.ok("rampart status")?));
        drop((inner, outer, sshd));
        lab.stop_control(true)?;
        lab.stop_dataplane(true)?;
        println!("\nBoth daemons stopped cleanly; the namespaces end with this program.");
    }
    println!("\nThe demo passed.");
    Ok(())
}

fn steps(lab: &Lab, sshd: &Sshd) -> Result<()> {
    let (ok, saw) = lab.outside.attempt("ping -c 3 -i 0.2 -W 1 203.0.113.1 | grep received")?;
    report("ping the box (INPUT -p icmp)", ok && saw.contains(" 3 received"), &saw)?;

    let (ok, saw) = lab.inside.attempt("ping -c 3 -i 0.2 -W 1 203.0.113.10 | grep received")?;
    report("ping through the box", ok && saw.contains(" 3 received"), &saw)?;

    let (ok, saw) = lab.inside.attempt(&format!("curl -s -m 3 --interface 192.168.1.100 http://{OUTSIDE}/"))?;
    report("MASQUERADE: the outer server sees the box", ok && saw.contains(&format!("saw {BOX_OUTSIDE}")), &saw)?;

    let (ok, saw) = lab.outside.attempt(&format!("curl -s -m 3 http://{BOX_OUTSIDE}/"))?;
    report("DNAT: port 80 goes to the inner server's 8080", ok && saw.contains("the inner web server"), &saw)?;

    lab.outside.run("ip route replace 192.168.1.0/24 via 203.0.113.1")?;
    let started = Instant::now();
    let (ok, saw) = lab.outside.attempt("curl -sS -m 3 http://192.168.1.100:443/")?;
    report(
        "a port that no rule allows is refused at once",
        !ok && saw.starts_with("curl: (7)") && started.elapsed() < Duration::from_secs(1),
        &saw,
    )?;

    let (ok, saw) = lab.outside.attempt("ping -c 2 -i 0.2 -W 1 192.168.1.100 | grep received")?;
    report("a ping from outside to inside is dropped", !ok || saw.contains(" 0 received"), &saw)?;

    let mut servers = BTreeMap::new();
    for _ in 0..9 {
        let said = lab.outside.run(&format!("curl -s -m 3 http://{BOX_OUTSIDE}:8000/"))?;
        let name = said.split_whitespace().next().context("an empty answer")?.to_owned();
        *servers.entry(name).or_insert(0) += 1;
    }
    let spread = servers.iter().map(|(name, count)| format!("{name} {count} times")).collect::<Vec<_>>().join(", ");
    report("load balancing: nine connections, three servers", servers.len() == 3 && servers.values().all(|n| *n == 3), &spread)?;

    let (ok, saw) = sshd.login(&lab.outside, BOX_OUTSIDE, "echo logged in to $(ip -br addr show eth0)")?;
    report("SSH to the box itself (INPUT --dport 22)", ok && saw.contains("203.0.113.1/24"), &saw)?;

    if !kernel::lacks("log lines of a network namespace") {
        let mut line = String::new();
        wait_until("a LOG line of the SSH connection", Duration::from_secs(3), || {
            let text = std::fs::read_to_string(lab.log_file()).unwrap_or_default();
            line = text.lines().find(|l| l.contains("SSH Attempt: IN=eth0")).unwrap_or_default().to_owned();
            Ok(!line.is_empty())
        })?;
        report("LOG, in the kernel's format", line.contains("SRC=203.0.113.10 DST=203.0.113.1"), "")?;
        println!("         {line}");
    }

    let bad = "*filter\n-A INPUT -p tcp --dport 9 -j ACCEPT\n-A INPUT --no-such-option -j DROP\nCOMMIT\n";
    let before = lab.ok("iptables -S")?;
    let refused = lab.restore(bad);
    report("a bad restore changes nothing", refused.is_err() && lab.ok("iptables -S")? == before, "refused, rules as before")?;
    Ok(())
}

fn steps_ipv6(lab: &Lab) -> Result<()> {
    // Neighbours are found by the kernel behind the TAPs, with the first packets.
    wait_until("the box answers over IPv6", Duration::from_secs(10), || {
        Ok(lab.outside.attempt(&format!("ping -6 -c 1 -W 1 {BOX_OUTSIDE_IPV6}"))?.0)
    })?;
    let (ok, saw) = lab.outside.attempt(&format!("ping -6 -c 3 -i 0.2 -W 1 {BOX_OUTSIDE_IPV6} | grep received"))?;
    report("ping the box (INPUT -p ipv6-icmp)", ok && saw.contains(" 3 received"), &saw)?;

    let (ok, saw) = lab.inside.attempt(&format!("curl -s -m 3 'http://[{OUTSIDE_IPV6}]/'"))?;
    report("MASQUERADE: the outer server sees the box", ok && saw.contains(&format!("saw {BOX_OUTSIDE_IPV6}")), &saw)?;

    let (ok, saw) = lab.outside.attempt("curl -s -m 3 'http://[2001:db8:1::2]/'")?;
    report("routed: the inner server sees the client", ok && saw.contains(&format!("saw {OUTSIDE_IPV6}")), &saw)?;

    let (ok, saw) = lab.outside.attempt(&format!("curl -s -m 3 'http://[{BOX_OUTSIDE_IPV6}]/'"))?;
    report("DNAT: port 80 of the box is the hidden server's", ok && saw.contains("the hidden web server"), &saw)?;

    let started = Instant::now();
    let (ok, saw) = lab.outside.attempt("curl -sS -m 3 'http://[2001:db8:1::100]:443/'")?;
    report(
        "a port that no rule allows is refused at once",
        !ok && saw.starts_with("curl: (7)") && started.elapsed() < Duration::from_secs(1),
        &saw,
    )?;

    let (ok, saw) = lab.outside.attempt("ping -6 -c 2 -i 0.2 -W 1 2001:db8:1::2 | grep received")?;
    report("a ping from outside to inside is dropped", !ok || saw.contains(" 0 received"), &saw)
}

fn indent(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}
