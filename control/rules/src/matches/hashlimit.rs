//! `-m hashlimit`: token buckets, one for each address or port that a named table has met.
use super::named_bits::NamedBits;
use super::{Place, rate};
use crate::Match;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

/// Compares the packet's rate, among those of its group, with a limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hashlimit {
    /// The table of buckets; rules of one name share it, and the first one's settings hold.
    pub name: Box<str>,
    /// The limit.
    pub rate: Rate,
    /// Holds above the limit; else up to it.
    pub above: bool,
    /// What makes a group.
    pub group: Group,
    /// Buckets' lists (`--hashlimit-htable-size`); 0: as many as suit the machine.
    pub size: u32,
    /// Most buckets; 0: as many as suit the size.
    pub max: u32,
    /// Milliseconds between two searches for old buckets; the check refuses 0.
    pub gc_interval: u32,
    /// Milliseconds after which a bucket that nobody asks for is old; the check refuses 0.
    pub expire: u32,
    /// The rate is measured in intervals of so many seconds, instead of by a bucket's tokens. Not 0.
    pub interval: Option<u32>,
    /// `--hashlimit-rate-interval` without `--hashlimit-rate-match`: of no effect but in listings.
    pub unused_interval: Option<u32>,
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// In packets.
    Packets {
        /// Time to earn one in microseconds, not 0.
        period: u64,
        /// Packets that a full bucket lets pass at once.
        burst: u32,
    },
    /// In bytes.
    Bytes {
        /// Price of 16 bytes as the kernel has it: 2^32 / price is how many of them, and one more, a second earns. Not 0.
        price: u32,
        /// How many seconds' bytes a bucket holds; 0: one's, and it is emptied at once when it is overdrawn.
        burst: u32,
    },
}

/// What packets must have in common to share a bucket. Nothing at all: one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Bits of the parts: destination address 1, destination port 2, source address 4, source port 8.
    pub parts: u8,
    /// Bits of the source address that count, if not all do.
    pub src_prefix: Option<u8>,
    /// Bits of the destination address that count, if not all do.
    pub dst_prefix: Option<u8>,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "hashlimit", family: None, options: OPTIONS, build };

const COUNT: Arg = Arg::Number { min: 0, max: u32::MAX as u64 };
const RATE: Arg = Arg::Own { shape: "RATE", read: read_limit };
const OPTIONS: &[Opt] = &[
    Opt::new("hashlimit-upto", RATE).aliases(&["hashlimit"]).invertible().excludes(&["hashlimit-above"]),
    Opt::new("hashlimit-above", RATE).invertible().excludes(&["hashlimit-upto"]),
    Opt::new("hashlimit-srcmask", Arg::Prefix),
    Opt::new("hashlimit-dstmask", Arg::Prefix),
    Opt::new("hashlimit-burst", Arg::Own { shape: "NUMBER[k|m]", read: read_burst }),
    Opt::new("hashlimit-htable-size", COUNT),
    Opt::new("hashlimit-htable-max", COUNT),
    Opt::new("hashlimit-htable-gcinterval", COUNT),
    Opt::new("hashlimit-htable-expire", COUNT),
    Opt::new("hashlimit-mode", Arg::Own { shape: "PART[,...]", read: read_parts }),
    Opt::new("hashlimit-name", Arg::Text { min: 1, max: 254 }),
    Opt::new("hashlimit-rate-match", Arg::None),
    Opt::new("hashlimit-rate-interval", Arg::Own { shape: "SECONDS", read: read_interval }),
];

const PARTS: NamedBits = NamedBits(&[("srcip", 4), ("srcport", 8), ("dstip", 1), ("dstport", 2)]);
/// What makes a rate one of bytes.
const BYTES: &str = "b/s";
/// A second, in units of a period.
const SECOND: u64 = 1_000_000;
const MAX_BURST: u64 = 1_000_000;
const DEFAULT_BURST: u64 = 5;
const DEFAULT_GC_INTERVAL: u32 = 1_000;
/// The kernel cuts sizes down to this.
const MAX_SIZE: u64 = 1_048_576;
/// Seconds until a bucket of bytes is old, without and with a burst.
const BYTES_EXPIRE: (u32, u32) = (15, 60);

