//! `-m ah`: the authentication header. In IPv4 it is the rule's protocol; in IPv6 it may stand behind other headers, and has options more.
use super::spi::SpiTest;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Match};

/// The authentication header's test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ah {
    /// `--ahspi`.
    pub spi: SpiTest,
    /// `--ahlen`: the header's length in bytes; 0 is any, or none if inverted.
    pub length: u32,
    /// `! --ahlen`.
    pub invert_length: bool,
    /// `--ahres`: the reserved field must be 0.
    pub reserved: bool,
}

pub(crate) static EXTENSION: Extension<Match> =
    Extension { name: "ah", family: Some(Family::Ipv4), options: OPTIONS.split_at(1).0, build };
/// The same in IPv6.
pub(crate) static EXTENSION6: Extension<Match> = Extension { name: "ah", family: Some(Family::Ipv6), options: OPTIONS, build };

/// The first one is all that IPv4 has.
const OPTIONS: &[Opt] = &[
    Opt::new("ahspi", Arg::Span { max: u32::MAX as u64 }).invertible(),
    Opt::new("ahlen", Arg::Number { min: 0, max: u32::MAX as u64 }).invertible(),
    Opt::new("ahres", Arg::None),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Ah(Ah {
        spi: SpiTest::from_given(given, "ahspi", SpiTest::ANY),
        length: given.number("ahlen").unwrap_or(0) as u32,
        invert_length: given.is_inverted("ahlen"),
        reserved: given.has("ahres"),
    }))
}

impl Ah {
    fn tests_length(&self) -> bool {
        self.length != 0 || self.invert_length
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        self.spi.save("ahspi", &mut out);
        if self.tests_length() {
            out.value("ahlen", self.invert_length, self.length);
        }
        if self.reserved {
            out.flag("ahres", false);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" ah {}", self.spi.listed("spi")));
        if self.tests_length() {
            out.push_str(&format!("length:{}{}", if self.invert_length { "!" } else { "" }, self.length));
        }
        if self.reserved {
            out.push_str(" reserved");
        }
    }
}
