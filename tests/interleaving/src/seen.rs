//! `recent`: an address that two workers see at once.

use loom::sync::Arc;
use program::{RecentAction, RecentTest};

use crate::announced::check;
use crate::both;
use crate::recent::{Address, List, Seen};
use crate::time::Time;

/// A window of two slots.
type Addresses = List<2>;

const SEEN: Seen = Seen { address: Address { bits: 7, is_ipv6: false }, hash: 1, ttl: 64, now: Time(5_000_000_000) };

fn test(action: RecentAction, hits: u32) -> RecentTest {
    let seconds = if action == RecentAction::Set { 0 } else { 1 };
    RecentTest { list: "a".into(), mask: u128::MAX, action, not: false, destination: false, seconds, hits, ttl: false, reap: false }
}

/// As its name says.
pub fn an_address_that_two_workers_see_first_was_seen_twice() {
    check(|| {
        let list = Arc::new(Addresses::with_room(2, 2, u128::MAX));
        let said = both(&list, |list, _| list.ask(&test(RecentAction::Set, 0), &SEEN));
        assert_eq!(said, [Ok(true); 2]);
        assert_eq!(list.ask(&test(RecentAction::Check, 2), &SEEN), Ok(true));
        assert_eq!(list.ask(&test(RecentAction::Check, 3), &SEEN), Ok(false));
    });
}

/// As its name says.
pub fn who_is_the_one_too_many_is_found_out_by_one_worker_at_least() {
    check(|| {
        let list = Arc::new(Addresses::with_room(2, 4, u128::MAX));
        assert_eq!(list.ask(&test(RecentAction::Set, 0), &SEEN), Ok(true));
        let said = both(&list, |list, _| {
            assert_eq!(list.ask(&test(RecentAction::Set, 0), &SEEN), Ok(true));
            list.ask(&test(RecentAction::Check, 3), &SEEN)
        });
        assert!(said.contains(&Ok(true)), "{said:?}");
    });
}

/// As its name says.
pub fn an_address_that_is_forgotten_while_it_is_seen_is_there_with_that_alone_or_not_at_all() {
    check(|| {
        let list = Arc::new(Addresses::with_room(2, 2, u128::MAX));
        assert_eq!(list.ask(&test(RecentAction::Set, 0), &SEEN), Ok(true));
        let later = Seen { now: Time(9_000_000_000), ..SEEN };
        let action = |worker| if worker == 0 { RecentAction::Set } else { RecentAction::Remove };
        let said = both(&list, move |list, worker| list.ask(&test(action(worker), 0), &later));
        assert_eq!(said, [Ok(true); 2]);
        assert_eq!(list.ask(&RecentTest { seconds: 0, ..test(RecentAction::Check, 2) }, &later), Ok(false));
    });
}
