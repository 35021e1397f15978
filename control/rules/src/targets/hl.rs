//! `-j HL`: changes the hop limit of IPv6 packets, as TTL does for IPv4.
use super::Ttl;
use crate::Family;
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "HL", family: Some(Family::Ipv6), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("hl-set", Arg::Number { min: 0, max: 255 }).excludes(&["hl-dec", "hl-inc"]),
    Opt::new("hl-dec", Arg::Number { min: 1, max: 255 }).excludes(&["hl-set", "hl-inc"]),
    Opt::new("hl-inc", Arg::Number { min: 1, max: 255 }).excludes(&["hl-set", "hl-dec"]),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let byte = |option| given.number(option).map(|n| n as u8);
    let change = byte("hl-set").map(Ttl::Set);
    let change = change.or(byte("hl-inc").map(Ttl::Increase)).or(byte("hl-dec").map(Ttl::Decrease));
    change.map(Target::Hl).ok_or(UsageError::Needs("HL: You must specify an action"))
}

pub(super) fn save(change: Ttl, out: &mut String) {
    let mut out = OptionWriter::new(OPTIONS, out);
    match change {
        Ttl::Set(value) => out.value("hl-set", false, value),
        Ttl::Increase(value) => out.value("hl-inc", false, value),
        Ttl::Decrease(value) => out.value("hl-dec", false, value),
    }
}

pub(super) fn list(change: Ttl, out: &mut String) {
    out.push_str(&match change {
        Ttl::Set(value) => format!(" HL set to {value}"),
        Ttl::Increase(value) => format!(" HL increment by {value}"),
        Ttl::Decrease(value) => format!(" HL decrement by {value}"),
    });
}
