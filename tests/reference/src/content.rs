//! `string` and `u32`, by looking everywhere and by arithmetic without bounds.

use packet::Family;
use rules::matches::u32::{Operator, Part};
use rules::matches::{StringTest, U32};

use crate::facts::Facts;

/// The packet from its IP header on.
fn bytes<F: Family>(facts: &Facts<F>) -> &[u8] {
    let start = usize::from(facts.header.l3);
    &facts.bytes[start..start + facts.header.len as usize]
}

/// Are the bytes there, all of them before `--to`?
pub(crate) fn string<F: Family>(test: &StringTest, facts: &Facts<F>) -> bool {
    let packet = bytes(facts);
    let is_at = |at: usize| {
        at + test.pattern.len() <= usize::from(test.to).min(packet.len())
            && test
                .pattern
                .iter()
                .zip(&packet[at..])
                .all(|(wanted, byte)| wanted == byte || test.ignore_case && upper(*wanted) == upper(*byte))
    };
    (usize::from(test.from)..packet.len()).any(is_at) != test.invert
}

/// As the kernel counts letters: those of ASCII and of Latin-1, where the last one of each row is a letter too.
fn upper(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | 0xe0..=0xf6 | 0xf8..=0xfe | 0xdf | 0xff => byte - 32,
        _ => byte,
    }
}

/// Does each part hold?
pub(crate) fn words<F: Family>(test: &U32, facts: &Facts<F>) -> bool {
    test.parts.iter().all(|part| {
        let value = result(part, bytes(facts));
        value.is_some_and(|value| part.values.iter().any(|(first, last)| *first <= value && value <= *last))
    }) != test.invert
}

fn result(part: &Part, packet: &[u8]) -> Option<u32> {
    let word = |at: u128| {
        let there: Vec<u8> = packet.iter().skip(usize::try_from(at).ok()?).take(4).copied().collect();
        Some(u32::from_be_bytes(there.try_into().ok()?))
    };
    let (mut further, mut value) = (0u128, word(part.start.into())?);
    for (operator, number) in &part.steps {
        match operator {
            Operator::And => value &= number,
            Operator::Left => value = (u64::from(value) << number) as u32,
            Operator::Right => value = (u64::from(value) >> number) as u32,
            Operator::At => {
                further += u128::from(value);
                value = word(further + u128::from(*number))?;
            }
        }
    }
    Some(value)
}
