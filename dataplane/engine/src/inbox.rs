//! What others ask of a worker: its flows are its own, so they ask by message, and the worker answers between bursts.
//!
//! Both directions are bounded queues without locks. Memory for an answer comes with the question: the worker allocates nothing.

use core::sync::atomic::{AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use packet::Ipv4;

use crate::conntrack::{Flow, FlowId, FlowKind};

/// Questions (and answers) that can wait at once.
const DEPTH: usize = 16;

/// A page of the flow table.
#[derive(Debug)]
pub struct FlowPage {
    /// The first slot that is asked for; in an answer, where the next page begins.
    pub from: u32,
    /// The flows, in the order of their slots: at most as many as the vector can hold without growing, and fewer, or none, where many slots were
    /// empty: only `last` says that there are no more.
    pub flows: Vec<(FlowId, Flow<Ipv4>)>,
    /// In an answer: there is no next page.
    pub last: bool,
}

impl FlowPage {
    /// Asks for the table's first flows, at most `most` at a time.
    pub fn first(most: usize) -> Self {
        Self { from: 0, flows: Vec::with_capacity(most), last: false }
    }
}

/// What can be asked.
#[derive(Debug)]
pub enum Request {
    /// List flows. Answered with the same page, filled.
    List(FlowPage),
    /// End all flows (`conntrack -F`). Not answered.
    Flush,
}

/// A worker's letter box. Written by whoever asks, emptied by the worker in every loop; answers the other way.
#[derive(Debug)]
pub struct Inbox {
    requests: ArrayQueue<Request>,
    pages: ArrayQueue<FlowPage>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { requests: ArrayQueue::new(DEPTH), pages: ArrayQueue::new(DEPTH) }
    }
}

impl Inbox {
    /// Asks. Gives the request back when too many wait already.
    pub fn ask(&self, request: Request) -> Result<(), Request> {
        self.requests.push(request)
    }

    /// The next answer.
    pub fn answer(&self) -> Option<FlowPage> {
        self.pages.pop()
    }

    pub(crate) fn next(&self) -> Option<Request> {
        self.requests.pop()
    }

    /// Answers. With as many answers waiting as there can be questions, nobody reads them: the oldest makes room.
    pub(crate) fn reply(&self, page: FlowPage) {
        self.pages.force_push(page);
    }
}

/// How full a worker is. Written by it between bursts, read by anyone.
#[derive(Debug)]
pub struct Gauges {
    flows: [AtomicU64; FlowKind::ALL.len()],
    /// Packets that wait for their next hop's link address, or for another worker to keep a translated tuple.
    waiting: AtomicU64,
    early_drops: AtomicU64,
}

impl Default for Gauges {
    fn default() -> Self {
        Self {
            flows: [const { AtomicU64::new(0) }; FlowKind::ALL.len()],
            waiting: AtomicU64::new(0),
            early_drops: AtomicU64::new(0),
        }
    }
}

impl Gauges {
    /// Confirmed flows of a kind.
    pub fn flows(&self, kind: FlowKind) -> u64 {
        self.flows[kind.index()].load(Ordering::Relaxed)
    }

    /// Packets that wait for their next hop's link address, or for another worker to keep a translated tuple.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Flows that were ended before their time to make way for others (`early_drop`). Only grows.
    pub fn early_drops(&self) -> u64 {
        self.early_drops.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, flows: impl Fn(FlowKind) -> u32, waiting: usize, early_drops: u64) {
        for (cell, kind) in self.flows.iter().zip(FlowKind::ALL) {
            cell.store(u64::from(flows(kind)), Ordering::Relaxed);
        }
        self.waiting.store(waiting as u64, Ordering::Relaxed);
        self.early_drops.store(early_drops, Ordering::Relaxed);
    }
}
