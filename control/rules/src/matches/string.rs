//! `-m string`: bytes that are somewhere in the packet.
use crate::Match;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

/// Holds when the packet has the bytes, turned round by `invert`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StringTest {
    /// The bytes, at most 128.
    pub pattern: Box<[u8]>,
    /// How they are searched: `bm` (Boyer-Moore), `kmp` (Knuth-Morris-Pratt) or `fsm`, for which the bytes are tokens. The check
    /// refuses others.
    pub algorithm: Box<str>,
    /// Where the search begins, in bytes from the IP header on.
    pub from: u16,
    /// Where they must have ended, counted likewise.
    pub to: u16,
    /// Letters are alike in both cases.
    pub ignore_case: bool,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "string", family: None, options: OPTIONS, build };

const PLACE: Arg = Arg::Number { min: 0, max: u16::MAX as u64 };
const OPTIONS: &[Opt] = &[
    Opt::new("from", PLACE),
    Opt::new("to", PLACE),
    Opt::new("algo", Arg::Text { min: 0, max: ALGORITHM_MAX }),
    Opt::new("string", Arg::Own { shape: "TEXT", read: read_text }).excludes(&["hex-string"]).invertible(),
    Opt::new("hex-string", Arg::Own { shape: "TEXT, |HEX| for bytes", read: read_hex }).excludes(&["string"]).invertible(),
    Opt::new("icase", Arg::None),
];

const ALGORITHM_MAX: usize = 15;
const PATTERN_MAX: usize = 128;

fn read_text(reading: &Reading<'_>) -> Result<Value, UsageError> {
    check_length(reading.word.len(), reading.word)?;
    Ok(Value::Bytes(reading.word.as_bytes().to_vec()))
}

fn check_length(length: usize, text: &str) -> Result<(), UsageError> {
    if length > PATTERN_MAX { Err(UsageError::Own(format!("STRING too long \"{text}\""))) } else { Ok(()) }
}

/// Text in which `\` keeps the next character, and bytes in hexadecimal between two `|`, a blank between them if one likes.
fn read_hex(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let text = reading.word.as_bytes();
    if text.is_empty() {
        return Err(UsageError::Needs("STRING must contain at least one char"));
    }
    let skip_blanks = |mut at: usize| {
        while text.get(at) == Some(&b' ') {
            at += 1;
        }
        at
    };
    let (mut bytes, mut at, mut is_hex) = (Vec::new(), 0, false);
    while let Some(&byte) = text.get(at) {
        // Nothing may follow the last byte that there is room for, but for the end of its block: the real one refuses that too, and so
        // cannot read what it saves of as many bytes as there is room for.
        if byte != b'|' || !is_hex {
            check_length(bytes.len() + 1, reading.word)?;
        }
        if byte == b'\\' {
            if is_hex {
                return Err(UsageError::Needs("Cannot include literals in hex data"));
            }
            bytes.push(*text.get(at + 1).ok_or(UsageError::Needs("Bad literal placement at end of string"))?);
            at += 2;
        } else if byte == b'|' && is_hex {
            is_hex = false;
            at += 1;
        } else if byte == b'|' || is_hex {
            // The digits of a block begin behind blanks; what closes it is not looked for there.
            at = if is_hex { at } else { skip_blanks(at + 1) };
            is_hex = true;
            if at < text.len() {
                bytes.push(read_byte(&text[at..])?);
                at += 2;
                at += usize::from(text.get(at) == Some(&b' '));
            }
        } else {
            bytes.push(byte);
            at += 1;
        }
    }
    Ok(Value::Bytes(bytes))
}

/// Two hexadecimal digits, which must not be the end of the text.
fn read_byte(text: &[u8]) -> Result<u8, UsageError> {
    let digit = |byte: u8| {
        let value = char::from(byte).to_digit(16).map(|value| value as u8);
        value.ok_or_else(|| UsageError::Own(format!("Invalid hex char '{}'", char::from(byte))))
    };
    match *text {
        [] | [_] => Err(UsageError::Needs("Odd number of hex digits")),
        [_, _] => Err(UsageError::Needs("Invalid hex block")),
        [high, low, ..] => Ok(digit(high)? << 4 | digit(low)?),
    }
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let option = if given.has("string") { "string" } else { "hex-string" };
    let missing = UsageError::Needs("STRING match: You must specify `--string' or `--hex-string'");
    let pattern = given.bytes(option).ok_or(missing)?;
    let algorithm = given.text("algo").ok_or(UsageError::OptionMissing { extension: "string", option: "algo" })?;
    Ok(Match::String(Box::new(StringTest {
        pattern: Box::from(pattern),
        algorithm: Box::from(algorithm),
        from: given.number("from").unwrap_or(0) as u16,
        to: given.number("to").map_or(u16::MAX, |to| to as u16),
        ignore_case: given.has("icase"),
        invert: given.is_inverted(option),
    })))
}

impl StringTest {
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let is_possible = self.from <= self.to && !self.pattern.is_empty();
        let is_taken = match &*self.algorithm {
            _ if !is_possible => false,
            "bm" | "kmp" => true,
            "fsm" => !self.ignore_case && self.pattern.len().is_multiple_of(4) && self.pattern.chunks(4).all(is_token),
            _ => return Err(KernelError::NoSuchName),
        };
        if is_taken { Ok(()) } else { Err(KernelError::InvalidArgument) }
    }

    fn push_pattern(&self, out: &mut String) {
        if self.is_text() {
            out.push_str(" \"");
            for byte in &self.pattern {
                if matches!(byte, b'"' | b'\\') {
                    out.push('\\');
                }
                out.push(char::from(*byte));
            }
            out.push('"');
        } else {
            out.push_str(" \"|");
            self.pattern.iter().for_each(|byte| out.push_str(&format!("{byte:02x}")));
            out.push_str("|\"");
        }
    }

    /// Whether it is printed as text: printable, and without `\` at the end.
    fn is_text(&self) -> bool {
        self.pattern.iter().all(|byte| matches!(byte, b' '..=b'~')) && self.pattern.last() != Some(&b'\\')
    }

    pub(crate) fn save(&self, out: &mut String) {
        let option = if self.is_text() { "string" } else { "hex-string" };
        OptionWriter::new(OPTIONS, out).flag(option, self.invert);
        self.push_pattern(out);
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("algo", false, &self.algorithm);
        if self.from != 0 {
            out.value("from", false, self.from);
        }
        if self.to != u16::MAX {
            out.value("to", false, self.to);
        }
        if self.ignore_case {
            out.flag("icase", false);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(if self.invert { " STRING match !" } else { " STRING match " });
        self.push_pattern(out);
        out.push_str(&format!(" ALGO name {}", self.algorithm));
        if self.from != 0 {
            out.push_str(&format!(" FROM {}", self.from));
        }
        if self.to != u16::MAX {
            out.push_str(&format!(" TO {}", self.to));
        }
        if self.ignore_case {
            out.push_str(" ICASE");
        }
    }
}

/// A token of the finite state machine: its kind in two bytes, how often, and the character.
fn is_token(token: &[u8]) -> bool {
    matches!(token, [0..=13, 0, 0..=3, _])
}