const BAD_BURST: UsageError = UsageError::Needs("bad value for option \"--hashlimit-burst\", or out of range (1-1000000).");

/// A rate, which is looked at again when it is known how it is measured.
fn read_limit(reading: &Reading<'_>) -> Result<Value, UsageError> {
    if reading.word.contains(BYTES) {
        bytes(reading.word, None)?.ok_or_else(|| reading.bad_value())?;
    } else {
        rate::period(rate::read(reading.word).ok_or_else(|| reading.bad_value())?, SECOND, reading.word)?;
    }
    Ok(Value::Text(reading.word.to_owned()))
}

/// A number that `k` or `m` may follow. What else follows does not count.
fn read_burst(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let (number, unit) = crate::number::prefix(reading.word).ok_or(BAD_BURST)?;
    let number = number.checked_mul(factor(unit)).filter(|number| *number != 0 && *number <= u32::MAX.into());
    number.map(Value::Number).ok_or(BAD_BURST)
}

fn factor(unit: &str) -> u64 {
    match unit.as_bytes() {
        [b'k', ..] => 1 << 10,
        [b'm', ..] => 1 << 20,
        _ => 1,
    }
}

fn read_parts(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let mut names = reading.word.split(',').filter(|name| !name.is_empty());
    let set = names.try_fold(0, |set, name| PARTS.exact(name).map(|bit| set | bit));
    set.map(|set| Value::Number(set.into())).ok_or_else(|| reading.bad_value())
}

/// Whole seconds; what follows the number does not count.
fn read_interval(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let digits = reading.word.trim_start();
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    let seconds = digits.parse().ok().filter(|seconds| *seconds != 0 && *seconds <= i32::MAX as u64);
    seconds.map(Value::Number).ok_or_else(|| reading.bad_value())
}

fn build(given: &Given, context: &Context<'_>) -> Result<Match, UsageError> {
    let extension = EXTENSION.name;
    let above = given.has("hashlimit-above");
    let option = if above { "hashlimit-above" } else { "hashlimit-upto" };
    let text = given.text(option).ok_or(UsageError::Needs("You have to specify --hashlimit"))?;
    let bad_value = |option, value: &str| UsageError::BadValue { extension, option, value: value.to_owned() };
    let interval = given.number("hashlimit-rate-interval").map(|seconds| seconds as u32);
    let measured = given.has("hashlimit-rate-match");
    let burst = given.number("hashlimit-burst");
    let (rate, seconds, expire) = if text.contains(BYTES) {
        let rate = bytes(text, burst)?.ok_or_else(|| bad_value(option, text))?;
        (rate, 1, rate.expire())
    } else {
        let burst = burst.unwrap_or(DEFAULT_BURST);
        let (number, seconds) = rate::read(text).ok_or_else(|| bad_value(option, text))?;
        let period = rate::period((number, seconds), SECOND, text)?;
        if burst > MAX_BURST {
            return Err(BAD_BURST);
        }
        // Where the rate is measured, the time of the rate is the interval.
        let period = if measured { SECOND / u64::from(number) } else { period };
        (Rate::Packets { period, burst: burst as u32 }, seconds, seconds * 1_000)
    };
    let name = given.text("hashlimit-name").ok_or(UsageError::OptionMissing { extension, option: "hashlimit-name" })?;
    if name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"') {
        // The real one takes them, and then saves what it cannot restore.
        return Err(bad_value("hashlimit-name", name));
    }
    let number = |option, default| given.number(option).map_or(default, |number| number as u32);
    let all = u64::from(context.family.address_bits());
    let prefix = |option| given.number(option).filter(|bits| *bits < all).map(|bits| bits as u8);
    Ok(Match::Hashlimit(Box::new(Hashlimit {
        name: Box::from(name),
        rate,
        above: above != given.is_inverted(option),
        group: Group {
            parts: given.number("hashlimit-mode").unwrap_or(0) as u8,
            src_prefix: prefix("hashlimit-srcmask"),
            dst_prefix: prefix("hashlimit-dstmask"),
        },
        size: given.number("hashlimit-htable-size").unwrap_or(0).min(MAX_SIZE) as u32,
        max: given.number("hashlimit-htable-max").unwrap_or(0).min(MAX_SIZE) as u32,
        gc_interval: number("hashlimit-htable-gcinterval", DEFAULT_GC_INTERVAL),
        expire: number("hashlimit-htable-expire", expire),
        interval: measured.then(|| interval.unwrap_or(seconds)),
        unused_interval: interval.filter(|_| !measured),
    })))
}

