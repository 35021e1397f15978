//! `-j DNAT`: translates the destination of a connection.
use super::nat::NatRange;
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Value};

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "DNAT", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] =
    &[Opt::new("to-destination", Arg::NatTo).mandatory(), Opt::new("random", Arg::None), Opt::new("persistent", Arg::None)];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let range = match given.value("to-destination") {
        Some((Value::Nat(range), _)) => *range,
        _ => NatRange::default(),
    };
    Ok(Target::Dnat(range.with_flags(given)))
}

pub(crate) fn save(range: NatRange, out: &mut String) {
    let mut out = OptionWriter::new(OPTIONS, out);
    out.value("to-destination", false, range.to_text());
    range.save_flags(&mut out);
}

pub(crate) fn list(range: NatRange, out: &mut String) {
    out.push_str(" to:");
    out.push_str(&range.to_text());
    range.list_flags(out);
}
