//! `-m connbytes`: how much the packet's connection has carried so far.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when the count is within the range. A packet without a connection has no count, and never matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Connbytes {
    /// Least count.
    pub from: u64,
    /// Greatest count. Less than `from`: the test holds outside of the range, that is below `to` and above `from` (`!`).
    pub to: u64,
    /// What is counted.
    pub mode: Mode,
    /// Whose packets.
    pub direction: Direction,
}

/// `--connbytes-mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Packets.
    Packets,
    /// Bytes, IP headers included.
    Bytes,
    /// Bytes by packets, rounded down; 0 without packets.
    Average,
}

/// `--connbytes-dir`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Those that go as the first one did.
    Original,
    /// The answers.
    Reply,
    /// All.
    Both,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "connbytes", family: None, options: OPTIONS, build };

const TEXT: Arg = Arg::Text { min: 0, max: usize::MAX };
const OPTIONS: &[Opt] = &[
    Opt::new("connbytes", Arg::Counts).invertible().mandatory(),
    Opt::new("connbytes-mode", TEXT).mandatory().checked(|reading| read(reading.option, reading.word, &MODES).map(drop)),
    Opt::new("connbytes-dir", TEXT).mandatory().checked(|reading| read(reading.option, reading.word, &DIRECTIONS).map(drop)),
];

const MODES: [(&str, Mode); 3] = [("packets", Mode::Packets), ("bytes", Mode::Bytes), ("avgpkt", Mode::Average)];
const DIRECTIONS: [(&str, Direction); 3] =
    [("original", Direction::Original), ("reply", Direction::Reply), ("both", Direction::Both)];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let (mut from, mut to) = given.counts("connbytes").unwrap_or((0, u64::MAX));
    if given.is_inverted("connbytes") {
        // As iptables hands it over: an inverted range of one count is that count.
        (from, to) = (to, from);
    }
    let word = |option| given.text(option).unwrap_or("");
    let mode = read("connbytes-mode", word("connbytes-mode"), &MODES)?;
    let direction = read("connbytes-dir", word("connbytes-dir"), &DIRECTIONS)?;
    Ok(Match::Connbytes(Box::new(Connbytes { from, to, mode, direction })))
}

fn read<T: Copy>(option: &'static str, word: &str, words: &[(&str, T)]) -> Result<T, UsageError> {
    let hit = words.iter().find(|(name, _)| *name == word);
    hit.map(|(_, value)| *value).ok_or_else(|| UsageError::UnknownWord { option, value: word.to_owned() })
}

fn name<T: PartialEq>(value: &T, words: &[(&'static str, T)]) -> &'static str {
    words.iter().find(|(_, word)| word == value).map_or("", |(name, _)| name)
}

impl Connbytes {
    fn is_inverted(&self) -> bool {
        self.to < self.from
    }

    fn range(&self) -> String {
        let (low, high) = if self.is_inverted() { (self.to, self.from) } else { (self.from, self.to) };
        // What iptables shows of 0:0.
        if high == u64::MAX || high == 0 { low.to_string() } else { format!("{low}:{high}") }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("connbytes", self.is_inverted(), self.range());
        out.value("connbytes-mode", false, name(&self.mode, &MODES));
        out.value("connbytes-dir", false, name(&self.direction, &DIRECTIONS));
    }

    pub(crate) fn list(&self, out: &mut String) {
        let not = if self.is_inverted() { " !" } else { "" };
        let (mode, direction) = (name(&self.mode, &MODES), name(&self.direction, &DIRECTIONS));
        out.push_str(&format!("{not} connbytes {} connbytes mode {mode} connbytes direction {direction}", self.range()));
    }
}
