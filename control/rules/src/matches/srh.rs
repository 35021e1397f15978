//! `-m srh`: the segment routing header of IPv6.
use crate::error::UsageError;
use crate::header::{Shown, prefix_len};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Value};
use crate::{AddrMatch, Family, Match};

/// Every part that is there must hold; a packet without the header passes none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Srh {
    /// `--srh-next-hdr`, and whether `!` was given.
    pub next_header: Option<(u8, bool)>,
    /// `--srh-hdr-len-eq`, `-gt`, `-lt`: its length.
    pub length: Compared,
    /// `--srh-segs-left-eq`, `-gt`, `-lt`: segments left.
    pub segments: Compared,
    /// `--srh-last-entry-eq`, `-gt`, `-lt`: the index of its last entry.
    pub last_entry: Compared,
    /// `--srh-tag`, and whether `!` was given.
    pub tag: Option<(u16, bool)>,
    /// `--srh-psid`, `--srh-nsid`, `--srh-lsid`: the previous, the next and the last segment.
    pub sids: [Option<AddrMatch>; 3],
}

/// A field, compared in up to three ways with one number: of several numbers that were given the last one holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Compared {
    /// The number.
    pub number: u8,
    /// Equal, greater, less: whether it is asked, and whether `!` was given.
    pub ways: [Option<bool>; 3],
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "srh", family: Some(Family::Ipv6), options: OPTIONS, build };

const BYTE: Arg = Arg::Number { min: 0, max: u8::MAX as u64 };
const OPTIONS: &[Opt] = &[
    Opt::new("srh-next-hdr", BYTE).invertible(),
    Opt::new("srh-hdr-len-eq", BYTE).invertible(),
    Opt::new("srh-hdr-len-gt", BYTE).invertible(),
    Opt::new("srh-hdr-len-lt", BYTE).invertible(),
    Opt::new("srh-segs-left-eq", BYTE).invertible(),
    Opt::new("srh-segs-left-gt", BYTE).invertible(),
    Opt::new("srh-segs-left-lt", BYTE).invertible(),
    Opt::new("srh-last-entry-eq", BYTE).invertible(),
    Opt::new("srh-last-entry-gt", BYTE).invertible(),
    Opt::new("srh-last-entry-lt", BYTE).invertible(),
    Opt::new("srh-tag", Arg::Number { min: 0, max: u16::MAX as u64 }).invertible(),
    Opt::new("srh-psid", Arg::Address).invertible(),
    Opt::new("srh-nsid", Arg::Address).invertible(),
    Opt::new("srh-lsid", Arg::Address).invertible(),
];
const LENGTH: [&str; 3] = ["srh-hdr-len-eq", "srh-hdr-len-gt", "srh-hdr-len-lt"];
const SEGMENTS: [&str; 3] = ["srh-segs-left-eq", "srh-segs-left-gt", "srh-segs-left-lt"];
const LAST_ENTRY: [&str; 3] = ["srh-last-entry-eq", "srh-last-entry-gt", "srh-last-entry-lt"];
const SIDS: [&str; 3] = ["srh-psid", "srh-nsid", "srh-lsid"];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let number = |option| given.number(option).map(|number| (number, given.is_inverted(option)));
    let compared = |options: [&str; 3]| {
        let last = given.order().rfind(|option| options.contains(option));
        Compared {
            number: last.and_then(|option| given.number(option)).unwrap_or(0) as u8,
            ways: options.map(|option| given.has(option).then(|| given.is_inverted(option))),
        }
    };
    let sid = |option| match given.value(option) {
        Some((Value::Address(test), invert)) => Some(AddrMatch { invert, ..*test }),
        _ => None,
    };
    Ok(Match::Srh(Box::new(Srh {
        next_header: number("srh-next-hdr").map(|(number, invert)| (number as u8, invert)),
        length: compared(LENGTH),
        segments: compared(SEGMENTS),
        last_entry: compared(LAST_ENTRY),
        tag: number("srh-tag").map(|(number, invert)| (number as u16, invert)),
        sids: SIDS.map(sid),
    })))
}

impl Srh {
    /// Every part in the order in which it is printed: the option, whether it is inverted, its value.
    fn parts(&self) -> Vec<(&'static str, bool, String)> {
        let mut parts = Vec::new();
        let mut push = |option, part: Option<(String, bool)>| {
            parts.extend(part.map(|(text, invert)| (option, invert, text)));
        };
        push("srh-next-hdr", self.next_header.map(|(number, invert)| (number.to_string(), invert)));
        for (options, field) in [(LENGTH, self.length), (SEGMENTS, self.segments), (LAST_ENTRY, self.last_entry)] {
            for (option, way) in options.into_iter().zip(field.ways) {
                push(option, way.map(|invert| (field.number.to_string(), invert)));
            }
        }
        push("srh-tag", self.tag.map(|(number, invert)| (number.to_string(), invert)));
        for (option, sid) in SIDS.into_iter().zip(self.sids) {
            // A mask with holes stands for all bits, as iptables shows it.
            let text = |test: AddrMatch| format!("{}/{}", Shown(test.addr), prefix_len(test.mask).unwrap_or(128));
            push(option, sid.map(|test| (text(test), test.invert)));
        }
        parts
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, invert, value) in self.parts() {
            out.value(option, invert, value);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" srh");
        for (option, invert, value) in self.parts() {
            let (name, not) = (&option["srh-".len()..], if invert { "!" } else { "" });
            // The blanks are where iptables 1.8.9 puts them.
            let text = if SIDS.contains(&option) { format!(" {name} {not} {value}") } else { format!(" {name}:{not}{value}") };
            out.push_str(&text);
        }
    }
}
