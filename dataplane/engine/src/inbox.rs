//! What others ask of a worker: its flows are its own, so they ask by message, and the worker answers between bursts.
//!
//! Both directions are bounded queues without locks. Memory for an answer comes with the question: the worker allocates nothing. It works at one
//! question at a time, a few flows a round ([`crate::inquiry`]).

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crossbeam::queue::ArrayQueue;
use packet::family::{Either, Family, PerFamily};
use program::Helper;

use crate::conntrack::expect::{Expectation, SlotId};
use crate::conntrack::tally::COUNTS;
use crate::conntrack::{Counts, Extra, Flow, FlowId, FlowKind, Labels, Status, Tally};
use crate::events::Events;
use crate::time::Time;

/// Questions (and answers) that can wait at once.
const DEPTH: usize = 16;

/// What is to be done with flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Shows the next flows of the table.
    List {
        /// Their counts begin anew (`conntrack -L -z`).
        zero: bool,
    },
    /// Ends the named flows (`conntrack -D`).
    End,
    /// Changes the named flows (`conntrack -U`).
    Change(Change),
    /// Ends all flows (`conntrack -F`).
    Flush,
    /// Shows the next of the flows that are expected, by any worker's flows (`conntrack -L expect`).
    ListExpected,
    /// Forgets this expectation, and shows it as it was (`conntrack -D expect`).
    EndExpected(SlotId),
    /// Forgets all flows that are expected, by any worker's flows (`conntrack -F expect`).
    FlushExpected,
}

/// What an operator makes of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Seconds until it ends, unless its timeout is fixed: then nothing of all this is done.
    pub seconds: Option<u32>,
    /// Bits that its status gets.
    pub status: Status,
    /// It is to be an expected one. As in the kernel, where it is none, all but the timeout stays undone.
    pub expected: bool,
    /// Bits of its mark to clear, and to flip then.
    pub mask: u32,
    /// See there.
    pub value: u32,
    /// Labels to take off, and to put on then.
    pub off: Labels,
    /// See there.
    pub on: Labels,
}

/// A flow as it was when the worker came to it.
#[derive(Clone, Copy, Debug)]
pub struct Listed<F: Family> {
    /// Its name.
    pub id: FlowId,
    /// What it was.
    pub flow: Flow<F>,
    /// What it had carried, by direction.
    pub counts: [Counts; 2],
    /// And its rare attributes.
    pub extra: Extra,
    /// And the helper that reads it.
    pub helper: Option<Helper>,
    /// When it began, where that is remembered.
    pub started: Option<Time>,
}

/// A flow that is expected.
#[derive(Clone, Copy, Debug)]
pub struct Expected<F: Family> {
    /// Its name.
    pub id: SlotId,
    /// What it is.
    pub expectation: Expectation<F>,
}

/// The paper on which a question is put and answered.
#[derive(Debug)]
pub struct Page<F: Family> {
    /// Of a listing: the first slot that is asked for; in an answer, where the next page begins.
    pub from: u32,
    /// The flows that [`Wish::End`] and [`Wish::Change`] name.
    pub ids: Box<[FlowId]>,
    /// In an answer: the flows that were found, in the order of their slots, or of `ids`. At most as many as the vector can hold without growing;
    /// a page of a listing has fewer, or none, where many slots were empty.
    pub flows: Vec<Listed<F>>,
    /// In an answer about what is expected: what was found, likewise.
    pub expected: Vec<Expected<F>>,
    /// In an answer about a listing: there is no next page.
    pub last: bool,
    /// When it was answered.
    pub now: Time,
    /// Slots that were looked at.
    pub(crate) looked: usize,
}

impl<F: Family> Page<F> {
    /// Room for so many flows, from a slot on.
    pub fn from(slot: u32, most: usize) -> Self {
        let (ids, flows, expected) = (Box::default(), Vec::with_capacity(most), Vec::new());
        Self { from: slot, ids, flows, expected, last: false, now: Time(0), looked: 0 }
    }

