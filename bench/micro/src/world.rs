//! A box with two ports in memory, for the walk to forward through: buffers that are used again and again, so that no benchmark measures
//! the heap, and no recording of what left.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use engine::buffer::{Buffer, RxChecksum};
use engine::handoff::{Letter, Parcel};
use engine::host::{Address, FamilyHost, FamilyParts, Host, Interface, Neighbour};
use engine::log::LogRecord;
use engine::outside::Outside;
use engine::snapshot::{Edition, Settings, TableStates};
use engine::worker::BURST;
use engine::{Snapshot, Time, Worker, WorkerConfig};
use packet::Ipv4;
use program::{InterfaceId, Program};
use rtrb::Producer;

use crate::frames::{BOX, SENDER};

/// The port towards the server, 198.51.100.1/24.
pub const OUTSIDE: InterfaceId = InterfaceId(1);
/// The port towards the client, 192.0.2.1/24.
pub const INSIDE: InterfaceId = InterfaceId(2);
const BOX_OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// What the ports are called, by their ids.
pub const PORTS: [&str; 3] = ["", "eth0", "eth1"];
/// The server.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
const BOX_INSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The client.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

/// Bytes that a buffer holds.
const ROOM: usize = 2048;

/// A buffer of one segment.
#[derive(Debug)]
pub struct Slot {
    bytes: Box<[u8; ROOM]>,
    len: usize,
}

impl Slot {
    pub(crate) fn new() -> Self {
        Self { bytes: Box::new([0; ROOM]), len: 0 }
    }

    pub(crate) fn set(&mut self, frame: &[u8]) {
        self.bytes[..frame.len()].copy_from_slice(frame);
        self.len = frame.len();
    }
}

