//! `-m hl`: the hop limit.
use super::ttl::TtlTest;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Match};

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "hl", family: Some(Family::Ipv6), options: OPTIONS, build };

const BYTE: Arg = Arg::Number { min: 0, max: 255 };
const OPTIONS: &[Opt] = &[
    Opt::new("hl-lt", BYTE).excludes(&["hl-eq", "hl-gt"]),
    Opt::new("hl-gt", BYTE).excludes(&["hl-eq", "hl-lt"]),
    Opt::new("hl-eq", BYTE).aliases(&["hl"]).invertible().excludes(&["hl-lt", "hl-gt"]),
];
const NAMES: [&str; 3] = ["hl-eq", "hl-lt", "hl-gt"];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let missing = "HL match: You must specify one of `--hl-eq', `--hl-lt', `--hl-gt'";
    TtlTest::from_given(given, NAMES, missing).map(Match::Hl)
}

pub(crate) fn save(test: TtlTest, out: &mut String) {
    test.save_as(NAMES, OptionWriter::new(OPTIONS, out));
}

pub(crate) fn list(test: TtlTest, out: &mut String) {
    test.list_as("HL", out);
}
