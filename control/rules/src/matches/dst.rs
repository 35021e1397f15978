//! `-m dst`: the destination options header of IPv6.
use super::frag::LengthTest;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::{Family, Match, number};

/// A test of a header of IPv6 options; a packet without the header does not pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderOptions {
    /// Length of the header in bytes.
    pub length: Option<LengthTest>,
    /// The options that must be there, in this order and with no others before or between them; at most 16.
    pub options: Box<[HeaderOption]>,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeaderOption {
    /// Its type.
    pub kind: u8,
    /// Bytes of its data (at most 254), if they matter.
    pub length: Option<u8>,
}

/// What a list of options holds.
const MOST: usize = 16;
/// The length that stands for any.
const ANY_LENGTH: u8 = u8::MAX;

/// `type[:length][,...]`; a number holds its type, and above it the length.
pub(super) fn read_options(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let own = |text: String| UsageError::Own(text);
    let byte = |text: &str, what: &str| match number::prefix(text) {
        None => Err(own(format!("{}: no valid digits in {what} `{text}'", reading.extension))),
        Some((number, "")) if number <= u8::MAX.into() => Ok(number as u32),
        Some(_) => Err(own(format!("{}: error parsing {what} `{text}'", reading.extension))),
    };
    let mut options = Vec::new();
    for word in reading.word.split(',') {
        if options.len() == MOST {
            return Err(UsageError::Needs("too many addresses specified"));
        }
        options.push(match word.split_once(':') {
            None => byte(word, "opt")? | u32::from(ANY_LENGTH) << 8,
            Some((kind, length)) => match byte(kind, "opt")? {
                0 if reading.extension == "hbh" => return Err(UsageError::Needs("PAD0 has not got length")),
                0 => return Err(UsageError::Needs("PAD0 hasn't got length")),
                kind => kind | byte(length, "length")? << 8,
            },
        });
    }
    Ok(Value::Numbers(options))
}

impl HeaderOptions {
    pub(super) fn from_given(given: &Given, [length, options]: [&str; 2]) -> HeaderOptions {
        let option = |number: &u32| {
            let [kind, length, ..] = number.to_le_bytes();
            HeaderOption { kind, length: (length != ANY_LENGTH).then_some(length) }
        };
        let options = given.numbers(options).unwrap_or(&[]).iter().map(option).collect();
        HeaderOptions { length: LengthTest::from_given(given, length), options }
    }

    fn options_text(&self) -> Option<String> {
        let text = |option: &HeaderOption| match option.length {
            None => option.kind.to_string(),
            Some(length) => format!("{}:{length}", option.kind),
        };
        let all: Vec<String> = self.options.iter().map(text).collect();
        (!all.is_empty()).then(|| all.join(","))
    }

    pub(super) fn save_as(&self, [length, options]: [&str; 2], mut out: OptionWriter<'_>) {
        if let Some(test) = self.length {
            out.value(length, test.invert, test.value);
        }
        if let Some(text) = self.options_text() {
            out.value(options, false, text);
        }
    }

    pub(super) fn list_as(&self, name: &str, out: &mut String) {
        out.push_str(&format!(" {name}{}", self.length.map_or(String::new(), LengthTest::listed)));
        if let Some(text) = self.options_text() {
            out.push_str(&format!(" opts {text}"));
        }
    }
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "dst", family: Some(Family::Ipv6), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("dst-len", Arg::Number { min: 0, max: u32::MAX as u64 }).invertible(),
    Opt::new("dst-opts", Arg::Own { shape: "TYPE[:LENGTH][,...]", read: read_options }),
];
const NAMES: [&str; 2] = ["dst-len", "dst-opts"];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Dst(Box::new(HeaderOptions::from_given(given, NAMES))))
}

pub(crate) fn save(test: &HeaderOptions, out: &mut String) {
    test.save_as(NAMES, OptionWriter::new(OPTIONS, out));
}

pub(crate) fn list(test: &HeaderOptions, out: &mut String) {
    test.list_as("dst", out);
}
