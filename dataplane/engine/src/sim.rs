//! A world of memory: buffers on the heap in any segmentation, a recorder instead of ports, a clock that moves when told.
//!
//! The same seed and the same frames give the same events, bit for bit. For tests, of this crate and of others, and for replays.

mod crew;

use core::cell::Cell;
use core::net::IpAddr;
use std::rc::Rc;

use arrayvec::ArrayVec;
use program::InterfaceId;

use crew::Given;
pub use crew::{Crew, Room};

use crate::buffer::{Buffer, RxChecksum};
use crate::handoff::{Letter, Parcel};
use crate::log::LogRecord;
use crate::outside::Outside;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::worker::{BURST, Worker, WorkerConfig};

/// Bytes in front of a packet, as DPDK's `RTE_PKTMBUF_HEADROOM`.
const HEADROOM: usize = 128;
/// Bytes that one segment holds, headroom included.
const SEGMENT: usize = 2048 + HEADROOM;

/// A buffer on the heap.
#[derive(Debug)]
pub struct SimBuffer {
    /// The head's memory; its data begin at `start`.
    head: Vec<u8>,
    start: usize,
    rest: Vec<Vec<u8>>,
    shared: bool,
    checksum: RxChecksum,
    live: Rc<Cell<usize>>,
}

impl Drop for SimBuffer {
    fn drop(&mut self) {
        self.live.set(self.live.get() - 1);
    }
}

impl SimBuffer {
    /// All bytes, in one piece.
    pub fn bytes(&self) -> Vec<u8> {
        self.segments().flatten().copied().collect()
    }

    fn data(&self) -> &[u8] {
        &self.head[self.start..]
    }
}

impl Buffer for SimBuffer {
    fn head(&self) -> &[u8] {
        self.data()
    }

    fn head_mut(&mut self) -> &mut [u8] {
        assert!(!self.shared, "a shared buffer is never written to");
        &mut self.head[self.start..]
    }

    fn len(&self) -> usize {
        self.segments().map(<[u8]>::len).sum()
    }

    fn segments(&self) -> impl Iterator<Item = &[u8]> + Clone {
        core::iter::once(self.data()).chain(self.rest.iter().map(Vec::as_slice))
    }

    fn pull_up(&mut self, n: usize) -> bool {
        if n > self.len() || n > SEGMENT - HEADROOM {
            return false;
        }
        let mut missing = n.saturating_sub(self.data().len());
        while missing > 0 {
            let next = &mut self.rest[0];
            let taken = missing.min(next.len());
            self.head.extend(next.drain(..taken));
            if next.is_empty() {
                self.rest.remove(0);
            }
            missing -= taken;
        }
        true
    }

    fn prepend(&mut self, n: usize) -> Option<&mut [u8]> {
        self.start = self.start.checked_sub(n)?;
        Some(&mut self.head[self.start..])
    }

    fn trim_front(&mut self, n: usize) -> bool {
        let fits = n <= self.data().len();
        if fits {
            self.start += n;
        }
        fits
    }

    fn truncate(&mut self, len: usize) {
        let mut left = len.saturating_sub(self.data().len());
        self.head.truncate(self.start + len);
        self.rest.retain_mut(|segment| {
            segment.truncate(left);
            left -= segment.len();
            !segment.is_empty()
        });
    }

    fn append(&mut self, bytes: &[u8]) -> bool {
        let last = self.rest.last_mut().unwrap_or(&mut self.head);
        let fits = last.len() + bytes.len() <= SEGMENT;
        if fits {
            last.extend_from_slice(bytes);
        }
        fits
    }

    fn chain(&mut self, tail: Self) -> Result<(), Self> {
        self.rest.extend(tail.segments().filter(|segment| !segment.is_empty()).map(<[u8]>::to_vec));
        Ok(())
    }

    fn is_shared(&self) -> bool {
        self.shared
    }

