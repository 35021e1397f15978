use packet::FamilyId;
use program::set::ByPackets;

use super::*;

fn spec(parts: &[SetPart], counters: bool) -> SetSpec {
    SetSpec {
        family: Some(FamilyId::Ipv4),
        parts: parts.to_vec(),
        dimensions: parts.len().max(1) as u8,
        mask: u128::from(u32::MAX),
        mark_mask: 0,
        nothing_is_none: false,
        has_mac: false,
        counters,
        taking: Default::default(),
    }
}

fn create(name: &str, counters: bool) -> SetEdit {
    SetEdit::Create { name: name.into(), spec: spec(&[SetPart::Address], counters) }
}

fn element(address: u32, beside: Option<Said>) -> ElementEdit {
    ElementEdit { key: address.to_be_bytes().to_vec(), beside }
}

fn add(name: &str, addresses: impl IntoIterator<Item = u32>) -> SetEdit {
    let edits = addresses.into_iter().map(|address| element(address, Some(Said::default()))).collect();
    SetEdit::Elements { name: name.into(), edits }
}

fn find(directory: &Directory, id: SetId, address: u32) -> Option<super::super::Found> {
    let Body::Elements(elements) = &directory.get(id)?.body else { return None };
    let mut bytes = [0; 40];
    bytes[..4].copy_from_slice(&address.to_be_bytes());
    elements.table.find(&words(&bytes))
}

fn apply(sets: &mut Sets, edits: &[SetEdit]) -> Option<Arc<Directory>> {
    sets.apply(edits, Time(0), &|_| false).unwrap();
    sets.directory()
}

#[test]
fn elements_come_and_go_in_the_directory_that_is_there_until_their_table_is_outgrown() {
    let mut sets = Sets::new([1, 2]);
    let first = apply(&mut sets, &[create("a", false)]).unwrap();
    let id = sets.id("a").unwrap();
    assert!(apply(&mut sets, &[add("a", 1..=4)]).is_none());
    assert!(find(&first, id, 4).is_some() && find(&first, id, 5).is_none());
    let gone = SetEdit::Elements { name: "a".into(), edits: vec![element(4, None)] };
    assert!(apply(&mut sets, &[gone]).is_none());
    assert!(find(&first, id, 4).is_none());
    let second = apply(&mut sets, &[add("a", 5..=100_000)]).unwrap();
    assert!((5..=100_000).all(|address| find(&second, id, address).is_some()));
    assert!(find(&second, id, 4).is_none() && find(&second, id, 3).is_some());
}

#[test]
fn places_stay_where_rules_have_been_told_that_they_are() {
    let mut sets = Sets::new([1, 2]);
    apply(&mut sets, &[create("a", false), create("b", false), add("a", [1]), add("b", [2])]);
    let (a, b) = (sets.id("a").unwrap(), sets.id("b").unwrap());
    let swapped = apply(&mut sets, &[SetEdit::Swap { one: "a".into(), other: "b".into() }]).unwrap();
    assert_eq!((sets.id("a"), sets.id("b")), (Some(a), Some(b)));
    assert!(find(&swapped, a, 2).is_some() && find(&swapped, b, 1).is_some());
    // What changes from then on is under the same names.
    assert!(apply(&mut sets, &[add("a", [3])]).is_none());
    assert!(find(&swapped, a, 3).is_some());
    apply(&mut sets, &[SetEdit::Rename { from: "b".into(), to: "c".into() }]);
    assert_eq!((sets.id("b"), sets.id("c")), (None, Some(b)));
    let flushed = apply(&mut sets, &[SetEdit::Flush { name: "a".into() }]).unwrap();
    assert!(find(&flushed, a, 2).is_none() && sets.id("a") == Some(a));
    // A place to which a rule goes is for a set of the same name alone.
    sets.apply(&[SetEdit::Destroy { name: "a".into() }, create("d", false)], Time(0), &|id| id == a).unwrap();
    assert!(sets.id("a").is_none() && sets.place_of("a") == Some(a) && sets.id("d") != Some(a));
    apply(&mut sets, &[create("a", false), SetEdit::Destroy { name: "c".into() }, create("e", false)]);
    assert_eq!((sets.id("a"), sets.id("e")), (Some(a), Some(b)));
}

