//! `-m limit`: a token bucket per rule.
use super::rate;
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

const OPTIONS: &[Opt] = &[
    Opt::new("limit", Arg::Text { min: 0, max: usize::MAX }).checked(|reading| read_rate(reading.word).map(drop)),
    Opt::new("limit-burst", Arg::Number { min: 0, max: 10_000 }),
];

/// Units of [`Limit::average`] in a second.
const SCALE: u32 = 10_000;
const DEFAULT_AVERAGE: u32 = SCALE * 3_600 / 3;
const DEFAULT_BURST: u32 = 5;

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let average = given.text("limit").map_or(Ok(DEFAULT_AVERAGE), read_rate)?;
    let burst = given.number("limit-burst").map_or(DEFAULT_BURST, |burst| burst as u32);
    Ok(Match::Limit(Limit { average, burst }))
}

fn read_rate(text: &str) -> Result<u32, UsageError> {
    let given = rate::read(text).ok_or_else(|| UsageError::BadRate(text.to_owned()))?;
    Ok(rate::period(given, SCALE.into(), text)? as u32)
}

fn shown(average: u32) -> String {
    rate::shown(average.into(), SCALE.into()).0
}

impl Limit {
    /// What the kernel says to numbers that overflow its 32-bit credits.
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let full = credits(self.average.wrapping_mul(self.burst));
        if self.burst == 0 || full < credits(self.average) { Err(KernelError::OutOfRange) } else { Ok(()) }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("limit", false, shown(self.average));
        if self.burst != DEFAULT_BURST {
            out.value("limit-burst", false, self.burst);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" limit: avg {} burst {}", shown(self.average), self.burst));
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
        let day = SCALE * 86_400;
        assert_eq!(Limit { average: day, burst: 50 }.check(), Err(KernelError::OutOfRange));
        assert_eq!(Limit { average: day, burst: 200 }.check(), Ok(()));
        assert_eq!(Limit { average: DEFAULT_AVERAGE, burst: 10_000 }.check(), Err(KernelError::OutOfRange));
        assert_eq!(Limit { average: DEFAULT_AVERAGE, burst: 0 }.check(), Err(KernelError::OutOfRange));
    }
}
