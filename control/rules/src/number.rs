//! Numbers as C's `strtoul` with base 0 reads them: decimal, `0x` hexadecimal, `0` octal.

use std::net::Ipv4Addr;

/// A whole number at the start of the text, and what follows it. `None` if there is none, or it does not fit 64 bits.
pub(crate) fn prefix(text: &str) -> Option<(u64, &str)> {
    let text = text.trim_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match hex {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_hexdigit()) => (rest, 16),
        _ if text.starts_with('0') => (text, 8),
        _ => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let value = u64::from_str_radix(&digits[..end], radix).ok()?;
    Some((value, &digits[end..]))
}

/// A whole number between `min` and `max`, and nothing else.
pub fn whole(text: &str, min: u64, max: u64) -> Option<u64> {
    let (value, rest) = prefix(text)?;
    (rest.is_empty() && (min..=max).contains(&value)).then_some(value)
}

/// A whole number of 32 bits.
pub(crate) fn word(text: &str) -> Option<u32> {
    whole(text, 0, u64::from(u32::MAX)).map(|n| n as u32)
}

/// A whole number of 16 bits.
pub(crate) fn short(text: &str) -> Option<u16> {
    whole(text, 0, u64::from(u16::MAX)).map(|n| n as u16)
}

/// A whole number of 8 bits.
pub(crate) fn byte(text: &str) -> Option<u8> {
    whole(text, 0, u64::from(u8::MAX)).map(|n| n as u8)
}

/// `value[/mask]`, both of 32 bits; the mask is all ones unless given.
pub(crate) fn masked(text: &str) -> Option<(u32, u32)> {
    match text.split_once('/') {
        None => Some((word(text)?, u32::MAX)),
        Some((value, mask)) => Some((word(value)?, word(mask)?)),
    }
}

/// An address as C's `inet_aton` reads it: one to four numbers parted by dots, of which the last one fills what is left of 32 bits.
pub fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let number = |part: &str, max| whole(part, 0, max).filter(|_| part.starts_with(|c: char| c.is_ascii_digit()));
    let parts: Vec<&str> = text.split('.').collect();
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let mut bits = number(last, u64::from(u32::MAX) >> (8 * first.len()))?;
    for (at, part) in first.iter().enumerate() {
        bits |= number(part, 255)? << (24 - 8 * at);
    }
    Some(Ipv4Addr::from_bits(bits as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_fewer_parts_than_four() {
        let address = |text| ipv4(text).map(|address| address.octets());
        assert_eq!(address("10.0.0x10.012"), Some([10, 0, 16, 10]));
        assert_eq!(address("10.1.515"), Some([10, 1, 2, 3]));
        assert_eq!(address("4294967295"), Some([255; 4]));
        for wrong in ["", "1.", "256.1", "1.2.3.256", "1.2.3.4.0", "-1", " 1", "1x", "4294967296"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn bases_are_those_of_c() {
        assert_eq!(word("010"), Some(8));
        assert_eq!(word("0x1F"), Some(31));
        assert_eq!(word("08"), None);
        assert_eq!(word("-1"), None);
        assert_eq!(word(""), None);
        assert_eq!(word("0"), Some(0));
        assert_eq!(word("4294967296"), None);
        assert_eq!(prefix("0x"), Some((0, "x")));
        assert_eq!(prefix("é"), None);
        assert_eq!(masked("1/0xff"), Some((1, 255)));
        assert_eq!(masked("1/"), None);
    }
}
