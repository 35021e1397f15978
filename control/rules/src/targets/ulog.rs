//! `-j ULOG`: the older form of NFLOG, which is in no kernel any more.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{Family, Target};

/// What is handed over, and to whom. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ulog {
    /// `--ulog-nlgroup`: 1 to 32.
    pub group: u8,
    /// `--ulog-prefix`: at most 31 bytes.
    pub prefix: Box<str>,
    /// `--ulog-cprange`: bytes of the packet; 0 is all.
    pub copy_range: u32,
    /// `--ulog-qthreshold`: how many packets wait before they are handed over; 1 to 50.
    pub threshold: u8,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "ULOG", family: Some(Family::Ipv4), options: OPTIONS, build };

const DEFAULT_GROUP: u8 = 1;
const DEFAULT_THRESHOLD: u8 = 1;
const OPTIONS: &[Opt] = &[
    Opt::new("ulog-prefix", Arg::Text { min: 1, max: 31 }),
    Opt::new("ulog-nlgroup", Arg::Number { min: 1, max: 32 }),
    Opt::new("ulog-cprange", Arg::Number { min: 0, max: u64::MAX }),
    Opt::new("ulog-qthreshold", Arg::Number { min: 1, max: 50 }),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let prefix = given.line("ulog-prefix")?;
    // iptables cuts it to 32 bits; nobody can mean that.
    let narrow = |range: u64| {
        u32::try_from(range).map_err(|_| UsageError::OutOfRange {
            extension: EXTENSION.name,
            option: "ulog-cprange",
            min: 0,
            max: u64::from(u32::MAX),
        })
    };
    Ok(Target::Ulog(Box::new(Ulog {
        group: given.number("ulog-nlgroup").map_or(DEFAULT_GROUP, |group| group as u8),
        prefix: Box::from(prefix),
        copy_range: given.number("ulog-cprange").map(narrow).transpose()?.unwrap_or(0),
        threshold: given.number("ulog-qthreshold").map_or(DEFAULT_THRESHOLD, |threshold| threshold as u8),
    })))
}

impl Ulog {
    pub(crate) fn save(&self, out: &mut String) {
        let Ulog { group, prefix, copy_range, threshold } = self;
        let mut out = OptionWriter::new(OPTIONS, out);
        if !prefix.is_empty() {
            out.text("ulog-prefix", false, prefix);
        }
        if *group != DEFAULT_GROUP {
            out.value("ulog-nlgroup", false, group);
        }
        if *copy_range != 0 {
            out.value("ulog-cprange", false, copy_range);
        }
        if *threshold != DEFAULT_THRESHOLD {
            out.value("ulog-qthreshold", false, threshold);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        let Ulog { group, prefix, copy_range, threshold } = self;
        out.push_str(&format!(" ULOG copy_range {copy_range} nlgroup {group}"));
        if !prefix.is_empty() {
            out.push_str(&format!(" prefix \"{prefix}\""));
        }
        out.push_str(&format!(" queue_threshold {threshold}"));
    }
}
