//! `-m dccp`: ports, packet types and one option of DCCP.
use super::named_bits::NamedBits;
use super::ports::PortTest;
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};

/// The DCCP test; needs `-p dccp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dccp {
    /// `--sport`.
    pub sport: Option<PortTest>,
    /// `--dport`.
    pub dport: Option<PortTest>,
    /// `--dccp-types`.
    pub types: Option<TypesTest>,
    /// `--dccp-option`.
    pub option: Option<OptionTest>,
}

/// Holds when the packet is of one of the types, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypesTest {
    /// A bit for each type, by the numbers of RFC 4340; those that it reserves go together as INVALID.
    pub types: u16,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when the header has the option, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptionTest {
    /// The option's type, 1 to 255.
    pub kind: u8,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "dccp", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("source-port", Arg::Ports).aliases(&["sport"]).invertible(),
    Opt::new("destination-port", Arg::Ports).aliases(&["dport"]).invertible(),
    Opt::new("dccp-types", Arg::Own { shape: "TYPE[,...]", read: read_types }).invertible(),
    Opt::new("dccp-option", Arg::Number { min: 1, max: 255 }).invertible(),
];

const TYPES: NamedBits = NamedBits(&[
    ("REQUEST", 1 << 0),
    ("RESPONSE", 1 << 1),
    ("DATA", 1 << 2),
    ("ACK", 1 << 3),
    ("DATAACK", 1 << 4),
    ("CLOSEREQ", 1 << 5),
    ("CLOSE", 1 << 6),
    ("RESET", 1 << 7),
    ("SYNC", 1 << 8),
    ("SYNCACK", 1 << 9),
    ("INVALID", 0xfc00),
]);

fn read_types(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let mut types = 0;
    for name in reading.word.split(',').filter(|name| !name.is_empty()) {
        types |= TYPES.caseless(name).ok_or_else(|| UsageError::Own(format!("Unknown DCCP type `{name}'")))?;
    }
    // The real one takes a list of none, and then saves what it cannot restore.
    if types == 0 { Err(reading.bad_value()) } else { Ok(Value::Number(types.into())) }
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let ports = |option| match given.value(option) {
        Some((Value::Ports(min, max), invert)) => Some(PortTest { min: *min, max: *max, invert }),
        _ => None,
    };
    let (types, option) = (given.number("dccp-types"), given.number("dccp-option"));
    Ok(Match::Dccp(Dccp {
        sport: ports("source-port"),
        dport: ports("destination-port"),
        types: types.map(|types| TypesTest { types: types as u16, invert: given.is_inverted("dccp-types") }),
        option: option.map(|kind| OptionTest { kind: kind as u8, invert: given.is_inverted("dccp-option") }),
    }))
}

impl Dccp {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, ports) in [("sport", self.sport), ("dport", self.dport)] {
            if let Some(ports) = ports {
                ports.save_all(option, &mut out);
            }
        }
        if let Some(test) = self.types {
            out.value("dccp-types", test.invert, TYPES.list(test.types.into(), ","));
        }
        if let Some(test) = self.option {
            out.value("dccp-option", test.invert, test.kind);
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        out.push_str(" dccp");
        for (name, ports) in [("spt", self.sport), ("dpt", self.dport)] {
            if let Some(ports) = ports {
                ports.list(name, "dccp", style, out);
            }
        }
        if let Some(test) = self.types {
            let numbers = (0..16).filter(|number| test.types >> number & 1 == 1).map(|number: u32| number.to_string());
            let types = if style.numeric { numbers.collect::<Vec<_>>().join(",") } else { TYPES.list(test.types.into(), ",") };
            out.push_str(&format!(" {}{types}", if test.invert { "! " } else { "" }));
        }
        if let Some(test) = self.option {
            out.push_str(&format!(" option={}{}", if test.invert { "!" } else { "" }, test.kind));
        }
    }
}
