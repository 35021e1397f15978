//! `-j RATEEST`: has the rate of the packets that meet it estimated under a name, for `-m rateest` to ask.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

/// The estimator. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rateest {
    /// `--rateest-name`: at most 15 bytes; estimators of one name are one.
    pub name: Box<str>,
    /// `--rateest-interval`: it is looked every `2^interval` quarters of a second; 0 to 5.
    pub interval: u8,
    /// `--rateest-ewmalog`: the average is that over about `2^ewma_log` intervals; 1 to 30.
    pub ewma_log: u8,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "RATEEST", family: None, options: OPTIONS, build };

const TIME: Arg = Arg::Own { shape: "TIME[s|ms|us]", read: read_time };
const OPTIONS: &[Opt] =
    &[Opt::new("rateest-name", Arg::Name { max: 15 }), Opt::new("rateest-interval", TIME), Opt::new("rateest-ewmalog", TIME)];

/// Microseconds in a quarter of a second.
const QUARTER: u64 = 250_000;
/// Names of units and the microseconds that they have.
const UNITS: [(&str, f64); 10] = [
    ("", 1.0),
    ("s", 1e6),
    ("sec", 1e6),
    ("secs", 1e6),
    ("ms", 1e3),
    ("msec", 1e3),
    ("msecs", 1e3),
    ("us", 1.0),
    ("usec", 1.0),
    ("usecs", 1.0),
];

/// A number of microseconds, or of another unit. What does not fit 32 bits, which iptables cuts, is too much in any case.
fn read_time(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let word = reading.word;
    let end = word.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(word.len());
    let time = word[..end].parse::<f64>().ok();
    let unit = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word[end..]));
    let time = time.zip(unit).map(|(time, (_, unit))| time * unit);
    let what = reading.option.trim_start_matches("rateest-");
    let time = time.ok_or_else(|| UsageError::Own(format!("RATEEST: bad {what} value \"{word}\"")))?;
    let fits = (0.0..=f64::from(u32::MAX)).contains(&time);
    Ok(Value::Number(if fits { time as u64 } else { u64::MAX }))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let time = |option| given.number(option).unwrap_or(0);
    let (wanted, average) = (time("rateest-interval"), time("rateest-ewmalog"));
    let interval = (0..=5).find(|interval| wanted <= QUARTER << interval);
    let interval = interval.ok_or(UsageError::Needs("RATEEST: interval value is too large"))?;
    let ewma_log = ewma_log(wanted, average).filter(|log| QUARTER << interval << log <= u64::from(u32::MAX));
    let ewma_log = ewma_log.ok_or(UsageError::Needs("RATEEST: ewmalog value is out of range"))?;
    let missing = |option| UsageError::OptionMissing { extension: EXTENSION.name, option };
    if let Some(option) = OPTIONS.iter().find(|option| !given.has(option.name)) {
        return Err(missing(option.name));
    }
    let name = given.text("rateest-name").filter(|name| !name.is_empty());
    // iptables takes an empty one, and saves what it cannot read back.
    let name = name.ok_or(missing("rateest-name"))?;
    Ok(Target::Rateest(Box::new(Rateest { name: Box::from(name), interval, ewma_log })))
}

/// The weight of the moving average that forgets a measurement after this time, both in microseconds.
fn ewma_log(interval: u64, average: u64) -> Option<u8> {
    let is_longer = |log: &u8| {
        let weight = 1.0 - 1.0 / (1u64 << log) as f64;
        interval as f64 / -weight.ln() > average as f64
    };
    let log = (1..32).find(is_longer).unwrap_or(32) - 1;
    (1..31).contains(&log).then_some(log)
}

impl Rateest {
    fn parts(&self) -> [(&'static str, String); 3] {
        let interval = QUARTER << self.interval;
        let time = |option, microseconds| (option, time_text(microseconds));
        [
            ("rateest-name", self.name.to_string()),
            time("rateest-interval", interval),
            time("rateest-ewmalog", interval << self.ewma_log),
        ]
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, value) in self.parts() {
            out.value(option, false, value);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push(' ');
        for (option, value) in self.parts() {
            out.push_str(&format!("{} {value} ", option.trim_start_matches("rateest-")));
        }
        out.pop();
    }
}

/// Microseconds, from a quarter of a second on.
fn time_text(microseconds: u64) -> String {
    if microseconds >= 1_000_000 {
        format!("{:.1}s", microseconds as f64 / 1e6)
    } else {
        format!("{:.1}ms", microseconds as f64 / 1e3)
    }
}
