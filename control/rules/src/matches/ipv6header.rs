//! `-m ipv6header`: which headers an IPv6 packet has.
use super::named_bits::NamedBits;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};
use crate::{Family, Match};

/// Holds when the packet has exactly these headers (with `soft`: all of these), turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ipv6header {
    /// The headers' bits: hop-by-hop options 128, destination options 64, routing 32, fragment 16, authentication 8, encapsulation 4, none
    /// 2, a protocol 1.
    pub headers: u8,
    /// `--soft`: there may be others.
    pub soft: bool,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> =
    Extension { name: "ipv6header", family: Some(Family::Ipv6), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("header", Arg::Own { shape: "HEADER[,...]", read: read_headers }).invertible().mandatory(),
    Opt::new("soft", Arg::None),
];

const HEADERS: NamedBits = NamedBits(&[
    ("hop-by-hop", 128),
    ("ipv6-opts", 64),
    ("ipv6-route", 32),
    ("ipv6-frag", 16),
    ("ah", 8),
    ("esp", 4),
    ("ipv6-nonxt", 2),
    ("protocol", 1),
]);
const SHORT: NamedBits =
    NamedBits(&[("hop", 128), ("dst", 64), ("route", 32), ("frag", 16), ("auth", 8), ("esp", 4), ("none", 2), ("prot", 1)]);

/// Names, their short forms, numbers, and the host's names of protocols.
fn read_headers(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let mut headers = 0;
    for word in reading.word.split(',').filter(|word| !word.is_empty()) {
        headers |= match HEADERS.exact(word).or_else(|| SHORT.exact(word)) {
            Some(bit) => bit,
            None => {
                let number = reading.context.names.protocol_number(word).map_or(word.to_owned(), |number| number.to_string());
                of_number(&number).ok_or_else(|| UsageError::Own(format!("unknown header `{number}' specified")))?
            }
        };
    }
    if headers == 0 {
        return Err(UsageError::Needs("ip6t_ipv6header: cannot parse header names"));
    }
    Ok(Value::Number(headers.into()))
}

fn of_number(number: &str) -> Option<u32> {
    let all = [("0", 128), ("60", 64), ("43", 32), ("44", 16), ("51", 8), ("50", 4), ("59", 2), ("255", 1)];
    all.into_iter().find(|(known, _)| *known == number).map(|(_, bit)| bit)
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let headers = given.number("header").unwrap_or(0) as u8;
    Ok(Match::Ipv6header(Ipv6header { headers, soft: given.has("soft"), invert: given.is_inverted("header") }))
}

impl Ipv6header {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("header", self.invert, HEADERS.list(self.headers.into(), ","));
        if self.soft {
            out.flag("soft", false);
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let headers = if style.numeric { format!("0x{:02X}", self.headers) } else { HEADERS.list(self.headers.into(), ",") };
        let not = if self.invert { "!" } else { "" };
        out.push_str(&format!(" ipv6header flags:{not}{headers}{}", if self.soft { " soft" } else { "" }));
    }
}
