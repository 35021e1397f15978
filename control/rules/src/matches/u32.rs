//! `-m u32`: arithmetic on 32-bit words of the packet.
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::{Match, number};
use std::fmt;

/// Holds when every part does, turned round by `invert`. A word that lies outside of the packet is in no range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct U32 {
    /// At most 10.
    pub parts: Vec<Part>,
    /// `!` was given.
    pub invert: bool,
}

/// `location=value,...`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The word of the packet at this byte, from the IP header on.
    pub start: u32,
    /// What is done with the word, at most 9 steps.
    pub steps: Vec<(Operator, u32)>,
    /// What comes of it must be in one of these, both ends included; at most 10.
    pub values: Vec<(u32, u32)>,
}

/// What is done with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `&`: these bits of it.
    And,
    /// `<<`
    Left,
    /// `>>`
    Right,
    /// `@`: it is a distance from where the last word was taken; the word there, so many bytes on.
    At,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "u32", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] =
    &[Opt::new("u32", Arg::Own { shape: "START[OPERATOR NUMBER]...=VALUE[:VALUE][,...][&&...]", read }).invertible().mandatory()];

/// The most parts, steps and values.
const MAX: usize = 10;
const OPERATORS: [(&str, Operator); 4] =
    [("&", Operator::And), ("<<", Operator::Left), (">>", Operator::Right), ("@", Operator::At)];

/// A place in the text.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_ascii_start().len();
    }

    /// Goes over this, if it comes next.
    fn take(&mut self, word: &str) -> bool {
        let comes = self.rest().starts_with(word);
        self.at += if comes { word.len() } else { 0 };
        comes
    }

    fn number(&mut self) -> Result<u32, UsageError> {
        let read = number::prefix(self.rest()).and_then(|(number, rest)| Some((u32::try_from(number).ok()?, rest.len())));
        let (number, left) = read.ok_or_else(|| self.fault("not a number or out of range"))?;
        self.at = self.text.len() - left;
        Ok(number)
    }

    fn fault(&self, what: &str) -> UsageError {
        UsageError::Own(format!("u32: at char {}: {what}", self.at))
    }

    fn operator(&mut self) -> Result<Operator, UsageError> {
        for (word, operator) in OPERATORS {
            let first = &word[..1];
            if self.take(first) {
                if word.len() > 1 && !self.take(first) {
                    return Err(self.fault(&format!("a second '{first}' was expected")));
                }
                return Ok(operator);
            }
        }
        Err(self.fault("operator expected"))
    }

    /// All up to and with `=`.
    fn location(&mut self) -> Result<(u32, Vec<(Operator, u32)>), UsageError> {
        let (mut start, mut steps) = (None, Vec::new());
        loop {
            self.skip_blanks();
            if self.rest().is_empty() {
                return Err(UsageError::Needs("u32: abrupt end of input after location specifier"));
            }
            if self.rest().starts_with('=') {
                let start = start.ok_or_else(|| self.fault("location spec missing"))?;
                self.at += 1;
                return Ok((start, steps));
            }
            if start.is_none() {
                start = Some(self.number()?);
                continue;
            }
            let operator = self.operator()?;
            steps.push((operator, self.number()?));
            if steps.len() >= MAX {
                return Err(self.fault("too many operators"));
            }
        }
    }

    /// Values behind `=`, up to what follows them.
    fn values(&mut self) -> Result<Vec<(u32, u32)>, UsageError> {
        let mut values = Vec::new();
        self.skip_blanks();
        if self.rest().is_empty() {
            return Err(UsageError::Needs("u32: test ended with no value specified"));
        }
        loop {
            let first = self.number()?;
            self.skip_blanks();
            let last = if self.take(":") { self.number()? } else { first };
            values.push((first, last));
            self.skip_blanks();
            if values.len() > MAX {
                return Err(self.fault("too many \",\"s"));
            }
            if !self.take(",") {
                return Ok(values);
            }
        }
    }

    fn parts(&mut self) -> Result<Vec<Part>, UsageError> {
        let mut parts = Vec::new();
        loop {
            let (start, steps) = self.location()?;
            parts.push(Part { start, steps, values: self.values()? });
            let is_last = self.rest().is_empty();
            if !is_last {
                if !self.take("&") {
                    return Err(self.fault("expected \",\" or \"&&\""));
                }
                if !self.rest().starts_with('&') {
                    return Err(self.fault("a second '&' was expected"));
                }
            }
            if parts.len() > MAX {
                return Err(self.fault("too many \"&&\"s"));
            }
            if is_last {
                return Ok(parts);
            }
            self.at += 1;
        }
    }
}

fn read(reading: &Reading<'_>) -> Result<Value, UsageError> {
    Cursor { text: reading.word, at: 0 }.parts()?;
    Ok(Value::Text(reading.word.to_owned()))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let parts = Cursor { text: given.text("u32").unwrap_or(""), at: 0 }.parts()?;
    Ok(Match::U32(Box::new(U32 { parts, invert: given.is_inverted("u32") })))
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.start)?;
        for (operator, number) in &self.steps {
            let word = OPERATORS.iter().find(|(_, other)| other == operator).map_or("", |(word, _)| word);
            write!(f, "{word}{number:#x}")?;
        }
        for (at, (first, last)) in self.values.iter().enumerate() {
            write!(f, "{}{first:#x}", if at == 0 { '=' } else { ',' })?;
            if first != last {
                write!(f, ":{last:#x}")?;
            }
        }
        Ok(())
    }
}

impl U32 {
    fn text(&self) -> String {
        self.parts.iter().map(Part::to_string).collect::<Vec<_>>().join("&&")
    }

    /// Words have 32 bits to shift.
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let is_far = |(operator, by): &(Operator, u32)| matches!(operator, Operator::Left | Operator::Right) && *by >= 32;
        let is_wrong = self.parts.iter().flat_map(|part| &part.steps).any(is_far);
        if is_wrong { Err(KernelError::InvalidArgument) } else { Ok(()) }
    }

    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("u32", self.invert, format_args!("\"{}\"", self.text()));
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" u32 {}\"{}\"", if self.invert { "! " } else { "" }, self.text()));
    }
}
