//! `-m socket`: whether a socket of the box would take the packet.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when there is such a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Socket {
    /// `--transparent`: only one that is transparent.
    pub transparent: bool,
    /// `--nowildcard`: one that listens on every address counts as well.
    pub no_wildcard: bool,
    /// `--restore-skmark`: the packet gets the socket's mark.
    pub restore_mark: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "socket", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] =
    &[Opt::new("transparent", Arg::None), Opt::new("nowildcard", Arg::None), Opt::new("restore-skmark", Arg::None)];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Socket(Socket {
        transparent: given.has("transparent"),
        no_wildcard: given.has("nowildcard"),
        restore_mark: given.has("restore-skmark"),
    }))
}

impl Socket {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        let set = [self.transparent, self.no_wildcard, self.restore_mark];
        OPTIONS.iter().zip(set).filter(|(_, set)| *set).for_each(|(option, _)| out.flag(option.name, false));
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" socket");
        self.save(out);
    }
}
