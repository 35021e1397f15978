//! One store publishes a snapshot; what it replaces is freed here, on the publisher's thread, after every worker was seen past it.
//!
//! A worker that finds the number of the current snapshot changed takes the new one and then writes the number into its own cell. It holds
//! that snapshot or a newer one until it writes again, so the publisher may free everything older than the least cell. Because the
//! publisher keeps an `Arc` of each until then, a worker never drops the last one: no worker ever runs a destructor.
//!
//! Costs a worker one acquire load per burst.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

/// What both sides share.
#[derive(Debug)]
struct Shared<T> {
    /// Grows by one with each publication. Written by the publisher after `current`; read by workers once per burst.
    number: AtomicU64,
    /// Written by the publisher; read by workers when `number` changed.
    current: ArcSwap<T>,
}

/// The publishing side: one, on a control thread.
#[derive(Debug)]
pub struct Publisher<T> {
    shared: Arc<Shared<T>>,
    /// How far each reader has come.
    readers: Vec<Arc<Progress>>,
    /// Everything published that a reader may still hold, with its number, oldest first. The last is the current one.
    kept: VecDeque<(u64, Arc<T>)>,
}

/// A worker's side.
#[derive(Debug)]
pub struct Reader<T> {
    number: u64,
    /// What it has said last ([`Reader::settle`]).
    settled: u64,
    mine: Arc<T>,
    shared: Arc<Shared<T>>,
    /// Stands behind `mine`, and so is dropped after it.
    progress: Ending,
}

/// How far a reader has come. Written by that reader; read by the publisher.
#[derive(Debug)]
struct Progress {
    /// The number of the oldest snapshot that it may hold.
    seen: AtomicU64,
    /// The number of the snapshot by which alone it goes.
    settled: AtomicU64,
}

/// A reader's cells.
#[derive(Debug)]
struct Ending(Arc<Progress>);

impl Drop for Ending {
    fn drop(&mut self) {
        // A worker that ended holds nothing up.
        self.0.seen.store(u64::MAX, Ordering::Release);
        self.0.settled.store(u64::MAX, Ordering::Release);
    }
}

impl<T> Publisher<T> {
    /// Publishes the first snapshot.
    pub fn new(first: Arc<T>) -> Self {
        let shared = Shared { number: AtomicU64::new(1), current: ArcSwap::new(first.clone()) };
        Self { shared: Arc::new(shared), readers: Vec::new(), kept: VecDeque::from([(1, first)]) }
    }

    /// A reader for one more worker, which holds the current snapshot.
    pub fn reader(&mut self) -> Reader<T> {
        let (number, mine) = (self.number(), self.current().clone());
        let progress = Arc::new(Progress { seen: AtomicU64::new(number), settled: AtomicU64::new(number) });
        self.readers.push(progress.clone());
        Reader { number, settled: number, mine, shared: self.shared.clone(), progress: Ending(progress) }
    }

    /// The snapshot that was published last.
    pub fn current(&self) -> &Arc<T> {
        match self.kept.back() {
            Some((_, current)) => current,
            None => unreachable!("the current snapshot is always kept"),
        }
    }

    fn number(&self) -> u64 {
        self.shared.number.load(Ordering::Relaxed)
    }

    /// Makes this the snapshot that every worker takes for its next burst.
    pub fn publish(&mut self, next: Arc<T>) {
        let number = self.number() + 1;
        self.kept.push_back((number, next.clone()));
        self.shared.current.store(next);
        self.shared.number.store(number, Ordering::Release);
        self.collect();
    }

    /// Does every worker go by the snapshot that was published last, and by no other?
    pub fn taken_up(&self) -> bool {
        self.least(|reader| &reader.settled) >= self.number()
    }

    /// Frees what no worker can hold any more, and says how many snapshots are kept.
    pub fn collect(&mut self) -> usize {
        let oldest = self.least(|reader| &reader.seen);
        while self.kept.len() > 1 && self.kept.front().is_some_and(|(number, _)| *number < oldest) {
            self.kept.pop_front();
        }
        self.kept.len()
    }

