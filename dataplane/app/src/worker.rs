//! A worker's thread: inbox, receive, walk, send, housekeeping, for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dpdk::burst::Burst;
use dpdk::clock::Clock;
use dpdk::eal::Handle;
use dpdk::lcore::Registration;
use dpdk::queue::RxQueue;
use engine::drop::DropReason;
use engine::worker::BURST;
use engine::{Snapshot, Time, Worker};
use program::InterfaceId;
use rtrb::Consumer;

use crate::buffer::{self, Packet};
use crate::config::Idle;
use crate::outside::{HostPacket, World};
use crate::publish::Reader;
use crate::stats::Traffic;
use crate::ways::{Given, Inlet};

/// Empty rounds that a worker spins before it sleeps at all.
const SPIN_ROUNDS: u32 = 64;

/// How long a change of the rules may take: for so long packets of known connections may go by the old ones, while more packets wait than can be judged
/// anew at once ([`Worker::is_settled`]).
pub const LINGER: Duration = Duration::from_millis(250);

/// A port as a worker receives from it.
pub struct Entrance {
    /// Its id.
    pub id: InterfaceId,
    /// Its receive queue.
    pub queue: RxQueue,
    /// Its counts.
    pub traffic: Arc<Traffic>,
}

/// Packets and letters that are taken from one other worker in one round.
const PACKETS: usize = BURST;
const LETTERS: usize = 16;
/// Bursts that are taken from the TAPs' ring in one round.
const HOST_BURSTS: usize = 4;

/// Everything that the thread of one worker works with.
pub struct WorkerThread {
    /// Its number, from 0.
    pub number: usize,
    /// The CPU that it is pinned to.
    pub cpu: Option<usize>,
    /// The engine's part.
    pub worker: Worker<World>,
    /// What surrounds it.
    pub world: World,
    /// What the other workers hand over.
    pub inlets: Vec<Inlet>,
    /// The ports that it receives from.
    pub entrances: Vec<Entrance>,
    /// What the kernel sends by the TAPs.
    pub from_host: Consumer<HostPacket>,
    /// The snapshot.
    pub reader: Reader<Snapshot>,
    /// What it does when nothing came, and how long it sleeps at most.
    pub idle: (Idle, Duration),
    /// One clock for all workers.
    pub clock: Nanoseconds,
    /// Set once, at the end.
    pub stop: Arc<AtomicBool>,
    /// DPDK.
    pub eal: Handle,
    /// The burst at hand.
    pub bursts: Bursts,
}

/// Where a burst stands between its steps: empty before and after each round.
#[derive(Default)]
pub struct Bursts(Burst);

/// A worker could not begin.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The CPU is not there, or not allowed to this process.
    #[error(
        "worker {worker} cannot run on CPU {cpu}: change dataplane.cpus (`nproc` and `taskset -p $$` say which CPUs there are)"
    )]
    Cpu {
        /// Which worker.
        worker: usize,
        /// Which CPU.
        cpu: usize,
    },
    /// DPDK does not take the thread.
    #[error(transparent)]
    Dpdk(#[from] dpdk::Error),
}

impl WorkerThread {
    /// Runs until `stop`. Calls `ready` once, when the first packet could be taken or when it cannot begin.
    pub fn run(mut self, ready: impl FnOnce(Result<(), WorkerError>)) {
        let registration = match self.begin() {
            Ok(registration) => {
                ready(Ok(()));
                registration
            }
            Err(error) => return ready(Err(error)),
        };
        let mut empty_rounds = 0u32;
        while !self.stop.load(Ordering::Relaxed) {
            if self.round(self.clock.now()) > 0 {
                empty_rounds = 0;
            } else {
                empty_rounds = empty_rounds.saturating_add(1);
                rest(self.idle, empty_rounds);
            }
        }
        // Buffers first, then this thread's cache of them.
        drop(self);
        drop(registration);
    }

    /// One round of the loop, and how many packets and letters it found.
    pub fn round(&mut self, now: Time) -> usize {
        let Self { worker, world, inlets, entrances, from_host, reader, bursts, .. } = self;
        let Bursts(burst) = bursts;
        let snapshot = reader.read();
        let mut packets = 0;
        for inlet in inlets {
            packets += take_over(inlet, worker, (snapshot, now), burst, world);
            for letter in core::iter::from_fn(|| inlet.letters.pop().ok()).take(LETTERS) {
                packets += 1;
                worker.letter(snapshot, now, letter, world);
            }
        }
        for entrance in entrances {
            packets += entrance.take(burst, world);
            if !burst.is_empty() {
                worker.receive(snapshot, now, entrance.id, burst.drain(..).map(Packet::whole), world);
            }
        }
        for _ in 0..HOST_BURSTS {
            let Some(port) = take_from_host(from_host, burst) else { break };
            packets += burst.len();
            worker.from_host(snapshot, now, port, burst.drain(..).map(Packet::whole), world);
        }
        worker.housekeeping(snapshot, now, world);
        world.flush();
        if worker.is_settled() {
            reader.settle();
        }
        packets
    }

