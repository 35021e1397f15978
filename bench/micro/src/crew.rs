//! Two workers on one thread, and the way between them: what a packet costs that came to the wrong one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use engine::handoff::Parcel;
use engine::owner::{Home, Owners};
use engine::worker::BURST;
use engine::{Snapshot, Time, Worker, WorkerConfig};
use packet::{Ipv4, Tuple, TupleL4, protocol};
use program::Program;
use rtrb::{Consumer, RingBuffer};

use crate::frames;
use crate::world::{CLIENT, Given, INSIDE, Ports, SERVER, Slot, World};

/// Bytes of a packet and its port as they stand in a ring.
pub const PASSED_ON: usize = 16;
/// Bytes of a parcel as it stands in a ring, with a buffer that is a pointer as the dataplane's is.
pub const PARCEL: usize = size_of::<Parcel<usize>>();

/// Payload that makes frames of 60 bytes.
const PAYLOAD: usize = 18;

/// Two workers. Every flow is the second one's.
pub struct Crew {
    other: Worker<Ports>,
    keeper: Worker<Ports>,
    snapshot: Snapshot,
    ports: Ports,
    way: Consumer<Given>,
    now: Time,
    frames: Vec<Vec<u8>>,
}

impl Crew {
    /// A box under these rules, with so many flows, all of them known.
    pub fn new(program: Program, flows: usize) -> Self {
        let owners = Owners::new(2);
        let tuple = |port| Tuple::<Ipv4> {
            src: u32::from(CLIENT),
            dst: u32::from(SERVER),
            protocol: protocol::UDP,
            l4: TupleL4::Ports { src: port, dst: 5201 },
        };
        let ports = (1024..u16::MAX).filter(|port| owners.of(&tuple(*port)) == 1).take(flows);
        let frames: Vec<_> = ports.map(|port| frames::udp((CLIENT, port), (SERVER, 5201), PAYLOAD)).collect();
        assert_eq!(frames.len(), flows, "half of all ports are the second worker's");
        let worker = |me| Worker::new(&WorkerConfig { seed: 1, home: Home::new(owners.clone(), me), ..WorkerConfig::default() });
        let (into, way) = RingBuffer::new(4 * BURST);
        let mut crew = Self {
            other: worker(0),
            keeper: worker(1),
            snapshot: World::snapshot(program),
            ports: Ports { way: Some(into), ..Ports::default() },
            way,
            now: Time(1_000_000_000_000),
            frames,
        };
        crew.forward(flows as u64, true);
        assert_eq!(crew.keeper.flows().len(), flows);
        crew
    }

    /// Forwards at least `packets`, in full bursts, which come to the worker of their flows (`at_home`) or to the other one. How long both
    /// workers took for `packets` of them.
    pub fn forward(&mut self, packets: u64, at_home: bool) -> Duration {
        let mut burst: ArrayVec<Slot, BURST> = (0..BURST).map(|_| Slot::new()).collect();
        let frames = self.frames.clone();
        let mut frames = frames.iter().cycle();
        let mut spent = Duration::ZERO;
        let bursts = packets.div_ceil(BURST as u64);
        for _ in 0..bursts {
            for (slot, frame) in burst.iter_mut().zip(&mut frames) {
                slot.set(frame);
            }
            self.now = Time(self.now.0 + 10_000);
            let start = Instant::now();
            let first = if at_home { &mut self.keeper } else { &mut self.other };
            first.receive(&self.snapshot, self.now, INSIDE, burst.drain(..), &mut self.ports);
            self.take_over();
            self.keeper.housekeeping(&self.snapshot, self.now, &mut self.ports);
            spent += start.elapsed();
            assert_eq!(self.ports.sent.len(), BURST, "every packet is forwarded");
            burst.extend(self.ports.sent.drain(..));
        }
        spent.mul_f64(packets as f64 / (bursts * BURST as u64) as f64)
    }
}

impl Crew {
    /// The keeper takes what the other worker gave it: all as it came, or all with what is known of it.
    fn take_over(&mut self) {
        let Ok(chunk) = self.way.read_chunk(self.way.slots()) else { return };
        let (one, two) = chunk.as_slices();
        self.keeper.look_ahead(one.iter().chain(two).filter_map(|given| match given {
            Given::Parcel(parcel) => Some(parcel),
            Given::Packet(..) => None,
        }));
        let mut burst = ArrayVec::<_, BURST>::new();
        for given in chunk {
            match given {
                Given::Packet(packet) => burst.push(packet),
                Given::Parcel(parcel) => self.keeper.parcel(&self.snapshot, self.now, parcel, &mut self.ports),
            }
        }
        if !burst.is_empty() {
            self.keeper.receive(&self.snapshot, self.now, INSIDE, burst.drain(..), &mut self.ports);
        }
    }
}

/// How long it takes until `items` of a size have gone from one thread to another.
pub fn ring_between_threads<const BYTES: usize>(items: u64) -> Duration {
    let (mut into, mut out) = RingBuffer::<[u8; BYTES]>::new(1024);
    let done = Arc::new(AtomicBool::new(false));
    let seen = done.clone();
    let reader = thread::spawn(move || {
        let mut sum = 0u64;
        loop {
            let mut any = false;
            while let Ok(item) = out.pop() {
                sum += u64::from(item[0]);
                any = true;
            }
            if !any && seen.load(Ordering::Acquire) && out.is_empty() {
                return sum;
            }
        }
    });
    let start = Instant::now();
    for _ in 0..items {
        let mut item = [1; BYTES];
        while let Err(rtrb::PushError::Full(back)) = into.push(item) {
            item = back;
            std::hint::spin_loop();
        }
    }
    done.store(true, Ordering::Release);
    let sum = reader.join().expect("the reader does not panic");
    assert_eq!(sum, items);
    start.elapsed()
}
