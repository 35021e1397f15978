//! `-m dscp`: the differentiated services codepoint: the upper six bits of the TOS or traffic class.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

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
    Opt::new("dscp-class", Arg::Own { shape: "CLASS", read: read_class }).invertible().excludes(&["dscp"]),
];

/// The classes of RFC 2474, 2597 and 3246.
const CLASSES: &[(&str, u8)] = &[
    ("CS0", 0),
    ("CS1", 8),
    ("CS2", 16),
    ("CS3", 24),
    ("CS4", 32),
    ("CS5", 40),
    ("CS6", 48),
    ("CS7", 56),
    ("BE", 0),
    ("AF11", 10),
    ("AF12", 12),
    ("AF13", 14),
    ("AF21", 18),
    ("AF22", 20),
    ("AF23", 22),
    ("AF31", 26),
    ("AF32", 28),
    ("AF33", 30),
    ("AF41", 34),
    ("AF42", 36),
    ("AF43", 38),
    ("EF", 46),
];

/// A class by its name, in letters of either size.
pub(crate) fn read_class(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let class = CLASSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(reading.word));
    let (_, dscp) = class.ok_or_else(|| UsageError::Own(format!("Invalid DSCP value `{}'", reading.word)))?;
    Ok(Value::Number((*dscp).into()))
}

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
