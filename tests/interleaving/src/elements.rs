//! Elements of sets.

use loom::sync::Arc;
use loom::thread;

use crate::sets::table::{Beside, Key, KeyHash, Layout, Table};

const A: Key = [1, 1, 0, 0, 0];
const STAYS: Key = [7, 7, 0, 0, 0];

/// As its name says: one goes, and another one comes into its cell, while a third stays.
pub fn an_element_is_found_as_it_was_or_not_at_all() {
    let hash = KeyHash::new([1, 2]);
    let cell = |key: &Key| hash.of(&key[..2]) % 16;
    // Two that come into the same cell.
    let other = (100..).map(|number| [number, number, 0, 0, 0]).find(|key| cell(key) == cell(&A)).unwrap_or(A);
    assert!(cell(&STAYS) != cell(&A) && other != A);
    let layout = Layout { key: 2, mac: false, counters: false };
    let beside = |expires| Beside { expires, nomatch: false };
    loom::model(move || {
        let table = Table::new(layout, hash, 16).expect("there is memory");
        for key in [A, STAYS] {
            table.put(&key, beside(key[0]), 0).expect("there is room");
        }
        let table = Arc::new(table);
        let writer = table.clone();
        let thread = thread::spawn(move || {
            assert!(writer.remove(&A));
            writer.put(&other, beside(other[0]), 0).expect("there is room");
        });
        if let Some(found) = table.find(&A) {
            assert_eq!(found.beside, beside(1), "what stands beside another one");
        }
        assert!(table.find(&STAYS).is_some_and(|found| found.beside == beside(7)));
        thread.join().expect("the writer does not panic");
        assert!(table.find(&A).is_none() && table.find(&STAYS).is_some());
    });
}
