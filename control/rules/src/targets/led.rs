//! `-j LED`: lets a light of the machine blink with the packets.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::{Target, number};

/// The trigger that a light can be bound to. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Led {
    /// `--led-trigger-id`: at most 16 bytes.
    pub id: Box<str>,
    /// `--led-delay`.
    pub delay: LedDelay,
    /// `--led-always-blink`: blinks also while the light is on.
    pub always_blink: bool,
}

/// How long the light stays on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LedDelay {
    /// Milliseconds, at most 2^31 - 1.
    Milliseconds(u32),
    /// `inf`.
    Forever,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "LED", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("led-trigger-id", Arg::Own { shape: "NAME", read: read_id }).mandatory(),
    Opt::new("led-delay", Arg::Own { shape: "MILLISECONDS|inf", read: read_delay }),
    Opt::new("led-always-blink", Arg::None),
];

const ID_MAX: usize = 16;

fn read_id(reading: &Reading<'_>) -> Result<Value, UsageError> {
    if reading.word.len() > ID_MAX {
        return Err(UsageError::Own(format!("Argument must have a maximum length of {ID_MAX} characters\n")));
    }
    if reading.word.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')) {
        // iptables takes it, and saves what it cannot read back.
        return Err(UsageError::Own(format!(
            "LED: \"--led-trigger-id\" may not have quotes or control characters: {:?}",
            reading.word
        )));
    }
    Ok(Value::Text(reading.word.to_owned()))
}

/// iptables prints what is above 31 bits as a negative number, which it does not read back, but for the one that stands for `inf`.
fn read_delay(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let word = reading.word;
    if word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("inf")) {
        return Ok(Value::Number(u64::from(u32::MAX)));
    }
    let delay = number::word(word).filter(|delay| *delay <= i32::MAX as u32 || *delay == u32::MAX);
    delay.map(|delay| Value::Number(u64::from(delay))).ok_or(UsageError::Needs("Delay value must be within range 0..4294967295"))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let delay = given.number("led-delay").unwrap_or(0) as u32;
    Ok(Target::Led(Box::new(Led {
        id: Box::from(given.text("led-trigger-id").unwrap_or("")),
        delay: if delay == u32::MAX { LedDelay::Forever } else { LedDelay::Milliseconds(delay) },
        always_blink: given.has("led-always-blink"),
    })))
}

impl Led {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("led-trigger-id", false, format_args!("\"{}\"", self.id));
        match self.delay {
            LedDelay::Milliseconds(0) => {}
            LedDelay::Milliseconds(delay) => out.value("led-delay", false, delay),
            LedDelay::Forever => out.value("led-delay", false, "inf"),
        }
        if self.always_blink {
            out.flag("led-always-blink", false);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        let delay = match self.delay {
            LedDelay::Milliseconds(delay) => format!("{delay}ms"),
            LedDelay::Forever => "inf".to_owned(),
        };
        out.push_str(&format!(" led-trigger-id:\"{}\" led-delay:{delay}", self.id));
        if self.always_blink {
            out.push_str(" led-always-blink");
        }
    }
}