#[test]
fn all_sets_are_replaced_at_once_or_not_at_all() {
    let mut sets = Sets::new([1, 2]);
    apply(&mut sets, &[create("a", true), create("gone", false), create("kept", false), add("a", [1, 2])]);
    let (a, kept) = (sets.id("a").unwrap(), sets.id("kept").unwrap());
    let Body::Elements(elements) = &sets.place(a).unwrap().set.body else { panic!("it has elements") };
    elements.table.set_counters(
        &words(&{
            let mut bytes = [0; 40];
            bytes[3] = 2;
            bytes
        }),
        7,
        70,
    );
    let bad = [create("a", true), add("a", [9]), add("nobody", [9])];
    assert_eq!(sets.replace(&bad, Time(0), &|_| false), Err(SetFault::NoSet("nobody".into())));
    assert!(sets.directory().is_none() && sets.counts("a").unwrap().len() == 2);
    sets.replace(&[create("new", false), create("a", true), add("a", [2, 3])], Time(0), &|id| id == kept).unwrap();
    let now = sets.directory().unwrap();
    assert_eq!((sets.id("a"), sets.id("gone"), sets.id("kept")), (Some(a), None, None));
    assert!(find(&now, a, 1).is_none() && find(&now, a, 3).is_some());
    let mut counts: Vec<(u64, u64)> = sets.counts("a").unwrap().iter().map(|count| (count.packets, count.bytes)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [(0, 0), (7, 70)]);
    // The place of one that a rule names stays empty for it.
    assert!(sets.id("new") != Some(kept) && sets.place_of("kept") == Some(kept));
}

#[test]
fn what_is_counted_while_a_table_is_outgrown_is_not_lost() {
    let mut sets = Sets::new([1, 2]);
    let old = apply(&mut sets, &[create("a", true), add("a", [1])]).unwrap();
    let id = sets.id("a").unwrap();
    let count = |directory: &Directory, packets: u64| {
        let found = find(directory, id, 1).unwrap();
        let Body::Elements(elements) = &directory.get(id).unwrap().body else { panic!("it has elements") };
        let (of_packets, of_bytes) = elements.table.counters(found).unwrap();
        of_packets.fetch_add(packets, Ordering::Relaxed);
        of_bytes.fetch_add(10 * packets, Ordering::Relaxed);
    };
    count(&old, 3);
    let new = apply(&mut sets, &[add("a", 2..100)]).unwrap();
    count(&old, 4);
    count(&new, 5);
    sets.settle();
    let counted = |sets: &Sets| {
        let counts = sets.counts("a").unwrap();
        let first = counts.iter().find(|count| count.key == [0, 0, 0, 1]).unwrap();
        (first.packets, first.bytes)
    };
    assert_eq!(counted(&sets), (12, 120));
    // Nor is what is counted while all sets are told anew.
    sets.replace(&[create("a", true), add("a", 1..100)], Time(0), &|_| false).unwrap();
    let last = sets.directory().unwrap();
    count(&new, 6);
    count(&last, 7);
    sets.settle();
    assert_eq!(counted(&sets), (25, 250));
}

#[test]
fn what_is_over_is_left_behind_when_a_table_grows() {
    let mut sets = Sets::new([1, 2]);
    apply(&mut sets, &[create("a", false)]);
    for second in 0..1000u32 {
        let beside = Said { expires_in: 1000, ..Said::default() };
        let edit = SetEdit::Elements { name: "a".into(), edits: vec![element(second, Some(beside))] };
        sets.apply(&[edit], Time(u64::from(second) * 1_000_000_000), &|_| false).unwrap();
    }
    let Body::Elements(elements) = &sets.place(sets.id("a").unwrap()).unwrap().set.body else { panic!("it has elements") };
    assert!(elements.table.cells() <= 64, "{}", elements.table.cells());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut sets = Sets::new([1, 2]);
    apply(&mut sets, &[create("a", false), SetEdit::Create { name: "l".into(), spec: spec(&[], false) }]);
    let mut refused = |edit: SetEdit, fault: SetFault| {
        assert_eq!(sets.apply(&[edit], Time(0), &|_| false), Err(fault));
    };
    let member = |name: &str| Member { name: name.into(), expires_in: 0, counters: None };
    refused(create("a", false), SetFault::Exists("a".into()));
    refused(create("", false), SetFault::Name(String::new()));
    refused(create(&"x".repeat(32), false), SetFault::Name("x".repeat(32)));
    let all = [SetPart::Address; 3];
    refused(SetEdit::Create { name: "b".into(), spec: spec(&all, false) }, SetFault::Spec("b".into()));
    refused(
        SetEdit::Elements { name: "a".into(), edits: vec![ElementEdit { key: vec![1; 5], beside: None }] },
        SetFault::Key("a".into(), 5),
    );
    refused(add("l", [1]), SetFault::Kind("l".into()));
    refused(SetEdit::Members { name: "a".into(), members: vec![] }, SetFault::Kind("a".into()));
    refused(SetEdit::Members { name: "l".into(), members: vec![member("l")] }, SetFault::Kind("l".into()));
    refused(SetEdit::Members { name: "l".into(), members: vec![member("x")] }, SetFault::NoSet("x".into()));
    refused(SetEdit::Swap { one: "a".into(), other: "x".into() }, SetFault::NoSet("x".into()));
    refused(SetEdit::Rename { from: "a".into(), to: "l".into() }, SetFault::Exists("l".into()));
    refused(SetEdit::Flush { name: "x".into() }, SetFault::NoSet("x".into()));
    refused(SetEdit::Destroy { name: "x".into() }, SetFault::NoSet("x".into()));
}

