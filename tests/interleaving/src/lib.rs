//! What workers share, under every order of their atomic operations (loom): the flow limit, the lists of `connlimit`, `limit`, `nth`, the rate of answers, what is
//! announced to all (`conntrack/slots`), cones, lists of `recent`, elements of sets, and what packets change of these.
//!
//! The modules are compiled here a second time, with loom's atomics in the place of the processor's, and as a library, so that their own tests,
//! which need no model, stay where they are. Each function is a model that panics when its promise does not hold.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "each module has more than these models use")]

mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
}
#[path = "../../../dataplane/engine/src/conntrack"]
mod conntrack {
    pub(crate) mod counts;
    pub(crate) mod hash;
    pub(crate) mod slots;
}
#[path = "../../../dataplane/engine/src/credits.rs"]
mod credits;
#[path = "../../../dataplane/engine/src/stateful/limit.rs"]
mod limit;
#[path = "../../../dataplane/engine/src/stateful/nth.rs"]
mod nth;
#[path = "../../../dataplane/engine/src/walk/pace.rs"]
mod pace;
#[path = "../../../dataplane/engine/src/nat/cone/pairs.rs"]
mod pairs;
#[path = "../../../dataplane/engine/src/recent/mod.rs"]
mod recent;
#[path = "../../../dataplane/engine/src/sets/mod.rs"]
mod sets;
#[path = "../../../dataplane/engine/src/time.rs"]
mod time;

mod announced;
mod changed;
mod cones;
mod elements;
mod seen;

pub use announced::*;
pub use changed::*;
pub use cones::*;
use conntrack::counts::{Counts, Full, List};
use credits::{Credits, Purse};
pub use elements::*;
use loom::sync::Arc;
use loom::thread;
use program::LimitSpec;
pub use seen::*;
use time::Time;

/// Runs the same on two workers at once, and gives what both say.
fn both<T: Send + Sync + 'static, R: Send + 'static>(
    shared: &Arc<T>,
    work: impl Fn(&T, u32) -> R + Send + Copy + 'static,
) -> [R; 2] {
    let other = shared.clone();
    let thread = thread::spawn(move || work(&other, 1));
    let mine = work(shared, 0);
    [mine, thread.join().expect("the other worker does not panic")]
}

/// As its name says.
pub fn connections_of_one_address_are_counted_one_after_the_other() {
    loom::model(|| {
        let counts = Arc::new(Counts::<2>::new(1));
        let mut said = both(&counts, |counts, _| counts.enter(List(7)));
        said.sort_unstable_by_key(|said| said.unwrap_or(0));
        assert_eq!((said, counts.get(List(7))), ([Ok(1), Ok(2)], Some(2)), "there is one list, however many make it");
    });
}

/// As its name says.
pub fn a_list_that_is_left_may_make_room_for_another_and_none_is_lost() {
    loom::model(|| {
        let counts = Arc::new(Counts::<1>::new(1));
        assert_eq!(counts.enter(List(1)), Ok(1));
        let said = both(&counts, |counts, worker| match worker {
            0 => {
                counts.leave(List(1), false);
                counts.enter(List(1))
            }
            _ => counts.enter(List(2)),
        });
        let is = [List(1), List(2)].map(|list| counts.get(list).filter(|connections| *connections > 0));
        let entered = said.map(Result::ok);
        assert_eq!(is, entered, "who was let in is counted");
        assert_eq!(said.iter().filter(|said| **said == Err(Full)).count(), 1, "there is one place");
    });
}

/// As its name says.
pub fn the_flow_limit_is_exact_and_no_credit_is_lost() {
    for limit in [1, 2, 3, 300] {
        loom::model(move || {
            let credits = Arc::new(Credits::new(limit, 2));
            let had = both(&credits, |credits, _| {
                let mut purse = Purse::default();
                let had = (0..3).filter(|_| purse.take(credits)).count() as u32;
                purse.settle(credits);
                (had, purse)
            });
            let [(a, purse_a), (b, purse_b)] = had;
            assert_eq!(a + b, limit.min(6), "all are lent, and no more");
            let (mut kept, nothing) = (0, Credits::new(0, 2));
            for (had, mut purse) in [(a, purse_a), (b, purse_b)] {
                purse.put(had);
                purse.settle(&credits);
                kept += (0..limit).take_while(|_| purse.take(&nothing)).count() as u32;
            }
            let mut purse = Purse::default();
            assert_eq!((0..=limit).filter(|_| purse.take(&credits)).count() as u32, limit - kept, "all came back, or are kept");
        });
    }
}

/// As its name says.
pub fn a_flow_that_ends_at_one_worker_makes_room_at_the_other() {
    loom::model(|| {
        let credits = Arc::new(Credits::new(2, 2));
        let had = both(&credits, |credits, worker| {
            let mut purse = Purse::default();
            let first = u32::from(purse.take(credits));
            let second = u32::from(purse.take(credits));
            if worker == 0 {
                purse.put(first + second);
                purse.settle(credits);
                return 0;
            }
            first + second
        });
        let mut purse = Purse::default();
        let left = (0..4).filter(|_| purse.take(&credits)).count() as u32;
        assert_eq!(had[1] + left, 2);
    });
}

/// As its name says.
pub fn a_burst_of_limit_is_taken_once_by_all_workers_together() {
    loom::model(|| {
        let spec = LimitSpec { cost: 32_000, cap: 96_000 };
        let cell = Arc::new(limit::start(spec.cap));
        // The workers' clocks differ by a millisecond.
        let passed = both(&cell, move |cell, worker| {
            let now = Time(100_000_000_000).plus_millis(u64::from(worker));
            (0..2).filter(|_| limit::take(cell, spec, now)).count()
        });
        assert_eq!(passed[0] + passed[1], 3);
    });
}

/// As its name says.
pub fn every_third_packet_is_every_third_of_all_workers() {
    loom::model(|| {
        let cell = Arc::new(nth::start(0));
        let hits = both(&cell, |cell, _| (0..3).filter(|_| nth::hit(cell, 2)).count());
        assert_eq!(hits[0] + hits[1], 2, "two of six");
    });
}

/// As its name says.
pub fn one_sender_is_not_answered_more_often_by_two_workers() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let pace = Arc::new(pace::Pace::new(0));
        let now = Time(7_000_000_000);
        for _ in 0..5 {
            assert!(pace.may_send_error(1u32, 1000, now));
        }
        let said = both(&pace, move |pace, _| u32::from(pace.may_send_error(1u32, 1000, now)));
        assert_eq!(said[0] + said[1], 1, "six at once");
    });
}
