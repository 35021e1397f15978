//! `-m owner`: the local socket that a packet comes from.
use crate::error::{KernelError, UsageError};
use crate::names::Kind;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};
use crate::{Match, number};

/// What is asked of the socket; every part that is there must hold. A packet without one has no owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// `--uid-owner`: its user.
    pub user: Option<IdTest>,
    /// `--gid-owner`: its group.
    pub group: Option<IdTest>,
    /// `--suppl-groups`: the other groups of its user count as well.
    pub supplementary: bool,
    /// `--socket-exists`: there is one, or with `!` (false) there is none.
    pub socket: Option<bool>,
}

/// Holds when `(min <= number <= max) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdTest {
    /// Least number.
    pub min: u32,
    /// Greatest number.
    pub max: u32,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "owner", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("uid-owner", Arg::Own { shape: "USER[-USER]", read: |reading| read_ids(reading, Kind::User) }).invertible(),
    Opt::new("gid-owner", Arg::Own { shape: "GROUP[-GROUP]", read: |reading| read_ids(reading, Kind::Group) }).invertible(),
    Opt::new("socket-exists", Arg::None).invertible(),
    Opt::new("suppl-groups", Arg::None),
];

/// The highest number that a user or group can have.
const MAX: u64 = u32::MAX as u64 - 1;

/// A name of the host, a number, or two numbers with `-` or `:` between them.
fn read_ids(reading: &Reading<'_>, kind: Kind) -> Result<Value, UsageError> {
    if let Some(id) = reading.context.names.number_of(kind, reading.word) {
        return Ok(Value::Numbers(vec![id, id]));
    }
    let number = |text| number::prefix(text).filter(|(id, _)| *id <= MAX).map(|(id, rest)| (id as u32, rest));
    let (min, rest) = number(reading.word).ok_or_else(|| reading.bad_value())?;
    let (max, rest) = match rest.strip_prefix(['-', ':']) {
        Some(rest) => number(rest).ok_or_else(|| reading.bad_value())?,
        None => (min, rest),
    };
    if rest.is_empty() { Ok(Value::Numbers(vec![min, max])) } else { Err(reading.bad_value()) }
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    if given.order().find(|option| matches!(*option, "gid-owner" | "suppl-groups")) == Some("suppl-groups") {
        let value = "you need to use --gid-owner first".to_owned();
        return Err(UsageError::BadValue { extension: "owner", option: "suppl-groups", value });
    }
    if given.order().next().is_none() {
        return Err(UsageError::Needs("owner: At least one of --uid-owner, --gid-owner or --socket-exists is required"));
    }
    let ids = |option| match given.numbers(option) {
        Some([min, max]) => Some(IdTest { min: *min, max: *max, invert: given.is_inverted(option) }),
        _ => None,
    };
    Ok(Match::Owner(Box::new(Owner {
        user: ids("uid-owner"),
        group: ids("gid-owner"),
        supplementary: given.has("suppl-groups"),
        socket: given.has("socket-exists").then(|| !given.is_inverted("socket-exists")),
    })))
}

impl IdTest {
    fn text(&self) -> String {
        if self.min == self.max { self.min.to_string() } else { format!("{}-{}", self.min, self.max) }
    }

    fn list(&self, what: &str, kind: Kind, style: ListStyle<'_>, out: &mut String) {
        let named = if self.min == self.max && !style.numeric { style.names.name_of(kind, self.min) } else { None };
        let text = named.map_or_else(|| self.text(), str::to_owned);
        out.push_str(&format!("{} owner {what} match {text}", if self.invert { " !" } else { "" }));
    }
}

impl Owner {
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let is_backwards = |test: Option<IdTest>| test.is_some_and(|test| test.max < test.min);
        if is_backwards(self.user) || is_backwards(self.group) { Err(KernelError::InvalidArgument) } else { Ok(()) }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if let Some(wanted) = self.socket {
            out.flag("socket-exists", !wanted);
        }
        for (option, test) in [("uid-owner", self.user), ("gid-owner", self.group)] {
            if let Some(test) = test {
                out.value(option, test.invert, test.text());
            }
        }
        if self.supplementary {
            out.flag("suppl-groups", false);
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        if let Some(wanted) = self.socket {
            out.push_str(if wanted { " owner socket exists" } else { " ! owner socket exists" });
        }
        if let Some(test) = self.user {
            test.list("UID", Kind::User, style, out);
        }
        if let Some(test) = self.group {
            test.list("GID", Kind::Group, style, out);
        }
        if self.supplementary {
            out.push_str(" incl. suppl. groups");
        }
    }
}
