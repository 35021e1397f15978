//! Sets that rules name, and what the program asks of them.

use std::net::{IpAddr, Ipv4Addr};

use packet::Ipv4;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use reference::Facts;
use reference::sets::{Element, Is, Listed, Part, Question, Set, Sets};
use rules::matches::set::{CounterTest, SetTest};
use rules::sets::SetFields;

use crate::packets::{ADDRESSES, MARKS, PORTS, PROTOCOLS};

/// Names of sets, and what they are made of. There are a list of the first two, and one that nobody has made.
const KINDS: [(&str, &[Part]); 4] = [
    ("net", &[Part::Net]),
    ("net,port", &[Part::Net, Part::Port]),
    ("net,net", &[Part::Net, Part::Net]),
    ("net,mark", &[Part::Net, Part::Mark]),
];

/// A question as the program has it, in the model's words: whose sets are in here is asked.
pub(crate) fn ask(sets: &mut Sets, test: &program::SetTest, facts: &Facts<Ipv4>) -> bool {
    let counter = |test: program::CounterTest| match test {
        program::CounterTest::Equal(number) => CounterTest::Equal(number),
        program::CounterTest::NotEqual(number) => CounterTest::NotEqual(number),
        program::CounterTest::Less(number) => CounterTest::Less(number),
        program::CounterTest::Greater(number) => CounterTest::Greater(number),
    };
    let question = Question {
        name: test.name.clone(),
        is_source: (0..test.dimensions.into()).map(|dimension| test.is_source(dimension)).collect(),
        exceptions: test.exceptions,
        counts: !test.keep_counters,
        counts_below: !test.keep_counters && !test.keep_sub_counters,
        packets: test.packets.map(counter),
        bytes: test.bytes.map(counter),
    };
    reference::sets::ask(sets, &question, facts) != test.not
}

/// A change as the program has it, in the model's words.
pub(crate) fn change(sets: &mut Sets, change: &program::SetChange, facts: &Facts<Ipv4>) {
    let sides = |set: &program::SetSides| (0..set.dimensions.into()).map(|at| set.is_source(at)).collect::<Vec<_>>();
    if let Some(set) = &change.add {
        reference::sets::add(sets, &set.name, &sides(set), change.renews, facts);
    }
    if let Some(set) = &change.del {
        reference::sets::remove(sets, &set.name, &sides(set), facts);
    }
}

/// A rule's change of some of them.
pub(crate) fn target() -> impl Strategy<Value = rules::targets::Set> {
    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).chain(["nobody"]).collect();
    let fields = (select(names), vec(any::<bool>(), 1..4))
        .prop_map(|(name, is_source)| SetFields { name: name.into(), is_source: is_source.into() });
    (fields.clone(), option::of(fields), any::<[bool; 3]>()).prop_map(|(one, other, [adds, exist, lasts])| {
        let (add, del) = if adds { (Some(one), other) } else { (None, Some(one)) };
        let (exist, timeout) = (exist && adds, (lasts && adds).then_some(9));
        rules::targets::Set { add, del, exist, timeout, ..Default::default() }
    })
}

/// All sets.
pub(crate) fn all() -> impl Strategy<Value = Sets> {
    let elements = |parts: &'static [Part], counts: bool| {
        vec(element(parts), 0..6).prop_map(move |mut elements| {
            // None twice.
            elements.sort_by_key(|element| format!("{:?}", element.parts));
            elements.dedup_by_key(|element| element.parts.clone());
            elements.iter_mut().for_each(|element| element.counters = counts.then_some((0, 0)));
            Set::Elements(parts.to_vec(), elements)
        })
    };
    let sets = any::<[bool; 4]>().prop_flat_map(move |counts| {
        let set = |at: usize| elements(KINDS[at].1, counts[at]);
        (set(0), set(1), set(2), set(3))
    });
    (sets, any::<bool>()).prop_map(|((a, b, c, d), counts)| {
        let listed = |name: &str| Listed { name: name.to_owned(), counters: counts.then_some((0, 0)) };
        let list = Set::List(vec![listed(KINDS[1].0), listed(KINDS[0].0)]);
        KINDS.iter().map(|(name, _)| (*name).to_owned()).zip([a, b, c, d]).chain([("list".to_owned(), list)]).collect()
    })
}

fn element(parts: &'static [Part]) -> impl Strategy<Value = Element> {
    let part = |part: &Part| match part {
        Part::Net => (select(&ADDRESSES[..]), select(vec![32u8, 32, 31, 24, 8, 1, 0]))
            .prop_map(|(address, length)| {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                Is::Net(IpAddr::V4(Ipv4Addr::from_bits(address & mask)), length)
            })
            .boxed(),
        Part::Port => {
            let port = prop_oneof![3 => select(&PORTS[..]), 1 => Just(0x0800)];
            (select(&PROTOCOLS[..]), port).prop_map(|(protocol, port)| Is::Port(protocol, port)).boxed()
        }
        Part::Mark => select(&MARKS[..]).prop_map(Is::Mark).boxed(),
    };
    let nomatch = prop::bool::weighted(0.2);
    (parts.iter().map(part).collect::<Vec<_>>(), nomatch).prop_map(|(parts, nomatch)| Element { parts, nomatch, counters: None })
}

/// A rule's test of one of them.
pub(crate) fn test() -> impl Strategy<Value = SetTest> {
    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).chain(["list", "nobody"]).collect();
    let count = |counts: Vec<u64>| {
        let test = |(number, how): (u64, usize)| match how {
            0 => CounterTest::Equal(number),
            1 => CounterTest::NotEqual(number),
            2 => CounterTest::Less(number),
            _ => CounterTest::Greater(number),
        };
        option::weighted(0.2, (select(counts), 0usize..4).prop_map(test))
    };
    let counts = (count(vec![0, 1, 2, 3]), count(vec![20, 28, 60, 100]));
    let flags = any::<[bool; 4]>().prop_map(|[invert, a, b, c]| [invert, a && b, b && c, a && c]);
    (select(names), vec(any::<bool>(), 1..4), flags, counts).prop_map(
        |(name, is_source, [invert, return_nomatch, keep_counters, keep_sub_counters], (packets, bytes))| SetTest {
            set: SetFields { name: name.into(), is_source: is_source.into() },
            invert,
            return_nomatch,
            keep_counters,
            keep_sub_counters,
            packets,
            bytes,
        },
    )
}
