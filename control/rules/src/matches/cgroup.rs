//! `-m cgroup`: the control group of the socket that the packet is of.
use super::Place;
use crate::Match;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Both tests that are there would have to hold; the check refuses none and both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cgroup {
    /// `--cgroup`: its class of `net_cls`, and whether it must be another.
    pub class: Option<(u32, bool)>,
    /// `--path`: its path in the unified hierarchy, and whether it must not lie below.
    pub path: Option<(Box<str>, bool)>,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "cgroup", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("cgroup", Arg::Number { min: 0, max: u32::MAX as u64 }).invertible(),
    Opt::new("path", Arg::Text { min: 0, max: 511 }).invertible(),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let (class, path) = (given.number("cgroup"), given.text("path"));
    given.line("path")?;
    Ok(Match::Cgroup(Box::new(Cgroup {
        class: class.map(|class| (class as u32, given.is_inverted("cgroup"))),
        path: path.map(|path| (Box::from(path), given.is_inverted("path"))),
    })))
}

impl Cgroup {
    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        place.require(self.class.is_some() != self.path.is_some())
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if let Some((path, invert)) = &self.path {
            out.text("path", *invert, path);
        }
        if let Some((class, invert)) = self.class {
            out.value("cgroup", invert, class);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" cgroup");
        if let Some((path, invert)) = &self.path {
            out.push_str(&format!(" {}{path}", if *invert { "! " } else { "" }));
        }
        if let Some((class, invert)) = self.class {
            out.push_str(&format!(" {}{class}", if invert { "! " } else { "" }));
        }
    }
}