    /// Room for so many that are expected, from a slot on.
    pub fn of_expected(slot: u32, most: usize) -> Self {
        Self { expected: Vec::with_capacity(most), ..Self::from(slot, 0) }
    }

    /// Names flows.
    pub fn of(ids: Vec<FlowId>) -> Self {
        Self { flows: Vec::with_capacity(ids.len()), ids: ids.into_boxed_slice(), ..Self::from(0, 0) }
    }
}

/// [`Page`]s of either family.
#[derive(Debug)]
pub struct Pages;

impl PerFamily for Pages {
    type Of<F: Family> = Page<F>;
}

/// What is asked, and in the end what is answered.
pub struct Question {
    /// The asker's: comes back with the answer.
    pub ticket: u64,
    /// What to do.
    pub wish: Wish,
    /// About which flows, and where to write.
    pub page: Either<Pages>,
}

/// A worker's letter box. Written by whoever asks (one thread), emptied by the worker in every loop; answers the other way.
pub struct Inbox {
    questions: ArrayQueue<Question>,
    answers: ArrayQueue<Question>,
    events: Arc<Events>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { questions: ArrayQueue::new(DEPTH), answers: ArrayQueue::new(DEPTH), events: Arc::default() }
    }
}

impl Inbox {
    /// Asks. Gives the question back when too many wait already.
    #[expect(clippy::result_large_err, reason = "it is the question that comes back")]
    pub fn ask(&self, question: Question) -> Result<(), Question> {
        self.questions.push(question)
    }

    /// The next answer.
    pub fn answer(&self) -> Option<Question> {
        self.answers.pop()
    }

    /// What becomes of the worker's flows, for who asks to be told: one thread.
    pub fn events(&self) -> &Arc<Events> {
        &self.events
    }

    pub(crate) fn next(&self) -> Option<Question> {
        // With as many answers waiting as there can be, nobody reads them: what comes of another question would have no place.
        if self.answers.is_full() { None } else { self.questions.pop() }
    }

    pub(crate) fn reply(&self, answer: Question) {
        // Has its place: the worker alone writes here, and took the question when there was room.
        let _ = self.answers.push(answer);
    }
}

/// How full a worker is. Written by it between bursts, read by anyone.
#[derive(Debug)]
pub struct Gauges {
    flows: [AtomicU64; FlowKind::ALL.len()],
    /// Packets that wait for their next hop's link address, or for another worker to keep a translated tuple.
    waiting: AtomicU64,
    retraced: AtomicU64,
    tally: [AtomicU64; COUNTS],
}

impl Default for Gauges {
    fn default() -> Self {
        Self {
            flows: [const { AtomicU64::new(0) }; FlowKind::ALL.len()],
            waiting: AtomicU64::new(0),
            retraced: AtomicU64::new(0),
            tally: [const { AtomicU64::new(0) }; COUNTS],
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

    /// Packets that needed no walk, because one like them had walked. Only grows.
    pub fn retraced(&self) -> u64 {
        self.retraced.load(Ordering::Relaxed)
    }

    /// What tracking did with packets. Only grows.
    pub fn tally(&self) -> Tally {
        Tally::of_cells(self.tally.each_ref().map(|cell| cell.load(Ordering::Relaxed)))
    }

    pub(crate) fn set(&self, flows: &[u32; FlowKind::ALL.len()], waiting: usize, retraced: u64, tally: Tally) {
        for (cell, count) in self.flows.iter().zip(flows) {
            cell.store(u64::from(*count), Ordering::Relaxed);
        }
        self.waiting.store(waiting as u64, Ordering::Relaxed);
        self.retraced.store(retraced, Ordering::Relaxed);
        for (cell, count) in self.tally.iter().zip(tally.cells()) {
            cell.store(count, Ordering::Relaxed);
        }
    }
}
