//! `-m rateest`: compares rates that `-j RATEEST` estimates.
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};
use crate::{Match, number};

/// Compares the rate of an estimator with a number or with the rate of another one, turned round by `invert`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RateestTest {
    /// `--rateest`, `--rateest1`: the estimator, at most 15 bytes.
    pub first: Box<str>,
    /// `--rateest2`: the one that it is compared with; else the second amount is.
    pub second: Option<Box<str>>,
    /// `--rateest-delta`: the amounts are taken from the rates before, down to 0.
    pub delta: bool,
    /// What is measured. The check refuses none.
    pub unit: Option<Unit>,
    /// In bytes or packets a second: what is taken from the first rate; what is taken from the second one or stands in its place.
    pub amounts: [u32; 2],
    /// How they are compared. The check refuses none.
    pub way: Option<Way>,
    /// `!` was given before the way.
    pub invert: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Bytes; in words and on the screen they are bits.
    Bytes,
    /// Packets.
    Packets,
}

/// How the first rate compares with the second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// `--rateest-lt`
    Less,
    /// `--rateest-gt`
    Greater,
    /// `--rateest-eq`
    Equal,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "rateest", family: None, options: OPTIONS, build };

const NAME: Arg = Arg::Name { max: 15 };
const BITS: Arg = Arg::Optional { shape: "RATE[UNIT] (bit, kbit, Kibit, ..., bps, kbps, Kibps, ...)", read: read_bits };
const PACKETS: Arg = Arg::Optional { shape: "NUMBER", read: read_packets };
/// What is repeated is refused in words of its own.
const OPTIONS: &[Opt] = &[
    Opt::new("rateest1", NAME).aliases(&["rateest"]).not_inverted("rateest: rateest can't be inverted").repeatable(),
    Opt::new("rateest2", NAME).not_inverted("rateest: rateest can't be inverted").repeatable(),
    Opt::new("rateest-bps1", BITS).not_inverted("rateest: rateest-bps can't be inverted").repeatable(),
    Opt::new("rateest-pps1", PACKETS).not_inverted("rateest: rateest-pps can't be inverted").repeatable(),
    Opt::new("rateest-bps2", BITS).aliases(&["rateest-bps"]).not_inverted("rateest: rateest-bps can't be inverted").repeatable(),
    Opt::new("rateest-pps2", PACKETS).aliases(&["rateest-pps"]).not_inverted("rateest: rateest-pps can't be inverted").repeatable(),
    Opt::new("rateest-delta", Arg::None).not_inverted("rateest: rateest-delta can't be inverted").repeatable(),
    Opt::new("rateest-lt", Arg::None).invertible().repeatable(),
    Opt::new("rateest-gt", Arg::None).invertible().repeatable(),
    Opt::new("rateest-eq", Arg::None).invertible().repeatable(),
];

const WAYS: [(&str, Way); 3] = [("rateest-lt", Way::Less), ("rateest-gt", Way::Greater), ("rateest-eq", Way::Equal)];

/// The highest rate that is printed so that it still fits 32 bits: 34359 Mbit.
const BYTES_MAX: f64 = 34_359e6 / 8.0;

/// A number of bits, or of one of these units, as bytes.
fn read_bits(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let word = reading.word.trim_start();
    let bad = || UsageError::Own(format!("rateest: could not parse rate `{}'", reading.word));
    let is_numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    let end = word.find(|c: char| !is_numeric(c)).unwrap_or(word.len());
    let number: f64 = word[..end].parse().map_err(|_| bad())?;
    let unit = unit_of(&word[end..].to_ascii_lowercase()).ok_or_else(bad)?;
    let bytes = number * unit / 8.0;
    // The real one cuts what does not fit, as it would what it prints of the highest ones.
    if (0.0..=BYTES_MAX).contains(&bytes) { Ok(Value::Number(bytes as u64)) } else { Err(bad()) }
}

/// Bits of a unit, in lower case; without one it is a bit.
fn unit_of(name: &str) -> Option<f64> {
    let (prefix, bits) = match (name, name.strip_suffix("bit"), name.strip_suffix("bps")) {
        ("", ..) => ("", 1.0),
        (_, Some(prefix), _) => (prefix, 1.0),
        (_, _, Some(prefix)) => (prefix, 8.0),
        _ => return None,
    };
    let (letter, base) = match prefix.strip_suffix('i') {
        Some(letter) if !letter.is_empty() => (letter, 1024.0),
        _ => (prefix, 1000.0),
    };
    let power = ["", "k", "m", "g", "t"].iter().position(|known| *known == letter)?;
    Some(bits * f64::powi(base, power as i32))
}

fn read_packets(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let bad = || UsageError::Own(format!("rateest: could not parse pps `{}'", reading.word));
    number::word(reading.word).map(|number| Value::Number(number.into())).ok_or_else(bad)
}

