//! `-m mark`: the packet's mark.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use std::fmt;

/// Holds when `(mark & mask == value) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarkTest {
    /// The wanted value.
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "mark", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("mark", Arg::Masked).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Mark(MarkTest::from_given(given)))
}

impl MarkTest {
    pub(crate) fn from_given(given: &Given) -> MarkTest {
        let (value, mask) = given.masked("mark").unwrap_or((0, u32::MAX));
        MarkTest { value, mask, invert: given.is_inverted("mark") }
    }

    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("mark", self.invert, MaskedMark(self.value, self.mask));
    }

    pub(crate) fn list(&self, out: &mut String) {
        let not = if self.invert { " !" } else { "" };
        out.push_str(&format!(" mark match{not} {}", MaskedMark(self.value, self.mask)));
    }
}

/// `0xvalue[/0xmask]`; a full mask is left out.
pub(crate) struct MaskedMark(pub(crate) u32, pub(crate) u32);

impl fmt::Display for MaskedMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)?;
        if self.1 != u32::MAX {
            write!(f, "/{:#x}", self.1)?;
        }
        Ok(())
    }
}