/// What packets do, as a worker that goes by a directory does it.
mod by_packets {
    use super::*;
    use crate::sets::{Coming, Seen};

    fn key(address: u32) -> super::super::super::Key {
        let mut bytes = [0; 40];
        bytes[..4].copy_from_slice(&address.to_be_bytes());
        words(&bytes)
    }

    fn coming(expires: u64) -> Coming {
        Coming { expires, renews: false, bytes: 10 }
    }

    /// A set of so many elements that packets change.
    fn made(most: Option<u32>, makes_room: bool) -> (Sets, Arc<Directory>, SetId) {
        let mut sets = Sets::new([1, 2]);
        let taking = program::set::Taking { most, makes_room, seconds: Some(0), range: None };
        let spec = SetSpec { taking, ..spec(&[SetPart::Address], true) };
        apply(&mut sets, &[SetEdit::Create { name: "a".into(), spec }]).unwrap();
        let id = sets.id("a").unwrap();
        sets.open([id].into());
        let directory = sets.directory().unwrap();
        (sets, directory, id)
    }

    fn add(directory: &Directory, id: SetId, address: u32, expires: u64, now: Time) {
        directory.view(id).unwrap().add(&key(address), [None; 2], coming(expires), now);
    }

    fn remove(directory: &Directory, id: SetId, address: u32) {
        directory.view(id).unwrap().remove(&key(address), [None; 2], Time(0));
    }

