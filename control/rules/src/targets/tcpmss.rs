//! `-j TCPMSS`: changes the greatest segment that a SYN offers.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Match, Target};

/// The new value. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tcpmss {
    /// `--set-mss`: this many bytes, where the packet offers more.
    Set(u16),
    /// `--clamp-mss-to-pmtu`: what fits the MTU of the way.
    Clamp,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "TCPMSS", family: Some(Family::Ipv4), options: OPTIONS, build };
/// The same in IPv6.
pub(crate) static EXTENSION6: Extension<Target> =
    Extension { name: "TCPMSS", family: Some(Family::Ipv6), options: OPTIONS6, build };

/// The longest IP packet less the least header.
const MSS_MAX: u64 = 65_515;
const MSS_MAX6: u64 = 65_495;
/// SYN in [`crate::matches::Tcp`]'s flags.
const SYN: u8 = 0x02;
const OPTIONS: &[Opt] = &[Opt::new("set-mss", Arg::Number { min: 0, max: MSS_MAX }), Opt::new("clamp-mss-to-pmtu", Arg::None)];
const OPTIONS6: &[Opt] = &[Opt::new("set-mss", Arg::Number { min: 0, max: MSS_MAX6 }), Opt::new("clamp-mss-to-pmtu", Arg::None)];

/// Of both options the last one holds.
fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let last = given.order().next_back().ok_or(UsageError::Needs("TCPMSS target: At least one parameter is required"))?;
    Ok(Target::Tcpmss(match given.number(last) {
        Some(mss) => Tcpmss::Set(mss as u16),
        None => Tcpmss::Clamp,
    }))
}

impl Tcpmss {
    /// Whether some test among these lets nothing but packets with SYN through.
    pub(crate) fn has_syn(matches: &[Match]) -> bool {
        let asks_for_syn = |m: &Match| match m {
            Match::Tcp(tcp) => tcp.flags.is_some_and(|flags| !flags.invert && flags.comp & SYN != 0),
            _ => false,
        };
        matches.iter().any(asks_for_syn)
    }

    pub(crate) fn save(self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        match self {
            Tcpmss::Set(mss) => out.value("set-mss", false, mss),
            Tcpmss::Clamp => out.flag("clamp-mss-to-pmtu", false),
        }
    }

    pub(crate) fn list(self, out: &mut String) {
        out.push_str(&match self {
            Tcpmss::Set(mss) => format!(" TCPMSS set {mss}"),
            Tcpmss::Clamp => " TCPMSS clamp to PMTU".to_owned(),
        });
    }
}