    fn is_usual(&self) -> bool {
        !self.shared && self.rest.is_empty() && matches!(self.checksum, RxChecksum::Good | RxChecksum::Unknown)
    }

    fn l4_checksum(&self) -> RxChecksum {
        self.checksum
    }

    fn set_l4_checksum(&mut self, state: RxChecksum) {
        self.checksum = state;
    }
}

/// One thing that left the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A frame for the wire.
    Transmit {
        /// By which port.
        port: InterfaceId,
        /// Its bytes.
        frame: Vec<u8>,
    },
    /// A frame for the box.
    Deliver {
        /// By the TAP of which port.
        port: InterfaceId,
        /// Its bytes.
        frame: Vec<u8>,
    },
    /// A record for the log.
    Log(Box<LogRecord>),
    /// A question for a neighbour's address.
    Resolve {
        /// On which port.
        port: InterfaceId,
        /// Whose.
        next_hop: IpAddr,
    },
}

/// How a frame is put into a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the first segments; what is left fills one more. Empty: one segment.
    pub segments: Vec<usize>,
    /// Seen by others too.
    pub shared: bool,
    /// What the NIC says of the transport checksum.
    pub checksum: RxChecksum,
}

impl Default for Shape {
    /// One segment, unshared, nothing known of the checksum.
    fn default() -> Self {
        Self { segments: Vec::new(), shared: false, checksum: RxChecksum::Unknown }
    }
}

/// What surrounds the worker.
pub struct Recorder {
    events: Vec<Event>,
    live: Rc<Cell<usize>>,
    pool: usize,
    /// The ways to the other workers of a [`Crew`].
    ways: Option<crew::Ways>,
}

impl Recorder {
    /// A recorder whose pool has this many buffers for the walk's own packets and copies.
    pub fn new(pool: usize) -> Self {
        Self { events: Vec::new(), live: Rc::default(), pool, ways: None }
    }

    /// Buffers that exist.
    pub fn live(&self) -> usize {
        self.live.get()
    }

    /// A received frame in a buffer of this shape.
    pub fn buffer(&self, frame: &[u8], shape: &Shape) -> SimBuffer {
        let mut left = frame;
        let mut pieces = Vec::new();
        for &len in &shape.segments {
            let (piece, rest) = left.split_at(len.min(left.len()));
            pieces.push(piece.to_vec());
            left = rest;
        }
        if !left.is_empty() || pieces.is_empty() {
            pieces.push(left.to_vec());
        }
        let mut head = vec![0; HEADROOM];
        head.extend(pieces.remove(0));
        self.live.set(self.live.get() + 1);
        SimBuffer { head, start: HEADROOM, rest: pieces, shared: shape.shared, checksum: shape.checksum, live: self.live.clone() }
    }
}

impl Outside for Recorder {
    type Buf = SimBuffer;

    fn alloc(&mut self) -> Option<SimBuffer> {
        (self.live.get() < self.pool).then(|| self.buffer(&[], &Shape::default()))
    }

    fn copy(&mut self, buf: &SimBuffer) -> Option<SimBuffer> {
        (self.live.get() < self.pool).then(|| self.buffer(&buf.bytes(), &Shape { checksum: buf.checksum, ..Shape::default() }))
    }

    fn transmit(&mut self, port: InterfaceId, buf: SimBuffer) {
        self.events.push(Event::Transmit { port, frame: buf.bytes() });
    }

    fn deliver(&mut self, port: InterfaceId, buf: SimBuffer) {
        self.events.push(Event::Deliver { port, frame: buf.bytes() });
    }

    fn log(&mut self, record: &LogRecord) {
        self.events.push(Event::Log(Box::new(record.clone())));
    }

    fn resolve(&mut self, port: InterfaceId, next_hop: IpAddr) {
        self.events.push(Event::Resolve { port, next_hop });
    }

    fn pass_on(&mut self, worker: u16, port: InterfaceId, buf: SimBuffer) -> bool {
        self.ways.as_mut().is_some_and(|ways| ways.give(worker, Given::Packet(port, buf)))
    }

