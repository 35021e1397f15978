//! `-m icmp6`: type and code of an ICMPv6 packet.
use super::icmp::{Found, find};
use crate::error::UsageError;
use crate::number;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter};
use crate::{Family, Match};

/// Holds when the type is `kind` and `code_min <= code <= code_max`, turned round by `invert`; needs `-p ipv6-icmp`. No number stands for any type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp6 {
    /// ICMPv6 type.
    pub kind: u8,
    /// Lowest code inside.
    pub code_min: u8,
    /// Highest code inside.
    pub code_max: u8,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "icmp6", family: Some(Family::Ipv6), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("icmpv6-type", Arg::Text { min: 0, max: usize::MAX })
    .invertible()
    .mandatory()
    .checked(|reading| read_type(reading.word).map(drop))];

/// Name, type, lowest and highest code.
const TYPES: &[(&str, u8, u8, u8)] = &[
    ("destination-unreachable", 1, 0, 255),
    ("no-route", 1, 0, 0),
    ("communication-prohibited", 1, 1, 1),
    ("beyond-scope", 1, 2, 2),
    ("address-unreachable", 1, 3, 3),
    ("port-unreachable", 1, 4, 4),
    ("failed-policy", 1, 5, 5),
    ("reject-route", 1, 6, 6),
    ("packet-too-big", 2, 0, 255),
    ("time-exceeded", 3, 0, 255),
    ("ttl-exceeded", 3, 0, 255),
    ("ttl-zero-during-transit", 3, 0, 0),
    ("ttl-zero-during-reassembly", 3, 1, 1),
    ("parameter-problem", 4, 0, 255),
    ("bad-header", 4, 0, 0),
    ("unknown-header-type", 4, 1, 1),
    ("unknown-option", 4, 2, 2),
    ("echo-request", 128, 0, 255),
    ("ping", 128, 0, 255),
    ("echo-reply", 129, 0, 255),
    ("pong", 129, 0, 255),
    ("router-solicitation", 133, 0, 255),
    ("router-advertisement", 134, 0, 255),
    ("neighbour-solicitation", 135, 0, 255),
    ("neighbor-solicitation", 135, 0, 255),
    ("neighbour-advertisement", 136, 0, 255),
    ("neighbor-advertisement", 136, 0, 255),
    ("redirect", 137, 0, 255),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let text = given.text("icmpv6-type").unwrap_or("");
    let (kind, code_min, code_max) = read_type(text)?;
    Ok(Match::Icmp6(Icmp6 { kind, code_min, code_max, invert: given.is_inverted("icmpv6-type") }))
}

/// A name, the beginning of exactly one name, or `type[/code]`.
fn read_type(text: &str) -> Result<(u8, u8, u8), UsageError> {
    match find(TYPES, text) {
        Found::One(kind, min, max) => return Ok((kind, min, max)),
        Found::Several(first, second) => return Err(UsageError::AmbiguousIcmp6Type(text.to_owned(), first, second)),
        Found::None => {}
    }
    let (kind, code) = match text.split_once('/') {
        Some((kind, code)) => (kind, Some(code)),
        None => (text, None),
    };
    let kind = number::byte(kind).ok_or_else(|| UsageError::UnknownIcmp6Type(text.to_owned()))?;
    match code {
        None => Ok((kind, 0, 255)),
        Some(code) => {
            let code = number::byte(code).ok_or_else(|| UsageError::UnknownIcmp6Code(text.to_owned()))?;
            Ok((kind, code, code))
        }
    }
}

impl Icmp6 {
    fn has_all_codes(&self) -> bool {
        self.code_min == 0 && self.code_max == 255
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        match self.has_all_codes() {
            true => out.value("icmpv6-type", self.invert, self.kind),
            false => out.value("icmpv6-type", self.invert, format_args!("{}/{}", self.kind, self.code_min)),
        }
    }

    /// No blank stands between the match's name and a number that is not inverted.
    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let named = |(_, k, min, max): &&(&str, u8, u8, u8)| (*k, *min, *max) == (self.kind, self.code_min, self.code_max);
        out.push_str(" ipv6-icmp");
        match TYPES.iter().find(named) {
            Some((name, ..)) if !style.numeric => {
                out.push_str(&format!(" {}{name}", if self.invert { "!" } else { "" }));
            }
            _ => {
                out.push_str(&format!("{}type {}", if self.invert { " !" } else { "" }, self.kind));
                if self.code_min == self.code_max {
                    out.push_str(&format!(" code {}", self.code_min));
                } else if !self.has_all_codes() {
                    out.push_str(&format!(" codes {}-{}", self.code_min, self.code_max));
                }
            }
        }
    }
}
