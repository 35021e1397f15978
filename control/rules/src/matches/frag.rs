//! `-m frag`: the fragment header of IPv6.
use super::spi::SpiTest;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Match};

/// The fragment header's test; a packet without one does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frag {
    /// `--fragid`: the datagram's identification.
    pub id: SpiTest,
    /// `--fraglen`: kept and shown, though the kernel does not look at it: the header has one length.
    pub length: Option<LengthTest>,
    /// `--fragres`: the reserved fields must be 0.
    pub reserved: bool,
    /// `--fragfirst`: the offset must be 0.
    pub first: bool,
    /// Whether there must be fragments behind this one.
    pub more: Option<bool>,
}

/// Holds when `(length == value) != invert`, in bytes of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LengthTest {
    /// The wanted length.
    pub value: u32,
    /// `!` was given.
    pub invert: bool,
}

impl LengthTest {
    pub(super) fn from_given(given: &Given, option: &str) -> Option<LengthTest> {
        given.number(option).map(|value| LengthTest { value: value as u32, invert: given.is_inverted(option) })
    }

    pub(super) fn listed(self) -> String {
        format!(" length:{}{}", if self.invert { "!" } else { "" }, self.value)
    }
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "frag", family: Some(Family::Ipv6), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("fragid", Arg::Span { max: u32::MAX as u64 }).invertible(),
    Opt::new("fraglen", Arg::Number { min: 0, max: u32::MAX as u64 }).invertible(),
    Opt::new("fragres", Arg::None),
    Opt::new("fragfirst", Arg::None),
    Opt::new("fragmore", Arg::None).excludes(&["fraglast"]),
    Opt::new("fraglast", Arg::None).excludes(&["fragmore"]),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Frag(Box::new(Frag {
        id: SpiTest::from_given(given, "fragid", SpiTest::ANY),
        length: LengthTest::from_given(given, "fraglen"),
        reserved: given.has("fragres"),
        first: given.has("fragfirst"),
        more: given.has("fragmore").then_some(true).or(given.has("fraglast").then_some(false)),
    })))
}

impl Frag {
    /// What must hold, as options and as words of a listing.
    fn flags(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = [
            (self.reserved, "fragres", "reserved"),
            (self.first, "fragfirst", "first"),
            (self.more == Some(true), "fragmore", "more"),
            (self.more == Some(false), "fraglast", "last"),
        ];
        all.into_iter().filter(|(set, ..)| *set).map(|(_, option, word)| (option, word))
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        self.id.save("fragid", &mut out);
        if let Some(length) = self.length {
            out.value("fraglen", length.invert, length.value);
        }
        self.flags().for_each(|(option, _)| out.flag(option, false));
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" frag {}{}", self.id.listed("id"), self.length.map_or(String::new(), LengthTest::listed)));
        self.flags().for_each(|(_, word)| out.push_str(&format!(" {word}")));
    }
}
