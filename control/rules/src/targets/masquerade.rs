//! `-j MASQUERADE`: translates the source to the address of the outgoing interface.
use super::nat::NatRange;
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Value};

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "MASQUERADE", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("to-ports", Arg::NatPorts), Opt::new("random", Arg::None), Opt::new("random-fully", Arg::None)];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let range = match given.value("to-ports") {
        Some((Value::Nat(range), _)) => *range,
        _ => NatRange::default(),
    };
    Ok(Target::Masquerade(range.with_flags(given)))
}

pub(crate) fn save(range: NatRange, out: &mut String) {
    let mut out = OptionWriter::new(OPTIONS, out);
    if let Some(ports) = range.ports_text() {
        out.value("to-ports", false, ports);
    }
    range.save_flags(&mut out);
}

pub(crate) fn list(range: NatRange, out: &mut String) {
    if let Some(ports) = range.ports_text() {
        out.push_str(" masq ports: ");
        out.push_str(&ports);
    }
    range.list_flags(out);
}
