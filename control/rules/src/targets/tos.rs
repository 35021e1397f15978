//! `-j TOS`: changes the type-of-service byte (IPv6: the traffic class).
use crate::Target;
use crate::error::UsageError;
use crate::number;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};

/// `tos = (tos & !mask) ^ value`. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tos {
    /// Bits to flip after clearing.
    pub value: u8,
    /// Bits to clear.
    pub mask: u8,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "TOS", family: None, options: OPTIONS, build };

/// `value[/mask]` or a name.
pub(crate) const ARG: Arg = Arg::Own { shape: "VALUE[/MASK]|NAME", read };
const BYTE: Arg = Arg::Number { min: 0, max: 255 };
const OPTIONS: &[Opt] = &[
    Opt::new("set-tos", ARG).excludes(&["and-tos", "or-tos", "xor-tos"]),
    Opt::new("and-tos", BYTE).excludes(&["set-tos", "or-tos", "xor-tos"]),
    Opt::new("or-tos", BYTE).excludes(&["set-tos", "and-tos", "xor-tos"]),
    Opt::new("xor-tos", BYTE).excludes(&["set-tos", "and-tos", "or-tos"]),
];

/// Names of old (RFC 1349) services; they leave the two ECN bits alone.
pub(crate) const NAMES: [(&str, u8); 5] = [
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
    ("Normal-Service", 0x00),
];
pub(crate) const NAMES_MASK: u8 = 0x3f;

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let byte = |option| given.number(option).map(|n| n as u8);
    let tos = if let Some((value, mask)) = given.masked("set-tos") {
        Tos { value: value as u8, mask: mask as u8 }
    } else if let Some(value) = byte("and-tos") {
        Tos { value: 0, mask: !value }
    } else if let Some(value) = byte("or-tos") {
        Tos { value, mask: value }
    } else if let Some(value) = byte("xor-tos") {
        Tos { value, mask: 0 }
    } else {
        return Err(UsageError::Needs("TOS: An action is required"));
    };
    Ok(Target::Tos(tos))
}

fn read(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let text = reading.word;
    let masked = |value: u8, mask: u8| Ok(Value::Masked(value.into(), mask.into()));
    if let Some((value, mask)) = text.split_once('/') {
        return match (number::byte(value), number::byte(mask)) {
            (Some(value), Some(mask)) => masked(value, mask),
            _ => Err(UsageError::IllegalTos(text.to_owned())),
        };
    }
    if let Some(value) = number::byte(text) {
        return masked(value, u8::MAX);
    }
    match NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, value)) => masked(*value, NAMES_MASK),
        None => Err(UsageError::UnknownTosName(text.to_owned())),
    }
}

impl Tos {
    pub(crate) fn save(&self, out: &mut String) {
        let form = format_args!("{:#04x}/{:#04x}", self.value, self.mask);
        OptionWriter::new(OPTIONS, out).value("set-tos", false, form);
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let Tos { value, mask } = *self;
        let name = NAMES.iter().find(|(_, v)| *v == value).filter(|_| mask == NAMES_MASK);
        out.push_str(&match name {
            _ if style.numeric => format!(" TOS set {value:#04x}/{mask:#04x}"),
            // The blanks are where iptables 1.8.9 puts them.
            Some((name, _)) => format!("  TOS set{name}"),
            None if value == 0 => format!(" TOS and {:#04x}", !mask),
            None if value == mask => format!(" TOS or {value:#04x}"),
            None if mask == 0 => format!(" TOS xor {value:#04x}"),
            None => format!(" TOS set {value:#04x}/{mask:#04x}"),
        });
    }
}
