//! `-j DSCP`: changes the class of differentiated services, the upper six bits of the type-of-service byte.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

/// The new code point, 0 to 63. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dscp {
    /// The code point.
    pub value: u8,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "DSCP", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("set-dscp", Arg::Number { min: 0, max: 63 }).excludes(&["set-dscp-class"]),
    Opt::new("set-dscp-class", Arg::Own { shape: "CLASS", read: read_class }),
];

/// The names of RFC 2474, RFC 2597 and RFC 3246.
const CLASSES: [(&str, u8); 22] = [
    ("CS0", 0x00),
    ("CS1", 0x08),
    ("CS2", 0x10),
    ("CS3", 0x18),
    ("CS4", 0x20),
    ("CS5", 0x28),
    ("CS6", 0x30),
    ("CS7", 0x38),
    ("BE", 0x00),
    ("AF11", 0x0a),
    ("AF12", 0x0c),
    ("AF13", 0x0e),
    ("AF21", 0x12),
    ("AF22", 0x14),
    ("AF23", 0x16),
    ("AF31", 0x1a),
    ("AF32", 0x1c),
    ("AF33", 0x1e),
    ("AF41", 0x22),
    ("AF42", 0x24),
    ("AF43", 0x26),
    ("EF", 0x2e),
];

/// The code point of a class, whose name may be written in small letters; what stands behind the name is not looked at.
pub(crate) fn read_class(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let begins = |name: &str| reading.word.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name));
    let class = CLASSES.iter().find(|(name, _)| begins(name));
    let unknown = || UsageError::Own(format!("Invalid DSCP value `{}'", reading.word));
    class.map(|(_, value)| Value::Number(u64::from(*value))).ok_or_else(unknown)
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let value = given.number("set-dscp").or(given.number("set-dscp-class"));
    let value = value.ok_or(UsageError::Needs("DSCP target: Parameter --set-dscp is required"))?;
    Ok(Target::Dscp(Dscp { value: value as u8 }))
}

impl Dscp {
    pub(crate) fn save(self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("set-dscp", false, format_args!("{:#04x}", self.value));
    }

    pub(crate) fn list(self, out: &mut String) {
        out.push_str(&format!(" DSCP set {:#04x}", self.value));
    }
}
