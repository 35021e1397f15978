//! `-j AUDIT`: tells the audit daemon what becomes of the packet.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

/// What is told. The packet goes on, whatever that says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audit {
    /// `--type accept`.
    Accept,
    /// `--type drop`.
    Drop,
    /// `--type reject`.
    Reject,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "AUDIT", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("type", Arg::Own { shape: "accept|drop|reject", read: read_type }).mandatory()];
const TYPES: [(&str, Audit); 3] = [("accept", Audit::Accept), ("drop", Audit::Drop), ("reject", Audit::Reject)];

fn read_type(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let named = TYPES.iter().position(|(name, _)| name.eq_ignore_ascii_case(reading.word));
    let unknown = || UsageError::Own(format!("Bad action type value \"{}\"", reading.word));
    named.map(|index| Value::Number(index as u64)).ok_or_else(unknown)
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let index = given.number("type").unwrap_or(0) as usize;
    Ok(Target::Audit(TYPES[index].1))
}

impl Audit {
    fn name(self) -> &'static str {
        TYPES.iter().find(|(_, audit)| *audit == self).map_or("", |(name, _)| name)
    }

    pub(crate) fn save(self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("type", false, self.name());
    }

    pub(crate) fn list(self, out: &mut String) {
        out.push_str(&format!(" AUDIT {}", self.name()));
    }
}
