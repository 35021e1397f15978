//! `-m nfacct`: counts packets in a named object beside the rule's own counter.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::words;

/// Always holds, and counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nfacct {
    /// The object's name, at most 31 bytes.
    pub name: Box<str>,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "nfacct", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("nfacct-name", Arg::Text { min: 1, max: 31 }).mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Nfacct(Nfacct { name: Box::from(given.line("nfacct-name")?) }))
}

impl Nfacct {
    /// The blanks are where iptables 1.8.9 puts them.
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).flag("nfacct-name", false);
        out.push(' ');
        words::push_quoted(&self.name, out);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" nfacct-name ");
        words::push_quoted(&self.name, out);
    }
}
