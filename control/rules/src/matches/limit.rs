//! `-m limit`: a token bucket per rule.
use crate::Match;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds while the rule's bucket has a token. Full at the start; state restarts with every change of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Time to earn one token in units of 1/10000 s, as the kernel keeps it (`--limit 1/second` is 10000); never 0.
    pub average: u32,
    /// Tokens that the bucket holds; the check refuses 0.
    pub burst: u32,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "limit", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] =
    &[Opt::new("limit", Arg::Text { min: 0, max: usize::MAX }), Opt::new("limit-burst", Arg::Number { min: 0, max: 10_000 })];

/// Units of [`Limit::average`] in a second.
const SCALE: u32 = 10_000;
/// Names of the times of a rate, and how many units of [`Limit::average`] each has, longest first.
const TIMES: [(&str, u32); 4] = [("day", SCALE * 86_400), ("hour", SCALE * 3_600), ("min", SCALE * 60), ("sec", SCALE)];
const DEFAULT_AVERAGE: u32 = SCALE * 3_600 / 3;
const DEFAULT_BURST: u32 = 5;

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let average = given.text("limit").map_or(Ok(DEFAULT_AVERAGE), read_rate)?;
    let burst = given.number("limit-burst").map_or(DEFAULT_BURST, |burst| burst as u32);
    Ok(Match::Limit(Limit { average, burst }))
}

/// `number[/second|/minute|/hour|/day]`, the word cut short at will.
fn read_rate(text: &str) -> Result<u32, UsageError> {
    let bad = || UsageError::BadRate(text.to_owned());
    let (number, seconds) = match text.split_once('/') {
        None => (text, 1),
        Some((number, word)) => {
            let begins = |name: &str| name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
            let times = [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400)];
            let hit = times.into_iter().find(|(name, _)| !word.is_empty() && begins(name)).ok_or_else(bad)?;
            (number, hit.1)
        }
    };
    let digits = number.trim_start();
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    let number: u32 = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u32::MAX) };
    match (SCALE * seconds).checked_div(number) {
        None => Err(bad()),
        Some(0) => Err(UsageError::RateTooFast(text.to_owned())),
        Some(average) => Ok(average),
    }
}

/// The rate in the largest time that shows it well.
fn rate(average: u32) -> String {
    let mut best = TIMES[0];
    for time in &TIMES[1..] {
        if average > time.1 || time.1 / average < time.1 % average {
            break;
        }
        best = *time;
    }
    format!("{}/{}", best.1 / average, best.0)
}

impl Limit {
    /// What the kernel says to numbers that overflow its 32-bit credits.
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let full = credits(self.average.wrapping_mul(self.burst));
        if self.burst == 0 || full < credits(self.average) { Err(KernelError::OutOfRange) } else { Ok(()) }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("limit", false, rate(self.average));
        if self.burst != DEFAULT_BURST {
            out.value("limit-burst", false, self.burst);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" limit: avg {} burst {}", rate(self.average), self.burst));
    }
}

/// The kernel's credits for a time in units of 1/10000 s, in its 32-bit arithmetic (HZ times credits per jiffy is 32000 at HZ
/// 250 and 1000).
fn credits(time: u32) -> u32 {
    const PER_SECOND: u32 = 32_000;
    if time > u32::MAX / PER_SECOND { (time / SCALE).wrapping_mul(PER_SECOND) } else { time * PER_SECOND / SCALE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_overflow_as_in_the_kernel() {
        let day = TIMES[0].1;
        assert_eq!(Limit { average: day, burst: 50 }.check(), Err(KernelError::OutOfRange));
        assert_eq!(Limit { average: day, burst: 200 }.check(), Ok(()));
        assert_eq!(Limit { average: DEFAULT_AVERAGE, burst: 10_000 }.check(), Err(KernelError::OutOfRange));
        assert_eq!(Limit { average: DEFAULT_AVERAGE, burst: 0 }.check(), Err(KernelError::OutOfRange));
    }

    #[test]
    fn rates_are_shown_in_the_time_that_fits() {
        assert_eq!(rate(85), "117/sec");
        assert_eq!(rate(600), "1000/min");
        assert_eq!(rate(DEFAULT_AVERAGE), "3/hour");
    }
}
