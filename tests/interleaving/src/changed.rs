//! Sets that packets change (`-j SET`): the notes of what they did, in which workers write, and the thread that puts it into the tables meanwhile.

use std::sync::Arc as Shared;

use loom::sync::{Arc, Mutex};
use loom::thread::{self, JoinHandle};
use packet::FamilyId;
use program::set::{Beside, ElementEdit, Taking};
use program::{SetEdit, SetId, SetPart, SetSpec};

use crate::atomic::{AtomicU64, Ordering};
use crate::sets::{Coming, Directory, Key, Seen, Sets, words};
use crate::time::Time;

/// Bytes of a packet.
const LENGTH: u64 = 10;
const NOW: Time = Time(0);
/// Elements: one that packets bring and take, one that a command brought, and such as fill the notes.
const A: u32 = 1;
const STAYS: u32 = 2;
const OTHERS: [u32; 4] = [3, 4, 5, 6];
/// Cells of the notes, of which a quarter fills them.
const ROOM: [usize; 2] = [16; 2];

fn key(address: u32) -> Key {
    let mut bytes = [0; 40];
    bytes[..4].copy_from_slice(&address.to_be_bytes());
    words(&bytes)
}

/// A network, whose prefix stands behind its address.
const NET: ([u8; 4], u8) = ([10, 0, 0, 0], 8);

fn net() -> Key {
    let mut bytes = [0; 40];
    bytes[..4].copy_from_slice(&NET.0);
    bytes[4] = NET.1;
    words(&bytes)
}

/// A set of addresses that rules let packets change, two workers, and what each of them goes by.
struct Model {
    sets: Sets,
    id: SetId,
    workers: [Worker; 2],
}

/// It holds what it goes by while it has a burst.
#[derive(Clone)]
struct Worker {
    goes_by: Arc<Mutex<Shared<Directory>>>,
    id: SetId,
}

impl Worker {
    fn burst<R>(&self, work: impl FnOnce(&Directory) -> R) -> R {
        work(&self.goes_by.lock().expect("no worker panics"))
    }

    fn add(&self, address: u32) {
        let coming = Coming { expires: 0, renews: false, bytes: LENGTH };
        self.burst(|sets| {
            if let Some(view) = sets.view(self.id) {
                view.add(&key(address), [None; 2], coming, NOW);
            }
        });
    }

    fn remove(&self, address: u32) {
        self.burst(|sets| {
            if let Some(view) = sets.view(self.id) {
                view.remove(&key(address), [None; 2], NOW);
            }
        });
    }

    /// Brings the network, in a set of such.
    fn add_net(&self) {
        let coming = Coming { expires: 0, renews: false, bytes: LENGTH };
        self.burst(|sets| {
            if let Some(view) = sets.view(self.id) {
                view.add(&net(), [Some(NET.1), None], coming, NOW);
            }
        });
    }

    /// Looks for networks of each prefix that there is, as a packet does.
    fn has_net(&self) -> bool {
        self.burst(|sets| {
            sets.view(self.id).is_some_and(|view| view.prefixes(0, 32).any(|prefix| prefix == NET.1 && view.find(&net()).is_some()))
        })
    }

    /// Counts one packet with an element, if it is there.
    fn counts(&self, address: u32) -> bool {
        self.burst(|sets| {
            let Some((packets, bytes)) = sets.view(self.id).and_then(|view| view.counters(view.find(&key(address))?)) else {
                return false;
            };
            packets.fetch_add(1, Ordering::Relaxed);
            bytes.fetch_add(LENGTH, Ordering::Relaxed);
            true
        })
    }

    fn has(&self, address: u32) -> bool {
        self.burst(|sets| sets.view(self.id).is_some_and(|view| view.find(&key(address)).is_some()))
    }
}

impl Model {
    fn new(has: &[u32]) -> Self {
        Self::of(SetPart::Address, has, false)
    }

    fn of(part: SetPart, has: &[u32], counters: bool) -> Self {
        let spec = SetSpec {
            family: Some(FamilyId::Ipv4),
            parts: vec![part],
            dimensions: 1,
            mask: u128::from(u32::MAX),
            mark_mask: 0,
            nothing_is_none: false,
            has_mac: false,
            counters,
            taking: Taking::default(),
        };
        let edits = has.iter().map(|address| ElementEdit { key: address.to_be_bytes().to_vec(), beside: Some(Beside::default()) });
        let (create, fill) =
            (SetEdit::Create { name: "a".into(), spec }, SetEdit::Elements { name: "a".into(), edits: edits.collect() });
        let mut sets = Sets::with_room([1, 2], ROOM);
        sets.apply(&[create, fill], NOW, &|_| false).expect("such a set can be");
        let id = sets.id("a").expect("it was made");
        sets.open([id].into());
        let directory = sets.directory().expect("something has changed");
        let worker = || Worker { goes_by: Arc::new(Mutex::new(directory.clone())), id };
        Self { sets, id, workers: [worker(), worker()] }
    }

