//! `-m devgroup`: the groups of the packet's interfaces (`ip link set DEV group NUMBER`).
use crate::error::UsageError;
use crate::names::{Kind, Names};
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};
use crate::table::HookSet;
use crate::{Hook, Match, number};

use super::MarkTest;
use super::mark::MaskedMark;

/// Both tests that are there must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Devgroup {
    /// `--src-group`: the group of the interface that the packet came by, under a mask.
    pub src: Option<MarkTest>,
    /// `--dst-group`: that of the interface that it leaves by.
    pub dst: Option<MarkTest>,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "devgroup", family: None, options: OPTIONS, build };

const GROUP: Arg = Arg::Own { shape: "NAME|NUMBER[/MASK]", read: read_group };
const OPTIONS: &[Opt] = &[Opt::new("src-group", GROUP).invertible(), Opt::new("dst-group", GROUP).invertible()];

/// A number, perhaps with a mask, or a name that the host has for a group.
fn read_group(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let Reading { extension, option, word, .. } = *reading;
    let is_number =
        number::prefix(word).is_some_and(|(number, rest)| number <= u32::MAX.into() && (rest.is_empty() || rest.starts_with('/')));
    if is_number {
        let (group, mask) = number::masked(word).ok_or(UsageError::BadInteger { extension, option })?;
        return Ok(Value::Masked(group, mask));
    }
    let named = reading.context.names.number_of(Kind::DeviceGroup, word);
    let group = named.ok_or_else(|| {
        UsageError::Own(format!("{extension}: could not map name {word} to an integer value for option \"--{option}\".\n"))
    })?;
    Ok(Value::Masked(group, u32::MAX))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let group = |option| given.masked(option).map(|(value, mask)| MarkTest { value, mask, invert: given.is_inverted(option) });
    let test = Devgroup { src: group("src-group"), dst: group("dst-group") };
    if test.src.is_none() && test.dst.is_none() {
        return Err(UsageError::Needs("devgroup match: You must specify either '--src-group' or '--dst-group'"));
    }
    Ok(Match::Devgroup(Box::new(test)))
}

impl Devgroup {
    /// Where packets have the interfaces whose groups are tested.
    pub(crate) fn hooks(&self) -> HookSet {
        let (inward, outward) =
            (&[Hook::Prerouting, Hook::Input, Hook::Forward], &[Hook::Forward, Hook::Output, Hook::Postrouting]);
        match (self.src, self.dst) {
            (Some(_), Some(_)) => HookSet::of(&[Hook::Forward]),
            (Some(_), None) => HookSet::of(inward),
            (None, _) => HookSet::of(outward),
        }
    }

    /// Both tests, with the option's name and the text of the group.
    fn parts<'a>(&self, names: Option<&'a dyn Names>) -> impl Iterator<Item = (&'static str, bool, String)> + use<'a> {
        let text = move |test: MarkTest| {
            let named = names.filter(|_| test.mask == u32::MAX);
            let name = named.and_then(|names| names.name_of(Kind::DeviceGroup, test.value));
            name.map_or_else(|| MaskedMark(test.value, test.mask).to_string(), str::to_owned)
        };
        let parts = [("src-group", self.src), ("dst-group", self.dst)];
        parts.into_iter().filter_map(move |(option, test)| test.map(|test| (option, test.invert, text(test))))
    }

    pub(crate) fn save(&self, names: &dyn Names, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, invert, group) in self.parts(Some(names)) {
            out.value(option, invert, group);
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        for (option, invert, group) in self.parts((!style.numeric).then_some(style.names)) {
            out.push_str(&format!(" {}{option} {group}", if invert { "! " } else { "" }));
        }
    }
}
