//! What one worker announces to all.

use loom::sync::Arc;
use loom::thread;

use crate::both;
use crate::conntrack::slots::{Content, Kept, Slots};
use crate::time::Time;

const NOW: Time = Time(1);

/// Who announced it, twice, and what: a word that is torn shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Announced {
    what: u32,
    by: u32,
}

impl Content<3> for Announced {
    fn encode(&self, version: u32) -> [u64; 3] {
        [u64::from(self.what), u64::from(self.by), u64::from(self.by) << 32 | u64::from(version)]
    }

    fn decode(words: &[u64; 3]) -> Option<Self> {
        assert_eq!(words[1], words[2] >> 32, "half of one, half of another");
        Some(Self { what: words[0] as u32, by: words[1] as u32 })
    }

    fn excludes(&self, other: &Self) -> bool {
        self.what == other.what
    }

    fn expires(&self) -> Time {
        Time(1_000)
    }
}

/// All of one window, of two slots.
type Table = Slots<Announced, 3, 2>;
const HASH: u32 = 1 << 16;

/// Every order in which a worker is interrupted at most three times: all orders are too many.
pub(crate) fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut models = loom::model::Builder::new();
    models.preemption_bound = Some(3);
    models.check(model);
}

fn announce(table: &Table, what: u32, by: u32) -> Result<(), Kept> {
    table.announce(HASH, &Announced { what, by }, NOW).map(drop)
}

fn found(table: &Table, what: u32) -> Vec<u32> {
    (0..table.places())
        .filter_map(|slot| table.read(slot))
        .map(|(_, found)| found)
        .filter(|found| found.what == what)
        .map(|found| found.by)
        .collect()
}

fn take(table: &Table, what: u32) -> Option<u32> {
    let (slot, state, found) = table.find(HASH, |found| found.what == what)?;
    table.free(slot, state).then_some(found.by)
}

/// As its name says.
pub fn of_two_that_announce_the_same_one_is_let_in() {
    loom::model(|| {
        let table = Arc::new(Table::new(2));
        let said = both(&table, |table, worker| announce(table, 7, worker));
        let winners: Vec<u32> = (0..2).filter(|worker| said[*worker as usize].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{said:?}");
        assert_eq!((found(&table, 7), table.len()), (winners, 1));
    });
}

/// The slots have an order, in which nobody comes: a free one may lie before the one that the first has taken.
pub fn so_it_is_when_a_slot_becomes_free_meanwhile() {
    check(|| {
        let table = Arc::new(Table::new(3));
        announce(&table, 1, 9).expect("there is room");
        let said = both(&table, |table, worker| {
            if worker == 1 {
                assert_eq!(take(table, 1), Some(9));
            }
            announce(table, 7, worker)
        });
        let came = found(&table, 7);
        assert!(came.len() <= 1, "both are in");
        let winners: Vec<u32> = (0..2).filter(|worker| said[*worker as usize].is_ok()).collect();
        assert_eq!((&came, table.len()), (&winners, winners.len() as u32), "{said:?}");
        assert_eq!(winners.len(), 1, "{said:?}");
    });
}

/// As its name says.
pub fn what_is_announced_is_taken_once_and_whole_while_its_slot_is_drained_and_filled() {
    check(|| {
        let table = Arc::new(Table::new(2));
        announce(&table, 1, 5).expect("there is room");
        let taken = both(&table, |table, worker| {
            let taken = take(table, 1);
            if worker == 0 && taken.is_some() {
                // Into the slot that was drained: who reads it meanwhile finds the old or the new, whole.
                announce(table, 2, 6).expect("there is room");
            }
            (taken, take(table, 2))
        });
        let of = |what: u32| taken.iter().filter_map(|(one, two)| if what == 1 { *one } else { *two }).collect::<Vec<_>>();
        assert_eq!(of(1), [5], "taken once");
        let left = found(&table, 2);
        match taken[0].0 {
            Some(_) => assert_eq!(of(2).into_iter().chain(left.clone()).collect::<Vec<_>>(), [6], "taken once, or there"),
            None => assert!(of(2).is_empty() && left.is_empty()),
        }
        assert_eq!(table.len() as usize, left.len());
    });
}

/// Who was kept out asks for what keeps him out, and finds it: nobody waits until the other worker has gone on.
pub fn who_is_kept_out_finds_what_keeps_him_out() {
    check(|| {
        let table = Arc::new(Table::new(2));
        let said = both(&table, |table, worker| match announce(table, 7, worker) {
            Ok(()) => worker,
            Err(_) => table.find_settled(HASH, NOW, |found| found.what == 7).map_or(u32::MAX, |(.., found)| found.by),
        });
        assert_eq!(said[0], said[1]);
        assert_eq!(found(&table, 7), [said[0]]);
    });
}

/// As its name says.
pub fn a_full_table_has_as_many_as_it_may() {
    loom::model(|| {
        let table = Arc::new(Table::new(1));
        let other = table.clone();
        let thread = thread::spawn(move || announce(&other, 1, 1));
        let mine = announce(&table, 2, 0);
        let said = [mine, thread.join().expect("the other worker does not panic")];
        assert_eq!(said.iter().filter(|said| said.is_ok()).count(), 1, "{said:?}");
        assert_eq!(table.len(), 1);
    });
}