/// `number[kb|mb|b]/s`. `None` if it is none, or its number cannot be said again: the price is that of 16 bytes.
fn bytes(text: &str, burst: Option<u64>) -> Result<Option<Rate>, UsageError> {
    let text = text.trim_start();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = unit.trim_start();
    let factor = if unit.starts_with("kb") || unit.starts_with("mb") { factor(unit) } else { 1 };
    let sixteens = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).map(|bytes| bytes >> 4);
    let Some(sixteens) = sixteens.filter(|number| (1..u32::MAX.into()).contains(number)) else { return Ok(None) };
    let price = u32::MAX / (sixteens as u32 + 1);
    let second = bytes_of(price);
    let burst = match burst {
        None => 0,
        Some(burst) if burst < second => return Err(UsageError::Own(format!("burst cannot be smaller than {second}b"))),
        Some(burst) => burst.div_ceil(second) as u32,
    };
    Ok((second * u64::from(burst) <= u32::MAX.into()).then_some(Rate::Bytes { price, burst }))
}

/// What a second earns at this price.
fn bytes_of(price: u32) -> u64 {
    u64::from(u32::MAX / price - 1) << 4
}

impl Rate {
    /// Milliseconds until a bucket is old, if nothing is said of it.
    fn expire(self) -> u32 {
        match self {
            Rate::Bytes { burst: 0, .. } => BYTES_EXPIRE.0 * 1_000,
            Rate::Bytes { .. } => BYTES_EXPIRE.1 * 1_000,
            Rate::Packets { period, .. } => rate::shown(period, SECOND).1 * 1_000,
        }
    }
}

/// Bytes in the largest unit in which they cost the same.
fn bytes_text(price: u32) -> String {
    let bytes = bytes_of(price);
    let costs_the_same = |unit: u32| {
        // The real one rounds in 32 bits.
        let sixteens = (bytes as u32 & !(unit - 1)) >> 4;
        bytes >= u64::from(unit) && u32::MAX / (sixteens + 1) == price
    };
    match [(1 << 20, "m"), (1 << 10, "k")].into_iter().find(|(unit, _)| costs_the_same(*unit)) {
        Some((unit, name)) => format!("{}{name}b/s", bytes / u64::from(unit)),
        None => format!("{bytes}b/s"),
    }
}

fn burst_text(bytes: u64) -> String {
    match [(1 << 20, "m"), (1 << 10, "k")].into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}{name}b", bytes / unit),
        None => format!("{bytes}b"),
    }
}

/// The kernel's credits for a time in microseconds, in its 64-bit arithmetic (HZ times credits per jiffy is the same at HZ 250 and 1000).
fn credits(time: u64) -> u64 {
    time.wrapping_mul((1_000 << 37) / SECOND)
}

