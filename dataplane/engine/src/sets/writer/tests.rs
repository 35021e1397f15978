use packet::FamilyId;

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
