//! `-m dscp`: the differentiated services codepoint: the upper six bits of the TOS or traffic class.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when `(codepoint == dscp) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dscp {
    /// The codepoint, 0 to 63.
    pub dscp: u8,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "dscp", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("dscp", Arg::Number { min: 0, max: 63 }).invertible().excludes(&["dscp-class"]),
    Opt::new("dscp-class", Arg::Own { shape: "CLASS", read: crate::targets::dscp::read_class }).invertible().excludes(&["dscp"]),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let option = if given.has("dscp") { "dscp" } else { "dscp-class" };
    let dscp = given.number(option).ok_or(UsageError::Needs("DSCP match: Parameter --dscp is required"))? as u8;
    Ok(Match::Dscp(Dscp { dscp, invert: given.is_inverted(option) }))
}

impl Dscp {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("dscp", self.invert, format_args!("{:#04x}", self.dscp));
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" DSCP match {}{:#04x}", if self.invert { "!" } else { "" }, self.dscp));
    }
}
