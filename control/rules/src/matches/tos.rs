//! `-m tos`: the type-of-service byte (IPv6: the traffic class).
use crate::Match;
use crate::error::UsageError;
use crate::options::{Context, Extension, Given, ListStyle, Opt, OptionWriter};
use crate::targets::tos::{self, NAMES, NAMES_MASK};

/// Holds when `(tos & mask == value) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TosTest {
    /// The wanted value.
    pub value: u8,
    /// The bits that count.
    pub mask: u8,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "tos", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("tos", tos::ARG).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let (value, mask) = given.masked("tos").unwrap_or((0, 0));
    Ok(Match::Tos(TosTest { value: value as u8, mask: mask as u8, invert: given.is_inverted("tos") }))
}

impl TosTest {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("tos", self.invert, format_args!("{:#04x}/{:#04x}", self.value, self.mask));
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let name = NAMES.iter().find(|(_, value)| *value == self.value).filter(|_| self.mask == NAMES_MASK && !style.numeric);
        let not = if self.invert { "!" } else { "" };
        // The blanks are where iptables 1.8.9 puts them.
        out.push_str(&match name {
            Some((name, _)) => format!(" tos match{not} {name}"),
            None => format!(" tos match{not}{:#04x}/{:#04x}", self.value, self.mask),
        });
    }
}