    fn hand_over(&mut self, worker: u16, parcel: Parcel<SimBuffer>) -> bool {
        self.ways.as_mut().is_some_and(|ways| ways.give(worker, Given::Parcel(parcel)))
    }

    fn post(&mut self, worker: u16, letter: Letter<SimBuffer>) -> bool {
        self.ways.as_mut().is_some_and(|ways| ways.post(worker, letter))
    }
}

/// A worker with its world.
pub struct Sim {
    /// The worker.
    pub worker: Worker<Recorder>,
    /// What it reads.
    pub snapshot: Snapshot,
    /// Its time.
    pub now: Time,
    /// What it did.
    pub outside: Recorder,
}

impl Sim {
    /// A worker at time 1000 s.
    pub fn new(snapshot: Snapshot, config: &WorkerConfig) -> Self {
        Self { worker: Worker::new(config), snapshot, now: Time(1_000_000_000_000), outside: Recorder::new(1024) }
    }

    /// Frames come in from the wire, as one burst for every [`BURST`] of them.
    pub fn wire(&mut self, port: InterfaceId, frames: &[Vec<u8>], shape: &Shape) {
        for burst in frames.chunks(BURST) {
            let mut burst: ArrayVec<_, BURST> = burst.iter().map(|frame| self.outside.buffer(frame, shape)).collect();
            self.worker.receive(&self.snapshot, self.now, port, burst.drain(..), &mut self.outside);
        }
    }

    /// Frames come from the box's own stack.
    pub fn host(&mut self, port: InterfaceId, frames: &[Vec<u8>], shape: &Shape) {
        for burst in frames.chunks(BURST) {
            let mut burst: ArrayVec<_, BURST> = burst.iter().map(|frame| self.outside.buffer(frame, shape)).collect();
            self.worker.from_host(&self.snapshot, self.now, port, burst.drain(..), &mut self.outside);
        }
    }

    /// Time passes, and housekeeping sees it.
    pub fn advance(&mut self, millis: u64) {
        self.now = self.now.plus_millis(millis);
        self.worker.housekeeping(&self.snapshot, self.now, &mut self.outside);
    }

    /// What happened since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        core::mem::take(&mut self.outside.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(segments: &[usize]) -> (Recorder, SimBuffer) {
        let recorder = Recorder::new(8);
        let frame: Vec<u8> = (0..100).collect();
        let buffer = recorder.buffer(&frame, &Shape { segments: segments.into(), ..Shape::default() });
        (recorder, buffer)
    }

    #[test]
    fn pulling_up_moves_bytes_and_changes_none() {
        let (_pool, mut buffer) = cut(&[1, 2, 30]);
        assert_eq!(buffer.segments().map(<[u8]>::len).collect::<Vec<_>>(), [1, 2, 30, 67]);
        assert!(buffer.pull_up(20));
        assert_eq!(buffer.segments().map(<[u8]>::len).collect::<Vec<_>>(), [20, 13, 67]);
        assert!(!buffer.pull_up(101));
        assert_eq!(buffer.bytes(), (0..100).collect::<Vec<u8>>());
    }

    #[test]
    fn truncating_frees_segments() {
        let (_pool, mut buffer) = cut(&[10, 10]);
        buffer.truncate(200);
        assert_eq!(buffer.len(), 100);
        buffer.truncate(15);
        assert_eq!(buffer.bytes(), (0..15).collect::<Vec<u8>>());
        buffer.truncate(3);
        assert_eq!((buffer.bytes(), buffer.segments().count()), (vec![0, 1, 2], 1));
    }

    #[test]
    fn dropped_buffers_are_counted_back() {
        let (pool, buffer) = cut(&[]);
        assert_eq!(pool.live(), 1);
        drop(buffer);
        assert_eq!(pool.live(), 0);
    }
}
