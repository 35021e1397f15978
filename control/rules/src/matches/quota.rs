//! `-m quota`: bytes that may pass, once.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds until packets of so many bytes came to the rule, turned round by `invert`. What is left begins anew with every change of
/// the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Bytes.
    pub bytes: u64,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "quota", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("quota", Arg::Number { min: 0, max: u64::MAX }).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let bytes = given.number("quota").unwrap_or(0);
    Ok(Match::Quota(Quota { bytes, invert: given.is_inverted("quota") }))
}

impl Quota {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("quota", self.invert, self.bytes);
    }

    /// iptables does not say whether it is inverted.
    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" quota: {} bytes", self.bytes));
    }
}
