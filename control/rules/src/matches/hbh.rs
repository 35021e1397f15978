//! `-m hbh`: the hop-by-hop options header of IPv6.
use super::dst::{HeaderOptions, read_options};
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Match};

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "hbh", family: Some(Family::Ipv6), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("hbh-len", Arg::Number { min: 0, max: u32::MAX as u64 }).invertible(),
    Opt::new("hbh-opts", Arg::Own { shape: "TYPE[:LENGTH][,...]", read: read_options }),
];
const NAMES: [&str; 2] = ["hbh-len", "hbh-opts"];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Hbh(Box::new(HeaderOptions::from_given(given, NAMES))))
}

pub(crate) fn save(test: &HeaderOptions, out: &mut String) {
    test.save_as(NAMES, OptionWriter::new(OPTIONS, out));
}

pub(crate) fn list(test: &HeaderOptions, out: &mut String) {
    test.list_as("hbh", out);
}
