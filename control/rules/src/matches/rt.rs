//! `-m rt`: the routing header of IPv6.
use crate::error::UsageError;
use crate::header::Shown;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::{Family, Match};
use std::net::{IpAddr, Ipv6Addr};

/// Every part that is there must hold; a packet without the header passes none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rt {
    /// `--rt-type`; what is above 255 is in no packet.
    pub kind: Option<(u32, bool)>,
    /// `--rt-segsleft`: least and greatest number of segments left.
    pub segments: Option<(u32, u32, bool)>,
    /// `--rt-len`: length in bytes.
    pub length: Option<(u32, bool)>,
    /// `--rt-0-res`: the reserved field of type 0 is zero.
    pub reserved: bool,
    /// `--rt-0-addrs`: addresses of type 0, at most 16.
    pub addrs: Vec<Ipv6Addr>,
    /// `--rt-0-not-strict`: others may stand between them.
    pub not_strict: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "rt", family: Some(Family::Ipv6), options: OPTIONS, build };

const WORD: u64 = u32::MAX as u64;
const OPTIONS: &[Opt] = &[
    Opt::new("rt-type", Arg::Number { min: 0, max: WORD }).invertible(),
    Opt::new("rt-segsleft", Arg::Span { max: WORD }).invertible(),
    Opt::new("rt-len", Arg::Number { min: 0, max: WORD }).invertible(),
    Opt::new("rt-0-res", Arg::None),
    Opt::new("rt-0-addrs", Arg::Own { shape: "ADDRESS[,...]", read: read_addrs }),
    Opt::new("rt-0-not-strict", Arg::None),
];

const ADDRS_MAX: usize = 16;

fn read_addrs(reading: &Reading<'_>) -> Result<Value, UsageError> {
    addrs(reading.word)?;
    Ok(Value::Text(reading.word.to_owned()))
}

fn addrs(text: &str) -> Result<Vec<Ipv6Addr>, UsageError> {
    let mut addrs = Vec::new();
    for word in text.split(',') {
        if addrs.len() == ADDRS_MAX {
            return Err(UsageError::Needs("too many addresses specified"));
        }
        addrs.push(word.parse().map_err(|_| UsageError::Own(format!("bad address: {word}")))?);
    }
    Ok(addrs)
}

/// The options that need `--rt-type 0` or the addresses before them.
fn check_order(given: &Given) -> Result<(), UsageError> {
    let is_zero = given.number("rt-type") == Some(0) && !given.is_inverted("rt-type");
    let stands_before = |first: &str, then: &str| given.order().find(|option| *option == first || *option == then) == Some(first);
    for option in given.order() {
        match option {
            "rt-0-res" | "rt-0-addrs" if !is_zero || !stands_before("rt-type", option) => {
                return Err(UsageError::Own(format!("`--rt-type 0' required before `--{option}'")));
            }
            "rt-0-not-strict" if !stands_before("rt-0-addrs", option) => {
                return Err(UsageError::Needs("`--rt-0-addr ...' required before `--rt-0-not-strict'"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    check_order(given)?;
    let number = |option| given.number(option).map(|number| (number as u32, given.is_inverted(option)));
    let segments = given.counts("rt-segsleft");
    Ok(Match::Rt(Box::new(Rt {
        kind: number("rt-type"),
        segments: segments.map(|(min, max)| (min as u32, max as u32, given.is_inverted("rt-segsleft"))),
        length: number("rt-len"),
        reserved: given.has("rt-0-res"),
        addrs: given.text("rt-0-addrs").map_or(Ok(Vec::new()), addrs)?,
        not_strict: given.has("rt-0-not-strict"),
    })))
}

impl Rt {
    fn addrs_text(&self) -> String {
        self.addrs.iter().map(|addr| Shown(IpAddr::V6(*addr)).to_string()).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if let Some((kind, invert)) = self.kind {
            out.value("rt-type", invert, kind);
        }
        match self.segments {
            // Not even inverted, as iptables has it.
            Some((0, u32::MAX, _)) | None => {}
            Some((min, max, invert)) if min == max => out.value("rt-segsleft", invert, min),
            Some((min, max, invert)) => out.value("rt-segsleft", invert, format_args!("{min}:{max}")),
        }
        if let Some((length, invert)) = self.length {
            out.value("rt-len", invert, length);
        }
        if self.reserved {
            out.flag("rt-0-res", false);
        }
        if !self.addrs.is_empty() {
            out.value("rt-0-addrs", false, self.addrs_text());
        }
        if self.not_strict {
            out.flag("rt-0-not-strict", false);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        let not = |invert| if invert { "!" } else { "" };
        out.push_str(" rt");
        if let Some((kind, invert)) = self.kind {
            out.push_str(&format!(" type:{}{}", not(invert), kind as i32));
        }
        match self.segments {
            Some((0, u32::MAX, false)) | None => {}
            Some((min, max, invert)) if min == max => out.push_str(&format!(" segsleft:{}{min}", not(invert))),
            Some((min, max, invert)) => out.push_str(&format!(" segslefts:{}{min}:{max}", not(invert))),
        }
        if let Some((length, invert)) = self.length {
            out.push_str(&format!(" length:{}{length}", not(invert)));
        }
        if self.reserved {
            out.push_str(" reserved");
        }
        if !self.addrs.is_empty() {
            out.push_str(&format!(" 0-addrs {}", self.addrs_text()));
        }
        if self.not_strict {
            out.push_str(" 0-not-strict");
        }
    }
}