/// Nothing may be said twice.
fn check_words(given: &Given) -> Result<(), UsageError> {
    let mut seen = Vec::new();
    for option in given.order() {
        let is_way = WAYS.iter().any(|(way, _)| *way == option);
        if seen.contains(&option) {
            let what = if is_way { "lt/gt/eq".to_owned() } else { format!("--{option}") };
            return Err(UsageError::Own(format!("rateest: can't specify {what} twice")));
        }
        seen.push(option);
    }
    Ok(())
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    check_words(given)?;
    let units = [(Unit::Bytes, ["rateest-bps1", "rateest-bps2"]), (Unit::Packets, ["rateest-pps1", "rateest-pps2"])];
    let mut named = units.iter().filter(|(_, options)| options.iter().any(|option| given.has(option)));
    let unit = named.next();
    if named.next().is_some() {
        // The real one takes both, and saves the way twice, which it does not take.
        return Err(UsageError::Needs("rateest: bits and packets at once could not be read back"));
    }
    // The last way counts; `!` before any of them does.
    let way = given.order().rfind(|option| WAYS.iter().any(|(way, _)| way == option));
    let delta = given.has("rateest-delta");
    let second = given.text("rateest2").map(Box::from);
    let mut amounts = unit.map_or([0, 0], |(_, options)| options.map(|option| given.number(option).unwrap_or(0) as u32));
    // What is not looked at.
    if !delta {
        amounts[0] = 0;
    }
    if !delta && second.is_some() {
        amounts[1] = 0;
    }
    Ok(Match::Rateest(Box::new(RateestTest {
        first: Box::from(given.text("rateest1").unwrap_or("")),
        second,
        delta,
        unit: unit.map(|(unit, _)| *unit),
        amounts,
        way: WAYS.iter().find(|(option, _)| way == Some(option)).map(|(_, way)| *way),
        invert: given.all().any(|(_, invert, _)| invert),
    })))
}

/// A rate as it is printed: bits in the unit that shows it well.
fn amount(unit: Unit, amount: u32) -> String {
    let bits = u64::from(amount) * 8;
    match unit {
        Unit::Packets => amount.to_string(),
        Unit::Bytes if bits >= 1_000_000_000 => format!("{:.0}Mbit", bits as f64 / 1e6),
        Unit::Bytes if bits >= 1_000_000 => format!("{:.0}Kbit", bits as f64 / 1e3),
        Unit::Bytes => format!("{bits}bit"),
    }
}

impl RateestTest {
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        if self.unit.is_none() || self.way.is_none() {
            return Err(KernelError::InvalidArgument);
        }
        let has_names = !self.first.is_empty() && self.second.as_deref() != Some("");
        if has_names { Ok(()) } else { Err(KernelError::NoSuchName) }
    }

    /// The names of the options for the first and the second amount.
    fn options(&self) -> (Unit, [&'static str; 2]) {
        match (self.unit, self.delta) {
            (Some(Unit::Packets), true) => (Unit::Packets, ["rateest-pps1", "rateest-pps2"]),
            (Some(Unit::Packets), false) => (Unit::Packets, ["", "rateest-pps"]),
            (_, true) => (Unit::Bytes, ["rateest-bps1", "rateest-bps2"]),
            (_, false) => (Unit::Bytes, ["", "rateest-bps"]),
        }
    }

    fn way_option(&self) -> &'static str {
        WAYS.iter().find(|(_, way)| Some(*way) == self.way).map_or("rateest-eq", |(option, _)| option)
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if self.delta {
            out.flag("rateest-delta", false);
        }
        out.value(if self.second.is_some() { "rateest1" } else { "rateest" }, false, &self.first);
        let (unit, [first, second]) = self.options();
        if self.delta {
            out.value(first, false, amount(unit, self.amounts[0]));
        }
        out.flag(self.way_option(), self.invert);
        if self.delta || self.second.is_none() {
            out.value(second, false, amount(unit, self.amounts[1]));
        } else {
            out.flag(second, false);
        }
        if let Some(name) = &self.second {
            out.value("rateest2", false, name);
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let (unit, _) = self.options();
        let [first, second] = self.amounts.map(|number| if style.numeric { number.to_string() } else { amount(unit, number) });
        let unit_word = if unit == Unit::Bytes { "bps" } else { "pps" };
        let way = format!("{} {}", if self.invert { " !" } else { "" }, &self.way_option()["rateest-".len()..]);
        out.push_str(&format!(" rateest match {}", self.first));
        if self.delta {
            out.push_str(&format!(" delta {unit_word} {first}"));
        } else {
            out.push_str(&format!(" {unit_word}"));
        }
        // iptables shows a number of bits before the way, and one of packets behind it.
        out.push_str(&match &self.second {
            Some(name) if self.delta => format!("{way} {name} {unit_word} {second}"),
            Some(name) => format!("{way} {name} {unit_word}"),
            None if unit == Unit::Bytes => format!(" {second}{way}"),
            None => format!("{way} {second}"),
        });
    }
}