impl Buffer for Slot {
    fn head(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn head_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    fn len(&self) -> usize {
        self.len
    }

    fn segments(&self) -> impl Iterator<Item = &[u8]> + Clone {
        std::iter::once(self.head())
    }

    fn pull_up(&mut self, n: usize) -> bool {
        n <= self.len
    }

    fn prepend(&mut self, _: usize) -> Option<&mut [u8]> {
        None
    }

    fn trim_front(&mut self, n: usize) -> bool {
        let fits = n <= self.len;
        if fits {
            self.bytes.copy_within(n..self.len, 0);
            self.len -= n;
        }
        fits
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    fn append(&mut self, bytes: &[u8]) -> bool {
        let Some(room) = self.bytes.get_mut(self.len..self.len + bytes.len()) else { return false };
        room.copy_from_slice(bytes);
        self.len += bytes.len();
        true
    }

    /// A slot stands alone: whole packets are measured here, not fragments.
    fn chain(&mut self, tail: Self) -> Result<(), Self> {
        Err(tail)
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn is_usual(&self) -> bool {
        true
    }

    /// As from a NIC that verifies checksums.
    fn l4_checksum(&self) -> RxChecksum {
        RxChecksum::Good
    }

    fn set_l4_checksum(&mut self, _: RxChecksum) {}
}

/// What goes to the other worker.
pub(crate) enum Given {
    /// A packet as it came.
    Packet(Slot),
    /// One of which something was decided.
    Parcel(Parcel<Slot>),
}

/// Keeps what is sent, for the next burst.
#[derive(Default)]
pub(crate) struct Ports {
    pub(crate) sent: Vec<Slot>,
    pub(crate) delivered: usize,
    /// To the other worker, where there is one.
    pub(crate) way: Option<Producer<Given>>,
}

impl Outside for Ports {
    type Buf = Slot;

    fn alloc(&mut self) -> Option<Slot> {
        Some(Slot::new())
    }

    fn copy(&mut self, buf: &Slot) -> Option<Slot> {
        let mut copy = Slot::new();
        copy.set(buf.head());
        Some(copy)
    }

    fn transmit(&mut self, _: InterfaceId, buf: Slot) {
        self.sent.push(buf);
    }

    fn deliver(&mut self, _: InterfaceId, _: Slot) {
        self.delivered += 1;
    }

    fn log(&mut self, _: &LogRecord) {}

    fn resolve(&mut self, _: InterfaceId, _: IpAddr) {}

    fn pass_on(&mut self, _: u16, _: InterfaceId, buf: Slot) -> bool {
        self.way.as_mut().is_some_and(|way| way.push(Given::Packet(buf)).is_ok())
    }

    fn hand_over(&mut self, _: u16, parcel: Parcel<Slot>) -> bool {
        self.way.as_mut().is_some_and(|way| way.push(Given::Parcel(parcel)).is_ok())
    }

    // Nothing that is measured is cut or claimed.
    fn post(&mut self, _: u16, _: Letter<Slot>) -> bool {
        false
    }
}

/// What workers of a box with both ports read.
pub fn snapshot(program: Program, ipv4: FamilyHost<Ipv4>, settings: Settings) -> Snapshot {
    let interfaces = vec![None, Some(Interface::new("eth0", BOX)), Some(Interface::new("eth1", BOX))];
    Snapshot {
        edition: Edition::new(),
        states: TableStates::following(&Program::default(), &TableStates::default(), &program),
        program,
        host: Arc::new(Host { interfaces, ipv4, ..Host::default() }),
        sets: Arc::default(),
        settings: Arc::new(settings),
    }
}

/// A worker with its ports.
pub struct World {
    worker: Worker<Ports>,
    snapshot: Snapshot,
    ports: Ports,
    now: Time,
}

impl World {
    /// What its workers read.
    pub(crate) fn snapshot(program: Program) -> Snapshot {
        let address = |interface, address: Ipv4Addr, prefix_len| Address::<Ipv4>::new(interface, u32::from(address), prefix_len);
        let addresses = vec![address(OUTSIDE, BOX_OUTSIDE, 24), address(INSIDE, BOX_INSIDE, 24)];
        let known = Neighbour::Known(SENDER);
        let ipv4 = FamilyHost::new(FamilyParts {
            routes: addresses.iter().map(Address::connected_route).collect(),
            addresses,
            neighbours: vec![(OUTSIDE, u32::from(SERVER), known), (INSIDE, u32::from(CLIENT), known)],
            ..FamilyParts::default()
        });
        snapshot(program, ipv4, Settings::default())
    }

    /// A box under these rules; its neighbours are known.
    pub fn new(program: Program) -> Self {
        let snapshot = Self::snapshot(program);
        let worker = Worker::new(&WorkerConfig { seed: 1, ..WorkerConfig::default() });
        Self { worker, snapshot, ports: Ports::default(), now: Time(1_000_000_000_000) }
    }

    /// Sends one frame in and returns what comes out: it must be forwarded.
    pub fn forward(&mut self, port: InterfaceId, frame: &[u8]) -> Vec<u8> {
        let mut burst = ArrayVec::<Slot, BURST>::new();
        let mut slot = Slot::new();
        slot.set(frame);
        burst.push(slot);
        self.worker.receive(&self.snapshot, self.now, port, burst.drain(..), &mut self.ports);
        let sent: Vec<Slot> = self.ports.sent.drain(..).collect();
        let [only] = sent.as_slice() else { panic!("{} packets sent for one: {:?}", sent.len(), self.drops()) };
        only.head().to_vec()
    }

    /// Forwards at least `packets` of these frames, in turn and in full bursts, and says how long the worker took for `packets` of them:
    /// receiving and the housekeeping of its loop, without the filling of the buffers.
    pub fn forward_many(&mut self, port: InterfaceId, frames: &[Vec<u8>], packets: u64) -> Duration {
        let mut burst: ArrayVec<Slot, BURST> = (0..BURST).map(|_| Slot::new()).collect();
        let mut frames = frames.iter().cycle();
        let mut spent = Duration::ZERO;
        let bursts = packets.div_ceil(BURST as u64);
        for _ in 0..bursts {
            for (slot, frame) in burst.iter_mut().zip(&mut frames) {
                slot.set(frame);
            }
            self.now = Time(self.now.0 + 10_000);
            let start = Instant::now();
            self.worker.receive(&self.snapshot, self.now, port, burst.drain(..), &mut self.ports);
            self.worker.housekeeping(&self.snapshot, self.now, &mut self.ports);
            spent += start.elapsed();
            assert_eq!(self.ports.sent.len(), BURST, "every packet is forwarded: {:?}", self.drops());
            burst.extend(self.ports.sent.drain(..));
        }
        spent.mul_f64(packets as f64 / (bursts * BURST as u64) as f64)
    }

    /// Connections that the worker knows.
    pub fn flows(&self) -> usize {
        self.worker.flows().len()
    }

    fn drops(&self) -> Vec<(&'static str, u64)> {
        self.worker.drops().occurred().map(|(reason, count)| (reason.name(), count)).collect()
    }
}
