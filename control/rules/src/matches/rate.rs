//! Rates in words: `5/second`, and the same out of the time that one of them takes.
use crate::error::UsageError;

/// Names of times as rates are shown, and their seconds, longest first.
const TIMES: [(&str, u32); 4] = [("day", 86_400), ("hour", 3_600), ("min", 60), ("sec", 1)];

/// `number[/second|/minute|/hour|/day]`, the word cut short at will: the number, and the seconds of its time. What stands between number and
/// slash does not count. `None` if a word is no time, or the number is 0; what does not fit is the highest number.
pub(super) fn read(text: &str) -> Option<(u32, u32)> {
    let (number, seconds) = match text.split_once('/') {
        None => (text, 1),
        Some((number, word)) => {
            let begins = |name: &str| name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
            let times = [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400)];
            let hit = times.into_iter().find(|(name, _)| !word.is_empty() && begins(name))?;
            (number, hit.1)
        }
    };
    let digits = number.trim_start();
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    let number = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u32::MAX) };
    (number != 0).then_some((number, seconds))
}

/// The time that one of `number` in `seconds` takes, `scale` being a second. Refused if it is none.
pub(super) fn period((number, seconds): (u32, u32), scale: u64, text: &str) -> Result<u64, UsageError> {
    match scale * u64::from(seconds) / u64::from(number) {
        0 => Err(UsageError::RateTooFast(text.to_owned())),
        period => Ok(period),
    }
}

/// The rate of one in `period` (not 0), `scale` being a second, in the largest time that shows it well; and the seconds of that time.
pub(super) fn shown(period: u64, scale: u64) -> (String, u32) {
    let mut best = TIMES[0];
    for time in &TIMES[1..] {
        let length = u64::from(time.1) * scale;
        if period > length || length / period < length % period {
            break;
        }
        best = *time;
    }
    (format!("{}/{}", u64::from(best.1) * scale / period, best.0), best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shown_in_the_time_that_fits() {
        assert_eq!(shown(85, 10_000).0, "117/sec");
        assert_eq!(shown(600, 10_000).0, "1000/min");
        assert_eq!(shown(10_000 * 1_200, 10_000), ("3/hour".to_owned(), 3_600));
    }

    #[test]
    fn a_rate_has_a_number_and_perhaps_a_time() {
        assert_eq!(read("5"), Some((5, 1)));
        assert_eq!(read(" 5x/Mi"), Some((5, 60)));
        assert_eq!(read("99999999999/d"), Some((u32::MAX, 86_400)));
        for wrong in ["", "x", "0/s", "5/", "5/week", "5/s/", "é/é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(period((10_001, 1), 10_000, "x"), Err(UsageError::RateTooFast("x".to_owned())));
    }
}
