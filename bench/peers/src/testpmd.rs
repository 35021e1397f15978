//! DPDK's own forwarder, `dpdk-testpmd`: packets from a capture that is sent round and round, to nowhere. What it needs for a packet is the
//! floor for whoever touches a packet's addresses, and knows no rules.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use micro::classes::Chance;
use net::memif;
use report::{Record, Slices};
use scene::scenario::Load;
use scene::traffic::{FRAME, Stamp};
use tempfile::TempDir;

/// What it does with a packet.
pub(crate) const MODES: [&str; 3] = ["io", "mac", "5tswap"];
/// Seconds that count, and those before them.
const SECONDS: usize = 20;
const WARM_UP: usize = 2;
/// Packets of the capture.
const PACKETS: usize = 4096;
const FLOWS: u32 = 10_000;

/// A program that ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Nanoseconds a packet in that mode, from the packets of each second.
pub(crate) fn measure(name: &str, mode: &str, cpu: usize) -> Result<Record> {
    let folder = TempDir::new()?;
    let capture = folder.path().join("packets.pcap");
    fs::write(&capture, memif::capture(&packets()))?;
    let device = |number| format!("--vdev=net_pcap{number},rx_pcap={},infinite_rx=1", capture.display());
    let mut child = Command::new("dpdk-testpmd")
        .args([format!("--lcores=0@0,1@{cpu}"), device(0), device(1), format!("--file-prefix=peers-{}", std::process::id())])
        .args(["--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m256", "--", "--auto-start", "--stats-period=1"])
        .args(["--total-num-mbufs=16384", "--nb-cores=1", "--no-mlockall", &format!("--forward-mode={mode}")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("starting dpdk-testpmd (package dpdk-dev)")?;
    let lines = BufReader::new(child.stdout.take().context("its standard output")?).lines();
    let running = Running(child);
    let mut rates = Vec::new();
    for line in lines {
        // A line for each of the two ports.
        if let Some(rate) =
            line?.trim().strip_prefix("Rx-pps:").and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<f64>().ok())
        {
            rates.push(rate);
        }
        if rates.len() == 2 * (WARM_UP + SECONDS) {
            break;
        }
    }
    drop(running);
    ensure!(rates.len() == 2 * (WARM_UP + SECONDS), "it ended after {} seconds", rates.len() / 2);
    let each: Vec<f64> = rates.chunks(2).skip(WARM_UP).map(|ports| 1e9 / ports.iter().sum::<f64>()).collect();
    ensure!(each.iter().all(|each| each.is_finite()), "it forwarded nothing");
    Ok(Record { name: name.to_owned(), whole: Slices::of(each), io: None, base: None, memory: None, instructions: None })
}

/// The packets of known flows.
fn packets() -> Vec<Vec<u8>> {
    let (stamp, mut chance) = (Stamp::new(true), Chance(1));
    let mut load = Load::Known { flows: FLOWS, astray: false };
    let mut packet = || {
        let mut frame = vec![0; FRAME];
        stamp.write(&load.next(&mut chance), &mut frame);
        frame
    };
    (0..PACKETS).map(|_| packet()).collect()
}
