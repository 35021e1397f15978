//! `-m iprange`: addresses from one to another.
use crate::Match;
use crate::error::UsageError;
use crate::header::Shown;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Value};
use std::fmt;
use std::net::IpAddr;

/// Both tests that are there must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Iprange {
    /// `--src-range`.
    pub src: Option<AddressRange>,
    /// `--dst-range`.
    pub dst: Option<AddressRange>,
}

/// Holds when `(min <= address <= max) != invert`. Both have the family of the rule set; with `min` above `max` no address is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    /// The lowest address inside.
    pub min: IpAddr,
    /// The highest address inside.
    pub max: IpAddr,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "iprange", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] =
    &[Opt::new("src-range", Arg::AddressRange).invertible(), Opt::new("dst-range", Arg::AddressRange).invertible()];

fn build(given: &Given, context: &Context<'_>) -> Result<Match, UsageError> {
    let range = |option| match given.value(option) {
        Some((Value::AddressRange(min, max), invert)) => Some(AddressRange { min: *min, max: *max, invert }),
        _ => None,
    };
    let test = Iprange { src: range("src-range"), dst: range("dst-range") };
    if test.src.is_none() && test.dst.is_none() {
        return Err(UsageError::Needs("iprange match: You must specify `--src-range' or `--dst-range'"));
    }
    for range in given.order().filter_map(range).filter(|range| range.min > range.max) {
        context.warn(&format!("xt_iprange: range {range} is reversed and will never match"));
    }
    Ok(Match::Iprange(Box::new(test)))
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", Shown(self.min), Shown(self.max))
    }
}

impl Iprange {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, range) in [("src-range", self.src), ("dst-range", self.dst)] {
            if let Some(range) = range {
                out.value(option, range.invert, range);
            }
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        for (side, range) in [("source", self.src), ("destination", self.dst)] {
            if let Some(range) = range {
                out.push_str(&format!(" {side} IP range{} {range}", if range.invert { " !" } else { "" }));
            }
        }
    }
}
