//! `-j ECN`: changes the bits of explicit congestion notification in the IPv4 and the TCP header.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Target};

/// The bits that are set or cleared; what is `None` stays. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ecn {
    /// `--ecn-tcp-ece`.
    pub ece: Option<bool>,
    /// `--ecn-tcp-cwr`.
    pub cwr: Option<bool>,
    /// `--ecn-ip-ect`: the code point, 0 to 3.
    pub ect: Option<u8>,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "ECN", family: Some(Family::Ipv4), options: OPTIONS, build };

const BIT: Arg = Arg::Number { min: 0, max: 1 };
const OPTIONS: &[Opt] = &[
    Opt::new("ecn-tcp-remove", Arg::None).excludes(&["ecn-tcp-cwr", "ecn-tcp-ece"]),
    Opt::new("ecn-tcp-cwr", BIT),
    Opt::new("ecn-tcp-ece", BIT),
    Opt::new("ecn-ip-ect", Arg::Number { min: 0, max: 3 }),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let removed = given.has("ecn-tcp-remove").then_some(false);
    let bit = |option| given.number(option).map(|bit| bit == 1).or(removed);
    // It takes the place of a code point that stands before it.
    let replaced = removed.is_some() && given.order().last() == Some("ecn-tcp-remove");
    let ecn = Ecn {
        ece: bit("ecn-tcp-ece"),
        cwr: bit("ecn-tcp-cwr"),
        ect: given.number("ecn-ip-ect").filter(|_| !replaced).map(|code_point| code_point as u8),
    };
    if ecn == (Ecn { ece: None, cwr: None, ect: None }) {
        return Err(UsageError::Needs("ECN target: An operation is required"));
    }
    Ok(Target::Ecn(ecn))
}

impl Ecn {
    /// Whether it changes the TCP header.
    pub(crate) fn needs_tcp(self) -> bool {
        self.ece.is_some() || self.cwr.is_some()
    }

    /// `--ecn-tcp-remove` and nothing else.
    fn is_removal(self) -> bool {
        self == Ecn { ece: Some(false), cwr: Some(false), ect: None }
    }

    /// Option, how it is listed, and value.
    fn parts(self) -> impl Iterator<Item = (&'static str, &'static str, u8)> {
        let ece = self.ece.map(|bit| ("ecn-tcp-ece", "ECE", u8::from(bit)));
        let cwr = self.cwr.map(|bit| ("ecn-tcp-cwr", "CWR", u8::from(bit)));
        let ect = self.ect.map(|code_point| ("ecn-ip-ect", "ECT codepoint", code_point));
        [ece, cwr, ect].into_iter().flatten()
    }

    pub(crate) fn save(self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if self.is_removal() {
            return out.flag("ecn-tcp-remove", false);
        }
        for (option, _, value) in self.parts() {
            out.value(option, false, value);
        }
    }

    pub(crate) fn list(self, out: &mut String) {
        out.push_str(" ECN");
        if self.is_removal() {
            return out.push_str(" TCP remove");
        }
        for (_, name, value) in self.parts() {
            out.push_str(&format!(" {name}={value}"));
        }
    }
}
