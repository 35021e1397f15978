//! `-m rpfilter`: whether an answer to the packet's source would leave by the interface that it came from.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when the reverse path is right, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rpfilter {
    /// `--loose`: any interface will do.
    pub loose: bool,
    /// `--validmark`: the route is looked up with the packet's mark.
    pub valid_mark: bool,
    /// `--accept-local`: sources that are addresses of the host are right as well.
    pub accept_local: bool,
    /// `--invert`.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "rpfilter", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("loose", Arg::None),
    Opt::new("validmark", Arg::None),
    Opt::new("accept-local", Arg::None),
    Opt::new("invert", Arg::None),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Rpfilter(Rpfilter {
        loose: given.has("loose"),
        valid_mark: given.has("validmark"),
        accept_local: given.has("accept-local"),
        invert: given.has("invert"),
    }))
}

impl Rpfilter {
    fn flags(&self) -> impl Iterator<Item = &'static str> {
        let set = [self.loose, self.valid_mark, self.accept_local, self.invert];
        OPTIONS.iter().zip(set).filter(|(_, set)| *set).map(|(option, _)| option.name)
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        self.flags().for_each(|flag| out.flag(flag, false));
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" rpfilter");
        self.flags().for_each(|flag| out.push_str(&format!(" {flag}")));
    }
}
