//! Numbers as ipset reads them: base by prefix, with the words in which it refuses others.
use crate::fault::Fault;

/// A number between `min` and `max`.
pub(crate) fn between(text: &str, min: u64, max: u64) -> Result<u64, Fault> {
    if let Some(number) = rules::number::whole(text, min, max) {
        return Ok(number);
    }
    // Whatever is made of digits is a number, if one that does not fit.
    let digits = text.trim_start();
    let digits = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    Err(if is_number { Fault::syntax(format_args!("'{text}' is out of range {min}-{max}")) } else { invalid(text) })
}

pub(crate) fn invalid(text: &str) -> Fault {
    Fault::syntax(format_args!("'{text}' is invalid as number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_and_what_does_not_fit_are_told_apart() {
        assert_eq!(between("0x10", 0, 16), Ok(16));
        assert_eq!(between(" 010", 0, 16), Ok(8));
        for (text, refusal) in [
            ("-5", "Syntax error: '-5' is out of range 0-16"),
            ("17", "Syntax error: '17' is out of range 0-16"),
            ("99999999999999999999999", "Syntax error: '99999999999999999999999' is out of range 0-16"),
            ("", "Syntax error: '' is invalid as number"),
            ("5-", "Syntax error: '5-' is invalid as number"),
            ("0x", "Syntax error: '0x' is invalid as number"),
        ] {
            assert_eq!(between(text, 0, 16), Err(Fault::Failed(refusal.into())), "{text}");
        }
    }
}