impl Hashlimit {
    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        place.require(self.gc_interval != 0 && self.expire != 0)?;
        place.require(!self.name.contains('/') && !matches!(&*self.name, "." | ".."))?;
        let is_within = match self.rate {
            Rate::Packets { period: 0, .. } => false,
            _ if self.interval.is_some() => true,
            Rate::Packets { period, burst } => credits(period.wrapping_mul(burst.into())) >= credits(period),
            // A price of 1 is none in the kernel's credits.
            Rate::Bytes { price, .. } => return place.require(price > 1),
        };
        if is_within { Ok(()) } else { Err(KernelError::OutOfRange) }
    }

    /// The parts that stand behind rate and burst: option, value.
    fn rest(&self, expire: u32) -> impl Iterator<Item = (&'static str, u32)> {
        let unless = |value: u32, default: u32| (value != default).then_some(value);
        let all = [
            ("hashlimit-htable-size", unless(self.size, 0)),
            ("hashlimit-htable-max", unless(self.max, 0)),
            ("hashlimit-htable-gcinterval", unless(self.gc_interval, DEFAULT_GC_INTERVAL)),
            ("hashlimit-htable-expire", unless(self.expire, expire)),
            ("hashlimit-srcmask", self.group.src_prefix.map(u32::from)),
            ("hashlimit-dstmask", self.group.dst_prefix.map(u32::from)),
        ];
        all.into_iter().filter_map(|(option, value)| value.map(|value| (option, value)))
    }

    /// The rate and the burst as they are shown, and the milliseconds until a bucket is old that go without saying with them. In listings
    /// the rate is what the interval would make of it.
    fn texts(&self, listed: bool) -> (String, Option<String>, u32) {
        match self.rate {
            Rate::Packets { period, burst } => {
                let interval = self.interval.or(self.unused_interval).filter(|_| listed).unwrap_or(1);
                let (text, seconds) = rate::shown((period * u64::from(interval)).max(1), SECOND);
                (text, Some(burst.to_string()), seconds * 1_000)
            }
            Rate::Bytes { price, burst } => {
                let burst = (burst != 0).then(|| burst_text(bytes_of(price) * u64::from(burst)));
                (bytes_text(price), burst, self.rate.expire())
            }
        }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        let (rate, burst, expire) = self.texts(false);
        out.value(if self.above { "hashlimit-above" } else { "hashlimit-upto" }, false, rate);
        if let Some(burst) = burst {
            out.value("hashlimit-burst", false, burst);
        }
        if self.group.parts != 0 {
            out.value("hashlimit-mode", false, PARTS.list(self.group.parts.into(), ","));
        }
        out.value("hashlimit-name", false, &self.name);
        for (option, value) in self.rest(expire) {
            out.value(option, false, value);
        }
        if let Some(interval) = self.interval {
            out.flag("hashlimit-rate-match", false);
            if interval != 1 {
                out.value("hashlimit-rate-interval", false, interval);
            }
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        let (rate, burst, expire) = self.texts(true);
        out.push_str(&format!(" limit: {} {rate}", if self.above { "above" } else { "up to" }));
        if let Some(burst) = burst {
            out.push_str(&format!(" burst {burst}"));
        }
        if self.group.parts != 0 {
            out.push_str(&format!(" mode {}", PARTS.list(self.group.parts.into(), "-")));
        }
        for (option, value) in self.rest(expire) {
            out.push_str(&format!(" {} {value}", option.trim_start_matches("hashlimit-")));
        }
        if let Some(interval) = self.interval {
            out.push_str(" rate-match");
            if interval != 1 {
                out.push_str(&format!(" rate-interval {interval}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_the_unit_that_costs_the_same() {
        for (given, shown) in [("12345b/s", "12336b/s"), ("12345kb/s", "12345kb/s"), ("1000mb/s", "1008mb/s"), ("16b/s", "16b/s")] {
            let Ok(Some(Rate::Bytes { price, .. })) = bytes(given, None) else { panic!("{given}") };
            assert_eq!(bytes_text(price), shown);
        }
    }

    #[test]
    fn what_could_not_be_said_again_is_no_rate() {
        for wrong in ["1b/s", "15b/s", "1gb/s", "65536mb/s", "kb/s", "-5kb/s", "99999999999999999999mb/s"] {
            assert_eq!(bytes(wrong, None), Ok(None), "{wrong}");
        }
        assert_eq!(bytes("1mb/s", Some(u64::from(u32::MAX))), Ok(None));
    }
}
