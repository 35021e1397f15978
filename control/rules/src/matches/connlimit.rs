//! `-m connlimit`: how many connections there are from an address, or to it.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Compares the connections of the rule's own list for the packet's address, this one included, with a limit. A list begins empty with every
/// change of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Connlimit {
    /// The limit.
    pub limit: u32,
    /// Holds above the limit; else up to it.
    pub above: bool,
    /// Addresses that are equal in so many bits have one list.
    pub prefix: u8,
    /// By destination; else by source.
    pub destination: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "connlimit", family: None, options: OPTIONS, build };

const LIMIT: Arg = Arg::Number { min: 0, max: u32::MAX as u64 };
const OPTIONS: &[Opt] = &[
    Opt::new("connlimit-upto", LIMIT).invertible().excludes(&["connlimit-above"]),
    Opt::new("connlimit-above", LIMIT).invertible().excludes(&["connlimit-upto"]),
    Opt::new("connlimit-mask", Arg::Prefix),
    Opt::new("connlimit-saddr", Arg::None).excludes(&["connlimit-daddr"]),
    Opt::new("connlimit-daddr", Arg::None).excludes(&["connlimit-saddr"]),
];

fn build(given: &Given, context: &Context<'_>) -> Result<Match, UsageError> {
    let above = given.has("connlimit-above");
    let option = if above { "connlimit-above" } else { "connlimit-upto" };
    let missing = UsageError::Needs("You must specify \"--connlimit-above\" or \"--connlimit-upto\".");
    let limit = given.number(option).ok_or(missing)? as u32;
    let prefix = given.number("connlimit-mask").map_or(context.family.address_bits(), |bits| bits as u8);
    let above = above != given.is_inverted(option);
    Ok(Match::Connlimit(Connlimit { limit, above, prefix, destination: given.has("connlimit-daddr") }))
}

impl Connlimit {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value(if self.above { "connlimit-above" } else { "connlimit-upto" }, false, self.limit);
        out.value("connlimit-mask", false, self.prefix);
        out.flag(if self.destination { "connlimit-daddr" } else { "connlimit-saddr" }, false);
    }

    pub(crate) fn list(&self, out: &mut String) {
        let (whose, than) = (if self.destination { "dst" } else { "src" }, if self.above { ">" } else { "<=" });
        out.push_str(&format!(" #conn {whose}/{} {than} {}", self.prefix, self.limit));
    }
}