    /// What the control thread does every few milliseconds. Workers come to go by another directory one after the other, each behind its burst.
    fn follow(&mut self) {
        let workers = &self.workers;
        self.sets.follow_packets(NOW, |next| {
            for worker in workers {
                *worker.goes_by.lock().expect("no worker panics") = next.clone();
            }
        });
    }

    fn spawn(&self, worker: usize, work: impl FnOnce(&Worker) + Send + 'static) -> JoinHandle<()> {
        let worker = self.workers[worker].clone();
        thread::spawn(move || work(&worker))
    }

    /// When all is quiet everybody says the same, the tables say it, and it is counted so.
    fn assert_says(&mut self, has: &[u32], has_not: &[u32]) {
        for _ in 0..2 {
            for worker in &self.workers {
                assert!(has.iter().all(|address| worker.has(*address)), "one is lost");
                assert!(!has_not.iter().any(|address| worker.has(*address)), "one has come back");
            }
            self.follow();
        }
        let id = self.id;
        self.workers[0].burst(|sets| {
            let view = sets.view(id).expect("it has elements");
            assert!(has.iter().all(|address| matches!(view.find(&key(*address)), Some(Seen::Kept(_)))), "tables have it");
            assert_eq!(view.open.expect("it is open").tally.elements(), has.len() as u64);
        });
    }
}

/// Every order in which a thread is interrupted at most so many times: all orders are too many.
fn check(interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut models = loom::model::Builder::new();
    models.preemption_bound = Some(interruptions);
    models.max_branches = 100_000;
    models.check(model);
}

/// As its name says.
pub fn an_element_that_two_packets_bring_at_once_is_there_for_what_follows_each() {
    check(3, || {
        let mut model = Model::new(&[]);
        let work = |worker: &Worker| {
            worker.add(A);
            assert!(worker.has(A), "the next rule finds it");
        };
        let other = model.spawn(1, work);
        work(&model.workers[0]);
        other.join().expect("the other worker does not panic");
        model.assert_says(&[A], &[]);
    });
}

/// As its name says.
pub fn a_network_that_two_packets_bring_at_once_is_there_for_what_follows_each() {
    check(3, || {
        let mut model = Model::of(SetPart::Net, &[], false);
        let work = |worker: &Worker| {
            worker.add_net();
            assert!(worker.has_net(), "the next rule finds it");
        };
        let workers = [model.spawn(0, work), model.spawn(1, work)];
        model.follow();
        workers.into_iter().for_each(|worker| worker.join().expect("a worker does not panic"));
        model.follow();
        model.workers.iter().for_each(|worker| assert!(worker.has_net()));
    });
}

/// As its name says.
pub fn an_element_that_two_packets_take_out_at_once_is_gone_for_what_follows_each() {
    check(3, || {
        let mut model = Model::new(&[A, STAYS]);
        let work = |worker: &Worker| {
            worker.remove(A);
            assert!(!worker.has(A), "the next rule does not find it");
            assert!(worker.has(STAYS));
        };
        let other = model.spawn(1, work);
        work(&model.workers[0]);
        other.join().expect("the other worker does not panic");
        model.assert_says(&[STAYS], &[A]);
    });
}

/// As its name says.
pub fn two_elements_that_come_at_once_are_both_there() {
    check(3, || {
        let mut model = Model::new(&[]);
        let other = model.spawn(1, |worker| {
            worker.add(OTHERS[0]);
            assert!(worker.has(OTHERS[0]));
        });
        model.workers[0].add(A);
        assert!(model.workers[0].has(A));
        other.join().expect("the other worker does not panic");
        model.assert_says(&[A, OTHERS[0]], &[OTHERS[1]]);
    });
}

