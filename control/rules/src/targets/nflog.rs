//! `-j NFLOG`: hands a copy of the packet to whoever listens to a group of netlink.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::words;

/// What is handed over, and to whom. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nflog {
    /// `--nflog-group`.
    pub group: u16,
    /// `--nflog-prefix`: at most 63 bytes.
    pub prefix: Box<str>,
    /// `--nflog-range` or `--nflog-size`.
    pub size: NflogSize,
    /// `--nflog-threshold`: how many packets wait in the kernel before they are handed over; 0 leaves it to the kernel.
    pub threshold: u16,
}

/// How much of a packet is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NflogSize {
    /// As much as the listener asks for.
    Whole,
    /// `--nflog-range`: bytes, of which no kernel ever took notice.
    Range(u32),
    /// `--nflog-size`: bytes.
    Size(u32),
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "NFLOG", family: None, options: OPTIONS, build };

const WORD: Arg = Arg::Number { min: 0, max: u32::MAX as u64 };
const SHORT: Arg = Arg::Number { min: 0, max: u16::MAX as u64 };
const OPTIONS: &[Opt] = &[
    Opt::new("nflog-prefix", Arg::Text { min: 1, max: 63 }),
    Opt::new("nflog-group", SHORT),
    Opt::new("nflog-range", WORD),
    Opt::new("nflog-size", WORD),
    Opt::new("nflog-threshold", SHORT),
];

fn build(given: &Given, context: &Context<'_>) -> Result<Target, UsageError> {
    let prefix = given.text("nflog-prefix").unwrap_or("");
    if prefix.contains('\n') {
        // iptables names it so.
        return Err(UsageError::LineFeed("log-prefix"));
    }
    if given.has("nflog-range") {
        context.warn("warn: --nflog-range has never worked and is no longer supported, please use --nflog-size instead");
        if given.has("nflog-size") {
            return Err(UsageError::OptionsExclude { extension: EXTENSION.name, option: "nflog-range", other: "nflog-size" });
        }
    }
    let word = |option| given.number(option).map(|number| number as u32);
    let short = |option| given.number(option).map_or(0, |number| number as u16);
    let range = word("nflog-range").filter(|range| *range != 0).map(NflogSize::Range);
    Ok(Target::Nflog(Box::new(Nflog {
        group: short("nflog-group"),
        prefix: Box::from(prefix),
        size: range.or(word("nflog-size").map(NflogSize::Size)).unwrap_or(NflogSize::Whole),
        threshold: short("nflog-threshold"),
    })))
}

impl Nflog {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if !self.prefix.is_empty() {
            out.text("nflog-prefix", false, &self.prefix);
        }
        for (option, value) in self.numbers() {
            out.value(option, false, value);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        if !self.prefix.is_empty() {
            out.push_str(" nflog-prefix");
            words::push_quoted(&self.prefix, out);
        }
        for (option, value) in self.numbers() {
            out.push_str(&format!(" {option} {value}"));
        }
    }

    /// Options with numbers, those that say nothing left out.
    fn numbers(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let size = match self.size {
            NflogSize::Whole => None,
            NflogSize::Range(size) => Some(("nflog-range", size)),
            NflogSize::Size(size) => Some(("nflog-size", size)),
        };
        let named = |option, value: u16| (value != 0).then_some((option, u32::from(value)));
        [named("nflog-group", self.group), size, named("nflog-threshold", self.threshold)].into_iter().flatten()
    }
}
