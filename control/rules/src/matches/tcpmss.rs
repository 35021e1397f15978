//! `-m tcpmss`: the maximum segment size that a TCP SYN announces.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when the packet has the option and `(min <= size <= max) != invert`; needs `-p tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tcpmss {
    /// Least size, in bytes.
    pub min: u16,
    /// Greatest size.
    pub max: u16,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "tcpmss", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("mss", Arg::Span { max: u16::MAX as u64 }).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let (min, max) = given.counts("mss").unwrap_or((0, 0));
    if min > max {
        return Err(UsageError::Needs("tcpmss: invalid range given"));
    }
    Ok(Match::Tcpmss(Tcpmss { min: min as u16, max: max as u16, invert: given.is_inverted("mss") }))
}

impl Tcpmss {
    fn range(&self) -> String {
        if self.min == self.max { self.min.to_string() } else { format!("{}:{}", self.min, self.max) }
    }

    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("mss", self.invert, self.range());
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" tcpmss match {}{}", if self.invert { "!" } else { "" }, self.range()));
    }
}
