//! Tests of a packet's bytes: of those that packets have, at places round their headers.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rules::matches::u32::{Operator, Part};
use rules::matches::{StringTest, U32};

pub(crate) fn string() -> impl Strategy<Value = StringTest> {
    let byte = || select(vec![0u8, 0, 1, 4, 10, 0x45, 0x50, b'P', b'p', 0xbf, 0xff]);
    let places = (0u16..50, prop_oneof![1 => 0u16..40, 2 => Just(u16::MAX)]);
    (vec(byte(), 1..5), places, any::<(bool, bool)>()).prop_map(|(pattern, (from, more), (ignore_case, invert))| StringTest {
        pattern: pattern.into(),
        algorithm: if invert { "bm" } else { "kmp" }.into(),
        from,
        to: from.saturating_add(more),
        ignore_case,
        invert,
    })
}

pub(crate) fn words() -> impl Strategy<Value = U32> {
    (vec(part(), 1..3), any::<bool>()).prop_map(|(parts, invert)| U32 { parts, invert })
}

fn part() -> impl Strategy<Value = Part> {
    let place = || prop_oneof![8 => 0u32..48, 1 => select(vec![0x7fff_ffff, u32::MAX - 3, u32::MAX])];
    let step = (0u8..5, place(), select(vec![0u32, 1, 2, 6, 8, 16, 22, 24, 31])).prop_map(|(step, place, bits)| match step {
        0 => (Operator::And, u32::MAX >> bits),
        1 => (Operator::Left, bits),
        2 => (Operator::Right, bits),
        3 => (Operator::And, 0x3c),
        _ => (Operator::At, place),
    });
    let value = select(vec![0u32, 1, 4, 5, 6, 10, 17, 0x45, 80, 0xff, 0xffff, 0x7fff_ffff, u32::MAX]);
    let values = prop_oneof![2 => (value.clone(), value.clone()), 1 => value.prop_map(|value| (0, value))];
    // The length of IPv4's header, by which its data is found.
    let start = prop_oneof![3 => (place(), vec(step.clone(), 0..5)), 1 => vec(step, 0..3).prop_map(|behind| {
        let front = [(Operator::Right, 22), (Operator::And, 0x3c), (Operator::At, 0)];
        (0, front.into_iter().chain(behind).collect())
    })];
    (start, vec(values, 1..4)).prop_map(|((start, steps), values)| Part { start, steps, values })
}
