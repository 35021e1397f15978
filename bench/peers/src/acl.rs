//! DPDK's own classifier, by its program `dpdk-test-acl`: lookups among rules of the classes by which Rampart's trees are measured, by the fastest
//! of its algorithms that this processor has. It only classifies: what it needs compares with a lookup in a tree.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use micro::classes::{self, Class};
use packet::{Header, Ipv4};
use report::{Record, Slices};
use tempfile::TempDir;

/// What is looked up.
pub(crate) const CLASSES: [Class; 3] = [Class::Acl, Class::Firewall, Class::Chain];
pub(crate) const RULES: u32 = 10_000;
const PACKETS: usize = 16_384;
/// From the fastest on.
const ALGORITHMS: [&str; 4] = ["avx512x16", "avx2", "sse", "scalar"];
/// Times that it is started; each gives one figure, over so many rounds of all packets.
const STARTS: usize = 5;
const ROUNDS: u32 = 20;

/// Nanoseconds a lookup.
pub(crate) fn measure(name: &str, class: Class, cpu: usize) -> Result<Record> {
    let rules = classes::rules(class, RULES);
    let folder = TempDir::new()?;
    let (rules_file, packets_file) = (folder.path().join("rules"), folder.path().join("packets"));
    fs::write(&rules_file, lines(&classes::text(&rules))?)?;
    fs::write(&packets_file, classes::packets(&rules, PACKETS).iter().map(packet).collect::<String>())?;
    let start = |algorithm: &str| -> Result<Option<f64>> {
        let out = Command::new("dpdk-test-acl")
            .args([format!("--lcores=0@{cpu}"), format!("--file-prefix=acl-{}", std::process::id())])
            .args(["--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m900", "--"])
            .args([format!("--rulesf={}", rules_file.display()), format!("--tracef={}", packets_file.display())])
            .args([format!("--rulenum={RULES}"), format!("--tracenum={PACKETS}"), format!("--iter={ROUNDS}")])
            .args([format!("--alg={algorithm}")])
            .stdin(Stdio::null())
            .output()
            .context("starting dpdk-test-acl (package dpdk-dev)")?;
        Ok(lookup(&String::from_utf8_lossy(&out.stdout)))
    };
    for algorithm in ALGORITHMS {
        // One that the processor lacks says nothing.
        let Some(first) = start(algorithm)? else { continue };
        let mut each = vec![first];
        for _ in 1..STARTS {
            each.extend(start(algorithm)?);
        }
        return Ok(Record {
            name: name.to_owned(),
            whole: Slices::of(each),
            io: None,
            base: None,
            memory: None,
            instructions: None,
        });
    }
    bail!("none of its algorithms gave a result")
}

/// Nanoseconds a lookup, as it says packets a second.
fn lookup(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.contains("cycles/pkt"))?;
    let rate: f64 = line.split(", ").find_map(|part| part.strip_suffix(" pkt/sec"))?.parse().ok()?;
    (rate > 0.0).then_some(1e9 / rate)
}

/// The rules as it reads them, from the lines of `iptables-save`.
fn lines(text: &str) -> Result<String> {
    let mut lines = String::new();
    let mut count = 0;
    for line in text.lines().filter(|line| line.starts_with("-A FORWARD")) {
        let words: Vec<&str> = line.split(' ').collect();
        let behind = |option: &str| words.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1]);
        let network = |option| behind(option).unwrap_or("0.0.0.0/0");
        let ports = |option| match behind(option).map(|ports| ports.split_once(':').unwrap_or((ports, ports))) {
            Some((first, last)) => format!("{first} : {last}"),
            None => "0 : 65535".to_owned(),
        };
        let protocol = match behind("-p") {
            None => "0x00/0x00",
            Some("tcp") => "0x06/0xff",
            Some("udp") => "0x11/0xff",
            Some("icmp") => "0x01/0xff",
            Some(other) => bail!("protocol {other}"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "@{} {} {} {} {protocol}", network("-s"), network("-d"), ports("--sport"), ports("--dport"));
        count += 1;
    }
    ensure!(count == RULES, "{count} rules of {RULES}");
    Ok(lines)
}

/// A packet as it reads it.
fn packet(header: &Header<Ipv4>) -> String {
    let (sport, dport) = header.ports().unwrap_or_default();
    format!("{} {} {sport} {dport} {}\n", header.src, header.dst, header.protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_is_read() {
        let said = "search_ip5tuples  @lcore 0: 5 iterations, 5000 pkts, 1 categories, 619736 cycles (0.00 sec), 123.95 cycles/pkt, \
                    20000000.00 pkt/sec\n";
        assert_eq!(lookup(said), Some(50.0));
        assert_eq!(lookup("ACL: unsupported\n"), None);
    }

    #[test]
    fn every_rule_of_a_class_has_its_line() {
        for class in CLASSES {
            let text = lines(&classes::text(&classes::rules(class, RULES))).expect("all protocols are known");
            assert_eq!(text.lines().count(), RULES as usize);
            assert!(text.lines().all(|line| line.starts_with('@') && line.split(' ').count() == 9), "{text}");
        }
    }
}
