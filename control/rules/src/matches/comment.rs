//! `-m comment`: text for the reader; always holds.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use std::sync::Arc;

/// A comment of at most 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Comment {
    /// The text as given, without quotes. Rules of one restore that say the same share it.
    pub text: Arc<str>,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "comment", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("comment", Arg::Text { min: 0, max: 255 }).mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Comment(Comment { text: Arc::from(given.line("comment")?) }))
}

impl Comment {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).text("comment", false, &self.text);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" /* {} */", self.text));
    }
}
