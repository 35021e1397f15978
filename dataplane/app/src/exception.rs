//! The exception path: what goes between the workers and the kernel, by the TAPs.
//!
//! Workers make no system call, so a thread of its own owns the TAPs. Packets come and go by two rings for each worker, with one writer and one reader each;
//! full rings drop, and count. When nothing moves the thread sleeps in `poll`, for at most a millisecond, because a ring cannot wake it.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dpdk::eal::Handle;
use dpdk::lcore::Registration;
use dpdk::mempool::Mempool;
use engine::drop::{DropCounters, DropReason};
use program::InterfaceId;
use rtrb::{Consumer, Producer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::buffer::Packet;
use crate::outside::HostPacket;
use crate::tap::{Tap, TapState};

/// Frames taken from one TAP, or from one worker, before the others get their turn.
const TURN: usize = 64;
/// How often the kernel is asked whether it still has the TAPs.
const STATE_EVERY: Duration = Duration::from_millis(250);
/// The longest frame that a TAP can carry: the largest MTU, with Ethernet header and two tags.
const LONGEST_FRAME: usize = 9216 + 14 + 8;
/// `poll` while packets moved a moment ago, and otherwise.
const SHORT_WAIT: Duration = Duration::from_micros(50);
const LONG_WAIT: Duration = Duration::from_millis(1);
/// How long "a moment ago" is.
const MOMENT: Duration = Duration::from_millis(20);

/// A port's TAP.
struct Way {
    tap: Tap,
    state: TapState,
}

/// Everything that the thread works with.
pub struct ExceptionThread {
    /// By interface id, less 1.
    ways: Vec<Way>,
    /// From and to each worker.
    from_workers: Vec<Consumer<HostPacket>>,
    to_workers: Vec<Producer<HostPacket>>,
    pool: Mempool,
    /// This thread's own. Written here, read by the control thread.
    drops: Arc<DropCounters>,
    stop: Arc<AtomicBool>,
}

impl ExceptionThread {
    /// `taps` by interface id, less 1; the rings by worker.
    pub fn new(
        taps: Vec<Tap>,
        (from_workers, to_workers): (Vec<Consumer<HostPacket>>, Vec<Producer<HostPacket>>),
        pool: Mempool,
        drops: Arc<DropCounters>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let ways = taps.into_iter().map(|tap| Way { tap, state: TapState::Present }).collect();
        Self { ways, from_workers, to_workers, pool, drops, stop }
    }

    /// Runs until stopped.
    ///
    /// # Errors
    /// When DPDK does not take the thread.
    pub fn run(mut self, eal: &Handle) -> Result<(), dpdk::Error> {
        let registration = Registration::new(eal)?;
        let mut room = vec![0; LONGEST_FRAME];
        let (mut asked, mut moved) = (Instant::now(), Instant::now());
        while !self.stop.load(Ordering::Relaxed) {
            let mut any = false;
            for worker in 0..self.from_workers.len() {
                any |= self.deliver(worker);
            }
            for index in 0..self.ways.len() {
                any |= self.collect(index, &mut room);
            }
            let now = Instant::now();
            if now.duration_since(asked) >= STATE_EVERY {
                asked = now;
                self.ask_states();
            }
            if any {
                moved = now;
            } else {
                self.wait(if now.duration_since(moved) < MOMENT { SHORT_WAIT } else { LONG_WAIT });
            }
        }
        // Buffers first, then this thread's cache of them.
        drop(self);
        drop(registration);
        Ok(())
    }

    /// Gives the kernel what a worker sent; true if there was anything.
    fn deliver(&mut self, worker: usize) -> bool {
        for turn in 0..TURN {
            let Ok((port, packet)) = self.from_workers[worker].pop() else { return turn > 0 };
            let way = port.index().checked_sub(1).and_then(|index| self.ways.get(index));
            let Some(way) = way.filter(|way| way.state == TapState::Present) else {
                self.drops.count(DropReason::HostInterfaceGone);
                continue;
            };
            if let Err(error) = way.tap.write(packet.mbuf()) {
                self.drops.count(match error.kind() {
                    ErrorKind::WouldBlock => DropReason::HostQueueFull,
                    // EINVAL: no Ethernet header.
                    ErrorKind::InvalidInput => DropReason::BufferLayout,
                    _ if way.tap.state() == TapState::Present => DropReason::InterfaceDown,
                    _ => DropReason::HostInterfaceGone,
                });
            }
        }
        true
    }

    /// Takes what the kernel sends by one TAP; true if there was anything. One worker takes all of a TAP, so that it stays in order; flows of
    /// other workers go on from there.
    fn collect(&mut self, index: usize, room: &mut [u8]) -> bool {
        let way = &self.ways[index];
        if way.state == TapState::Gone {
            return false;
        }
        for turn in 0..TURN {
            let Ok(Some(frame)) = way.tap.read(room) else { return turn > 0 };
            if way.state != TapState::Present {
                self.drops.count(DropReason::HostInterfaceGone);
                continue;
            }
            let Some(mbuf) = self.pool.packet(frame) else {
                self.drops.count(DropReason::NoBuffer);
                continue;
            };
            let port = InterfaceId(index as u16 + 1);
            let worker = index % self.to_workers.len();
            if self.to_workers[worker].push((port, Packet::own(mbuf))).is_err() {
                self.drops.count(DropReason::HostQueueFull);
            }
        }
        true
    }

    fn ask_states(&mut self) {
        for way in &mut self.ways {
            let state = way.tap.state();
            if state == way.state {
                continue;
            }
            let name = way.tap.name();
            match &state {
                TapState::Present => tracing::info!(tap = name, "the TAP has its name again; packets pass"),
                TapState::Renamed(other) => tracing::error!(
                    tap = name,
                    "the TAP was renamed to {other}: packets from and to it are dropped (HostInterfaceGone); `ip link set {other} name \
                     {name}` mends it"
                ),
                TapState::Gone => tracing::error!(
                    tap = name,
                    "the TAP was deleted: packets to it are dropped (HostInterfaceGone); restart rampart-dataplane to get it back"
                ),
            }
            way.state = state;
        }
    }

    fn wait(&self, longest: Duration) {
        // A TAP that is gone is always "ready": it would make this a busy loop.
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(self.ways.len());
        let present = self.ways.iter().filter(|way| way.state != TapState::Gone);
        fds.extend(present.map(|way| PollFd::new(&way.tap, PollFlags::IN)));
        let longest = Timespec { tv_sec: 0, tv_nsec: longest.subsec_nanos().into() };
        // EINTR only makes the wait shorter.
        let _ = poll(&mut fds, Some(&longest));
    }
}
