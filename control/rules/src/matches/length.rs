//! `-m length`: bytes of the packet, its IP header included.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use std::fmt;

/// Holds when `(min <= length <= max) != invert`; no length is inside when `min` is above `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Length {
    /// Fewest bytes.
    pub min: u16,
    /// Most bytes.
    pub max: u16,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "length", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("length", Arg::Span { max: u16::MAX as u64 }).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let (min, max) = given.counts("length").unwrap_or((0, 0));
    Ok(Match::Length(Length { min: min as u16, max: max as u16, invert: given.is_inverted("length") }))
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{}:{}", self.min, self.max) }
    }
}

impl Length {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("length", self.invert, self);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" length {}{self}", if self.invert { "!" } else { "" }));
    }
}
