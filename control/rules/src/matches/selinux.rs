//! `-m selinux` (ours, in no release of iptables): the packet's label, as SECMARK set it or CONNSECMARK restored it.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when the packet's label is this context, turned round by `invert`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selinux {
    /// The security context, at most 255 bytes.
    pub context: Box<str>,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "selinux", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("selctx", Arg::Text { min: 0, max: usize::MAX }).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let context = read_context(given.text("selctx").unwrap_or(""))?;
    Ok(Match::Selinux(Box::new(Selinux { context, invert: given.is_inverted("selctx") })))
}

/// A security context: 1 to 255 printable characters without blanks or quotes, as it is printed without quotes.
pub(crate) fn read_context(text: &str) -> Result<Box<str>, UsageError> {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\');
    if (1..=255).contains(&text.len()) && text.chars().all(plain) {
        Ok(Box::from(text))
    } else {
        Err(UsageError::BadContext(text.to_owned()))
    }
}

impl Selinux {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("selctx", self.invert, &self.context);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" {}selctx {}", if self.invert { "! " } else { "" }, self.context));
    }
}
