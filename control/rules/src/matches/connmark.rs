//! `-m connmark`: the mark of the packet's connection.
use super::mark::{MarkTest, MaskedMark};
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "connmark", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("mark", Arg::Masked).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Connmark(MarkTest::from_given(given)))
}

pub(crate) fn save(test: &MarkTest, out: &mut String) {
    OptionWriter::new(OPTIONS, out).value("mark", test.invert, MaskedMark(test.value, test.mask));
}

pub(crate) fn list(test: &MarkTest, out: &mut String) {
    let not = if test.invert { "!" } else { "" };
    out.push_str(&format!(" connmark match {not} {}", MaskedMark(test.value, test.mask)));
}
