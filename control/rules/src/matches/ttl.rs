//! `-m ttl`: the time to live.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Match};

/// Compares the time to live (IPv6: the hop limit) with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TtlTest {
    /// How.
    pub is: Comparison,
    /// With what.
    pub value: u8,
}

/// How a packet's value stands to a rule's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// It is the same.
    Equal,
    /// It is another one.
    NotEqual,
    /// It is less.
    Less,
    /// It is greater.
    Greater,
}

impl TtlTest {
    /// Whether a packet with this value passes.
    pub fn holds(self, value: u8) -> bool {
        match self.is {
            Comparison::Equal => value == self.value,
            Comparison::NotEqual => value != self.value,
            Comparison::Less => value < self.value,
            Comparison::Greater => value > self.value,
        }
    }

    /// From the options `equal`, `less` and `greater`, of which there must be one.
    pub(super) fn from_given(
        given: &Given,
        [equal, less, greater]: [&str; 3],
        missing: &'static str,
    ) -> Result<TtlTest, UsageError> {
        let same = if given.is_inverted(equal) { Comparison::NotEqual } else { Comparison::Equal };
        let all = [(equal, same), (less, Comparison::Less), (greater, Comparison::Greater)];
        let one = all.into_iter().find_map(|(option, is)| given.number(option).map(|value| TtlTest { is, value: value as u8 }));
        one.ok_or(UsageError::Needs(missing))
    }

    /// Writes the one of the three options that stands for it.
    pub(super) fn save_as(self, [equal, less, greater]: [&str; 3], mut out: OptionWriter<'_>) {
        let option = match self.is {
            Comparison::Equal | Comparison::NotEqual => equal,
            Comparison::Less => less,
            Comparison::Greater => greater,
        };
        out.value(option, self.is == Comparison::NotEqual, self.value);
    }

    /// Writes the comparison for a listing.
    pub(super) fn list_as(self, name: &str, out: &mut String) {
        let sign = match self.is {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::Greater => ">",
        };
        out.push_str(&format!(" {name} match {name} {sign} {}", self.value));
    }
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "ttl", family: Some(Family::Ipv4), options: OPTIONS, build };

const BYTE: Arg = Arg::Number { min: 0, max: 255 };
const OPTIONS: &[Opt] = &[
    Opt::new("ttl-lt", BYTE).excludes(&["ttl-eq", "ttl-gt"]),
    Opt::new("ttl-gt", BYTE).excludes(&["ttl-eq", "ttl-lt"]),
    Opt::new("ttl-eq", BYTE).aliases(&["ttl"]).invertible().excludes(&["ttl-lt", "ttl-gt"]),
];
const NAMES: [&str; 3] = ["ttl-eq", "ttl-lt", "ttl-gt"];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let missing = "TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt";
    TtlTest::from_given(given, NAMES, missing).map(Match::Ttl)
}

pub(crate) fn save(test: TtlTest, out: &mut String) {
    test.save_as(NAMES, OptionWriter::new(OPTIONS, out));
}

pub(crate) fn list(test: TtlTest, out: &mut String) {
    test.list_as("TTL", out);
}
