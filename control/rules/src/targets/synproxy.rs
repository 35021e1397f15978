//! `-j SYNPROXY`: answers for the server with a cookie, and connects to it only who has shown that he is there.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// What is said for the server, of what the client asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Synproxy {
    /// `--sack-perm`
    pub sack_perm: bool,
    /// `--timestamp`: without it neither window scale, nor SACK, nor ECN can be passed on.
    pub timestamp: bool,
    /// `--wscale`: the server's.
    pub wscale: Option<u8>,
    /// `--mss`: the server's.
    pub mss: Option<u16>,
    /// `--ecn`
    pub ecn: bool,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "SYNPROXY", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("sack-perm", Arg::None),
    Opt::new("timestamp", Arg::None),
    Opt::new("wscale", Arg::Number { min: 0, max: u32::MAX as u64 }),
    Opt::new("mss", Arg::Number { min: 0, max: u32::MAX as u64 }),
    Opt::new("ecn", Arg::None),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    Ok(Target::Synproxy(Synproxy {
        sack_perm: given.has("sack-perm"),
        timestamp: given.has("timestamp"),
        wscale: narrow(given, "wscale", u8::MAX)?,
        mss: narrow(given, "mss", u16::MAX)?,
        ecn: given.has("ecn"),
    }))
}

/// iptables takes 32 bits and cuts them to what the target has; nobody can mean that.
fn narrow<T: TryFrom<u64> + Into<u64>>(given: &Given, option: &'static str, max: T) -> Result<Option<T>, UsageError> {
    let wide = UsageError::OutOfRange { extension: "SYNPROXY", option, min: 0, max: max.into() };
    given.number(option).map(|number| T::try_from(number).map_err(|_| wide)).transpose()
}

impl Synproxy {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if self.sack_perm {
            out.flag("sack-perm", false);
        }
        if self.timestamp {
            out.flag("timestamp", false);
        }
        if let Some(wscale) = self.wscale {
            out.value("wscale", false, wscale);
        }
        if let Some(mss) = self.mss {
            out.value("mss", false, mss);
        }
        if self.ecn {
            out.flag("ecn", false);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" SYNPROXY ");
        if self.sack_perm {
            out.push_str("sack-perm ");
        }
        if self.timestamp {
            out.push_str("timestamp ");
        }
        if let Some(wscale) = self.wscale {
            out.push_str(&format!("wscale {wscale} "));
        }
        if let Some(mss) = self.mss {
            out.push_str(&format!("mss {mss} "));
        }
        if self.ecn {
            out.push_str("ecn ");
        }
    }
}
