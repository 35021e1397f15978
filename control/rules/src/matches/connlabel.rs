//! `-m connlabel`: a label of the packet's connection, asked for or put on.
use crate::Match;
use crate::error::{KernelError, UsageError};
use crate::names::Names;
use crate::number;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter};

/// Labels that a connection can carry.
pub const LABELS: u16 = 128;

/// Holds when the connection carries the label, turned round by `invert`. Without a connection there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Connlabel {
    /// Its number.
    pub label: u16,
    /// A connection without it gets it, and then the test holds as if it had it all along.
    pub set: bool,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "connlabel", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("label", Arg::Text { min: 1, max: usize::MAX })
        .invertible()
        .mandatory()
        .checked(|reading| read(reading.word, reading.context).map(drop)),
    Opt::new("set", Arg::None),
];

/// A label by its number, or by the name that the host has for it.
fn read(text: &str, context: &Context<'_>) -> Result<u16, UsageError> {
    let label = number::short(text).or_else(|| context.names.label_number(text));
    label.ok_or_else(|| UsageError::NoLabel(text.to_owned()))
}

fn build(given: &Given, context: &Context<'_>) -> Result<Match, UsageError> {
    let label = read(given.text("label").unwrap_or(""), context)?;
    Ok(Match::Connlabel(Connlabel { label, set: given.has("set"), invert: given.is_inverted("label") }))
}

impl Connlabel {
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        if self.label < LABELS { Ok(()) } else { Err(KernelError::OutOfRange) }
    }

    pub(crate) fn save(&self, names: &dyn Names, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        match names.label_name(self.label) {
            Some(name) => out.value("label", self.invert, format_args!("\"{name}\"")),
            None => out.value("label", self.invert, format_args!("\"{}\"", self.label)),
        }
        if self.set {
            out.flag("set", false);
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        out.push_str(if self.invert { " connlabel ! " } else { " connlabel " });
        match style.names.label_name(self.label).filter(|_| !style.numeric) {
            Some(name) => out.push_str(&format!("'{name}'")),
            None => out.push_str(&self.label.to_string()),
        }
        if self.set {
            out.push_str(" set");
        }
    }
}
