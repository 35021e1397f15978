//! `-j SNAT`: translates the source of a connection.
use super::nat::NatRange;
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Value};

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "SNAT", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("to-source", Arg::NatTo).mandatory(),
    Opt::new("random", Arg::None),
    Opt::new("random-fully", Arg::None),
    Opt::new("persistent", Arg::None),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let range = match given.value("to-source") {
        Some((Value::Nat(range), _)) => range.without_base()?,
        _ => NatRange::default(),
    };
    Ok(Target::Snat(range.with_flags(given)))
}

pub(crate) fn save(range: NatRange, out: &mut String) {
    let mut out = OptionWriter::new(OPTIONS, out);
    out.value("to-source", false, range.to_text());
    range.save_flags(&mut out);
}

pub(crate) fn list(range: NatRange, out: &mut String) {
    out.push_str(" to:");
    out.push_str(&range.to_text());
    range.list_flags(out);
}
