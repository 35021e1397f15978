//! Labels of connections in the words of the command: by the names that the host has for them, and by nothing else.
use std::fmt::{self, Formatter};

use proto::flow::{Event, Kind};
use rules::names::{Labels, Names};

use super::options::Error;

/// Labels that `-l`, `--label-add` or `--label-del` names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LabelSet {
    bits: u128,
    /// One that has a name, and for which connections have no place.
    pub(super) beyond: bool,
}

impl LabelSet {
    pub(super) const ALL: LabelSet = LabelSet { bits: u128::MAX, beyond: false };

    /// Takes in names with commas between them.
    pub(super) fn add(&mut self, text: &str, names: &dyn Names) -> Result<(), Error> {
        for name in text.split(',') {
            let number = names.label_number(name).ok_or_else(|| Error::Usage(format!("unknown label '{name}'")))?;
            match 1u128.checked_shl(number.into()) {
                Some(bit) => self.bits |= bit,
                None => self.beyond = true,
            }
        }
        Ok(())
    }

    /// Whoever has these labels has all of the set.
    pub(super) fn is_among(self, labels: u128) -> bool {
        !self.beyond && labels & self.bits == self.bits
    }

    /// The lower half, the upper half.
    pub(super) fn halves(self) -> [u64; 2] {
        [self.bits as u64, (self.bits >> 64) as u64]
    }
}

/// The labels that an event tells: as in the kernel those that were written, or all that an operator found.
pub(super) fn told(event: &Event) -> u128 {
    let tells = event.kind != Kind::Destroy && (event.labels_written || event.by_hand);
    if tells { event.flow.labels } else { 0 }
}

/// Has the names of labels written. The reference leaves out those without one, which may be all, and all where no label has one.
pub(super) fn named<'a>(labels: u128, names: &'a Labels, write: impl FnOnce(Vec<&'a str>) -> fmt::Result) -> fmt::Result {
    if labels == 0 || names.iter().next().is_none() {
        return Ok(());
    }
    let has = |number: u16| 1u128.checked_shl(number.into()).is_some_and(|bit| labels & bit != 0);
    write(names.iter().filter(|(number, _)| has(*number)).map(|(_, name)| name).collect())
}

/// Writes labels by their names, in a line.
pub(super) fn write(f: &mut Formatter<'_>, labels: u128, names: &Labels) -> fmt::Result {
    named(labels, names, |names| {
        f.write_str(" labels")?;
        f.write_str(if names.is_empty() { "" } else { "=" })?;
        f.write_str(&names.join(","))
    })
}
