//! `-m icmp`: type and code of an ICMP packet.
use crate::error::UsageError;
use crate::number;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter};
use crate::{Family, Match};

/// Holds when the type is `kind` and `code_min <= code <= code_max`, turned round by `invert`; needs `-p icmp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp {
    /// ICMP type; `None` is any type.
    pub kind: Option<u8>,
    /// Lowest code inside.
    pub code_min: u8,
    /// Highest code inside.
    pub code_max: u8,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "icmp", family: Some(Family::Ipv4), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("icmp-type", Arg::Text { min: 0, max: usize::MAX })
    .invertible()
    .mandatory()
    .checked(|reading| read_type(reading.word).map(drop))];

/// Name, type (255 is any), lowest and highest code.
const TYPES: &[(&str, u8, u8, u8)] = &[
    ("any", 255, 0, 255),
    ("echo-reply", 0, 0, 255),
    ("pong", 0, 0, 255),
    ("destination-unreachable", 3, 0, 255),
    ("network-unreachable", 3, 0, 0),
    ("host-unreachable", 3, 1, 1),
    ("protocol-unreachable", 3, 2, 2),
    ("port-unreachable", 3, 3, 3),
    ("fragmentation-needed", 3, 4, 4),
    ("source-route-failed", 3, 5, 5),
    ("network-unknown", 3, 6, 6),
    ("host-unknown", 3, 7, 7),
    ("network-prohibited", 3, 9, 9),
    ("host-prohibited", 3, 10, 10),
    ("TOS-network-unreachable", 3, 11, 11),
    ("TOS-host-unreachable", 3, 12, 12),
    ("communication-prohibited", 3, 13, 13),
    ("host-precedence-violation", 3, 14, 14),
    ("precedence-cutoff", 3, 15, 15),
    ("source-quench", 4, 0, 255),
    ("redirect", 5, 0, 255),
    ("network-redirect", 5, 0, 0),
    ("host-redirect", 5, 1, 1),
    ("TOS-network-redirect", 5, 2, 2),
    ("TOS-host-redirect", 5, 3, 3),
    ("echo-request", 8, 0, 255),
    ("ping", 8, 0, 255),
    ("router-advertisement", 9, 0, 255),
    ("router-solicitation", 10, 0, 255),
    ("time-exceeded", 11, 0, 255),
    ("ttl-exceeded", 11, 0, 255),
    ("ttl-zero-during-transit", 11, 0, 0),
    ("ttl-zero-during-reassembly", 11, 1, 1),
    ("parameter-problem", 12, 0, 255),
    ("ip-header-bad", 12, 0, 0),
    ("required-option-missing", 12, 1, 1),
    ("timestamp-request", 13, 0, 255),
    ("timestamp-reply", 14, 0, 255),
    ("address-mask-request", 17, 0, 255),
    ("address-mask-reply", 18, 0, 255),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let text = given.text("icmp-type").unwrap_or("");
    let (kind, code_min, code_max) = read_type(text)?;
    let invert = given.is_inverted("icmp-type");
    Ok(Match::Icmp(Icmp { kind: (kind != 255).then_some(kind), code_min, code_max, invert }))
}

/// What a word says among the names of types.
pub(super) enum Found {
    /// Type, lowest and highest code.
    One(u8, u8, u8),
    /// It is the beginning of these, and maybe of more.
    Several(&'static str, &'static str),
    /// It is no name.
    None,
}

/// The name that begins so.
pub(super) fn find(types: &'static [(&'static str, u8, u8, u8)], text: &str) -> Found {
    let begins = |name: &str| name.get(..text.len()).is_some_and(|head| head.eq_ignore_ascii_case(text));
    let mut hits = types.iter().filter(|(name, ..)| begins(name));
    match (hits.next(), hits.next()) {
        (Some((_, kind, min, max)), None) => Found::One(*kind, *min, *max),
        (Some((first, ..)), Some((second, ..))) => Found::Several(first, second),
        (None, _) => Found::None,
    }
}

/// A name, the beginning of exactly one name, or `type[/code]`.
fn read_type(text: &str) -> Result<(u8, u8, u8), UsageError> {
    match find(TYPES, text) {
        Found::One(kind, min, max) => return Ok((kind, min, max)),
        Found::Several(first, second) => return Err(UsageError::AmbiguousIcmpType(text.to_owned(), first, second)),
        Found::None => {}
    }
    let (kind, code) = match text.split_once('/') {
        Some((kind, code)) => (kind, Some(code)),
        None => (text, None),
    };
    let kind = number::byte(kind).ok_or_else(|| UsageError::UnknownIcmpType(text.to_owned()))?;
    match code {
        None => Ok((kind, 0, 255)),
        Some(code) => {
            let code = number::byte(code).ok_or_else(|| UsageError::UnknownIcmpCode(text.to_owned()))?;
            Ok((kind, code, code))
        }
    }
}

impl Icmp {
    fn has_all_codes(&self) -> bool {
        self.code_min == 0 && self.code_max == 255
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        match self.kind {
            None => out.value("icmp-type", self.invert, "any"),
            Some(kind) if self.has_all_codes() => out.value("icmp-type", self.invert, kind),
            Some(kind) => out.value("icmp-type", self.invert, format_args!("{kind}/{}", self.code_min)),
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let kind = self.kind.unwrap_or(255);
        let named = |(_, k, min, max): &&(&str, u8, u8, u8)| (*k, *min, *max) == (kind, self.code_min, self.code_max);
        out.push_str(" icmp");
        match TYPES.iter().find(named) {
            Some((name, ..)) if !style.numeric => {
                out.push_str(&format!(" {}{name}", if self.invert { "!" } else { "" }));
            }
            _ => {
                out.push_str(&format!("{}type {kind}", if self.invert { " !" } else { "" }));
                if self.code_min == self.code_max {
                    out.push_str(&format!(" code {}", self.code_min));
                } else if !self.has_all_codes() {
                    out.push_str(&format!(" codes {}-{}", self.code_min, self.code_max));
                }
            }
        }
    }
}
