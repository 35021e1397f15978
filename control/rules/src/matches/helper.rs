//! `-m helper`: which connection helper announced the packet's connection.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Bytes of a name that count; the kernel cuts off what is longer.
const MAX_NAME: usize = 29;

/// Holds when the connection was announced by one that is read by this helper, turned round by `invert`. No connection announced by
/// another: nothing holds unless inverted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HelperTest {
    /// The helper's name, or one that begins with it (`ftp-2121` is told by `ftp`); empty for any helper.
    pub name: Box<str>,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "helper", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("helper", Arg::Text { min: 0, max: MAX_NAME }).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let name = Box::from(given.line("helper")?);
    Ok(Match::Helper(Box::new(HelperTest { name, invert: given.is_inverted("helper") })))
}

impl HelperTest {
    /// Does the name stand for this helper? (`xt_helper` compares as many bytes as the helper's own name has.)
    pub fn names(&self, helper: &str) -> bool {
        self.name.is_empty() || self.name.starts_with(helper)
    }

    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).text("helper", self.invert, &self.name);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" helper match {}\"{}\"", if self.invert { "! " } else { "" }, self.name));
    }
}