    /// Acquire: whatever a reader did with an older snapshot happened before it is freed.
    fn least(&self, cell: impl Fn(&Progress) -> &AtomicU64) -> u64 {
        self.readers.iter().map(|reader| cell(reader).load(Ordering::Acquire)).min().unwrap_or_else(|| self.number())
    }
}

impl<T> Reader<T> {
    /// The snapshot to use for this burst. Call it once per burst and hold no reference from the burst before.
    #[inline]
    pub fn read(&mut self) -> &T {
        let number = self.shared.number.load(Ordering::Acquire);
        if number != self.number {
            self.take(number);
        }
        &self.mine
    }

    #[cold]
    fn take(&mut self, number: u64) {
        // Maybe newer than `number` says: then the cell lags behind, which only keeps more.
        self.mine = self.shared.current.load_full();
        self.number = number;
        self.progress.0.seen.store(number, Ordering::Release);
    }

    /// Says that nothing goes by any other snapshot than the one that was read last.
    #[inline]
    pub fn settle(&mut self) {
        if self.settled != self.number {
            self.settled = self.number;
            self.progress.0.settled.store(self.number, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;
    use std::thread::{self, ThreadId};

    use super::*;

    /// Notes the threads on which it was dropped.
    struct Noted {
        value: u64,
        dropped_on: Arc<Mutex<Vec<ThreadId>>>,
    }

    impl Drop for Noted {
        fn drop(&mut self) {
            self.dropped_on.lock().unwrap().push(thread::current().id());
        }
    }

    #[test]
    fn a_reader_sees_a_publication_at_its_next_burst_and_not_before() {
        let mut publisher = Publisher::new(Arc::new(1));
        let mut reader = publisher.reader();
        assert_eq!(*reader.read(), 1);
        publisher.publish(Arc::new(2));
        assert!(!publisher.taken_up());
        assert_eq!(*reader.read(), 2);
        assert!(!publisher.taken_up(), "it may go on by what it remembers");
        reader.settle();
        assert!(publisher.taken_up());
        publisher.publish(Arc::new(3));
        reader.settle();
        assert!(!publisher.taken_up(), "it has not read it");
        drop(reader);
        assert!(publisher.taken_up());
    }

    #[test]
    fn what_a_reader_may_hold_is_kept_and_the_rest_is_freed() {
        let mut publisher = Publisher::new(Arc::new(0));
        let mut reader = publisher.reader();
        for value in 1..=3 {
            publisher.publish(Arc::new(value));
        }
        assert_eq!(publisher.collect(), 4);
        assert_eq!(*reader.read(), 3);
        assert_eq!(publisher.collect(), 1);
    }

    #[test]
    fn without_readers_nothing_old_is_kept() {
        let mut publisher = Publisher::new(Arc::new(0));
        publisher.publish(Arc::new(1));
        assert_eq!(publisher.collect(), 1);
        let reader = publisher.reader();
        publisher.publish(Arc::new(2));
        assert_eq!(publisher.collect(), 2);
        drop(reader);
        assert_eq!(publisher.collect(), 1);
    }

    #[test]
    fn no_reader_ever_runs_a_destructor_and_values_only_move_forward() {
        let dropped_on = Arc::new(Mutex::new(Vec::new()));
        let noted = |value| Arc::new(Noted { value, dropped_on: dropped_on.clone() });
        let mut publisher = Publisher::new(noted(0));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                let mut reader = publisher.reader();
                let stop = &stop;
                scope.spawn(move || {
                    let mut last = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let value = reader.read().value;
                        assert!(value >= last, "{value} after {last}");
                        last = value;
                    }
                    // Ends without the last reference: the publisher has it.
                });
            }
            for value in 1..=20_000 {
                publisher.publish(noted(value));
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(publisher.collect(), 1);
        let dropped_on = dropped_on.lock().unwrap();
        assert_eq!(dropped_on.len(), 20_000);
        assert!(dropped_on.iter().all(|id| *id == thread::current().id()));
    }
}
