//! `-m set`: whether the packet is in a set of addresses, ports and the like (`ipset`).
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::sets::SetFields;
use crate::{Match, number};

/// Holds when the set has what the packet says, turned round by `invert`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetTest {
    /// The set and the parts of the packet.
    pub set: SetFields,
    /// `!` was given.
    pub invert: bool,
    /// `--return-nomatch`: elements that are marked as exceptions count as found.
    pub return_nomatch: bool,
    /// `! --update-counters`: those of the element stay as they are.
    pub keep_counters: bool,
    /// `! --update-subcounters`: those of the elements of sets in a list of sets.
    pub keep_sub_counters: bool,
    /// The element's packets.
    pub packets: Option<CounterTest>,
    /// The element's bytes.
    pub bytes: Option<CounterTest>,
}

/// Compares a counter of an element with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterTest {
    /// `--packets-eq`
    Equal(u64),
    /// `! --packets-eq`
    NotEqual(u64),
    /// `--packets-lt`
    Less(u64),
    /// `--packets-gt`
    Greater(u64),
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "set", family: None, options: OPTIONS, build };

const SET: Arg = Arg::Pair { missing: "--match-set requires two args.", shape: "NAME src|dst[,...]", read: read_match };
const PACKETS: Arg = Arg::Own { shape: "NUMBER", read: |reading| read_counter(reading, &PACKETS_NAMES, "packets") };
const BYTES: Arg = Arg::Own { shape: "NUMBER", read: |reading| read_counter(reading, &BYTES_NAMES, "bytes") };
const OPTIONS: &[Opt] = &[
    Opt::new("match-set", SET).invertible().repeatable(),
    Opt::new("set", SET).invertible().repeatable().warns("--set option deprecated, please use --match-set"),
    Opt::new("return-nomatch", Arg::None).not_inverted("--return-nomatch flag cannot be inverted").repeatable(),
    Opt::new("update-counters", Arg::None).invertible().repeatable(),
    Opt::new("update-subcounters", Arg::None).invertible().repeatable(),
    Opt::new("packets-eq", PACKETS).invertible().repeatable(),
    Opt::new("packets-lt", PACKETS).not_inverted("--packets-lt option cannot be inverted").repeatable(),
    Opt::new("packets-gt", PACKETS).not_inverted("--packets-gt option cannot be inverted").repeatable(),
    Opt::new("bytes-eq", BYTES).invertible().repeatable(),
    Opt::new("bytes-lt", BYTES).not_inverted("--bytes-lt option cannot be inverted").repeatable(),
    Opt::new("bytes-gt", BYTES).not_inverted("--bytes-gt option cannot be inverted").repeatable(),
];
const PACKETS_NAMES: [&str; 3] = ["packets-eq", "packets-lt", "packets-gt"];
const BYTES_NAMES: [&str; 3] = ["bytes-eq", "bytes-lt", "bytes-gt"];

fn read_match(reading: &Reading<'_>) -> Result<Value, UsageError> {
    if reading.before.has("match-set") || reading.before.has("set") {
        return Err(UsageError::Needs("--match-set can be specified only once"));
    }
    SetFields::read(reading.word, reading.second, reading.context)?;
    Ok(Value::Pair(reading.word.to_owned(), reading.second.to_owned()))
}

fn read_counter(reading: &Reading<'_>, names: &[&str], what: &str) -> Result<Value, UsageError> {
    if names.iter().any(|name| reading.before.has(name)) {
        return Err(UsageError::Own(format!("only one of the --{what}-[eq|lt|gt] is allowed")));
    }
    let number = number::whole(reading.word, 0, u64::MAX);
    number.map(Value::Number).ok_or_else(|| UsageError::Own(format!("Cannot parse {} as a counter value", reading.word)))
}

fn build(given: &Given, context: &Context<'_>) -> Result<Match, UsageError> {
    let option = if given.has("match-set") { "match-set" } else { "set" };
    let (name, fields) = given.pair(option).ok_or(UsageError::Needs("You must specify `--match-set' with proper arguments"))?;
    let keeps = |flag| given.all().any(|(option, invert, _)| option == flag && invert);
    let counter = |names: [&str; 3]| {
        let option = names.into_iter().find(|name| given.has(name))?;
        let number = given.number(option)?;
        Some(match option.rsplit_once('-')?.1 {
            "eq" if given.is_inverted(option) => CounterTest::NotEqual(number),
            "eq" => CounterTest::Equal(number),
            "lt" => CounterTest::Less(number),
            _ => CounterTest::Greater(number),
        })
    };
    Ok(Match::Set(Box::new(SetTest {
        set: SetFields::read(name, fields, context)?,
        invert: given.is_inverted(option),
        return_nomatch: given.has("return-nomatch"),
        keep_counters: keeps("update-counters"),
        keep_sub_counters: keeps("update-subcounters"),
        packets: counter(PACKETS_NAMES),
        bytes: counter(BYTES_NAMES),
    })))
}

impl SetTest {
    /// Options behind the set: name, `!`, value.
    fn options(&self) -> Vec<(&'static str, bool, Option<u64>)> {
        let flags = [
            ("return-nomatch", false, self.return_nomatch),
            ("update-counters", true, self.keep_counters),
            ("update-subcounters", true, self.keep_sub_counters),
        ];
        let flags = flags.into_iter().filter(|(.., set)| *set).map(|(name, invert, _)| (name, invert, None));
        let counters = [(self.packets, PACKETS_NAMES), (self.bytes, BYTES_NAMES)];
        let counters = counters.into_iter().filter_map(|(test, [eq, lt, gt])| {
            Some(match test? {
                CounterTest::Equal(number) => (eq, false, Some(number)),
                CounterTest::NotEqual(number) => (eq, true, Some(number)),
                CounterTest::Less(number) => (lt, false, Some(number)),
                CounterTest::Greater(number) => (gt, false, Some(number)),
            })
        });
        flags.chain(counters).collect()
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("match-set", self.invert, &self.set);
        for (name, invert, value) in self.options() {
            match value {
                Some(value) => out.value(name, invert, value),
                None => out.flag(name, invert),
            }
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!("{} match-set {}", if self.invert { " !" } else { "" }, &self.set));
        for (name, invert, value) in self.options() {
            let value = value.map_or(String::new(), |value| format!(" {value}"));
            out.push_str(&format!("{} {name}{value}", if invert { " !" } else { "" }));
        }
    }
}
