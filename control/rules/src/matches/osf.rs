//! `-m osf`: which operating system a TCP SYN looks like.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Match};

/// Holds when the packet looks like one of the system's, turned round by `invert`; needs `-p tcp`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Osf {
    /// The system's name among the fingerprints, at most 31 bytes.
    pub genre: Box<str>,
    /// `!` was given.
    pub invert: bool,
    /// `--ttl`: 0 the sender is as far as the TTL says within the network, 1 the TTL is not above the fingerprint's, 2 it is not
    /// looked at.
    pub ttl: Option<u8>,
    /// `--log`: 0 every fingerprint that fits is logged, 1 the first one, 2 all known ones.
    pub log: Option<u8>,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "osf", family: Some(Family::Ipv4), options: OPTIONS, build };

const LEVEL: Arg = Arg::Number { min: 0, max: 2 };
const OPTIONS: &[Opt] =
    &[Opt::new("genre", Arg::Name { max: 31 }).invertible().mandatory(), Opt::new("ttl", LEVEL), Opt::new("log", LEVEL)];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let genre = given.text("genre").unwrap_or("");
    if genre.is_empty() {
        // The real one takes it, and saves no word where one must be.
        return Err(UsageError::Needs("osf: --genre needs a name"));
    }
    let level = |option| given.number(option).map(|level| level as u8);
    let invert = given.is_inverted("genre");
    Ok(Match::Osf(Box::new(Osf { genre: Box::from(genre), invert, ttl: level("ttl"), log: level("log") })))
}

impl Osf {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("genre", self.invert, &self.genre);
        for (option, level) in [("ttl", self.ttl), ("log", self.log)] {
            if let Some(level) = level {
                out.value(option, false, level);
            }
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" OS fingerprint match {}{}", if self.invert { "! " } else { "" }, self.genre));
    }
}
