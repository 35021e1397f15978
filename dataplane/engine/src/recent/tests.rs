//! A list beside an obvious one.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const ROOM: usize = 6;

fn test(action: RecentAction) -> RecentTest {
    RecentTest {
        list: "a".into(),
        mask: u128::MAX,
        action,
        not: false,
        destination: false,
        seconds: 0,
        hits: 0,
        ttl: false,
        reap: false,
    }
}

fn seen(address: u128, ttl: u8, millis: u64) -> Seen {
    // All of one hash, so that they crowd each other's places as strangers never can make them.
    Seen { address: Address { bits: address, is_ipv6: false }, hash: 7, ttl, now: Time(millis * 1_000_000) }
}

/// Addresses, the one that was noted least lately first, each with its TTL and times.
#[derive(Default)]
struct Obvious(Vec<(Address, u8, Vec<u64>)>);

impl Obvious {
    fn ask(&mut self, test: &RecentTest, seen: &Seen, most: usize) -> bool {
        let now = seen.now.millis();
        let old = |time: u64| test.seconds != 0 && time + 1_000 * u64::from(test.seconds) < now;
        let fits = |ttl: u8| !test.ttl || ttl == 0 || seen.ttl == 0 || ttl == seen.ttl;
        let Some(at) = self.0.iter().position(|(address, ttl, _)| *address == seen.address && fits(*ttl)) else {
            if test.action == RecentAction::Set {
                self.0.drain(..(self.0.len() + 1).saturating_sub(ROOM));
                self.0.push((seen.address, seen.ttl, vec![now]));
            }
            return (test.action == RecentAction::Set) != test.not;
        };
        let hits = self.0[at].2.iter().filter(|time| !old(**time)).count();
        let asks = matches!(test.action, RecentAction::Check | RecentAction::Update);
        let holds = (!asks || hits >= test.hits.max(1) as usize) != test.not;
        let noted = test.action == RecentAction::Set || test.action == RecentAction::Update && holds;
        let mut entry = self.0[at].clone();
        let reaped = test.reap && old(*self.0[0].2.last().unwrap()) && !(noted && at == 0);
        if noted || test.action == RecentAction::Remove {
            self.0.remove(at);
        }
        if reaped {
            self.0.remove(0);
        }
        if noted {
            entry.1 = seen.ttl;
            entry.2.push(now);
            entry.2.drain(..entry.2.len().saturating_sub(most));
            self.0.push(entry);
        }
        holds
    }
}

fn any_test() -> impl Strategy<Value = RecentTest> {
    let actions = vec![RecentAction::Set, RecentAction::Set, RecentAction::Check, RecentAction::Update, RecentAction::Remove];
    (prop::sample::select(actions), any::<[bool; 3]>(), 0u32..3, 0u32..6).prop_map(|(action, [not, ttl, reap], seconds, hits)| {
        let asks = matches!(action, RecentAction::Check | RecentAction::Update);
        if asks {
            RecentTest { not, ttl, reap: reap && seconds > 0, seconds, hits, ..test(action) }
        } else {
            RecentTest { not, ..test(action) }
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_list_says_what_an_obvious_one_says(
        times in prop::sample::select(vec![1u32, 2, 4, 32]),
        packets in vec((any_test(), 0u128..9, 63u8..66, prop::sample::select(vec![0u64, 0, 1, 400, 1000, 1001])), 1..80),
    ) {
        let list = <List>::with_room(ROOM as u32, times, u128::MAX);
        let mut obvious = Obvious::default();
        let mut now = 5_000;
        for (number, (test, address, ttl, later)) in packets.iter().enumerate() {
            now += later;
            let seen = seen(*address, *ttl, now);
            prop_assert_eq!(list.ask(test, &seen), Ok(obvious.ask(test, &seen, times as usize)), "packet {}: {:?}", number, test);
        }
    }
}

#[test]
fn the_hundred_and_first_address_takes_the_place_of_the_one_that_was_heard_of_least_lately() {
    let list = <List>::new(32, u128::MAX);
    let there = |address: u128| {
        list.ask(&test(RecentAction::Check), &Seen { hash: (address as u32).wrapping_mul(0x9e37_79b1), ..seen(address, 64, 9) })
    };
    let set = |address: u128| {
        list.ask(&test(RecentAction::Set), &Seen { hash: (address as u32).wrapping_mul(0x9e37_79b1), ..seen(address, 64, 9) })
    };
    (0..100).for_each(|address| assert_eq!(set(address), Ok(true)));
    assert_eq!(set(0), Ok(true));
    assert_eq!(set(100), Ok(true));
    assert_eq!([0, 1, 2, 99, 100].map(there), [Ok(true), Ok(false), Ok(true), Ok(true), Ok(true)]);
}

#[test]
fn a_count_that_goes_round_keeps_its_times() {
    let list = <List>::with_room(4, 2, u128::MAX);
    let twice = RecentTest { hits: 2, seconds: 1, ..test(RecentAction::Check) };
    assert_eq!(list.ask(&test(RecentAction::Set), &seen(1, 64, 1_000)), Ok(true));
    let (slot, ..) = list.slots.find(7, |_| true).unwrap();
    // So many packets later.
    let noted = |list: &List| list.slots.find(7, |_| true).unwrap().2.noted;
    let word = noted(&list).word();
    assert!(list.slots.rewrite(slot, NOTED, word, Noted { count: COUNT, is_full: true, ..noted(&list) }.word()));
    for millis in [2_000, 2_001] {
        assert_eq!(list.ask(&test(RecentAction::Set), &seen(1, 64, millis)), Ok(true));
    }
    assert_eq!(noted(&list).count, 1);
    assert_eq!([2_500, 3_000, 3_001].map(|millis| list.ask(&twice, &seen(1, 64, millis))), [Ok(true), Ok(true), Ok(false)]);
}

#[test]
fn families_do_not_share_addresses() {
    let list = <List>::new(32, u128::MAX);
    assert_eq!(list.ask(&test(RecentAction::Set), &seen(1, 64, 9)), Ok(true));
    let other = Seen { address: Address { bits: 1, is_ipv6: true }, ..seen(1, 64, 9) };
    assert_eq!(list.ask(&test(RecentAction::Check), &other), Ok(false));
}
