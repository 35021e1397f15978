//! `-m esp`: the encapsulating security payload.
use super::spi::SpiTest;
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "esp", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("espspi", Arg::Span { max: u32::MAX as u64 }).invertible()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Esp(SpiTest::from_given(given, "espspi", SpiTest::ANY)))
}

pub(crate) fn save(test: SpiTest, out: &mut String) {
    test.save("espspi", &mut OptionWriter::new(OPTIONS, out));
}

pub(crate) fn list(test: SpiTest, out: &mut String) {
    out.push_str(" esp");
    if test != SpiTest::ANY {
        out.push_str(&format!(" {}", test.listed("spi")));
    }
}
