//! The far ends of the appliance's wires: TAPs that we hold.
//!
//! For net_af_packet the TAP is the wire itself: what is written to it arrives at the device that DPDK listens on. For net_tap DPDK makes
//! the device; an nftables `fwd` joins it to our TAP, in both directions.
//!
//! A step is over when two markers have come back, one after the other: ARP probes that follow the step's frames. A marker takes the way of
//! everything else, through the worker to the box's own stack, and its answer comes back through the worker. The first answer may leave in
//! the round of the worker that sends the step's frames, and before them, by another port. The second marker is sent when the first answer
//! is there, so it is received in a later round, when that one has sent all it had.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use net::namespace::Namespace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tun_rs::SyncDevice;

use crate::linux::{is_ip, read, tap, write};
use crate::observed::Egress;
use crate::world::Port;

/// Longest that a marker is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Both far ends.
pub(crate) struct Far {
    taps: [SyncDevice; 2],
    room: Vec<u8>,
    /// Number of the last marker.
    marker: u32,
}

impl Far {
    /// Makes the TAPs in a namespace: `farN`, or `wireN` when they are the wires themselves.
    pub(crate) fn new(home: &Namespace, prefix: &'static str, macs: [[u8; 6]; 2]) -> Result<Self> {
        let make = move || Ok::<_, anyhow::Error>([tap(&format!("{prefix}0"), macs[0])?, tap(&format!("{prefix}1"), macs[1])?]);
        Ok(Self { taps: home.within(make)??, room: vec![0; 70_000], marker: 0 })
    }

    /// Sends frames to the appliance.
    pub(crate) fn send(&self, port: Port, frames: &[Vec<u8>]) -> Result<()> {
        frames.iter().try_for_each(|frame| write(&self.taps[port.index()], frame))
    }

    /// Everything that arrives until both markers have come back. `false` when one does not come back within `patience`.
    pub(crate) fn until_rest(&mut self, port: Port, out: &mut [Vec<Egress>; 2], patience: Duration) -> Result<bool> {
        Ok(self.until_marker(port, out, patience)? && self.until_marker(port, out, patience)?)
    }

    fn until_marker(&mut self, port: Port, out: &mut [Vec<Egress>; 2], patience: Duration) -> Result<bool> {
        self.marker += 1;
        let (probe, answer) = marker(port, self.marker);
        self.send(port, &[probe])?;
        let deadline = Instant::now() + patience;
        loop {
            if self.collect(port, &answer, out)? {
                // What left by the other port before the answer did.
                self.collect(port, &answer, out)?;
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let mut fds: Vec<PollFd<'_>> = self.taps.iter().map(|tap| PollFd::new(tap, PollFlags::IN)).collect();
            let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            match poll(&mut fds, Some(&left)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).context("waiting for frames"),
            }
        }
    }

    /// As [`Far::until_rest`]; a marker that is lost is an error.
    pub(crate) fn come_to_rest(&mut self, port: Port, out: &mut [Vec<Egress>; 2]) -> Result<()> {
        if !self.until_rest(port, out, PATIENCE)? {
            bail!("{}: an ARP probe for {} has no answer within {PATIENCE:?}", port.name(), port.addresses()[0]);
        }
        Ok(())
    }

    /// Reads what is there; true if the answer was among it.
    fn collect(&mut self, marked: Port, answer: &[u8], out: &mut [Vec<Egress>; 2]) -> Result<bool> {
        let mut seen = false;
        for port in Port::ALL {
            while let Some(frame) = read(&self.taps[port.index()], &mut self.room)? {
                if is_ip(frame) {
                    out[port.index()].push((port, frame.to_vec()));
                }
                seen |= port == marked && frame.starts_with(answer);
            }
        }
        Ok(seen)
    }
}

/// A probe (RFC 5227: no sender address, so that nobody learns anything from it) and how its answer begins. The number makes the Ethernet
/// address that asks.
fn marker(port: Port, number: u32) -> (Vec<u8>, Vec<u8>) {
    let [a, b, c, d] = number.to_be_bytes();
    let asks = [2, 0xaa, a, b, c, d];
    let mut probe = [&port.mac()[..], &asks, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &asks, &[0; 4], &[0; 6]].concat();
    probe.extend(port.addresses()[0].octets());
    let answer = [&asks[..], &port.mac(), &[8, 6, 0, 1, 8, 0, 6, 4, 0, 2]].concat();
    (probe, answer)
}
