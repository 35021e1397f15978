//! `-m ecn`: the congestion bits of the IP header and of TCP.
use super::Place;
use crate::Match;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// All tests that are there must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ecn {
    /// `--ecn-tcp-ece`: whether the flag must be set or (`!`) not. Needs `-p tcp`.
    pub ece: Option<bool>,
    /// `--ecn-tcp-cwr`, likewise.
    pub cwr: Option<bool>,
    /// `--ecn-ip-ect`: the lower two bits of the TOS or traffic class.
    pub ect: Option<EctTest>,
}

/// Holds when `(bits == ect) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EctTest {
    /// 0 to 3.
    pub ect: u8,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "ecn", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("ecn-tcp-cwr", Arg::None).invertible(),
    Opt::new("ecn-tcp-ece", Arg::None).invertible(),
    Opt::new("ecn-ip-ect", Arg::Number { min: 0, max: 3 }).invertible(),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    if given.order().next().is_none() {
        return Err(UsageError::Needs("ECN match: some option required"));
    }
    let flag = |option| given.has(option).then(|| !given.is_inverted(option));
    let ect = given.number("ecn-ip-ect").map(|ect| EctTest { ect: ect as u8, invert: given.is_inverted("ecn-ip-ect") });
    Ok(Match::Ecn(Ecn { ece: flag("ecn-tcp-ece"), cwr: flag("ecn-tcp-cwr"), ect }))
}

impl Ecn {
    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        place.require((self.ece.is_none() && self.cwr.is_none()) || place.protocol.is_exactly(6))
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, set) in [("ecn-tcp-ece", self.ece), ("ecn-tcp-cwr", self.cwr)] {
            if let Some(set) = set {
                out.flag(option, !set);
            }
        }
        if let Some(test) = self.ect {
            out.value("ecn-ip-ect", test.invert, test.ect);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" ECN match");
        for (name, set) in [("ECE", self.ece), ("CWR", self.cwr)] {
            if let Some(set) = set {
                out.push_str(&format!(" {}{name}", if set { "" } else { "!" }));
            }
        }
        if let Some(test) = self.ect {
            out.push_str(&format!(" {}ECT={}", if test.invert { "!" } else { "" }, test.ect));
        }
    }
}
