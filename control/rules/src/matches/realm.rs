//! `-m realm`: the realm of the route that the packet takes.
use super::mark::MaskedMark;
use crate::error::UsageError;
use crate::names::{Kind, Names};
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};
use crate::{Family, Match, number};

/// Holds when `(realm & mask == value) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Realm {
    /// The wanted value.
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "realm", family: Some(Family::Ipv4), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("realm", Arg::Own { shape: "VALUE[/MASK]|NAME", read }).invertible().mandatory()];

/// `value[/mask]`, or a name that the host has for a realm.
fn read(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let Reading { extension, option, word, .. } = *reading;
    let value = number::prefix(word).and_then(|(value, rest)| Some((u32::try_from(value).ok()?, rest)));
    match value {
        Some((value, "")) => Ok(Value::Masked(value, u32::MAX)),
        Some((value, rest)) if rest.starts_with('/') => {
            let mask = number::word(&rest[1..]).ok_or(UsageError::BadInteger { extension, option })?;
            Ok(Value::Masked(value, mask))
        }
        _ => {
            let value = reading.context.names.number_of(Kind::Realm, word);
            let unknown = || format!("realm: could not map name {word} to an integer value for option \"--realm\".\n");
            value.map(|value| Value::Masked(value, u32::MAX)).ok_or_else(|| UsageError::Own(unknown()))
        }
    }
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let (value, mask) = given.masked("realm").unwrap_or((0, u32::MAX));
    Ok(Match::Realm(Realm { value, mask, invert: given.is_inverted("realm") }))
}

impl Realm {
    fn text(&self, names: Option<&dyn Names>) -> String {
        let name = names.filter(|_| self.mask == u32::MAX).and_then(|names| names.name_of(Kind::Realm, self.value));
        name.map_or_else(|| MaskedMark(self.value, self.mask).to_string(), str::to_owned)
    }

    pub(crate) fn save(&self, names: &dyn Names, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("realm", self.invert, self.text(Some(names)));
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let text = self.text((!style.numeric).then_some(style.names));
        out.push_str(&format!("{} realm {text}", if self.invert { " !" } else { "" }));
    }
}
