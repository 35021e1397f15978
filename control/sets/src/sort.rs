//! The order of `-sorted`: by numbers where elements have them, which ipset reads as hexadecimal ones whatever they are.
use std::cmp::Ordering;

/// Sorts texts. ipset's comparison is no order in the strict sense, so this is a merge, which asks for none and does the same as ipset's.
pub(crate) fn sort(lines: &mut Vec<String>, resolve: bool, text: impl Fn(&str) -> &str) {
    let is_after = |a: &str, b: &str| {
        let order = if resolve { a.cmp(b) } else { compare(text(a), text(b)) };
        order == Ordering::Greater
    };
    let mut width = 1;
    while width < lines.len() {
        let mut merged = Vec::with_capacity(lines.len());
        let mut rest = std::mem::take(lines).into_iter();
        loop {
            let left: Vec<String> = rest.by_ref().take(width).collect();
            let right: Vec<String> = rest.by_ref().take(width).collect();
            if left.is_empty() {
                break;
            }
            let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                merged.extend(if is_after(a, b) { right.next() } else { left.next() });
            }
            merged.extend(left);
            merged.extend(right);
        }
        *lines = merged;
        width *= 2;
    }
}

/// The number that a text begins with, and what is behind it.
fn number(text: &[u8]) -> Option<(u64, usize)> {
    let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let has_sign = |at: usize| text.get(at + 1) == Some(&b'x') && text.get(at + 2).is_some_and(u8::is_ascii_hexdigit);
    let start = if text.get(blanks) == Some(&b'0') && has_sign(blanks) { blanks + 2 } else { blanks };
    let digits = text[start..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits == 0 {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map_or(0, u64::from);
    let value = text[start..start + digits].iter().fold(0u64, |value, byte| value.saturating_mul(16).saturating_add(digit(byte)));
    Some((value, start + digits))
}

/// Compares two elements.
fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    // Longer prefixes come first.
    let mut is_prefix = false;
    while !a.is_empty() && !b.is_empty() {
        let (Some((one, after_one)), Some((other, after_other))) = (number(a), number(b)) else {
            let name = |text: &[u8]| text.iter().take_while(|byte| !matches!(byte, b':' | b',')).count();
            let (one, other) = (name(a), name(b));
            if one == 0 && other == 0 {
                return a.cmp(b);
            }
            let order = one.cmp(&other).then_with(|| a[..one].cmp(&b[..other]));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (a.get(one + 1..).unwrap_or(&[]), b.get(other + 1..).unwrap_or(&[]));
            is_prefix = false;
            continue;
        };
        if one != other {
            return if is_prefix { other.cmp(&one) } else { one.cmp(&other) };
        }
        let (first, second) = (a.get(after_one).copied(), b.get(after_other).copied());
        match (first == Some(b'/'), second == Some(b'/')) {
            (true, true) => is_prefix = true,
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        (a, b) = (a.get(after_one + 1..).unwrap_or(&[]), b.get(after_other + 1..).unwrap_or(&[]));
        // The two colons of an IPv6 address.
        match (a.first() == Some(&b':'), b.first() == Some(&b':')) {
            (true, true) => (a, b) = (&a[1..], &b[1..]),
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
    }
    a.len().min(1).cmp(&b.len().min(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(words: &str) -> String {
        let mut lines: Vec<String> = words.split(' ').map(|word| format!("{word}\n")).collect();
        lines.reverse();
        sort(&mut lines, false, |line| line);
        lines.concat().replace('\n', " ").trim().to_owned()
    }

    #[test]
    fn elements_come_in_the_order_of_ipset() {
        for words in [
            "1.1.1.1,esp:0 1.1.1.1,100:0 1.1.1.1,253:0 1.1.1.1,gre:0 1.1.1.1,tcp:5 1.1.1.1,tcp:20 1.1.1.1,udp:6 1.1.1.1,sctp:7 1.1.1.9,tcp:5 1.1.1.10,tcp:5",
            "9.0.0.0/8 10.0.0.0 10.0.0.0/24 10.0.0.0/9 10.0.0.0/8 10.0.0.1",
            "1:: 1::2 1::a 1::10 1:2:3::4 2:: a:: b:: 10:: ffff::",
            "1.1.1.1,tcp:80,9.0.0.1 1.1.1.1,tcp:80,10.0.0.1 1.1.1.1,tcp:81,5.0.0.1 1.1.1.1,udp:80,5.0.0.1",
        ] {
            assert_eq!(sorted(words), words);
        }
    }
}