/// As its name says.
pub fn an_element_that_comes_and_one_that_goes_stay_so_while_they_are_put_into_the_table() {
    check(3, || {
        let mut model = Model::new(&[STAYS]);
        let bringer = model.spawn(0, |worker| {
            worker.add(A);
            assert!(worker.has(A));
            worker.remove(STAYS);
            assert!(!worker.has(STAYS));
        });
        let looker = model.spawn(1, |worker| {
            let (gone, came) = (!worker.has(STAYS), worker.has(A));
            assert!(!gone || came, "the second change was seen, but not the first");
            assert!(!came || worker.has(A), "it came and was lost");
        });
        model.follow();
        bringer.join().expect("a worker does not panic");
        looker.join().expect("a worker does not panic");
        model.assert_says(&[A], &[STAYS]);
    });
}

/// As its name says.
pub fn an_element_that_goes_and_comes_again_is_there_whatever_was_put_into_the_table_between() {
    check(3, || {
        let mut model = Model::new(&[A]);
        let worker = model.spawn(0, |worker| {
            worker.remove(A);
            assert!(!worker.has(A));
            worker.add(A);
            assert!(worker.has(A));
        });
        model.follow();
        model.follow();
        worker.join().expect("the worker does not panic");
        model.assert_says(&[A], &[]);
    });
}

/// As its name says.
pub fn of_one_that_brings_and_one_that_takes_the_same_element_either_comes_later_for_everybody() {
    check(3, || {
        let mut model = Model::new(&[A]);
        let (taker, bringer) = (model.spawn(0, |worker| worker.remove(A)), model.spawn(1, |worker| worker.add(A)));
        model.follow();
        taker.join().expect("a worker does not panic");
        bringer.join().expect("a worker does not panic");
        let has = if model.workers[0].has(A) { vec![A] } else { vec![] };
        let has_not = if has.is_empty() { vec![A] } else { vec![] };
        model.assert_says(&has, &has_not);
    });
}

/// As its name says.
pub fn nothing_is_lost_when_notes_are_full_and_workers_come_to_new_ones_one_after_the_other() {
    check(2, || {
        let mut model = Model::new(&[STAYS]);
        OTHERS.iter().for_each(|address| model.workers[0].add(*address));
        let bringer = model.spawn(0, |worker| {
            worker.add(A);
            assert!(worker.has(A) && worker.has(OTHERS[0]));
        });
        let taker = model.spawn(1, |worker| {
            worker.remove(STAYS);
            worker.remove(OTHERS[3]);
            assert!(!worker.has(STAYS) && !worker.has(OTHERS[3]));
        });
        model.follow();
        bringer.join().expect("a worker does not panic");
        taker.join().expect("a worker does not panic");
        model.assert_says(&[A, OTHERS[0], OTHERS[1], OTHERS[2]], &[STAYS, OTHERS[3]]);
    });
}

/// As its name says.
pub fn nothing_is_lost_when_a_table_is_outgrown_while_packets_change_it() {
    check(3, || {
        let many: Vec<u32> = (10..19).collect();
        let mut model = Model::new(&many);
        let bringer = model.spawn(0, |worker| {
            worker.add(A);
            assert!(worker.has(A) && worker.has(10));
        });
        let taker = model.spawn(1, |worker| {
            worker.remove(11);
            assert!(!worker.has(11) && worker.has(12));
        });
        model.follow();
        bringer.join().expect("a worker does not panic");
        taker.join().expect("a worker does not panic");
        model.assert_says(&[A, 10, 12, 13, 14, 15, 16, 17, 18], &[11]);
    });
}

/// As its name says.
pub fn packets_that_find_an_element_are_counted_while_it_is_put_into_the_table() {
    check(3, || {
        let mut model = Model::of(SetPart::Address, &[], true);
        let counted = Arc::new(AtomicU64::new(1));
        let (of_bringer, of_other) = (counted.clone(), counted.clone());
        let bringer = model.spawn(0, move |worker| {
            worker.add(A);
            assert!(worker.counts(A));
            of_bringer.fetch_add(1, Ordering::Relaxed);
        });
        let other = model.spawn(1, move |worker| {
            let found = worker.counts(A);
            of_other.fetch_add(found.into(), Ordering::Relaxed);
        });
        model.follow();
        bringer.join().expect("a worker does not panic");
        other.join().expect("a worker does not panic");
        model.assert_says(&[A], &[]);
        let counts = model.sets.counts("a").expect("it is there");
        let counted = counted.load(Ordering::Relaxed);
        assert_eq!(counts.iter().map(|count| (count.packets, count.bytes)).collect::<Vec<_>>(), [(counted, LENGTH * counted)]);
    });
}
