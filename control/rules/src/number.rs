//! Numbers as C's `strtoul` with base 0 reads them: decimal, `0x` hexadecimal, `0` octal.

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
pub(crate) fn whole(text: &str, min: u64, max: u64) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
