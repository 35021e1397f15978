//! A neighbour that chooses the queue of each frame: DPDK's testpmd at the other end of a memif, whose queues are those of the box's port.
//!
//! What it sends lies in a capture file for each queue, and what comes out of each queue of the box is written to another.

use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::namespace::Namespace;
use crate::process::{Process, wait_until};

/// Ethernet address of the box's port.
pub const BOX: &str = "02:00:00:00:00:01";
/// Ethernet address of the neighbour.
pub const NEIGHBOUR: &str = "02:00:00:00:00:99";

/// The memif at that socket, without its role.
pub(crate) fn device(socket: &Path) -> String {
    format!("net_memif0,id=0,socket={},socket-abstract=no,rsize=10", socket.display())
}

/// A neighbour that waits for the word to send.
pub struct Neighbour {
    process: Process,
    commands: File,
    out: Vec<PathBuf>,
}

impl Neighbour {
    /// Joins the box; `queues` are the frames that it will send to each.
    pub fn join(host: &Namespace, dir: &Path, socket: &Path, queues: &[Vec<Vec<u8>>]) -> Result<Self> {
        let (mut files, mut out) = (String::new(), Vec::new());
        for (queue, frames) in queues.iter().enumerate() {
            let [sent, left] = ["sent", "left"].map(|name| dir.join(format!("{name}{queue}.pcap")));
            fs::write(&sent, capture(frames))?;
            files += &format!(",rx_pcap={},tx_pcap={}", sent.display(), left.display());
            out.push(left);
        }
        let (fifo, log) = (dir.join("testpmd.commands"), dir.join("testpmd.log"));
        host.run(&format!("mkfifo {}", fifo.display()))?;
        let n = queues.len();
        let mut process = host.spawn(&format!(
            "dpdk-testpmd '--lcores=0@(0,1),1@(0,1)' --no-huge --no-shconf -m 128 --no-pci --no-telemetry --vdev={},role=client \
             --vdev=net_pcap0{files} -- -i --rxq={n} --txq={n} --forward-mode=io --no-flush-rx --total-num-mbufs=4096 \
             --no-mlockall <{} >{log} 2>&1",
            device(socket),
            fifo.display(),
            log = log.display(),
        ))?;
        let commands = File::options().write(true).open(fifo)?;
        wait_until("the neighbour is there", Duration::from_secs(20), || {
            let said = fs::read_to_string(&log).unwrap_or_default();
            process.check_running().with_context(|| said.clone())?;
            Ok(said.contains("testpmd>"))
        })?;
        Ok(Self { process, commands, out })
    }

    /// Sends everything. The queues take turns, up to 32 frames each time.
    pub fn send(&mut self) -> Result<()> {
        Ok(self.commands.write_all(b"start\n")?)
    }

    /// Leaves; what came out of each queue of the box.
    pub fn leave(mut self) -> Result<Vec<Vec<Vec<u8>>>> {
        self.commands.write_all(b"stop\nquit\n")?;
        wait_until("the neighbour is gone", Duration::from_secs(20), || Ok(self.process.check_running().is_err()))?;
        self.out.iter().map(|file| captured(&fs::read(file)?)).collect()
    }
}

/// Frames as a capture file has them (pcap, Ethernet).
pub fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(word.to_ne_bytes());
    }
    for frame in frames {
        for word in [0, 0, frame.len() as u32, frame.len() as u32] {
            file.extend(word.to_ne_bytes());
        }
        file.extend(frame);
    }
    file
}

/// The frames of a capture file.
fn captured(file: &[u8]) -> Result<Vec<Vec<u8>>> {
    let (mut rest, mut frames) = (file.get(24..).context("a capture file without its head")?, Vec::new());
    while let Some((head, behind)) = rest.split_first_chunk::<16>() {
        let length = u32::from_ne_bytes([head[8], head[9], head[10], head[11]]) as usize;
        ensure!(length <= behind.len(), "a capture file that is cut");
        frames.push(behind[..length].to_vec());
        rest = &behind[length..];
    }
    Ok(frames)
}

/// A UDP datagram in a frame of the neighbour's, without a checksum of its own.
pub fn udp(from: SocketAddrV4, to: SocketAddrV4, data: &[u8]) -> Vec<u8> {
    let (udp, ip) = (8 + data.len(), 28 + data.len());
    let mut header = vec![0x45, 0];
    header.extend((ip as u16).to_be_bytes());
    header.extend([0, 7, 0, 0, 64, 17, 0, 0]);
    header.extend(from.ip().octets());
    header.extend(to.ip().octets());
    let sum: u32 = header.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut frame = [BOX, NEIGHBOUR].iter().flat_map(|mac| mac.split(':').map(hex)).collect::<Vec<u8>>();
    frame.extend([8, 0]);
    frame.extend(header);
    for half in [from.port(), to.port(), udp as u16, 0] {
        frame.extend(half.to_be_bytes());
    }
    frame.extend(data);
    frame
}

fn hex(byte: &str) -> u8 {
    u8::from_str_radix(byte, 16).expect("the addresses above are written in hexadecimal")
}

/// The ends of a frame's UDP datagram over IPv4, and its data; `None` for anything else.
pub fn read_udp(frame: &[u8]) -> Option<(SocketAddrV4, SocketAddrV4, Vec<u8>)> {
    if frame.get(12..14)? != [8, 0] || *frame.get(23)? != 17 {
        return None;
    }
    let half = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let address = |at: usize| Some(<[u8; 4]>::try_from(frame.get(at..at + 4)?).ok()?.into());
    let length = usize::from(half(38)?).checked_sub(8)?;
    Some((
        SocketAddrV4::new(address(26)?, half(34)?),
        SocketAddrV4::new(address(30)?, half(36)?),
        frame.get(42..42 + length)?.to_vec(),
    ))
}
