//! `-j TTL`: changes the time to live of IPv4 packets.
use crate::Family;
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// The change. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ttl {
    /// `--ttl-set`.
    Set(u8),
    /// `--ttl-inc`: stops at 255.
    Increase(u8),
    /// `--ttl-dec`: stops at 0.
    Decrease(u8),
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "TTL", family: Some(Family::Ipv4), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("ttl-set", Arg::Number { min: 0, max: 255 }).excludes(&["ttl-dec", "ttl-inc"]),
    Opt::new("ttl-dec", Arg::Number { min: 1, max: 255 }).excludes(&["ttl-set", "ttl-inc"]),
    Opt::new("ttl-inc", Arg::Number { min: 1, max: 255 }).excludes(&["ttl-set", "ttl-dec"]),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let byte = |option| given.number(option).map(|n| n as u8);
    let change = byte("ttl-set").map(Ttl::Set);
    let change = change.or(byte("ttl-inc").map(Ttl::Increase)).or(byte("ttl-dec").map(Ttl::Decrease));
    change.map(Target::Ttl).ok_or(UsageError::Needs("TTL: You must specify an action"))
}

impl Ttl {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        match self {
            Ttl::Set(value) => out.value("ttl-set", false, value),
            Ttl::Increase(value) => out.value("ttl-inc", false, value),
            Ttl::Decrease(value) => out.value("ttl-dec", false, value),
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&match self {
            Ttl::Set(value) => format!(" TTL set to {value}"),
            Ttl::Increase(value) => format!(" TTL increment by {value}"),
            Ttl::Decrease(value) => format!(" TTL decrement by {value}"),
        });
    }
}
