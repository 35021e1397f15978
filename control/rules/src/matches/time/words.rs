//! The words of `-m time`: times of the day, dates, and lists of days.
use super::{MONTH_DAYS, WEEK, WEEK_DAYS};
use crate::error::UsageError;
use crate::number;
use crate::options::{Reading, Value};

/// A decimal number as C's `strtoul` takes it, nothing at all included, and what follows it.
fn decimal(text: &str) -> (u64, &str) {
    let trimmed = text.trim_start();
    let (negative, digits) = match trimmed.strip_prefix(['+', '-']) {
        Some(rest) => (trimmed.starts_with('-'), rest),
        None => (false, trimmed),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if end == 0 {
        return (0, text);
    }
    let value = digits[..end].parse().unwrap_or(u64::MAX);
    (if negative { u64::wrapping_neg(value) } else { value }, &digits[end..])
}

/// `hh:mm[:ss]`: a number that is left out is 0.
pub(super) fn read_time(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let mut rest = reading.word;
    let bad = |near: &str| {
        let form = "should be hh:mm[:ss] format and within the boundaries";
        UsageError::Own(format!("invalid time \"{near}\" specified, {form}"))
    };
    let mut seconds = 0;
    for (max, unit, is_last) in [(23, 3_600, false), (59, 60, true), (59, 1, true)] {
        let (number, behind) = decimal(rest);
        let next = match behind.strip_prefix(':') {
            Some(next) if unit > 1 => Some(next),
            None if is_last && behind.is_empty() => None,
            _ => return Err(bad(rest)),
        };
        if number > max {
            return Err(bad(rest));
        }
        seconds += number * unit;
        match next {
            Some(next) => rest = next,
            None => break,
        }
    }
    Ok(Value::Number(seconds))
}

/// `YYYY[-MM[-DD[Thh[:mm[:ss]]]]]` in UTC: a day or month that is 0 is the one before the first, a day behind the last of its month is
/// of the next one.
pub(super) fn read_date(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let bad = || UsageError::Own(format!("Invalid date \"{}\" specified. Should be YYYY[-MM[-DD[Thh[:mm[:ss]]]]]", reading.word));
    let mut parts = [0, 1, 1, 0, 0, 0];
    let limits = [(1970, 2038), (0, 12), (0, 31), (0, 23), (0, 59), (0, 59)];
    let marks = ['-', '-', 'T', ':', ':'];
    let mut rest = reading.word;
    for (at, ((min, max), part)) in limits.into_iter().zip(&mut parts).enumerate() {
        let (number, behind) = decimal(rest);
        if !(min..=max).contains(&number) {
            return Err(bad());
        }
        *part = number as i64;
        match marks.get(at).and_then(|mark| behind.strip_prefix(*mark)) {
            Some(next) => rest = next,
            None if behind.is_empty() => break,
            None => return Err(bad()),
        }
    }
    let [year, month, day, hour, minute, second] = parts;
    let seconds = (days_before(year, month) + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second;
    // The real one says that mktime failed, with exit code 1.
    u32::try_from(seconds).map(|seconds| Value::Number(seconds.into())).map_err(|_| bad())
}

/// Days from 1970 to the first of a month; month 0 is the December before.
pub(super) fn days_before(year: i64, month: i64) -> i64 {
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 - 719_468
}

/// Days of the month: two characters of each word are looked at; 0 is taken and is no day.
pub(super) fn read_month_days(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let mut days = 0;
    for word in reading.word.split(',') {
        let word = &word[..word.floor_char_boundary(2)];
        match c_number(word) {
            Some(number @ ..=31) => days |= 1 << number,
            _ => return Err(UsageError::Own(format!("{word} is not a valid day for --monthdays"))),
        }
    }
    days_of(reading, days, MONTH_DAYS)
}

/// Days of the week: three characters of each word are looked at. Two letters make a day; numbers are taken by 32, those of no day too.
pub(super) fn read_week_days(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let mut days = 0;
    let words = reading.word.strip_suffix(',').unwrap_or(reading.word);
    for word in words.split(',').filter(|_| !words.is_empty()) {
        let word = &word[..word.floor_char_boundary(3)];
        let place = match c_number(word) {
            Some(0) => return Err(UsageError::Needs("No, the week does NOT begin with Sunday.")),
            Some(number) => number % 32,
            None => {
                let named = WEEK.iter().position(|day| word.get(..2) == Some(&day[..2]));
                1 + named.ok_or_else(|| UsageError::Own(format!("{word} is not a valid day specifier")))? as u32
            }
        };
        days |= 1 << place;
    }
    days_of(reading, days, WEEK_DAYS.into())
}

/// The whole text as a number of any base; nothing is 0, and a minus sign turns it round.
fn c_number(text: &str) -> Option<u32> {
    match text.strip_prefix('-') {
        _ if text.is_empty() => Some(0),
        Some(digits) => number::word(digits).map(u32::wrapping_neg),
        None => number::word(text),
    }
}

/// What was said, or with `!` the others. No day at all could not be read back.
fn days_of(reading: &Reading<'_>, days: u32, all: u32) -> Result<Value, UsageError> {
    let days = if reading.invert { !days } else { days } & all;
    if days == 0 {
        Err(UsageError::Own(format!("time: no day is left of --{}", reading.option)))
    } else {
        Ok(Value::Number(days.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_c() {
        assert_eq!(decimal(" +8:0"), (8, ":0"));
        assert_eq!(decimal("x"), (0, "x"));
        assert_eq!(decimal("-0"), (0, ""));
        assert_eq!(decimal("99999999999999999999"), (u64::MAX, ""));
        assert_eq!((c_number(""), c_number("-1"), c_number("0x2"), c_number("-")), (Some(0), Some(u32::MAX), Some(2), None));
    }
}