    /// Counts one packet with an element, if it is there.
    fn counts(directory: &Directory, id: SetId, address: u32) -> Option<u64> {
        let view = directory.view(id).unwrap();
        let seen = view.find(&key(address))?;
        let (packets, _) = view.counters(seen).unwrap();
        Some(packets.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn millis(millis: u64) -> Time {
        Time(millis * 1_000_000)
    }

    /// A worker that goes by an older directory than the others changes and counts what they do.
    #[test]
    fn notes_that_are_half_full_are_changed_for_others_and_nothing_is_lost() {
        let (mut sets, mut directory, id) = made(None, false);
        for round in 0..4u32 {
            let addresses = round * 20_000..(round + 1) * 20_000;
            for address in addresses.clone() {
                add(&directory, id, address, 0, Time(0));
                assert_eq!(counts(&directory, id, address), Some(2));
            }
            let mut taken = 0;
            sets.follow_packets(Time(0), |next| {
                // In the last moment by the one before.
                add(&directory, id, 1_000_000 + round * 10 + taken, 0, Time(0));
                counts(&directory, id, round * 20_000);
                directory = next;
                taken += 1;
            });
            assert!(taken > 0, "round {round}");
            assert!(addresses.step_by(1000).skip(1).all(|address| counts(&directory, id, address) == Some(3)));
            sets.follow_packets(Time(0), |next| directory = next);
            let times = u64::from(taken);
            assert_eq!(counts(&directory, id, round * 20_000), Some(3 + times));
            for number in 0..taken {
                assert!(counts(&directory, id, 1_000_000 + round * 10 + number).is_some(), "round {round}, number {number}");
            }
        }
        for _ in 0..4 {
            sets.follow_packets(Time(0), |next| directory = next);
        }
        assert!(sets.counts("a").unwrap().len() > 80_000);
        let view = directory.view(id).unwrap();
        assert!((0..80_000).all(|address| matches!(view.find(&key(address)), Some(Seen::Kept(_)))));
    }

    #[test]
    fn a_full_set_takes_no_more_and_has_room_when_time_is_over() {
        let (mut sets, mut directory, id) = made(Some(2), false);
        for address in 1..=3 {
            add(&directory, id, address, 100, Time(0));
        }
        assert_eq!([1, 2, 3].map(|address| counts(&directory, id, address).is_some()), [true, true, false]);
        assert_eq!(sets.shortages(), ["set \"a\" is full, maxelem 2 reached: 1 packets did not come in"]);
        assert!(sets.shortages().is_empty());
        // One that goes makes room.
        remove(&directory, id, 1);
        add(&directory, id, 3, 200, Time(0));
        assert!(counts(&directory, id, 3).is_some());
        sets.follow_packets(Time(0), |next| directory = next);
        add(&directory, id, 4, 200, millis(100));
        assert_eq!(counts(&directory, id, 4), None, "nobody has looked yet");
        sets.follow_packets(millis(120), |next| directory = next);
        add(&directory, id, 4, 200, millis(120));
        assert!(counts(&directory, id, 4).is_some());
    }

    #[test]
    fn a_set_that_makes_room_has_no_more_than_it_may() {
        let (mut sets, mut directory, id) = made(Some(2), true);
        for address in 1..=5 {
            add(&directory, id, address, 0, Time(0));
            assert!(counts(&directory, id, address).is_some());
        }
        sets.follow_packets(Time(0), |next| directory = next);
        assert_eq!(sets.counts("a").unwrap().len(), 2);
        let told = sets.by_packets(0, Time(0));
        let there = told.sets[0].1.iter().filter(|edit| edit.beside.is_some()).count();
        assert_eq!((told.sets[0].1.len(), there), (5, 2));
    }

    /// Whoever commands is told what packets did until they know it, and not what a command has changed since.
    #[test]
    fn what_packets_did_is_told_until_it_is_known() {
        let (mut sets, mut directory, id) = made(None, false);
        add(&directory, id, 1, 0, Time(0));
        add(&directory, id, 2, 500, Time(0));
        remove(&directory, id, 2);
        add(&directory, id, 3, 500, Time(0));
        sets.follow_packets(Time(0), |next| directory = next);
        let said = |told: &ByPackets| {
            let mut all: Vec<_> = told.sets.iter().flat_map(|(_, edits)| edits).collect();
            all.sort_by_key(|edit| edit.key.clone());
            all.iter().map(|edit| (edit.key[3], edit.beside.map(|beside| (beside.expires_in, beside.counters)))).collect::<Vec<_>>()
        };
        let one = Some((1, 10));
        let told = sets.by_packets(0, millis(100));
        assert_eq!(said(&told), [(1, Some((0, one))), (2, None), (3, Some((400, one)))]);
        assert_eq!(said(&sets.by_packets(told.until - 1, millis(100))).len(), 1);
        assert!(sets.by_packets(told.until, Time(0)).sets.is_empty());
        for address in [1, 4] {
            remove(&directory, id, 1);
            add(&directory, id, address, 0, Time(0));
        }
        sets.follow_packets(Time(0), |next| directory = next);
        apply(&mut sets, &[SetEdit::Elements { name: "a".into(), edits: vec![element(4, None)] }]);
        assert_eq!(said(&sets.by_packets(told.until, Time(0))), [(1, None)]);
    }

    /// All sets are told anew by one who does not know yet what packets did.
    #[test]
    fn sets_that_are_told_anew_have_what_packets_did_since() {
        let (mut sets, mut directory, id) = made(None, false);
        let spec = directory.get(id).unwrap().spec.clone();
        apply(&mut sets, &[super::add("a", [7, 8])]);
        for address in [1, 2] {
            add(&directory, id, address, 0, Time(0));
        }
        remove(&directory, id, 7);
        sets.follow_packets(Time(0), |next| directory = next);
        // This one nobody has put into the table.
        add(&directory, id, 3, 0, Time(0));
        let all = [SetEdit::Create { name: "a".into(), spec }, super::add("a", [7, 8, 9])];
        sets.replace(&all, Time(0), &|_| true).unwrap();
        let next = sets.directory().unwrap();
        add(&directory, id, 4, 0, Time(0));
        sets.settle();
        let has = |directory: &Directory, address| directory.view(id).unwrap().find(&key(address)).is_some();
        assert_eq!([1, 2, 3, 4, 7, 8, 9].map(|address| has(&next, address)), [true, true, true, true, false, true, true]);
        let mut last = next;
        sets.follow_packets(Time(0), |next| last = next);
        assert_eq!(
            [1, 2, 3, 4, 7, 8, 9].map(|address| find(&last, id, address).is_some()),
            [true, true, true, true, false, true, true]
        );
    }

    #[test]
    fn a_set_that_no_rule_changes_any_more_is_as_any_other_when_all_is_known() {
        let (mut sets, mut directory, id) = made(None, false);
        add(&directory, id, 1, 0, Time(0));
        sets.open(BTreeSet::new());
        for _ in 0..6 {
            sets.follow_packets(Time(0), |next| directory = next);
        }
        assert!(sets.is_open(), "what packets did is not known yet");
        let told = sets.by_packets(0, Time(0));
        sets.by_packets(told.until, Time(0));
        sets.follow_packets(Time(0), |next| directory = next);
        assert!(!sets.is_open() && directory.view(id).unwrap().open.is_none());
        assert!(find(&directory, id, 1).is_some());
    }
}