    fn begin(&self) -> Result<Registration, WorkerError> {
        if let Some(cpu) = self.cpu
            && !core_affinity::set_for_current(core_affinity::CoreId { id: cpu })
        {
            return Err(WorkerError::Cpu { worker: self.number, cpu });
        }
        if self.idle.0 == Idle::Sleep {
            // The kernel may lengthen a sleep by 50 us otherwise. Without it the sleeps are only longer.
            let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1000));
        }
        Ok(Registration::new(&self.eal)?)
    }
}

impl Entrance {
    /// One burst, and how many packets it was (those that could not be used included).
    #[inline]
    fn take(&mut self, burst: &mut Burst, world: &World) -> usize {
        let count = self.queue.rx(burst);
        if count == 0 {
            return 0;
        }
        let (mut bytes, mut all_whole) = (0, true);
        for mbuf in burst.iter() {
            bytes += mbuf.len();
            all_whole &= mbuf.stripped_vlan().is_none();
        }
        self.traffic.received(count as u64, bytes as u64);
        if !all_whole {
            let before = burst.len();
            burst.retain(buffer::make_whole);
            world.drops().add(DropReason::BufferLayout, (before - burst.len()) as u64);
        }
        count
    }
}

/// Takes what another worker gave, and says how much it was. Packets that came by one port, one behind the other, are one burst, as at the worker to
/// which they came.
fn take_over(
    inlet: &mut Inlet,
    worker: &mut Worker<World>,
    (snapshot, now): (&Snapshot, Time),
    burst: &mut Burst,
    world: &mut World,
) -> usize {
    let Inlet { given, parcels, .. } = inlet;
    let Ok(chunk) = given.read_chunk(given.slots().min(PACKETS)) else { return 0 };
    let (count, mut known) = (chunk.len(), 0);
    let (first, second) = chunk.as_slices();
    for given in first.iter().chain(second) {
        match given {
            Given::Packet(_, packet) => packet.mbuf().prefetch(),
            Given::Parcel => known += 1,
        }
    }
    if let Ok(chunk) = parcels.read_chunk(known) {
        let (first, second) = chunk.as_slices();
        worker.look_ahead(first.iter().chain(second));
    }
    let mut port = InterfaceId::NONE;
    let receive = |worker: &mut Worker<World>, port, burst: &mut Burst, world: &mut World| {
        if !burst.is_empty() {
            worker.receive(snapshot, now, port, burst.drain(..).map(Packet::whole), world);
        }
    };
    for given in chunk {
        match given {
            Given::Packet(of, packet) => {
                if of != port {
                    receive(worker, port, burst, world);
                    port = of;
                }
                burst.push(packet.into_mbuf());
            }
            Given::Parcel => {
                receive(worker, port, burst, world);
                if let Ok(parcel) = parcels.pop() {
                    worker.parcel(snapshot, now, parcel, world);
                }
            }
        }
    }
    receive(worker, port, burst, world);
    count
}

/// A burst of one port's packets, or `None` when nothing waits.
fn take_from_host(ring: &mut Consumer<HostPacket>, burst: &mut Burst) -> Option<InterfaceId> {
    let port = ring.peek().ok()?.0;
    while !burst.is_full() && ring.peek().is_ok_and(|next| next.0 == port) {
        match ring.pop() {
            Ok((_, packet)) => burst.push(packet.into_mbuf()),
            Err(_) => break,
        }
    }
    Some(port)
}

/// Sleeps longer the longer nothing came: 1 us first, doubled every 16 rounds, at most what the configuration allows.
fn rest((idle, longest): (Idle, Duration), empty_rounds: u32) {
    match empty_rounds.checked_sub(SPIN_ROUNDS) {
        Some(rounds) if idle == Idle::Sleep => thread::sleep(longest.min(Duration::from_micros(1 << (rounds / 16).min(10)))),
        _ => std::hint::spin_loop(),
    }
}

/// The time stamp counter in nanoseconds since boot, by one multiplication.
#[derive(Clone, Copy)]
pub struct Nanoseconds {
    clock: Clock,
    start: u64,
    /// Nanoseconds per cycle, times 2^32.
    scale: u128,
}

impl Nanoseconds {
    /// Starts now.
    pub fn new(clock: Clock) -> Self {
        Self { clock, start: clock.cycles(), scale: (1_000_000_000u128 << 32) / u128::from(clock.hz()) }
    }

    /// What the workers' clock shows.
    #[inline]
    pub fn now(self) -> Time {
        let cycles = self.clock.cycles().wrapping_sub(self.start);
        Time(((u128::from(cycles) * self.scale) >> 32) as u64)
    }
}
